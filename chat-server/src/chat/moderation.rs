//! The terms of moderation: commands of operators and channel owners, sanctions, and the records of
//! channels (protocol, 10. Moderation).

use std::sync::Arc;

use chat_proto::{Channel, Nick, Text, Timestamp};

use super::accounts::AccountId;
use super::token::Digest;
use crate::ip::IpBlock;

/// The log target of moderation. Log monitors depend on it.
pub const LOG: &str = "chat_server::moderation";

/// A moderation command. Names that are only looked up are kept as received.
#[derive(Debug)]
pub enum ModerationCommand {
    Kick {
        nick: Box<str>,
        channel: Option<Box<str>>,
        reason: Option<Text>,
    },
    Ban(BanRequest),
    Unban {
        target: Target,
        channel: Option<Box<str>>,
    },
    Bans {
        channel: Option<Box<str>>,
        after: u64,
        limit: u16,
    },
    Mute {
        nick: Box<str>,
        seconds: Option<u64>,
        reason: Option<Text>,
    },
    Unmute {
        nick: Box<str>,
    },
    Topic {
        channel: Box<str>,
        topic: Option<Text>,
    },
}

impl ModerationCommand {
    /// Returns whether the command changes persistent state.
    pub fn changes_state(&self) -> bool {
        match self {
            Self::Ban(_)
            | Self::Unban { .. }
            | Self::Mute { .. }
            | Self::Unmute { .. }
            | Self::Topic { .. } => true,
            Self::Kick { .. } | Self::Bans { .. } => false,
        }
    }
}

/// A ban request.
#[derive(Debug)]
pub struct BanRequest {
    pub target: Target,
    /// The server if absent.
    pub channel: Option<Box<str>>,
    /// Permanent if absent.
    pub seconds: Option<u64>,
    pub reason: Option<Text>,
}

/// The target of a sanction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The user of the nick, and its account under any nick.
    Nick(Nick),
    /// The account of that nick.
    Account(Nick),
    /// All clients of the network.
    Network(IpBlock),
}

/// What a sanction forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Server,
    Channel(Channel),
    /// Sending messages anywhere, except to operators.
    Mute,
}

/// A ban or a mute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// Increases from one sanction to the next.
    pub number: u64,
    pub scope: Scope,
    pub target: Target,
    /// The token of the user who had the nick then. The sanction applies to that user under any
    /// nick.
    pub token_digest: Option<Digest>,
    /// The nick of the moderator; absent if an administrator set it outside of the server.
    pub by: Option<Arc<str>>,
    pub reason: Option<Arc<str>>,
    pub set: Timestamp,
    pub until: Option<Timestamp>,
    /// Whether it outlives its channel and the process.
    pub is_persistent: bool,
}

impl Sanction {
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// The topic of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub text: Arc<str>,
    pub by: Arc<str>,
    pub set: Timestamp,
}

/// The persistent state of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    pub channel: Channel,
    /// Absent for the lobby.
    pub owner: Option<AccountId>,
    pub topic: Option<Topic>,
}
