//! Requests of the full screen to the Session and to the terminal.

use actix::Message;

use crate::prompt::UserInput;

/// A request to the Session.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum AppRequest {
    /// A line, typed in the conversation `to`.
    Line {
        /// A channel or a nick.
        to: String,
        /// The line.
        text: String,
    },
    /// An answer to what was asked, Ctrl-C, or the end.
    Input(UserInput),
    /// A line that failed is to be sent again.
    Again {
        /// The `id` of its request, so that it is not recorded twice.
        id: String,
        /// A channel or a nick.
        to: String,
        /// The line.
        text: String,
    },
    /// A page of older messages.
    Older {
        /// The channel or the other end.
        with: String,
        /// Those before that one; the newest, if there is none.
        before: Option<u64>,
    },
    /// Who is in a channel.
    People(String),
}

/// A request to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalAction {
    /// Nothing.
    None,
    /// Have this text edited in `$EDITOR`.
    Edit(String),
    /// Go back to the shell for a while.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Listen to the mouse, or not.
    Mouse(bool),
}
