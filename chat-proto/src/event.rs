//! What a server tells its clients (PROTOCOL.md, 4. From the server).

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};

use crate::moderation::{BanInfo, Banned, Muted, Unbanned};
use crate::{ErrorCode, ProtoError, Timestamp};

/// What a server tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The answer to a `hello` that was taken.
    Welcome(Box<Welcome<'a>>),
    /// Somebody said something.
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
    /// Somebody entered a channel.
    Joined {
        /// Which.
        channel: Cow<'a, str>,
        /// Who.
        nick: Cow<'a, str>,
        /// When.
        time: Timestamp,
    },
    /// Somebody left a channel.
    Left {
        /// Which.
        channel: Cow<'a, str>,
        /// Who.
        nick: Cow<'a, str>,
        /// When.
        time: Timestamp,
        /// Why, in the words of who left, or of who put them out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Cow<'a, str>>,
        /// Who put them out; they left by themselves where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
    },
    /// Somebody is no longer connected.
    Gone {
        /// Who.
        nick: Cow<'a, str>,
        /// When.
        time: Timestamp,
        /// Why.
        reason: Cow<'a, str>,
        /// Who put them out; they went by themselves where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
    },
    /// Somebody has another nick.
    Renamed {
        /// The nick before.
        nick: Cow<'a, str>,
        /// The nick from now on.
        to: Cow<'a, str>,
        /// When.
        time: Timestamp,
    },
    /// A page of who is in a channel.
    Users {
        /// Which channel.
        channel: Cow<'a, str>,
        /// The nicks, sorted by their folded form.
        users: Vec<Cow<'a, str>>,
        /// How many there are in all.
        total: usize,
        /// Whether more stand behind the last one.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The channels there are, the largest first.
    Channels {
        /// As many as fit into a frame.
        channels: Vec<ChannelInfo<'a>>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A page of what was said.
    History {
        /// The channel, or the other end of a direct conversation.
        with: Cow<'a, str>,
        /// Oldest first. Reading leaves out records of a kind that is not known.
        #[serde(deserialize_with = "known_records")]
        messages: Vec<Record<'a>>,
        /// Whether there is more in the direction that was asked for.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// Answer with a `pong` of the same `id`.
    Ping {
        /// To be given back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The answer to a `ping`.
    Pong {
        /// The `id` of the `ping`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A request was refused, or the connection ends.
    Error {
        /// For programs.
        code: ErrorCode,
        /// For people.
        detail: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// Goodbye: the server closes.
    Bye {
        /// Why.
        reason: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The nick is one's account now, or has another password.
    Registered {
        /// The account.
        nick: Cow<'a, str>,
        /// Brings one back from now on, where the token of `welcome` has ended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<Cow<'a, str>>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// The nick is protected no longer.
    Unregistered {
        /// What was the account.
        nick: Cow<'a, str>,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// A ban is set (PROTOCOL.md, 10. Moderation).
    Banned(Box<Banned<'a>>),
    /// A ban is lifted.
    Unbanned(Box<Unbanned<'a>>),
    /// A page of bans, and of mutes, in the order of their numbers.
    Bans {
        /// Of which channel; of the server where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<Cow<'a, str>>,
        /// The bans.
        bans: Vec<BanInfo<'a>>,
        /// Whether more stand behind the last one.
        more: bool,
        /// The `id` of the request.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<Cow<'a, str>>,
    },
    /// Somebody may say nothing any more.
    Muted(Box<Muted<'a>>),
    /// Somebody may say something again.
    Unmuted {
        /// Who.
        nick: Cow<'a, str>,
        /// Thanks to whom.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        /// When.
        time: Timestamp,
    },
    /// What a channel is about.
    Topic {
        /// Which.
        channel: Cow<'a, str>,
        /// Its topic; empty where it has none any more.
        topic: Cow<'a, str>,
        /// Who set it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Cow<'a, str>>,
        /// When it was set.
        time: Timestamp,
    },
    /// An event of a newer version of the protocol.
    #[serde(other)]
    Unknown,
}

/// `welcome`: one is in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome<'a> {
    /// [`crate::VERSION`].
    pub version: u64,
    /// The nick one has.
    pub nick: Cow<'a, str>,
    /// The server's name and version.
    pub server: Cow<'a, str>,
    /// What brings one back after a lost connection; a secret.
    pub token: Cow<'a, str>,
    /// The last message recorded.
    pub seq: u64,
    /// The server's clock.
    pub time: Timestamp,
    /// The channels one is in.
    pub joined: Vec<Cow<'a, str>>,
    /// The largest channels.
    pub channels: Vec<ChannelInfo<'a>>,
    /// Whether the token was good: one is who one was, in the channels one was in.
    pub resumed: bool,
    /// Whether more was missed than follows: `history` has the rest.
    pub gap: bool,
    /// The message of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub motd: Option<Cow<'a, str>>,
    /// The `id` of the `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
}

/// The token is a secret and is not shown.
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

/// A message as it is delivered and recorded. The order of the fields is part of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message<'a> {
    /// Its number, the same for everyone.
    pub seq: u64,
    /// When it arrived at the server.
    pub time: Timestamp,
    /// Who said it.
    pub from: Cow<'a, str>,
    /// The channel, or the nick of who is spoken to.
    pub to: Cow<'a, str>,
    /// What was said.
    pub text: Cow<'a, str>,
    /// The `id` that its sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Cow<'a, str>>,
}

/// A line of the history: a [`Message`] that bears its `type`, exactly as it was delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Record<'a> {
    /// The only kind of record that this version knows.
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

/// A channel and how many are in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelInfo<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// The people in it.
    pub users: usize,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<Cow<'a, str>>,
}

impl Event<'static> {
    /// The event that a frame holds; [`Event::Unknown`] where its type is of a newer version.
    ///
    /// # Errors
    /// The bytes are no object of this protocol.
    pub fn parse(frame: &[u8]) -> Result<Self, ProtoError> {
        Ok(serde_json::from_slice(frame)?)
    }
}
