//! The effects of requests, and who they go to.

use std::ops::Range;
use std::sync::Arc;

use chat_proto::{Nick, Timestamp, Welcome};

use super::token::Id;
use super::{ChannelKey, SessionId};
use crate::ip::IpBlock;

/// A range of bytes in the frames or the events of a batch.
pub type ByteRange = Range<u32>;

/// One effect of a request.
#[derive(Debug)]
pub enum Effect {
    /// Consecutive messages from one sender to one audience. They are recorded before their
    /// release.
    Messages {
        last_seq: u64,
        count: u32,
        frames: ByteRange,
        audience: Audience,
        sender: SessionId,
        /// Whether it is one message whose ack is the effect before it. If the batch cannot be
        /// recorded, the ack alone is rejected.
        is_acked: bool,
    },
    /// The ack of the message that follows, or of a repeated one.
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
    /// The login has succeeded. The messages that the user has missed follow `welcome` directly.
    Welcome {
        to: SessionId,
        /// The nick of `welcome`, shared to avoid a copy.
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
    /// A page of history, which is read and sent before any later effect.
    History {
        to: SessionId,
        page: Box<Page>,
    },
    /// Answers [`super::command::Command::Account`].
    Account {
        to: SessionId,
        applicant: Box<AuthContext>,
    },
    /// Authentication has failed. The connection table closes the session after several failures.
    AuthFailure {
        session: SessionId,
    },
    /// The last effect of a session, which closes after its output.
    Close {
        session: SessionId,
    },
    /// Bans a network.
    BanNetwork {
        network: IpBlock,
        ban: Box<NetworkBan>,
    },
    /// Ends the ban of a network.
    UnbanNetwork {
        network: IpBlock,
    },
    /// Returns credit for the requests that are processed.
    CreditReturned {
        session: SessionId,
        cost: u32,
    },
}

/// Effects are write-once, read-once and cache-cold; keep the enum at 56 bytes.
const _: () = assert!(size_of::<Effect>() <= 56);

/// The user who sends an account request.
#[derive(Debug)]
pub struct AuthContext {
    pub nick: Nick,
    /// The last message before the request. It is recorded when the effect is released.
    pub last_seq: u64,
    pub id: Option<Id>,
}

/// The ban of a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkBan {
    pub until: Option<Timestamp>,
    /// The text of the error that a banned client receives.
    pub detail: Arc<str>,
}

/// The recipients of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Channel(ChannelKey),
    /// The sender and this session, which may be equal.
    Direct(SessionId),
}

/// The messages during which a user held a nick: those after `since`, up to `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NickTenure {
    /// Folded.
    pub nick: Arc<str>,
    pub since: u64,
    pub until: u64,
}

/// A conversation with a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Conversation {
    /// By its folded name.
    Channel(Arc<str>),
    /// Between a user, during the tenures, and another nick (folded).
    Direct {
        held: Vec<NickTenure>,
        other: Arc<str>,
    },
}

/// A request for a page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub conversation: Conversation,
    /// The name for the answer.
    pub with: Arc<str>,
    pub before: Option<u64>,
    pub after: Option<u64>,
    pub limit: u16,
    /// Whether the other user exists. If not, an empty page means that no user of that nick is
    /// known.
    pub is_known: bool,
    pub id: Option<Id>,
}

/// The messages that a user has missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Folded names.
    pub channels: Vec<Arc<str>>,
    pub held: Vec<NickTenure>,
    pub after: u64,
    pub max: usize,
}
