//! The channels that exist: their members, their names and their order by size.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;
use std::sync::Arc;

use chat_proto::{Channel, ChannelInfo, ErrorCode, Nick};
use slab::Slab;

use super::types::{CommandResult, LOBBY, UserKey, lookup};
use crate::chat::command::Refusal;
use crate::chat::confusables::{ConfusableIndex, is_mixed};
use crate::chat::{ChannelKey, Map};

/// A channel that exists.
#[derive(Debug)]
pub(super) struct ChannelState {
    pub channel: Channel,
    /// The members by folded nick, which is the order of `users`.
    pub members: BTreeMap<Arc<str>, UserKey>,
}

/// The order of channels: the largest first, of equal ones `#lobby` first, then by folded name.
type SizeRank = (Reverse<usize>, bool, Arc<str>);

impl ChannelState {
    fn rank(&self) -> SizeRank {
        let name = self.channel.folded_arc();
        (
            Reverse(self.members.len()),
            &*name != chat_proto::LOBBY,
            name,
        )
    }
}

/// All channels. Every channel is found by its folded name and by its size.
#[derive(Debug)]
pub(super) struct Channels {
    all: Slab<ChannelState>,
    by_name: Map<Arc<str>, ChannelKey>,
    confusables: ConfusableIndex,
    by_size: BTreeSet<SizeRank>,
}

impl Default for Channels {
    /// The lobby alone.
    fn default() -> Self {
        let mut channels = Self {
            all: Slab::new(),
            by_name: Map::default(),
            confusables: ConfusableIndex::default(),
            by_size: BTreeSet::new(),
        };
        let lobby = channels.get_or_create(&Channel::lobby());
        debug_assert_eq!(lobby, LOBBY);
        channels
    }
}

impl Index<ChannelKey> for Channels {
    type Output = ChannelState;

    fn index(&self, key: ChannelKey) -> &ChannelState {
        &self.all[key as usize]
    }
}

impl Channels {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn name(&self, key: ChannelKey) -> &Channel {
        &self[key].channel
    }

    /// Returns the channel of a folded name.
    pub(super) fn get(&self, folded: &str) -> Option<ChannelKey> {
        self.by_name.get(folded).copied()
    }

    /// Finds the channel that a client names.
    ///
    /// # Errors
    /// The channel does not exist.
    pub(super) fn find(&self, name: &str) -> Result<ChannelKey, Refusal> {
        // Most messages go to the lobby, which needs neither folding nor a hash.
        if name == chat_proto::LOBBY {
            return Ok(LOBBY);
        }
        if let Some(&key) = self.by_name.get(&*lookup(name)) {
            return Ok(key);
        }
        Err(match Channel::new(name) {
            Ok(channel) => Refusal::new(
                ErrorCode::NoSuchChannel,
                format!("there is no channel {channel}"),
            ),
            Err(error) => Refusal::new(ErrorCode::ChannelInvalid, error.to_string()),
        })
    }

    /// Returns the channel, which is created if it does not exist. The caller adds a member.
    pub(super) fn get_or_create(&mut self, channel: &Channel) -> ChannelKey {
        if let Some(key) = self.get(channel.folded()) {
            return key;
        }
        let state = ChannelState {
            channel: channel.clone(),
            members: BTreeMap::new(),
        };
        self.by_size.insert(state.rank());
        let key =
            ChannelKey::try_from(self.all.insert(state)).expect("memory ends before 2^32 channels");
        self.by_name.insert(channel.folded_arc(), key);
        self.confusables
            .add(channel.as_str(), &channel.folded_arc());
        key
    }

    /// Checks the name of a channel that does not exist.
    ///
    /// # Errors
    /// The name mixes scripts or looks like that of another channel.
    pub(super) fn check_name(&self, channel: &Channel) -> CommandResult {
        let (given, folded) = (channel.as_str(), channel.folded());
        let detail = if is_mixed(given, folded) {
            "the letters of a channel name must be of one script".into()
        } else if self.confusables.conflicts(given, folded) {
            Cow::Owned(format!("{channel} looks like another channel that exists"))
        } else {
            return Ok(());
        };
        Err(Refusal::new(ErrorCode::ChannelInvalid, detail))
    }

    /// Adds a member and returns how many members the channel has.
    pub(super) fn add_member(&mut self, key: ChannelKey, nick: &Nick, user: UserKey) -> usize {
        let state = &mut self.all[key as usize];
        self.by_size.remove(&state.rank());
        state.members.insert(nick.folded_arc(), user);
        self.by_size.insert(state.rank());
        state.members.len()
    }

    /// Removes a member. Returns the channel if it has ended because it is empty and not the lobby.
    pub(super) fn remove_member(&mut self, key: ChannelKey, folded_nick: &str) -> Option<Channel> {
        let state = &mut self.all[key as usize];
        self.by_size.remove(&state.rank());
        state.members.remove(folded_nick);
        if !state.members.is_empty() || key == LOBBY {
            self.by_size.insert(state.rank());
            return None;
        }
        let ChannelState { channel, .. } = self.all.remove(key as usize);
        self.by_name.remove(channel.folded());
        self.confusables
            .remove(channel.as_str(), &channel.folded_arc());
        Some(channel)
    }

    pub(super) fn rename_member(
        &mut self,
        key: ChannelKey,
        before: &Nick,
        nick: &Nick,
        user: UserKey,
    ) {
        let members = &mut self.all[key as usize].members;
        members.remove(before.folded());
        members.insert(nick.folded_arc(), user);
    }

    /// Returns the channels, the largest first, each with its folded name.
    pub(super) fn largest(&self) -> impl Iterator<Item = (&str, ChannelInfo<'static>)> {
        self.by_size.iter().map(|(Reverse(users), _, name)| {
            let info = ChannelInfo {
                name: self[self.by_name[name]].channel.to_string().into(),
                users: *users,
                topic: None,
            };
            (&**name, info)
        })
    }
}
