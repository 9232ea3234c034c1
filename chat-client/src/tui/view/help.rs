//! The help: commands and keys.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::wrap::{columns, plain_rows};
use crate::command::help::HELP;
use crate::keys::actions::{self, Action};
use crate::keys::{KeySequence, edit_actions, name};
use crate::tui::state::TuiState;

/// One entry for the nine keys of conversations, while they are the default keys.
const BY_NUMBER: (&str, &str) = ("alt-1 … alt-9", "the first to the ninth conversation");

/// Draws it over the whole screen, from the row `top` on.
pub fn draw(state: &TuiState, top: usize, area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
    let block = Block::bordered()
        .title(" Help: commands and keys ")
        .title_bottom(" ↑ ↓ Home End · other keys close ");
    let inside = block.inner(area);
    block.render(area, buffer);
    let lines = lines(state, usize::from(inside.width));
    let top = top.min(lines.len().saturating_sub(usize::from(inside.height)));
    for (line, y) in lines.iter().skip(top).zip(inside.y..inside.bottom()) {
        buffer.set_line(inside.x, y, line, inside.width);
    }
}

/// The last row from which on it is of use to read.
pub fn last(state: &TuiState) -> usize {
    let (width, height) = state.size;
    let inside = Block::bordered().inner(Rect::new(0, 0, width, height));
    let lines = lines(state, usize::from(inside.width));
    lines.len().saturating_sub(usize::from(inside.height))
}

/// From how many columns on what a key does stands beside it, and where.
const BESIDE: usize = 60;
const COLUMN: usize = 29;

/// What has no key is left out.
fn lines(state: &TuiState, width: usize) -> Vec<Line<'static>> {
    let (window, entry) = (&state.keys, state.entry.keymap());
    let usual = actions::default();
    let mut by_number = (0..9).map(Action::Go);
    let by_number = by_number.all(|action| window.keys(action).eq(usual.keys(action)));
    let mut lines = Vec::new();
    let mut add = |keys: &str, does: &str| lines.extend(rows(keys, does, width));
    for (typed, does) in HELP {
        add(typed, does);
    }
    add("", "");
    add("Keys", "");
    for (action, _, _, does) in actions::BINDINGS {
        match (action, named(window.keys(action))) {
            (Action::Go(0), _) if by_number => add(BY_NUMBER.0, BY_NUMBER.1),
            (Action::Go(_), _) if by_number => {}
            (_, Some(keys)) => add(&keys, does),
            (_, None) => {}
        }
    }
    add("", "");
    add("Keys while typing", "");
    for (edit, _, _, does) in edit_actions::BINDINGS {
        if let Some(keys) = named(entry.keys(edit)) {
            add(&keys, does);
        }
    }
    lines
}

/// Keys as the settings name them, if there are any.
fn named(keys: impl Iterator<Item = KeySequence>) -> Option<String> {
    let keys: Vec<_> = keys.map(name).collect();
    (!keys.is_empty()).then(|| keys.join(", "))
}

/// Beside each other, or one below the other where that would be too narrow.
fn rows(keys: &str, does: &str, width: usize) -> Vec<Line<'static>> {
    let indent = if width < BESIDE { 2 } else { COLUMN };
    let blanks = indent.checked_sub(columns(keys).max(1));
    let mut beside = blanks.filter(|blanks| indent == COLUMN && *blanks > 0);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    // Of the line only the keys are bold.
    let mut rows = vec![Line::from(Span::styled(keys.to_owned(), bold))];
    for text in plain_rows(does, width.saturating_sub(indent)) {
        if let Some(blanks) = beside.take() {
            rows[0].push_span(Span::raw(format!("{}{text}", " ".repeat(blanks))));
        } else if !text.is_empty() {
            rows.push(Line::raw(format!("{}{text}", " ".repeat(indent))));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issue 15, row 45: a description is plain in each of its rows.
    #[test]
    fn only_keys_are_bold() {
        let does = "a description that is so long that it has further rows";
        for (width, first) in [(60, 1), (40, 0)] {
            let rows = rows("ctrl-x", does, width);
            assert!(rows.len() > 1);
            let spans = rows.iter().map(|row| {
                let style = |span: &Span<'_>| row.style.patch(span.style).add_modifier;
                row.spans.iter().map(style).collect::<Vec<_>>()
            });
            let (bold, plain) = (Modifier::BOLD, Modifier::empty());
            for (index, styles) in spans.enumerate() {
                match index {
                    0 => assert_eq!(styles, [vec![bold], vec![plain; first]].concat()),
                    _ => assert_eq!(styles, [plain]),
                }
            }
        }
    }
}
