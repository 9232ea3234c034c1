//! Events that the Session sends to the full screen, in order.

use chat_proto::{Event, Message, Timestamp};

use crate::prompt::PromptKind;

/// An event of the Session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The Session waits for something, or no longer.
    Busy(Option<String>),
    /// The user is asked for something other than the next line.
    Asked {
        /// The question.
        prompt: String,
        /// What the answer is for.
        purpose: PromptKind,
    },
    /// The server welcomed the client, for the first time or again.
    Welcomed {
        /// The own nick.
        nick: String,
        /// The channels one is in.
        joined: Vec<String>,
        /// The last message that was seen before.
        seen: u64,
        /// The last message there is.
        last: u64,
        /// The server's clock.
        clock: Timestamp,
    },
    /// The connection is lost.
    Away,
    /// The server gave a sign of life.
    Heard,
    /// A message arrived.
    Message {
        /// What.
        message: Message<'static>,
        /// Live; otherwise it was missed during a disconnection.
        fresh: bool,
    },
    /// A typed line waits for its acknowledgement.
    Waiting {
        /// The `id` of its request.
        id: String,
        /// A channel or a nick.
        to: String,
        /// The line.
        text: String,
    },
    /// Such a line is recorded.
    Recorded {
        /// The `id` of its request.
        id: String,
        /// The number of the message.
        seq: u64,
        /// When it arrived.
        time: Timestamp,
    },
    /// Such a line is not recorded, or its state is unknown.
    Failed {
        /// The `id` of its request.
        id: String,
        /// Why.
        reason: String,
    },
    /// `joined`, `left`, `gone` or `renamed`.
    Presence(Event<'static>),
    /// Who is in a channel.
    People {
        /// The channel.
        channel: String,
        /// As many as were told.
        nicks: Vec<String>,
        /// How many there are.
        total: usize,
    },
    /// Older messages of a conversation.
    Page {
        /// The channel or the other end.
        with: String,
        /// Oldest first.
        messages: Vec<Message<'static>>,
        /// Whether there are older ones.
        more: bool,
    },
    /// Older messages cannot be had now.
    NoPage {
        /// The channel or the other end.
        with: String,
    },
    /// Messages behind that one may be missing.
    Gap {
        /// In that conversation; in all of them.
        with: Option<String>,
        /// The last one that is here.
        after: u64,
        /// The first one behind the gap, where it is known.
        before: Option<u64>,
    },
    /// A notice. The text is safe to show.
    Notice {
        /// The words.
        text: String,
        /// When.
        time: Timestamp,
    },
    /// What a channel is about from now on.
    Topic {
        /// The channel.
        channel: String,
        /// Nothing, if empty.
        topic: String,
        /// The same in words that are safe to show.
        text: String,
        /// Since when.
        time: Timestamp,
    },
    /// An error.
    Error {
        /// For programs.
        code: String,
        /// For users.
        detail: String,
    },
    /// A question ended; the keyboard is for messages.
    Answered,
    /// The current conversation changed.
    Here(String),
    /// The user left that channel.
    Parted(String),
    /// The user chooses another user to talk to.
    Choose(Vec<String>),
}
