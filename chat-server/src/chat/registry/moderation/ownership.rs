//! The owners and topics of channels.
//!
//! A user who creates a channel owns it. An account owns it permanently: while the channel is empty
//! and over a restart. A user without an account owns it while they are a member.

use std::sync::Arc;

use chat_proto::{Channel, ErrorCode, Event, Text};

use super::Moderation;
use crate::chat::accounts::AccountId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::moderation::{ChannelRecord, LOG, Scope, Topic};
use crate::chat::registry::Registry;
use crate::chat::registry::types::{CommandResult, LOBBY, UserKey};
use crate::chat::state_change::{ChangeKey, StateChange};
use crate::chat::token::Digest;
use crate::chat::{ChannelKey, Map, SessionId};
use crate::logging::Quoted;

/// Channels that one account may own permanently. A further one replaces one that is empty and has
/// neither topic nor bans; without such a channel it is owned temporarily.
pub(in crate::chat::registry) const OWNED_MAX: usize = 20;

/// Channels that all accounts together may own. Bounds the memory of channels without members.
const OWNED_CHANNELS_MAX: usize = 100_000;

/// A channel that has an owner or a topic.
#[derive(Debug)]
struct OwnedChannel {
    channel: Channel,
    owner: Owner,
    topic: Option<Topic>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    Account(AccountId),
    /// The user with that token, while the user is a member.
    Token(Digest),
    None,
}

impl OwnedChannel {
    /// Returns whether it outlives its members and the process.
    fn is_persistent(&self) -> bool {
        matches!(self.owner, Owner::Account(_)) || self.channel.folded() == chat_proto::LOBBY
    }

    fn record(&self) -> ChannelRecord {
        ChannelRecord {
            channel: self.channel.clone(),
            owner: match self.owner {
                Owner::Account(id) => Some(id),
                Owner::Token(_) | Owner::None => None,
            },
            topic: self.topic.clone(),
        }
    }
}

/// All channels that have an owner or a topic. Each is found by its name and by its account.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct Ownership {
    /// By folded name.
    channels: Map<Arc<str>, OwnedChannel>,
    /// The folded names of the channels that an account owns, in the order of creation.
    by_account: Map<AccountId, Vec<Arc<str>>>,
}

impl Ownership {
    fn insert(&mut self, owned: OwnedChannel) {
        if let Owner::Account(id) = owned.owner {
            self.by_account
                .entry(id)
                .or_default()
                .push(owned.channel.folded_arc());
        }
        self.channels.insert(owned.channel.folded_arc(), owned);
    }

    fn remove(&mut self, folded: &str) -> Option<OwnedChannel> {
        let owned = self.channels.remove(folded)?;
        if let Owner::Account(id) = owned.owner
            && let Some(names) = self.by_account.get_mut(&id)
        {
            names.retain(|other| **other != *folded);
            if names.is_empty() {
                self.by_account.remove(&id);
            }
        }
        Some(owned)
    }

    fn owner(&self, folded: &str) -> Option<Owner> {
        self.channels.get(folded).map(|owned| owned.owner)
    }

    /// Returns the accounts that own channels.
    fn owners(&self) -> impl Iterator<Item = AccountId> + '_ {
        self.by_account.keys().copied()
    }

    fn owned_by(&self, id: AccountId) -> &[Arc<str>] {
        self.by_account.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Replaces a temporary owner.
    fn replace_token(&mut self, folded: &str, before: Digest, owner: Owner) {
        if let Some(owned) = self.channels.get_mut(folded)
            && owned.owner == Owner::Token(before)
        {
            owned.owner = owner;
        }
    }

    /// Takes all channels from an account that has ended, and returns them.
    fn disown(&mut self, id: AccountId) -> Vec<Channel> {
        let names = self.by_account.remove(&id).unwrap_or_default();
        let disowned = names.iter().filter_map(|name| {
            let owned = self.channels.get_mut(name)?;
            owned.owner = Owner::None;
            Some(owned.channel.clone())
        });
        disowned.collect()
    }

    fn set_topic(&mut self, channel: &Channel, topic: Option<Topic>) {
        let owned = self.channels.entry(channel.folded_arc());
        let owned = owned.or_insert_with(|| OwnedChannel {
            channel: channel.clone(),
            owner: Owner::None,
            topic: None,
        });
        owned.topic = topic;
    }

    /// Returns the topic of a channel (folded).
    pub(in crate::chat::registry) fn topic(&self, folded: &str) -> Option<&Topic> {
        self.channels.get(folded)?.topic.as_ref()
    }

    /// Returns whether decisions in a channel outlive its members.
    pub(in crate::chat::registry) fn is_persistent(&self, folded: &str) -> bool {
        let owned = self.channels.get(folded);
        owned.is_some_and(OwnedChannel::is_persistent)
    }
}

