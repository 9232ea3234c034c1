//! Nicks and channels, valid by construction (PROTOCOL.md, 2.1 Rules for names).
//!
//! Equality, order and hash of [`Nick`] and [`Channel`] use the folded form only (PROTOCOL.md, 2.2
//! Comparison of names). A map with such a key accepts a folded `&str` for a lookup; [`fold`]
//! returns the folded form.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::props::{
    BinaryProperty, DefaultIgnorableCodePoint, EnumeratedProperty, GeneralCategory,
    VariationSelector,
};

/// Blank characters outside White_Space and Default_Ignorable_Code_Point: the Braille pattern
/// blank, the object replacement character, two Egyptian blanks, the Khitan filler and the null
/// notehead.
const BLANKS: [char; 6] = [
    '\u{2800}',
    '\u{fffc}',
    '\u{13441}',
    '\u{13442}',
    '\u{16fe4}',
    '\u{1d159}',
];

/// Returns the form that is compared (PROTOCOL.md, 2.2 Comparison of names): compatibility caseless
/// matching (The Unicode Standard, section 3.13.5, D146), composed, without invisible code points
/// (Default_Ignorable_Code_Point). `Ana`, `ANA` and `ａｎａ` give `ana`; `Straße` gives `strasse`.
pub fn fold(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
    }
    let visible: String = name
        .chars()
        .filter(|&c| !DefaultIgnorableCodePoint::for_char(c))
        .collect();
    let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&visible);
    let (mapper, nfkc) = (CaseMapper::new(), ComposingNormalizerBorrowed::new_nfkc());
    let once = nfkc
        .normalize(&mapper.fold_string(&decomposed))
        .into_owned();
    Cow::Owned(nfkc.normalize(&mapper.fold_string(&once)).into_owned())
}

/// The violated rule of an invalid [`Nick`] or [`Channel`] (PROTOCOL.md, 2.1 Rules for names).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No visible character. Combining marks and code points without a glyph do not count.
    #[error("a name needs at least one visible character")]
    Empty,
    /// Too many characters.
    #[error("a name has at most {max} characters")]
    TooLong {
        /// The allowed number of characters.
        max: usize,
    },
    /// White space, or a control or format character (Unicode Cc, Cf).
    #[error("a name has no white space and no control or format characters")]
    Character,
    /// A blank character, which makes two different names look equal.
    #[error("a name has no characters that look empty")]
    Blank,
    /// A combining mark at the start, which a terminal draws over the text before the name.
    #[error("a name does not begin with a combining mark")]
    Mark,
    /// A reserved first character.
    #[error("a nick does not begin with #, ., /, :, @ or a digit")]
    NickStart,
    /// A channel without its `#`.
    #[error("a channel begins with #")]
    ChannelStart,
}

/// A name as given, and its folded form. Equal forms share one allocation.
#[derive(Clone)]
struct Name {
    given: Arc<str>,
    folded: Arc<str>,
}

impl Name {
    /// Validates a name; the part behind `prefix` must have a visible character.
    fn new(given: &str, prefix: &str, max_chars: usize) -> Result<Self, NameError> {
        // Check the number of bytes first, to reject a huge name at no cost.
        if given.len() > max_chars * 4 || given.chars().count() > max_chars {
            return Err(NameError::TooLong { max: max_chars });
        }
        if given.chars().any(is_forbidden) {
            return Err(NameError::Character);
        }
        let own = given.strip_prefix(prefix).unwrap_or(given);
        if !own.chars().any(is_visible) {
            return Err(NameError::Empty);
        }
        if own.chars().any(is_blank) {
            return Err(NameError::Blank);
        }
        if own.chars().next().is_some_and(is_mark) {
            return Err(NameError::Mark);
        }
        let folded = fold(given);
        let name: Arc<str> = given.into();
        let folded = if *folded == *name {
            name.clone()
        } else {
            folded.into()
        };
        Ok(Self {
            given: name,
            folded,
        })
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            GeneralCategory::for_char(c),
            GeneralCategory::Control | GeneralCategory::Format
        )
}

