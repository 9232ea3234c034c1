//! The rows of an entry: where a text wraps, where its cursor is, and how it is shown. Pure.
//!
//! A text wraps at what one sees as one character, as a shell's line does; what must not reach a
//! terminal, or would not be seen on it, is written out (`\u{1b}`).

use std::borrow::Cow;
use std::ops::Range;

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;

use super::completion::Candidate;
use crate::text::escape::is_escaped;
use crate::tui::width_quirks::cells;

/// What is not what was typed: characters that are written out, notes.
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);

/// What a tab looks like.
const TAB: &str = "    ";

/// How a text is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextLayout {
    /// In columns, at least one.
    pub(super) width: usize,
    /// A password: how much there is, but not what.
    pub(super) masked: bool,
}

impl TextLayout {
    /// What `cluster` looks like, and whether that is itself.
    fn shown(self, cluster: &str) -> (Cow<'_, str>, bool) {
        if self.masked {
            return (Cow::Borrowed("•"), true);
        }
        if cluster == "\t" {
            return (Cow::Borrowed(TAB), true);
        }
        if cluster.chars().any(is_escaped) || cells(cluster) == 0 {
            let written = cluster.chars().flat_map(char::escape_unicode).collect();
            return (Cow::Owned(written), false);
        }
        (Cow::Borrowed(cluster), true)
    }

    fn columns(self, cluster: &str) -> usize {
        columns(&self.shown(cluster).0)
    }

    /// The parts of `text` that are a row each. A cursor behind the last column of a row is at the
    /// beginning of one of its own.
    pub(super) fn rows(self, text: &str, cursor: usize) -> Vec<Range<usize>> {
        let (mut rows, mut start, mut filled) = (Vec::new(), 0, 0);
        let clusters = text.grapheme_indices(true);
        for (at, cluster) in clusters.chain([(text.len(), "\n")]) {
            if is_end(cluster) {
                rows.push(start..at);
                if filled >= self.width && cursor == at {
                    rows.push(at..at);
                }
                (start, filled) = (at + cluster.len(), 0);
                continue;
            }
            let columns = self.columns(cluster);
            if filled > 0 && filled + columns > self.width {
                rows.push(start..at);
                (start, filled) = (at, 0);
            }
            filled += columns;
        }
        rows
    }

    /// The row and the column of `cursor`.
    pub(super) fn place(self, text: &str, rows: &[Range<usize>], cursor: usize) -> (usize, usize) {
        let row = rows.partition_point(|row| row.start <= cursor).max(1) - 1;
        let before = text[rows[row].start..cursor].graphemes(true);
        let column: usize = before.map(|cluster| self.columns(cluster)).sum();
        (row, column.min(self.width - 1))
    }

    /// The place in `row` that is nearest to `column` and not behind it.
    pub(super) fn at_column(self, text: &str, row: &Range<usize>, column: usize) -> usize {
        let mut filled = 0;
        for (at, cluster) in text[row.clone()].grapheme_indices(true) {
            filled += self.columns(cluster);
            if filled > column {
                return row.start + at;
            }
        }
        row.end
    }

    /// A row as it is drawn.
    pub(super) fn line(self, row: &str) -> Line<'static> {
        let mut spans: Vec<Span<'static>> = Vec::new();
        let mut plain = String::new();
        for cluster in row.graphemes(true) {
            let (shown, itself) = self.shown(cluster);
            if itself {
                plain += &shown;
                continue;
            }
            if !plain.is_empty() {
                spans.push(std::mem::take(&mut plain).into());
            }
            spans.push(Span::styled(shown.into_owned(), FAINT));
        }
        if !plain.is_empty() || spans.is_empty() {
            spans.push(plain.into());
        }
        Line::from(spans)
    }

    /// A remark, as much of it as there is room for.
    pub(super) fn note(self, words: &str) -> Line<'static> {
        let mut shown = String::new();
        let mut room = self.width;
        for cluster in words.graphemes(true) {
            let columns = self.columns(cluster);
            if columns > room {
                break;
            }
            room -= columns;
            shown += &self.shown(cluster).0;
        }
        Line::styled(shown, FAINT)
    }

    /// The names that Tab goes through, with the chosen one among them.
    pub(super) fn choice(self, found: &[Candidate], chosen: usize) -> Line<'static> {
        let wide = |candidate: &Candidate| columns(&candidate.label) + 2;
        let mut first = chosen;
        let mut filled = wide(&found[chosen]);
        while first > 0 && filled + wide(&found[first - 1]) <= self.width / 2 {
            first -= 1;
            filled += wide(&found[first]);
        }
        let mut line = Line::default();
        let mut room = self.width;
        for (index, candidate) in found.iter().enumerate().skip(first) {
            let gap = if index == first { "" } else { "  " };
            let needed = columns(&candidate.label) + gap.len();
            if needed > room {
                break;
            }
            let style = if index == chosen {
                Style::new().add_modifier(Modifier::REVERSED)
            } else {
                FAINT
            };
            line.push_span(gap);
            line.push_span(Span::styled(candidate.label.clone(), style));
            room -= needed;
        }
        line
    }
}

