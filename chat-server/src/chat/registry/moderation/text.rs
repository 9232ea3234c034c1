//! Texts and events about sanctions, for clients and the log.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chat_proto::codec::json_string_bytes;
use chat_proto::moderation::{self as wire, BanInfo};
use chat_proto::{ErrorCode, Timestamp};

use crate::chat::command::Refusal;
use crate::chat::effect::NetworkBan;
use crate::chat::moderation::{LOG, Sanction, Scope, Target};
use crate::logging::Quoted;

/// The length of `{"account":,"channel":,"mute":true,"number":,"by":,"time":,"until":,"reason":},`
/// with the largest numbers.
const BAN_ENTRY_BYTES: usize = 200;

pub(in crate::chat::registry) fn not_permitted(detail: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(ErrorCode::NotPermitted, detail)
}

/// Returns `: spam`, or nothing.
pub(in crate::chat::registry) fn with_reason(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |reason| format!(": {reason}"))
}

/// Returns ` until 2026-11-23T18:50:00.123Z: spam`, as far as known.
pub(in crate::chat::registry) fn ban_suffix(
    until: Option<Timestamp>,
    reason: Option<&str>,
) -> String {
    let until = until.map_or(String::new(), |until| format!(" until {until}"));
    format!("{until}{}", with_reason(reason))
}

fn banned_words(sanction: &Sanction) -> String {
    let why = ban_suffix(sanction.until, sanction.reason.as_deref());
    format!("you are banned from this server{why}")
}

pub(in crate::chat::registry) fn banned(sanction: &Sanction) -> Refusal {
    Refusal::new(ErrorCode::Banned, banned_words(sanction))
}

pub(in crate::chat::registry) fn network_ban(sanction: &Sanction) -> NetworkBan {
    NetworkBan {
        until: sanction.until,
        detail: banned_words(sanction).into(),
    }
}

pub(in crate::chat::registry) fn wire_target(target: &Target) -> wire::Target<'static> {
    match target {
        Target::Nick(nick) => wire::Target::Nick(nick.to_string().into()),
        Target::Account(nick) => wire::Target::Account(nick.to_string().into()),
        Target::Network(network) => wire::Target::Address(network.to_string().into()),
    }
}

pub(in crate::chat::registry) fn channel_label(scope: &Scope) -> Option<Cow<'static, str>> {
    match scope {
        Scope::Channel(channel) => Some(channel.to_string().into()),
        Scope::Server | Scope::Mute => None,
    }
}

/// Returns a sanction as clients receive it.
pub(in crate::chat::registry) fn ban_info(sanction: &Sanction) -> BanInfo<'static> {
    let owned = |text: &Option<Arc<str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
    BanInfo {
        target: wire_target(&sanction.target),
        channel: channel_label(&sanction.scope),
        mute: sanction.scope == Scope::Mute,
        number: sanction.number,
        by: owned(&sanction.by),
        time: sanction.set,
        until: sanction.until,
        reason: owned(&sanction.reason),
    }
}

/// Returns a bound of the JSON size of a list entry.
pub(in crate::chat::registry) fn json_size(ban: &BanInfo<'_>) -> usize {
    let (wire::Target::Nick(name) | wire::Target::Account(name) | wire::Target::Address(name)) =
        &ban.target;
    let rest = [&ban.channel, &ban.by, &ban.reason];
    let texts = rest.into_iter().flatten().chain([name]);
    BAN_ENTRY_BYTES + texts.map(|text| json_string_bytes(text)).sum::<usize>()
}

/// Describes a sanction in the log.
pub(in crate::chat::registry) struct Describe<'a>(pub &'a Target, pub &'a Scope);

impl fmt::Display for Describe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Target::Nick(nick) => write!(f, "the nick {nick}")?,
            Target::Account(nick) => write!(f, "the account {nick}")?,
            Target::Network(network) => write!(f, "the address {network}")?,
        }
        match self.1 {
            Scope::Channel(channel) => write!(f, " from {}", Quoted::text(channel.as_str())),
            Scope::Server | Scope::Mute => Ok(()),
        }
    }
}

pub(in crate::chat::registry) fn log_set(sanction: &Sanction) {
    let Sanction {
        scope,
        target,
        by,
        until,
        reason,
        ..
    } = sanction;
    let does = match scope {
        Scope::Mute => "mutes",
        Scope::Server | Scope::Channel(_) => "bans",
    };
    let until = until.map_or("permanently".into(), |until| format!("until {until}"));
    log::info!(
        target: LOG,
        "{} {does} {} {until}: {}",
        by.as_deref().unwrap_or("an administrator"),
        Describe(target, scope),
        Quoted::text(reason.as_deref().unwrap_or_default())
    );
}
