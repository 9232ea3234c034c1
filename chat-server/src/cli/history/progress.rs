//! How far the reading of a long log has got, on a terminal where nothing else is printed.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes no longer needs no bar.
const PATIENCE: Duration = Duration::from_millis(500);

/// Gone from the terminal when it is dropped, whatever the way out.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    /// Counts from the beginning, so that it knows the pace when it is shown.
    bar: ProgressBar,
    end: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Never,
    NotYet,
    Shown,
}

impl Progress {
    /// For a command that prints nothing before it has read all.
    pub(super) fn of_silent() -> Self {
        Self::new(io::stderr().is_terminal())
    }

    /// For a command that prints what it reads: a bar would stand in between.
    pub(super) fn of_printing() -> Self {
        Self::new(io::stderr().is_terminal() && !io::stdout().is_terminal())
    }

    fn new(wanted: bool) -> Self {
        let template = "{bar:40} {bytes} of {total_bytes}, {eta} left";
        let style = ProgressStyle::with_template(template).expect("it is a constant");
        Self {
            begun: Instant::now(),
            bar: ProgressBar::hidden().with_style(style),
            end: 0,
            state: if wanted { State::NotYet } else { State::Never },
        }
    }

    /// `offset` bytes of `end` have been read.
    pub(super) fn reached(&mut self, offset: u64, end: u64) {
        if self.state == State::Never {
            return;
        }
        if self.end != end {
            self.end = end;
            self.bar.set_length(end);
        }
        self.bar.set_position(offset);
        if self.state == State::NotYet && self.begun.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
            self.state = State::Shown;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.state == State::Shown {
            self.bar.finish_and_clear();
        }
    }
}
