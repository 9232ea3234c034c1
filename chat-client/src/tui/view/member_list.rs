//! The list of members of a channel.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

use super::wrap::shortened;
use crate::text::escape::word;
use crate::tui::state::TuiState;
use crate::tui::width_quirks::put;

/// Draws it: how many there are, and as many names as there is room for.
pub fn draw(state: &TuiState, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let dim = Style::new().add_modifier(Modifier::DIM);
    for y in area.y..area.bottom() {
        buffer.set_string(area.x, y, "│", dim);
    }
    let people = &state.here().people;
    let width = usize::from(area.width) - 2;
    let (room, more) = room(state, area.height);
    for (nick, y) in people.iter().take(room).zip(area.y..) {
        let style = if **nick == *state.me {
            Style::new().add_modifier(Modifier::BOLD)
        } else {
            state
                .theme
                .nick(&state.here().to, nick)
                .remove_modifier(Modifier::BOLD)
        };
        put(
            buffer,
            (area.x + 2, y),
            &shortened(&word(nick), width),
            width,
            style,
        );
    }
    if more > 0 {
        let y = area.bottom() - 1;
        buffer.set_stringn(area.x + 2, y, format!("+{more} more"), width, dim);
    }
}

/// The person at that position.
pub fn at(state: &TuiState, area: Rect, at: Position) -> Option<String> {
    let (room, _) = room(state, area.height);
    let index = usize::from(at.y - area.y);
    let nick = state.here().people.iter().take(room).nth(index)?;
    Some(nick.as_ref().to_owned())
}

/// Returns how many names are shown, and how many members are not.
fn room(state: &TuiState, height: u16) -> (usize, usize) {
    let people = &state.here().people;
    let (height, named) = (usize::from(height), people.iter().count());
    if people.count() <= height && people.others == 0 {
        return (named, 0);
    }
    let shown = named.min(height.saturating_sub(1));
    (shown, people.count() - shown)
}
