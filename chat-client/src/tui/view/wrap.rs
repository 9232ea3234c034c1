//! Wraps a text into rows: words, links, code, mentions of the own nick.
//!
//! What comes from outside passes [`crate::text::escape`] here. A character is what a person sees
//! as one, and is as wide as it will be drawn.

use std::ops::Range;

use chat_proto::mention;
use chat_proto::name::fold;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::text::escape::word;
use crate::tui::width_quirks::cells;

/// What a tab becomes.
const TAB: &str = "    ";

/// Around a block of code.
const FENCE: &str = "```";

/// A part of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSpan {
    /// Safe to show.
    pub text: String,
    /// What it is.
    pub kind: SpanKind,
}

/// What a part of a text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpanKind {
    /// Words.
    Plain,
    /// Of a block of code, as it was typed.
    Code,
    /// The own nick.
    Me,
    /// Of a link that leads there.
    Link(String),
}

/// A row.
pub type WrappedRow = Vec<TextSpan>;

/// How many columns a text takes.
pub fn columns(text: &str) -> usize {
    text.graphemes(true).map(|c| usize::from(cells(c))).sum()
}

/// As much of the beginning of `text` as fits, with `…` where something is missing.
pub fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut room = width.saturating_sub(1);
    for c in text.graphemes(true) {
        let wide = usize::from(cells(c));
        if wide > room {
            break;
        }
        room -= wide;
        short.push_str(c);
    }
    if width > 0 {
        short.push('…');
    }
    short
}

/// `text` in rows of `width` columns, without what it is made of.
pub fn plain_rows(text: &str, width: usize) -> impl Iterator<Item = String> {
    let rows = rows(text, width, 0, None).into_iter();
    rows.map(|pieces| pieces.into_iter().map(|piece| piece.text).collect())
}

/// `text` in rows of `width` columns, the first of which begins `first` columns further on. Where
/// one's own nick is known, it is marked.
pub fn rows(text: &str, width: usize, first: usize, me: Option<&str>) -> Vec<WrappedRow> {
    let width = width.max(2);
    let mut filler = Filler {
        rows: vec![WrappedRow::new()],
        width,
        column: first.min(width),
        indent: first.min(width),
    };
    let mut code = false;
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            filler.next_row();
        }
        let line = word(&line.replace('\t', TAB));
        let fence = line.trim_start().starts_with(FENCE);
        if code || fence {
            filler.break_anywhere(&line, &SpanKind::Code);
            // A fence that ends on its own line encloses no lines.
            let closes = fence && line.trim_start()[FENCE.len()..].contains(FENCE);
            code ^= fence && !closes;
        } else {
            filler.words(&line, me);
        }
    }
    filler.rows
}

/// Fills rows.
struct Filler {
    rows: Vec<WrappedRow>,
    width: usize,
    column: usize,
    /// Columns of the first row that are taken.
    indent: usize,
}

impl Filler {
    fn next_row(&mut self) {
        self.rows.push(WrappedRow::new());
        self.column = 0;
        self.indent = 0;
    }

    /// A text that is put where it belongs by words.
    fn words(&mut self, line: &str, me: Option<&str>) {
        let marks = marks(line, me);
        let mut start = 0;
        for (end, _) in unicode_linebreak::linebreaks(line) {
            let inside = |(range, kind): &(Range<usize>, SpanKind)| {
                matches!(kind, SpanKind::Link(_)) && range.start < end && end < range.end
            };
            if marks.iter().any(inside) {
                continue;
            }
            // The slash of a command belongs to what is behind it, not to what is before it.
            let before = line[..end].strip_suffix('/');
            let command = before.filter(|before| before.is_empty() || before.ends_with(' '));
            let end = match command {
                Some(before) if end < line.len() => before.len(),
                _ => end,
            };
            if start < end {
                self.word(line, start..end, &marks);
                start = end;
            }
        }
    }

