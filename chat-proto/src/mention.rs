//! Mentions: finds a nick as a whole word in a text (PROTOCOL.md, 2.6 Mentions). Servers and
//! clients share this rule; `tests/mentions.json` has cases for implementations in other languages.

use std::ops::Range;

use icu_properties::props::{EnumeratedProperty, GeneralCategory};

use crate::name::fold;

/// Returns whether `text` mentions `nick`: the [folded](fold) text contains the folded nick, and
/// neither the character before it nor the character behind it continues a word. An `@` does not
/// continue a word, therefore `@ana` mentions `ana`.
pub fn mentions(text: &str, nick: &str) -> bool {
    places(&fold(text), &fold(nick)).next().is_some()
}

/// Returns the places of the mentions in a folded text, as ranges of bytes, in ascending order.
/// They do not overlap.
pub fn places<'a>(text: &'a str, nick: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        while let Some(found) = text[from..].find(nick).filter(|_| !nick.is_empty()) {
            let (start, end) = (from + found, from + found + nick.len());
            let before = text[..start].chars().next_back();
            let behind = text[end..].chars().next();
            if !before.is_some_and(continues_word) && !behind.is_some_and(continues_word) {
                from = end;
                return Some(start..end);
            }
            // A nick such as `a.a` may begin again inside of the rejected place.
            from = start + text[start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    })
}

/// Returns whether a character belongs to the word beside it: a letter, a mark, a number
/// (Unicode general categories L, M and N) or `_`.
fn continues_word(c: char) -> bool {
    use GeneralCategory as Category;
    c == '_'
        || matches!(
            GeneralCategory::for_char(c),
            Category::UppercaseLetter
                | Category::LowercaseLetter
                | Category::TitlecaseLetter
                | Category::ModifierLetter
                | Category::OtherLetter
                | Category::NonspacingMark
                | Category::SpacingMark
                | Category::EnclosingMark
                | Category::DecimalNumber
                | Category::LetterNumber
                | Category::OtherNumber
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_mentions() {
        for (text, nick, want) in [
            ("ana, anais and @ana", "ana", vec![(0, 3), (16, 19)]),
            ("xa.a.a", "a.a", vec![(3, 6)]),
            ("a.a.a", "a.a", vec![(0, 3)]),
            ("éana ana", "ana", vec![(6, 9)]),
            ("ana", "", vec![]),
            ("", "ana", vec![]),
        ] {
            let found = places(text, nick).map(|range| (range.start, range.end));
            assert_eq!(found.collect::<Vec<_>>(), want, "{text:?} {nick:?}");
        }
    }
}
