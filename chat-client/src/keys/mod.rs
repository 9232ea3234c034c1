//! The keys of a terminal by name, and which of them does what. Pure.

pub mod actions;
pub mod edit_actions;

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with what is held down meanwhile, in the only form that is compared: a letter has no
/// Shift of its own, and with Ctrl or Alt no case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// The keys that have a name instead of a character.
const NAMED: [(&str, KeyCode); 16] = [
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("down", KeyCode::Down),
    ("end", KeyCode::End),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("home", KeyCode::Home),
    ("insert", KeyCode::Insert),
    ("left", KeyCode::Left),
    ("page-down", KeyCode::PageDown),
    ("page-up", KeyCode::PageUp),
    ("right", KeyCode::Right),
    ("space", KeyCode::Char(' ')),
    ("tab", KeyCode::Tab),
    ("back-tab", KeyCode::BackTab),
    ("up", KeyCode::Up),
];

/// What is held down, in the order in which it is written.
const HELD: [(&str, KeyModifiers); 3] = [
    ("ctrl-", KeyModifiers::CONTROL),
    ("alt-", KeyModifiers::ALT),
    ("shift-", KeyModifiers::SHIFT),
];

impl Chord {
    fn new(code: KeyCode, mut modifiers: KeyModifiers) -> Self {
        let code = match code {
            KeyCode::Char(c) => {
                modifiers.remove(KeyModifiers::SHIFT);
                // What has no single lower case stays.
                let lower = c.to_lowercase().next().filter(|_| c.is_uppercase());
                KeyCode::Char(lower.filter(|_| !modifiers.is_empty()).unwrap_or(c))
            }
            KeyCode::Tab if modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            other => other,
        };
        if code == KeyCode::BackTab {
            modifiers.remove(KeyModifiers::SHIFT);
        }
        Self { code, modifiers }
    }

    /// Returns the label of the key in a sentence: `Page Up`, `Alt-N`.
    fn spoken(self) -> String {
        let held = HELD
            .iter()
            .filter(|(_, held)| self.modifiers.contains(*held));
        let mut spoken: String = held.map(|(prefix, _)| capital(prefix)).collect();
        spoken += &match self.code {
            KeyCode::BackTab => "Shift-Tab".to_owned(),
            KeyCode::Char(c) if c != ' ' && self.modifiers.is_empty() => c.to_string(),
            code => {
                let plain = Self::new(code, KeyModifiers::NONE).to_string();
                let words: Vec<_> = match code {
                    KeyCode::Char('-') => vec![plain],
                    _ => plain.split('-').map(capital).collect(),
                };
                words.join(" ")
            }
        };
        spoken
    }

    /// The character that the key stands for, where nothing is held down that makes it a command.
    pub fn character(self) -> Option<char> {
        match self.code {
            KeyCode::Char(c) if self.modifiers.is_empty() => Some(c),
            _ => None,
        }
    }
}

#[cfg(test)]
impl Chord {
    /// The key, pressed.
    pub(crate) fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        Self::new(key.code, key.modifiers)
    }
}

/// A name that no key has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no key {0:?}: a character, f1 to f12 or a name such as enter, tab, page-up, behind ctrl-, alt- or shift-"
)]
pub struct NoSuchKey(String);

/// `ctrl-w`, `alt-enter`, `f5`, `page-up`, `alt-1`.
impl FromStr for Chord {
    type Err = NoSuchKey;

    fn from_str(name: &str) -> Result<Self, NoSuchKey> {
        let none = || NoSuchKey(name.to_owned());
        let (mut rest, mut modifiers) = (name, KeyModifiers::NONE);
        while let Some((behind, held)) = HELD
            .iter()
            .find_map(|(prefix, held)| Some((rest.strip_prefix(prefix)?, *held)))
            .filter(|(behind, held)| !behind.is_empty() && !modifiers.contains(*held))
        {
            (rest, modifiers) = (behind, modifiers | held);
        }
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() && !c.is_whitespace() => KeyCode::Char(c),
            _ => named(rest).ok_or_else(none)?,
        };
        let character = matches!(code, KeyCode::Char(_));
        if character && modifiers.contains(KeyModifiers::SHIFT) {
            // A terminal tells another character instead.
            return Err(none());
        }
        Ok(Self::new(code, modifiers))
    }
}

