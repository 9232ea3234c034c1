//! The chat protocol, version 1: the types and the wire format that servers and clients share.
//!
//! This crate does no I/O and has no actors. `PROTOCOL.md` beside the manifest is the
//! specification; each module names the section that it implements.
//!
//! | module | content | PROTOCOL.md |
//! | --- | --- | --- |
//! | [`codec`] | frames: a length and as many bytes of JSON | 1. Frames |
//! | [`name`] | [`Nick`] and [`Channel`], valid by construction | 2.1 to 2.4 |
//! | [`text`] | [`Text`], valid by construction | 2.5 Texts |
//! | [`mention`] | the rule for mentions | 2.6 Mentions |
//! | [`request`] | requests of clients | 3. From the client |
//! | [`plain`] | [`PlainSay`], the fast path for a plain `say` | 3.3 `say` |
//! | [`saying`] | [`Words`] and [`Saying`], the encoded text of a message | 4.2 `message` |
//! | [`event`] | events of servers | 4. From the server |
//! | [`secret`] | [`Secret`], a password that no output shows | 5. Accounts |
//! | [`error`] | [`ErrorCode`], and the error of a malformed request | 6. Errors |
//! | [`time`] | [`Timestamp`], RFC 3339 in UTC with milliseconds | 1.6 Times and sequence numbers |
//! | [`moderation`] | requests and events of moderation | 10. Moderation |
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

/// The protocol version, in `hello.version` and `welcome.version` (PROTOCOL.md, appendix A).
pub const VERSION: u64 = 1;

/// The default TCP port (PROTOCOL.md, 1.1 Transports).
pub const DEFAULT_PORT: u16 = 12345;

/// The maximum length of the JSON of a frame, in bytes (PROTOCOL.md, 1.1 Transports). The longest
/// message takes a third: 8,192 bytes of text that JSON escapes may double, two names and an id.
pub const MAX_FRAME_BYTES: usize = 65_536;

/// The channel that always exists and has every user as a member (PROTOCOL.md, 2.4 Channels).
pub const LOBBY: &str = "#lobby";

/// The maximum length of the `id` of a request, in bytes (PROTOCOL.md, 3.1 Requests).
pub const MAX_ID_BYTES: usize = 64;

/// The valid lengths of a password, in bytes (PROTOCOL.md, 5.1 Requests and events).
pub const PASSWORD_BYTES: std::ops::RangeInclusive<usize> = 8..=256;

/// The maximum `limit` of a page (PROTOCOL.md, 3.6 `users`, 3.8 `history`, 10.1 Requests).
pub const MAX_PAGE: u16 = 500;

/// The default `limit` of a page of `history` (PROTOCOL.md, 3.8 `history`).
pub const DEFAULT_HISTORY_PAGE: u16 = 50;

/// The maximum number of channels in `welcome` (PROTOCOL.md, 4.1 `welcome`).
pub const WELCOME_CHANNELS: usize = 50;
