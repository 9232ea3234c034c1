//! Who may write to the terminal: the screen and the line editor take turns by this.
//!
//! The editor's printer shows a line above the prompt while a line is being edited, and writes it
//! straight to the terminal else. Between the two the editor takes back the line that was entered,
//! and would erase a line printed in that moment with it, so output waits.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// How long the editor waits for a line that is being handed over. The printer looks at the state
/// of the terminal first of all, so after this it only waits for the editor to read on.
const HANDOVER: Duration = Duration::from_millis(20);

/// The longest time without output while a line is erased, which takes far less.
const BETWEEN: Duration = Duration::from_millis(200);

/// The owner of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalOwner {
    /// No line is edited: the output thread writes to the terminal.
    Screen,
    /// The editor begins or ends a line: no output is written.
    Between,
    /// A line is being edited: the editor's printer prints.
    Editor,
}

/// Shared by the thread of the keyboard and that of the screen.
#[derive(Debug, Clone)]
pub struct TerminalLock(Arc<(Mutex<LockState>, Condvar)>);

#[derive(Debug)]
struct LockState {
    turn: TerminalOwner,
    /// The screen hands a line to the editor's printer.
    printing: bool,
}

impl Default for TerminalLock {
    fn default() -> Self {
        let state = LockState {
            turn: TerminalOwner::Screen,
            printing: false,
        };
        Self(Arc::new((Mutex::new(state), Condvar::new())))
    }
}

impl TerminalLock {
    fn state(&self) -> MutexGuard<'_, LockState> {
        self.0
            .0
            .lock()
            .expect("no thread panics while it holds the lock")
    }

    /// Sets the owner; called by the editor.
    pub fn set(&self, turn: TerminalOwner) {
        let mut state = self.state();
        if state.turn == turn {
            return;
        }
        state.turn = turn;
        self.0.1.notify_all();
        if turn == TerminalOwner::Between {
            let handed_over = self
                .0
                .1
                .wait_timeout_while(state, HANDOVER, |state| state.printing);
            drop(handed_over);
        }
    }

    /// Prints: with `direct` while no line is edited, else with `through` the editor. Waits while
    /// it is between the two, but not longer than taking a line back may take: there may be no next
    /// line.
    pub fn print(&self, direct: impl FnOnce(), through: impl FnOnce()) {
        let between = |state: &mut LockState| state.turn == TerminalOwner::Between;
        let (mut state, _) = self
            .0
            .1
            .wait_timeout_while(self.state(), BETWEEN, between)
            .expect("no thread panics while it holds the lock");
        if state.turn == TerminalOwner::Editor {
            state.printing = true;
            drop(state);
            // This may block until the editor reads on; the lock is free meanwhile.
            through();
            self.state().printing = false;
            self.0.1.notify_all();
        } else {
            // Held while writing: the editor does not begin in the middle of a line.
            direct();
            drop(state);
        }
    }
}
