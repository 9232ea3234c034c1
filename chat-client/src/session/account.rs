//! Passwords, from a hidden prompt or the password file, and the requests that need them.

use actix::Context;
use chat_proto::{ErrorCode, Event, PASSWORD_BYTES, Request, Secret};

use super::pending_queries::PendingQuery;
use super::pending_requests::CompletionRule;
use super::{Asked, Phase, Session};
use crate::prompt::PromptKind;
use crate::text::escape::word;
use crate::tui::event::SessionEvent;

/// What a password is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PasswordAction {
    /// To come in under a protected nick.
    Login,
    /// `/register`
    Register,
    /// `/password`
    Change,
    /// `/unregister`
    Unregister,
}

impl PasswordAction {
    /// What is asked, one behind the other.
    fn prompts(self) -> &'static [&'static str] {
        match self {
            PasswordAction::Login | PasswordAction::Unregister => &["Password: "],
            PasswordAction::Register => &["New password: ", "Once more: "],
            PasswordAction::Change => &["Password until now: ", "New password: ", "Once more: "],
        }
    }
}

/// What a `hello` is said with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The token, or nothing.
    None,
    /// The password.
    Password,
    /// Nothing, as the password was for no account.
    Without,
}

/// Passwords that were typed so far.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PasswordPrompt {
    action: PasswordAction,
    given: Vec<Secret<'static>>,
    /// The last line was empty.
    empty: bool,
}

impl Session {
    /// `/register`, `/password` and `/unregister`: a person is asked, a pipe has its file.
    pub(super) fn account(&mut self, action: PasswordAction, ctx: &mut Context<Self>) {
        if self.person {
            return self.ask_password(action, Vec::new());
        }
        let mut given: Vec<Secret<'static>> = self.options.passwords.clone();
        let wanted = action.prompts().len().min(2);
        if action == PasswordAction::Register {
            given.truncate(1);
            given.extend(given.first().cloned());
        } else if action == PasswordAction::Change {
            given.truncate(2);
            given.extend(given.get(1).cloned());
        }
        if given.len() < wanted {
            let lines = if action == PasswordAction::Change {
                "two lines, the password until now and the new one"
            } else {
                "a line, the password"
            };
            let detail = format!("in a pipe it comes from --password-file: {lines}");
            return self.refused("password_missing", &detail);
        }
        self.carry_out(action, given, ctx);
    }

    /// Asks for the next password.
    pub(super) fn ask_password(&mut self, action: PasswordAction, given: Vec<Secret<'static>>) {
        let prompt = action.prompts()[given.len()].to_owned();
        self.asked = Asked::Password(PasswordPrompt {
            action,
            given,
            empty: false,
        });
        self.ask_person(prompt, PromptKind::Password);
    }

    /// Ends the question for a password without a request.
    pub(super) fn cancel_password(&mut self, asking: &PasswordPrompt) {
        if asking.action == PasswordAction::Login {
            return self.ask_nickname();
        }
        self.show_notice("no password was given, and nothing was sent");
        self.transcript.tell(|| SessionEvent::Answered);
    }

    /// Asks for a new password once more, behind the reason.
    fn ask_password_again(
        &mut self,
        action: PasswordAction,
        given: Vec<Secret<'static>>,
        why: &str,
    ) {
        self.refused("password_invalid", why);
        if self.person {
            self.ask_password(action, given);
        }
    }

    /// A password was typed. An empty line is asked about once more where a new password is wanted,
    /// and cancels otherwise.
    pub(super) fn password(
        &mut self,
        asking: PasswordPrompt,
        typed: &str,
        ctx: &mut Context<Self>,
    ) {
        let is_new = matches!(
            asking.action,
            PasswordAction::Register | PasswordAction::Change
        );
        if typed.is_empty() && (!is_new || asking.empty) {
            return self.cancel_password(&asking);
        }
        let PasswordPrompt {
            action, mut given, ..
        } = asking;
        if typed.is_empty() {
            self.show_notice("a password is not empty; Esc, or Enter once more, cancels");
            self.ask_password(action, given);
            if let Asked::Password(asking) = &mut self.asked {
                asking.empty = true;
            }
            return;
        }
        given.push(Secret::from(typed.to_owned()));
        if given.len() < action.prompts().len() {
            return self.ask_password(action, given);
        }
        if action == PasswordAction::Login {
            self.options.passwords = given;
            self.password_typed = true;
            return self.greet_or_connect(ctx);
        }
        self.carry_out(action, given, ctx);
    }

