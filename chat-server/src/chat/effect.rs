//! The effects of requests, and who they go to.

use std::ops::Range;
use std::sync::Arc;

use chat_proto::{Nick, Timestamp, Welcome};

use super::token::Id;
use super::{ChannelKey, SessionId};
use crate::netblock::Netblock;

/// Bytes of the frames or the events of a batch.
pub type ByteRange = Range<u32>;

/// One consequence.
#[derive(Debug)]
pub enum Effect {
    /// Messages side by side from one person to the same people, recorded by the time of their release.
    Messages {
        last_seq: u64,
        count: u32,
        frames: ByteRange,
        audience: Audience,
        sender: SessionId,
        /// It is a single one, whose ack is the effect before it: where nothing can be recorded, only that is refused.
        is_acked: bool,
    },
    /// The ack of the message that follows, or of something said again.
    Ack {
        seq: u64,
        to: SessionId,
        id: Id,
        event: ByteRange,
    },
    Tell {
        to: SessionId,
        event: ByteRange,
    },
    TellEach {
        to: Box<[SessionId]>,
        event: ByteRange,
    },
    TellChannel {
        channel: ChannelKey,
        event: ByteRange,
    },
    /// The session is in; what it missed is to follow its welcome before anything else.
    Welcome {
        to: SessionId,
        /// As it is in `welcome`, to keep without a copy.
        nick: Arc<str>,
        welcome: Box<Welcome<'static>>,
        replay: Option<Box<Replay>>,
    },
    Subscribe {
        session: SessionId,
        channel: ChannelKey,
    },
    Unsubscribe {
        session: SessionId,
        channel: ChannelKey,
    },
    /// A page is to be read and told before anything that follows.
    History {
        to: SessionId,
        page: Box<Page>,
    },
    /// The session wants something of the accounts, and learns as whom.
    Account {
        to: SessionId,
        applicant: Box<AuthContext>,
    },
    /// The session has failed to prove who it is; at the third time it is closed.
    AuthFailure {
        session: SessionId,
    },
    /// Nothing follows for this session: it ends when it has been told what there was.
    Close {
        session: SessionId,
    },
    /// Nobody comes in from that network any more.
    BanNetwork {
        network: Netblock,
        ban: Box<NetworkBan>,
    },
    /// They may again.
    UnbanNetwork {
        network: Netblock,
    },
    /// Requests of the session that took so much of its credit have been dealt with.
    CreditReturned {
        session: SessionId,
        cost: u32,
    },
}

/// Each effect is written, looked at and dropped once, in memory that no cache has any more: every 8 bytes cost a
/// busy channel.
const _: () = assert!(size_of::<Effect>() <= 56);

/// Who wants something of the accounts.
#[derive(Debug)]
pub struct AuthContext {
    pub nick: Nick,
    /// The last message until now, which is recorded once the effect is released.
    pub last_seq: u64,
    pub id: Option<Id>,
}

/// Why nobody comes in from somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkBan {
    pub until: Option<Timestamp>,
    /// What they are told.
    pub detail: Arc<str>,
}

/// Who a message goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Channel(ChannelKey),
    /// The sender, and this one; who may be one and the same.
    Direct(SessionId),
}

/// For which messages somebody has held a nick: those after `since`, up to `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NickTenure {
    /// Folded.
    pub nick: Arc<str>,
    pub since: u64,
    pub until: u64,
}

/// A conversation whose history can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// By its folded name.
    Channel(Arc<str>),
    /// Between somebody, while the nicks were theirs, and another (folded).
    Direct {
        held: Vec<NickTenure>,
        other: Arc<str>,
    },
}

/// A page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub conversation: Conversation,
    /// The name for the answer.
    pub with: Arc<str>,
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub limit: u16,
    /// An empty page means that there is no such user: nobody has the nick, and nobody of that nick
    /// ever spoke with who asks.
    pub somebody: bool,
    pub id: Option<Id>,
}

/// What somebody who is back has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Folded names.
    pub channels: Vec<Arc<str>>,
    pub held: Vec<NickTenure>,
    pub after: u64,
    pub max: usize,
}