    /// A word with the blanks behind it.
    fn word(&mut self, line: &str, word: Range<usize>, marks: &[(Range<usize>, SpanKind)]) {
        let text = &line[word.clone()];
        let letters = text.trim_end_matches(' ');
        let wide = columns(letters);
        if self.column + wide > self.width && self.column > self.indent {
            self.next_row();
        }
        // A word that would fit on a row of its own is not broken behind a name either.
        if self.column + wide > self.width && wide <= self.width && self.indent > 0 {
            self.next_row();
        }
        let mut at = word.start;
        let end = word.start + letters.len();
        for (range, kind) in marks {
            let (from, to) = (range.start.max(at), range.end.min(end));
            if from < to {
                self.break_anywhere(&line[at..from], &SpanKind::Plain);
                self.break_anywhere(&line[from..to], kind);
                at = to;
            }
        }
        self.break_anywhere(&line[at..end], &SpanKind::Plain);
        let blanks = (text.len() - letters.len()).min(self.width.saturating_sub(self.column));
        self.break_anywhere(&" ".repeat(blanks), &SpanKind::Plain);
    }

    /// A text that goes on on the next row wherever one is full.
    fn break_anywhere(&mut self, text: &str, kind: &SpanKind) {
        let mut piece = String::new();
        for c in text.graphemes(true) {
            let wide = usize::from(cells(c));
            if self.column + wide > self.width {
                self.push(std::mem::take(&mut piece), kind);
                self.next_row();
            }
            piece.push_str(c);
            self.column += wide;
        }
        self.push(piece, kind);
    }

    fn push(&mut self, text: String, kind: &SpanKind) {
        let Some(row) = self.rows.last_mut().filter(|_| !text.is_empty()) else {
            return;
        };
        match row.last_mut() {
            Some(last) if last.kind == *kind => last.text.push_str(&text),
            _ => row.push(TextSpan {
                text,
                kind: kind.clone(),
            }),
        }
    }
}

/// Returns the links of a line and the mentions of the user outside of them, in order.
fn marks(line: &str, me: Option<&str>) -> Vec<(Range<usize>, SpanKind)> {
    let mut marks = Vec::new();
    let mut at = 0;
    for part in line.split(' ') {
        if let Some((link, url)) = link(part) {
            marks.push((at + link.start..at + link.end, SpanKind::Link(url)));
        }
        at += part.len() + 1;
    }
    let mut own = me.map_or_else(Vec::new, |me| own_places(line, me));
    own.retain(|own| {
        let apart = |link: &Range<usize>| link.end <= own.start || own.end <= link.start;
        marks.iter().all(|(link, _)| apart(link))
    });
    marks.extend(own.into_iter().map(|own| (own, SpanKind::Me)));
    marks.sort_by_key(|(range, _)| range.start);
    marks
}

/// Returns where a line mentions a nick. [`mention::places`] finds it in the folded line; the
/// characters of both lines are matched to find it in the line itself.
fn own_places(line: &str, me: &str) -> Vec<Range<usize>> {
    let (folded, me) = (fold(line), fold(me));
    let mut places = mention::places(&folded, &me).peekable();
    if places.peek().is_none() {
        return Vec::new();
    }
    // The offsets at which a character begins, in the folded line and in the line.
    let mut starts = vec![(0, 0)];
    let mut joined = String::with_capacity(folded.len());
    for (at, c) in line.grapheme_indices(true) {
        joined.push_str(&fold(c));
        starts.push((joined.len(), at + c.len()));
    }
    if joined != folded {
        return Vec::new();
    }
    // A place that begins inside of a character marks all of it.
    let begin = |at: usize| starts[starts.partition_point(|(folded, _)| *folded <= at) - 1].1;
    let end = |at: usize| starts[starts.partition_point(|(folded, _)| *folded < at)].1;
    places.map(|own| begin(own.start)..end(own.end)).collect()
}

