//! Formats events for line mode. Pure.
//!
//! All text from outside is escaped here ([`crate::text::escape`]).

use chat_proto::{Channel, Event, Message, Timestamp};
use jiff::tz::TimeZone;

use super::escape::{lines, word};
use super::wording::count;
use super::{moderation, wording};

/// The most users that `/query` numbers; others are chosen by name.
const MAX_NUMBERED: usize = 100;

/// Formats a message for a user whose current channel is `here`.
pub fn message(message: &Message<'_>, here: &Channel) -> String {
    let (from, text) = (word(&message.from), lines(&message.text));
    if !message.to.starts_with('#') {
        return format!("[{from} -> {}]: {text}", word(&message.to));
    }
    if Channel::new(&message.to).is_ok_and(|to| to == *here) {
        return format!("[{from}]: {text}");
    }
    format!("{} [{from}]: {text}", word(&message.to))
}

/// Formats an event that is shown when it arrives and is not a message, with its time.
pub fn notice(event: &Event<'_>) -> Option<(String, Timestamp)> {
    match event {
        Event::Joined {
            channel,
            nick,
            time,
        } => Some((format!("{} joined {}", word(nick), word(channel)), *time)),
        Event::Left {
            channel,
            nick,
            time,
            reason,
            by: None,
        } => {
            let reason = reason.as_deref().filter(|reason| !reason.is_empty());
            let why = reason.map_or(String::new(), |reason| format!(" ({})", lines(reason)));
            Some((format!("{} left {}{why}", word(nick), word(channel)), *time))
        }
        Event::Gone {
            nick,
            time,
            reason,
            by: None,
        } => Some((format!("{} is gone ({})", word(nick), lines(reason)), *time)),
        Event::Renamed { nick, to, time } => Some((
            format!("{} is now known as {}", word(nick), word(to)),
            *time,
        )),
        Event::Left { .. }
        | Event::Gone { .. }
        | Event::Banned(_)
        | Event::Unbanned(_)
        | Event::Muted(_)
        | Event::Unmuted { .. }
        | Event::Topic { .. } => moderation::notice(event),
        // Each of these is an answer, shown by who asked, or nothing to look at.
        Event::Welcome(_)
        | Event::Message(_)
        | Event::Ack { .. }
        | Event::Users { .. }
        | Event::Channels { .. }
        | Event::History { .. }
        | Event::Ping { .. }
        | Event::Pong { .. }
        | Event::Error { .. }
        | Event::Bye { .. }
        | Event::Registered { .. }
        | Event::Unregistered { .. }
        | Event::Bans { .. }
        | Event::Unknown => None,
    }
}

/// `3 in #lobby: ana, luis, maria`
pub fn users(channel: &str, nicks: &[String]) -> String {
    let names: Vec<String> = nicks.iter().map(|nick| word(nick)).collect();
    let list = if names.is_empty() {
        String::new()
    } else {
        format!(": {}", names.join(", "))
    };
    format!("{} in {}{list}", nicks.len(), word(channel))
}

/// Returns the numbered list of users to choose from on arrival.
pub fn arrival(nicks: &[String]) -> String {
    let shown = nicks.iter().take(MAX_NUMBERED).enumerate();
    let mut choices = vec!["1) everyone".to_owned()];
    choices.extend(shown.map(|(index, nick)| format!("{}) {}", index + 2, word(nick))));
    if nicks.len() > MAX_NUMBERED {
        choices.push(format!("and {} more, by name", nicks.len() - MAX_NUMBERED));
    }
    choices.join("  ")
}

/// Formats the users to choose from, numbered from 1, a line each.
pub fn choices(nicks: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = nicks
        .iter()
        .take(MAX_NUMBERED)
        .enumerate()
        .map(|(index, nick)| format!("{:>3} {}", index + 1, word(nick)))
        .collect();
    if nicks.len() > MAX_NUMBERED {
        let more = nicks.len() - MAX_NUMBERED;
        shown.push(format!("and {more} more, by name"));
    }
    shown
}