impl Registry {
    /// Adds a channel of the process before. Called before the first request.
    pub fn restore_channel(&mut self, record: ChannelRecord) {
        let ChannelRecord {
            channel,
            owner,
            topic,
        } = record;
        self.moderation.ownership.insert(OwnedChannel {
            channel,
            owner: owner.map_or(Owner::None, Owner::Account),
            topic,
        });
    }

    pub(in crate::chat::registry) fn is_owner(&self, user: UserKey, key: ChannelKey) -> bool {
        let channel = self.channels.name(key).folded();
        let user = &self.users[user];
        match self.moderation.ownership.owner(channel) {
            Some(Owner::Account(id)) => user.account == Some(id),
            Some(Owner::Token(digest)) => user.is_in(key) && user.token.digest() == digest,
            Some(Owner::None) | None => false,
        }
    }

    /// Makes a user the owner of a channel that the user has created, unless it has an owner.
    pub(in crate::chat::registry) fn assign_owner(&mut self, user: UserKey, key: ChannelKey) {
        let channel = self.channels.name(key).clone();
        if self.moderation.ownership.owner(channel.folded()).is_some() {
            return;
        }
        let account = self.users[user].account;
        let account = account
            .filter(|&id| self.accounts.exists(id))
            .filter(|&id| self.can_own_another(id));
        let owner = match account {
            Some(id) => Owner::Account(id),
            None => Owner::Token(self.users[user].token.digest()),
        };
        self.moderation.ownership.insert(OwnedChannel {
            channel: channel.clone(),
            owner,
            topic: None,
        });
        self.save_channel_record(channel.folded());
    }

    /// Returns whether an account may own one more channel permanently. Gives up an unused one if
    /// the account owns the maximum.
    fn can_own_another(&mut self, id: AccountId) -> bool {
        let Moderation {
            ownership,
            sanctions,
            ..
        } = &mut self.moderation;
        if ownership.channels.len() >= OWNED_CHANNELS_MAX {
            return false;
        }
        let names = ownership.owned_by(id);
        if names.len() < OWNED_MAX {
            return true;
        }
        let is_unused = |name: &&Arc<str>| {
            let owned = &ownership.channels[*name];
            let scope = Scope::Channel(owned.channel.clone());
            self.channels.get(name).is_none()
                && owned.topic.is_none()
                && sanctions.count(&scope) == 0
        };
        let Some(unused) = names.iter().find(is_unused).cloned() else {
            return false;
        };
        ownership.remove(&unused);
        self.changes.forget_channel(unused);
        true
    }

    /// Forgets a channel that has ended, unless it is persistent.
    pub(in crate::chat::registry) fn channel_ended(&mut self, channel: &Channel) {
        let ownership = &mut self.moderation.ownership;
        if !ownership.is_persistent(channel.folded()) {
            ownership.remove(channel.folded());
            self.remove_sanctions_of(channel, false);
        }
    }

    /// Ends the temporary ownership of a user who leaves a channel.
    pub(in crate::chat::registry) fn owner_left(&mut self, user: UserKey, key: ChannelKey) {
        let channel = self.channels.name(key).folded();
        let ownership = &mut self.moderation.ownership;
        if let Some(Owner::Token(_)) = ownership.owner(channel) {
            let digest = self.users[user].token.digest();
            ownership.replace_token(channel, digest, Owner::None);
        }
    }

    /// Keeps a user, whose token was `before`, the owner of the channels that the user is in.
    pub(in crate::chat::registry) fn move_ownership(&mut self, user: UserKey, before: Digest) {
        let user = &self.users[user];
        let owner = Owner::Token(user.token.digest());
        for &key in &user.channels {
            let channel = self.channels.name(key).folded();
            let ownership = &mut self.moderation.ownership;
            ownership.replace_token(channel, before, owner);
        }
    }

