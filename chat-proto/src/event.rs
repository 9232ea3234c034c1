//! Events that a server sends (PROTOCOL.md, 4. From the server).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::moderation::{BanInfo, Banned, Muted, Unbanned};
use crate::{ErrorCode, ProtoError, Timestamp};

/// An event, with its `type` as the variant (PROTOCOL.md, 4. From the server).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The answer to an accepted `hello` (4.1).
    Welcome(Box<Welcome<'a>>),
    /// A message of a channel or a direct message (4.2).
    Message(Message<'a>),
    /// Acknowledges a `say` that is recorded, or a request whose effect was an event.
    Ack {
        /// The `id` of the request.
        id: Cow<'a, str>,
        /// The number of the recorded message; only the `ack` of a `say` has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        /// When the request arrived.
        time: Timestamp,
    },
    /// A user has entered a channel (4.4).
    Joined {
        /// The channel.
        channel: Cow<'a, str>,
        /// The user.
        nick: Cow<'a, str>,
        /// The time of the change.
        time: Timestamp,
    },
    /// A user has left a channel (4.4).
    Left {
        /// The channel.
        channel: Cow<'a, str>,
        /// The user.
        nick: Cow<'a, str>,
        /// The time of the change.
        time: Timestamp,
        /// The reason of the user or of the moderator.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// The moderator; `None` if the user left by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
    },
    /// A user has disconnected (4.5).
    Gone {
        /// The user.
        nick: Cow<'a, str>,
        /// The time of the change.
        time: Timestamp,
        /// The reason of the user, of the moderator, or of the server.
        reason: Cow<'a, str>,
        /// The moderator; `None` if the user was not removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
    },
    /// A user has another nick (4.6).
    Renamed {
        /// The nick before.
        nick: Cow<'a, str>,
        /// The nick from now on.
        to: Cow<'a, str>,
        /// The time of the change.
        time: Timestamp,
    },
    /// A page of the members of a channel (4.7).
    Users {
        /// The channel.
        channel: Cow<'a, str>,
        /// The nicks, sorted by folded form.
        users: Vec<Cow<'a, str>>,
        /// The number of all members.
        total: usize,
        /// Whether entries are left behind the last one.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The largest channels, the largest first (4.8).
    Channels {
        /// As many channels as fit into a frame.
        channels: Vec<ChannelInfo<'a>>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A page of a conversation (4.9).
    History {
        /// The channel, or the nick of the other end of a direct conversation.
        with: Cow<'a, str>,
        /// The messages, the oldest first. Reading leaves out records of an unknown type.
        #[serde(deserialize_with = "known_records")]
        messages: Vec<Record<'a>>,
        /// Whether messages are left in the direction of the request.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// Asks for a `pong` of the same `id` (4.10).
    Ping {
        /// The `id` for the `pong`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The answer to a `ping` (4.10).
    Pong {
        /// The `id` of the `ping`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A request is rejected, or the connection ends (4.11).
    Error {
        /// The code, for programs.
        code: ErrorCode,
        /// A sentence for users.
        detail: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The server closes the connection (4.12).
    Bye {
        /// The reason.
        reason: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The nick is an account now, or has another password (5.1).
    Registered {
        /// The account.
        nick: Cow<'a, str>,
        /// The token that replaces the one in `welcome`, after a change of the password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Cow<'a, str>>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The nick is no longer an account (5.1).
    Unregistered {
        /// The former account.
        nick: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A ban is set (10.3).
    Banned(Box<Banned<'a>>),
    /// A ban is lifted (10.3).
    Unbanned(Box<Unbanned<'a>>),
    /// A page of bans and mutes, in the order of their numbers (10.3).
    Bans {
        /// The channel; `None` for the server.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Cow<'a, str>>,
        /// The bans.
        bans: Vec<BanInfo<'a>>,
        /// Whether entries are left behind the last one.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A user is muted (10.3).
    Muted(Box<Muted<'a>>),
    /// A user is no longer muted (10.3).
    Unmuted {
        /// The user.
        nick: Cow<'a, str>,
        /// The user that lifted the mute.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        /// The time of the change.
        time: Timestamp,
    },
    /// A channel has this topic (10.3).
    Topic {
        /// The channel.
        channel: Cow<'a, str>,
        /// The topic; empty if the channel has none.
        topic: Cow<'a, str>,
        /// The user that set the topic.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        /// The time when the topic was set.
        time: Timestamp,
    },
    /// An event with a `type` that this crate does not know (appendix A).
    #[serde(other)]
    Unknown,
}

/// The fields of `welcome` (PROTOCOL.md, 4.1 `welcome`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// [`crate::VERSION`].
    pub version: u64,
    /// The nick of the client.
    pub nick: Cow<'a, str>,
    /// Name and version of the server.
    pub server: Cow<'a, str>,
    /// The token that resumes the session; a secret.
    pub token: Cow<'a, str>,
    /// The last recorded message.
    pub seq: u64,
    /// The time of the server.
    pub time: Timestamp,
    /// The channels that the client is in.
    pub joined: Vec<Cow<'a, str>>,
    /// The largest channels.
    pub channels: Vec<ChannelInfo<'a>>,
    /// Whether the client is back in the channels that it was in.
    pub resumed: bool,
    /// Whether the replay lacks missed messages; `history` has them.
    pub gap: bool,
    /// The message of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motd: Option<Cow<'a, str>>,
    /// The `id` of the `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
}

/// Leaves out the token, which is a secret.
impl std::fmt::Debug for Welcome<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Welcome")
            .field("nick", &self.nick)
            .field("server", &self.server)
            .field("seq", &self.seq)
            .field("joined", &self.joined)
            .field("resumed", &self.resumed)
            .field("gap", &self.gap)
            .finish_non_exhaustive()
    }
}

/// A message as it is delivered and recorded. The order of the fields is fixed (PROTOCOL.md, 4.2
/// `message`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<'a> {
    /// The sequence number, unique in the server.
    pub seq: u64,
    /// The time of arrival at the server.
    pub time: Timestamp,
    /// The nick of the sender.
    pub from: Cow<'a, str>,
    /// The channel, or the nick of the recipient.
    pub to: Cow<'a, str>,
    /// The text.
    pub text: Cow<'a, str>,
    /// The `id` that the sender gave to the `say`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
}

/// A line of the history: a [`Message`] with its `type`, identical to the delivered JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record<'a> {
    /// A message; the only type of record that this version knows.
    Message(Message<'a>),
}

/// A record of any version of the protocol.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum VersionedRecord<'a> {
    Message(Message<'a>),
    #[serde(other)]
    Unknown,
}

fn known_records<'de, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Record<'a>>, D::Error> {
    let records = Vec::<VersionedRecord<'a>>::deserialize(deserializer)?.into_iter();
    let known = records.filter_map(|record| match record {
        VersionedRecord::Message(message) => Some(Record::Message(message)),
        VersionedRecord::Unknown => None,
    });
    Ok(known.collect())
}

/// An entry of `channels` (PROTOCOL.md, 4.8 `channels`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelInfo<'a> {
    /// The name.
    pub name: Cow<'a, str>,
    /// The number of members.
    pub users: usize,
    /// The topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Cow<'a, str>>,
}

impl Event<'static> {
    /// Parses the JSON of a frame; an event of an unknown type is [`Event::Unknown`].
    ///
    /// # Errors
    /// The bytes are not an object of this protocol.
    pub fn parse(frame: &[u8]) -> Result<Self, ProtoError> {
        Ok(serde_json::from_slice(frame)?)
    }
}
