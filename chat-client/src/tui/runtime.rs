//! The thread that alone draws: it takes in what is told, and shows the state it comes to.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use actix::Recipient;
use crossterm::event::Event;
use nix::sys::signal::{Signal, raise};
use ratatui::Terminal;
use ratatui::backend::{Backend as _, CrosstermBackend};

use super::request::{AppRequest, TerminalAction};
use super::state::TuiState;
use super::view::draw;
use super::{TuiHandle, TuiNotice, terminal};
use crate::completion_names::CompletionNames;
use crate::notify::{Notifier, title};
use crate::prompt::{KeysRequest, UserInput};
use crate::text::escape::word;
use crate::text::wording::cause;

/// The least between two drawings: sixty a second are as many as anybody sees.
const FRAME: Duration = Duration::from_millis(16);

/// Between two frames of an animation.
const TICK: Duration = Duration::from_millis(100);

/// How much is taken in before it is looked whether it is time to draw.
const BATCH: usize = 256;

/// The least between two times that what was read is written down.
const SAVED: Duration = Duration::from_secs(30);

/// What has `$VISUAL` or `$EDITOR` edit the file that is its argument.
const EDITOR: &str = "exec ${VISUAL:-${EDITOR:-vi}} \"$0\"";

/// What a painter is made of.
#[derive(Debug)]
pub struct RuntimeParts {
    /// What is drawn.
    pub state: TuiState,
    /// What Tab completes.
    pub names: CompletionNames,
    /// Calls for what is meant for oneself.
    pub notifier: Notifier,
    /// The terminal's title says what is unread.
    pub title: bool,
    /// Itself, for what it starts.
    pub window: TuiHandle,
    /// Who does what is wanted.
    pub session: Recipient<AppRequest>,
    /// Who reads the keyboard.
    pub keyboard: Recipient<KeysRequest>,
}

/// The painter.
#[derive(Debug)]
pub struct TuiRuntime {
    parts: RuntimeParts,
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    /// The title that the terminal has.
    titled: String,
    /// Somebody else has the terminal.
    lent: bool,
    saved: Instant,
}

impl TuiRuntime {
    /// Starts the thread.
    ///
    /// # Errors
    /// There is no terminal, or no room for another thread.
    pub fn start(parts: RuntimeParts, told: Receiver<TuiNotice>) -> io::Result<()> {
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        let painter = Self {
            parts,
            terminal,
            titled: String::new(),
            lent: false,
            saved: Instant::now(),
        };
        let thread = thread::Builder::new().name("painter".to_owned());
        thread.spawn(move || painter.run(&told))?;
        Ok(())
    }

    fn run(mut self, told: &Receiver<TuiNotice>) {
        if let Ok(size) = self.terminal.size() {
            self.parts.state.resize(size.width, size.height);
        }
        self.parts.keyboard.do_send(KeysRequest);
        let mut due = true;
        let mut drawn: Option<Instant> = None;
        loop {
            let since = drawn.map_or(FRAME, |drawn| drawn.elapsed());
            if due && since >= FRAME {
                self.draw();
                drawn = Some(Instant::now());
                due = false;
            }
            let wait = match due {
                true => Some(FRAME.saturating_sub(since)),
                false => self.parts.state.is_animated().then_some(TICK),
            };
            let first = match wait {
                Some(wait) => told.recv_timeout(wait),
                None => told.recv().map_err(RecvTimeoutError::from),
            };
            match first {
                Ok(first) => {
                    for one in std::iter::once(first).chain(told.try_iter().take(BATCH)) {
                        if let TuiNotice::Finish(done) = one {
                            self.finish();
                            done.send(()).ok();
                            return;
                        }
                        self.take(one);
                    }
                    self.after();
                }
                Err(RecvTimeoutError::Timeout) if !due => self.parts.state.frame += 1,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.finish(),
            }
            due = true;
        }
    }

    fn take(&mut self, told: TuiNotice) {
        match told {
            TuiNotice::Session(event) => self.parts.state.apply(event, SystemTime::now().into()),
            TuiNotice::Keys(events) => {
                for event in events {
                    self.event(event);
                }
                if !self.lent {
                    self.parts.keyboard.do_send(KeysRequest);
                }
            }
            TuiNotice::NoKeys => self
                .parts
                .session
                .do_send(AppRequest::Input(UserInput::Ended)),
            TuiNotice::Edited(text) => self.edited(text),
            TuiNotice::Finish(_) => {}
        }
    }

