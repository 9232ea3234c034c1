//! Moderation by operators, and by owners in their channels (protocol, 10. Moderation).

mod bans;
mod lifecycle;
mod mutes;
pub(super) mod ownership;
mod removals;
mod sanctions;
mod text;
mod token_index;

use chat_proto::{ErrorCode, Event, Text};

use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::effect::Effect;
use crate::chat::moderation::{LOG, ModerationCommand};
use crate::chat::registry::Registry;
use crate::chat::registry::types::{CommandResult, Departure, LOBBY, UserKey, lookup};
use crate::chat::token::Id;
use crate::chat::{ChannelKey, SessionId};
use crate::logging::Quoted;
use ownership::Ownership;
use removals::PendingRemovals;
use sanctions::{Sanctions, Subject};
use text::{not_permitted, with_reason};

/// The state of moderation.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct Moderation {
    pub(in crate::chat::registry) sanctions: Sanctions,
    pub(in crate::chat::registry) ownership: Ownership,
    /// Users who are to be disconnected later.
    pub(in crate::chat::registry) removals: PendingRemovals,
}

/// A user who sends a moderation command.
#[derive(Debug, Clone, Copy)]
pub(in crate::chat::registry) struct Moderator {
    pub session: SessionId,
    pub user: UserKey,
    pub operator: bool,
}

impl Registry {
    pub(in crate::chat::registry) fn moderate(
        &mut self,
        session: SessionId,
        user: UserKey,
        id: Option<&Id>,
        act: ModerationCommand,
        out: &mut Batch,
    ) -> CommandResult {
        self.expire_sanctions(out);
        if self.is_read_only && act.changes_state() {
            let detail = "cannot persist this: the accounts file was renamed, replaced or deleted";
            return Err(Refusal::new(ErrorCode::NotRecorded, detail));
        }
        let moderator = Moderator {
            session,
            user,
            operator: self.is_operator(user),
        };
        match act {
            ModerationCommand::Kick {
                nick,
                channel,
                reason,
            } => {
                let reason = self.unless_muted(user, reason);
                self.kick(moderator, &nick, channel.as_deref(), reason.as_ref(), out)
            }
            ModerationCommand::Ban(mut request) => {
                request.reason = self.unless_muted(user, request.reason);
                self.ban(moderator, &request, out)
            }
            ModerationCommand::Unban { target, channel } => {
                self.unban(moderator, target, channel.as_deref(), out)
            }
            ModerationCommand::Bans {
                channel,
                after,
                limit,
            } => self.list_bans(moderator, id, channel.as_deref(), after, limit, out),
            ModerationCommand::Mute {
                nick,
                seconds,
                reason,
            } => {
                let reason = self.unless_muted(user, reason);
                self.mute(moderator, &nick, seconds, reason.as_ref(), out)
            }
            ModerationCommand::Unmute { nick } => self.unmute(moderator, &nick, out),
            ModerationCommand::Topic { channel, topic } => {
                self.set_topic(session, user, &channel, topic, out)
            }
        }
    }

    /// Returns whether a user is an operator, under any nick.
    pub(in crate::chat::registry) fn is_operator(&self, user: UserKey) -> bool {
        let account = self.users[user].account;
        account.is_some_and(|id| {
            self.accounts.exists(id) && self.names_operator(self.accounts.nick_of(id))
        })
    }

    /// Logs the operators that are not registered. A user who registers such a nick is an operator.
    pub fn log_unregistered_operators(&self) {
        let operators = self.settings.operators.iter();
        for nick in operators.filter(|nick| !self.accounts.protects(nick)) {
            log::warn!(target: LOG, "operators: no such account: {nick}; the user who registers it becomes an operator");
        }
    }

    /// Returns whether the settings name the account of a folded nick.
    pub(in crate::chat::registry) fn names_operator(&self, account: Option<&str>) -> bool {
        account.is_some_and(|nick| self.settings.operators.contains(nick))
    }

    pub(in crate::chat::registry) fn subject(&self, key: UserKey) -> Subject<'_> {
        let user = &self.users[key];
        Subject {
            nick: user.nick.folded(),
            account: user.account.and_then(|id| self.accounts.nick_of(id)),
            origin: Some(user.origin),
            user: Some(key),
        }
    }

    /// Returns the channel of a command, or none for the server, if the moderator may use it there.
    pub(in crate::chat::registry) fn authorize(
        &self,
        moderator: Moderator,
        channel: Option<&str>,
    ) -> Result<Option<ChannelKey>, Refusal> {
        let key = channel.map_or(Ok(LOBBY), |channel| self.channels.find(channel))?;
        if moderator.operator || (key != LOBBY && self.is_owner(moderator.user, key)) {
            return Ok(Some(key).filter(|&key| key != LOBBY));
        }
        Err(not_permitted(if key == LOBBY {
            "only operators may do this"
        } else {
            "only operators and the founder of the channel may do this"
        }))
    }

    pub(in crate::chat::registry) fn find_user(&self, nick: &str) -> Result<UserKey, Refusal> {
        self.users
            .find(&lookup(nick))
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchUser, "no user of that nick is online"))
    }

    /// Rejects removing oneself, and removing an operator unless the moderator is one.
    fn can_remove(&self, moderator: Moderator, other: UserKey) -> CommandResult {
        if moderator.user == other {
            return Err(not_permitted(
                "cannot remove yourself; use part to leave a channel, quit to leave the server",
            ));
        }
        if !moderator.operator && self.is_operator(other) {
            return Err(not_permitted("the user is an operator"));
        }
        Ok(())
    }

    fn kick(
        &mut self,
        moderator: Moderator,
        nick: &str,
        channel: Option<&str>,
        reason: Option<&Text>,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.authorize(moderator, channel)?;
        let other = self.find_user(nick)?;
        self.can_remove(moderator, other)?;
        let by = self.users[moderator.user].nick.clone();
        let why = reason.map(Text::as_str);
        let nick = &self.users[other].nick;
        let Some(key) = key else {
            let words = Quoted::text(why.unwrap_or_default());
            log::info!(target: LOG, "{by} kicks {nick}: {words}");
            let detail = format!("you were kicked by {by}{}", with_reason(why));
            let refusal = Refusal::new(ErrorCode::Kicked, detail);
            let departure = Departure {
                reason: why.unwrap_or("kicked"),
                by: Some(by.as_str()),
                notify: Some(moderator.session),
            };
            self.disconnect_user(other, refusal, departure, out);
            return Ok(());
        };
        let channel = self.channels.name(key);
        if !self.users[other].is_in(key) {
            let detail = format!("{nick} is not in {channel}");
            return Err(Refusal::new(ErrorCode::NotInChannel, detail));
        }
        let words = Quoted::text(why.unwrap_or_default());
        let from = Quoted::text(channel.as_str());
        log::info!(target: LOG, "{by} kicks {nick} from {from}: {words}");
        let departure = Departure {
            reason: why.unwrap_or("kicked"),
            by: Some(by.as_str()),
            notify: Some(moderator.session),
        };
        self.remove_from_channel(other, key, departure, out);
        Ok(())
    }

    /// Ends the session of a user, and the token.
    pub(in crate::chat::registry) fn disconnect_user(
        &mut self,
        user: UserKey,
        refusal: Refusal,
        departure: Departure<'_>,
        out: &mut Batch,
    ) {
        let session = self.users[user].session;
        self.users.end_session(session);
        self.remove_user(user, departure, false, out);
        let Refusal { code, detail } = refusal;
        out.tell(
            session,
            &Event::Error {
                code,
                detail,
                id: None,
            },
        );
        out.push(Effect::Close { session });
    }
}