/// Whether a line ends with it.
pub(super) fn is_end(cluster: &str) -> bool {
    matches!(cluster, "\n" | "\r\n")
}

fn columns(shown: &str) -> usize {
    let clusters = shown.graphemes(true);
    clusters.map(|cluster| usize::from(cells(cluster))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOOK: TextLayout = TextLayout {
        width: 6,
        masked: false,
    };

    /// The rows of a text with `|` where its cursor is, and where that is shown.
    fn laid_out(look: TextLayout, marked: &str) -> (Vec<String>, (usize, usize)) {
        let cursor = marked.find('|').unwrap();
        let text = marked.replace('|', "");
        let rows = look.rows(&text, cursor);
        let place = look.place(&text, &rows, cursor);
        let lines = rows
            .iter()
            .map(|row| look.line(&text[row.clone()]).to_string());
        (lines.collect(), place)
    }

    #[test]
    fn where_a_text_wraps() {
        for (text, rows, place) in [
            ("|", vec![""], (0, 0)),
            ("hola|", vec!["hola"], (0, 4)),
            ("hola, ana|", vec!["hola, ", "ana"], (1, 3)),
            // A full row: its end is the beginning of the next.
            ("123456|", vec!["123456", ""], (1, 0)),
            ("|123456", vec!["123456"], (0, 0)),
            ("123456|7", vec!["123456", "7"], (1, 0)),
            ("123456|\n7", vec!["123456", "", "7"], (1, 0)),
            ("123456\n|7", vec!["123456", "7"], (1, 0)),
            ("a\n\n|", vec!["a", "", ""], (2, 0)),
            // Two columns each, so that the last one of the row stays empty.
            ("a漢字漢|", vec!["a漢字", "漢"], (1, 2)),
            ("漢字漢|", vec!["漢字漢", ""], (1, 0)),
            // One character each, of several code points.
            ("e\u{301}e\u{301}|x", vec!["e\u{301}e\u{301}x"], (0, 2)),
            (
                "👨\u{200d}👩\u{200d}👧|🇪🇸x",
                vec!["👨\u{200d}👩\u{200d}👧🇪🇸x"],
                (0, 2),
            ),
            ("مرحبا|", vec!["مرحبا"], (0, 5)),
            ("a\tb|", vec!["a    b", ""], (1, 0)),
            // Written out, and never itself.
            ("\u{1b}|", vec!["\\u{1b}", ""], (1, 0)),
            ("\u{301}|", vec!["\\u{301}", ""], (1, 0)),
        ] {
            let want = rows.iter().map(|row| (*row).to_owned()).collect();
            assert_eq!(laid_out(LOOK, text), (want, place), "{text:?}");
        }
        let masked = TextLayout {
            masked: true,
            ..LOOK
        };
        assert_eq!(
            laid_out(masked, "漢e\u{301} s|x"),
            (vec!["•••••".to_owned()], (0, 4))
        );
    }

    #[test]
    fn the_choice_is_always_shown() {
        let found: Vec<_> = ["ana", "andrés", "antonio", "antonia"]
            .map(Candidate::labelled)
            .into();
        let look = TextLayout {
            width: 20,
            masked: false,
        };
        for chosen in 0..found.len() {
            let line = look.choice(&found, chosen);
            let reversed = |span: &&Span<'_>| span.style.add_modifier == Modifier::REVERSED;
            let shown = line.spans.iter().find(reversed).unwrap();
            assert_eq!(shown.content, found[chosen].label);
            assert!(line.to_string().trim_end().chars().count() <= 20, "{line}");
        }
    }
}
