//! Parses a typed line into a command. Pure.

pub mod help;
pub mod moderation;

use std::path::PathBuf;

use chat_proto::{Channel, DEFAULT_HISTORY_PAGE, MAX_PAGE, NameError, Nick, Text, TextError};

use self::moderation::ModerationAction;

/// A parsed line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypedCommand {
    /// Nothing was typed.
    Nothing,
    /// Say it in the current conversation.
    Say(String),
    /// What the commands do.
    Help,
    /// Who is in a channel; in the one that one is in where none is named.
    List(Option<Channel>),
    /// Time before each line, on or off.
    Time,
    /// Record the messages, on or off.
    Record(Option<PathBuf>),
    /// Goodbye.
    Quit(Option<String>),
    /// A direct message.
    Tell(Nick, String),
    /// Talk to a person, or no longer.
    Query(Option<Nick>),
    /// Enter a channel and talk there.
    Join(Channel),
    /// Enter a channel that exists and talk there: what a task does, which makes none by a slip.
    JoinExisting(Channel),
    /// Leave a channel; the one that one is in where none is named.
    Part(Option<Channel>, Option<String>),
    /// Talk in another channel.
    Switch(Channel),
    /// Which channels there are.
    Channels,
    /// Take another nick.
    Nick(Nick),
    /// Protect the nick by a password.
    Register,
    /// Another password.
    Password,
    /// Protect the nick no longer.
    Unregister,
    /// So many messages of the conversation that one is in.
    History(u16),
    /// Mute a conversation: the current one if none is named.
    Mute(Option<Channel>),
    /// Unmute a conversation.
    Unmute(Option<Channel>),
    /// Where a text stands in the conversation one looks at.
    Search(String),
    /// A conversation with a person is over.
    Close,
    /// What operators and founders do.
    Moderation(ModerationAction),
}

/// An error in typed input, shown as `! code: detail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// For programs.
    pub code: &'static str,
    /// For users.
    pub detail: String,
}

impl InputError {
    /// A refusal in those words.
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { code, detail }
    }
}

/// Parses `line`, without its newline.
///
/// # Errors
/// Why nothing is sent.
pub fn parse(line: &str) -> Result<TypedCommand, InputError> {
    if line.is_empty() {
        return Ok(TypedCommand::Nothing);
    }
    if line.starts_with("//") || line.starts_with("..") {
        return text(&line[1..]).map(TypedCommand::Say);
    }
    if let Some(rest) = line.strip_prefix('/') {
        return slash(line, rest);
    }
    match dot(line) {
        Some(letter) => dotted(letter, line[1 + letter.len_utf8()..].trim()),
        None => text(line).map(TypedCommand::Say),
    }
}

/// Whether the line is said as it stands: no command, and not empty.
pub fn is_said(line: &str) -> bool {
    let plain = !line.starts_with('/') && dot(line).is_none();
    !line.is_empty() && (plain || line.starts_with("//"))
}

/// The letter of a `.x`: a dot and one letter, by itself or with words behind it.
fn dot(line: &str) -> Option<char> {
    let mut chars = line.strip_prefix('.')?.chars();
    let letter = chars.next().filter(|c| c.is_alphabetic())?;
    chars
        .next()
        .is_none_or(char::is_whitespace)
        .then_some(letter)
}

fn dotted(letter: char, rest: &str) -> Result<TypedCommand, InputError> {
    match letter.to_ascii_lowercase() {
        'h' => Ok(TypedCommand::Help),
        'l' => list(rest),
        't' => Ok(TypedCommand::Time),
        'r' => Ok(record(rest)),
        'q' => Ok(TypedCommand::Quit(some(rest))),
        _ => Err(unknown(&format!(".{letter}"))),
    }
}

