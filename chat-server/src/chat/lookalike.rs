//! Names that would deceive: those that mix scripts, and those that look like one that is taken (Unicode
//! Technical Standard 39, Unicode Security Mechanisms).
//!
//! Plain names are left alone: what differs in ASCII characters only, `user1` and `userl`, is told apart
//! as well as anything on a terminal, and other programs' people have such names.

use std::hash::BuildHasher;
use std::sync::Arc;

use chat_proto::name::fold;
use foldhash::quality::RandomState;
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

/// The names that are taken, by what they look like. Of plain ones, which are most, it keeps a number.
#[derive(Debug, Default)]
pub struct Looks {
    hasher: RandomState,
    plain: Map<u64, u32>,
    /// Folded.
    others: Map<u64, Vec<Arc<str>>>,
}

/// What is left of a name without its ASCII characters.
fn foreign(folded: &str) -> impl Iterator<Item = char> {
    folded.chars().filter(|c| !c.is_ascii())
}

impl Looks {
    /// A name as it looks in the letters that were given, and in small ones: `ΑΝΑ` is Greek, and looks
    /// like `ANA`, which `ανα` does not.
    fn keys(&self, given: &str, folded: &str) -> Vec<u64> {
        let given: String = skeleton(given).collect();
        let small: String = skeleton(folded).collect();
        let mut keys = vec![self.hasher.hash_one(&*fold(&given))];
        let small = self.hasher.hash_one(&*small);
        if keys[0] != small {
            keys.push(small);
        }
        keys
    }

    /// The name is taken; once for each who has it.
    pub fn add(&mut self, given: &str, folded: &Arc<str>) {
        for key in self.keys(given, folded) {
            if folded.is_ascii() {
                *self.plain.entry(key).or_default() += 1;
            } else {
                self.others.entry(key).or_default().push(folded.clone());
            }
        }
    }

    /// One who had the name, added with the same letters, has it no longer.
    pub fn remove(&mut self, given: &str, folded: &Arc<str>) {
        for key in self.keys(given, folded) {
            if folded.is_ascii() {
                if let Some(count) = self.plain.get_mut(&key) {
                    *count -= 1;
                    if *count == 0 {
                        self.plain.remove(&key);
                    }
                }
            } else if let Some(names) = self.others.get_mut(&key) {
                if let Some(place) = names.iter().position(|name| name == folded) {
                    names.swap_remove(place);
                }
                if names.is_empty() {
                    self.others.remove(&key);
                }
            }
        }
    }

    /// Whether a name looks like a taken one and is another.
    pub fn deceives(&self, given: &str, folded: &str) -> bool {
        let plain = folded.is_ascii();
        if plain && self.others.is_empty() {
            return false;
        }
        self.keys(given, folded).iter().any(|key| {
            let differs = |name: &Arc<str>| !foreign(name).eq(foreign(folded));
            let others = self.others.get(key);
            (!plain && self.plain.contains_key(key))
                || others.is_some_and(|names| names.iter().any(differs))
        })
    }
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

    fn looks(names: &[&str]) -> Looks {
        let mut looks = Looks::default();
        for name in names {
            looks.add(name, &fold(name).into());
        }
        looks
    }

    #[test]
    fn what_looks_like_a_taken_name() {
        for (taken, name, deceives) in [
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
                looks.deceives(name, &fold(name)),
                deceives,
                "{taken} {name}"
            );
        }
    }

    #[test]
    fn a_name_that_is_free_again_is_nobodys() {
        let mut looks = looks(&["oca", "oca", "оса"]);
        looks.remove("oca", &"oca".into());
        assert!(looks.deceives("оса", "оса"));
        looks.remove("oca", &"oca".into());
        assert!(!looks.deceives("оса", "оса"));
        assert!(looks.deceives("oca", "oca"));
        looks.remove("оса", &"оса".into());
        assert!(!looks.deceives("oca", "oca"));
        assert!(looks.plain.is_empty() && looks.others.is_empty());
    }
}