    fn carry_out(
        &mut self,
        action: PasswordAction,
        mut given: Vec<Secret<'static>>,
        ctx: &mut Context<Self>,
    ) {
        if matches!(action, PasswordAction::Register | PasswordAction::Change) {
            let again = given.pop();
            if again.as_ref() != given.last() {
                given.truncate(usize::from(action == PasswordAction::Change));
                let why = "the two are not the same; nothing was sent";
                return self.ask_password_again(action, given, why);
            }
            let bytes = again.map_or(0, |password| password.reveal().len());
            if !PASSWORD_BYTES.contains(&bytes) {
                let (min, max) = (PASSWORD_BYTES.start(), PASSWORD_BYTES.end());
                let detail = format!("a password has {min} to {max} bytes; nothing was sent");
                given.truncate(usize::from(action == PasswordAction::Change));
                return self.ask_password_again(action, given, &detail);
            }
        }
        self.transcript.tell(|| SessionEvent::Answered);
        let keep = match action {
            PasswordAction::Unregister => None,
            _ => given.last().cloned(),
        };
        let first = given.first().cloned().unwrap_or_default();
        let request = match action {
            PasswordAction::Register => Request::Register { password: first },
            PasswordAction::Change => Request::Password {
                old: first,
                new: keep.clone().unwrap_or_default(),
            },
            PasswordAction::Login | PasswordAction::Unregister => {
                Request::Unregister { password: first }
            }
        };
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            self.queries.push_back((id, PendingQuery::Account { keep }));
        }
        self.flush(ctx);
    }

    /// The server has done it.
    pub(super) fn account_changed(&mut self, event: &Event<'_>, ctx: &mut Context<Self>) {
        let notice = match event {
            Event::Registered { nick, token, .. } => {
                if let (Some(identity), Some(token)) = (&mut self.identity, token) {
                    identity.token = token.clone().into_owned();
                }
                format!("{} is protected by your password", word(nick))
            }
            Event::Unregistered { nick, .. } => format!("{} is no longer protected", word(nick)),
            _ => return,
        };
        self.show_notice(&notice);
        let asked = self.answered(|question| matches!(question, PendingQuery::Account { .. }));
        if let Some((id, PendingQuery::Account { keep })) = asked {
            // Should the token be worth nothing some day, this brings one back.
            self.options.passwords = keep.into_iter().collect();
            self.settle_answered(&id, ctx);
        }
    }

    /// Why one is not let in: without the password, because with it one was not either.
    pub(super) fn why<'d>(&self, code: ErrorCode, detail: &'d str) -> &'d str {
        if code == ErrorCode::AuthFailed && self.proof == Proof::Without {
            "the password of the file is not that of the nickname"
        } else {
            detail
        }
    }

    /// The nick that was asked for is protected: the password is sent, or asked for. Whether that
    /// is a way on.
    pub(super) fn prove(&mut self, detail: &str, ctx: &mut Context<Self>) -> bool {
        let next = match self.proof {
            // The token is worth nothing any more.
            Proof::None if !self.options.passwords.is_empty() => Some(Proof::Password),
            // The nick that the file is for may not be an account yet.
            Proof::Password if !self.password_typed && self.identity.is_none() => {
                Some(Proof::Without)
            }
            Proof::None | Proof::Password | Proof::Without => None,
        };
        if let Some(next) = next {
            self.proof = next;
            self.greet(ctx);
            return true;
        }
        if !self.person || self.identity.is_some() {
            return false;
        }
        self.phase = Phase::Naming;
        self.transcript.waiting(None);
        self.transcript.error("auth_failed", detail);
        self.ask_password(PasswordAction::Login, Vec::new());
        true
    }
}
