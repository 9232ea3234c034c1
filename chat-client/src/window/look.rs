//! How things look, whatever they are.

use std::sync::Arc;

use chat_proto::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::{Color, Style};

use super::colour::{self, Depth};

/// How things look.
#[derive(Debug, Clone)]
pub struct Look {
    /// The colours of the terminal.
    pub depth: Depth,
    /// The colours of nicks, where somebody wants others than the usual ones.
    pub nicks: Arc<[Color]>,
    /// Where one lives.
    pub zone: TimeZone,
    /// Each message bears its time.
    pub times: bool,
    /// The terminal is told where links lead (OSC 8).
    pub links: bool,
}

impl Look {
    /// How a nick looks.
    pub fn nick(&self, nick: &str) -> Style {
        let usual = self.depth.nick(nick);
        match colour::one_of(&self.nicks, nick) {
            Some(wanted) if self.depth != Depth::None => usual.fg(wanted),
            _ => usual,
        }
    }

    /// `18:50`
    pub fn clock(&self, time: Timestamp) -> String {
        self.format(time, "%H:%M")
    }

    /// `Monday, 23 November 2026`
    pub fn day(&self, time: Timestamp) -> String {
        self.format(time, "%A, %-d %B %Y")
    }

    /// Whether two times are on the same day.
    pub fn same_day(&self, one: Timestamp, other: Timestamp) -> bool {
        let date = |time: Timestamp| time.to_jiff().to_zoned_datetime(self.zone.clone()).date();
        one == other || date(one) == date(other)
    }

    fn format(&self, time: Timestamp, form: &str) -> String {
        time.to_jiff()
            .to_zoned_datetime(self.zone.clone())
            .strftime(form)
            .to_string()
    }
}