fn named(name: &str) -> Option<KeyCode> {
    if let Some(number) = name.strip_prefix('f') {
        let number = number.parse().ok().filter(|n| (1..=12).contains(n))?;
        return Some(KeyCode::F(number));
    }
    NAMED
        .iter()
        .find_map(|(known, code)| (*known == name).then_some(*code))
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prefix, held) in HELD {
            if self.modifiers.contains(held) {
                f.write_str(prefix)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(number) => write!(f, "f{number}"),
            other => write!(f, "{other}"),
        }
    }
}

/// One key, or one behind another (`ctrl-x ctrl-e`).
pub type KeySequence = (Option<Chord>, Chord);

/// Keys by name.
///
/// # Errors
/// A name is unknown, or there are none or more than two.
pub fn parse(names: &str) -> Result<KeySequence, NoSuchKey> {
    let mut words = names.split_whitespace();
    match (words.next(), words.next(), words.next()) {
        (Some(only), None, _) => Ok((None, only.parse()?)),
        (Some(first), Some(second), None) => Ok((Some(first.parse()?), second.parse()?)),
        _ => Err(NoSuchKey(names.to_owned())),
    }
}

/// The names by which [`parse`] knows the keys.
pub fn name((first, last): KeySequence) -> String {
    let first = first.map_or(String::new(), |first| format!("{first} "));
    format!("{first}{last}")
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).collect()
}

/// Only one of them can be pressed: they are the same, or one is where the other begins.
pub fn clash(one: KeySequence, other: KeySequence) -> bool {
    let begins = |one: KeySequence, other: KeySequence| one.0.is_none() && other.0 == Some(one.1);
    one == other || begins(one, other) || begins(other, one)
}

/// What keys do; those of an action in the order in which they were named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap<A>(Vec<(KeySequence, A)>);

/// What a key comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMatch<A> {
    /// That.
    Action(A),
    /// The next key decides.
    More,
    /// Nothing.
    Nothing,
}

impl<A: Copy + PartialEq> Keymap<A> {
    /// The keys of a table, whose names are right.
    ///
    /// # Panics
    /// They are not, which a test of the table tells.
    pub fn of<'k>(table: impl IntoIterator<Item = (A, &'k [&'k str])>) -> Self {
        let mut bound = Vec::new();
        for (action, keys) in table {
            for names in keys {
                let keys = parse(names).expect("the table has names of keys");
                bound.push((keys, action));
            }
        }
        Self(bound)
    }

    /// `action` is done by these keys and no others.
    pub fn rebind(&mut self, action: A, keys: impl IntoIterator<Item = KeySequence>) {
        self.0.retain(|(_, bound)| *bound != action);
        for keys in keys {
            self.unbind(keys);
            self.0.push((keys, action));
        }
    }

    /// These keys do nothing any more, nor do others that are in their way.
    pub fn unbind(&mut self, keys: KeySequence) {
        self.0.retain(|(bound, _)| !clash(*bound, keys));
    }

    /// What `key` does behind `first`.
    pub fn find(&self, first: Option<Chord>, key: Chord) -> KeyMatch<A> {
        if let Some((_, action)) = self.0.iter().find(|(keys, _)| *keys == (first, key)) {
            return KeyMatch::Action(*action);
        }
        if first.is_none() && self.0.iter().any(|(keys, _)| keys.0 == Some(key)) {
            return KeyMatch::More;
        }
        KeyMatch::Nothing
    }

    /// What the next key does: `first` is the one before it where that waits for another.
    pub fn follow(&self, first: &mut Option<Chord>, key: Chord) -> KeyMatch<A> {
        let before = first.take();
        let found = match self.find(before, key) {
            // A key that does not go with the first one is a key by itself.
            KeyMatch::Nothing if before.is_some() => self.find(None, key),
            found => found,
        };
        *first = (found == KeyMatch::More).then_some(key);
        found
    }

    /// The keys of an action.
    pub fn keys(&self, action: A) -> impl Iterator<Item = KeySequence> {
        let of_it = self.0.iter().filter(move |(_, bound)| *bound == action);
        of_it.map(|(keys, _)| *keys)
    }

