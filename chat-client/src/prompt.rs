//! The messages between the Session, the full screen and the keyboard: a request for input, and the input.

use actix::Message;

use crate::command::{InputError, TypedCommand};

/// A wish for a line.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct PromptRequest {
    /// What a terminal shows before it.
    pub prompt: String,
    /// What the line is for.
    pub purpose: PromptKind,
}

/// A wish for what is done at the terminal, which the full screen is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct KeysRequest;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// To be said or done. The next one is asked for at once.
    Chat,
    /// A choice from a list. The next line is asked for at once.
    Choice,
    /// A password, which is not shown.
    Password,
    /// One's nickname. It may take a while until another line is asked for.
    Nickname,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum UserInput {
    /// A line, without its end.
    Line(String),
    /// What somebody could have typed.
    Command(TypedCommand),
    /// A line that cannot be sent, and why.
    Refused(InputError),
    /// A question is not answered: Esc.
    Cancelled,
    /// Ctrl-C.
    Interrupted,
    /// There is no more.
    Ended,
}
