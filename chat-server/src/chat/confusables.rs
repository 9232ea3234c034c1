//! Names that would deceive: those that mix scripts, and those that look like one that is taken (Unicode
//! Technical Standard 39, Unicode Security Mechanisms).
//!
//! Plain names are left alone: what differs in ASCII characters only, `user1` and `userl`, is told apart
//! as well as anything on a terminal, and other programs' people have such names.

use std::hash::Hash;

use chat_proto::name::fold;
use sha2::{Digest as _, Sha256};
use unicode_script::Script;
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::Map;

/// Whether a name is more mixed than "Highly Restrictive" (UTS 39, 5.2): its letters are of one script,
/// or Latin beside Chinese, Japanese or Korean. Digits, punctuation and emoji go with all.
pub fn is_mixed(given: &str, folded: &str) -> bool {
    // The folded form too: a mathematical `𝐚` is of no script and looks like `a`.
    mixes(given) || mixes(folded)
}

fn mixes(name: &str) -> bool {
    let (mut all, mut beside_latin) =
        (AugmentedScriptSet::default(), AugmentedScriptSet::default());
    for c in name.chars().filter(|c| !c.is_ascii_punctuation()) {
        let scripts = AugmentedScriptSet::for_char(c);
        all.intersect_with(scripts);
        if !scripts.base.contains_script(Script::Latin) {
            beside_latin.intersect_with(scripts);
        }
    }
    let east_asian = beside_latin.hanb || beside_latin.jpan || beside_latin.kore;
    all.is_empty() && !east_asian
}

/// The names that are taken, by their look. No operation walks the names of a look: names of one look
/// deceive if they differ in their foreign characters, so that each look needs the numbers alone.
#[derive(Debug, Default)]
pub struct ConfusableIndex {
    /// How many names in ASCII have a look.
    plain: Map<u64, u32>,
    /// How many other names have a look and these foreign characters.
    others: Map<(u64, u64), u32>,
    /// How many spellings in foreign characters a look has in `others`.
    spellings: Map<u64, u32>,
}

impl ConfusableIndex {
    /// A name as it looks in the letters that were given, and in small ones: `ΑΝΑ` is Greek, and looks
    /// like `ANA`, which `ανα` does not.
    fn keys(given: &str, folded: &str) -> Vec<u64> {
        let given: String = skeleton(given).collect();
        let small: String = skeleton(folded).collect();
        let mut keys = vec![hash(&fold(&given))];
        let small = hash(&small);
        if keys[0] != small {
            keys.push(small);
        }
        keys
    }

    /// Returns the hash of the characters of a name that are not ASCII.
    fn foreign(folded: &str) -> u64 {
        let foreign: String = folded.chars().filter(|c| !c.is_ascii()).collect();
        hash(&foreign)
    }

    /// The name is taken; once for each who has it.
    pub fn add(&mut self, given: &str, folded: &str) {
        let foreign = Self::foreign(folded);
        for key in Self::keys(given, folded) {
            if folded.is_ascii() {
                increment(&mut self.plain, key);
            } else if increment(&mut self.others, (key, foreign)) == 1 {
                increment(&mut self.spellings, key);
            }
        }
    }

    /// One who had the name, added with the same letters, has it no longer.
    pub fn remove(&mut self, given: &str, folded: &str) {
        let foreign = Self::foreign(folded);
        for key in Self::keys(given, folded) {
            if folded.is_ascii() {
                decrement(&mut self.plain, key);
            } else if decrement(&mut self.others, (key, foreign)) == Some(0) {
                decrement(&mut self.spellings, key);
            }
        }
    }

    /// Whether a name looks like a taken one and is another.
    pub fn conflicts(&self, given: &str, folded: &str) -> bool {
        let plain = folded.is_ascii();
        if plain && self.others.is_empty() {
            return false;
        }
        let foreign = Self::foreign(folded);
        Self::keys(given, folded).into_iter().any(|key| {
            let own = u32::from(self.others.contains_key(&(key, foreign)));
            let spellings = self.spellings.get(&key).copied().unwrap_or_default();
            (!plain && self.plain.contains_key(&key)) || spellings > own
        })
    }
}