/// Returns where in a word without blanks a link stands, and where it leads. A link is highlighted
/// as a whole or not at all: brackets around it and what ends a sentence do not belong to it.
fn link(part: &str) -> Option<(Range<usize>, String)> {
    let lower = part.to_ascii_lowercase();
    let start = ["https://", "http://"]
        .iter()
        .filter_map(|scheme| lower.find(scheme))
        .min()?;
    let url = &part[start..];
    let url = &url[..url.find(ends_link).unwrap_or(url.len())];
    let url = without_sentence(url);
    let target = target(url)?;
    Some((start..start + url.len(), target))
}

/// Returns whether a character is part of no link: blanks, and delimiters of text around it. A
/// backslash begins an escaped control character.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '"' | '<' | '>' | '\\' | '`' | '“' | '”' | '„' | '«' | '»' | '‹' | '›')
        // CJK punctuation and its full-width forms: no blank stands between it and a link.
        || matches!(c, '、' | '。' | '〈'..='】' | '〔'..='〛' | '！' | '（' | '）' | '，' | '：' | '；' | '？')
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Returns a link without the punctuation behind it. A closing bracket belongs to the link if the
/// opening one does.
fn without_sentence(mut url: &str) -> &str {
    const SENTENCE: [char; 14] = [
        '.', ',', ';', ':', '!', '?', '\'', '*', '…', '’', '‘', '।', '؟', '،',
    ];
    loop {
        let brackets = [('(', ')'), ('[', ']'), ('{', '}')];
        let unopened = brackets.into_iter().find_map(|(opens, closes)| {
            let closed = url.matches(closes).count() > url.matches(opens).count();
            url.strip_suffix(closes).filter(|_| closed)
        });
        match url.strip_suffix(SENTENCE).or(unopened) {
            Some(shorter) => url = shorter,
            None => return url,
        }
    }
}

