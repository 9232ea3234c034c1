//! What the keys and the commands do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::keys::{Action, BINDINGS};
use crate::entry::bindings;
use crate::input::HELP;

/// What only the full screen knows.
const MORE: [(&str, &str); 1] = [("End", "to the newest message, where nothing is typed")];

/// Draws it over the whole screen, from the row `top` on.
pub fn draw(top: usize, area: Rect, buffer: &mut Buffer) {
    Clear.render(area, buffer);
    let block = Block::bordered()
        .title(" Help ")
        .title_bottom(" ↑ ↓ scroll · any other key closes ");
    let inside = block.inner(area);
    block.render(area, buffer);
    let lines = lines();
    let top = top.min(lines.len().saturating_sub(usize::from(inside.height)));
    for (line, y) in lines.iter().skip(top).zip(inside.y..inside.bottom()) {
        buffer.set_line(inside.x, y, line, inside.width);
    }
}

fn lines() -> Vec<Line<'static>> {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let row = |keys: &str, does: &'static str| {
        Line::from(vec![
            Span::styled(format!("{keys:<28} "), bold),
            Span::raw(does),
        ])
    };
    let mut lines: Vec<Line<'static>> = HELP
        .iter()
        .chain(&MORE)
        .map(|(typed, does)| row(typed, does))
        .collect();
    lines.push(Line::raw(""));
    for (action, _, keys, does) in BINDINGS {
        match action {
            Action::Go(0) => {
                lines.push(row("alt-1 … alt-9", "the first to the ninth conversation"))
            }
            Action::Go(_) => {}
            _ => lines.push(row(&keys.join(", "), does)),
        }
    }
    lines.push(Line::raw(""));
    lines.extend(
        bindings::BINDINGS
            .iter()
            .map(|(_, _, keys, does)| row(&keys.join(", "), does)),
    );
    lines
}
