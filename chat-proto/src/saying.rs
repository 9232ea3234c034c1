//! Texts between `say` and `message`: encoded once, when the request is read (PROTOCOL.md, 4.2
//! `message`).

use std::fmt;

use crate::PlainSay;
use crate::codec::put_string;
use crate::text::{self, Form, TextError};

/// The encoded texts of one read of a socket in one allocation, because an allocation for each
/// message is expensive.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(String);

/// A range of the [`Words`] that returned it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

/// The range of the encoded end of a `message`: a valid text and the `id`.
/// [`crate::codec::encode_message`] copies it when the message has its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saying(Span);

impl Words {
    /// Creates an empty arena with room for a read of `bytes`; escapes can make it grow.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Validates and adds a text of at most `max_bytes`, which must not exceed
    /// [`crate::Text::MAX_BYTES`], and the `id` of the request.
    ///
    /// # Errors
    /// The first violated rule, a [`TextError`].
    pub fn say(
        &mut self,
        text: &str,
        max_bytes: usize,
        id: Option<&str>,
    ) -> Result<Saying, TextError> {
        let form = text::check(text, max_bytes)?;
        Ok(self.put(text, form, id.map(|id| (id, text::form_of(id)))))
    }

    /// Adds the text of a plain `say`, with the result of [`Words::say`] but fewer checks.
    ///
    /// # Errors
    /// The first violated rule, a [`TextError`].
    pub fn say_plainly(
        &mut self,
        say: &PlainSay<'_>,
        max_bytes: usize,
    ) -> Result<Saying, TextError> {
        if !say.is_printable {
            return self.say(say.text, max_bytes, say.id);
        }
        text::check_length(say.text, max_bytes)?;
        Ok(self.put(say.text, Form::Plain, say.id.map(|id| (id, Form::Plain))))
    }

    /// Adds a name, which is not validated.
    pub fn name(&mut self, name: &str) -> Span {
        let start = self.0.len();
        self.0.push_str(name);
        self.since(start)
    }

    /// Returns the bytes of a range.
    ///
    /// # Panics
    /// The range is from another [`Words`] and out of bounds.
    pub fn get(&self, Span { start, end }: Span) -> &str {
        &self.0[start as usize..end as usize]
    }

    pub(crate) fn json(&self, Saying(span): Saying) -> &str {
        self.get(span)
    }

    fn put(&mut self, text: &str, form: Form, id: Option<(&str, Form)>) -> Saying {
        let start = self.0.len();
        self.0.push_str(",\"text\":");
        put_string(text, form, &mut self.0);
        if let Some((id, form)) = id {
            self.0.push_str(",\"id\":");
            put_string(id, form, &mut self.0);
        }
        self.0.push_str("}\n");
        Saying(self.since(start))
    }

    fn since(&self, start: usize) -> Span {
        let narrow = |offset| u32::try_from(offset).expect("a read is far shorter than 4 GiB");
        Span {
            start: narrow(start),
            end: narrow(self.0.len()),
        }
    }
}

/// Shows the length only, because logs must not contain texts of users.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}
