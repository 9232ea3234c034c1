//! The messages of a conversation as rows: only those that are looked at are ever laid out.

use chat_proto::name::fold;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

use super::wrap::{self, SpanKind, TextSpan, columns, shortened};
use crate::keys::Keymap;
use crate::keys::actions::Action;
use crate::text::escape::word;
use crate::tui::state::TuiState;
use crate::tui::state::conversation::{ConversationState, Older, ScrollPosition, matches};
use crate::tui::state::timeline::{LineKind, MembershipSummary, NameSample, TimelineLine};
use crate::tui::theme::Theme;

/// `18:50 `
const TIME: usize = 6;

/// A row of the screen.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MessageRow {
    /// What stands there.
    pub spans: Vec<Span<'static>>,
    /// Links in it: the span, and where it leads.
    pub links: Vec<(usize, String)>,
    /// What the whole row looks like, behind its end too.
    pub style: Style,
    /// Separates messages and is none itself.
    pub is_rule: bool,
}

/// What rows are made for.
#[derive(Debug, Clone, Copy)]
pub struct MessageLayout<'a> {
    /// How things look.
    pub theme: &'a Theme,
    /// What keys do.
    pub keys: &'a Keymap<Action>,
    /// The conversation.
    pub here: &'a str,
    /// The own nick.
    pub me: &'a str,
    /// What was searched for, folded.
    pub search: Option<&'a str>,
    /// The columns there are.
    pub width: usize,
}

impl TuiState {
    /// What rows of messages are made for.
    pub fn canvas(&self) -> MessageLayout<'_> {
        MessageLayout {
            theme: &self.theme,
            keys: &self.keys,
            here: &self.here().to,
            me: &self.me,
            search: self.search.as_deref(),
            width: usize::from(self.areas().messages.width),
        }
    }
}