fn slash(line: &str, rest: &str) -> Result<TypedCommand, InputError> {
    if let Some(told) = told(rest) {
        let (nick, said) = told
            .split_once(':')
            .ok_or_else(|| usage("/tell:NICK:TEXT"))?;
        return tell(nick, said);
    }
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let words = rest.trim();
    let folded = name.to_ascii_lowercase();
    match folded.as_str() {
        "help" => Ok(TypedCommand::Help),
        "list" | "who" => list(words),
        "time" => Ok(TypedCommand::Time),
        "record" => Ok(record(words)),
        "quit" => Ok(TypedCommand::Quit(some(words))),
        "tell" | "msg" => {
            let (nick, said) = rest
                .trim_start()
                .split_once(char::is_whitespace)
                .ok_or_else(|| usage("/tell NICK TEXT"))?;
            tell(nick, said)
        }
        "query" if words.is_empty() => Ok(TypedCommand::Query(None)),
        "query" => nick(words).map(|nick| TypedCommand::Query(Some(nick))),
        "join" => channel(words, "/join #channel").map(TypedCommand::Join),
        "part" => part(words),
        "switch" => channel(words, "/switch #channel").map(TypedCommand::Switch),
        "channels" => Ok(TypedCommand::Channels),
        "nick" if words.is_empty() => Err(usage("/nick NEW")),
        "nick" => nick(words).map(TypedCommand::Nick),
        "register" => bare(words, TypedCommand::Register),
        "password" => bare(words, TypedCommand::Password),
        "unregister" => bare(words, TypedCommand::Unregister),
        "history" => history(words),
        "search" if words.is_empty() => Err(usage("/search TEXT")),
        "search" => Ok(TypedCommand::Search(words.to_owned())),
        "close" if words.is_empty() => Ok(TypedCommand::Close),
        "close" => Err(usage("/close")),
        "mute" if is_conversation(words) => conversation(words).map(TypedCommand::Mute),
        "unmute" if is_conversation(words) => conversation(words).map(TypedCommand::Unmute),
        folded => match moderation::parse(folded, words) {
            Some(act) => act.map(TypedCommand::Moderation),
            None => Err(unknown(line.split_whitespace().next().unwrap_or(line))),
        },
    }
}

/// Returns `NICK:TEXT` of `tell:NICK:TEXT` or `msg:NICK:TEXT`.
fn told(rest: &str) -> Option<&str> {
    let (name, told) = rest.split_once(':')?;
    let is_tell = name.eq_ignore_ascii_case("tell") || name.eq_ignore_ascii_case("msg");
    is_tell.then_some(told)
}

fn list(words: &str) -> Result<TypedCommand, InputError> {
    if words.is_empty() {
        return Ok(TypedCommand::List(None));
    }
    channel(words, "/who #channel").map(|channel| TypedCommand::List(Some(channel)))
}

/// Returns whether the words name a channel or nothing; a nick makes it an operator's command.
fn is_conversation(words: &str) -> bool {
    words.is_empty() || words.starts_with('#')
}

fn conversation(words: &str) -> Result<Option<Channel>, InputError> {
    some(words)
        .map(|words| channel(&words, "/mute #channel"))
        .transpose()
}

fn record(words: &str) -> TypedCommand {
    TypedCommand::Record(some(words).map(PathBuf::from))
}

fn tell(to: &str, said: &str) -> Result<TypedCommand, InputError> {
    let to = nick(to)?;
    if said.is_empty() {
        return Err(usage("/tell NICK TEXT"));
    }
    Ok(TypedCommand::Tell(to, text(said)?))
}

fn part(words: &str) -> Result<TypedCommand, InputError> {
    if !words.starts_with('#') {
        return Ok(TypedCommand::Part(None, some(words)));
    }
    let (name, reason) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    let name = channel(name, "/part #channel")?;
    Ok(TypedCommand::Part(Some(name), some(reason.trim())))
}

fn history(words: &str) -> Result<TypedCommand, InputError> {
    if words.is_empty() {
        return Ok(TypedCommand::History(DEFAULT_HISTORY_PAGE));
    }
    words
        .parse()
        .ok()
        .filter(|wanted| (1..=MAX_PAGE).contains(wanted))
        .map(TypedCommand::History)
        .ok_or_else(|| usage("/history N, with N from 1 to 500"))
}

/// A command that asks for a password, which does not stand beside it for everyone to see.
fn bare(words: &str, command: TypedCommand) -> Result<TypedCommand, InputError> {
    if words.is_empty() {
        return Ok(command);
    }
    Err(InputError::new(
        "usage",
        "the password is asked for, and nothing was sent; /help lists the commands",
    ))
}

fn channel(name: &str, form: &str) -> Result<Channel, InputError> {
    if name.is_empty() {
        return Err(usage(form));
    }
    Channel::new(name).map_err(|error| wrong_name("channel_invalid", error))
}

pub(crate) fn nick(name: &str) -> Result<Nick, InputError> {
    Nick::new(name).map_err(|error| wrong_name("nick_invalid", error))
}

