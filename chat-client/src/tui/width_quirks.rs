//! Characters that terminals do not agree on: one says that a flag, a family or a waving hand with
//! its skin takes two columns, another counts each part of it. What such a terminal has put into
//! the columns behind would stay there, so a row with one is always written whole, and once more
//! when it is gone.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, Cell, CellDiffOption, CellWidth as _};
use ratatui::style::Style;
use ratatui::text::Line;
use unicode_segmentation::UnicodeSegmentation as _;

/// Spacing marks (Mc) that extend the character before them (Grapheme_Extend). A terminal gives
/// each a column of its own.
const SPACING: &[char] = &[
    '\u{9be}',
    '\u{9d7}',
    '\u{b3e}',
    '\u{b57}',
    '\u{bbe}',
    '\u{bd7}',
    '\u{cc0}',
    '\u{cc2}',
    '\u{cc7}',
    '\u{cc8}',
    '\u{cca}',
    '\u{ccb}',
    '\u{cd5}',
    '\u{cd6}',
    '\u{d3e}',
    '\u{d57}',
    '\u{dcf}',
    '\u{ddf}',
    '\u{1b35}',
    '\u{1b3b}',
    '\u{1b3d}',
    '\u{1b43}',
    '\u{1b44}',
    '\u{1baa}',
    '\u{1bf2}',
    '\u{1bf3}',
    '\u{a953}',
    '\u{a9c0}',
    '\u{111c0}',
    '\u{11235}',
    '\u{1133e}',
    '\u{1134d}',
    '\u{11357}',
    '\u{114b0}',
    '\u{114bd}',
    '\u{115af}',
    '\u{116b6}',
    '\u{11930}',
    '\u{1193d}',
];

/// Returns how many columns a character (a grapheme cluster) takes in xterm and tmux. ratatui
/// counts a half-width voiced mark twice, and such spacing marks not at all.
pub fn cells(c: &str) -> u16 {
    let wide = c.cell_width();
    if c.is_ascii() {
        return wide;
    }
    let twice = c
        .chars()
        .filter(|c| matches!(c, '\u{ff9e}' | '\u{ff9f}'))
        .count();
    let none = |c: &char| SPACING.contains(c) && c.encode_utf8(&mut [0; 4]).cell_width() == 0;
    let spacing = c.chars().filter(none).count();
    let columns = usize::from(wide) + spacing - twice.min(usize::from(wide));
    u16::try_from(columns).unwrap_or(u16::MAX)
}

/// Draws as much of a text as fits into `most` columns, each character as wide as [`cells`] tells;
/// returns the column behind it.
pub fn put(buffer: &mut Buffer, (x, y): (u16, u16), text: &str, most: usize, style: Style) -> u16 {
    let most = u16::try_from(most).unwrap_or(u16::MAX);
    let right = x.saturating_add(most).min(buffer.area.right());
    let mut x = x;
    for c in text.graphemes(true) {
        let wide = cells(c);
        if wide == 0 {
            continue;
        }
        if x.saturating_add(wide) > right {
            break;
        }
        let cell = &mut buffer[(x, y)];
        cell.set_symbol(c).set_style(style);
        cell.set_diff_option(CellDiffOption::None);
        if let Some(forced) = NonZeroU16::new(wide).filter(|_| wide != c.cell_width()) {
            cell.set_diff_option(CellDiffOption::ForcedWidth(forced));
        }
        for behind in x + 1..x + wide {
            buffer[(behind, y)].reset();
        }
        x += wide;
    }
    x
}

/// Draws a line like [`put`]; returns the column behind it.
pub fn put_line(buffer: &mut Buffer, (x, y): (u16, u16), line: &Line<'_>, most: u16) -> u16 {
    let right = x.saturating_add(most);
    let mut at = x;
    for span in &line.spans {
        let room = usize::from(right.saturating_sub(at));
        at = put(
            buffer,
            (at, y),
            &span.content,
            room,
            line.style.patch(span.style),
        );
    }
    at
}

/// Has the rows written whole that need it: those that have such a character, and, as the cells
/// that stood there are never like others, those that had one when they were last drawn.
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

/// Its parts are not as wide as the whole, or it is a flag, whose parts have no defined width.
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

    /// Issue 15, row 28: the widths that tmux and xterm report.
    #[test]
    fn as_wide_as_terminals_draw_it() {
        for (text, want) in [
            ("ทำ", 2),
            ("น้ำ", 2),
            ("ນ້ຳ", 2),
            ("ﾎﾟ", 2),
            ("ﾊﾞ", 2),
            ("ﾞ", 1),
            ("ﾎﾟﾃﾄ", 4),
            ("が", 2),
            ("नि", 2),
            ("क्षि", 3),
            ("தி", 2),
            ("மொ", 2),
            ("বা", 2),
            ("বাংলা", 5),
            ("한", 2),
            ("👨\u{200d}👩\u{200d}👧", 2),
            ("e\u{301}", 1),
        ] {
            let columns: u16 = text.graphemes(true).map(cells).sum();
            assert_eq!(columns, want, "{text}");
            let mut buffer = Buffer::empty(Rect::new(0, 0, 9, 1));
            let end = put(&mut buffer, (0, 0), &format!("{text}|"), 9, Style::new());
            assert_eq!((end, buffer[(want, 0)].symbol()), (want + 1, "|"), "{text}");
            // Nothing but the text reaches the terminal, and each part at its column.
            let empty = Buffer::empty(buffer.area);
            let drawn: String = empty
                .diff_iter(&buffer)
                .map(|(.., cell)| cell.symbol())
                .collect();
            assert_eq!(drawn, format!("{text}|"), "{text}");
        }
    }

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