impl MessageLayout<'_> {
    /// The rows that are seen, from the top.
    pub fn visible(&self, conversation: &ConversationState, height: usize) -> Vec<MessageRow> {
        let mut rows = Vec::new();
        let mut hidden = 0;
        let mut place = conversation.lines.places().end;
        match conversation.view {
            ScrollPosition::End => {
                for waiting in conversation.waiting.iter().rev() {
                    self.prepend(&mut rows, self.waiting(&waiting.text), 0);
                    if rows.len() >= height {
                        break;
                    }
                }
            }
            ScrollPosition::At(spot) => (place, hidden) = (spot.place + 1, spot.hidden),
        }
        while rows.len() < height && place > conversation.lines.places().start {
            place -= 1;
            self.prepend(&mut rows, self.block(conversation, place), hidden);
            hidden = 0;
        }
        if conversation.lines.is_empty() && conversation.older == Older::Nothing {
            rows.push(self.beginning(conversation));
        }
        // They were put there from the bottom up.
        rows.truncate(height);
        rows.reverse();
        rows
    }

    fn prepend(&self, rows: &mut Vec<MessageRow>, block: Vec<MessageRow>, hidden: usize) {
        rows.extend(block.into_iter().rev().skip(hidden));
    }

    /// The rows of a line with what stands above it.
    pub fn block(&self, conversation: &ConversationState, place: u64) -> Vec<MessageRow> {
        let lines = &conversation.lines;
        let Some(line) = lines.get(place) else {
            return Vec::new();
        };
        let before = place.checked_sub(1).and_then(|before| lines.get(before));
        let mut rows = Vec::new();
        if before.is_none() && conversation.older == Older::Nothing {
            rows.push(self.beginning(conversation));
        }
        if before.is_none_or(|before| !self.theme.same_day(before.time, line.time)) {
            rows.push(self.rule(&self.theme.day(line.time), self.dim()));
        }
        if let Some(left_at) = conversation.left_at
            && line.seq > left_at
            && before.is_none_or(|before| before.seq <= left_at)
        {
            let style = self
                .theme
                .depth
                .colour(Color::Red)
                .add_modifier(Modifier::BOLD);
            rows.push(self.rule("unread", style));
        }
        rows.extend(self.line(line));
        rows
    }

    fn beginning(&self, conversation: &ConversationState) -> MessageRow {
        let text = format!("the beginning of {}", word(&conversation.to));
        self.rule(&text, self.dim())
    }

    fn line(&self, line: &TimelineLine) -> Vec<MessageRow> {
        let red = self.theme.depth.colour(Color::Red);
        match &line.what {
            LineKind::Said {
                from,
                text,
                mention,
            } => {
                let mut rows = self.said(from, text, *mention, Some(line), Style::new());
                if self.search.is_some_and(|wanted| matches(text, wanted)) {
                    for row in &mut rows {
                        row.style = row.style.add_modifier(Modifier::UNDERLINED);
                    }
                }
                rows
            }
            LineKind::Failed(failed) => {
                let mut rows = self.said(self.me, &failed.text, false, Some(line), self.dim());
                let again = self.keys.spoken(Action::Again);
                let again = again.map_or(String::new(), |key| format!(" · {key} sends it again"));
                let why = format!("✗ {}{again}", failed.reason);
                rows.extend(self.remark(&why, red.add_modifier(Modifier::BOLD), line));
                rows
            }
            LineKind::Moved(moved) => self.remark(&moved_in_words(moved), self.dim(), line),
            LineKind::Notice(text) => self.remark(text, Style::new(), line),
            LineKind::Error(text) => self.remark(text, red, line),
            LineKind::Gap(_) => {
                let yellow = self.theme.depth.colour(Color::Yellow);
                let fetch = self.keys.spoken(Action::PageUp);
                let fetch = fetch.map_or(String::new(), |key| format!(": {key} fetches them"));
                vec![self.rule(&format!("messages are missing here{fetch}"), yellow)]
            }
        }
    }

    /// What one said and is not recorded.
    fn waiting(&self, text: &str) -> Vec<MessageRow> {
        let mut rows = self.said(self.me, text, false, None, self.dim());
        if let Some(row) = rows.last_mut() {
            row.spans.push(Span::styled(
                " ⋯ waiting",
                self.dim().add_modifier(Modifier::ITALIC),
            ));
        }
        rows
    }

    /// A message: the name in a column of its own where there is room for one.
    fn said(
        &self,
        from: &str,
        text: &str,
        mention: bool,
        line: Option<&TimelineLine>,
        style: Style,
    ) -> Vec<MessageRow> {
        let time = if self.theme.times { TIME } else { 0 };
        let gutter = self.gutter();
        let indent = time + gutter + 1;
        let name = shortened(&word(from), self.width.saturating_sub(time + 2));
        let wide = columns(&name);
        let first = wide.saturating_sub(gutter);
        let mine = fold(from) == fold(self.me);
        let named = match () {
            () if mine => Style::new().add_modifier(Modifier::BOLD),
            () if mention => self
                .theme
                .nick(self.here, from)
                .add_modifier(Modifier::REVERSED),
            () => self.theme.nick(self.here, from),
        };
        let marked = (!mine).then_some(self.me);
        let wrapped = wrap::rows(text, self.width.saturating_sub(indent), first, marked);
        let mut rows = Vec::with_capacity(wrapped.len());
        for (index, pieces) in wrapped.into_iter().enumerate() {
            let mut row = MessageRow::default();
            if index == 0 {
                if self.theme.times {
                    row.spans.push(Span::styled(self.time(line), self.dim()));
                }
                row.spans
                    .push(Span::raw(" ".repeat(gutter.saturating_sub(wide))));
                row.spans.push(Span::styled(name.clone(), named));
                row.spans.push(Span::raw(" "));
            } else {
                row.spans.push(Span::raw(" ".repeat(indent)));
            }
            for piece in pieces {
                self.piece(&mut row, piece, style);
            }
            rows.push(row);
        }
        rows
    }

    fn piece(&self, row: &mut MessageRow, piece: TextSpan, style: Style) {
        let style = match piece.kind {
            SpanKind::Plain => style,
            SpanKind::Code => style.patch(self.theme.depth.colour(Color::Cyan)),
            SpanKind::Me => style.add_modifier(Modifier::BOLD | Modifier::REVERSED),
            SpanKind::Link(url) => {
                row.links.push((row.spans.len(), url));
                style.add_modifier(Modifier::UNDERLINED)
            }
        };
        row.spans.push(Span::styled(piece.text, style));
    }

    /// What is no message, in the column of the messages.
    fn remark(&self, text: &str, style: Style, line: &TimelineLine) -> Vec<MessageRow> {
        let time = if self.theme.times { TIME } else { 0 };
        let indent = time + self.gutter() + 1;
        let wrapped = wrap::rows(text, self.width.saturating_sub(indent), 0, None);
        let mut rows = Vec::with_capacity(wrapped.len());
        for (index, pieces) in wrapped.into_iter().enumerate() {
            let mut row = MessageRow::default();
            let mark = if index == 0 { "*" } else { "" };
            if index == 0 && self.theme.times {
                row.spans
                    .push(Span::styled(self.time(Some(line)), self.dim()));
                let mark = format!("{mark:>width$} ", width = self.gutter());
                row.spans.push(Span::styled(mark, self.dim()));
            } else {
                let mark = format!("{mark:>width$} ", width = indent - 1);
                row.spans.push(Span::styled(mark, self.dim()));
            }
            for piece in pieces {
                self.piece(&mut row, piece, style);
            }
            rows.push(row);
        }
        rows
    }

    /// `── text ──`, over the whole width.
    fn rule(&self, text: &str, style: Style) -> MessageRow {
        let text = shortened(text, self.width.saturating_sub(6));
        let around = self.width.saturating_sub(columns(&text) + 2);
        let left = "─".repeat(around / 2);
        let right = "─".repeat(around - around / 2);
        MessageRow {
            spans: vec![Span::styled(format!("{left} {text} {right}"), style)],
            is_rule: true,
            ..MessageRow::default()
        }
    }

    fn time(&self, line: Option<&TimelineLine>) -> String {
        match line {
            Some(line) => format!("{} ", self.theme.clock(line.time)),
            None => " ".repeat(TIME),
        }
    }

    /// The columns for names; none on a narrow screen, where the text follows the name at once.
    fn gutter(&self) -> usize {
        match self.width {
            0..45 => 1,
            45..70 => 9,
            70..110 => 14,
            _ => 18,
        }
    }

    fn dim(&self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }
}

/// `3 joined (ana, luis, maria), 1 left (pedro)`
fn moved_in_words(moved: &MembershipSummary) -> String {
    let MembershipSummary {
        only,
        joined,
        left,
        renamed,
    } = moved;
    if joined.count + left.count + renamed.count <= 1 {
        return only.clone();
    }
    let some = |few: &NameSample, what: &str| {
        let names: Vec<String> = few.first.iter().map(|nick| word(nick)).collect();
        let more = if few.count > names.len() { ", …" } else { "" };
        (few.count > 0).then(|| format!("{} {what} ({}{more})", few.count, names.join(", ")))
    };
    let parts = [
        some(joined, "joined"),
        some(left, "left"),
        some(renamed, "renamed"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
