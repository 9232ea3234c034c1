//! The Stdin actor: the keyboard or the pipe, on a thread of its own, since its reads block.
//!
//! It reads one line for each [`PromptRequest`] of the Session and answers with [`UserInput`]:
//! unread lines stay in the pipe, which blocks a fast writer. It never touches the connection.

pub mod line_editor;

use std::io::{self, BufRead, Read as _};
use std::time::Duration;

use actix::{Actor, Context, Handler, Recipient};
use chat_proto::MAX_FRAME_BYTES;
use crossterm::event::{self, Event};
use nix::sys::termios::{self, LocalFlags, SetArg};

use self::line_editor::{Entered, LineEditor};
use crate::cli::task::Task;
use crate::command::InputError;
use crate::output::lines::LineOutput;
use crate::prompt::{KeysRequest, PromptKind, PromptRequest, UserInput};
use crate::tui::TuiHandle;

/// The longest line that is looked at, in bytes: a request of the protocol fills a frame at most,
/// and a text a quarter of it. Of a longer line only the length is learned.
const MAX_LINE_BYTES: usize = MAX_FRAME_BYTES;

/// The most keys in one notice: the screen is drawn between two notices.
const MAX_KEYS: usize = 256;

/// Where lines come from.
#[derive(Debug)]
pub enum InputSource {
    /// A terminal, through the line editor.
    LineEditor(Box<LineEditor>),
    /// Standard input. If it is a terminal (with the output in a pipe), questions go to standard
    /// error.
    Lines {
        /// Where questions are shown, if a user can answer them.
        questions: Option<LineOutput>,
    },
    /// The commands of a task.
    Task(Task),
    /// The full screen, which gets each key.
    Keys(TuiHandle),
}

/// The actor.
#[derive(Debug)]
pub struct Stdin {
    /// Where lines come from.
    pub source: InputSource,
    /// Who asks for them.
    pub session: Recipient<UserInput>,
}

impl Actor for Stdin {
    type Context = Context<Self>;
}

impl Handler<PromptRequest> for Stdin {
    type Result = ();

    fn handle(&mut self, next: PromptRequest, _: &mut Context<Self>) {
        let typed = match &mut self.source {
            InputSource::LineEditor(editor) => match editor.read(&next.prompt, next.purpose) {
                Entered::Line(line) => UserInput::Line(line),
                Entered::Cancelled => UserInput::Cancelled,
                Entered::Interrupted => UserInput::Interrupted,
                Entered::Ended => UserInput::Ended,
            },
            InputSource::Lines { questions } => {
                let ask = |prompt: &str| {
                    if let Some(screen) = &*questions {
                        screen.question(prompt);
                    }
                };
                if next.purpose == PromptKind::Password {
                    read_hidden(|| ask(&next.prompt))
                } else {
                    if next.purpose != PromptKind::Chat {
                        ask(&next.prompt);
                    }
                    read_line(&mut io::stdin().lock())
                }
            }
            InputSource::Task(task) => match task.commands.pop_front() {
                Some(command) => UserInput::Command(command),
                None if task.stays => return,
                None => UserInput::Ended,
            },
            // The full screen asks for what it needs.
            InputSource::Keys(_) => return,
        };
        self.session.do_send(typed);
    }
}

impl Handler<KeysRequest> for Stdin {
    type Result = ();

    fn handle(&mut self, _: KeysRequest, _: &mut Context<Self>) {
        if let InputSource::Keys(tui) = &self.source {
            let keys = read_keys().inspect_err(|error| log::debug!("no more keys: {error}"));
            tui.keys(keys.ok());
        }
    }
}

/// Waits for something to be done at the terminal; what has been done by then comes with it.
fn read_keys() -> io::Result<Vec<Event>> {
    let mut events = vec![event::read()?];
    while events.len() < MAX_KEYS && event::poll(Duration::ZERO)? {
        events.push(event::read()?);
    }
    Ok(events)
}

