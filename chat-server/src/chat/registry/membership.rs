//! `join` and `part`, and the announcements to other members.

use chat_proto::{Channel, ErrorCode, Event, Text};

use super::Registry;
use super::types::{CommandResult, Departure, LOBBY, UserKey};
use super::users::User;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::effect::Effect;
use crate::chat::{ChannelKey, SessionId};

impl Registry {
    pub(super) fn join(
        &mut self,
        session: SessionId,
        user: UserKey,
        channel: &Channel,
        out: &mut Batch,
    ) -> CommandResult {
        let known = self.channels.get(channel.folded());
        if let Some(key) = known.filter(|&key| self.users[user].is_in(key)) {
            // The user is a member already. The other members have received the event before.
            let channel = self.channels.name(key).as_str();
            let nick = self.users[user].nick.as_str();
            out.tell(
                session,
                &Event::Joined {
                    channel: channel.into(),
                    nick: nick.into(),
                    time: self.now,
                },
            );
            return Ok(());
        }
        let max = self.settings.channels_per_user;
        if self.users[user].channels.len() >= max {
            let detail = format!("you are in {max} channels, the maximum");
            return Err(Refusal::new(ErrorCode::TooManyChannels, detail));
        }
        self.check_entry(user, channel)?;
        if known.is_none() {
            self.channels.check_name(channel)?;
        }
        let (key, joined) = self.enter_or_create(user, channel, out);
        self.save_user(user);
        out.push(Effect::Subscribe {
            session,
            channel: key,
        });
        out.tell(session, &joined);
        self.send_topic(session, key, out);
        Ok(())
    }

    /// Adds `user` to a channel, which is created and owned by the user if it does not exist.
    pub(super) fn enter_or_create(
        &mut self,
        user: UserKey,
        channel: &Channel,
        out: &mut Batch,
    ) -> (ChannelKey, Event<'static>) {
        let is_new = self.channels.get(channel.folded()).is_none();
        let key = self.channels.get_or_create(channel);
        let joined = self.enter(user, key, out);
        if is_new {
            self.assign_owner(user, key);
        }
        (key, joined)
    }

    /// Adds `user` to a channel and announces it to the other members. Returns the event for the
    /// user.
    pub(super) fn enter(
        &mut self,
        user: UserKey,
        key: ChannelKey,
        out: &mut Batch,
    ) -> Event<'static> {
        let nick = &self.users[user].nick;
        let joined = Event::Joined {
            channel: self.channels.name(key).to_string().into(),
            nick: nick.to_string().into(),
            time: self.now,
        };
        let members = self.channels.add_member(key, nick, user);
        if members > 1 && members <= self.settings.presence_max {
            out.tell_channel(key, &joined);
        }
        self.users.enter(user, key);
        joined
    }

    pub(super) fn part(
        &mut self,
        user: UserKey,
        channel: &str,
        reason: Option<Text>,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.channels.find(channel)?;
        if key == LOBBY {
            return Err(Refusal::new(
                ErrorCode::ChannelInvalid,
                "cannot leave #lobby",
            ));
        }
        if !self.users[user].is_in(key) {
            return Err(self.not_in(key));
        }
        let reason = self.unless_muted(user, reason);
        let reason = reason.as_ref().map(Text::as_str).unwrap_or_default();
        self.remove_from_channel(user, key, Departure::voluntary(reason), out);
        Ok(())
    }

    /// Removes a member from a channel other than the lobby.
    pub(super) fn remove_from_channel(
        &mut self,
        user: UserKey,
        key: ChannelKey,
        departure: Departure<'_>,
        out: &mut Batch,
    ) {
        let Departure { reason, by, notify } = departure;
        let state = &self.channels[key];
        let User { session, nick, .. } = &self.users[user];
        let (session, folded) = (*session, nick.folded_arc());
        let left = Event::Left {
            channel: state.channel.as_str().into(),
            nick: nick.as_str().into(),
            time: self.now,
            reason: Some(reason.into()).filter(|_| !reason.is_empty()),
            by: by.map(Into::into),
        };
        let is_large = state.members.len() > self.settings.presence_max;
        if is_large {
            out.tell(session, &left);
        } else {
            out.tell_channel(key, &left);
        }
        let receives = |notify: &SessionId| {
            let notify = self.users.at(*notify);
            !is_large && notify.is_some_and(|notify| self.users[notify].is_in(key))
        };
        if let Some(notify) = notify.filter(|notify| !receives(notify)) {
            out.tell(notify, &left);
        }
        out.push(Effect::Unsubscribe {
            session,
            channel: key,
        });
        self.owner_left(user, key);
        self.users.leave(user, key);
        self.remove_member(key, &folded);
        self.save_user(user);
    }

    pub(super) fn not_in(&self, key: ChannelKey) -> Refusal {
        let channel = self.channels.name(key);
        Refusal::new(ErrorCode::NotInChannel, format!("you are not in {channel}"))
    }

    /// Removes a member from a channel, which ends if it is empty.
    pub(super) fn remove_member(&mut self, key: ChannelKey, folded_nick: &str) {
        if let Some(ended) = self.channels.remove_member(key, folded_nick) {
            self.channel_ended(&ended);
        }
    }

    /// Sends an event once to each user who shares a small channel with `user`, and to the session
    /// `notify`. Large channels are skipped, because the cost would grow with the square of the
    /// members.
    pub(super) fn notify_peers(
        &self,
        user: UserKey,
        event: &Event<'_>,
        notify: Option<SessionId>,
        out: &mut Batch,
    ) {
        let mut notified = NotifiedUsers::new(self.users.capacity(), user);
        let mut sessions: Vec<SessionId> = Vec::new();
        for key in self.users[user].all_channels() {
            let members = &self.channels[key].members;
            if members.len() > self.settings.presence_max {
                continue;
            }
            let others = members.values().filter(|&&other| notified.add(other));
            sessions.extend(others.map(|&other| self.users[other].session));
            if sessions.len() + 1 == self.users.len() {
                break;
            }
        }
        sessions.extend(notify);
        sessions.sort_unstable();
        sessions.dedup();
        if !sessions.is_empty() {
            out.tell_each(sessions.into(), event);
        }
    }
}

/// The users who have been notified. A bit set is faster than sorting the members of all channels.
struct NotifiedUsers {
    /// A bit for each [`UserKey`].
    bits: Vec<u64>,
}

impl NotifiedUsers {
    /// Creates a set for keys below `places`, which contains `user`.
    fn new(places: usize, user: UserKey) -> Self {
        let mut notified = Self {
            bits: vec![0; places.div_ceil(64)],
        };
        notified.add(user);
        notified
    }

    /// Adds a user, and returns whether the user was not in the set.
    fn add(&mut self, user: UserKey) -> bool {
        let (word, bit) = (&mut self.bits[user / 64], 1 << (user % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
