//! The list of conversations.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Color, Modifier, Style};

use super::wrap::{columns, shortened};
use crate::text::escape::word;
use crate::tui::state::TuiState;
use crate::tui::width_quirks::put;

/// Draws it, with the number of Alt-1 to Alt-9 before each and what is unread behind it.
pub fn draw(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let dim = Style::new().add_modifier(Modifier::DIM);
    let rule = area.right() - 1;
    for y in area.y..area.bottom() {
        buffer.set_string(rule, y, "│", dim);
    }
    let width = usize::from(area.width) - 1;
    for (index, y) in shown(state, area.height).zip(area.y..) {
        let conversation = &state.conversations[index];
        let number = if index < 9 {
            format!("{} ", index + 1)
        } else {
            "  ".to_owned()
        };
        let (count, counted) = match (conversation.unread, conversation.mentions) {
            (0, _) => (String::new(), dim),
            (unread, 0) => (format!(" {unread}"), dim),
            (_, mentions) => (
                format!(" @{mentions}"),
                state
                    .theme
                    .depth
                    .colour(Color::Red)
                    .add_modifier(Modifier::BOLD),
            ),
        };
        let style = match () {
            () if index == state.current => Style::new().add_modifier(Modifier::REVERSED),
            () if conversation.unread > 0 && !conversation.muted => {
                Style::new().add_modifier(Modifier::BOLD)
            }
            () => Style::new(),
        };
        let room = width.saturating_sub(2 + columns(&count));
        let name = shortened(&word(&conversation.to), room);
        let name = format!("{name}{}", " ".repeat(room - columns(&name)));
        let (x, _) = buffer.set_stringn(area.x, y, number, width, dim);
        let x = put(buffer, (x, y), &name, room, style);
        buffer.set_string(x, y, count, counted);
    }
}

/// The conversation at that position.
pub fn at(state: &TuiState, area: Rect, at: Position) -> Option<usize> {
    shown(state, area.height).nth(usize::from(at.y - area.y))
}

/// Those that there is room for, so that the current one is among them.
pub(in crate::tui) fn shown(state: &TuiState, height: u16) -> Range<usize> {
    let height = usize::from(height);
    let first = (state.current + 1).saturating_sub(height);
    first..state.conversations.len().min(first + height)
}
