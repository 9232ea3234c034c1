//! Parses the commands of operators and channel owners. Pure.

use std::net::IpAddr;
use std::time::Duration;

use chat_proto::Nick;
use chat_proto::moderation::Target;

use super::{InputError, nick, some, usage};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModerationAction {
    /// Out of the channel that one is in; in the lobby, off the server.
    Kick(Nick, Option<String>),
    /// The same, and not in again.
    Ban(Target<'static>, BanOptions),
    /// In again.
    Unban(Target<'static>),
    /// Which bans there are where one is.
    Bans,
    /// Says nothing any more.
    Mute(Nick, BanOptions),
    /// May say something again.
    Unmute(Nick),
    /// What the channel that one is in is about.
    ShowTopic,
    /// Another topic; none where it is empty.
    SetTopic(String),
}

/// For how long, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BanOptions {
    /// For good where there are none.
    pub seconds: Option<u64>,
    /// In the words of who asks.
    pub reason: Option<String>,
}

/// What the command of that name asks for; `None` where it is another kind of command.
pub fn parse(name: &str, words: &str) -> Option<Result<ModerationAction, InputError>> {
    Some(match name {
        "kick" => kick(words),
        "ban" => sentenced(words, "/ban NICK|ADDRESS [TIME] [REASON]")
            .and_then(|(whom, sentence)| Ok(ModerationAction::Ban(target(whom)?, sentence))),
        "unban" if words.is_empty() => Err(usage("/unban NICK|ADDRESS")),
        "unban" => target(words).map(ModerationAction::Unban),
        "bans" => Ok(ModerationAction::Bans),
        "mute" => sentenced(words, "/mute NICK [TIME] [REASON]")
            .and_then(|(whom, sentence)| Ok(ModerationAction::Mute(nick(whom)?, sentence))),
        "unmute" => nick(words).map(ModerationAction::Unmute),
        "topic" => Ok(match words {
            "" => ModerationAction::ShowTopic,
            "-" => ModerationAction::SetTopic(String::new()),
            topic => ModerationAction::SetTopic(topic.to_owned()),
        }),
        _ => return None,
    })
}

fn kick(words: &str) -> Result<ModerationAction, InputError> {
    if words.is_empty() {
        return Err(usage("/kick NICK [REASON]"));
    }
    let (whom, reason) = first(words);
    Ok(ModerationAction::Kick(nick(whom)?, some(reason)))
}

/// The first word, and what is behind it.
fn first(words: &str) -> (&str, &str) {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    (first, rest.trim_start())
}

/// Parses the target, an optional duration such as `10m`, and the reason.
fn sentenced<'a>(words: &'a str, form: &str) -> Result<(&'a str, BanOptions), InputError> {
    if words.is_empty() {
        return Err(usage(form));
    }
    let (whom, rest) = first(words);
    let (time, reason) = first(rest);
    let time = humantime::parse_duration(time)
        .ok()
        .filter(|time| *time >= Duration::from_secs(1));
    let sentence = BanOptions {
        seconds: time.map(|time| time.as_secs()),
        reason: some(if time.is_some() { reason } else { rest }),
    };
    Ok((whom, sentence))
}

/// `luis`, `account:luis`, `192.0.2.7` or `2001:db8::/48`.
fn target(whom: &str) -> Result<Target<'static>, InputError> {
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
        let sentence = |seconds, reason: Option<&str>| BanOptions {
            seconds,
            reason: reason.map(str::to_owned),
        };
        for (name, words, want) in [
            ("kick", "luis", ModerationAction::Kick(who("luis"), None)),
            (
                "kick",
                "luis 10m of spam",
                ModerationAction::Kick(who("luis"), Some("10m of spam".into())),
            ),
            (
                "ban",
                "luis",
                ModerationAction::Ban(by_nick(), sentence(None, None)),
            ),
            (
                "ban",
                "luis 2h",
                ModerationAction::Ban(by_nick(), sentence(Some(7200), None)),
            ),
            (
                "ban",
                "luis  7d  spam, again",
                ModerationAction::Ban(by_nick(), sentence(Some(604_800), Some("spam, again"))),
            ),
            (
                "ban",
                "luis 10 times now",
                ModerationAction::Ban(by_nick(), sentence(None, Some("10 times now"))),
            ),
            (
                "ban",
                "192.0.2.0/24",
                ModerationAction::Ban(Target::Address("192.0.2.0/24".into()), sentence(None, None)),
            ),
            (
                "ban",
                "::1 1h",
                ModerationAction::Ban(Target::Address("::1".into()), sentence(Some(3600), None)),
            ),
            (
                "ban",
                "account:luis",
                ModerationAction::Ban(Target::Account("luis".into()), sentence(None, None)),
            ),
            ("unban", "luis", ModerationAction::Unban(by_nick())),
            (
                "unban",
                "fe80::/64",
                ModerationAction::Unban(Target::Address("fe80::/64".into())),
            ),
            ("bans", "", ModerationAction::Bans),
            (
                "mute",
                "luis 10m noise",
                ModerationAction::Mute(who("luis"), sentence(Some(600), Some("noise"))),
            ),
            ("unmute", "luis", ModerationAction::Unmute(who("luis"))),
            ("topic", "", ModerationAction::ShowTopic),
            ("topic", "-", ModerationAction::SetTopic(String::new())),
            (
                "topic",
                "about crabs",
                ModerationAction::SetTopic("about crabs".into()),
            ),
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
