//! An incoming message, for notifications.

use chat_proto::Message;

use crate::notify::NotifyContext;

/// A message, and how it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncomingMessage {
    from: String,
    to: String,
    text: String,
    replayed: bool,
    muted: bool,
    watched: bool,
}

impl IncomingMessage {
    /// That message.
    pub fn new(message: &Message<'_>, fresh: bool, muted: bool, watched: bool) -> Self {
        Self {
            from: message.from.as_ref().to_owned(),
            to: message.to.as_ref().to_owned(),
            text: message.text.as_ref().to_owned(),
            replayed: !fresh,
            muted,
            watched,
        }
    }

    /// Returns the context that decides on a notification.
    pub fn arrival<'a>(&'a self, me: &'a str) -> NotifyContext<'a> {
        NotifyContext {
            from: &self.from,
            to: &self.to,
            text: &self.text,
            me,
            replayed: self.replayed,
            muted: self.muted,
            watched: self.watched,
        }
    }
}
