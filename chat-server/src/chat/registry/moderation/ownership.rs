//! Who has founded a channel, and what it is about.
//!
//! A channel that an account founds is its own, also while nobody is in it and over a restart. Who has no
//! account is the founder as long as they are in it.

use std::sync::Arc;

use chat_proto::{Channel, ErrorCode, Event, Text};

use crate::chat::accounts::AccountId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::moderation::{Charter, LOG, Scope, Topic};
use crate::chat::registry::Registry;
use crate::chat::registry::types::{LOBBY, Outcome, UserKey};
use crate::chat::state_change::{KeptChange, Ruling};
use crate::chat::token::Digest;
use crate::chat::{ChannelKey, Map, SessionId};
use crate::logging::Quoted;

/// Channels that one account may have for good; a further one takes the place of one that is empty and
/// has neither topic nor bans, or is its founder's only while it exists.
pub(in crate::chat::registry) const FOUNDED_MAX: usize = 20;

/// Channels of all accounts together: some 20 MB.
const CHARTERS_MAX: usize = 100_000;

/// What is known of a channel beside who is in it.
#[derive(Debug)]
struct State {
    channel: Channel,
    founder: Founder,
    topic: Option<Topic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Founder {
    Account(AccountId),
    /// Whoever has that token, while they are in it.
    Person(Digest),
    Nobody,
}

impl State {
    /// Whether it outlives the channel and the process.
    fn lasts(&self) -> bool {
        matches!(self.founder, Founder::Account(_)) || self.channel.folded() == chat_proto::LOBBY
    }

