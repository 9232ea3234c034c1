//! What the keys and the commands do.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::keys::{Action, BINDINGS};
use super::wrap;
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
    let lines = lines(usize::from(inside.width));
    let top = top.min(lines.len().saturating_sub(usize::from(inside.height)));
    for (line, y) in lines.iter().skip(top).zip(inside.y..inside.bottom()) {
        buffer.set_line(inside.x, y, line, inside.width);
    }
}

/// From how many columns on what a key does stands beside it, and where.
const BESIDE: usize = 60;
const COLUMN: usize = 29;

fn lines(width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let mut add = |keys: &str, does: &str| lines.extend(rows(keys, does, width));
    for (typed, does) in HELP.iter().chain(&MORE) {
        add(typed, does);
    }
    add("", "");
    for (action, _, keys, does) in BINDINGS {
        match action {
            Action::Go(0) => add("alt-1 … alt-9", "the first to the ninth conversation"),
            Action::Go(_) => {}
            _ => add(&keys.join(", "), does),
        }
    }
    add("", "");
    for (_, _, keys, does) in bindings::BINDINGS {
        add(&keys.join(", "), does);
    }
    lines
}

/// Beside each other, or one below the other where that would be too narrow.
fn rows(keys: &str, does: &str, width: usize) -> Vec<Line<'static>> {
    let keys = Span::styled(keys.to_owned(), Style::new().add_modifier(Modifier::BOLD));
    let indent = if width < BESIDE { 2 } else { COLUMN };
    let mut first = keys.content.len().max(1);
    let mut rows = vec![Line::from(keys)];
    for pieces in wrap::rows(does, width.saturating_sub(indent), 0, None) {
        let text: String = pieces.into_iter().map(|piece| piece.text).collect();
        if indent == COLUMN && first > 0 {
            let blanks = " ".repeat(indent.saturating_sub(first).max(1));
            rows[0].push_span(Span::raw(format!("{blanks}{text}")));
        } else if !text.is_empty() {
            rows.push(Line::raw(format!("{}{text}", " ".repeat(indent))));
        }
        first = 0;
    }
    rows
}
