//! Confusable names: those that mix scripts, and those that look like a name in use (Unicode
//! Technical Standard 39, Unicode Security Mechanisms).
//!
//! Names that differ in ASCII characters only, such as `user1` and `userl`, do not conflict: users
//! of other chat programs have such names.

use std::hash::Hash;

use chat_proto::name::fold;
use sha2::{Digest as _, Sha256};
use unicode_script::Script;
use unicode_security::confusable_detection::skeleton;
use unicode_security::mixed_script::AugmentedScriptSet;

use super::Map;

/// Returns whether a name is more mixed than "Highly Restrictive" (UTS 39, 5.2). Its letters must
/// be of one script, or Latin beside Chinese, Japanese or Korean. Digits, punctuation and emoji
/// match all scripts.
pub fn is_mixed(given: &str, folded: &str) -> bool {
    // The folded form as well: a mathematical `𝐚` has no script and folds to `a`.
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

/// The names in use, by skeleton. Names of one skeleton conflict if their non-ASCII characters
/// differ, so that counts suffice and no operation iterates over names.
#[derive(Debug, Default)]
pub struct ConfusableIndex {
    /// The number of ASCII names of a skeleton.
    plain: Map<u64, u32>,
    /// The number of other names of a skeleton with these non-ASCII characters.
    others: Map<(u64, u64), u32>,
    /// The number of different non-ASCII spellings of a skeleton in `others`.
    spellings: Map<u64, u32>,
}

impl ConfusableIndex {
    /// Returns the skeletons of a name as given and in lower case: the Greek `ΑΝΑ` looks like
    /// `ANA`, which `ανα` does not.
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

    /// Returns the hash of the non-ASCII characters of a name.
    fn foreign(folded: &str) -> u64 {
        let foreign: String = folded.chars().filter(|c| !c.is_ascii()).collect();
        hash(&foreign)
    }

    /// Adds a name. Called once for each use.
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

    /// Removes one use of a name, which was added with this spelling.
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

    /// Returns whether a name looks like a different name in use.
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

/// Returns a hash that is equal on every server, because it decides which names are free.
fn hash(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(Sha256::digest(text));
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Increments a count and returns it.
fn increment<K: Eq + Hash>(counts: &mut Map<K, u32>, key: K) -> u32 {
    let count = counts.entry(key).or_default();
    *count += 1;
    *count
}

/// Decrements a count and returns it, if it existed.
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

    /// ASCII variants of a name are allowed without limit. An index that stored each of them made
    /// the room iterate over all for every channel that began or ended.
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
        // One skeleton as given, and one in lower case.
        assert_eq!((looks.others.len(), looks.spellings.len()), (2, 2));
        for name in &names {
            looks.remove(name, name);
        }
        assert!(looks.others.is_empty() && looks.spellings.is_empty());
    }
}
