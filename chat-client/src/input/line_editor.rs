//! The line editor of a terminal: prompt, history, completion, and the terminal's own settings.

use std::borrow::Cow;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use nix::sys::termios::{self, InputFlags, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Event, EventContext,
    EventHandler, GraphemeClusterMode, Helper, KeyCode, KeyEvent, Modifiers, RepeatCount,
};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::command;
use crate::completion_names::CompletionNames;
use crate::output::lines::PromptPrinter;
use crate::prompt::PromptKind;
use crate::terminal_lock::{TerminalLock, TerminalOwner};

/// Lines that the arrow keys bring back.
const HISTORY: usize = 1000;

/// How long the rest of a key's sequence may take, in milliseconds: Esc alone is a key too.
const ESCAPE: u16 = 300;

/// Columns between two stops of a tab, as the editor draws them.
const TAB: usize = 8;

/// The editor, which lives on the thread of the keyboard.
pub struct LineEditor {
    lines: rustyline::Editor<Assistant, MemHistory>,
    lock: TerminalLock,
    escape: OnEscape,
}

impl std::fmt::Debug for LineEditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Editor").finish_non_exhaustive()
    }
}

/// How a line ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entered {
    /// With Enter.
    Line(String),
    /// With Esc, where a password is asked for.
    Cancelled,
    /// With Ctrl-C.
    Interrupted,
    /// With Ctrl-D, or the terminal is gone.
    Ended,
}

impl LineEditor {
    /// An editor on standard input and output, and the printer that keeps its prompt whole.
    ///
    /// # Errors
    /// The terminal is none, or does not do as it is told.
    pub fn new(
        names: CompletionNames,
        lock: TerminalLock,
    ) -> rustyline::Result<(Self, PromptPrinter)> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(HISTORY)?
            .history_ignore_dups(true)?
            .tab_stop(8)
            .keyseq_timeout(Some(ESCAPE))
            .build();
        let history = MemHistory::with_config(&config);
        let mut lines = rustyline::Editor::with_history(config, history)?;
        lines.set_helper(Some(Assistant {
            names,
            lock: lock.clone(),
            hidden: false,
        }));
        lines.bind_sequence(
            KeyEvent(KeyCode::Enter, Modifiers::NONE),
            EventHandler::Conditional(Box::new(OnEnter(lock.clone()))),
        );
        let escape = OnEscape::default();
        lines.bind_sequence(
            KeyEvent(KeyCode::Esc, Modifiers::NONE),
            EventHandler::Conditional(Box::new(escape.clone())),
        );
        let printer = lines.create_external_printer()?;
        Ok((
            Self {
                lines,
                lock,
                escape,
            },
            Box::new(printer),
        ))
    }

    /// Has a line edited behind `prompt`. A line that is said comes back from the server as
    /// everyone sees it, so what was typed is taken back from the screen; a command stays.
    ///
    /// Where the next line is asked for at once, nothing is printed before.
    pub fn read(&mut self, prompt: &str, purpose: PromptKind) -> Entered {
        while GIVEN_BACK.load(Ordering::SeqCst) {
            // The process ends.
            thread::park();
        }
        let more = purpose != PromptKind::Nickname;
        self.hide(purpose == PromptKind::Password);
        self.escape
            .cancels
            .store(purpose == PromptKind::Password, Ordering::Relaxed);
        self.escape.pressed.store(false, Ordering::Relaxed);
        self.lock.set(TerminalOwner::Between);
        let entered = match self.lines.readline(prompt) {
            Ok(line) => {
                if more && (self.is_hidden() || line.is_empty() || command::is_said(&line)) {
                    self.take_back(prompt, &line);
                }
                if purpose == PromptKind::Chat && !line.is_empty() {
                    // Only a history kept on disk could fail here.
                    self.lines.add_history_entry(line.as_str()).ok();
                }
                Entered::Line(line)
            }
            Err(ReadlineError::Interrupted) if self.escape.pressed.load(Ordering::Relaxed) => {
                Entered::Cancelled
            }
            Err(ReadlineError::Interrupted) => Entered::Interrupted,
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                // A key that is no UTF-8: the line is given up, the terminal is not.
                Entered::Line(String::new())
            }
            Err(error) => {
                log::debug!("the terminal has no more lines: {error}");
                Entered::Ended
            }
        };
        self.lock.set(if more && entered != Entered::Ended {
            TerminalOwner::Between
        } else {
            TerminalOwner::Screen
        });
        entered
    }

    fn is_hidden(&self) -> bool {
        self.lines
            .helper()
            .is_some_and(|assistant| assistant.hidden)
    }

    /// Shows blanks for what is typed from now on, or what it is.
    fn hide(&mut self, hidden: bool) {
        if let Some(assistant) = self.lines.helper_mut() {
            assistant.hidden = hidden;
        }
    }

    fn take_back(&mut self, prompt: &str, line: &str) {
        let columns = self.lines.dimensions().map_or(80, |(columns, _)| columns);
        let mode = GraphemeClusterMode::from_env();
        let up = rows(&[prompt, line], usize::from(columns), |c| {
            usize::from(mode.width(c))
        });
        let mut out = io::stdout().lock();
        // A terminal that does not take this is gone, which the next read will tell.
        write!(out, "\x1b[{up}A\r\x1b[J").ok();
        out.flush().ok();
    }
}

