//! Error codes and errors of the wire format (PROTOCOL.md, 6. Errors).

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The stable code of an `error` event (PROTOCOL.md, 6. Errors). Programs use the code; `detail` is
/// for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ErrorCode {
    /// The length of a frame is 0 or above [`crate::MAX_FRAME_BYTES`]; closes.
    BadFrame,
    /// The frame is not JSON.
    BadJson,
    /// The JSON is not a request of a known shape.
    BadRequest,
    /// The `type` of the object is unknown.
    UnknownType,
    /// Another request came before `hello`.
    HelloRequired,
    /// No `hello` came within the hello timeout; closes.
    HelloTimeout,
    /// The `version` is not [`crate::VERSION`]; closes.
    BadVersion,
    /// The nick breaks a rule for nicks.
    NickInvalid,
    /// Another user has the nick, or one that looks like it.
    NickTaken,
    /// `say.from` is not the nick of the connection.
    NotYourNick,
    /// The password or token is wrong or missing; the third one closes.
    AuthFailed,
    /// The nick is already an account.
    AlreadyRegistered,
    /// The nick is not an account.
    NotRegistered,
    /// The password is too short or too long.
    PasswordInvalid,
    /// No user has the nick.
    NoSuchUser,
    /// The channel does not exist.
    NoSuchChannel,
    /// The user is not a member of the channel.
    NotInChannel,
    /// The name breaks a rule for channels, or the channel does not allow the request.
    ChannelInvalid,
    /// The text has forbidden characters or is empty.
    TextInvalid,
    /// The text has too many bytes.
    TextTooLong,
    /// The history or the accounts file cannot store the request; a message is not delivered.
    NotRecorded,
    /// The request is reserved for operators or for the founder of the channel.
    NotPermitted,
    /// The user is muted.
    Muted,
    /// The user is banned from the channel.
    BannedFromChannel,
    /// The ban or mute does not exist.
    NoSuchBan,
    /// The string is not an IP address or network.
    AddressInvalid,
    /// A limit other than the message rate is reached.
    RateLimited,
    /// The user is in the maximum number of channels.
    TooManyChannels,
    /// The server is at its connection limit; closes.
    ServerFull,
    /// The client reads too slowly; closes.
    SlowConsumer,
    /// The client was silent for too long; closes.
    IdleTimeout,
    /// The user has logged in on another connection; closes.
    Replaced,
    /// An operator has removed the user from the server; closes.
    Kicked,
    /// The user is banned from the server; closes.
    Banned,
    /// The password of the account was changed elsewhere; closes.
    SignedOut,
    /// The server shuts down; closes.
    ShuttingDown,
    /// The server has a fault; closes.
    Internal,
    /// A code that this crate does not know (PROTOCOL.md, appendix A).
    #[serde(other)]
    Unknown,
}

impl ErrorCode {
    /// All codes of this version, in the order of their declaration.
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

/// The error of a malformed request (PROTOCOL.md, 1.5 Malformed requests).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// [`ErrorCode::BadJson`], [`ErrorCode::BadRequest`] or [`ErrorCode::UnknownType`].
    pub code: ErrorCode,
    /// The expected content, for users.
    pub detail: Cow<'static, str>,
    /// The `id` of the request, if it has a legal one.
    pub id: Option<Box<str>>,
    /// Whether the object has a `type` other than `hello`, known or not (PROTOCOL.md, 3.2 `hello`).
    pub is_other: bool,
}

/// An error while reading from or writing to the wire.
#[derive(Debug, thiserror::Error)]
pub enum ProtoError {
    /// The length of a frame is out of range; the rest of the stream cannot be decoded.
    #[error("a frame of {0} bytes: 1 to {max} are allowed", max = crate::MAX_FRAME_BYTES)]
    BadFrame(usize),
    /// The JSON is not an object of this protocol.
    #[error("no object of this protocol")]
    Json(#[from] serde_json::Error),
    /// The transport has failed.
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
