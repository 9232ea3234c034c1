//! The chat protocol, version 1: what servers and clients say to each other.
//!
//! This crate is the wire and nothing but the wire: it does no I/O and knows no actors. The contract
//! in prose is `PROTOCOL.md` beside this crate's manifest; each module names the heading it implements.
//!
//! | module | what | PROTOCOL.md |
//! | --- | --- | --- |
//! | [`codec`] | frames: a length and that many bytes of JSON | 1. Frames |
//! | [`name`] | [`Nick`] and [`Channel`], legal once built | 2. Names and text |
//! | [`text`] | [`Text`], legal once built | 2. Names and text |
//! | [`request`] | what a client asks | 3. From the client |
//! | [`saying`] | [`Words`] and [`Saying`], what is said on its way to everyone | What a message promises |
//! | [`plain`] | [`PlainSay`], the short way for what almost every frame is | 3. From the client |
//! | [`secret`] | [`Secret`], a password that is never shown | 5. Accounts |
//! | [`event`] | what a server tells | 4. From the server |
//! | [`time`] | [`Timestamp`], RFC 3339 in UTC with milliseconds | 1. Frames |
//! | [`mention`] | whether a text mentions a nick | 2. Names and text |
//! | [`moderation`] | what operators and founders ask, and what is told of it | 10. Moderation |
//! | [`error`] | [`ErrorCode`], and why bytes were no request | 6. Errors |
#![warn(missing_docs)]

pub mod codec;
pub mod error;
pub mod event;
pub mod mention;
pub mod moderation;
pub mod name;
pub mod plain;
pub mod request;
pub mod saying;
mod scan;
pub mod secret;
pub mod text;
pub mod time;

pub use codec::FrameCodec;
pub use error::{ErrorCode, Malformed, ProtoError};
pub use event::{ChannelInfo, Event, Message, Record, Welcome};
pub use name::{Channel, NameError, Nick};
pub use plain::PlainSay;
pub use request::{Envelope, Hello, HistoryQuery, Request, Say, UsersQuery};
pub use saying::{Saying, Span, Words};
pub use secret::Secret;
pub use text::{Text, TextError};
pub use time::Timestamp;

/// The only protocol version there is; `hello.version` and `welcome.version`.
pub const VERSION: u64 = 1;

/// The TCP port of a server that names none.
pub const DEFAULT_PORT: u16 = 12345;

/// The longest JSON text of one frame, in bytes (PROTOCOL.md, 1. Frames). A longest message (8,192
/// bytes of text, each of which JSON may double, two names and an id) takes a third of it.
pub const MAX_FRAME_BYTES: usize = 65_536;

/// The channel that always exists and that everyone is in.
pub const LOBBY: &str = "#lobby";

/// The longest `id` of a request, in bytes (PROTOCOL.md, 3. From the client).
pub const MAX_ID_BYTES: usize = 64;

/// How long a password may be, in bytes (PROTOCOL.md, 5. Accounts).
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=256;

/// The most entries of one page of `users` or `history`.
pub const MAX_PAGE: u16 = 500;

/// The entries of a page of `history` whose request names no limit.
pub const DEFAULT_HISTORY_PAGE: u16 = 50;

/// The most channels that `welcome` lists.
pub const WELCOME_CHANNELS: usize = 50;