    /// Returns the label of the first key of an action, if there is one.
    pub fn spoken(&self, action: A) -> Option<String> {
        let (first, last) = self.keys(action).next()?;
        let first = first.map_or(String::new(), |first| first.spoken() + " ");
        Some(first + &last.spoken())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_keys() {
        for name in [
            "a",
            "é",
            "ctrl-w",
            "alt-1",
            "alt--",
            "-",
            "f12",
            "shift-enter",
            "ctrl-alt-delete",
            "space",
            "back-tab",
            "ctrl-space",
            "page-up",
            "alt-up",
        ] {
            assert_eq!(
                name.parse::<Chord>().map(|key| key.to_string()),
                Ok(name.to_owned())
            );
        }
        for name in [
            "",
            "ctrl-",
            "f0",
            "f13",
            "ab",
            "ctrl-ctrl-a",
            "shift-a",
            "Enter",
            " ",
        ] {
            assert!(name.parse::<Chord>().is_err(), "{name:?}");
        }
        assert!(parse("ctrl-x ctrl-e").is_ok());
        assert!(parse("a b c").is_err());
        assert!(parse(" ").is_err());
    }

    /// However a terminal reports a key, it is the key that was named.
    #[test]
    fn a_key_is_itself() {
        let shift = KeyModifiers::SHIFT;
        let control = KeyModifiers::CONTROL;
        for (code, modifiers, name) in [
            (KeyCode::Char('A'), shift, "A"),
            (KeyCode::Char('W'), control | shift, "ctrl-w"),
            (KeyCode::Tab, shift, "back-tab"),
            (KeyCode::BackTab, shift, "back-tab"),
            (KeyCode::Enter, shift, "shift-enter"),
        ] {
            assert_eq!(Ok(Chord::new(code, modifiers)), name.parse());
        }
    }

    #[test]
    fn a_key_behind_another() {
        let map = Keymap::of([(1, &["ctrl-x ctrl-e", "f2"][..]), (2, &["ctrl-e"])]);
        let key = |name: &str| name.parse::<Chord>().unwrap();
        let first = key("ctrl-x");
        assert_eq!(map.find(None, first), KeyMatch::More);
        assert_eq!(map.find(Some(first), key("ctrl-e")), KeyMatch::Action(1));
        assert_eq!(map.find(None, key("ctrl-e")), KeyMatch::Action(2));
        assert_eq!(map.find(Some(first), key("a")), KeyMatch::Nothing);
        let mut other = map.clone();
        other.rebind(1, [parse("f3").unwrap()]);
        assert_eq!(other.find(None, key("f2")), KeyMatch::Nothing);
        assert_eq!(other.find(None, first), KeyMatch::Nothing);
        assert_eq!(other.find(None, key("f3")), KeyMatch::Action(1));
    }

    /// What is listed as a key of an action does it.
    #[test]
    fn keys_in_the_way_of_each_other() {
        let map = Keymap::of([
            (1, &["ctrl-x ctrl-e", "f2"][..]),
            (2, &["ctrl-e", "ctrl-w"]),
        ]);
        let named = |map: &Keymap<i32>, action| map.keys(action).map(name).collect::<Vec<_>>();
        let rebound = |action, keys: &[&str]| {
            let mut other = map.clone();
            other.rebind(action, keys.iter().map(|names| parse(names).unwrap()));
            (named(&other, 1), named(&other, 2))
        };
        let strings = |names: &[&str]| -> Vec<String> { names.iter().map(|&s| s.into()).collect() };
        for (action, keys, one, two) in [
            (2, &["ctrl-x"][..], &["f2"][..], &["ctrl-x"][..]),
            (
                1,
                &["ctrl-w a", "f2", "f2"],
                &["ctrl-w a", "f2"],
                &["ctrl-e"],
            ),
            (1, &[], &[], &["ctrl-e", "ctrl-w"]),
        ] {
            assert_eq!(
                rebound(action, keys),
                (strings(one), strings(two)),
                "{keys:?}"
            );
        }
        assert_eq!(map.spoken(1).as_deref(), Some("Ctrl-X Ctrl-E"));
        assert_eq!(map.spoken(3), None);
    }

    #[test]
    fn a_key_in_a_sentence() {
        for (name, spoken) in [
            ("f6", "F6"),
            ("page-up", "Page Up"),
            ("alt-n", "Alt-N"),
            ("ctrl-alt-end", "Ctrl-Alt-End"),
            ("back-tab", "Shift-Tab"),
            ("ctrl-space", "Ctrl-Space"),
            ("alt--", "Alt--"),
            ("-", "-"),
            ("q", "q"),
            ("Q", "Q"),
            ("alt-ñ", "Alt-Ñ"),
        ] {
            assert_eq!(name.parse::<Chord>().unwrap().spoken(), spoken);
        }
    }
}
