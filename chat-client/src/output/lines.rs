//! The thread that writes to standard output and standard error.
//!
//! Each line is flushed at once. The Session hands lines over and goes on; a reader so slow that
//! `WAITING` lines wait for it holds the Session up, and through it the server, which lets go of a
//! client that never reads: nothing is dropped on this side. At a terminal the lines go above the
//! prompt, and a spinner shows that something is waited for.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use crossterm::terminal;
use rustyline::ExternalPrinter;
use tokio::sync::oneshot;

use crate::terminal_lock::TerminalLock;
use crate::text::{format, spinner, wording};

/// Lines that may wait to be written: a burst does not hold the connection up, a stop does.
const WAITING: usize = 1024;

/// Between two frames of the spinner.
const FRAME: Duration = Duration::from_millis(100);

/// Goes up to the line above the prompt, and wipes it.
const OVER: &str = "\x1b[A\r\x1b[K";

/// A line that shows nothing: up, and down again.
const NOTHING: &str = "\x1b[A\n";

/// A printer of the line editor.
pub type PromptPrinter = Box<dyn ExternalPrinter + Send>;

/// The handle that lines are given to.
#[derive(Debug, Clone)]
pub struct LineOutput {
    items: SyncSender<Item>,
    failed: Arc<AtomicBool>,
}

/// What the screen is asked.
#[derive(Debug)]
enum Item {
    Out(String),
    Err(String),
    Question(String),
    Spin(Option<String>),
    Finish(oneshot::Sender<()>),
}

impl LineOutput {
    /// Starts the thread. `terminal` is there where a line editor is; `closed` is signalled when
    /// standard output is closed.
    ///
    /// # Errors
    /// There is no room for another thread.
    pub fn start(
        terminal: Option<(PromptPrinter, TerminalLock)>,
        closed: oneshot::Sender<()>,
    ) -> io::Result<Self> {
        let (items, waiting) = mpsc::sync_channel(WAITING);
        let failed = Arc::<AtomicBool>::default();
        let writer = Writer {
            failed: failed.clone(),
            terminal,
            err_is_terminal: io::stderr().is_terminal(),
            spinner: None,
            above: false,
            closed: Some(closed),
            edited: false,
        };
        thread::Builder::new()
            .name("screen".to_owned())
            .spawn(move || writer.run(&waiting))?;
        Ok(Self { items, failed })
    }

    /// Returns whether standard output could not be written, for another reason than a reader that
    /// has closed it.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    /// A line for standard output.
    pub fn out(&self, line: String) {
        self.give(Item::Out(line));
    }

    /// A line for standard error.
    pub fn err(&self, line: String) {
        self.give(Item::Err(line));
    }

    /// Writes a question to standard error, after the previous lines and without a newline.
    pub fn question(&self, text: &str) {
        self.give(Item::Question(text.to_owned()));
    }

    /// Shows a spinner with that text at a terminal, or no longer.
    pub fn spin(&self, text: Option<String>) {
        self.give(Item::Spin(text));
    }

    /// Ends when all lines are written, however long their reader takes.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        let items = self.items.clone();
        // On a thread of its own: there may be no room for it before a line is read.
        thread::spawn(move || items.send(Item::Finish(done)).ok());
        finished.await.ok();
    }

    fn give(&self, item: Item) {
        // The thread ends with the last handle, so the queue is open.
        self.items.send(item).ok();
    }
}

/// The thread.
struct Writer {
    terminal: Option<(PromptPrinter, TerminalLock)>,
    err_is_terminal: bool,
    /// The text and the number of the next frame.
    spinner: Option<(String, u64)>,
    /// The line above the prompt is a frame of the spinner, or one that was wiped.
    above: bool,
    closed: Option<oneshot::Sender<()>>,
    failed: Arc<AtomicBool>,
    /// The last line went through the editor.
    edited: bool,
}

