//! The box with the list of users to choose from.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::layout::Areas;
use super::wrap::{columns, shortened};
use crate::text::escape::word;
use crate::tui::state::TuiState;
use crate::tui::state::picker::Picker;
use crate::tui::width_quirks::put;

/// Columns of the box, where there is room.
const WIDTH: u16 = 40;

/// Returns where the choice is drawn. On arrival the messages stay in sight, where there is room.
pub fn area(picker: &Picker, areas: &Areas) -> Rect {
    let mut people = areas.people;
    if !picker.everyone || people.is_empty() {
        return areas.messages;
    }
    let rows = u16::try_from(picker.people.len() + 3).unwrap_or(u16::MAX);
    people.height = people.height.min(rows);
    people
}

/// Draws the choice over the messages.
pub fn draw(state: &TuiState, picker: &Picker, area: Rect, buffer: &mut Buffer) {
    let area = frame(picker, area);
    Clear.render(area, buffer);
    let title = shortened(
        &format!(" Talk to: {} ", word(&picker.typed)),
        usize::from(area.width.saturating_sub(2)),
    );
    let help = shortened(
        " ↑ ↓ Enter · Esc ",
        usize::from(area.width.saturating_sub(2)),
    );
    let block = Block::bordered().title(title).title_bottom(help);
    let inside = block.inner(area);
    block.render(area, buffer);
    let width = usize::from(inside.width);
    let offered = picker.offered();
    if offered.is_empty() {
        let dim = Style::new().add_modifier(Modifier::DIM);
        buffer.set_stringn(inside.x, inside.y, "nobody of that name", width, dim);
    }
    let first = first(picker, inside);
    let shown = offered.iter().enumerate().skip(first);
    for ((index, nick), y) in shown.zip(inside.y..inside.bottom()) {
        let mut style = state.theme.nick(&state.here().to, nick);
        if index == picker.chosen {
            style = style.add_modifier(Modifier::REVERSED);
        }
        let name = shortened(&word(nick), width);
        let name = format!("{name}{}", " ".repeat(width - columns(&name)));
        put(buffer, (inside.x, y), &name, width, style);
    }
}

/// The one that is offered at that position.
pub fn at(picker: &Picker, area: Rect, at: Position) -> Option<usize> {
    let inside = Block::bordered().inner(frame(picker, area));
    let index = first(picker, inside) + usize::from(at.y.checked_sub(inside.y)?);
    (inside.contains(at) && index < picker.offered().len()).then_some(index)
}

/// The box, in the middle of `area`.
fn frame(picker: &Picker, area: Rect) -> Rect {
    let rows = picker.people.len() + usize::from(picker.everyone);
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let width = WIDTH.min(area.width);
    let height = rows
        .saturating_add(2)
        .min(area.height)
        .max(3.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    Rect::new(x, y, width, height)
}

/// The first that is shown, so that the chosen one is among them.
fn first(picker: &Picker, inside: Rect) -> usize {
    (picker.chosen + 1).saturating_sub(usize::from(inside.height))
}