/// A text that the protocol allows, or why not.
///
/// # Errors
/// `text_too_long` or `text_invalid`, as a server would say.
pub fn text(said: &str) -> Result<String, InputError> {
    match Text::new(said, Text::MAX_BYTES) {
        Ok(_) => Ok(said.to_owned()),
        Err(error @ TextError::TooLong { .. }) => {
            let bytes = said.len();
            let detail = format!("{error}: it has {bytes}, and is not sent");
            Err(InputError::new("text_too_long", detail))
        }
        Err(error @ (TextError::Empty | TextError::Control)) => Err(InputError::new(
            "text_invalid",
            format!("{error}; it is not sent"),
        )),
    }
}

pub(crate) fn some(words: &str) -> Option<String> {
    (!words.is_empty()).then(|| words.to_owned())
}

fn wrong_name(code: &'static str, error: NameError) -> InputError {
    InputError::new(code, error.to_string())
}

pub(crate) fn usage(form: &str) -> InputError {
    InputError::new("usage", format!("{form}; /help lists the commands"))
}

fn unknown(what: &str) -> InputError {
    let detail = format!("there is no {what}, and nothing was sent; /help lists the commands");
    InputError::new("unknown_command", detail)
}

#[cfg(test)]
mod tests {
    use super::TypedCommand as Command;
    use super::help::COMMANDS;
    use super::*;
    use Command::{
        Help, History, Join, List, Nothing, Part, Query, Quit, Record, Say, Search, Switch, Tell,
        Time,
    };

    fn say(text: &str) -> Command {
        Say(text.to_owned())
    }

    fn who(name: &str) -> Nick {
        Nick::new(name).unwrap()
    }

    fn act(action: ModerationAction) -> Command {
        Command::Moderation(action)
    }

    fn place(name: &str) -> Channel {
        Channel::new(name).unwrap()
    }

    #[test]
    fn what_is_typed_and_what_it_does() {
        let tell = |to: &str, text: &str| Tell(who(to), text.to_owned());
        for (line, want) in [
            ("", Nothing),
            ("hola", say("hola")),
            ("  hola ", say("  hola ")),
            (" ", say(" ")),
            ("dos\nlíneas", say("dos\nlíneas")),
            (".h", Help),
            ("/help", Help),
            (".l", List(None)),
            ("/list", List(None)),
            ("/who", List(None)),
            ("/who #rust", List(Some(place("#rust")))),
            (".l #rust", List(Some(place("#rust")))),
            (".t", Time),
            ("/time", Time),
            (".r", Record(None)),
            ("/record", Record(None)),
            ("/record my notes.txt", Record(Some("my notes.txt".into()))),
            (".q", Quit(None)),
            (".q ", Quit(None)),
            ("/quit", Quit(None)),
            ("/quit good night", Quit(Some("good night".into()))),
            ("/tell luis hola  y adiós ", tell("luis", "hola  y adiós ")),
            ("/msg luis hola", tell("luis", "hola")),
            ("/tell:luis:a las 3:15", tell("luis", "a las 3:15")),
            ("/msg:luis:hola", tell("luis", "hola")),
            ("/query", Query(None)),
            ("/query luis", Query(Some(who("luis")))),
            ("/join #rust", Join(place("#rust"))),
            ("/part", Part(None, None)),
            ("/part #rust", Part(Some(place("#rust")), None)),
            (
                "/part #rust so tired",
                Part(Some(place("#rust")), Some("so tired".into())),
            ),
            ("/part tired", Part(None, Some("tired".into()))),
            ("/switch #rust", Switch(place("#rust"))),
            ("/channels", Command::Channels),
            ("/nick lucho", Command::Nick(who("lucho"))),
            ("/register", Command::Register),
            ("/password ", Command::Password),
            ("/unregister", Command::Unregister),
            ("/history", History(50)),
            ("/history 500", History(500)),
            ("/search dos palabras", Search("dos palabras".into())),
            ("/close", Command::Close),
            ("/mute", Command::Mute(None)),
            ("/mute #rust", Command::Mute(Some(place("#rust")))),
            ("/unmute luis", act(ModerationAction::Unmute(who("luis")))),
            (
                "/kick  luis ",
                act(ModerationAction::Kick(who("luis"), None)),
            ),
            ("/unmute", Command::Unmute(None)),
            ("/unmute #rust", Command::Unmute(Some(place("#rust")))),
        ] {
            assert_eq!(parse(line), Ok(want), "{line:?}");
        }
    }

