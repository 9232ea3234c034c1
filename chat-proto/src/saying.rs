//! What people say, on its way from a `say` to the `message` that everyone gets.

use std::fmt;

use crate::PlainSay;
use crate::codec::put_string;
use crate::text::{self, Form, TextError};

/// What was said in one read of a socket, side by side: memory for each message by itself took a twentieth of the
/// server's time in a channel of 10.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(String);

/// Where something stands in the [`Words`] that have told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

/// Where the text of a message and its `id` stand, legal once built, as they are at the end of the `message`. They
/// are written once, where the request is read, and copied when the message has its number
/// ([`crate::codec::encode_message`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saying(Span);

impl Words {
    /// None yet, and room for those of `bytes` that were read; where much is escaped they take more.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes))
    }

    /// Adds a text of at most `max_bytes`, which the caller holds at or below [`crate::Text::MAX_BYTES`], and the
    /// `id` of its request.
    ///
    /// # Errors
    /// What is wrong with the text: see [`TextError`].
    pub fn say(
        &mut self,
        text: &str,
        max_bytes: usize,
        id: Option<&str>,
    ) -> Result<Saying, TextError> {
        let form = text::check(text, max_bytes)?;
        Ok(self.put(text, form, id.map(|id| (id, text::form_of(id)))))
    }

    /// Adds what a plain `say` says: the same as [`Words::say`], most of it known already.
    ///
    /// # Errors
    /// See [`TextError`].
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

    /// Adds a name, or whatever somebody has written for one.
    pub fn name(&mut self, name: &str) -> Span {
        let start = self.0.len();
        self.0.push_str(name);
        self.since(start)
    }

    /// What stands there.
    ///
    /// # Panics
    /// The span is one of other words.
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

/// Only the length is shown: what people write does not belong into a log.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}
