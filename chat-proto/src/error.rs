//! What can go wrong on the wire (PROTOCOL.md, 6. Errors).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable code of an `error`; people are shown its `detail`, programs decide by this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// A frame's length is 0 or above [`crate::MAX_FRAME_BYTES`]; closes.
    BadFrame,
    /// The frame is no JSON text.
    BadJson,
    /// The frame is JSON, but not of a known shape.
    BadRequest,
    /// An object whose `type` is unknown.
    UnknownType,
    /// Something else came before `hello`.
    HelloRequired,
    /// No `hello` within the hello timeout; closes.
    HelloTimeout,
    /// A `version` other than [`crate::VERSION`]; closes.
    BadVersion,
    /// The nick breaks the rules for nicks.
    NickInvalid,
    /// Somebody else has the nick.
    NickTaken,
    /// `say.from` is not the nick of the connection.
    NotYourNick,
    /// A wrong or missing password or token; closes at the third.
    AuthFailed,
    /// The nick is an account already.
    AlreadyRegistered,
    /// The nick is no account.
    NotRegistered,
    /// The password is too short or too long.
    PasswordInvalid,
    /// Nobody of that nick is here.
    NoSuchUser,
    /// No such channel exists.
    NoSuchChannel,
    /// One is not in that channel.
    NotInChannel,
    /// The channel's name breaks the rules, or the channel does not allow what was asked.
    ChannelInvalid,
    /// The text has forbidden characters, or none at all.
    TextInvalid,
    /// The text has too many bytes.
    TextTooLong,
    /// The history cannot be written: the message went to nobody.
    NotRecorded,
    /// What was asked is for operators, or for the founder of the channel.
    NotPermitted,
    /// One may say nothing.
    Muted,
    /// One may not enter that channel.
    BannedFromChannel,
    /// There is no such ban or mute.
    NoSuchBan,
    /// It is no IP address and no network.
    AddressInvalid,
    /// A limit other than the message rate.
    RateLimited,
    /// One is in as many channels as allowed.
    TooManyChannels,
    /// No room for one more connection; closes.
    ServerFull,
    /// The client does not read what it is sent; closes.
    SlowConsumer,
    /// Nothing came for too long; closes.
    IdleTimeout,
    /// The same person has come back on another connection; closes.
    Replaced,
    /// Somebody has put one out; closes.
    Kicked,
    /// One may not be on this server; closes.
    Banned,
    /// The password of the account was changed elsewhere; closes.
    SignedOut,
    /// The server ends; closes.
    ShuttingDown,
    /// A fault of the server; closes.
    Internal,
    /// A code of a newer version of the protocol.
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// Every code of this version, in the order of their declaration.
    pub const ALL: [Self; Self::Unknown as usize] = [
        Self::BadFrame,
        Self::BadJson,
        Self::BadRequest,
        Self::UnknownType,
        Self::HelloRequired,
        Self::HelloTimeout,
        Self::BadVersion,
        Self::NickInvalid,
        Self::NickTaken,
        Self::NotYourNick,
        Self::AuthFailed,
        Self::AlreadyRegistered,
        Self::NotRegistered,
        Self::PasswordInvalid,
        Self::NoSuchUser,
        Self::NoSuchChannel,
        Self::NotInChannel,
        Self::ChannelInvalid,
        Self::TextInvalid,
        Self::TextTooLong,
        Self::NotRecorded,
        Self::NotPermitted,
        Self::Muted,
        Self::BannedFromChannel,
        Self::NoSuchBan,
        Self::AddressInvalid,
        Self::RateLimited,
        Self::TooManyChannels,
        Self::ServerFull,
        Self::SlowConsumer,
        Self::IdleTimeout,
        Self::Replaced,
        Self::Kicked,
        Self::Banned,
        Self::SignedOut,
        Self::ShuttingDown,
        Self::Internal,
    ];
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// Why a frame's bytes are no request: the code, a sentence for people, and the request's `id` where
/// it could be made out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// [`ErrorCode::BadJson`], [`ErrorCode::BadRequest`] or [`ErrorCode::UnknownType`].
    pub code: ErrorCode,
    /// What was expected.
    pub detail: Cow<'static, str>,
    /// The `id` of the request, if it bore a legal one.
    pub id: Option<Box<str>>,
    /// It is an object of another type than `hello`, known or not, however wrong the rest.
    pub is_other: bool,
}

/// Why bytes could not be read from or written to the wire.
#[derive(Debug, thiserror::Error)]
pub enum ProtoError {
    /// A frame's length is out of range; nothing after it can be understood.
    #[error("a frame of {0} bytes: 1 to {max} are allowed", max = crate::MAX_FRAME_BYTES)]
    BadFrame(usize),
    /// The object is none of this protocol.
    #[error("no object of this protocol")]
    Json(#[from] serde_json::Error),
    /// The transport failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_among_all_in_its_place() {
        for (place, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, place, "{code}");
        }
    }
}
