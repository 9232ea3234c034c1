//! What strangers send, as it is logged: short, escaped, and at a bounded rate.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The longest form in the log of anything that comes from outside, in bytes.
const QUOTED_MAX: usize = 200;

/// Ends what was cut.
const CUT: &str = "…\"";

/// Lines of one kind in a [`WINDOW`]; more are counted.
const LINES_MAX: u32 = 5;

const WINDOW: Duration = Duration::from_secs(5);

/// Displays what comes from outside in quotes, with all that is no printable character escaped, in at most
/// [`QUOTED_MAX`] bytes.
#[derive(Debug, Clone)]
pub struct Quoted<'a>(Cow<'a, str>);

impl<'a> Quoted<'a> {
    /// Of any bytes; those that are no UTF-8 are shown as U+FFFD.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        // Each character takes at least one byte, so what is behind these is cut anyway.
        Self(String::from_utf8_lossy(
            &bytes[..bytes.len().min(QUOTED_MAX)],
        ))
    }

    pub fn text(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = QUOTED_MAX - 1 - CUT.len();
        let mut chars = self.0.chars();
        f.write_char('"')?;
        while let Some(c) = chars.next() {
            let escaped = c.escape_debug();
            let bytes: usize = escaped.clone().map(char::len_utf8).sum();
            let is_last = chars.as_str().is_empty();
            // The last one may stand where the mark of a cut would.
            if bytes > room + if is_last { CUT.len() - 1 } else { 0 } {
                return f.write_str(CUT);
            }
            room = room.saturating_sub(bytes);
            write!(f, "{escaped}")?;
        }
        f.write_char('"')
    }
}

/// Admits a few lines of one kind in each [`WINDOW`] and counts the others.
#[derive(Debug)]
pub struct Gate(Mutex<State>);

#[derive(Debug)]
struct State {
    since: Option<Instant>,
    lines: u32,
    suppressed: u64,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is logged.
    Log,
    /// It is the first that is not logged; after so long [`Gate::take_suppressed`] says how many were not.
    CountUntil(Duration),
    /// It is counted.
    Count,
}

impl Gate {
    /// A gate for one kind of line.
    pub const fn new() -> Self {
        Self(Mutex::new(State {
            since: None,
            lines: 0,
            suppressed: 0,
        }))
    }

    /// Decides what becomes of a line at `now`.
    pub fn verdict(&self, now: Instant) -> Verdict {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match state.since {
            Some(since) if now.saturating_duration_since(since) < WINDOW => since,
            _ => {
                (state.since, state.lines) = (Some(now), 0);
                now
            }
        };
        if state.lines < LINES_MAX {
            state.lines += 1;
            return Verdict::Log;
        }
        state.suppressed += 1;
        match state.suppressed {
            1 => Verdict::CountUntil(WINDOW.saturating_sub(now.saturating_duration_since(since))),
            _ => Verdict::Count,
        }
    }

    /// Returns how many lines were counted and not logged since this was asked last.
    pub fn take_suppressed(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.suppressed)
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Logs a line at a level through a gate of its own, on a thread of the actors.
macro_rules! log_bounded {
    ($level:ident, $kind:literal, $($line:tt)+) => {{
        static GATE: $crate::logged::Gate = $crate::logged::Gate::new();
        match GATE.verdict(std::time::Instant::now()) {
            $crate::logged::Verdict::Log => log::$level!($($line)+),
            $crate::logged::Verdict::Count => {}
            $crate::logged::Verdict::CountUntil(time) => {
                actix_rt::spawn(async move {
                    tokio::time::sleep(time).await;
                    let count = GATE.take_suppressed();
                    log::$level!("{count} more lines are not logged: {}", $kind);
                });
            }
        }
    }};
}
pub(crate) use log_bounded;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_is_short_and_drives_no_terminal() {
        for (text, quoted) in [
            ("", "\"\""),
            ("https://a.example", "\"https://a.example\""),
            ("a\"b\\", "\"a\\\"b\\\\\""),
            ("\x1b[2J\r\n", "\"\\u{1b}[2J\\r\\n\""),
            ("a\u{202e}b", "\"a\\u{202e}b\""),
            ("¡hola!", "\"¡hola!\""),
        ] {
            assert_eq!(Quoted::text(text).to_string(), quoted);
            assert_eq!(Quoted::bytes(text.as_bytes()).to_string(), quoted);
        }
        assert_eq!(Quoted::bytes(b"a\xff").to_string(), "\"a\u{fffd}\"");
        for part in ["x", "\x1b", "я", "👋", "\\"] {
            for count in [40, 100, 190, 197, 198, 199, 200, 60_000] {
                let text = part.repeat(count);
                for quoted in [Quoted::text(&text), Quoted::bytes(text.as_bytes())] {
                    let quoted = quoted.to_string();
                    assert!(quoted.len() <= QUOTED_MAX, "{count} {quoted}");
                    assert!(
                        quoted.ends_with('"') && !quoted.contains('\x1b'),
                        "{quoted}"
                    );
                }
            }
        }
        assert_eq!(Quoted::text(&"x".repeat(198)).to_string().len(), 200);
        assert!(Quoted::text(&"x".repeat(199)).to_string().ends_with(CUT));
    }

    #[test]
    fn a_flood_of_lines_is_counted() {
        let (gate, now) = (Gate::new(), Instant::now());
        for _ in 0..LINES_MAX {
            assert_eq!(gate.verdict(now), Verdict::Log);
        }
        let later = now + Duration::from_secs(1);
        assert_eq!(
            gate.verdict(later),
            Verdict::CountUntil(WINDOW - Duration::from_secs(1))
        );
        assert_eq!(gate.verdict(later), Verdict::Count);
        assert_eq!(gate.take_suppressed(), 2);
        assert_eq!(gate.verdict(now + WINDOW), Verdict::Log);
    }
}
