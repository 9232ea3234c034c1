//! What operators and founders of channels ask, and what is told of it (PROTOCOL.md, 10. Moderation).

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::request::{Fields, Request};
use crate::{MAX_PAGE, Timestamp};

/// The longest reason of a kick, a ban or a mute, in bytes: it is kept as long as the ban.
pub const REASON_BYTES: usize = 512;

/// The longest topic of a channel, in bytes.
pub const TOPIC_BYTES: usize = 512;

/// How long a ban or a mute may be, in seconds, that is not for good: a century.
pub const SENTENCE_SECONDS: RangeInclusive<u64> = 1..=3_155_760_000;

/// Whom a ban is about: a field of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target<'a> {
    /// Whoever has the nick or takes it.
    Nick(Cow<'a, str>),
    /// Whoever is that account, under any nick.
    Account(Cow<'a, str>),
    /// Whoever comes from that address, or network: `192.0.2.0/24`.
    Address(Cow<'a, str>),
}

/// `kick`: out of a channel, or off the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kick<'a> {
    /// Who.
    pub nick: Cow<'a, str>,
    /// Out of which channel; off the server where it is the lobby or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Why, up to [`REASON_BYTES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// `ban`: out, and not in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ban<'a> {
    /// Whom.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// From which channel; from the server where it is the lobby or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// For how long, [`SENTENCE_SECONDS`]; for good where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why, up to [`REASON_BYTES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// `unban`: may come in again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unban<'a> {
    /// Whom the ban is about.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel it is for; the server where it is the lobby or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
}

/// `bans`: a page of the bans of a channel, or of those and the mutes of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BansQuery<'a> {
    /// Of which channel; of the server where it is the lobby or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Only those behind this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// At most so many, 1 to [`MAX_PAGE`].
    pub limit: u16,
}

/// `mute`: says nothing any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mute<'a> {
    /// Who.
    pub nick: Cow<'a, str>,
    /// For how long, [`SENTENCE_SECONDS`]; for good where left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Why, up to [`REASON_BYTES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// A ban or a mute that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanInfo<'a> {
    /// Whom it is about.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel it is for; the server where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Whether it is a mute.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mute: bool,
    /// Grows from one to the next.
    pub number: u64,
    /// Who set it; nobody here where it was set beside the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// When it was set.
    pub time: Timestamp,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// `banned`: the ban is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banned<'a> {
    /// The ban.
    #[serde(flatten)]
    pub ban: BanInfo<'a>,
    /// Where whoever was put out came from: an address, a /64 in IPv6. Told to operators alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_from: Option<Cow<'a, str>>,
}

/// `unbanned`: the ban is lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unbanned<'a> {
    /// Whom it was about.
    #[serde(flatten)]
    pub target: Target<'a>,
    /// The channel it was for; the server where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Cow<'a, str>>,
    /// Who lifted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// When.
    pub time: Timestamp,
}

/// `muted`: nobody hears them any more; told to them and to who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Muted<'a> {
    /// Who.
    pub nick: Cow<'a, str>,
    /// Who asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// When.
    pub time: Timestamp,
    /// When it ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'a, str>>,
}

/// The request of that type; `None` for an unknown type; what was expected where a field is wrong.
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

/// Exactly one of the three.
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
