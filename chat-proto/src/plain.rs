//! A fast parser for the most frequent frame: a `say` with its `type` first and without escapes
//! (PROTOCOL.md, 3.3 `say`).
//!
//! Its result equals that of [`crate::Envelope::parse`], as a property test checks. It leaves all
//! other frames to that parser, which is several times slower.

use crate::MAX_ID_BYTES;
use crate::scan::{self, bit};

/// The fields of a plain `say`: `type` first, no escapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainSay<'a> {
    /// The text.
    pub text: &'a str,
    /// A channel or a nick; [`crate::LOBBY`] for `None`.
    pub to: Option<&'a str>,
    /// The nick of the connection, if present.
    pub from: Option<&'a str>,
    /// The `id` of the request.
    pub id: Option<&'a str>,
    /// Whether the frame is printable ASCII only: legal in a text, and without escapes in JSON.
    pub(crate) is_printable: bool,
}

/// Class of bytes that a plain frame does not have.
const ESCAPES: u8 = 1;
/// Class of bytes that a printable frame does not have either.
const BEYOND_ASCII: u8 = 2;

impl<'a> PlainSay<'a> {
    /// Parses a plain `say`; `None` for every other frame.
    pub fn parse(frame: &'a [u8]) -> Option<Self> {
        let classes = scan::classes(frame, |byte| {
            bit(ESCAPES, (byte < 0x20) | (byte == b'\\')) | bit(BEYOND_ASCII, byte >= 0x7f)
        });
        if classes & ESCAPES != 0 {
            return None;
        }
        let rest = str::from_utf8(frame).ok()?.strip_prefix("{\"type\":")?;
        let mut rest = after_space(rest).strip_prefix("\"say\"")?;
        let (mut text, mut to, mut from, mut id) = (None, None, None, None);
        while rest != "}" {
            rest = after_space(rest.strip_prefix(',')?);
            let (field, value) = if let Some(value) = rest.strip_prefix("\"text\":") {
                (&mut text, value)
            } else if let Some(value) = rest.strip_prefix("\"to\":") {
                (&mut to, value)
            } else if let Some(value) = rest.strip_prefix("\"id\":") {
                (&mut id, value)
            } else {
                (&mut from, rest.strip_prefix("\"from\":")?)
            };
            let (value, behind) = string(after_space(value))?;
            rest = behind;
            if field.replace(value).is_some() {
                return None;
            }
        }
        if id.is_some_and(|id: &str| !(1..=MAX_ID_BYTES).contains(&id.len())) {
            return None;
        }
        Some(Self {
            text: text?,
            to,
            from,
            id,
            is_printable: classes == 0,
        })
    }
}

/// Skips the space that some libraries write behind a colon and a comma.
fn after_space(json: &str) -> &str {
    json.strip_prefix(' ').unwrap_or(json)
}

/// Splits `json` behind the string without escapes at its beginning.
fn string(json: &str) -> Option<(&str, &str)> {
    let rest = json.strip_prefix('"')?;
    let (value, rest) = rest.split_at(memchr::memchr(b'"', rest.as_bytes())?);
    Some((value, rest.strip_prefix('"')?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Envelope, Request, Say, Words};

    #[test]
    fn a_plain_say_is_taken_and_all_else_is_left() {
        for plain in [
            r#"{"type":"say","text":"hola"}"#,
            r##"{"type": "say", "to": "#té", "text": "¿qué?", "from": "ana", "id": "1"}"##,
        ] {
            assert!(PlainSay::parse(plain.as_bytes()).is_some(), "{plain}");
        }
        for other in [
            r#"{"type":"ping"}"#,
            r#"{"text":"x","type":"say"}"#,
            r#"{"type":"say"}"#,
            r#"{"type":"say","text":"a\nb"}"#,
            "{\"type\":\"say\",\"text\":\"a\nb\"}",
            r#"{"type":"say","text":"x","text":"x"}"#,
            r#"{"type":"say","text":"x","id":""}"#,
            r#"{"type":"say","text":"x","to":null}"#,
            r#"{"type":"say","text":"x","old":"x"}"#,
            r#"{"type":"say","text":"x"} "#,
            r#"{"type":"say","text":"x"}}"#,
            r#"{"type":"say","text":"x",}"#,
            r#"{"type":"say","text":"x"#,
        ] {
            assert_eq!(PlainSay::parse(other.as_bytes()), None, "{other}");
        }
        let no_text = b"{\"type\":\"say\",\"text\":\"\xff\"}";
        assert_eq!(PlainSay::parse(no_text), None);
    }

    proptest! {
        /// Compares both parsers on frames that are a `say` except for one part.
        #[test]
        fn what_is_taken_is_taken_as_the_long_way_would(
            begin in r#"\{"type":( |)"sa[yyyi]","text":"#,
            text in "\"[aé\\\\\n\n\u{7f}\u{85}]{0,3}\"",
            pieces in proptest::collection::vec(
                r#"(,|, )"(text|to|from|id|id)"(:|: )"[#a-zé]{0,70}""#, 0..3),
            end in "\\}|\\}|\\} |,",
        ) {
            let json = format!("{begin}{text}{}{end}", pieces.concat());
            if let Some(plain) = PlainSay::parse(json.as_bytes()) {
                let PlainSay { text, to, from, id, .. } = plain;
                let (mut words, mut plain_words) = (Words::default(), Words::default());
                let said = words.say(text, 6, id);
                prop_assert_eq!(plain_words.say_plainly(&plain, 6), said);
                prop_assert_eq!(plain_words, words);
                let say = Say { to: to.map(Into::into), text: text.into(), from: from.map(Into::into) };
                let envelope = Envelope { request: Request::Say(say), id: id.map(Into::into) };
                prop_assert_eq!(Envelope::parse(json.as_bytes()), Ok(envelope));
            }
        }
    }
}
