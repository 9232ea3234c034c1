//! The actions of the editor, by the names that the settings use, with their default keys.

use super::Keymap;

/// An action of the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Up,
    Down,
    HistoryBack,
    HistoryForward,
    DeleteLeft,
    DeleteRight,
    KillWordLeft,
    KillBlankLeft,
    KillWordRight,
    KillLineLeft,
    KillLineRight,
    Yank,
    Transpose,
    NewLine,
    Complete,
    CompleteBack,
    Submit,
    Drop,
    Editor,
}

/// An action with its name, its keys, and what it is for.
pub type EditBinding = (Edit, &'static str, &'static [&'static str], &'static str);

/// Every action once: as readline has them, where readline has them.
pub const BINDINGS: [EditBinding; 25] = [
    (Edit::Left, "left", &["left", "ctrl-b"], "a character back"),
    (Edit::Right, "right", &["right", "ctrl-f"], "a character on"),
    (
        Edit::WordLeft,
        "word_left",
        &["alt-b", "ctrl-left"],
        "a word back",
    ),
    (
        Edit::WordRight,
        "word_right",
        &["alt-f", "ctrl-right"],
        "a word on",
    ),
    (
        Edit::LineStart,
        "line_start",
        &["home", "ctrl-a"],
        "to the beginning of the line",
    ),
    (
        Edit::LineEnd,
        "line_end",
        &["end", "ctrl-e"],
        "to the end of the line; of an empty one: to the newest message",
    ),
    (
        Edit::Up,
        "up",
        &["up"],
        "a row up; from the first: an older line",
    ),
    (
        Edit::Down,
        "down",
        &["down"],
        "a row down; from the last: a newer line",
    ),
    (
        Edit::HistoryBack,
        "history_back",
        &["ctrl-p"],
        "an older line",
    ),
    (
        Edit::HistoryForward,
        "history_forward",
        &["ctrl-n"],
        "a newer line",
    ),
    (
        Edit::DeleteLeft,
        "delete_left",
        &["backspace", "ctrl-h"],
        "delete the character before",
    ),
    (
        Edit::DeleteRight,
        "delete_right",
        &["delete", "ctrl-d"],
        "delete the character here",
    ),
    (
        Edit::KillWordLeft,
        "kill_word_left",
        &["alt-backspace"],
        "cut the word before",
    ),
    (
        Edit::KillBlankLeft,
        "kill_blank_left",
        &["ctrl-w"],
        "cut back to the blank before",
    ),
    (
        Edit::KillWordRight,
        "kill_word_right",
        &["alt-d"],
        "cut the word behind",
    ),
    (
        Edit::KillLineLeft,
        "kill_line_left",
        &["ctrl-u"],
        "cut the line up to here",
    ),
    (
        Edit::KillLineRight,
        "kill_line_right",
        &["ctrl-k"],
        "cut the rest of the line",
    ),
    (Edit::Yank, "yank", &["ctrl-y"], "put in what was cut last"),
    (
        Edit::Transpose,
        "transpose",
        &["ctrl-t"],
        "swap the two characters before",
    ),
    (
        Edit::NewLine,
        "new_line",
        &["alt-enter", "ctrl-j", "shift-enter"],
        "begin a further line",
    ),
    (
        Edit::Complete,
        "complete",
        &["tab"],
        "complete a name; again: the next one",
    ),
    (
        Edit::CompleteBack,
        "complete_back",
        &["back-tab"],
        "complete a name; again: the one before",
    ),
    (Edit::Submit, "submit", &["enter"], "send"),
    (
        Edit::Drop,
        "drop",
        &["esc"],
        "take back a paste or a completion, or end a search",
    ),
    (
        Edit::Editor,
        "editor",
        &["ctrl-x ctrl-e"],
        "write it in $EDITOR",
    ),
];

/// Returns the default keys.
pub fn default() -> Keymap<Edit> {
    Keymap::of(BINDINGS.iter().map(|(edit, _, keys, _)| (*edit, *keys)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::keys::{name as name_of, parse};

    #[test]
    fn the_table_holds_together() {
        default();
        let (mut names, mut taken) = (HashSet::new(), HashSet::new());
        for (edit, name, keys, _) in BINDINGS {
            assert!(names.insert(name), "{name} is there twice");
            assert_eq!(BINDINGS.iter().filter(|other| other.0 == edit).count(), 1);
            for key in keys {
                assert!(taken.insert(key), "{key} does two things");
                assert_eq!(name_of(parse(key).unwrap()), *key);
            }
        }
    }
}