/// Returns a hash that is equal on every server, with_reason it decides which names are free.
fn hash(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(text));
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Counts one more of `key`, and returns how many there are now.
fn increment<K: Eq + Hash>(counts: &mut Map<K, u32>, key: K) -> u32 {
    let count = counts.entry(key).or_default();
    *count += 1;
    *count
}

/// Counts one less of `key`, and returns how many are left, if there were any.
fn decrement<K: Eq + Hash>(counts: &mut Map<K, u32>, key: K) -> Option<u32> {
    let count = counts.get_mut(&key)?;
    *count -= 1;
    let left = *count;
    if left == 0 {
        counts.remove(&key);
    }
    Some(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_go_together() {
        for name in [
            "ana",
            "Ñandú",
            "Zoë_7",
            "мария",
            "Дмитрий-2",
            "Ελένη",
            "日本語",
            "さくらサクラ桜",
            "名前Ken",
            "김철수Kim",
            "ㄅ漢x",
            "ana👋🏽",
            "👋",
            "#русский-2",
            "#日本rust",
            "नमस्ते",
            "שלום",
            "مرحبا",
            "O'Hara",
        ] {
            assert!(!is_mixed(name, &fold(name)), "{name}");
        }
        for name in [
            "аna",
            "anа",
            "мaрия",
            "Ελeνη",
            "x漢я",
            "さ한",
            "𝐚на",
            "#lоbby",
            "pаypal",
        ] {
            assert!(is_mixed(name, &fold(name)), "{name}");
        }
    }

    fn looks(names: &[&str]) -> ConfusableIndex {
        let mut looks = ConfusableIndex::default();
        for name in names {
            looks.add(name, &fold(name));
        }
        looks
    }

    #[test]
    fn what_looks_like_a_taken_name() {
        for (taken, name, conflicts) in [
            ("oca", "оса", true),
            ("оса", "oca", true),
            ("Oca", "ОСА", true),
            ("ANA", "ΑΝΑ", true),
            ("ana", "ΑΝΑ", true),
            ("ana", "ana", false),
            ("оса", "ОСА", false),
            ("user1", "userl", false),
            ("Ana0", "AnaO", false),
            ("modern", "rnodern", false),
            ("ñ1", "ñl", false),
            ("ana", "aná", false),
            ("ana", "Ана", false),
            ("Peña", "Pena", false),
            ("Мария", "Maria", false),
            ("ana", "ana👋", false),
        ] {
            let looks = looks(&[taken]);
            assert_eq!(
                looks.conflicts(name, &fold(name)),
                conflicts,
                "{taken} {name}"
            );
        }
    }

    #[test]
    fn a_name_that_is_free_again_is_nobodys() {
        let mut looks = looks(&["oca", "oca", "оса"]);
        looks.remove("oca", "oca");
        assert!(looks.conflicts("оса", "оса"));
        looks.remove("oca", "oca");
        assert!(!looks.conflicts("оса", "оса"));
        assert!(looks.conflicts("oca", "oca"));
        looks.remove("оса", "оса");
        assert!(!looks.conflicts("oca", "oca"));
        assert!(looks.plain.is_empty() && looks.others.is_empty());
        assert!(looks.spellings.is_empty());
    }

    /// Names that differ in ASCII characters alone are allowed, however many there are: a look that kept
    /// each of them made the room walk them all for every channel that was made or ended.
    #[test]
    fn names_of_one_look_share_an_entry() {
        let mut looks = ConfusableIndex::default();
        let names: Vec<String> = (0..9_800)
            .map(|number| format!("ñ{number:014b}").replace('0', "l"))
            .collect();
        for name in &names {
            assert!(!looks.conflicts(name, name), "{name}");
            looks.add(name, name);
        }
        // One as it is given, and one in small letters.
        assert_eq!((looks.others.len(), looks.spellings.len()), (2, 2));
        for name in &names {
            looks.remove(name, name);
        }
        assert!(looks.others.is_empty() && looks.spellings.is_empty());
    }
}