/// `2 channels: #lobby (3), #rust (1, crabs)`
pub fn channels(channels: &[chat_proto::ChannelInfo<'_>]) -> String {
    let shown: Vec<String> = channels
        .iter()
        .map(|channel| {
            let name = word(&channel.name);
            match channel.topic.as_deref().filter(|topic| !topic.is_empty()) {
                Some(topic) => format!("{name} ({}, {})", channel.users, word(topic)),
                None => format!("{name} ({})", channel.users),
            }
        })
        .collect();
    format!("{}: {}", count(shown.len(), "channel"), shown.join(", "))
}

/// `the last 3 messages of #rust:`
pub fn history(with: &str, messages: usize) -> String {
    match (messages, word(with)) {
        (1, with) => format!("the last message of {with}:"),
        (messages, with) => format!("the last {messages} messages of {with}:"),
    }
}

/// An error, of the server or of this client.
pub fn error(code: &str, detail: &str) -> String {
    format!("! {}: {}", word(code), lines(detail))
}

/// `2026-11-23 18:50:00 `, what `.t` puts before a line.
pub fn stamp(time: Timestamp, zone: &TimeZone) -> String {
    format!("{} ", wording::time(time.to_jiff(), zone))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::ChannelInfo;

    const TIME: Timestamp = Timestamp::from_millis(1_795_459_800_123);

    fn said<'a>(from: &'a str, to: &'a str, text: &'a str) -> Message<'a> {
        Message {
            seq: 1,
            time: TIME,
            from: from.into(),
            to: to.into(),
            text: text.into(),
            id: None,
        }
    }

    #[test]
    fn messages() {
        for (from, to, text, shown) in [
            ("ana", "#lobby", "hola", "[ana]: hola"),
            ("ana", "#LOBBY", "hola", "[ana]: hola"),
            ("ana", "#rust", "hola", "#rust [ana]: hola"),
            ("ana", "luis", "hola", "[ana -> luis]: hola"),
            ("ana", "ana", "to myself", "[ana -> ana]: to myself"),
            (
                "ana",
                "#lobby",
                "one\ntwo\n\nfour",
                "[ana]: one\n    two\n    \n    four",
            ),
            ("ana", "#lobby", "[luis]: not me", "[ana]: [luis]: not me"),
            (
                "ana",
                "#lobby",
                "x\n[luis]: not me",
                "[ana]: x\n    [luis]: not me",
            ),
            ("a\u{1b}[1mna", "#lobby", "\u{7}", "[a\\u{1b}[1mna]: \\u{7}"),
            (
                "ana",
                "lu\u{202e}is",
                "\u{9b}2J",
                "[ana -> lu\\u{202e}is]: \\u{9b}2J",
            ),
            ("a\nna", "#r\u{1b}c", "x", "#r\\u{1b}c [a\\nna]: x"),
        ] {
            assert_eq!(message(&said(from, to, text), &Channel::lobby()), shown);
        }
        let rust = Channel::new("#rust").unwrap();
        assert_eq!(message(&said("ana", "#rust", "hola"), &rust), "[ana]: hola");
        assert_eq!(
            message(&said("ana", "#lobby", "hola"), &rust),
            "#lobby [ana]: hola"
        );
    }

    #[test]
    fn notices() {
        let left = |reason: Option<&'static str>| Event::Left {
            channel: "#rust".into(),
            nick: "luis".into(),
            time: TIME,
            reason: reason.map(Into::into),
            by: None,
        };
        for (event, shown) in [
            (
                Event::Joined {
                    channel: "#lobby".into(),
                    nick: "luis".into(),
                    time: TIME,
                },
                "luis joined #lobby",
            ),
            (left(Some("tired")), "luis left #rust (tired)"),
            (left(None), "luis left #rust"),
            (left(Some("")), "luis left #rust"),
            (
                left(Some("\u{1b}c\nx")),
                "luis left #rust (\\u{1b}c\n    x)",
            ),
            (
                Event::Gone {
                    nick: "luis".into(),
                    time: TIME,
                    reason: "disconnected".into(),
                    by: None,
                },
                "luis is gone (disconnected)",
            ),
            (
                Event::Renamed {
                    nick: "luis".into(),
                    to: "lu\u{7}cho".into(),
                    time: TIME,
                },
                "luis is now known as lu\\u{7}cho",
            ),
        ] {
            assert_eq!(notice(&event), Some((shown.to_owned(), TIME)));
        }
        assert_eq!(notice(&Event::Pong { id: None }), None);
    }

    #[test]
    fn lists() {
        let names = |names: &[&str]| -> Vec<String> {
            names.iter().map(|name| (*name).to_owned()).collect()
        };
        assert_eq!(
            users("#lobby", &names(&["ana", "luis", "ma\u{1b}ria"])),
            "3 in #lobby: ana, luis, ma\\u{1b}ria"
        );
        assert_eq!(users("#rust", &[]), "0 in #rust");
        assert_eq!(choices(&names(&["ana", "luis"])), ["  1 ana", "  2 luis"]);
        let crowd = vec!["x".to_owned(); 103];
        assert_eq!(choices(&crowd).len(), 101);
        assert_eq!(choices(&crowd)[100], "and 3 more, by name");
        let channel = |name: &'static str, topic: Option<&'static str>| ChannelInfo {
            name: name.into(),
            users: 2,
            topic: topic.map(Into::into),
        };
        assert_eq!(
            channels(&[
                channel("#lobby", None),
                channel("#rust", Some("crabs\u{7}"))
            ]),
            "2 channels: #lobby (2), #rust (2, crabs\\u{7})"
        );
    }

    #[test]
    fn errors_and_times() {
        assert_eq!(
            error("nick_taken", "ana is\u{1b} here"),
            "! nick_taken: ana is\\u{1b} here"
        );
        assert_eq!(stamp(TIME, &TimeZone::UTC), "2026-11-23 18:50:00 ");
        let east = TimeZone::fixed(jiff::tz::offset(9));
        assert_eq!(stamp(TIME, &east), "2026-11-24 03:50:00 ");
    }
}
