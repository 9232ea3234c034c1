//! Who may come back, and what operators and founders have decided, as it outlives the process: the room
//! says what has changed, and is told at the start what there is.

use std::sync::Arc;

use chat_proto::{Channel, Nick, Timestamp};

use super::accounts::AccountId;
use super::batch::Held;
use super::command::Digest;
use super::moderation::{Charter, Sanction};

/// Somebody who is here, or has gone and may come back, by the token's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub digest: Digest,
    pub nick: Nick,
    /// Which account they have proven to be.
    pub account: Option<AccountId>,
    /// Beside the lobby.
    pub channels: Vec<Channel>,
    /// The last message before the nick was theirs.
    pub since: u64,
    /// The nicks before.
    pub former: Vec<Held>,
    /// When the token ends; nobody knows yet while they are here.
    pub until: Option<Timestamp>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptChange {
    /// This is how it is now.
    Keep(Box<Kept>),
    /// The token is worth nothing any more.
    Forget(Digest),
    /// The account begins only now: what was said to its nick before was said to somebody else.
    Begins { account: AccountId, since: u64 },
    /// A ban or a mute holds.
    Sanctioned(Box<Sanction>),
    /// The one of that number does no longer.
    Lifted(u64),
    /// A channel has a founder and a topic.
    Chartered(Box<Charter>),
    /// The channel (folded) has none any more.
    Unchartered(Arc<str>),
}
