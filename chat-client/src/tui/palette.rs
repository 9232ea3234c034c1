//! Colours: as many as the terminal has, and for each nick the same one everywhere.
//!
//! The background of a terminal is unknown. The colours of nicks contrast with black and white
//! alike; everything else uses the theme, bold, dim and reverse.

use std::cell::RefCell;
use std::collections::HashMap;

use chat_proto::name::fold;
use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColourDepth {
    /// None, or none are wanted.
    None,
    /// Those of its theme.
    Sixteen,
    /// A cube of six by six by six.
    TwoHundred,
    /// All.
    Full,
}

/// Of the colours of a theme those that are readable on black and on white.
const THEME: [Color; 4] = [Color::Red, Color::Green, Color::Magenta, Color::Cyan];

/// The hues of nicks, the pure ones before the pale ones, each so light that its contrast to black
/// is about the one to white.
const HUES: [u32; 24] = [
    0xec0000, 0xba5b00, 0x7a7a00, 0x3f8500, 0x008900, 0x008841, 0x008383, 0x0073e6, 0x5f5fff,
    0x8e4bff, 0xd000d0, 0xe50072, 0xaa624a, 0x877439, 0x6a7d34, 0x4a8337, 0x38844b, 0x37826f,
    0x3f7d92, 0x5672c4, 0x7e60d9, 0xa454be, 0xb54f9c, 0xbc536d,
];

/// Of the cube of 256 colours those that differ most from each other while their contrast to black
/// and to white is at least 4.5 (the first five), 4.3 (the next five) and 4.0.
const CUBE: [u8; 15] = [
    29, 163, 131, 63, 98, 28, 164, 130, 30, 132, 27, 161, 65, 96, 64,
];

/// The nicks of a conversation that have a look of their own; further ones go by their hash.
const MAX_SEATS: usize = 500;

/// Which look each nick has, by conversation: users in one channel are told apart as long as there
/// are looks, and each keeps its own.
#[derive(Debug, Clone, Default)]
pub struct NickColours(RefCell<HashMap<String, HashMap<String, usize>>>);

impl NickColours {
    /// Returns the number of the look of a nick, below `count`.
    pub fn of(&self, place: &str, nick: &str, count: usize) -> usize {
        let (place, nick) = (fold(place), fold(nick));
        let first = hash(&nick) as usize % count.max(1);
        let mut places = self.0.borrow_mut();
        let taken = places.entry(place.into_owned()).or_default();
        if let Some(seat) = taken.get(&*nick) {
            return *seat;
        }
        if taken.len() >= MAX_SEATS {
            return first;
        }
        let uses = |seat: &usize| taken.values().filter(|taken| **taken == *seat).count();
        let seats = (0..count).map(|step| (first + step) % count);
        let seat = seats.min_by_key(uses).unwrap_or(first);
        taken.insert(nick.into_owned(), seat);
        seat
    }
}

impl ColourDepth {
    /// What the environment tells: `NO_COLOR`, `COLORTERM` and `TERM`.
    pub fn of(environment: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| environment(name).unwrap_or_default();
        let (term, colours) = (value("TERM"), value("COLORTERM"));
        let mono = ["", "dumb", "vt100", "vt102", "vt220"].contains(&term.as_str());
        if !value("NO_COLOR").is_empty() || mono || term.ends_with("-mono") || term.ends_with("-m")
        {
            ColourDepth::None
        } else if colours == "truecolor" || colours == "24bit" || term.ends_with("-direct") {
            ColourDepth::Full
        } else if term.contains("256color") {
            ColourDepth::TwoHundred
        } else {
            ColourDepth::Sixteen
        }
    }

    /// Returns how many looks of nicks can be told apart.
    pub fn seats(self) -> usize {
        match self {
            ColourDepth::None => 1,
            ColourDepth::Sixteen => 2 * THEME.len(),
            ColourDepth::TwoHundred => CUBE.len(),
            ColourDepth::Full => HUES.len(),
        }
    }