/// How many rows above the cursor the first of `parts` begins, once the editor has drawn them one
/// behind the other and gone to the next row: as the editor counts, a character that does not fit
/// is on the next row, and a full row is followed by a new one.
fn rows(parts: &[&str], columns: usize, width: impl Fn(&str) -> usize) -> usize {
    let (mut row, mut column) = (0, 0);
    for part in parts {
        for c in part.graphemes(true) {
            if c == "\n" {
                (row, column) = (row + 1, 0);
                continue;
            }
            let wide = if c == "\t" {
                TAB - column % TAB
            } else {
                width(c)
            };
            column += wide;
            if column > columns {
                (row, column) = (row + 1, wide);
            }
        }
        if column == columns {
            (row, column) = (row + 1, 0);
        }
    }
    row + 1
}

/// Completes names, and tells the gate when a line is being edited.
struct Assistant {
    names: CompletionNames,
    lock: TerminalLock,
    /// A password is typed.
    hidden: bool,
}

impl Helper for Assistant {}
impl Highlighter for Assistant {
    /// As wide as it is, so that the cursor is where the editor believes it to be.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if !self.hidden {
            return Cow::Borrowed(line);
        }
        let mode = GraphemeClusterMode::from_env();
        let columns: usize = line
            .graphemes(true)
            .map(|c| usize::from(mode.width(c)))
            .sum();
        Cow::Owned(" ".repeat(columns))
    }

    /// Else a character would be written as it is typed.
    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        self.hidden
    }
}

impl Validator for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        if self.hidden {
            return Ok((position, Vec::new()));
        }
        Ok(self.names.complete(line, position))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    /// There are no hints; but this is called whenever the line is drawn, and so first of all when
    /// it begins to be edited.
    fn hint(&self, _: &str, _: usize, _: &Context<'_>) -> Option<String> {
        self.lock.set(TerminalOwner::Editor);
        None
    }
}

/// Closes the gate before the line is left.
struct OnEnter(TerminalLock);

impl ConditionalEventHandler for OnEnter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        self.0.set(TerminalOwner::Between);
        None
    }
}

/// Esc ends a question for a password, and does nothing else.
#[derive(Clone, Default)]
struct OnEscape {
    cancels: Arc<AtomicBool>,
    pressed: Arc<AtomicBool>,
}

impl ConditionalEventHandler for OnEscape {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, _: &EventContext<'_>) -> Option<Cmd> {
        if !self.cancels.load(Ordering::Relaxed) {
            return Some(Cmd::Noop);
        }
        self.pressed.store(true, Ordering::Relaxed);
        Some(Cmd::Interrupt)
    }
}

/// The original settings of the terminal. Global, because a panic on any thread restores them.
static FOUND: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal was given back: no further line begins.
static GIVEN_BACK: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
pub struct TerminalGuard(());

impl TerminalGuard {
    /// Keeps what is typed between two lines from being shown where it does not belong: the editor
    /// draws it when it reads it.
    ///
    /// # Errors
    /// Standard input is no terminal.
    pub fn prepare() -> nix::Result<Self> {
        let found = termios::tcgetattr(io::stdin())?;
        let mut quiet = found.clone();
        quiet.local_flags &= !(LocalFlags::ECHO | LocalFlags::ICANON);
        quiet.input_flags &= !InputFlags::ICRNL;
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &quiet)?;
        *as_found() = Some(found);
        Ok(Self(()))
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        give_back();
    }
}

/// Puts the terminal back, whatever the way out. A line that begins or ends at that moment may take
/// it once more; who has something to do before the process ends does this again behind it.
pub fn give_back() {
    let Some(found) = as_found().clone() else {
        return;
    };
    GIVEN_BACK.store(true, Ordering::SeqCst);
    // The keyboard's thread may still be reading behind a prompt: that is wiped, bracketed paste
    // is off again, and the settings are those from before.
    let mut out = io::stdout().lock();
    out.write_all(b"\r\x1b[K\x1b[?2004l").ok();
    out.flush().ok();
    if let Err(error) = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &found) {
        log::warn!("the terminal keeps other settings: {error}");
    }
}

fn as_found() -> MutexGuard<'static, Option<Termios>> {
    FOUND.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_typed_line_began() {
        // East Asian and emoji characters take two columns, combining marks none.
        let width = |c: &str| match c {
            "漢" | "👋" => 2,
            _ => 1,
        };
        for (prompt, line, columns, up) in [
            ("> ", "", 10, 1),
            ("> ", "hola", 10, 1),
            ("> ", "12345678", 10, 2),
            ("> ", "123456789", 10, 2),
            ("> ", "1234567漢", 10, 2),
            ("> ", "e\u{301}2345678", 10, 2),
            ("> ", "e\u{301}234567", 10, 1),
            ("> ", "a\nb", 10, 2),
            ("> ", "a\tb", 10, 1),
            ("> ", "a\tbc", 10, 2),
            ("0123456789", "", 10, 2),
        ] {
            assert_eq!(rows(&[prompt, line], columns, width), up, "{line:?}");
        }
    }
}
