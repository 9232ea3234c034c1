//! Styles and times.

use std::sync::Arc;

use chat_proto::Timestamp;
use jiff::tz::TimeZone;
use ratatui::style::{Color, Modifier, Style};

use super::palette::{ColourDepth, NickColours};

/// Styles and time format of the full screen.
#[derive(Debug, Clone)]
pub struct Theme {
    /// The colours of the terminal.
    pub depth: ColourDepth,
    /// The configured colours of nicks; empty for the default ones.
    pub nicks: Arc<[Color]>,
    /// Which look each nick has.
    pub nick_colours: NickColours,
    /// The time zone.
    pub zone: TimeZone,
    /// Each message bears its time.
    pub times: bool,
    /// The terminal is told where links lead (OSC 8).
    pub links: bool,
}

impl Theme {
    /// Returns how a nick looks in a conversation.
    pub fn nick(&self, place: &str, nick: &str) -> Style {
        let wanted = self.nicks.len();
        if wanted == 0 || self.depth == ColourDepth::None {
            let seats = self.depth.seats();
            return self.depth.nick(self.nick_colours.of(place, nick, seats));
        }
        let colour = self.nicks[self.nick_colours.of(place, nick, wanted) % wanted];
        Style::new().add_modifier(Modifier::BOLD).fg(colour)
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
