//! Texts of messages and reasons (PROTOCOL.md, 2.5 Texts).

use std::fmt;

use crate::scan::{self, bit};

/// A valid text: 1 to 8,192 bytes without control characters other than newline and tab.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Box<str>);

impl Text {
    /// The maximum length of a text, in bytes.
    pub const MAX_BYTES: usize = 8192;

    /// Validates a text of at most `max_bytes`, which must not exceed [`Text::MAX_BYTES`].
    ///
    /// # Errors
    /// The first violated rule, a [`TextError`].
    pub fn new(
        text: impl Into<Box<str>> + AsRef<str>,
        max_bytes: usize,
    ) -> Result<Self, TextError> {
        check(text.as_ref(), max_bytes)?;
        Ok(Self(text.into()))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shows the length only, because logs must not contain texts of users.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// The violated rule of an invalid [`Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// The text is empty.
    #[error("the text is empty")]
    Empty,
    /// The text has too many bytes.
    #[error("the text is longer than {max_bytes} bytes")]
    TooLong {
        /// The allowed number of bytes.
        max_bytes: usize,
    },
    /// The text has a control character (Unicode Cc) other than newline and tab.
    #[error("the text has control characters other than newline and tab")]
    Control,
}

/// The encoding that a text needs in a JSON string (RFC 8259, section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// No escapes.
    Plain,
    /// At least one escape.
    Escaped,
}

/// Class of ASCII control characters other than newline and tab.
const CONTROL: u8 = 1;
/// Class of characters that JSON escapes (RFC 8259, section 7).
const ESCAPED: u8 = 2;
/// Class of C2: the control characters U+0080 to U+009F are C2 80 to C2 9F in UTF-8.
const LEADS_CONTROL: u8 = 4;
/// Class of E2: [`LINE_ENDS`] are E2 80 A8 and E2 80 A9 in UTF-8.
const LEADS_LINE_END: u8 = 8;

/// Characters that JSON allows in a string, but that some tools treat as line ends. They are
/// escaped, because a message is one line of the history (PROTOCOL.md, 1.4 JSON objects).
pub(crate) const LINE_ENDS: [char; 2] = ['\u{2028}', '\u{2029}'];

fn classes(text: &str) -> u8 {
    scan::classes(text.as_bytes(), |byte| {
        let control = (byte < 0x20) & (byte != b'\n') & (byte != b'\t') | (byte == 0x7f);
        let escaped = (byte < 0x20) | (byte == b'"') | (byte == b'\\');
        bit(CONTROL, control)
            | bit(ESCAPED, escaped)
            | bit(LEADS_CONTROL, byte == 0xc2)
            | bit(LEADS_LINE_END, byte == 0xe2)
    })
}

fn form(text: &str, classes: u8) -> Form {
    if classes & ESCAPED != 0 || classes & LEADS_LINE_END != 0 && text.contains(LINE_ENDS) {
        Form::Escaped
    } else {
        Form::Plain
    }
}

/// Returns the encoding of any text in a JSON string.
pub(crate) fn form_of(text: &str) -> Form {
    form(text, classes(text))
}

/// Validates a text and returns its encoding in a JSON string. One pass does both, because each
/// message passes through this function.
pub(crate) fn check(text: &str, max_bytes: usize) -> Result<Form, TextError> {
    check_length(text, max_bytes)?;
    let classes = classes(text);
    let leads_control = |pair: &[u8]| pair[0] == 0xc2 && pair[1] < 0xa0;
    if classes & CONTROL != 0
        || classes & LEADS_CONTROL != 0 && text.as_bytes().windows(2).any(leads_control)
    {
        return Err(TextError::Control);
    }
    Ok(form(text, classes))
}

pub(crate) fn check_length(text: &str, max_bytes: usize) -> Result<(), TextError> {
    if text.is_empty() {
        Err(TextError::Empty)
    } else if text.len() > max_bytes {
        Err(TextError::TooLong { max_bytes })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_newline_and_tab_are_allowed_of_all_control_characters() {
        for code in 0..0x300 {
            let c = char::from_u32(code).unwrap();
            let allowed = !c.is_control() || c == '\n' || c == '\t';
            let text = format!("hola {c}!");
            assert_eq!(Text::new(text, 100).is_ok(), allowed, "U+{code:04X}");
        }
    }

    #[test]
    fn length_counts_bytes() {
        assert_eq!(Text::new("", 8), Err(TextError::Empty));
        assert!(Text::new("привет12", 14).is_ok());
        assert_eq!(
            Text::new("привет123", 14),
            Err(TextError::TooLong { max_bytes: 14 })
        );
        assert!(Text::new("x".repeat(Text::MAX_BYTES), Text::MAX_BYTES).is_ok());
        assert!(Text::new("x".repeat(Text::MAX_BYTES + 1), Text::MAX_BYTES).is_err());
    }
}