    /// Returns the look of that number, below [`ColourDepth::seats`].
    pub fn nick(self, seat: usize) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        match self {
            ColourDepth::None => bold,
            // Four colours are readable on both backgrounds; the rest are told apart by a line.
            ColourDepth::Sixteen if seat >= THEME.len() => bold
                .fg(THEME[seat % THEME.len()])
                .add_modifier(Modifier::UNDERLINED),
            ColourDepth::Sixteen => bold.fg(THEME[seat]),
            ColourDepth::TwoHundred => bold.fg(Color::Indexed(CUBE[seat % CUBE.len()])),
            ColourDepth::Full => bold.fg(Color::from_u32(HUES[seat % HUES.len()])),
        }
    }

    /// A colour of the theme, where there are colours.
    pub fn colour(self, colour: Color) -> Style {
        match self {
            ColourDepth::None => Style::new(),
            ColourDepth::Sixteen | ColourDepth::TwoHundred | ColourDepth::Full => {
                Style::new().fg(colour)
            }
        }
    }
}

/// The same number for the same text, on every machine (FNV-1a).
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(part: f64) -> f64 {
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    }

    fn luminance([r, g, b]: [f64; 3]) -> f64 {
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn cube(index: u8) -> [u8; 3] {
        let index = index - 16;
        [index / 36, index / 6 % 6, index % 6]
            .map(|step| if step == 0 { 0 } else { 55 + step * 40 })
    }

    fn contrasts(rgb: [u8; 3]) -> [f64; 2] {
        let light = luminance(rgb.map(|part| linear(f64::from(part) / 255.0))) + 0.05;
        [light / 0.05, 1.05 / light]
    }

    #[test]
    fn nicks_are_readable_on_black_and_on_white() {
        for hue in HUES {
            let [_, r, g, b] = hue.to_be_bytes();
            let [black, white] = contrasts([r, g, b]);
            assert!(black > 4.4 && white > 4.4, "{hue:06x}: {black} {white}");
        }
        for (rank, index) in CUBE.into_iter().enumerate() {
            let [black, white] = contrasts(cube(index));
            let least = [4.5, 4.3, 4.0][rank / 5];
            assert!(black > least && white > least, "{index}: {black} {white}");
        }
    }

    /// Issue 15, row 48.
    #[test]
    fn nicks_in_one_channel_are_told_apart() {
        for depth in [
            ColourDepth::Sixteen,
            ColourDepth::TwoHundred,
            ColourDepth::Full,
        ] {
            let (seats, count) = (NickColours::default(), depth.seats());
            let theme = |place: &str, nick: &str| depth.nick(seats.of(place, nick, count));
            let nicks: Vec<String> = (0..count).map(|number| format!("user{number}")).collect();
            let looks: Vec<Style> = nicks.iter().map(|nick| theme("#a", nick)).collect();
            let mut different = looks.clone();
            different.sort_by_key(|style| format!("{style:?}"));
            different.dedup();
            assert_eq!(different.len(), count, "{depth:?}");
            // Each keeps its colour when others join.
            theme("#a", "one more");
            theme("#b", "another");
            let again: Vec<Style> = nicks
                .iter()
                .map(|nick| theme("#A", &nick.to_uppercase()))
                .collect();
            assert_eq!(again, looks);
        }
        assert_eq!(ColourDepth::None.nick(0).fg, None);
        assert_eq!(ColourDepth::None.colour(Color::Red).fg, None);
    }

    #[test]
    fn how_many_colours_there_are() {
        for (variables, want) in [
            (&[("TERM", "xterm-256color")][..], ColourDepth::TwoHundred),
            (
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
                ColourDepth::Full,
            ),
            (
                &[("TERM", "xterm"), ("COLORTERM", "24bit"), ("NO_COLOR", "1")],
                ColourDepth::None,
            ),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], ColourDepth::Sixteen),
            (&[("TERM", "linux")], ColourDepth::Sixteen),
            (&[("TERM", "vt220")], ColourDepth::None),
            (&[("TERM", "xterm-direct")], ColourDepth::Full),
            (&[], ColourDepth::None),
        ] {
            let depth = ColourDepth::of(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(depth, want, "{variables:?}");
        }
    }
}