    /// Makes the channels of a user who has registered permanent, as many as one account may own.
    pub(in crate::chat::registry) fn owner_registered(&mut self, user: UserKey, id: AccountId) {
        let digest = self.users[user].token.digest();
        let keys = self.users[user].channels.iter();
        let names: Vec<Arc<str>> = keys
            .map(|&key| self.channels.name(key).folded_arc())
            .collect();
        for name in names {
            let owner = self.moderation.ownership.owner(&name);
            if owner == Some(Owner::Token(digest))
                && self.can_own_another(id)
                && let Some(owned) = self.moderation.ownership.remove(&name)
            {
                let channel = owned.channel.clone();
                self.moderation.ownership.insert(OwnedChannel {
                    owner: Owner::Account(id),
                    ..owned
                });
                self.save_channel_record(&name);
                self.persist_sanctions_of(&channel);
            }
        }
    }

    /// Takes the channels from an account that has ended. They end when they are empty.
    pub(in crate::chat::registry) fn owner_unregistered(&mut self, id: AccountId) {
        for channel in self.moderation.ownership.disown(id) {
            self.changes.forget_channel(channel.folded_arc());
            self.remove_sanctions_of(&channel, true);
            if self.channels.get(channel.folded()).is_none() {
                self.moderation.ownership.remove(channel.folded());
            }
        }
    }

    /// Ends the channels of accounts that were removed while the server was stopped. Called when everything
    /// is restored.
    pub fn end_channels_of_removed_accounts(&mut self) {
        let owners = self.moderation.ownership.owners();
        let removed: Vec<_> = owners.filter(|&id| !self.accounts.exists(id)).collect();
        for id in removed {
            self.owner_unregistered(id);
        }
    }

    fn save_channel_record(&mut self, folded: &str) {
        if let Some(owned) = self.moderation.ownership.channels.get(folded)
            && owned.is_persistent()
        {
            let change = StateChange::ChannelSaved(Box::new(owned.record()));
            let key = ChangeKey::Channel(owned.channel.folded_arc());
            self.changes.queue(key, change);
        }
    }

    /// Sets or clears the topic of a channel.
    pub(in crate::chat::registry) fn set_topic(
        &mut self,
        session: SessionId,
        user: UserKey,
        channel: &str,
        topic: Option<Text>,
        out: &mut Batch,
    ) -> CommandResult {
        let key = self.channels.find(channel)?;
        if !self.is_operator(user) && !self.is_owner(user, key) {
            let who = if key == LOBBY {
                "an operator sets the topic of #lobby"
            } else {
                "an operator or the founder of a channel sets its topic"
            };
            return Err(Refusal::new(ErrorCode::NotPermitted, who));
        }
        self.check_mute(user, None)?;
        let channel = self.channels.name(key).clone();
        let nick = self.users[user].nick.as_str();
        let shown = Quoted::text(channel.as_str());
        log::info!(target: LOG, "{nick} sets the topic of {shown}");
        let set = Topic {
            text: topic.map_or("".into(), |topic| topic.as_str().into()),
            by: nick.into(),
            set: self.now,
        };
        let event = topic_event(&channel, &set);
        out.tell_channel(key, &event);
        if !self.users[user].is_in(key) {
            out.tell(session, &event);
        }
        let topic = Some(set).filter(|topic| !topic.text.is_empty());
        self.moderation.ownership.set_topic(&channel, topic);
        self.save_channel_record(channel.folded());
        Ok(())
    }

    /// Sends the topic of a channel to a user who has entered it.
    pub(in crate::chat::registry) fn send_topic(
        &self,
        session: SessionId,
        key: ChannelKey,
        out: &mut Batch,
    ) {
        let channel = self.channels.name(key);
        if let Some(topic) = self.moderation.ownership.topic(channel.folded()) {
            out.tell(session, &topic_event(channel, topic));
        }
    }
}

fn topic_event<'a>(channel: &'a Channel, topic: &'a Topic) -> Event<'a> {
    Event::Topic {
        channel: channel.as_str().into(),
        topic: (&*topic.text).into(),
        by: Some((&*topic.by).into()),
        time: topic.set,
    }
}
