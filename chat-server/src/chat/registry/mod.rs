//! The rules of the chat: who may have which nick, who is in which channel, who receives what.
//!
//! [`Registry`] is a plain struct without actors, sockets, files, clocks or random sources.
//! [`Registry::handle`] takes a request and the time, and adds the effects to a [`Batch`], in
//! order. Each field owns a part of the state and keeps its indexes consistent; the decisions are
//! methods of the registry.
//!
//! | file | content |
//! | --- | --- |
//! | `types` | types that all files share |
//! | `users`, `sessions` | users who are online, by nick, account and session |
//! | `channels`, `membership` | channels; `join` and `part` |
//! | `accounts`, `account_changes` | protected nicks; registration, passwords, removal |
//! | `login`, `visit_limit` | `hello`; the rate of short visits of a network |
//! | `resume`, `resume_pool` | sessions without a connection, restart |
//! | `rename`, `disconnect` | another nick; the end of a session |
//! | `messages`, `queries` | `say`; `users`, `channels`, `history` |
//! | `changes` | changes of persistent state, and their way back if a batch is refused |
//! | `moderation` | kicks, bans, mutes, channel owners and topics |

mod account_changes;
mod accounts;
mod changes;
mod channels;
mod disconnect;
mod login;
mod membership;
mod messages;
mod moderation;
mod queries;
mod rename;
mod resume;
mod resume_pool;
mod sessions;
#[cfg(test)]
mod tests;
mod types;
mod users;
mod visit_limit;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chat_proto::{ErrorCode, Event, Text, Timestamp, Words};

use super::SessionId;
use super::batch::Batch;
use super::command::{Command, Refusal, Request};
use super::confusables::ConfusableIndex;
use super::dedup::{MessageIdWindow, RecentMessageId};
use super::effect::Effect;
use super::token::Id;
use accounts::Accounts;
use changes::PendingChanges;
use channels::Channels;
use moderation::Moderation;
use resume_pool::ResumePool;
use types::{CommandResult, Departure, UserKey};
use users::Users;
use visit_limit::VisitLimiter;

/// The settings that the rules use; see `ops/server.toml`.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name and version for `welcome`.
    pub server: String,
    pub motd: String,
    pub presence_max: usize,
    pub replay_max: usize,
    pub resume_window: Duration,
    pub channels_per_user: usize,
    /// Announced short visits of one network in a second; 0: no limit.
    pub arrivals_per_second: usize,
    /// The maximum number of sessions without a connection, which equals that of users. Bounds the
    /// memory that repeated visits use.
    pub absent_max: usize,
    /// The size of a batch in bytes of messages.
    pub batch_bytes: usize,
    /// The accounts of operators, by folded nick.
    pub operators: BTreeSet<Arc<str>>,
}

/// The state of the server: each field owns one part of it, and the methods decide.
#[derive(Debug)]
pub struct Registry {
    settings: Settings,
    users: Users,
    channels: Channels,
    accounts: Accounts,
    resume_pool: ResumePool,
    visits: VisitLimiter,
    moderation: Moderation,
    /// The skeletons of the nicks that users have or accounts protect.
    nick_confusables: ConfusableIndex,
    changes: PendingChanges,
    /// Whether persistent state cannot be written. Moderation is rejected meanwhile.
    is_read_only: bool,
    message_ids: MessageIdWindow,
    /// The number of the last message.
    last_seq: u64,
    /// The time of the last request. It never goes back, unlike the system clock.
    now: Timestamp,
}

/// The reason of a disconnect without `quit`.
pub const DISCONNECTED: &str = "disconnected";

impl Registry {
    /// Creates a registry whose history ends with the message `last_seq`; `remembered` are the last
    /// messages with an id, oldest first.
    pub fn new(
        settings: Settings,
        last_seq: u64,
        remembered: impl IntoIterator<Item = RecentMessageId>,
    ) -> Self {
        let mut registry = Self {
            settings,
            users: Users::default(),
            channels: Channels::default(),
            accounts: Accounts::default(),
            resume_pool: ResumePool::default(),
            visits: VisitLimiter::default(),
            moderation: Moderation::default(),
            nick_confusables: ConfusableIndex::default(),
            changes: PendingChanges::default(),
            is_read_only: false,
            message_ids: MessageIdWindow::default(),
            last_seq,
            now: Timestamp::from_millis(0),
        };
        for RecentMessageId { from, id, stamp } in remembered {
            registry.message_ids.remember(from, id, stamp);
        }
        registry
    }

    /// Processes a request of `session` at `now`, whose texts are in `words`.
    pub fn handle(
        &mut self,
        session: SessionId,
        request: Request,
        words: &Words,
        now: Timestamp,
        out: &mut Batch,
    ) {
        self.now = self.now.max(now);
        if !self.moderation.removals.is_empty() && self.disconnect_pending(session, out) {
            return;
        }
        let Request { id, command } = request;
        let is_announced = command.is_announced();
        let outcome = match self.users.at(session) {
            Some(user) => self.handle_command(session, user, id.as_ref(), command, words, out),
            None => self.handle_unauthenticated(session, id.as_ref(), command, out),
        };
        match (outcome, id) {
            (Err(refusal), id) => out.reject(session, id.as_deref(), refusal),
            // An event has no id: the requester gets an ack behind it.
            (Ok(()), Some(id)) if is_announced => out.tell(
                session,
                &Event::Ack {
                    id: id.as_str().into(),
                    seq: None,
                    time: self.now,
                },
            ),
            (Ok(()), _) => {}
        }
    }

