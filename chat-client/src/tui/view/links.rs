//! Links that the terminal can open, also where one is broken over rows (OSC 8).

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Position;
use ratatui::text::Line;

use super::wrap::columns;

/// Stands in cells that the terminal never sees, as the cell before them covers theirs. Whatever is
/// drawn there next is another text, and so is drawn.
const COVERED: &str = "\u{200b}";

/// Makes links of those spans of a line that was drawn at `at`, up to the column `right`: the first
/// cell of each has all of it, with the sequences around it.
pub fn apply(
    line: &Line<'_>,
    links: &[(usize, String)],
    at: Position,
    right: u16,
    buffer: &mut Buffer,
) {
    for (index, url) in links {
        let before: usize = line.spans[..*index]
            .iter()
            .map(|span| columns(&span.content))
            .sum();
        let text = &line.spans[*index].content;
        let wide = columns(text);
        let end = usize::from(at.x) + before + wide;
        let (Ok(x), Ok(wide)) = (
            u16::try_from(usize::from(at.x) + before),
            u16::try_from(wide),
        ) else {
            continue;
        };
        let Some(width) = NonZeroU16::new(wide).filter(|_| end <= usize::from(right)) else {
            continue;
        };
        for x in x + 1..x + wide {
            buffer[(x, at.y)].set_symbol(COVERED);
        }
        buffer[(x, at.y)]
            .set_symbol(&format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\"))
            .set_diff_option(CellDiffOption::ForcedWidth(width));
    }
}
