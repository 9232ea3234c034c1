//! What people are told of bans and mutes, and what stands in the log.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use chat_proto::codec::json_string_bytes;
use chat_proto::moderation::{self as wire, BanInfo};
use chat_proto::{ErrorCode, Timestamp};

use crate::chat::command::Refusal;
use crate::chat::effect::Bar;
use crate::chat::moderation::{LOG, Sanction, Scope, Target};
use crate::logging::Quoted;

/// `{"account":,"channel":,"mute":true,"number":,"by":,"time":,"until":,"reason":},` and the numbers.
const BAN_ENTRY_BYTES: usize = 200;

pub(in crate::chat::registry) fn not_permitted(detail: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(ErrorCode::NotPermitted, detail)
}

/// `: spam`, or nothing.
pub(in crate::chat::registry) fn because(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |reason| format!(": {reason}"))
}

/// ` until 2026-11-23T18:50:00.123Z: spam`
pub(in crate::chat::registry) fn sentence(
    until: Option<Timestamp>,
    reason: Option<&str>,
) -> String {
    let until = until.map_or(String::new(), |until| format!(" until {until}"));
    format!("{until}{}", because(reason))
}

fn banned_words(sanction: &Sanction) -> String {
    let why = sentence(sanction.until, sanction.reason.as_deref());
    format!("you are banned from this server{why}")
}

pub(in crate::chat::registry) fn banned(sanction: &Sanction) -> Refusal {
    Refusal::new(ErrorCode::Banned, banned_words(sanction))
}

pub(in crate::chat::registry) fn bar(sanction: &Sanction) -> Bar {
    Bar {
        until: sanction.until,
        detail: banned_words(sanction).into(),
    }
}

pub(in crate::chat::registry) fn named(target: &Target) -> wire::Target<'static> {
    match target {
        Target::Nick(nick) => wire::Target::Nick(nick.to_string().into()),
        Target::Account(nick) => wire::Target::Account(nick.to_string().into()),
        Target::Network(network) => wire::Target::Address(network.to_string().into()),
    }
}

pub(in crate::chat::registry) fn of_channel(scope: &Scope) -> Option<Cow<'static, str>> {
    match scope {
        Scope::Channel(channel) => Some(channel.to_string().into()),
        Scope::Server | Scope::Speech => None,
    }
}

/// A sanction as people are told it.
pub(in crate::chat::registry) fn info(sanction: &Sanction) -> BanInfo<'static> {
    let owned = |text: &Option<Arc<str>>| text.as_deref().map(|text| Cow::Owned(text.to_owned()));
    BanInfo {
        target: named(&sanction.target),
        channel: of_channel(&sanction.scope),
        mute: sanction.scope == Scope::Speech,
        number: sanction.number,
        by: owned(&sanction.by),
        time: sanction.set,
        until: sanction.until,
        reason: owned(&sanction.reason),
    }
}

/// What an entry of a list takes in JSON, at most.
pub(in crate::chat::registry) fn bytes_of(ban: &BanInfo<'_>) -> usize {
    let (wire::Target::Nick(name) | wire::Target::Account(name) | wire::Target::Address(name)) =
        &ban.target;
    let rest = [&ban.channel, &ban.by, &ban.reason];
    let texts = rest.into_iter().flatten().chain([name]);
    BAN_ENTRY_BYTES + texts.map(|text| json_string_bytes(text)).sum::<usize>()
}

/// Whom a sanction is about, for the log.
pub(in crate::chat::registry) struct Words<'a>(pub &'a Target, pub &'a Scope);

impl fmt::Display for Words<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Target::Nick(nick) => write!(f, "the nick {nick}")?,
            Target::Account(nick) => write!(f, "the account {nick}")?,
            Target::Network(network) => write!(f, "the address {network}")?,
        }
        match self.1 {
            Scope::Channel(channel) => write!(f, " from {}", Quoted::text(channel.as_str())),
            Scope::Server | Scope::Speech => Ok(()),
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
        Scope::Speech => "mutes",
        Scope::Server | Scope::Channel(_) => "bans",
    };
    let until = until.map_or("for good".into(), |until| format!("until {until}"));
    log::info!(
        target: LOG,
        "{} {does} {} {until}: {}",
        by.as_deref().unwrap_or("the server's owner"),
        Words(target, scope),
        Quoted::text(reason.as_deref().unwrap_or_default())
    );
}
