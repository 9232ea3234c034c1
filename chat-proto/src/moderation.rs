//! Requests and events of operators and founders (PROTOCOL.md, 10. Moderation).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::request::{Fields, Request};
use crate::{MAX_PAGE, Timestamp};

/// The maximum length of the reason of a kick, ban or mute, in bytes. The server stores it as long
/// as the sanction lasts.
pub const REASON_BYTES: usize = 512;

/// The maximum length of a topic, in bytes.
pub const TOPIC_BYTES: usize = 512;

/// The valid durations of a ban or mute that ends, in seconds; the maximum is a century.
pub const SENTENCE_SECONDS: RangeInclusive<u64> = 1..=3_155_760_000;

/// The target of a ban, in the JSON a field with the name of the variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target<'a> {
    /// The user that has the nick or takes it.
    Nick(Cow<'a, str>),
    /// The account, under any nick.
    Account(Cow<'a, str>),
    /// An IP address or a network, for example `192.0.2.0/24`.
    Address(Cow<'a, str>),
}

/// The fields of `kick` (PROTOCOL.md, 10.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kick<'a> {
    /// The user.
    pub nick: Cow<'a, str>,
    /// The channel; the lobby and `None` mean the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// The reason, up to [`REASON_BYTES`] bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// The fields of `ban` (PROTOCOL.md, 10.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ban<'a> {
    /// The target.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel; the lobby and `None` mean the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// The duration, within [`SENTENCE_SECONDS`]; no end for `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The reason, up to [`REASON_BYTES`] bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// The fields of `unban` (PROTOCOL.md, 10.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unban<'a> {
    /// The target of the ban.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel of the ban; the lobby and `None` mean the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
}

/// The fields of `bans`, which returns a page of the bans of a channel, or of the bans and mutes of
/// the server (PROTOCOL.md, 10.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BansQuery<'a> {
    /// The channel; the lobby and `None` mean the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Only bans with a higher number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The maximum number of entries, 1 to [`MAX_PAGE`].
    pub limit: u16,
}

/// The fields of `mute` (PROTOCOL.md, 10.1 Requests).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mute<'a> {
    /// The user.
    pub nick: Cow<'a, str>,
    /// The duration, within [`SENTENCE_SECONDS`]; no end for `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// The reason, up to [`REASON_BYTES`] bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// An active ban or mute (PROTOCOL.md, 10.3 Events).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanInfo<'a> {
    /// The target.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel; `None` for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Whether the entry is a mute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mute: bool,
    /// The number, higher than that of each earlier ban or mute.
    pub number: u64,
    /// The user that set it; `None` if it was set beside the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// The time when it was set.
    pub time: Timestamp,
    /// The time when it ends; `None` for no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// The fields of `banned` (PROTOCOL.md, 10.3 Events).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned<'a> {
    /// The ban.
    #[serde(flatten)]
    pub ban: BanInfo<'a>,
    /// The address of the removed user, a /64 network in IPv6. Only operators receive it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_from: Option<Cow<'a, str>>,
}

/// The fields of `unbanned` (PROTOCOL.md, 10.3 Events).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbanned<'a> {
    /// The target of the ban.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel of the ban; `None` for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// The user that lifted the ban.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// The time of the change.
    pub time: Timestamp,
}

/// The fields of `muted`, sent to the requester and to the muted user (PROTOCOL.md, 10.3 Events).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted<'a> {
    /// The user.
    pub nick: Cow<'a, str>,
    /// The user that set the mute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// The time of the change.
    pub time: Timestamp,
    /// The time when it ends; `None` for no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// Builds a request of moderation; `None` for an unknown type. An error names the expected content
/// of a wrong field.
pub(crate) fn request<'a>(
    kind: &str,
    fields: Fields<'a>,
) -> Result<Option<Request<'a>>, &'static str> {
    Ok(Some(match kind {
        "kick" => Request::Kick(Kick {
            nick: fields.nick.text("kick needs a string nick")?,
            channel: fields.channel.optional_text("channel is a string")?,
            reason: fields.reason.optional_text("reason is a string")?,
        }),
        "ban" => Request::Ban(Ban {
            target: target(fields.nick, fields.account, fields.address)?,
            channel: fields.channel.optional_text("channel is a string")?,
            seconds: fields.seconds.seconds()?,
            reason: fields.reason.optional_text("reason is a string")?,
        }),
        "unban" => Request::Unban(Unban {
            target: target(fields.nick, fields.account, fields.address)?,
            channel: fields.channel.optional_text("channel is a string")?,
        }),
        "bans" => Request::Bans(BansQuery {
            channel: fields.channel.optional_text("channel is a string")?,
            after: fields.after.optional_number("after is a number")?,
            limit: fields.limit.page(MAX_PAGE)?,
        }),
        "mute" => Request::Mute(Mute {
            nick: fields.nick.text("mute needs a string nick")?,
            seconds: fields.seconds.seconds()?,
            reason: fields.reason.optional_text("reason is a string")?,
        }),
        "unmute" => Request::Unmute {
            nick: fields.nick.text("unmute needs a string nick")?,
        },
        "topic" => Request::Topic {
            channel: fields.channel.text("topic needs a string channel")?,
            topic: fields.topic.text("topic needs a string topic")?,
        },
        _ => return Ok(None),
    }))
}

type Field<'a> = crate::request::Field<'a>;

/// Returns the only one of the three fields that is present.
fn target<'a>(
    nick: Field<'a>,
    account: Field<'a>,
    address: Field<'a>,
) -> Result<Target<'a>, &'static str> {
    const ONE: &str = "it is about one of nick, account and address, a string";
    match (
        nick.optional_text(ONE)?,
        account.optional_text(ONE)?,
        address.optional_text(ONE)?,
    ) {
        (Some(nick), None, None) => Ok(Target::Nick(nick)),
        (None, Some(account), None) => Ok(Target::Account(account)),
        (None, None, Some(address)) => Ok(Target::Address(address)),
        _ => Err(ONE),
    }
}
