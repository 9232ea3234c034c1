//! Moderation in the core's own words: what operators and founders of channels ask, the bans and mutes
//! that hold, and what is known of a channel beside who is in it (protocol, 10. Moderation).

use std::sync::Arc;

use chat_proto::{Channel, Nick, Text, Timestamp};

use super::accounts::AccountId;
use super::token::Digest;
use crate::netblock::Netblock;

/// Where what operators and founders do is logged; part of what whoever watches the log relies on.
pub const LOG: &str = "chat_server::moderation";

/// What can be asked. Names that are only looked up are kept as they came.
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
    /// Whether the decision is to outlive the process.
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

/// A ban that is asked for.
#[derive(Debug)]
pub struct BanRequest {
    pub target: Target,
    /// From the server where there is none.
    pub channel: Option<Box<str>>,
    /// For good where there are none.
    pub seconds: Option<u64>,
    pub reason: Option<Text>,
}

/// Whom a sanction is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Whoever has the nick, and its account under any nick.
    Nick(Nick),
    /// Whoever is that account, by its nick.
    Account(Nick),
    /// Whoever comes from there.
    Network(Netblock),
}

/// What a sanction keeps from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    Server,
    Channel(Channel),
    /// A mute: from saying something, anywhere.
    Mute,
}

/// A ban or a mute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanction {
    /// Grows from one to the next.
    pub number: u64,
    pub scope: Scope,
    pub target: Target,
    /// The token of who had the nick then: it is about them under any nick.
    pub token_digest: Option<Digest>,
    /// Who set it; nobody here where it was set beside the server.
    pub by: Option<Arc<str>>,
    pub reason: Option<Arc<str>>,
    pub set: Timestamp,
    pub until: Option<Timestamp>,
    /// Outlives its channel and the process.
    pub is_persistent: bool,
}

impl Sanction {
    pub fn is_active(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// What a channel is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    pub text: Arc<str>,
    pub by: Arc<str>,
    pub set: Timestamp,
}

/// What outlives the process of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelRecord {
    pub channel: Channel,
    /// Nobody's is only the lobby.
    pub owner: Option<AccountId>,
    pub topic: Option<Topic>,
}