    fn charter(&self) -> Charter {
        Charter {
            channel: self.channel.clone(),
            founder: match self.founder {
                Founder::Account(id) => Some(id),
                Founder::Person(_) | Founder::Nobody => None,
            },
            topic: self.topic.clone(),
        }
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct Founders {
    /// By folded name.
    states: Map<Arc<str>, State>,
    /// What accounts have founded, the first first.
    founded: Map<AccountId, Vec<Arc<str>>>,
}

impl Founders {
    fn insert(&mut self, state: State) {
        if let Founder::Account(id) = state.founder {
            self.founded
                .entry(id)
                .or_default()
                .push(state.channel.folded_arc());
        }
        self.states.insert(state.channel.folded_arc(), state);
    }

    fn remove(&mut self, folded: &str) -> Option<State> {
        let state = self.states.remove(folded)?;
        if let Founder::Account(id) = state.founder
            && let Some(founded) = self.founded.get_mut(&id)
        {
            founded.retain(|other| **other != *folded);
            if founded.is_empty() {
                self.founded.remove(&id);
            }
        }
        Some(state)
    }

    pub(in crate::chat::registry) fn topic(&self, folded: &str) -> Option<&Topic> {
        self.states.get(folded)?.topic.as_ref()
    }

    /// Whether what is decided in a channel outlives it.
    pub(in crate::chat::registry) fn lasts(&self, folded: &str) -> bool {
        self.states.get(folded).is_some_and(State::lasts)
    }
}

impl Registry {
    /// A channel as it was before the server was started. Called before anything else happens.
    pub fn restore_charter(&mut self, charter: Charter) {
        let Charter {
            channel,
            founder,
            topic,
        } = charter;
        self.moderation.ownership.insert(State {
            channel,
            founder: founder.map_or(Founder::Nobody, Founder::Account),
            topic,
        });
    }

    /// Whether somebody has founded a channel, and has not lost it.
    pub(in crate::chat::registry) fn is_founder(&self, user: UserKey, room: ChannelKey) -> bool {
        let channel = self.channels.name(room).folded();
        match self
            .moderation
            .ownership
            .states
            .get(channel)
            .map(|state| state.founder)
        {
            Some(Founder::Account(id)) => self.users[user].account == Some(id),
            Some(Founder::Person(digest)) => {
                self.users[user].is_in(room) && self.users[user].token.digest() == digest
            }
            Some(Founder::Nobody) | None => false,
        }
    }

    /// Somebody has entered a channel that did not exist.
    pub(in crate::chat::registry) fn found(&mut self, user: UserKey, room: ChannelKey) {
        let channel = self.channels.name(room).clone();
        if self
            .moderation
            .ownership
            .states
            .contains_key(channel.folded())
        {
            return;
        }
        let account = self.users[user].account;
        let account = account
            .filter(|&id| self.accounts.exists(id))
            .filter(|&id| self.has_room_for_charter(id));
        let founder = match account {
            Some(id) => Founder::Account(id),
            None => Founder::Person(self.users[user].token.digest()),
        };
        self.moderation.ownership.insert(State {
            channel: channel.clone(),
            founder,
            topic: None,
        });
        self.keep_charter(channel.folded());
    }

    /// Whether an account may have one more channel for good; gives up one that it has no use for.
    fn has_room_for_charter(&mut self, id: AccountId) -> bool {
        if self.moderation.ownership.states.len() >= CHARTERS_MAX {
            return false;
        }
        let Some(founded) = self.moderation.ownership.founded.get(&id) else {
            return true;
        };
        if founded.len() < FOUNDED_MAX {
            return true;
        }
        let unused = founded.iter().find(|&channel| {
            let state = &self.moderation.ownership.states[channel];
            let scope = Scope::Channel(state.channel.clone());
            self.channels.get(channel).is_none()
                && state.topic.is_none()
                && self.moderation.sanctions.count(&scope) == 0
        });
        let Some(unused) = unused.cloned() else {
            return false;
        };
        self.drop_charter(&unused);
        true
    }

    /// The last one has left a channel: what was not for good ends.
    pub(in crate::chat::registry) fn channel_ended(&mut self, channel: &Channel) {
        if !self.moderation.ownership.lasts(channel.folded()) {
            self.moderation.ownership.remove(channel.folded());
            self.lift_all(channel, false);
        }
    }

    /// Somebody is no longer in a channel.
    pub(in crate::chat::registry) fn founder_left(&mut self, user: UserKey, room: ChannelKey) {
        let channel = self.channels.name(room).folded();
        if let Some(state) = self.moderation.ownership.states.get_mut(channel)
            && let Founder::Person(digest) = state.founder
            && digest == self.users[user].token.digest()
        {
            state.founder = Founder::Nobody;
        }
    }

    /// Keeps a user, whose token was `before`, the founder of the channels that the user is in.
    pub(in crate::chat::registry) fn move_founder(&mut self, user: UserKey, before: Digest) {
        let now = self.users[user].token.digest();
        for &room in &self.users[user].channels {
            let channel = self.channels.name(room).folded();
            if let Some(state) = self.moderation.ownership.states.get_mut(channel)
                && state.founder == Founder::Person(before)
            {
                state.founder = Founder::Person(now);
            }
        }
    }

    /// Somebody is an account now: what they have founded is so for good.
    pub(in crate::chat::registry) fn founder_registered(&mut self, user: UserKey, id: AccountId) {
        let digest = self.users[user].token.digest();
        let channels = self.users[user].channels.iter();
        let names: Vec<Arc<str>> = channels
            .map(|&room| self.channels.name(room).folded_arc())
            .collect();
        for name in names {
            let founder = self
                .moderation
                .ownership
                .states
                .get(&name)
                .map(|state| state.founder);
            if founder == Some(Founder::Person(digest))
                && self.has_room_for_charter(id)
                && let Some(state) = self.moderation.ownership.remove(&name)
            {
                let channel = state.channel.clone();
                self.moderation.ownership.insert(State {
                    founder: Founder::Account(id),
                    ..state
                });
                self.keep_charter(&name);
                self.keep_all(&channel);
            }
        }
    }

    /// An account is no more: its channels are nobody's, and only as long as they exist.
    pub(in crate::chat::registry) fn founder_unregistered(&mut self, id: AccountId) {
        for name in self
            .moderation
            .ownership
            .founded
            .remove(&id)
            .unwrap_or_default()
        {
            let Some(state) = self.moderation.ownership.states.get_mut(&name) else {
                continue;
            };
            state.founder = Founder::Nobody;
            let channel = state.channel.clone();
            self.changes.forget_channel(name);
            self.lift_all(&channel, true);
            if self.channels.get(channel.folded()).is_none() {
                self.moderation.ownership.remove(channel.folded());
            }
        }
    }

    fn drop_charter(&mut self, folded: &Arc<str>) {
        self.moderation.ownership.remove(folded);
        self.changes.forget_channel(folded.clone());
    }

    fn keep_charter(&mut self, folded: &str) {
        if let Some(state) = self.moderation.ownership.states.get(folded)
            && state.lasts()
        {
            let change = KeptChange::Chartered(Box::new(state.charter()));
            self.changes
                .queue(Ruling::Charter(state.channel.folded_arc()), change);
        }
    }

    /// What a channel is about, or that it is about nothing any more.
    pub(in crate::chat::registry) fn set_topic(
        &mut self,
        session: SessionId,
        user: UserKey,
        channel: &str,
        topic: Option<Text>,
        out: &mut Batch,
    ) -> Outcome {
        let room = self.channels.find(channel)?;
        if !self.is_operator(user) && !self.is_founder(user, room) {
            let who = if room == LOBBY {
                "an operator sets the topic of #lobby"
            } else {
                "an operator or the founder of a channel sets its topic"
            };
            return Err(Refusal::new(ErrorCode::NotPermitted, who));
        }
        self.check_mute(user, None)?;
        let channel = self.channels.name(room).clone();
        let nick = self.users[user].nick.as_str();
        let shown = Quoted::text(channel.as_str());
        log::info!(target: LOG, "{nick} sets the topic of {shown}");
        let set = Topic {
            text: topic.map_or("".into(), |topic| topic.as_str().into()),
            by: nick.into(),
            set: self.now,
        };
        let event = told(&channel, &set);
        out.tell_channel(room, &event);
        if !self.users[user].is_in(room) {
            out.tell(session, &event);
        }
        let state = self.moderation.ownership.states.entry(channel.folded_arc());
        let state = state.or_insert_with(|| State {
            channel: channel.clone(),
            founder: Founder::Nobody,
            topic: None,
        });
        state.topic = Some(set).filter(|topic| !topic.text.is_empty());
        self.keep_charter(channel.folded());
        Ok(())
    }

    /// Tells somebody who has entered a channel what it is about.
    pub(in crate::chat::registry) fn tell_topic(
        &self,
        session: SessionId,
        room: ChannelKey,
        out: &mut Batch,
    ) {
        let channel = self.channels.name(room);
        if let Some(topic) = self.moderation.ownership.topic(channel.folded()) {
            out.tell(session, &told(channel, topic));
        }
    }
}

fn told<'a>(channel: &'a Channel, topic: &'a Topic) -> Event<'a> {
    Event::Topic {
        channel: channel.as_str().into(),
        topic: (&*topic.text).into(),
        by: Some((&*topic.by).into()),
        time: topic.set,
    }
}
