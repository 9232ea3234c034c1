//! What the Session tells the full screen: facts in the order in which they happened.

use chat_proto::{Event, Message, Timestamp};

use crate::prompt::PromptKind;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// Something is waited for, or no longer.
    Busy(Option<String>),
    /// A person is asked for something other than the next line.
    Asked {
        /// The question.
        prompt: String,
        /// What the answer is for.
        purpose: PromptKind,
    },
    /// One is in, for the first time or again.
    Welcomed {
        /// One's own nick.
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
    /// Somebody said something.
    Message {
        /// What.
        message: Message<'static>,
        /// It has just been said; else it was missed while one was away.
        fresh: bool,
    },
    /// A line that one typed is on its way.
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
    /// Such a line is not recorded, or nobody knows.
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
    /// Anything that is no message. The text is safe to show.
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
        /// For people.
        detail: String,
    },
    /// A question has ended: the keyboard is for talking.
    Answered,
    /// One talks there from now on.
    Here(String),
    /// One is in that channel no longer.
    Parted(String),
    /// Somebody is to be chosen to talk to.
    Choose(Vec<String>),
}