/// Returns the address that a terminal opens: ASCII, with the host as the DNS knows it. A host that
/// imitates another in a different script therefore shows its real name there.
fn target(url: &str) -> Option<String> {
    let parsed = url::Url::parse(url).ok()?;
    parsed.host_str().filter(|host| !host.is_empty())?;
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '^' | '{' | '}' | '|');
    if url.chars().all(plain) {
        return Some(url.to_owned());
    }
    let target = String::from(parsed);
    target
        .bytes()
        .all(|byte| byte.is_ascii_graphic())
        .then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(rows: &[WrappedRow]) -> Vec<String> {
        let text = |row: &WrappedRow| row.iter().map(|piece| piece.text.as_str()).collect();
        rows.iter().map(text).collect()
    }

    fn wrapped(text: &str, width: usize) -> Vec<String> {
        let rows = texts(&rows(text, width, 0, None));
        for row in &rows {
            assert!(columns(row) <= width.max(2), "{row:?} in {width}");
        }
        rows.iter().map(|row| row.trim_end().to_owned()).collect()
    }

    #[test]
    fn where_a_text_is_broken() {
        for (text, width, want) in [
            ("", 10, vec![""]),
            ("hola", 10, vec!["hola"]),
            ("hola a todos", 10, vec!["hola a", "todos"]),
            ("hola  a   todos", 12, vec!["hola  a", "todos"]),
            ("one\ntwo\n\nfour", 10, vec!["one", "two", "", "four"]),
            ("abcdefghijklm", 5, vec!["abcde", "fghij", "klm"]),
            ("a abcdefghijklm", 5, vec!["a", "abcde", "fghij", "klm"]),
            ("0123456789 x", 10, vec!["0123456789", "x"]),
            (
                "type /query or/and /",
                10,
                vec!["type", "/query or/", "and /"],
            ),
            ("/query me", 3, vec!["/qu", "ery", "me"]),
            ("/query me", 6, vec!["/query", "me"]),
            ("/", 3, vec!["/"]),
            ("a / b", 3, vec!["a /", "b"]),
            ("// /x/y", 3, vec!["//", "/x/", "y"]),
            ("漢字漢字漢字", 5, vec!["漢字", "漢字", "漢字"]),
            (
                "a👨\u{200d}👩\u{200d}👧b",
                3,
                vec!["a👨\u{200d}👩\u{200d}👧", "b"],
            ),
            ("🇪🇸🇷🇺🇬🇧", 4, vec!["🇪🇸🇷🇺", "🇬🇧"]),
            (
                "e\u{301}e\u{301}e\u{301}",
                2,
                vec!["e\u{301}e\u{301}", "e\u{301}"],
            ),
            ("مرحبا بالعالم", 8, vec!["مرحبا", "بالعالم"]),
            ("x\ty", 10, vec!["x    y"]),
            ("\u{1b}[2J", 20, vec!["\\u{1b}[2J"]),
            ("a\u{202e}b\u{9b}", 20, vec!["a\\u{202e}b\\u{9b}"]),
            ("漢", 1, vec!["漢"]),
        ] {
            assert_eq!(wrapped(text, width), want, "{text:?} in {width}");
        }
    }

    #[test]
    fn how_wide_it_is() {
        for (text, want) in [
            ("hola", 4),
            ("漢字", 4),
            ("👋🏽", 2),
            ("👨\u{200d}👩\u{200d}👧", 2),
            ("❤\u{fe0f}", 2),
            ("🇪🇸", 2),
            ("e\u{301}", 1),
            ("مرحبا", 5),
            ("שלום", 4),
            ("한글", 4),
            ("می\u{200c}خواهم", 7),
        ] {
            assert_eq!(columns(text), want, "{text:?}");
        }
        assert_eq!(shortened("漢字漢字", 5), "漢字…");
        assert_eq!(shortened("漢字漢字", 4), "漢…");
        assert_eq!(
            (shortened("abc", 3), shortened("abc", 0)),
            ("abc".into(), String::new())
        );
    }

    #[test]
    fn behind_a_name() {
        let at = |text, first| texts(&rows(text, 10, first, None));
        assert_eq!(at("hola a todos", 6), ["hola", "a todos"]);
        assert_eq!(at("todos", 6), ["", "todos"]);
        assert_eq!(at("0123456789abc", 6), ["0123", "456789abc"]);
    }

    #[test]
    fn code_is_kept() {
        let text =
            "see\n```rust\nfn  main() {\n    let very_long = 1;\n}\n``` and\nmore words here";
        assert_eq!(
            texts(&rows(text, 14, 0, None)),
            [
                "see",
                "```rust",
                "fn  main() {",
                "    let very_l",
                "ong = 1;",
                "}",
                "``` and",
                "more words ",
                "here"
            ]
        );
        let kinds: Vec<SpanKind> = rows(text, 14, 0, None)
            .iter()
            .map(|row| row[0].kind.clone())
            .collect();
        assert_eq!(kinds[2], SpanKind::Code);
        assert_eq!((&kinds[0], &kinds[7]), (&SpanKind::Plain, &SpanKind::Plain));
    }

    #[test]
    fn links_are_whole() {
        for (text, want) in [
            (
                "see https://example.org/a?b=c#d.",
                Some("https://example.org/a?b=c#d"),
            ),
            (
                "(https://example.org/a_(b))",
                Some("https://example.org/a_(b)"),
            ),
            ("<http://example.org>,", Some("http://example.org")),
            ("https://", None),
            ("ftp://example.org", None),
            ("https://evil\u{1b}]8;;x", Some("https://evil")),
            ("https://пример.рф/", Some("https://xn--e1afmkfd.xn--p1ai/")),
            // Issue 15, row 30.
            (
                "see https://es.wikipedia.org/wiki/España.",
                Some("https://es.wikipedia.org/wiki/Espa%C3%B1a"),
            ),
            (
                "https://münchen.example/a",
                Some("https://xn--mnchen-3ya.example/a"),
            ),
            (
                "(https://en.wikipedia.org/wiki/Michelson–Morley_(1887))…",
                Some("https://en.wikipedia.org/wiki/Michelson%E2%80%93Morley_(1887)"),
            ),
            (
                "https://a.example/L’Oréal’",
                Some("https://a.example/L%E2%80%99Or%C3%A9al"),
            ),
            (
                "见https://例子.example/路径。",
                Some("https://xn--fsqu00a.example/%E8%B7%AF%E5%BE%84"),
            ),
            ("「https://a.example/x」", Some("https://a.example/x")),
            ("https://a.example/[1]", Some("https://a.example/[1]")),
            ("[https://a.example/1]", Some("https://a.example/1")),
            ("https://a.example/{x}", Some("https://a.example/%7Bx%7D")),
            ("HTTPS://A.example/x", Some("HTTPS://A.example/x")),
            ("https://ex|ample.org/", None),
            ("https://a.example:99999/x", None),
            // Cyrillic letters that look like `apple`.
            ("https://аррӏе.com/", Some("https://xn--80ak6aa92e.com/")),
        ] {
            let found = rows(text, 80, 0, None)
                .concat()
                .into_iter()
                .find_map(|piece| match piece.kind {
                    SpanKind::Link(url) => Some(url),
                    SpanKind::Plain | SpanKind::Code | SpanKind::Me => None,
                });
            assert_eq!(found.as_deref(), want, "{text:?}");
        }
        // All of it is highlighted.
        let pieces = rows("¡https://es.wikipedia.org/wiki/España!", 80, 0, None).concat();
        let parts: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert_eq!(parts, ["¡", "https://es.wikipedia.org/wiki/España", "!"]);
        // Not broken at its own marks, and each part of a long one leads to all of it.
        let rows = rows("see http://a.org/b-c/d ok", 16, 0, None);
        assert_eq!(texts(&rows), ["see ", "http://a.org/b-c", "/d ok"]);
        let url = "http://a.org/b-c/d".to_owned();
        assert_eq!(rows[1][0].kind, SpanKind::Link(url.clone()));
        assert_eq!(rows[2][0].kind, SpanKind::Link(url));
    }

    #[test]
    fn ones_own_name_is_marked() {
        for (text, marked) in [
            ("ana: hola", true),
            ("hola @Ana!", true),
            ("¿ANA?", true),
            ("mañana", false),
            ("banana ana2", false),
        ] {
            let rows = rows(text, 80, 0, Some("ana"));
            assert_eq!(
                rows[0].iter().any(|piece| piece.kind == SpanKind::Me),
                marked,
                "{text:?}"
            );
        }
    }

    /// Issue 15, row 34: marks the mentions that count as such, and only them.
    #[test]
    fn mentions_are_marked_by_the_rule_of_the_protocol() {
        let table = include_str!("../../../../chat-proto/tests/mentions.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(table).unwrap();
        for case in cases {
            let (nick, text) = (
                case["nick"].as_str().unwrap(),
                case["text"].as_str().unwrap(),
            );
            // Invisible characters are shown escaped, as letters.
            if text.contains(['\u{200b}', '\t', '\n']) {
                continue;
            }
            let pieces = rows(text, 80, 0, Some(nick)).concat();
            let own = pieces.iter().find(|piece| piece.kind == SpanKind::Me);
            let want = case["mention"] == true && !text.contains("://");
            assert_eq!(own.is_some(), want, "{case}");
            if let Some(own) = own {
                assert!(fold(&own.text).starts_with(&*fold(nick)), "{case}");
            }
        }
        let marked = |text: &str| -> Vec<String> {
            let pieces = rows(text, 80, 0, Some("Straße")).concat().into_iter();
            let own = pieces.filter(|piece| piece.kind == SpanKind::Me);
            own.map(|piece| piece.text).collect()
        };
        assert_eq!(marked("é STRASSE,@straße"), ["STRASSE", "straße"]);
    }

    #[test]
    fn nothing_from_outside_drives_the_terminal() {
        let all: String = (0..=0x10ffffu32).filter_map(char::from_u32).collect();
        for row in rows(&all, 80, 0, Some("x")) {
            for piece in row {
                assert!(!piece.text.contains(crate::text::escape::is_escaped));
            }
        }
    }
}