impl Writer {
    fn run(mut self, items: &Receiver<Item>) {
        loop {
            let item = if self.spinner.is_some() {
                items.recv_timeout(FRAME)
            } else {
                items.recv().map_err(RecvTimeoutError::from)
            };
            match item {
                Ok(Item::Out(line)) => self.out(&line),
                Ok(Item::Err(line)) => self.err(&line),
                Ok(Item::Question(text)) => write_err(&text),
                Ok(Item::Spin(text)) => self.spin(text),
                Ok(Item::Finish(done)) => {
                    self.finish();
                    done.send(()).ok();
                }
                Err(RecvTimeoutError::Timeout) => self.frame(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn out(&mut self, line: &str) {
        if self.terminal.is_some() {
            return self.above_prompt(&format!("{line}\n"));
        }
        if self.closed.is_none() {
            return;
        }
        let mut out = io::stdout().lock();
        let written = out.write_all(format!("{line}\n").as_bytes());
        if let Err(error) = written.and_then(|()| out.flush())
            && let Some(closed) = self.closed.take()
        {
            if error.kind() != io::ErrorKind::BrokenPipe {
                self.failed.store(true, Ordering::Relaxed);
                let detail = format!("standard output: {}", wording::cause(&error));
                write_err(&format!("{}\n", format::error("output_failed", &detail)));
            }
            // The receiver may be gone at the end.
            closed.send(()).ok();
        }
    }

    fn err(&mut self, line: &str) {
        if self.terminal.is_some() && self.err_is_terminal {
            return self.above_prompt(&format!("{line}\n"));
        }
        write_err(&format!("{line}\n"));
    }

    /// Writes a line above the prompt, in the place of the spinner where one is shown.
    fn above_prompt(&mut self, line: &str) {
        let over = std::mem::take(&mut self.above);
        self.print(&if over {
            format!("{OVER}{line}")
        } else {
            line.to_owned()
        });
        if over && self.spinner.is_some() {
            self.frame();
        }
    }

    /// Writes whole lines.
    fn print(&mut self, text: &str) {
        self.write(text, text.to_owned());
    }

    /// Writes `direct` to the terminal while no line is edited; else has the editor write
    /// `through`, which ends with a newline, above its prompt.
    fn write(&mut self, direct: &str, through: String) {
        let Some((printer, lock)) = &mut self.terminal else {
            return;
        };
        let edited = &mut self.edited;
        *edited = false;
        lock.print(
            || {
                let mut out = io::stdout().lock();
                out.write_all(direct.as_bytes()).ok();
                out.flush().ok();
            },
            || {
                *edited = true;
                if let Err(error) = printer.print(through) {
                    log::warn!("the terminal does not take a line: {error}");
                }
            },
        );
    }

    fn spin(&mut self, text: Option<String>) {
        match text {
            Some(text) if self.terminal.is_some() => {
                self.spinner = Some((text, 0));
                self.frame();
            }
            _ => {
                self.spinner = None;
                if self.above {
                    // While a line is edited the row cannot be removed; the next line fills it.
                    self.write(OVER, format!("{OVER}\n"));
                    self.above = self.edited;
                }
            }
        }
    }

    /// The next frame of the spinner, over the last one.
    fn frame(&mut self) {
        let Some((text, number)) = &mut self.spinner else {
            return;
        };
        let tick = spinner::frame(*number);
        let over = if self.above { OVER } else { "" };
        // A frame on two rows could not be drawn over; the frame itself and a space take two
        // columns.
        let columns = terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let text: String = text.chars().take(columns.saturating_sub(3)).collect();
        let line = format!("{over}{tick} {text}\n");
        *number += 1;
        self.above = true;
        self.print(&line);
    }

    /// The editor takes one line at a time: once it has taken two that show nothing (up and down
    /// again), all before them is on the screen.
    fn finish(&mut self) {
        self.spin(None);
        if self.terminal.is_some() {
            self.write("", NOTHING.to_owned());
            self.write("", NOTHING.to_owned());
        }
    }
}

fn write_err(text: &str) {
    // A closed standard error cannot be reported.
    let mut err = io::stderr().lock();
    err.write_all(text.as_bytes()).ok();
    err.flush().ok();
}
