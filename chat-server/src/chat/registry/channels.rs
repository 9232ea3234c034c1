//! Channels: who is in them, how large they are, who of them is told of whom.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::{Channel, ChannelInfo, ErrorCode, Event, Text};

use super::departure::Parting;
use super::user::{User, UserKey};
use super::{LOBBY, Outcome, Registry, lookup};
use crate::chat::batch::{Batch, Effect};
use crate::chat::command::Refusal;
use crate::chat::lookalike::is_mixed;
use crate::chat::{ChannelKey, SessionId};

/// A channel that exists.
#[derive(Debug)]
pub(super) struct Room {
    pub channel: Channel,
    /// Who is in it, by folded nick: the order of `users`.
    pub members: BTreeMap<Arc<str>, UserKey>,
}

/// How channels are ranked: the largest first, of equals `#lobby` first, then by folded name.
pub(super) type SizeRank = (Reverse<usize>, bool, Arc<str>);

impl Room {
    fn rank(&self) -> SizeRank {
        let name = self.channel.folded_arc();
        (
            Reverse(self.members.len()),
            &*name != chat_proto::LOBBY,
            name,
        )
    }
}

impl Registry {
    /// The channel of that name, made if it did not exist. Whoever calls puts somebody into it.
    pub(super) fn room(&mut self, channel: &Channel) -> ChannelKey {
        if let Some(&room) = self.by_channel.get(channel.folded()) {
            return room;
        }
        let room = Room {
            channel: channel.clone(),
            members: BTreeMap::new(),
        };
        self.by_size.insert(room.rank());
        let key = ChannelKey::try_from(self.rooms.insert(room))
            .expect("memory ends before 2^32 channels");
        self.by_channel.insert(channel.folded_arc(), key);
        self.channel_looks
            .add(channel.as_str(), &channel.folded_arc());
        key
    }

    /// Whether a channel that is new tells which it is.
    fn check_channel(&self, channel: &Channel) -> Outcome {
        let (given, folded) = (channel.as_str(), channel.folded());
        let detail = if is_mixed(given, folded) {
            "a channel has letters of one script, so that nobody takes it for another".into()
        } else if self.channel_looks.deceives(given, folded) {
            Cow::Owned(format!("{channel} looks like another channel that exists"))
        } else {
            return Ok(());
        };
        Err(Refusal::new(ErrorCode::ChannelInvalid, detail))
    }

    /// The channel that `name` means.
    pub(super) fn find_channel(&self, name: &str) -> Result<ChannelKey, Refusal> {
        // Most is said there: folding and looking up took 2 % of the server's time in a channel of 10.
        if name == chat_proto::LOBBY {
            return Ok(LOBBY);
        }
        if let Some(&room) = self.by_channel.get(&*lookup(name)) {
            return Ok(room);
        }
        Err(match Channel::new(name) {
            Ok(channel) => Refusal::new(
                ErrorCode::NoSuchChannel,
                format!("there is no channel {channel}"),
            ),
            Err(error) => Refusal::new(ErrorCode::ChannelInvalid, error.to_string()),
        })
    }

    pub(super) fn is_member(&self, user: UserKey, room: ChannelKey) -> bool {
        room == LOBBY || self.users[user].channels.contains(&room)
    }

    pub(super) fn join(
        &mut self,
        session: SessionId,
        user: UserKey,
        channel: &Channel,
        out: &mut Batch,
    ) -> Outcome {
        let known = self.by_channel.get(channel.folded()).copied();
        if let Some(room) = known.filter(|&room| self.is_member(user, room)) {
            // Already in: who asked gets the answer, the others have heard it.
            let channel = self.rooms[room as usize].channel.as_str();
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
            let detail = format!("you are in {max} channels, which is the most");
            return Err(Refusal::new(ErrorCode::TooManyChannels, detail));
        }
        self.check_entry(user, channel)?;
        if known.is_none() {
            self.check_channel(channel)?;
        }
        let (room, joined) = self.enter_or_found(user, channel, out);
        self.keep(user);
        out.push(Effect::Subscribe {
            session,
            channel: room,
        });
        out.tell(session, &joined);
        self.tell_topic(session, room, out);
        Ok(())
    }

    /// Makes `user` a member of the channel, which is theirs if there was none.
    pub(super) fn enter_or_found(
        &mut self,
        user: UserKey,
        channel: &Channel,
        out: &mut Batch,
    ) -> (ChannelKey, Event<'static>) {
        let is_new = !self.by_channel.contains_key(channel.folded());
        let room = self.room(channel);
        let joined = self.enter(user, room, out);
        if is_new {
            self.found(user, room);
        }
        (room, joined)
    }