    /// Returns [`Settings::batch_bytes`].
    pub fn batch_bytes(&self) -> usize {
        self.settings.batch_bytes
    }

    /// Returns the number of users who are online.
    pub fn users(&self) -> usize {
        self.users.len()
    }

    /// Returns the number of channels.
    pub fn channels(&self) -> usize {
        self.channels.len()
    }

    /// Returns the number of the last message.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Replaces the settings. They apply to absent users as well.
    pub fn configure(&mut self, settings: Settings, now: Timestamp) {
        self.now = self.now.max(now);
        self.settings = settings;
        self.expire();
        self.log_unregistered_operators();
    }

    /// Ends the sanctions that have expired at `now`.
    pub fn tick(&mut self, now: Timestamp, out: &mut Batch) {
        self.now = self.now.max(now);
        self.expire_sanctions(out);
    }

    /// Ends the session of a closed connection. Repeating it has no effect.
    pub fn leave(&mut self, session: SessionId, reason: &str, now: Timestamp, out: &mut Batch) {
        self.now = self.now.max(now);
        if self.disconnect_pending(session, out) {
            return;
        }
        if let Some(user) = self.users.end_session(session) {
            self.remove_user(user, Departure::voluntary(reason), true, out);
        }
    }

    /// Processes a command before the login.
    fn handle_unauthenticated(
        &mut self,
        session: SessionId,
        id: Option<&Id>,
        command: Command,
        out: &mut Batch,
    ) -> CommandResult {
        match command {
            Command::Hello(hello) => {
                self.disconnect_pending_holder(hello.nick.as_ref(), out);
                self.hello(session, id, *hello, out)
            }
            Command::Disconnect { reason } => {
                self.say_goodbye(session, None, reason, out);
                Ok(())
            }
            Command::InputClosed => {
                out.push(Effect::Close { session });
                Ok(())
            }
            Command::Reject(refusal) => Err(refusal),
            _ => Err(Refusal::new(ErrorCode::HelloRequired, "send hello first")),
        }
    }

    fn handle_command(
        &mut self,
        session: SessionId,
        user: UserKey,
        id: Option<&Id>,
        command: Command,
        words: &Words,
        out: &mut Batch,
    ) -> CommandResult {
        match command {
            Command::Hello(_) => Err(Refusal::new(
                ErrorCode::BadRequest,
                "hello was sent already",
            )),
            Command::Say(say) => self.say(session, user, id, &say, words, out),
            Command::Join { channel } => self.join(session, user, &channel, out),
            Command::Part { channel, reason } => self.part(user, &channel, reason, out),
            Command::Users {
                channel,
                after,
                limit,
            } => self.page_of_users(session, id, &channel, after, limit, out),
            Command::Channels => self.list_channels(session, id, out),
            Command::History {
                with,
                before,
                after,
                limit,
            } => {
                let page = self.page_of_history(user, &with, before, after, limit, id.cloned())?;
                out.push(Effect::History {
                    to: session,
                    page: Box::new(page),
                });
                Ok(())
            }
            Command::Nick { nick } => self.rename(session, user, nick, out),
            Command::Account => {
                self.send_auth_context(session, user, id.cloned(), out);
                Ok(())
            }
            Command::Moderate(act) => self.moderate(session, user, id, *act, out),
            Command::Ping => {
                let id = id.map(|id| id.as_str().into());
                out.tell(session, &Event::Pong { id });
                Ok(())
            }
            Command::Pong => Ok(()),
            Command::Quit { reason } => {
                let reason = self.unless_muted(user, reason);
                let reason = reason.as_ref().map_or("quit", Text::as_str);
                self.quit(session, user, id, reason, out);
                Ok(())
            }
            Command::InputClosed => {
                self.leave(session, DISCONNECTED, self.now, out);
                out.push(Effect::Close { session });
                Ok(())
            }
            Command::Reject(refusal) | Command::RejectBeforeHello(refusal) => Err(refusal),
            Command::Disconnect { reason } => {
                self.leave(session, reason, self.now, out);
                self.say_goodbye(session, None, reason, out);
                Ok(())
            }
        }
    }

    fn quit(
        &mut self,
        session: SessionId,
        user: UserKey,
        id: Option<&Id>,
        reason: &str,
        out: &mut Batch,
    ) {
        self.users.end_session(session);
        self.remove_user(user, Departure::voluntary(reason), false, out);
        self.say_goodbye(session, id, reason, out);
    }

    fn say_goodbye(&self, session: SessionId, id: Option<&Id>, reason: &str, out: &mut Batch) {
        out.tell(
            session,
            &Event::Bye {
                reason: reason.into(),
                id: id.map(|id| id.as_str().into()),
            },
        );
        out.push(Effect::Close { session });
    }
}
