//! Escapes text from outside, so that it cannot control the terminal.

/// `text` on one or more lines: a newline begins a further one behind four spaces, and everything
/// that [`is_escaped`] is written out, as in `\u{1b}`.
pub fn lines(text: &str) -> String {
    escaped(text, true)
}

/// `text` on a single line: a newline is written out like the rest (for names, which have none).
pub fn word(text: &str) -> String {
    escaped(text, false)
}

fn escaped(text: &str, newlines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if newlines && c == '\n' {
            shown.push_str("\n    ");
        } else if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Returns whether a character is always escaped: the control characters (Cc), those that override
/// or isolate the direction of writing (Unicode Standard Annex 9, 2.1 to 2.5), and the two that
/// some programs take for the end of a line. The joiners and marks that scripts and emoji need are
/// shown.
pub fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown() {
        for (text, shown) in [
            ("hola — привет 👋🏽", "hola — привет 👋🏽"),
            ("a\nb\n", "a\n    b\n    "),
            ("\u{1b}[31mred\u{7}", "\\u{1b}[31mred\\u{7}"),
            ("\u{9b}31m \u{7f} \0", "\\u{9b}31m \\u{7f} \\u{0}"),
            ("a\tb\rc", "a\\tb\\rc"),
            (
                "\u{202e}gnp.exe\u{2066}x\u{2069}",
                "\\u{202e}gnp.exe\\u{2066}x\\u{2069}",
            ),
            ("a\u{2028}b\u{85}c", "a\\u{2028}b\\u{85}c"),
            (
                "👨\u{200d}👩\u{200d}👧 می\u{200c}خواهم",
                "👨\u{200d}👩\u{200d}👧 می\u{200c}خواهم",
            ),
            ("c:\\new", "c:\\new"),
        ] {
            assert_eq!(lines(text), shown, "{text:?}");
        }
        assert_eq!(word("a\nb"), "a\\nb");
    }

    #[test]
    fn no_control_character_is_left() {
        let all: String = (0..=0x10ffffu32).filter_map(char::from_u32).collect();
        let left = lines(&all);
        assert!(left.chars().all(|c| c == '\n' || !is_escaped(c)));
    }
}
