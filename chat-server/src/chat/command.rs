//! What a session asks of the room: checked where a check needs nobody else, and in the core's own
//! words, so that a second protocol costs the core no edit.

use std::borrow::Cow;

use chat_proto::{Channel, ErrorCode, Nick, Saying, Span, Text};

use super::accounts::AccountId;
use super::moderation::ModerationCommand;
use super::token::{Id, LoginRandom, Token};
use crate::netblock::Origin;

/// A request and the `id` by which its answer is known again.
#[derive(Debug)]
pub struct Request {
    pub id: Option<Id>,
    pub command: Command,
}

/// What can be asked. Names that are only looked up are kept as they came.
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
    /// The session wants something of the accounts, and has to know as whom: answered with
    /// [`super::batch::Effect::Account`].
    Account,
    /// Something that only operators and founders may do.
    Moderate(Box<ModerationCommand>),
    Ping,
    /// Heard, and nothing more.
    Pong,
    Quit {
        reason: Option<Text>,
    },
    /// The client has nothing more to say and closed its sending half: goodbye once all is answered.
    InputClosed,
    /// What the session found to be no request; it goes through the room to keep its place among the
    /// answers.
    Reject(Refusal),
    /// The same of what would be another request than `hello`: who is not in yet is told to say that first.
    RejectBeforeHello(Refusal),
    /// Goodbye to a client that was refused too often.
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

/// Who wants in.
#[derive(Debug)]
pub struct Hello {
    pub nick: Option<Nick>,
    pub token: Option<Token>,
    /// The last `seq` that was seen, if what came since is wanted.
    pub after: Option<u64>,
    /// The account of the nick, where the password was right.
    pub account: Option<AccountId>,
    /// Where they come from.
    pub origin: Origin,
    pub random: LoginRandom,
}

/// A message to somebody, in the words of the read that it came with ([`chat_proto::Words`]).
#[derive(Debug)]
pub struct Say {
    /// A channel or a nick; the lobby where there is none.
    pub to: Option<Span>,
    /// Its `id` is that of the request.
    pub saying: Saying,
    /// Who the client believes to be.
    pub from: Option<Span>,
}

/// A polite no. The connection lives, unless the code is one that closes (protocol, 6. Errors).
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

    /// Whether the connection ends with it.
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
