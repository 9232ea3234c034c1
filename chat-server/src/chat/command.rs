//! Typed commands of a session. The session has checked everything that needs no other state, so
//! that a second protocol needs no change here.

use std::borrow::Cow;

use chat_proto::{Channel, ErrorCode, Nick, Saying, Span, Text};

use super::accounts::AccountId;
use super::moderation::ModerationCommand;
use super::token::{Id, LoginRandom, Token};
use crate::ip::ClientNetwork;

/// A request, and the `id` of its answers.
#[derive(Debug)]
pub struct Request {
    pub id: Option<Id>,
    pub command: Command,
}

/// A command. Names that are only looked up are kept as received.
#[derive(Debug)]
pub enum Command {
    Hello(Box<Hello>),
    Say(Say),
    Join {
        channel: Channel,
    },
    Part {
        channel: Box<str>,
        reason: Option<Text>,
    },
    Users {
        channel: Box<str>,
        after: Option<Box<str>>,
        limit: u16,
    },
    Channels,
    History {
        with: Box<str>,
        before: Option<u64>,
        after: Option<u64>,
        limit: u16,
    },
    Nick {
        nick: Nick,
    },
    /// Asks for the identity of the user, for an account request of the session. Answered with
    /// [`super::effect::Effect::Account`].
    Account,
    /// A command for operators and channel owners.
    Moderate(Box<ModerationCommand>),
    Ping,
    /// Has no effect.
    Pong,
    Quit {
        reason: Option<Text>,
    },
    /// The client has closed its sending half. The session ends when all answers are sent.
    InputClosed,
    /// An invalid request. The error passes through the room to keep its place among the answers.
    Reject(Refusal),
    /// Like [`Command::Reject`], for a request other than `hello`. Before the login it is answered
    /// with `hello_required` instead.
    RejectBeforeHello(Refusal),
    /// Ends the session of a client after too many errors.
    Disconnect {
        reason: &'static str,
    },
}

impl Command {
    /// Returns whether the command takes effect by an event, which has no room for the `id` of the
    /// request. All other commands have an answer that bears it, or none.
    pub fn is_announced(&self) -> bool {
        match self {
            Self::Join { .. } | Self::Part { .. } | Self::Nick { .. } => true,
            Self::Moderate(act) => !matches!(**act, ModerationCommand::Bans { .. }),
            Self::Hello(_)
            | Self::Say(_)
            | Self::Users { .. }
            | Self::Channels
            | Self::History { .. }
            | Self::Account
            | Self::Ping
            | Self::Pong
            | Self::Quit { .. }
            | Self::InputClosed
            | Self::Reject(_)
            | Self::RejectBeforeHello(_)
            | Self::Disconnect { .. } => false,
        }
    }
}

/// A login request.
#[derive(Debug)]
pub struct Hello {
    pub nick: Option<Nick>,
    pub token: Option<Token>,
    /// The last `seq` that the client has received, if it requests a replay.
    pub after: Option<u64>,
    /// The account of the nick, if the password was correct.
    pub account: Option<AccountId>,
    /// The network of the client.
    pub origin: ClientNetwork,
    pub random: LoginRandom,
}

/// A message, whose texts are in the arena of its read ([`chat_proto::Words`]).
#[derive(Debug)]
pub struct Say {
    /// A channel or a nick; the lobby if absent.
    pub to: Option<Span>,
    /// The text. Its `id` is that of the request.
    pub saying: Saying,
    /// The nick that the client assumes to have.
    pub from: Option<Span>,
}

/// An error answer. The connection stays open unless the code closes it (protocol, 6. Errors).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub detail: Cow<'static, str>,
}

impl Refusal {
    pub fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }

    /// Returns whether the error closes the connection.
    pub fn closes(&self) -> bool {
        matches!(
            self.code,
            ErrorCode::BadFrame
                | ErrorCode::BadVersion
                | ErrorCode::Banned
                | ErrorCode::Internal
                | ErrorCode::Replaced
                | ErrorCode::SignedOut
        )
    }
}
