//! How far the reading of a long log has got, on a terminal where nothing else is printed.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// What takes no longer needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Gone from the terminal when it is dropped, whatever the way out.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    state: State,
}

#[derive(Debug)]
enum State {
    Hidden,
    Patient,
    Shown(ProgressBar),
}

impl Progress {
    /// For a command that prints nothing before it has read all.
    pub(super) fn of_silent() -> Self {
        Self {
            begun: Instant::now(),
            state: if io::stderr().is_terminal() {
                State::Patient
            } else {
                State::Hidden
            },
        }
    }

    /// For a command that prints what it reads: a bar would stand in between.
    pub(super) fn of_printing() -> Self {
        let silent = Self::of_silent();
        if io::stdout().is_terminal() {
            let state = State::Hidden;
            return Self { state, ..silent };
        }
        silent
    }

    /// `offset` bytes of `end` have been read.
    pub(super) fn reached(&mut self, offset: u64, end: u64) {
        match &self.state {
            State::Hidden => {}
            State::Shown(bar) => bar.set_position(offset),
            State::Patient if self.begun.elapsed() < PATIENCE => {}
            State::Patient => {
                let template = "{bar:40} {bytes} of {total_bytes}, {eta} left";
                let style = ProgressStyle::with_template(template).expect("it is a constant");
                let bar = ProgressBar::new(end).with_style(style);
                self.state = State::Shown(bar.with_position(offset));
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let State::Shown(bar) = &self.state {
            bar.finish_and_clear();
        }
    }
}
