//! Messages between the Session, the full screen and the keyboard: requests for input, and input.

use actix::Message;

use crate::command::{InputError, TypedCommand};

/// A request for a line.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct PromptRequest {
    /// What a terminal shows before it.
    pub prompt: String,
    /// What the line is for.
    pub purpose: PromptKind,
}

/// A request for terminal input, which goes to the full screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub struct KeysRequest;

/// The purpose of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    /// A message or a command. The next line is requested at once.
    Chat,
    /// A choice from a list. The next line is requested at once.
    Choice,
    /// A password, which is not shown.
    Password,
    /// The nickname. The next line may be requested much later.
    Nickname,
}

/// Input of the user, a pipe or a task.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum UserInput {
    /// A line, without its end.
    Line(String),
    /// A command of a task.
    Command(TypedCommand),
    /// A line that cannot be sent, and why.
    Refused(InputError),
    /// A question was cancelled with Esc.
    Cancelled,
    /// Ctrl-C.
    Interrupted,
    /// The end of the input.
    Ended,
}
