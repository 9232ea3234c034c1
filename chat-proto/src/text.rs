//! What people write to each other (PROTOCOL.md, 2. Names and text).

use std::fmt;

/// 1 to 8,192 bytes of UTF-8 without control characters other than newline and tab.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Box<str>);

impl Text {
    /// The most bytes a text may have.
    pub const MAX_BYTES: usize = 8192;

    /// A text of at most `max_bytes`, which the caller holds at or below [`Text::MAX_BYTES`].
    ///
    /// # Errors
    /// What is wrong with it: see [`TextError`].
    pub fn new(
        text: impl Into<Box<str>> + AsRef<str>,
        max_bytes: usize,
    ) -> Result<Self, TextError> {
        let bytes = text.as_ref().as_bytes();
        if bytes.is_empty() {
            return Err(TextError::Empty);
        }
        if bytes.len() > max_bytes {
            return Err(TextError::TooLong { max_bytes });
        }
        if has_forbidden_control(bytes) {
            return Err(TextError::Control);
        }
        Ok(Self(text.into()))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Only the length is shown: what people write does not belong into a log.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({} bytes)", self.0.len())
    }
}

/// Why something is no [`Text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing was written.
    #[error("the text is empty")]
    Empty,
    /// More bytes than allowed.
    #[error("the text is longer than {max_bytes} bytes")]
    TooLong {
        /// The bytes that are allowed.
        max_bytes: usize,
    },
    /// A control character (Unicode Cc) other than newline and tab.
    #[error("the text has control characters other than newline and tab")]
    Control,
}

/// Whether valid UTF-8 has a character of Unicode category Cc other than newline and tab: U+0000 to
/// U+001F, U+007F, and U+0080 to U+009F, which UTF-8 writes as C2 80 to C2 9F. Branch-free over
/// bytes, so that the compiler makes it wide: every text that is said passes here.
fn has_forbidden_control(bytes: &[u8]) -> bool {
    let ascii = bytes.iter().fold(false, |found, &byte| {
        found | ((byte < 0x20) & (byte != b'\n') & (byte != b'\t')) | (byte == 0x7f)
    });
    ascii
        || !bytes.is_ascii()
            && bytes.windows(2).fold(false, |found, pair| {
                found | ((pair[0] == 0xc2) & (pair[1] < 0xa0))
            })
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
