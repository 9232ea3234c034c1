//! Formats moderation events (kicks, bans, mutes) and topics. Pure.

use std::borrow::Cow;
use std::time::Duration;

use chat_proto::moderation::{BanInfo, Banned, Muted, Target, Unbanned};
use chat_proto::{Event, Timestamp};
use jiff::tz::TimeZone;

use super::escape::{lines, word};
use super::wording::time;

/// Formats a moderation event, with its time.
pub fn notice(event: &Event<'_>) -> Option<(String, Timestamp)> {
    Some(match event {
        Event::Left {
            channel,
            nick,
            time,
            reason,
            by: Some(by),
        } => {
            let (nick, channel) = (word(nick), word(channel));
            let why = why(reason.as_deref());
            let text = format!("{nick} was kicked from {channel}{}{why}", author(Some(by)));
            (text, *time)
        }
        Event::Gone {
            nick,
            time,
            reason,
            by: Some(by),
        } => {
            let (nick, why) = (word(nick), why(Some(reason)));
            (format!("{nick} was kicked{}{why}", author(Some(by))), *time)
        }
        Event::Banned(told) => (banned(told), told.ban.time),
        Event::Unbanned(told) => (unbanned(told), told.time),
        Event::Muted(told) => (muted(told), told.time),
        Event::Unmuted { nick, by, time } => {
            let text = format!("{} is muted no longer{}", word(nick), author(by.as_ref()));
            (text, *time)
        }
        Event::Topic {
            channel,
            topic,
            by,
            time,
        } => (about(channel, Some(topic), by.as_ref()), *time),
        _ => return None,
    })
}

fn banned(Banned { ban, came_from }: &Banned<'_>) -> String {
    let from = came_from.as_deref();
    let from = from.map_or(String::new(), |from| format!("; came from {}", word(from)));
    format!(
        "{} is banned{}{}{}{}{from}",
        whom(&ban.target),
        place(ban.channel.as_deref()),
        how_long(ban.time, ban.until),
        author(ban.by.as_ref()),
        why(ban.reason.as_deref()),
    )
}

fn unbanned(unbanned: &Unbanned<'_>) -> String {
    let whom = whom(&unbanned.target);
    let (place, by) = (
        place(unbanned.channel.as_deref()),
        author(unbanned.by.as_ref()),
    );
    format!("the ban of {whom}{place} was lifted{by}")
}

fn muted(muted: &Muted<'_>) -> String {
    format!(
        "{} is muted{}{}{}",
        word(&muted.nick),
        how_long(muted.time, muted.until),
        author(muted.by.as_ref()),
        why(muted.reason.as_deref()),
    )
}

/// `the topic of #rust: crabs (set by ana)`
pub fn about(channel: &str, topic: Option<&str>, by: Option<&Cow<'_, str>>) -> String {
    let channel = word(channel);
    let by = by.map_or(String::new(), |by| format!(" (set by {})", word(by)));
    match topic.filter(|topic| !topic.is_empty()) {
        Some(topic) => format!("the topic of {channel}: {}{by}", word(topic)),
        None => format!("{channel} has no topic{by}"),
    }
}

