//! What operators and founders of channels type. Pure, as [`crate::command`] is.

use std::net::IpAddr;
use std::time::Duration;

use chat_proto::Nick;
use chat_proto::moderation::Target;

use super::{Refusal, nick, some, usage};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Out of the channel that one is in; in the lobby, off the server.
    Kick(Nick, Option<String>),
    /// The same, and not in again.
    Ban(Target<'static>, Sentence),
    /// In again.
    Unban(Target<'static>),
    /// Which bans there are where one is.
    Bans,
    /// Says nothing any more.
    Mute(Nick, Sentence),
    /// May say something again.
    Unmute(Nick),
    /// What the channel that one is in is about.
    ShowTopic,
    /// Another topic; none where it is empty.
    SetTopic(String),
}

/// For how long, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sentence {
    /// For good where there are none.
    pub seconds: Option<u64>,
    /// In the words of who asks.
    pub reason: Option<String>,
}

/// What the command of that name asks for; `None` where it is another kind of command.
pub fn parse(name: &str, words: &str) -> Option<Result<Act, Refusal>> {
    Some(match name {
        "kick" => kick(words),
        "ban" => sentenced(words, "/ban NICK|ADDRESS [TIME] [REASON]")
            .and_then(|(whom, sentence)| Ok(Act::Ban(target(whom)?, sentence))),
        "unban" if words.is_empty() => Err(usage("/unban NICK|ADDRESS")),
        "unban" => target(words).map(Act::Unban),
        "bans" => Ok(Act::Bans),
        "mute" => sentenced(words, "/mute NICK [TIME] [REASON]")
            .and_then(|(whom, sentence)| Ok(Act::Mute(nick(whom)?, sentence))),
        "unmute" => nick(words).map(Act::Unmute),
        "topic" => Ok(match words {
            "" => Act::ShowTopic,
            "-" => Act::SetTopic(String::new()),
            topic => Act::SetTopic(topic.to_owned()),
        }),
        _ => return None,
    })
}

fn kick(words: &str) -> Result<Act, Refusal> {
    if words.is_empty() {
        return Err(usage("/kick NICK [REASON]"));
    }
    let (whom, reason) = first(words);
    Ok(Act::Kick(nick(whom)?, some(reason)))
}

/// The first word, and what is behind it.
fn first(words: &str) -> (&str, &str) {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    (first, rest.trim_start())
}

/// Whom, then `10m` if it is a time, then why.
fn sentenced<'a>(words: &'a str, form: &str) -> Result<(&'a str, Sentence), Refusal> {
    if words.is_empty() {
        return Err(usage(form));
    }
    let (whom, rest) = first(words);
    let (time, reason) = first(rest);
    let time = humantime::parse_duration(time)
        .ok()
        .filter(|time| *time >= Duration::from_secs(1));
    let sentence = Sentence {
        seconds: time.map(|time| time.as_secs()),
        reason: some(if time.is_some() { reason } else { rest }),
    };
    Ok((whom, sentence))
}

/// `luis`, `account:luis`, `192.0.2.7` or `2001:db8::/48`.
fn target(whom: &str) -> Result<Target<'static>, Refusal> {
    if let Some((kind, account)) = whom.split_once(':')
        && kind.eq_ignore_ascii_case("account")
    {
        return Ok(Target::Account(nick(account)?.as_str().to_owned().into()));
    }
    let (address, _) = whom.split_once('/').unwrap_or((whom, ""));
    if address.parse::<IpAddr>().is_ok() {
        return Ok(Target::Address(whom.to_owned().into()));
    }
    Ok(Target::Nick(nick(whom)?.as_str().to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn what_is_typed_and_what_it_asks_for() {
        let who = |name: &str| Nick::new(name).unwrap();
        let by_nick = || Target::Nick("luis".into());
        let sentence = |seconds, reason: Option<&str>| Sentence {
            seconds,
            reason: reason.map(str::to_owned),
        };
        for (name, words, want) in [
            ("kick", "luis", Act::Kick(who("luis"), None)),
            (
                "kick",
                "luis 10m of spam",
                Act::Kick(who("luis"), Some("10m of spam".into())),
            ),
            ("ban", "luis", Act::Ban(by_nick(), sentence(None, None))),
            (
                "ban",
                "luis 2h",
                Act::Ban(by_nick(), sentence(Some(7200), None)),
            ),
            (
                "ban",
                "luis  7d  spam, again",
                Act::Ban(by_nick(), sentence(Some(604_800), Some("spam, again"))),
            ),
            (
                "ban",
                "luis 10 times now",
                Act::Ban(by_nick(), sentence(None, Some("10 times now"))),
            ),
            (
                "ban",
                "192.0.2.0/24",
                Act::Ban(Target::Address("192.0.2.0/24".into()), sentence(None, None)),
            ),
            (
                "ban",
                "::1 1h",
                Act::Ban(Target::Address("::1".into()), sentence(Some(3600), None)),
            ),
            (
                "ban",
                "account:luis",
                Act::Ban(Target::Account("luis".into()), sentence(None, None)),
            ),
            ("unban", "luis", Act::Unban(by_nick())),
            (
                "unban",
                "fe80::/64",
                Act::Unban(Target::Address("fe80::/64".into())),
            ),
            ("bans", "", Act::Bans),
            (
                "mute",
                "luis 10m noise",
                Act::Mute(who("luis"), sentence(Some(600), Some("noise"))),
            ),
            ("unmute", "luis", Act::Unmute(who("luis"))),
            ("topic", "", Act::ShowTopic),
            ("topic", "-", Act::SetTopic(String::new())),
            ("topic", "about crabs", Act::SetTopic("about crabs".into())),
        ] {
            assert_eq!(parse(name, words), Some(Ok(want)), "{name} {words}");
        }
        for (name, words, code) in [
            ("kick", "", "usage"),
            ("ban", "", "usage"),
            ("unban", "", "usage"),
            ("kick", "#rust", "nick_invalid"),
            ("ban", "1.2.3", "nick_invalid"),
            ("ban", "account:7x", "nick_invalid"),
            ("mute", "7x", "nick_invalid"),
        ] {
            let refused = parse(name, words).unwrap().unwrap_err();
            assert_eq!(refused.code, code, "{name} {words}");
        }
        assert_eq!(parse("help", ""), None);
    }
}