/// The next line of a terminal that does not show it. It is asked for when that is so.
fn read_hidden(ask: impl FnOnce()) -> UserInput {
    let shown = termios::tcgetattr(io::stdin());
    let Ok(shown) = shown.inspect_err(|error| log::warn!("no password can be read: {error}"))
    else {
        return UserInput::Ended;
    };
    let mut hidden = shown.clone();
    hidden.local_flags &= !LocalFlags::ECHO;
    // The end of the line is shown, so that what follows begins a new one.
    hidden.local_flags |= LocalFlags::ECHONL;
    let set = |settings| termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, settings);
    if let Err(error) = set(&hidden) {
        log::warn!("the terminal would show a password: {error}");
        return UserInput::Ended;
    }
    ask();
    let typed = read_line(&mut io::stdin().lock());
    if let Err(error) = set(&shown) {
        log::warn!("the terminal keeps other settings: {error}");
    }
    typed
}

/// The next line: without its newline and one carriage return before it.
fn read_line(input: &mut impl BufRead) -> UserInput {
    let mut line = Vec::new();
    let limit = MAX_LINE_BYTES as u64 + 1;
    match input.by_ref().take(limit).read_until(b'\n', &mut line) {
        Ok(0) => return UserInput::Ended,
        Ok(_) => {}
        Err(error) => {
            log::warn!("standard input cannot be read: {error}");
            return UserInput::Ended;
        }
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    } else if line.len() > MAX_LINE_BYTES {
        let bytes = line.len() + skip_line(input);
        return UserInput::Refused(too_long(bytes));
    }
    match String::from_utf8(line) {
        Ok(line) => UserInput::Line(line),
        // A lossy conversion would alter the message.
        Err(_) => UserInput::Refused(InputError::new(
            "text_invalid",
            "the line is not UTF-8; it is not sent",
        )),
    }
}

/// Reads to the end of the line and keeps nothing; returns the bytes.
fn skip_line(input: &mut impl BufRead) -> usize {
    let mut bytes = 0;
    // An error here is there again at the next read.
    while let Ok(buffer) = input.fill_buf() {
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let used = end.unwrap_or(buffer.len());
        bytes += used;
        let done = buffer.is_empty() || end.is_some();
        input.consume(used + usize::from(end.is_some()));
        if done {
            break;
        }
    }
    bytes
}

fn too_long(bytes: usize) -> InputError {
    let max = chat_proto::Text::MAX_BYTES;
    let detail = format!("the line has {bytes} bytes, {max} are allowed; it is not sent");
    InputError::new("text_too_long", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(mut input: &[u8]) -> Vec<UserInput> {
        let mut typed = Vec::new();
        loop {
            typed.push(read_line(&mut input));
            if typed.last() == Some(&UserInput::Ended) {
                return typed;
            }
        }
    }

    fn line(text: &str) -> UserInput {
        UserInput::Line(text.to_owned())
    }

    fn code(typed: &UserInput) -> &'static str {
        match typed {
            UserInput::Refused(refusal) => refusal.code,
            _ => "",
        }
    }

    #[test]
    fn lines_of_a_pipe() {
        assert_eq!(
            all(b"one\ntwo\r\n\n\r\n  x \r\r\nlast"),
            [
                line("one"),
                line("two"),
                line(""),
                line(""),
                line("  x \r"),
                line("last"),
                UserInput::Ended
            ]
        );
        assert_eq!(all(b""), [UserInput::Ended]);
    }

    #[test]
    fn a_line_that_cannot_be_sent_does_not_end_the_input() {
        let mut input = b"a\xff\xfe\nb\n".to_vec();
        input.extend(vec![b'x'; MAX_LINE_BYTES + 10]);
        input.extend(b"\nc\n");
        let typed = all(&input);
        assert_eq!(code(&typed[0]), "text_invalid");
        assert_eq!(typed[1], line("b"));
        assert_eq!(code(&typed[2]), "text_too_long");
        assert!(
            format!("{:?}", typed[2]).contains("65546 bytes"),
            "{typed:?}"
        );
        assert_eq!(typed[3..], [line("c"), UserInput::Ended]);
    }

    #[test]
    fn a_longest_line_is_whole() {
        let mut input = vec![b'x'; MAX_LINE_BYTES];
        let want = line(&"x".repeat(MAX_LINE_BYTES));
        assert_eq!(all(&input), [want.clone(), UserInput::Ended]);
        input.extend(b"\ny");
        assert_eq!(all(&input), [want, line("y"), UserInput::Ended]);
        let unfinished = vec![b'x'; MAX_LINE_BYTES * 3];
        assert_eq!(code(&all(&unfinished)[0]), "text_too_long");
    }
}