/// `1 ban:`, and a line for each.
pub fn bans(bans: &[BanInfo<'_>], zone: &TimeZone) -> Vec<String> {
    let count = match bans.len() {
        0 => "no bans".to_owned(),
        1 => "1 ban:".to_owned(),
        count => format!("{count} bans:"),
    };
    let lines = bans.iter().map(|ban| {
        let what = if ban.mute { " muted" } else { "" };
        let until = ban.until.map_or("for good".to_owned(), |until| {
            format!("until {}", time(until.to_jiff(), zone))
        });
        format!(
            "{}{what}{} {until}{}{}",
            whom(&ban.target),
            place(ban.channel.as_deref()),
            author(ban.by.as_ref()),
            why(ban.reason.as_deref()),
        )
    });
    std::iter::once(count).chain(lines).collect()
}

fn whom(target: &Target<'_>) -> String {
    match target {
        Target::Nick(name) | Target::Address(name) => word(name),
        Target::Account(name) => format!("the account {}", word(name)),
    }
}

fn place(channel: Option<&str>) -> String {
    channel.map_or(String::new(), |channel| format!(" from {}", word(channel)))
}

fn author(by: Option<&Cow<'_, str>>) -> String {
    by.map_or(String::new(), |by| format!(" by {}", word(by)))
}

/// Formats a reason; the default reason of the server is left out.
fn why(reason: Option<&str>) -> String {
    match reason {
        None | Some("" | "kicked") => String::new(),
        Some(reason) => format!(" ({})", lines(reason)),
    }
}

fn how_long(from: Timestamp, until: Option<Timestamp>) -> String {
    let Some(until) = until else {
        return " for good".to_owned();
    };
    let millis = until.as_millis() - from.as_millis();
    let span = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    format!(" for {}", humantime::format_duration(span))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: Timestamp = Timestamp::from_millis(1_795_459_800_123);
    const LATER: Timestamp = Timestamp::from_millis(1_795_459_800_123 + 600_000);

    fn ban(target: Target<'static>) -> BanInfo<'static> {
        BanInfo {
            target,
            channel: None,
            mute: false,
            number: 7,
            by: Some("ana".into()),
            time: TIME,
            until: None,
            reason: None,
        }
    }

    fn left(reason: &'static str) -> Event<'static> {
        Event::Left {
            channel: "#rust".into(),
            nick: "lu\u{1b}is".into(),
            time: TIME,
            reason: Some(reason.into()),
            by: Some("ana".into()),
        }
    }

    fn topic(topic: &'static str) -> Event<'static> {
        Event::Topic {
            channel: "#rust".into(),
            topic: topic.into(),
            by: Some("ana".into()),
            time: TIME,
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn what_is_told_of_verdicts() {
        let luis = || Target::Nick("luis".into());
        for (event, shown) in [
            (
                left("spam"),
                "lu\\u{1b}is was kicked from #rust by ana (spam)",
            ),
            (left("kicked"), "lu\\u{1b}is was kicked from #rust by ana"),
            (
                Event::Gone {
                    nick: "luis".into(),
                    time: TIME,
                    reason: "s\u{7}".into(),
                    by: Some("ana".into()),
                },
                "luis was kicked by ana (s\\u{7})",
            ),
            (
                Event::Banned(Box::new(Banned {
                    ban: ban(luis()),
                    came_from: Some("192.0.2.7".into()),
                })),
                "luis is banned for good by ana; came from 192.0.2.7",
            ),
            (
                Event::Banned(Box::new(Banned {
                    ban: BanInfo {
                        channel: Some("#rust".into()),
                        until: Some(LATER),
                        reason: Some("spam".into()),
                        ..ban(Target::Account("luis".into()))
                    },
                    came_from: None,
                })),
                "the account luis is banned from #rust for 10m by ana (spam)",
            ),
            (
                Event::Unbanned(Box::new(Unbanned {
                    target: Target::Address("192.0.2.0/24".into()),
                    channel: Some("#rust".into()),
                    by: Some("ana".into()),
                    time: TIME,
                })),
                "the ban of 192.0.2.0/24 from #rust was lifted by ana",
            ),
            (
                Event::Muted(Box::new(Muted {
                    nick: "luis".into(),
                    by: None,
                    time: TIME,
                    until: Some(LATER),
                    reason: Some("noise".into()),
                })),
                "luis is muted for 10m (noise)",
            ),
            (
                Event::Unmuted {
                    nick: "luis".into(),
                    by: Some("ana".into()),
                    time: TIME,
                },
                "luis is muted no longer by ana",
            ),
            (
                topic("cr\u{1b}abs"),
                "the topic of #rust: cr\\u{1b}abs (set by ana)",
            ),
            (topic(""), "#rust has no topic (set by ana)"),
        ] {
            assert_eq!(notice(&event), Some((shown.to_owned(), TIME)));
        }
        assert_eq!(notice(&Event::Pong { id: None }), None);
    }

    #[test]
    fn lists_of_bans() {
        let east = TimeZone::fixed(jiff::tz::offset(9));
        assert_eq!(bans(&[], &east), ["no bans"]);
        let all = [
            ban(Target::Address("192.0.2.7".into())),
            BanInfo {
                mute: true,
                until: Some(TIME),
                reason: Some("spam".into()),
                ..ban(Target::Nick("luis".into()))
            },
        ];
        assert_eq!(
            bans(&all, &east),
            [
                "2 bans:",
                "192.0.2.7 for good by ana",
                "luis muted until 2026-11-24 03:50:00 by ana (spam)"
            ]
        );
    }
}
