//! Who may put whom out, and keep them out: operators everywhere, founders in their channels (protocol,
//! 10. Moderation). What a ban means stands in `bans`, what a mute means in `mutes`; `verdicts` makes either
//! hold, and ends it.

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
use crate::chat::registry::types::{Departure, LOBBY, Outcome, UserKey, lookup};
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
    /// The users who are still to be disconnected.
    pub(in crate::chat::registry) removals: PendingRemovals,
}

/// Somebody who asks for something that only some may do.
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
    ) -> Outcome {
        self.expire_sanctions(out);
        if self.is_read_only && act.changes_state() {
            let detail =
                "the accounts file was renamed, replaced or deleted: this would not be kept";
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
            ModerationCommand::Ban(mut sentence) => {
                sentence.reason = self.unless_muted(user, sentence.reason);
                self.ban(moderator, &sentence, out)
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

    /// Whether somebody is an account that the configuration names as an operator, under any nick.
    pub(in crate::chat::registry) fn is_operator(&self, user: UserKey) -> bool {
        let account = self.users[user].account;
        account.is_some_and(|id| {
            self.accounts.exists(id) && self.names_operator(self.accounts.nick_of(id))
        })
    }

    /// Says which of the operators are not registered: whoever does that is one.
    pub fn log_unregistered_operators(&self) {
        let operators = self.settings.operators.iter();
        for nick in operators.filter(|nick| !self.accounts.protects(nick)) {
            log::warn!(target: LOG, "operators: {nick} is no account yet: whoever registers it is one");
        }
    }

    /// Whether the configuration names the account of a folded nick.
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

    /// The channel that an act is about; none for the whole server. Whoever asks may do it there.
    pub(in crate::chat::registry) fn authorize(
        &self,
        moderator: Moderator,
        channel: Option<&str>,
    ) -> Result<Option<ChannelKey>, Refusal> {
        let room = channel.map_or(Ok(LOBBY), |channel| self.channels.find(channel))?;
        if moderator.operator || (room != LOBBY && self.is_owner(moderator.user, room)) {
            return Ok(Some(room).filter(|&room| room != LOBBY));
        }
        Err(not_permitted(if room == LOBBY {
            "this is for operators"
        } else {
            "this is for operators and for the founder of the channel"
        }))
    }

    pub(in crate::chat::registry) fn find_user(&self, nick: &str) -> Result<UserKey, Refusal> {
        self.users
            .find(&lookup(nick))
            .ok_or_else(|| Refusal::new(ErrorCode::NoSuchUser, "nobody of that nick is here"))
    }

    /// Nobody puts out themselves by a slip, nor an operator without being one.
    fn can_remove(&self, moderator: Moderator, other: UserKey) -> Outcome {
        if moderator.user == other {
            return Err(not_permitted(
                "that is you; part leaves a channel, quit the server",
            ));
        }
        if !moderator.operator && self.is_operator(other) {
            return Err(not_permitted("that is an operator"));
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
    ) -> Outcome {
        let room = self.authorize(moderator, channel)?;
        let other = self.find_user(nick)?;
        self.can_remove(moderator, other)?;
        let by = self.users[moderator.user].nick.clone();
        let why = reason.map(Text::as_str);
        let nick = &self.users[other].nick;
        let Some(room) = room else {
            let words = Quoted::text(why.unwrap_or_default());
            log::info!(target: LOG, "{by} kicks {nick}: {words}");
            let detail = format!("{by} has put you out{}", with_reason(why));
            let refusal = Refusal::new(ErrorCode::Kicked, detail);
            let parting = Departure {
                reason: why.unwrap_or("kicked"),
                by: Some(by.as_str()),
                notify: Some(moderator.session),
            };
            self.disconnect_user(other, refusal, parting, out);
            return Ok(());
        };
        let channel = self.channels.name(room);
        if !self.users[other].is_in(room) {
            let detail = format!("{nick} is not in {channel}");
            return Err(Refusal::new(ErrorCode::NotInChannel, detail));
        }
        let words = Quoted::text(why.unwrap_or_default());
        let from = Quoted::text(channel.as_str());
        log::info!(target: LOG, "{by} kicks {nick} from {from}: {words}");
        let parting = Departure {
            reason: why.unwrap_or("kicked"),
            by: Some(by.as_str()),
            notify: Some(moderator.session),
        };
        self.remove_from_channel(other, room, parting, out);
        Ok(())
    }

    /// Ends somebody's connection, and their token.
    pub(in crate::chat::registry) fn disconnect_user(
        &mut self,
        user: UserKey,
        refusal: Refusal,
        parting: Departure<'_>,
        out: &mut Batch,
    ) {
        let session = self.users[user].session;
        self.users.end_session(session);
        self.remove_user(user, parting, false, out);
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
