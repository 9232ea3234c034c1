//! Colours: as many as the terminal has, and for each nick the same one everywhere.
//!
//! Nobody knows whether a terminal is dark or light. So the colours of nicks are as far from black as
//! from white, and everything else is said by the terminal's own colours, bold, dim and reverse.

use chat_proto::name::fold;
use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
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

/// How many hues nicks have.
const HUES: u32 = 24;

/// The lightness at which the contrast to black (21 x 0.05 + ...) is the one to white: (L + 0.05) / 0.05
/// = 1.05 / (L + 0.05).
const MIDDLE: f64 = 0.179;

impl Depth {
    /// What the environment tells: `NO_COLOR`, `COLORTERM` and `TERM`.
    pub fn of(environment: impl Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| environment(name).unwrap_or_default();
        let (term, colours) = (value("TERM"), value("COLORTERM"));
        let mono = ["", "dumb", "vt100", "vt102", "vt220"].contains(&term.as_str());
        if !value("NO_COLOR").is_empty() || mono || term.ends_with("-mono") || term.ends_with("-m")
        {
            Depth::None
        } else if colours == "truecolor" || colours == "24bit" || term.ends_with("-direct") {
            Depth::Full
        } else if term.contains("256color") {
            Depth::TwoHundred
        } else {
            Depth::Sixteen
        }
    }

    /// How a nick looks.
    pub fn nick(self, nick: &str) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        let number = hash(&fold(nick));
        match self {
            Depth::None => bold,
            Depth::Sixteen => bold.fg(THEME[number as usize % THEME.len()]),
            Depth::TwoHundred => bold.fg(Color::Indexed(in_cube(hue(number)))),
            Depth::Full => {
                let [r, g, b] = hue(number);
                bold.fg(Color::Rgb(r, g, b))
            }
        }
    }

    /// A colour of the theme, where there are colours.
    pub fn theme(self, colour: Color) -> Style {
        match self {
            Depth::None => Style::new(),
            Depth::Sixteen | Depth::TwoHundred | Depth::Full => Style::new().fg(colour),
        }
    }
}

/// One of these colours, for a nick always the same.
pub fn one_of(colours: &[Color], nick: &str) -> Option<Color> {
    let number = hash(&fold(nick)) as usize;
    colours.get(number % colours.len().max(1)).copied()
}

/// The same number for the same text, on every machine (FNV-1a).
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// One of the hues, made so light that it is as readable on black as on white.
fn hue(number: u32) -> [u8; 3] {
    // The lower bits of the hash are the better ones; a third of them says how pale the colour is.
    let sixth = f64::from(number % HUES) * 6.0 / f64::from(HUES);
    let pale = [0.0, 0.25, 0.45][(number / HUES % 3) as usize];
    let channel = |offset: f64| {
        let k = (offset + sixth).rem_euclid(6.0);
        let pure = 1.0 - k.min(4.0 - k).clamp(0.0, 1.0);
        pale + (1.0 - pale) * pure
    };
    let pure = [channel(5.0), channel(3.0), channel(1.0)];
    let scaled = |factor: f64| pure.map(|part| linear(part) * factor);
    // Blue alone is too dark at its lightest: white is mixed in until it is not.
    let light = luminance(scaled(1.0));
    let linear_rgb = if light >= MIDDLE {
        scaled(MIDDLE / light)
    } else {
        let white = (MIDDLE - light) / (1.0 - light);
        scaled(1.0).map(|part| part + (1.0 - part) * white)
    };
    linear_rgb.map(byte)
}

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

fn byte(linear: f64) -> u8 {
    let part = if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    let scaled = (part * 255.0).round().clamp(0.0, 255.0);
    // Between 0 and 255 now.
    (0..=255u8)
        .find(|byte| f64::from(*byte) >= scaled)
        .unwrap_or(255)
}

/// The colour of the cube that is nearest among those that are readable.
fn in_cube(wanted: [u8; 3]) -> u8 {
    let distance = |index: u8| {
        let steps = cube(index).into_iter().zip(wanted);
        steps
            .map(|(a, b)| u32::from(a.abs_diff(b)).pow(2))
            .sum::<u32>()
    };
    let readable = (16..=231u8).filter(|&index| {
        let light = luminance(cube(index).map(|part| linear(f64::from(part) / 255.0)));
        (0.11..=0.27).contains(&light)
    });
    readable.min_by_key(|&index| distance(index)).unwrap_or(7)
}

fn cube(index: u8) -> [u8; 3] {
    let index = index - 16;
    [index / 36, index / 6 % 6, index % 6].map(|step| if step == 0 { 0 } else { 55 + step * 40 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrasts(rgb: [u8; 3]) -> [f64; 2] {
        let light = luminance(rgb.map(|part| linear(f64::from(part) / 255.0))) + 0.05;
        [light / 0.05, 1.05 / light]
    }

    #[test]
    fn nicks_are_readable_on_black_and_on_white() {
        for number in 0..HUES * 3 {
            let [black, white] = contrasts(hue(number));
            assert!(black > 4.4 && white > 4.4, "{number}: {black} {white}");
            let [black, white] = contrasts(cube(in_cube(hue(number))));
            assert!(black > 3.1 && white > 3.1, "{number}: {black} {white}");
        }
    }

    #[test]
    fn a_nick_keeps_its_colour_and_others_have_others() {
        for depth in [Depth::Sixteen, Depth::TwoHundred, Depth::Full] {
            assert_eq!(depth.nick("Ana"), depth.nick("ANA"));
        }
        let nicks = [
            "ana", "luis", "maria", "pedro", "lucía", "анна", "bob", "eve",
        ];
        let mut colours: Vec<Style> = nicks.map(|nick| Depth::Full.nick(nick)).to_vec();
        colours.dedup();
        assert_eq!(colours.len(), nicks.len());
        assert_eq!(Depth::None.nick("ana").fg, None);
        assert_eq!(Depth::None.theme(Color::Red).fg, None);
    }

    #[test]
    fn how_many_colours_there_are() {
        for (variables, want) in [
            (&[("TERM", "xterm-256color")][..], Depth::TwoHundred),
            (
                &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
                Depth::Full,
            ),
            (
                &[("TERM", "xterm"), ("COLORTERM", "24bit"), ("NO_COLOR", "1")],
                Depth::None,
            ),
            (&[("TERM", "xterm"), ("NO_COLOR", "")], Depth::Sixteen),
            (&[("TERM", "linux")], Depth::Sixteen),
            (&[("TERM", "vt220")], Depth::None),
            (&[("TERM", "xterm-direct")], Depth::Full),
            (&[], Depth::None),
        ] {
            let depth = Depth::of(|name| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(depth, want, "{variables:?}");
        }
    }
}
