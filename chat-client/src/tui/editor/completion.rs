//! Tab completion of the word before the cursor: known names, commands and emoji, in turn.

use crate::completion_names::CompletionNames;

/// The most candidates; another letter narrows them down.
const MAX_FOUND: usize = 100;

/// A choice that is being made.
#[derive(Debug)]
pub(super) struct Completion {
    before: String,
    word: String,
    behind: String,
    found: Vec<Candidate>,
    at: usize,
}

/// What a word may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    /// What is put in.
    text: String,
    /// What the list shows.
    pub(super) label: String,
}

impl Completion {
    /// The choice for the word that ends at `position`; `None` where there is nothing to choose.
    pub(super) fn begin(text: &str, position: usize, names: &CompletionNames) -> Option<Self> {
        let (start, found) = candidates(text, position, names);
        (!found.is_empty()).then(|| Self {
            before: text[..start].to_owned(),
            word: text[start..position].to_owned(),
            behind: text[position..].to_owned(),
            found,
            at: 0,
        })
    }

    /// The next one, or the one before; behind the last comes the first.
    pub(super) fn turn(&mut self, back: bool) {
        let steps = if back { self.found.len() - 1 } else { 1 };
        self.at = (self.at + steps) % self.found.len();
    }

    /// The text with the choice in it, and where the cursor is then.
    pub(super) fn chosen(&self) -> (String, usize) {
        let before = format!("{}{}", self.before, self.found[self.at].text);
        let position = before.len();
        // There may be a blank behind it that one need not have twice.
        let behind = match self.behind.strip_prefix(' ') {
            Some(rest) if before.ends_with(' ') => rest,
            _ => &self.behind,
        };
        (before + behind, position)
    }

    /// The text as it was typed, and where the cursor was.
    pub(super) fn dropped(&self) -> (String, usize) {
        let before = format!("{}{}", self.before, self.word);
        let position = before.len();
        (before + &self.behind, position)
    }

    /// All of them, and which one is chosen; nothing where there is no choice.
    pub(super) fn list(&self) -> Option<(&[Candidate], usize)> {
        (self.found.len() > 1).then_some((&self.found, self.at))
    }
}

#[cfg(test)]
impl Candidate {
    pub(super) fn labelled(label: &str) -> Self {
        let (text, label) = (label.to_owned(), label.to_owned());
        Self { text, label }
    }
}

fn candidates(text: &str, position: usize, names: &CompletionNames) -> (usize, Vec<Candidate>) {
    let before = &text[..position];
    let start = before
        .char_indices()
        .rev()
        .find(|(_, c)| c.is_whitespace())
        .map_or(0, |(at, c)| at + c.len_utf8());
    if let Some(code) = before[start..]
        .strip_prefix(':')
        .filter(|code| !code.is_empty())
    {
        return (start, emoji(code));
    }
    let (start, found) = names.complete(text, position);
    let found = found.into_iter().take(MAX_FOUND).map(|text| Candidate {
        label: text.trim_end_matches([' ', ':']).to_owned(),
        text,
    });
    (start, found.collect())
}

/// The emoji whose short code begins with `code`, the shortest first; with a colon at its end, the
/// one of that code.
fn emoji(code: &str) -> Vec<Candidate> {
    let code = code.to_ascii_lowercase();
    let (begins, whole) = match code.strip_suffix(':') {
        Some(whole) => (whole, true),
        None => (code.as_str(), false),
    };
    let mut found: Vec<_> = emojis::iter()
        .filter_map(|emoji| {
            let fits = |name: &&str| name.starts_with(begins) && (!whole || *name == begins);
            Some((emoji.shortcodes().find(fits)?, emoji.as_str()))
        })
        .collect();
    found.sort_by_key(|(name, _)| (name.len(), *name));
    let candidate = |(name, emoji): (&str, &str)| Candidate {
        text: emoji.to_owned(),
        label: format!("{emoji} {name}"),
    };
    found.into_iter().take(MAX_FOUND).map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_word_becomes() {
        let names = CompletionNames::default();
        for nick in ["ana", "andrés"] {
            names.nick(nick);
        }
        names.channel("#rust");
        for (text, want) in [
            ("an", Some("ana: |")),
            ("hola an| y", Some("hola ana |y")),
            ("hola an|, y", Some("hola ana |, y")),
            ("/join #ru", Some("/join #rust |")),
            ("/unr", Some("/unregister |")),
            (":smile:", Some("😄|")),
            ("so :SMILE| ok", Some("so 😄| ok")),
            ("a\n:tada", Some("a\n🎉|")),
            (":", None),
            ("12:30", None),
            (":no such thing", None),
            ("", Some("ana: |")),
            ("x", None),
        ] {
            let position = text.find('|').unwrap_or(text.len());
            let text = text.replace('|', "");
            let chosen = Completion::begin(&text, position, &names).map(|completion| {
                assert_eq!(completion.dropped(), (text.clone(), position));
                let (mut chosen, at) = completion.chosen();
                chosen.insert(at, '|');
                chosen
            });
            assert_eq!(chosen.as_deref(), want, "{text:?}");
        }
    }

    #[test]
    fn again_is_the_next() {
        let names = CompletionNames::default();
        for nick in ["ana", "andrés", "antonio"] {
            names.nick(nick);
        }
        let mut completion = Completion::begin("an", 2, &names).unwrap();
        let mut seen = vec![];
        for back in [false, false, false, true, true] {
            completion.turn(back);
            seen.push(completion.chosen().0);
        }
        assert_eq!(
            seen,
            ["andrés: ", "antonio: ", "ana: ", "antonio: ", "andrés: "]
        );
        let (list, at) = completion.list().unwrap();
        assert_eq!((list[at].label.as_str(), list.len()), ("andrés", 3));
    }
}