    #[test]
    fn commands_ignore_case() {
        let typed = [
            ("/HELP", "/help"),
            ("/Help", "/help"),
            (".H", ".h"),
            (".L", ".l"),
            (".T", ".t"),
            (".R Notes.TXT", ".r Notes.TXT"),
            (".Q", ".q"),
            ("/QUIT Good Night", "/quit Good Night"),
            ("/TELL luis Hola", "/tell luis Hola"),
            ("/Msg luis hola", "/msg luis hola"),
            ("/TELL:luis:Hola", "/tell:luis:Hola"),
            ("/MSG:luis:hola", "/msg:luis:hola"),
            ("/Join #rust", "/join #rust"),
            ("/KICK luis", "/kick luis"),
            ("/Ban Account:luis 2h", "/ban account:luis 2h"),
            ("/Topic -", "/topic -"),
        ];
        for (line, same) in typed {
            assert_eq!(parse(line), parse(same), "{line:?}");
            assert!(parse(line).is_ok(), "{line:?}");
        }
        for command in COMMANDS {
            let upper = command.to_ascii_uppercase();
            let code = |line| parse(line).map_err(|refusal| refusal.code);
            assert_eq!(code(&upper), code(command), "{upper}");
        }
        assert!(parse("/Helps").unwrap_err().detail.contains("/Helps"));
        assert!(parse(".X").unwrap_err().detail.contains(".X"));
    }

    #[test]
    fn text_that_looks_like_a_command() {
        for (line, said) in [
            ("//help", "/help"),
            ("///", "//"),
            ("..h", ".h"),
            ("...", ".."),
            ("..text", ".text"),
            (".net is nice", ".net is nice"),
            (".5 is a half", ".5 is a half"),
            (". h", ". h"),
            (".", "."),
            (".-", ".-"),
            (".hola", ".hola"),
            (" /help", " /help"),
            ("and/or", "and/or"),
        ] {
            assert_eq!(parse(line), Ok(say(said)), "{line:?}");
            assert!(is_said(line), "{line:?}");
        }
        for line in ["", ".h", ".x", ".ñ", ".x y", "/help", "/nothing", "/"] {
            assert!(!is_said(line), "{line:?}");
        }
    }

    #[test]
    fn what_is_refused() {
        let long = "x".repeat(8193);
        for (line, code) in [
            ("/nothing", "unknown_command"),
            ("/Helps", "unknown_command"),
            ("/", "unknown_command"),
            ("/ hola", "unknown_command"),
            (".x", "unknown_command"),
            (".x y", "unknown_command"),
            (".X", "unknown_command"),
            (".ñ", "unknown_command"),
            ("/usr/bin/foo is here", "unknown_command"),
            ("/tell", "usage"),
            ("/tell luis", "usage"),
            ("/tell luis ", "usage"),
            ("/tell:luis", "usage"),
            ("/tell::hola", "nick_invalid"),
            ("/tell #rust hola", "nick_invalid"),
            ("/tell:luis:", "usage"),
            ("/query two words", "nick_invalid"),
            ("/join", "usage"),
            ("/join rust", "channel_invalid"),
            ("/join #a b", "channel_invalid"),
            ("/switch", "usage"),
            ("/who rust", "channel_invalid"),
            ("/nick", "usage"),
            ("/nick 7up", "nick_invalid"),
            ("/register secret", "usage"),
            ("/search ", "usage"),
            ("/close luis", "usage"),
            ("/history 0", "usage"),
            ("/history 501", "usage"),
            ("/history many", "usage"),
            ("esc \u{1b}[31m", "text_invalid"),
            ("/tell luis \u{7}", "text_invalid"),
            (&long, "text_too_long"),
        ] {
            let refusal = parse(line).unwrap_err();
            assert_eq!(refusal.code, code, "{line:?}");
            if matches!(code, "unknown_command" | "usage") {
                assert!(refusal.detail.contains("/help"), "{refusal:?}");
            }
        }
    }

    #[test]
    fn every_command_that_tab_offers_is_known() {
        for command in COMMANDS {
            let refused = parse(command).err().map(|refusal| refusal.code);
            assert_ne!(refused, Some("unknown_command"), "{command}");
        }
    }
}
