//! Sentences for users: errors without codes, counts, and local times. Pure.

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Returns the sentence about an error that a terminal shows instead of its code.
pub fn sentence(code: &str, detail: &str, zone: &TimeZone) -> String {
    let detail = reworded(code, detail, zone);
    let begins = match code {
        "bad_frame" | "bad_json" | "bad_request" | "unknown_type" | "hello_required" => {
            "the server did not understand this client: "
        }
        "bad_version" => "this client and the server speak different versions: ",
        "cannot_start" => "cannot start: ",
        "connection_lost" => "the connection is lost: ",
        "connection_refused" => "cannot connect to ",
        "internal" => "the server has a problem: ",
        "recording_failed" => "cannot record: ",
        "usage" => "usage: ",
        _ => "",
    };
    format!("{begins}{detail}")
}

/// Returns the detail of an error in plain words, for terminals and pipes.
pub fn reworded(code: &str, detail: &str, zone: &TimeZone) -> String {
    let known = match code {
        "auth_failed" => protected(detail),
        "hello_timeout" => exactly(
            detail,
            "no hello came in time",
            "the server waited too long for a nickname",
        ),
        "idle_timeout" => exactly(
            detail,
            "nothing came for too long",
            "the server heard nothing for too long and closed the connection",
        ),
        "slow_consumer" => exactly(
            detail,
            "you read too slowly; come back with your token",
            "this client read too slowly, and the server closed the connection",
        ),
        _ => None,
    };
    known.unwrap_or_else(|| in_zone(&without_numbers(detail), zone))
}

fn exactly(detail: &str, known: &str, words: &str) -> Option<String> {
    (detail == known).then(|| words.to_owned())
}

/// Rewords the refusal of a nick that has a password.
fn protected(detail: &str) -> Option<String> {
    let (nick, needs) = detail.split_once(" is protected: ")?;
    needs
        .starts_with("it needs its password")
        .then(|| format!("the nickname {nick} is protected by a password"))
}

/// Returns an error of the system in words, without its number.
pub fn cause(error: &io::Error) -> String {
    without_numbers(&error.to_string())
}

/// Removes the numbers that the standard library puts behind errors of the system: ` (os error 2)`.
pub fn without_numbers(text: &str) -> String {
    const BEFORE: &str = " (os error ";
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(BEFORE) {
        plain += before;
        rest = behind;
        match behind.split_once(')') {
            Some((number, after)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                rest = after;
            }
            _ => plain += BEFORE,
        }
    }
    plain + rest
}

/// Returns `1 message`, `2 messages`.
pub fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// Returns a point in time as the reader's clock and calendar show it: `2026-11-23 18:50:00`.
pub fn time(at: Timestamp, zone: &TimeZone) -> String {
    let there = at.to_zoned_datetime(zone.clone());
    there.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// Puts the times in a text, as the protocol writes them, into the reader's zone.
fn in_zone(text: &str, zone: &TimeZone) -> String {
    let mut shown = String::with_capacity(text.len());
    for word in text.split_inclusive([' ', '\n']) {
        let bare = word.trim_end_matches([' ', '\n']);
        let stamp = bare.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        // A bare number, or a date alone, is left as it is.
        let is_time = stamp.len() >= 20 && stamp.ends_with('Z');
        match stamp.parse::<Timestamp>().ok().filter(|_| is_time) {
            Some(at) => shown += &word.replacen(stamp, &time(at, zone), 1),
            None => shown += word,
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sentences() {
        let east = TimeZone::fixed(jiff::tz::offset(3));
        for (code, detail, want) in [
            (
                "auth_failed",
                "ana is protected: it needs its password or a valid token",
                "the nickname ana is protected by a password",
            ),
            (
                "nick_taken",
                "the nick ana is taken",
                "the nick ana is taken",
            ),
            (
                "banned",
                "you are banned from this server until 2026-11-30T20:26:32.104Z: spam",
                "you are banned from this server until 2026-11-30 23:26:32: spam",
            ),
            (
                "muted",
                "until 2026-11-30T20:26:32Z",
                "until 2026-11-30 23:26:32",
            ),
            (
                "connection_refused",
                "a:1: Connection refused (os error 111)",
                "cannot connect to a:1: Connection refused",
            ),
            ("too_tall", "a (os error x) b", "a (os error x) b"),
        ] {
            assert_eq!(sentence(code, detail, &east), want);
        }
    }

    #[test]
    fn numbers_of_things() {
        let counts = [0, 1, 2].map(|number| count(number, "message"));
        assert_eq!(counts, ["0 messages", "1 message", "2 messages"]);
    }
}
