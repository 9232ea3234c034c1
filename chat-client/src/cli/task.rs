//! What a start of the client does by itself, instead of what is typed: `send`, `watch`, `history`.
//!
//! A task is a sequence of commands and an output filter; nicknames, reconnection and exit codes
//! are those of line mode.

use std::collections::VecDeque;
use std::io::{self, Read};

use chat_proto::name::fold;
use chat_proto::{Channel, MAX_FRAME_BYTES, Message, Nick};

use crate::command::{self, InputError, TypedCommand};
use crate::text::wording::cause;

/// The commands, in order; then goodbye, unless it stays.
#[derive(Debug, Clone)]
pub struct Task {
    /// What is done.
    pub commands: VecDeque<TypedCommand>,
    /// Runs until it is interrupted.
    pub stays: bool,
    /// What goes to standard output.
    pub shows: OutputFilter,
}

/// What is shown of all that arrives. Errors always are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputFilter {
    /// Everything, a line each.
    Everything,
    /// The server's own objects; notices step aside to standard error.
    Objects,
    /// Nothing.
    Nothing,
    /// What is said, in these channels if there are any; notices of the client itself step aside.
    Said {
        /// Folded.
        channels: Vec<String>,
        /// As the objects that they are.
        json: bool,
    },
    /// What was said.
    Past {
        /// As the objects that they are.
        json: bool,
    },
}

impl OutputFilter {
    /// Returns whether a program reads the output as JSON.
    pub fn is_json(&self) -> bool {
        matches!(
            self,
            Self::Objects | Self::Said { json: true, .. } | Self::Past { json: true }
        )
    }

    /// Whether a message that is said now is shown.
    pub fn is_shown(&self, message: &Message<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Said { channels, .. } => {
                channels.is_empty() || channels.iter().any(|channel| *channel == fold(&message.to))
            }
            Self::Objects | Self::Nothing | Self::Past { .. } => false,
        }
    }
}

/// The conversation of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskTarget {
    /// Those in a channel.
    Channel(Channel),
    /// A person.
    Nick(Nick),
}

impl std::str::FromStr for TaskTarget {
    type Err = chat_proto::NameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.starts_with('#') {
            return Channel::new(name).map(Self::Channel);
        }
        Nick::new(name).map(Self::Nick)
    }
}

impl TaskTarget {
    /// Returns the commands that enter the conversation.
    fn entry_commands(self, create: bool) -> Vec<TypedCommand> {
        match self {
            // Everyone is there.
            Self::Channel(channel) if channel == Channel::lobby() => vec![],
            Self::Channel(channel) => vec![enter(channel, create)],
            Self::Nick(nick) => vec![TypedCommand::Query(Some(nick))],
        }
    }
}

/// Enters a channel, which is made only where that is wanted.
fn enter(channel: Channel, create: bool) -> TypedCommand {
    if create {
        return TypedCommand::Join(channel);
    }
    TypedCommand::JoinExisting(channel)
}

impl Task {
    /// Sends `text`, a single message, to `to` or to the lobby.
    ///
    /// # Errors
    /// The protocol has no such text.
    pub fn send(to: Option<TaskTarget>, create: bool, text: &str) -> Result<Self, InputError> {
        let said = TypedCommand::Say(command::text(text)?);
        let entry_commands = to.map_or(vec![], |to| to.entry_commands(create));
        Ok(Self {
            commands: entry_commands.into_iter().chain([said]).collect(),
            stays: false,
            shows: OutputFilter::Nothing,
        })
    }

    /// Shows live messages: all that arrive, or only those of these channels.
    pub fn watch(channels: Vec<Channel>, create: bool, json: bool) -> Self {
        let shows = OutputFilter::Said {
            channels: channels
                .iter()
                .map(|channel| channel.folded().to_owned())
                .collect(),
            json,
        };
        let others = channels
            .into_iter()
            .filter(|channel| *channel != Channel::lobby());
        let commands = others.map(|channel| enter(channel, create)).collect();
        Self {
            commands,
            stays: true,
            shows,
        }
    }

    /// Shows the last messages of a conversation.
    pub fn history(with: Option<TaskTarget>, create: bool, last: u16, json: bool) -> Self {
        let entry_commands = with.map_or(vec![], |with| with.entry_commands(create));
        let asked = TypedCommand::History(last);
        Self {
            commands: entry_commands.into_iter().chain([asked]).collect(),
            stays: false,
            shows: OutputFilter::Past { json },
        }
    }
}

/// The text that `send` is given by a pipe: all of it, without the end of its last line.
///
/// # Errors
/// It cannot be read, is no text, or is far too long.
pub fn read_text(input: impl Read) -> Result<String, InputError> {
    let mut bytes = Vec::new();
    // A frame holds the longest text, whatever is in it.
    let most = MAX_FRAME_BYTES as u64;
    let read = input.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error: io::Error| InputError::new("no_input", cause(&error)))?;
    if bytes.len() as u64 > most {
        let detail = format!("the text has more than {most} bytes, and is not sent");
        return Err(InputError::new("text_too_long", detail));
    }
    let mut text = String::from_utf8(bytes)
        .map_err(|_| InputError::new("text_invalid", "the text is not UTF-8; it is not sent"))?;
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text.replace("\r\n", "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pipe_says() {
        for (input, text) in [
            (&b"hola\n"[..], Ok("hola")),
            (b"hola", Ok("hola")),
            (b"a\r\nb\n\n", Ok("a\nb\n")),
            (b"\n", Ok("")),
            (b"\xff", Err("text_invalid")),
            (&[b'x'; MAX_FRAME_BYTES + 1], Err("text_too_long")),
        ] {
            let read = read_text(input).map_err(|refusal| refusal.code);
            assert_eq!(read.as_deref(), text.as_ref().map(|text| *text));
        }
    }

    #[test]
    fn what_is_said_is_no_command() {
        for text in ["/quit", ".h", "..", "//x"] {
            let task = Task::send(None, false, text).unwrap();
            assert_eq!(task.commands, [TypedCommand::Say(text.to_owned())]);
        }
        for (text, code) in [
            ("", "text_invalid"),
            ("\u{7}", "text_invalid"),
            (&*"x".repeat(8193), "text_too_long"),
        ] {
            assert_eq!(Task::send(None, false, text).unwrap_err().code, code);
        }
    }
}
