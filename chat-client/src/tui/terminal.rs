//! Enters and leaves full screen. The terminal is restored on every exit path.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

use crate::notify::{RESTORE_TITLE, SAVE_TITLE};

/// The alternate screen, pastes told from keys, the focus told.
const ENTER: &str = "\x1b[?1049h\x1b[?2004h\x1b[?1004h";

/// All of that as it was, the mouse too, and the cursor visible.
const LEAVE: &str = "\x1b[?1006l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m";

/// Buttons and the wheel, and nothing while the mouse just moves.
const MOUSE: &str = "\x1b[?1000h\x1b[?1006h";
const NO_MOUSE: &str = "\x1b[?1006l\x1b[?1000l";

/// Whether the terminal is in full screen. Global, because a panic on any thread restores it.
static ENTERED: AtomicBool = AtomicBool::new(false);

/// Whether an external editor has the terminal. Its Ctrl-C is sent to this process too.
static LENT: AtomicBool = AtomicBool::new(false);

/// When the last external editor ended: its signals may be delivered a little later.
static GIVEN_BACK: Mutex<Option<Instant>> = Mutex::new(None);
const LATER: Duration = Duration::from_secs(1);

/// Goes to full screen.
///
/// # Errors
/// The terminal cannot be configured.
pub fn enter(mouse: bool) -> io::Result<()> {
    enable_raw_mode()?;
    ENTERED.store(true, Ordering::SeqCst);
    if LENT.load(Ordering::SeqCst) {
        *given_back() = Some(Instant::now());
        LENT.store(false, Ordering::SeqCst);
    }
    write(&format!(
        "{SAVE_TITLE}{ENTER}{}",
        if mouse { MOUSE } else { "" }
    ))
}

/// Gives the terminal back, once.
pub fn leave() {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that takes neither is gone.
    write(&format!("{LEAVE}{RESTORE_TITLE}")).ok();
    disable_raw_mode().ok();
}

/// Gives the terminal to an editor, until full screen is entered again.
pub fn lend() {
    LENT.store(true, Ordering::SeqCst);
    leave();
}

/// Whether a Ctrl-C that is told as a signal is an editor's: in full screen it is a key.
pub fn is_lent() -> bool {
    LENT.load(Ordering::SeqCst) || given_back().is_some_and(|since| since.elapsed() < LATER)
}

fn given_back() -> MutexGuard<'static, Option<Instant>> {
    GIVEN_BACK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens to the mouse, or not: then the terminal's own selection works as usual.
///
/// # Errors
/// The terminal is gone.
pub fn mouse(on: bool) -> io::Result<()> {
    write(if on { MOUSE } else { NO_MOUSE })
}

/// Writes sequences.
///
/// # Errors
/// The terminal is gone.
pub fn write(sequences: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(sequences.as_bytes())?;
    out.flush()
}

/// Gives the terminal back when it is dropped.
#[derive(Debug)]
pub struct FullScreenGuard;

impl Drop for FullScreenGuard {
    fn drop(&mut self) {
        leave();
    }
}
