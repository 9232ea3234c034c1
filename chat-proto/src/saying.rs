//! What somebody says, on its way from a `say` to the `message` that everyone gets.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use crate::codec::put_string;
use crate::text::{self, TextError};

/// The text of a message and its `id`, legal once built, and as they stand at the end of the `message`. They are
/// written once, where the request is read, and copied when the message has its number
/// ([`crate::codec::encode_message`]).
#[derive(Clone, PartialEq, Eq)]
pub struct Saying(Bytes);

impl Saying {
    /// A text of at most `max_bytes`, which the caller holds at or below [`crate::Text::MAX_BYTES`], and the `id`
    /// of its request. What is said one after the other is written side by side: `buffer` has room for more, and
    /// is empty before and after.
    ///
    /// # Errors
    /// What is wrong with the text: see [`TextError`].
    pub fn new(
        text: &str,
        max_bytes: usize,
        id: Option<&str>,
        buffer: &mut BytesMut,
    ) -> Result<Self, TextError> {
        let form = text::check(text, max_bytes)?;
        buffer.put_slice(b",\"text\":");
        put_string(text, form, buffer);
        if let Some(id) = id {
            buffer.put_slice(b",\"id\":");
            put_string(id, text::form_of(id), buffer);
        }
        buffer.put_slice(b"}\n");
        Ok(Self(buffer.split().freeze()))
    }

    pub(crate) fn json(&self) -> &[u8] {
        &self.0
    }
}

/// Only the length is shown: what people write does not belong into a log.
impl fmt::Debug for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Saying({} bytes)", self.0.len())
    }
}
