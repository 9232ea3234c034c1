//! What a session wants of the accounts: it is sent out, and nothing more of the client is dealt with
//! before it is back. So answers keep the order of the requests, messages go on being delivered, and a
//! connection has one password in the queue at most.
//!
//! A `hello` is sent out before the room hears of it, and goes there with what was proven. All else goes
//! to the room first, which knows whose account it is about ([`Effect::Account`]). Passwords go from here
//! to the accounts and nowhere else.
//!
//! [`Effect::Account`]: crate::chat::batch::Effect::Account

use actix::prelude::*;
use chat_proto::{ErrorCode, Event, Secret, Words};

use super::connection::{Connection, Phase};
use super::dispatcher::Dispatcher;
use super::table::Table;
use crate::chat::batch::Applicant;
use crate::chat::command::{Command, Id, Refusal, Request};
use crate::chat::room;
use crate::error::DatabaseError;
use crate::logging::log_throttled;
use crate::store::accounts::{AuthOutcome, AuthRejection, AuthReply, AuthRequest};

/// Failures after which a connection is closed (protocol, 5. Accounts).
const STRIKES_MAX: u8 = 3;

/// What a request wants of the accounts.
#[derive(Debug)]
pub enum Wish {
    /// The password of a `hello`.
    Prove(Secret<'static>),
    Register(Secret<'static>),
    Change {
        old: Secret<'static>,
        new: Secret<'static>,
    },
    Unregister(Secret<'static>),
}

/// Where a connection's errand is.
#[derive(Debug, Default)]
pub(super) enum Errand {
    #[default]
    None,
    /// The room is asked who wishes it.
    Waiting(Box<Wish>),
    /// With the accounts, for this request.
    Out(Box<Request>),
}

impl Connection {
    /// Whether an errand has to come back first.
    pub(super) fn has_errand(&self) -> bool {
        !matches!(*self.errand.borrow(), Errand::None)
    }

    /// Begins the errand of `request`. Returns what the room is to be told now.
    pub(super) fn begin_errand(
        &self,
        wish: Wish,
        request: Request,
        table: &Table,
    ) -> Option<Request> {
        let Wish::Prove(password) = wish else {
            *self.errand.borrow_mut() = Errand::Waiting(Box::new(wish));
            return Some(request);
        };
        let Command::Hello(hello) = &request.command else {
            return Some(request);
        };
        if self.phase.get() != Phase::Greeting {
            return Some(request);
        }
        let refuse = |refusal| Request {
            id: request.id.clone(),
            command: Command::Refuse(refusal),
        };
        let Some(nick) = &hello.nick else {
            let detail = "a password needs the nick that it is for";
            return Some(refuse(Refusal::new(ErrorCode::BadRequest, detail)));
        };
        // Before anything is hashed for them.
        if let Some(detail) = table.barred.why(self.peer.ip()) {
            let detail = detail.to_string();
            return Some(refuse(Refusal::new(ErrorCode::Banned, detail)));
        }
        let nick = nick.folded_arc();
        match self.send_out(AuthRequest::Prove { nick, password }, table) {
            Ok(()) => {
                *self.errand.borrow_mut() = Errand::Out(Box::new(request));
                None
            }
            Err(refusal) => Some(refuse(refusal)),
        }
    }

    /// The room says who wishes it.
    pub(super) fn carry_on(&self, applicant: &Applicant, table: &Table) {
        let Errand::Waiting(wish) = self.errand.take() else {
            return;
        };
        let Applicant { nick, last_seq, id } = applicant;
        let nick = nick.clone();
        let act = match *wish {
            Wish::Prove(_) => return,
            Wish::Register(password) => AuthRequest::Register {
                nick,
                since: *last_seq,
                password,
            },
            Wish::Change { old, new } => AuthRequest::Change { nick, old, new },
            Wish::Unregister(password) => AuthRequest::Unregister { nick, password },
        };
        match self.send_out(act, table) {
            Ok(()) => {
                *self.errand.borrow_mut() = Errand::Out(Box::new(Request {
                    id: id.clone(),
                    command: Command::Account,
                }));
            }
            Err(refusal) => {
                self.push_refusal(refusal, id.as_ref(), table);
                self.wake();
            }
        }
    }

    /// The room has dealt with everything: an errand that it did not let go out is over.
    pub(super) fn end_waiting_errand(&self) {
        let mut errand = self.errand.borrow_mut();
        if matches!(*errand, Errand::Waiting(_)) && self.unanswered.get() == 0 {
            *errand = Errand::None;
            self.wake();
        }
    }

    fn send_out(&self, act: AuthRequest, table: &Table) -> Result<(), Refusal> {
        let asked = table.ask_accounts(self.id, self.peer.ip(), act);
        asked.map_err(declined)
    }

    /// The accounts have answered.
    fn come_back(&self, outcome: AuthOutcome, table: &Table) {
        let Errand::Out(request) = self.errand.take() else {
            return;
        };
        if matches!(outcome, AuthOutcome::Wrong) {
            log_throttled!(
                info,
                "wrong passwords",
                "session {:?}: {} sent a wrong password",
                self.id,
                self.peer
            );
        }
        if !self.is_open() {
            return;
        }
        let Request { id, command } = *request;
        if let Command::Hello(mut hello) = command {
            let command = match outcome {
                AuthOutcome::Proven(account) => {
                    hello.account = Some(account);
                    Command::Hello(hello)
                }
                other => Command::Refuse(refusal(other)),
            };
            self.unanswered.set(self.unanswered.get() + 1);
            table.room.do_send(room::Requests {
                session: self.id,
                requests: vec![Request { id, command }],
                words: Words::default(),
                cost: 1,
            });
        } else {
            match outcome {
                AuthOutcome::Registered(nick) => self.push_event(&Event::Registered {
                    nick: nick.as_str().into(),
                    token: None,
                }),
                // The room tells, with the new token.
                AuthOutcome::Changed => {}
                AuthOutcome::Unregistered(nick) => self.push_event(&Event::Unregistered {
                    nick: nick.as_str().into(),
                }),
                other => {
                    let refusal = refusal(other);
                    let (closes, code) = (refusal.closes(), refusal.code);
                    self.push_refusal(refusal, id.as_ref(), table);
                    if closes {
                        self.dismiss(table);
                    } else if code == ErrorCode::AuthFailed {
                        self.strike(table);
                    }
                }
            }
        }
        self.wake();
    }

    /// One more failure to prove who it is.
    pub(super) fn strike(&self, table: &Table) {
        self.strikes.set(self.strikes.get().saturating_add(1));
        if self.strikes.get() >= STRIKES_MAX && self.is_open() {
            self.reason.set("failed to log in");
            self.dismiss(table);
        }
    }

    /// Closes; the others hear of it now.
    fn dismiss(&self, table: &Table) {
        table.room.do_send(room::Leave {
            session: self.id,
            reason: self.reason.get(),
        });
        self.close(table);
    }

    fn push_refusal(&self, refusal: Refusal, id: Option<&Id>, table: &Table) {
        table.counts.refuses(refusal.code);
        self.push_event(&Event::Error {
            code: refusal.code,
            detail: refusal.detail,
            id: id.map(|id| (&**id).into()),
        });
    }
}

/// What a client is told whose errand is not run.
fn declined(declined: AuthRejection) -> Refusal {
    let detail = match declined {
        AuthRejection::Guesses => {
            "too many wrong passwords came from your address; try again later"
        }
        AuthRejection::Registrations => {
            "too many nicks were registered from your address; try again later"
        }
        AuthRejection::Busy => "too many people are logging in; try again in a moment",
    };
    Refusal::new(ErrorCode::RateLimited, detail)
}

/// What a client is told of an errand that brought nothing.
fn refusal(outcome: AuthOutcome) -> Refusal {
    let (code, detail) = match outcome {
        AuthOutcome::Wrong | AuthOutcome::Proven(_) => (
            ErrorCode::AuthFailed,
            "the password is wrong, or the nick is no account",
        ),
        AuthOutcome::AlreadyRegistered => (
            ErrorCode::AlreadyRegistered,
            "your nick is an account already",
        ),
        AuthOutcome::NotRegistered => (ErrorCode::NotRegistered, "your nick is no account"),
        AuthOutcome::Declined(why) => return declined(why),
        AuthOutcome::Failed(error @ DatabaseError::Displaced { .. }) => {
            log_throttled!(
                error,
                "accounts",
                "a change of an account is refused: {error}"
            );
            (
                ErrorCode::NotRecorded,
                "the accounts file was renamed, replaced or deleted: this would not be kept",
            )
        }
        AuthOutcome::Failed(error) => {
            log_throttled!(error, "accounts", "the accounts cannot be used: {error}");
            (ErrorCode::Internal, "the accounts cannot be used now")
        }
        AuthOutcome::Registered(_)
        | AuthOutcome::Changes(_)
        | AuthOutcome::Changed
        | AuthOutcome::Unregistered(_) => (
            ErrorCode::Internal,
            "a login was answered as something else",
        ),
    };
    Refusal::new(code, detail)
}

impl Handler<AuthReply> for Dispatcher {
    type Result = ();

    fn handle(&mut self, AuthReply { session, outcome }: AuthReply, _: &mut Self::Context) {
        if let Some(connection) = self.table.get(session) {
            connection.come_back(outcome, &self.table);
            connection.flush(&self.table);
        }
    }
}
