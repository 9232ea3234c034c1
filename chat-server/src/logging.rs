//! Logs untrusted input: quotes and truncates text, and throttles lines that clients can provoke.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Maximum length of a quoted text in the log, in bytes.
const QUOTED_MAX: usize = 200;

/// End of a truncated text.
const CUT: &str = "…\"";

/// Lines of one kind that are logged in a `THROTTLE_WINDOW`; further lines are counted.
const LINES_MAX: u32 = 5;

const THROTTLE_WINDOW: Duration = Duration::from_secs(5);

/// Displays untrusted text in quotes, escapes unprintable characters, and truncates to
/// `QUOTED_MAX` bytes.
#[derive(Debug, Clone)]
pub struct Quoted<'a>(Cow<'a, str>);

impl<'a> Quoted<'a> {
    /// Quotes bytes; invalid UTF-8 becomes U+FFFD.
    pub fn bytes(bytes: &'a [u8]) -> Self {
        // A character takes at least one byte, so the text behind this prefix is truncated anyway.
        Self(String::from_utf8_lossy(
            &bytes[..bytes.len().min(QUOTED_MAX)],
        ))
    }

    /// Quotes text.
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
            // The last character may use the bytes that are reserved for the truncation mark.
            if bytes > room + if is_last { CUT.len() - 1 } else { 0 } {
                return f.write_str(CUT);
            }
            room = room.saturating_sub(bytes);
            write!(f, "{escaped}")?;
        }
        f.write_char('"')
    }
}

/// Limits the lines of one kind to `LINES_MAX` in each `THROTTLE_WINDOW` and counts the others.
#[derive(Debug)]
pub struct LogThrottle(Mutex<State>);

#[derive(Debug)]
struct State {
    since: Option<Instant>,
    lines: u32,
    suppressed: u64,
}

/// Decision about one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogDecision {
    /// Log the line.
    Log,
    /// Suppress the line, the first in this window, and log the count of suppressed lines after
    /// this time.
    SuppressAndReportAfter(Duration),
    /// Suppress the line.
    Suppress,
}

impl LogThrottle {
    /// Creates a throttle for one kind of line.
    pub const fn new() -> Self {
        Self(Mutex::new(State {
            since: None,
            lines: 0,
            suppressed: 0,
        }))
    }

    /// Decides whether a line at `now` is logged.
    pub fn decide(&self, now: Instant) -> LogDecision {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match state.since {
            Some(since) if now.saturating_duration_since(since) < THROTTLE_WINDOW => since,
            _ => {
                (state.since, state.lines) = (Some(now), 0);
                now
            }
        };
        if state.lines < LINES_MAX {
            state.lines += 1;
            return LogDecision::Log;
        }
        state.suppressed += 1;
        match state.suppressed {
            1 => LogDecision::SuppressAndReportAfter(
                THROTTLE_WINDOW.saturating_sub(now.saturating_duration_since(since)),
            ),
            _ => LogDecision::Suppress,
        }
    }

    /// Returns and resets the count of suppressed lines.
    pub fn take_suppressed(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.suppressed)
    }
}

impl Default for LogThrottle {
    fn default() -> Self {
        Self::new()
    }
}

/// Logs a throttled line; each call site has its own [`LogThrottle`]. Must run on an actor thread.
macro_rules! log_throttled {
    ($level:ident, $kind:literal, $($line:tt)+) => {{
        static THROTTLE: $crate::logging::LogThrottle = $crate::logging::LogThrottle::new();
        match THROTTLE.decide(std::time::Instant::now()) {
            $crate::logging::LogDecision::Log => log::$level!($($line)+),
            $crate::logging::LogDecision::Suppress => {}
            $crate::logging::LogDecision::SuppressAndReportAfter(time) => {
                actix_rt::spawn(async move {
                    tokio::time::sleep(time).await;
                    let count = THROTTLE.take_suppressed();
                    log::$level!("{count} lines suppressed: {}", $kind);
                });
            }
        }
    }};
}
pub(crate) use log_throttled;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_text_is_truncated_and_escaped() {
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
    fn lines_over_the_limit_are_counted() {
        let (throttle, now) = (LogThrottle::new(), Instant::now());
        for _ in 0..LINES_MAX {
            assert_eq!(throttle.decide(now), LogDecision::Log);
        }
        let later = now + Duration::from_secs(1);
        assert_eq!(
            throttle.decide(later),
            LogDecision::SuppressAndReportAfter(THROTTLE_WINDOW - Duration::from_secs(1))
        );
        assert_eq!(throttle.decide(later), LogDecision::Suppress);
        assert_eq!(throttle.take_suppressed(), 2);
        assert_eq!(throttle.decide(now + THROTTLE_WINDOW), LogDecision::Log);
    }
}