    /// Makes `user` a member and tells those who are one already. Returns what the user may be told.
    pub(super) fn enter(
        &mut self,
        user: UserKey,
        key: ChannelKey,
        out: &mut Batch,
    ) -> Event<'static> {
        let nick = self.users[user].nick.clone();
        let room = &mut self.rooms[key as usize];
        let joined = Event::Joined {
            channel: room.channel.to_string().into(),
            nick: nick.to_string().into(),
            time: self.now,
        };
        self.by_size.remove(&room.rank());
        room.members.insert(nick.folded_arc(), user);
        self.by_size.insert(room.rank());
        if room.members.len() > 1 && room.members.len() <= self.settings.presence_max {
            out.tell_channel(key, &joined);
        }
        if key != LOBBY {
            self.users[user].channels.push(key);
        }
        joined
    }

    pub(super) fn part(
        &mut self,
        user: UserKey,
        channel: &str,
        reason: Option<Text>,
        out: &mut Batch,
    ) -> Outcome {
        let key = self.find_channel(channel)?;
        if key == LOBBY {
            return Err(Refusal::new(
                ErrorCode::ChannelInvalid,
                "everyone is in #lobby, nobody leaves it",
            ));
        }
        if !self.is_member(user, key) {
            return Err(self.not_in(key));
        }
        let reason = self.audible(user, reason);
        let reason = reason.as_ref().map(Text::as_str).unwrap_or_default();
        self.put_out(user, key, Parting::of(reason), out);
        Ok(())
    }

    /// Takes a member out of a channel that is not the lobby.
    pub(super) fn put_out(
        &mut self,
        user: UserKey,
        key: ChannelKey,
        parting: Parting<'_>,
        out: &mut Batch,
    ) {
        let Parting {
            reason,
            by,
            witness,
        } = parting;
        let room = &self.rooms[key as usize];
        let User { session, nick, .. } = &self.users[user];
        let (session, folded) = (*session, nick.folded_arc());
        let left = Event::Left {
            channel: room.channel.as_str().into(),
            nick: nick.as_str().into(),
            time: self.now,
            reason: Some(reason.into()).filter(|_| !reason.is_empty()),
            by: by.map(Into::into),
        };
        let in_a_crowd = room.members.len() > self.settings.presence_max;
        if in_a_crowd {
            out.tell(session, &left);
        } else {
            out.tell_channel(key, &left);
        }
        let hears = |witness: &SessionId| {
            let witness = self.seats.get(*witness);
            !in_a_crowd && witness.is_some_and(|witness| self.is_member(witness, key))
        };
        if let Some(witness) = witness.filter(|witness| !hears(witness)) {
            out.tell(witness, &left);
        }
        out.push(Effect::Unsubscribe {
            session,
            channel: key,
        });
        self.founder_left(user, key);
        self.users[user].channels.retain(|&room| room != key);
        self.remove_member(key, &folded);
        self.keep(user);
    }

    pub(super) fn not_in(&self, key: ChannelKey) -> Refusal {
        let channel = &self.rooms[key as usize].channel;
        Refusal::new(ErrorCode::NotInChannel, format!("you are not in {channel}"))
    }

    /// Takes somebody out of a channel; but for the lobby, the last one ends it.
    pub(super) fn remove_member(&mut self, key: ChannelKey, folded_nick: &str) {
        let room = &mut self.rooms[key as usize];
        self.by_size.remove(&room.rank());
        room.members.remove(folded_nick);
        if room.members.is_empty() && key != LOBBY {
            let room = self.rooms.remove(key as usize);
            self.by_channel.remove(room.channel.folded());
            self.channel_looks
                .remove(room.channel.as_str(), &room.channel.folded_arc());
            self.channel_ended(&room.channel);
        } else {
            self.by_size.insert(room.rank());
        }
    }

    /// The channels, the largest first.
    pub(super) fn largest_channels(&self) -> impl Iterator<Item = (&str, ChannelInfo<'static>)> {
        self.by_size.iter().map(|(Reverse(users), _, name)| {
            let room = &self.rooms[self.by_channel[name] as usize];
            let info = ChannelInfo {
                name: room.channel.to_string().into(),
                users: *users,
                topic: None,
            };
            (&**name, info)
        })
    }

    /// Tells everyone who shares a channel with `user` (themselves not), and a witness, once each. A crowd
    /// is not told: cost grows with the people, not with their square.
    pub(super) fn tell_acquaintances(
        &self,
        user: UserKey,
        event: &Event<'_>,
        witness: Option<SessionId>,
        out: &mut Batch,
    ) {
        let mut told = Acquaintances::new(self.users.capacity(), user);
        let channels = &self.users[user].channels;
        let rooms = std::iter::once(&LOBBY).chain(channels);
        let mut sessions: Vec<SessionId> = Vec::new();
        for &room in rooms {
            let members = &self.rooms[room as usize].members;
            if members.len() > self.settings.presence_max {
                continue;
            }
            let others = members.values().filter(|&&other| told.add(other));
            sessions.extend(others.map(|&other| self.users[other].session));
            if sessions.len() + 1 == self.users.len() {
                break;
            }
        }
        sessions.extend(witness);
        sessions.sort_unstable();
        sessions.dedup();
        if !sessions.is_empty() {
            out.tell_each(sessions.into(), event);
        }
    }
}

/// The users who are told something once, however many channels they share: sorting each channel's
/// members took longer than to tell them.
struct Acquaintances {
    /// A bit for each place of a user.
    bits: Vec<u64>,
}

impl Acquaintances {
    /// Has room for `places`; `user` counts as told.
    fn new(places: usize, user: UserKey) -> Self {
        let mut told = Self {
            bits: vec![0; places.div_ceil(64)],
        };
        told.add(user);
        told
    }

    /// Returns whether a user is told for the first time.
    fn add(&mut self, user: UserKey) -> bool {
        let (word, bit) = (&mut self.bits[user / 64], 1 << (user % 64));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}
