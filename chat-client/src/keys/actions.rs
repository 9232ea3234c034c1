//! The actions of the full screen, by the names that the settings use, with their default keys.

use super::Keymap;

/// An action of the full screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    PageUp,
    PageDown,
    RowUp,
    RowDown,
    Bottom,
    UnreadLine,
    NextUnread,
    Previous,
    Next,
    Go(usize),
    Again,
    SearchOn,
    Help,
    Conversations,
    People,
    Mouse,
    Redraw,
    Suspend,
}

/// An action with its name, its keys, and what it is for.
pub type ActionBinding = (Action, &'static str, &'static [&'static str], &'static str);

/// Every action once.
pub const BINDINGS: [ActionBinding; 26] = [
    (Action::PageUp, "page_up", &["page-up"], "older messages"),
    (
        Action::PageDown,
        "page_down",
        &["page-down"],
        "newer messages",
    ),
    (Action::RowUp, "row_up", &["shift-up"], "a row up"),
    (Action::RowDown, "row_down", &["shift-down"], "a row down"),
    (
        Action::Bottom,
        "bottom",
        &["alt-end", "ctrl-end"],
        "to the newest message",
    ),
    (
        Action::UnreadLine,
        "unread_line",
        &["alt-u"],
        "to where one left off",
    ),
    (
        Action::NextUnread,
        "next_unread",
        &["alt-a"],
        "to the next unread conversation",
    ),
    (
        Action::Previous,
        "previous",
        &["alt-up"],
        "the conversation above",
    ),
    (
        Action::Next,
        "next",
        &["alt-down"],
        "the conversation below",
    ),
    (
        Action::Go(0),
        "conversation_1",
        &["alt-1"],
        "the first conversation",
    ),
    (Action::Go(1), "conversation_2", &["alt-2"], "the second"),
    (Action::Go(2), "conversation_3", &["alt-3"], "the third"),
    (Action::Go(3), "conversation_4", &["alt-4"], "the fourth"),
    (Action::Go(4), "conversation_5", &["alt-5"], "the fifth"),
    (Action::Go(5), "conversation_6", &["alt-6"], "the sixth"),
    (Action::Go(6), "conversation_7", &["alt-7"], "the seventh"),
    (Action::Go(7), "conversation_8", &["alt-8"], "the eighth"),
    (Action::Go(8), "conversation_9", &["alt-9"], "the ninth"),
    (
        Action::Again,
        "again",
        &["f5", "alt-r"],
        "send a line again that failed",
    ),
    (
        Action::SearchOn,
        "search_on",
        &["f6", "alt-n"],
        "further up, what was searched for",
    ),
    (Action::Help, "help", &["f1"], "what the keys do"),
    (
        Action::Conversations,
        "conversations",
        &["f2"],
        "the list of conversations, on or off",
    ),
    (
        Action::People,
        "people",
        &["f3"],
        "the list of people, on or off",
    ),
    (Action::Mouse, "mouse", &["f4"], "the mouse, on or off"),
    (
        Action::Redraw,
        "redraw",
        &["ctrl-l"],
        "draw the screen anew",
    ),
    (
        Action::Suspend,
        "suspend",
        &["ctrl-z"],
        "back to the shell; fg comes back",
    ),
];

/// Returns the default keys.
pub fn default() -> Keymap<Action> {
    Keymap::of(BINDINGS.map(|(action, _, keys, _)| (action, keys)))
}