    fn event(&mut self, event: Event) {
        let RuntimeParts { state, names, .. } = &mut self.parts;
        match state.event(event, names) {
            TerminalAction::None => {}
            TerminalAction::Edit(text) => self.edit(text),
            TerminalAction::Suspend => self.suspend(),
            TerminalAction::Redraw => self.redraw(),
            TerminalAction::Mouse(on) => {
                terminal::mouse(on).ok();
            }
        }
    }

    /// Passes on what was wanted, and calls for what came.
    fn after(&mut self) {
        let RuntimeParts {
            state,
            session,
            notifier,
            ..
        } = &mut self.parts;
        for request in state.take_requests() {
            session.do_send(request);
        }
        for arrived in state.take_incoming() {
            let call = notifier.call(&arrived.arrival(&state.me), Instant::now());
            if !call.is_empty() {
                terminal::write(&call).ok();
            }
        }
        if self.saved.elapsed() >= SAVED {
            self.save();
        }
    }

    fn draw(&mut self) {
        if self.lent {
            return;
        }
        let state = &self.parts.state;
        if let Err(error) = self.terminal.draw(|frame| draw(state, frame)) {
            log::warn!("the terminal does not take what is drawn: {error}");
        }
        if self.parts.title {
            let (unread, mentions) = state.unread();
            let title = title(&word(&state.here().to), unread, mentions);
            if title != self.titled {
                terminal::write(&title).ok();
                self.titled = title;
            }
        }
    }

    /// Draws everything, whatever stands there.
    fn redraw(&mut self) {
        self.titled.clear();
        // `Terminal::clear` asks where the cursor is, and does nothing if the terminal does not say.
        if let Err(error) = self.terminal.backend_mut().clear() {
            log::warn!("the terminal cannot be wiped: {error}");
        }
        self.terminal.swap_buffers();
    }

    /// Goes back to full screen.
    fn take_back(&mut self) {
        self.lent = false;
        if let Err(error) = terminal::enter(self.parts.state.mouse) {
            log::warn!("the terminal cannot be used any more: {error}");
        }
        if let Ok(size) = self.terminal.size() {
            self.parts.state.resize(size.width, size.height);
        }
        self.redraw();
    }

    fn suspend(&mut self) {
        terminal::leave();
        if let Err(error) = raise(Signal::SIGTSTP) {
            log::warn!("not stopped: {error}");
        }
        self.take_back();
    }

    /// Has a text edited. Meanwhile nothing is drawn and no key is read, and what arrives is taken in.
    fn edit(&mut self, text: String) {
        terminal::lend();
        self.lent = true;
        let window = self.parts.window.clone();
        thread::spawn(move || window.give(TuiNotice::Edited(edited(&text))));
    }

    /// What was typed stays where no editor has made anything of it.
    fn edited(&mut self, text: io::Result<String>) {
        let state = &mut self.parts.state;
        match text {
            Ok(text) => state.entry.set_text(&text),
            Err(error) => state.hint = Some(format!("the editor failed: {}", word(&cause(&error)))),
        }
        self.take_back();
        self.parts.keyboard.do_send(KeysRequest);
    }

    fn save(&mut self) {
        self.saved = Instant::now();
        if let Err(error) = self.parts.state.remember() {
            log::warn!("what was read is not remembered: {error}");
        }
    }

    fn finish(&mut self) {
        self.save();
        terminal::leave();
        let mut err = io::stderr().lock();
        for words in &self.parts.state.last_words {
            // Nobody is left to be told that nobody reads the errors.
            writeln!(err, "{words}").ok();
        }
    }
}

/// What somebody makes of `text` in an editor.
fn edited(text: &str) -> io::Result<String> {
    let mut file = tempfile::Builder::new()
        .prefix("chat-")
        .suffix(".txt")
        .tempfile()?;
    file.write_all(text.as_bytes())?;
    file.flush()?;
    let status = Command::new("sh")
        .arg("-c")
        .arg(EDITOR)
        .arg(file.path())
        .status()?;
    if !status.success() {
        return Err(io::Error::other(status.to_string()));
    }
    let edited = fs::read_to_string(file.path())?;
    Ok(edited.strip_suffix('\n').unwrap_or(&edited).to_owned())
}