/// Returns whether a character has no visible glyph. Variation selectors are allowed: they select
/// the glyph of the character before them, and folding drops them.
fn is_blank(c: char) -> bool {
    BLANKS.contains(&c) || DefaultIgnorableCodePoint::for_char(c) && !VariationSelector::for_char(c)
}

fn is_mark(c: char) -> bool {
    matches!(
        GeneralCategory::for_char(c),
        GeneralCategory::NonspacingMark
            | GeneralCategory::SpacingMark
            | GeneralCategory::EnclosingMark
    )
}

/// Returns whether a character has a visible glyph of its own.
fn is_visible(c: char) -> bool {
    let has_glyph = !matches!(
        GeneralCategory::for_char(c),
        GeneralCategory::Unassigned | GeneralCategory::PrivateUse
    );
    has_glyph && !is_mark(c) && !BLANKS.contains(&c) && !DefaultIgnorableCodePoint::for_char(c)
}

/// Returns whether a nick may begin with the first character of `name`. The marks of channels,
/// commands and mentions, and digits, are reserved.
fn starts_nick(name: &str) -> bool {
    name.chars().next().is_some_and(|first| {
        !matches!(first, '#' | '.' | '/' | ':' | '@')
            && GeneralCategory::for_char(first) != GeneralCategory::DecimalNumber
    })
}

macro_rules! name_type {
    ($name:ident) => {
        impl $name {
            /// Returns the name as given, for display.
            pub fn as_str(&self) -> &str {
                &self.0.given
            }

            /// Returns the folded form, which decides whether two names are equal.
            pub fn folded(&self) -> &str {
                &self.0.folded
            }

            /// Returns a shared reference to the name as given.
            pub fn given_arc(&self) -> Arc<str> {
                self.0.given.clone()
            }

            /// Returns a shared reference to the folded form.
            pub fn folded_arc(&self) -> Arc<str> {
                self.0.folded.clone()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.folded == other.0.folded
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.0.folded.cmp(&other.0.folded)
            }
        }

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.folded.hash(state);
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0.folded
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0.given)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.0.given)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
    };
}

/// A valid nick: the name of a user, 1 to 32 characters.
#[derive(Clone)]
pub struct Nick(Name);

name_type!(Nick);

impl Nick {
    /// The maximum length of a nick, in code points.
    pub const MAX_CHARS: usize = 32;

    /// Validates a nick.
    ///
    /// # Errors
    /// The first violated rule, a [`NameError`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        let nick = Name::new(name, "", Self::MAX_CHARS)?;
        // Check the folded form too: `＃a` folds to `#a` and `①a` to `1a`, which look alike.
        if !starts_nick(&nick.given) || !starts_nick(&nick.folded) {
            return Err(NameError::NickStart);
        }
        Ok(Self(nick))
    }
}

/// A valid channel name: `#` and 1 to 63 further characters.
#[derive(Clone)]
pub struct Channel(Name);

name_type!(Channel);

impl Channel {
    /// The maximum length of a channel name, in code points, `#` included.
    pub const MAX_CHARS: usize = 64;

    /// Validates a channel name.
    ///
    /// # Errors
    /// The first violated rule, a [`NameError`].
    pub fn new(name: &str) -> Result<Self, NameError> {
        if !name.starts_with('#') {
            return Err(NameError::ChannelStart);
        }
        Ok(Self(Name::new(name, "#", Self::MAX_CHARS)?))
    }

