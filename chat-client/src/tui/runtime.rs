//! The thread that owns the state: it applies events and keys, and draws.

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

/// The least time between two drawings: about sixty a second.
const FRAME: Duration = Duration::from_millis(16);

/// Between two frames of an animation.
const TICK: Duration = Duration::from_millis(100);

/// The most notices processed between two checks of the frame clock.
const BATCH: usize = 256;

/// The least time between two writes of the read state.
const SAVED: Duration = Duration::from_secs(30);

/// The shell command that opens its argument in `$VISUAL` or `$EDITOR`.
const EDITOR: &str = "exec ${VISUAL:-${EDITOR:-vi}} \"$0\"";

/// The parts of the runtime.
#[derive(Debug)]
pub struct RuntimeParts {
    /// What is drawn.
    pub state: TuiState,
    /// What Tab completes.
    pub names: CompletionNames,
    /// Notifies the user.
    pub notifier: Notifier,
    /// The terminal's title says what is unread.
    pub title: bool,
    /// A handle to this runtime, for the threads it starts.
    pub tui: TuiHandle,
    /// Executes the requests.
    pub session: Recipient<AppRequest>,
    /// Reads the keyboard.
    pub keyboard: Recipient<KeysRequest>,
}

/// The runtime.
#[derive(Debug)]
pub struct TuiRuntime {
    parts: RuntimeParts,
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    /// The title that the terminal has.
    titled: String,
    /// An external editor has the terminal.
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
        let runtime = Self {
            parts,
            terminal,
            titled: String::new(),
            lent: false,
            saved: Instant::now(),
        };
        let thread = thread::Builder::new().name("painter".to_owned());
        thread.spawn(move || runtime.run(&told))?;
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

    /// Sends pending requests to the Session, and notifies of new messages.
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
        // `Terminal::clear` asks where the cursor is, and does nothing if the terminal does not
        // say.
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

    /// Starts the external editor. Until it ends events are applied, but nothing is drawn or read.
    fn edit(&mut self, text: String) {
        terminal::lend();
        self.lent = true;
        let tui = self.parts.tui.clone();
        thread::spawn(move || tui.give(TuiNotice::Edited(edited(&text))));
    }

    /// Takes the text of the external editor; keeps the old text if that failed.
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
            // A closed standard error cannot be reported.
            writeln!(err, "{words}").ok();
        }
    }
}

/// Runs the external editor on `text`; returns the edited text.
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
