//! Characters that terminals do not agree on: one says that a flag, a family or a waving hand with its skin
//! takes two columns, another counts each part of it. What such a terminal has put into the columns behind
//! would stay there, so a row with one is always written whole, and once more when it is gone.

use ratatui::buffer::{Buffer, Cell, CellDiffOption, CellWidth as _};

/// Has the rows written whole that need it: those that have such a character, and, as the cells that
/// stood there are never like others, those that had one when they were last drawn.
pub fn write_whole(buffer: &mut Buffer) {
    let area = buffer.area;
    // A link has its own way.
    let is_plain = |cell: &Cell| cell.diff_option == CellDiffOption::None;
    for y in area.top()..area.bottom() {
        let columns = area.left()..area.right();
        let disputed = |x| is_plain(&buffer[(x, y)]) && is_disputed(buffer[(x, y)].symbol());
        if !columns.clone().any(disputed) {
            continue;
        }
        for x in columns {
            if is_plain(&buffer[(x, y)]) {
                buffer[(x, y)].set_diff_option(CellDiffOption::AlwaysUpdate);
            }
        }
    }
}

/// Its parts are not as wide as the whole, or are a flag's, whose width by themselves is anybody's guess.
fn is_disputed(symbol: &str) -> bool {
    if symbol.chars().nth(1).is_none() {
        return false;
    }
    let width = |c: char| c.encode_utf8(&mut [0; 4]).cell_width();
    let parts: u16 = symbol.chars().map(width).sum();
    let flag = '\u{1f1e6}'..='\u{1f1ff}';
    parts != symbol.cell_width() || symbol.contains(|c| flag.contains(&c))
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    #[test]
    fn what_is_disputed() {
        for symbol in ["🇪🇸", "👋🏽", "👨\u{200d}👩\u{200d}👧", "❤\u{fe0f}"] {
            assert!(is_disputed(symbol), "{symbol}");
        }
        for symbol in ["", "a", "ñ", "漢", "👋", "e\u{301}", "и\u{306}"] {
            assert!(!is_disputed(symbol), "{symbol}");
        }
    }

    #[test]
    fn a_row_is_written_whole_until_it_was_without_once() {
        let mut before = Buffer::empty(Rect::new(0, 0, 5, 2));
        let mut written = |text: &str| -> Vec<u16> {
            let mut now = Buffer::empty(before.area);
            now.set_string(0, 1, text, Style::new());
            write_whole(&mut now);
            let cells = before.diff_iter(&now).map(|(x, ..)| x).collect();
            before = now;
            cells
        };
        assert_eq!(written("a"), [0]);
        assert_eq!(written("a👋🏽"), [0, 1, 3, 4]);
        assert_eq!(written("a👋🏽"), [0, 1, 3, 4]);
        assert_eq!(written("a"), [0, 1, 2, 3, 4]);
        assert!(written("a").is_empty());
    }
}