    /// Returns the channel that always exists, [`crate::LOBBY`].
    pub fn lobby() -> Self {
        Self::new(crate::LOBBY).expect("the lobby's name is legal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nicks_that_are_legal() {
        for name in [
            "a",
            "ana",
            "Ана",
            "José",
            "李",
            "👋🏽",
            "a.b/c:d@e#f",
            "x1",
            "-_-",
            "\"q\\",
            "⠓⠕⠇⠁",
            "❤\u{fe0f}",
            "नमस्ते",
            "葛\u{e0100}",
            "ana\u{e000}",
            &"я".repeat(32),
        ] {
            assert_eq!(Nick::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn nicks_that_are_not() {
        use NameError::*;
        let long = "я".repeat(33);
        for (name, why) in [
            ("", Empty),
            ("\u{3164}", Empty),
            (&long, TooLong { max: 32 }),
            ("a b", Character),
            ("a\u{a0}b", Character),
            ("a\u{2003}b", Character),
            ("a\tb", Character),
            ("a\u{1b}[31m", Character),
            ("a\u{85}", Character),
            ("a\u{200b}", Character),
            ("a\u{200d}b", Character),
            ("\u{202e}ana", Character),
            ("\u{feff}ana", Character),
            ("a\u{ad}na", Character),
            ("#a", NickStart),
            (".a", NickStart),
            ("/a", NickStart),
            (":a", NickStart),
            ("@a", NickStart),
            ("7a", NickStart),
            ("٣a", NickStart),
            ("＃a", NickStart),
        ] {
            assert_eq!(Nick::new(name).err(), Some(why), "{name:?}");
        }
    }

    /// Tests each character alone, doubled, beside a letter, and in a channel name.
    #[test]
    fn names_that_look_empty_or_hide_something() {
        let invisible = [
            '\u{2800}',
            '\u{3164}',
            '\u{115f}',
            '\u{1160}',
            '\u{ffa0}',
            '\u{34f}',
            '\u{17b4}',
            '\u{17b5}',
            '\u{1d159}',
            '\u{16fe4}',
            '\u{fffc}',
            '\u{13441}',
            '\u{2065}',
            '\u{fff0}',
        ];
        let format = [
            '\u{180e}',
            '\u{200b}',
            '\u{2060}',
            '\u{feff}',
            '\u{ad}',
            '\u{e0001}',
        ];
        let alone = [
            '\u{fe0f}',
            '\u{180b}',
            '\u{e0100}',
            '\u{301}',
            '\u{20dd}',
            '\u{903}',
            '\u{e000}',
            '\u{10ffff}',
            '\u{378}',
        ];
        for c in invisible.into_iter().chain(format) {
            for name in [
                format!("{c}"),
                format!("{c}{c}"),
                format!("a{c}"),
                format!("{c}a"),
                format!("a{c}b"),
            ] {
                assert!(Nick::new(&name).is_err(), "{name:?}");
                assert!(Channel::new(&format!("#{name}")).is_err(), "{name:?}");
            }
        }
        for c in alone {
            for name in [format!("{c}"), format!("{c}{c}"), format!("{c}\u{2800}")] {
                assert_eq!(Nick::new(&name).err(), Some(NameError::Empty), "{name:?}");
                assert!(Channel::new(&format!("#{name}")).is_err(), "{name:?}");
            }
        }
        for name in ["\u{301}ana", "\u{20dd}ana", "\u{fe0f}ana"] {
            assert_eq!(Nick::new(name).err(), Some(NameError::Mark), "{name:?}");
            let channel = format!("#{name}");
            assert_eq!(Channel::new(&channel).err(), Some(NameError::Mark));
        }
    }

    #[test]
    fn nicks_that_are_the_same() {
        for (one, other) in [
            ("ana", "ANA"),
            ("José", "JOSE\u{301}"),
            ("Straße", "STRASSE"),
            ("ﬁn", "FIN"),
            ("Анна", "аННА"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ａｎａ", "Ana"),
            ("ana\u{fe0f}", "ana"),
        ] {
            assert_eq!(Nick::new(one).unwrap(), Nick::new(other).unwrap());
        }
        assert_ne!(
            Nick::new("ana").unwrap(),
            Nick::new("anа").unwrap(),
            "the second has a Cyrillic а"
        );
    }

    #[test]
    fn channels() {
        let long = format!("#{}", "x".repeat(63));
        for name in ["#a", "##", "#русский", "#1", &long] {
            assert_eq!(Channel::new(name).unwrap().as_str(), name);
        }
        let too_long = format!("#{}", "x".repeat(64));
        for name in [
            "",
            "#",
            "a",
            "#a b",
            "# ",
            "#\u{200b}",
            "#\u{3164}",
            &too_long,
        ] {
            assert!(Channel::new(name).is_err(), "{name:?}");
        }
        assert_eq!(
            Channel::new("#Rust").unwrap(),
            Channel::new("#RUST").unwrap()
        );
        assert_eq!(Channel::lobby().as_str(), crate::LOBBY);
    }
}
