//! The areas of the screen. Pure.

use ratatui::layout::Rect;

use super::wrap::columns;
use crate::tui::state::{ConnectionStatus, Mode, TuiState};

/// The least widths with a list of conversations and a list of members.
const WITH_CONVERSATIONS: u16 = 56;
const WITH_PEOPLE: u16 = 74;

/// From how many rows of messages on one of them is for what the channel is about.
const WITH_TOPIC: u16 = 10;

/// The most rows of what is typed, as long as messages have more.
const MAX_ENTRY: u16 = 8;

/// What is typed stands behind this.
pub const PROMPT: &str = "> ";

/// The parts of the screen. Those that there is no room for are empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Areas {
    /// The conversations, with a rule at its right.
    pub conversations: Rect,
    /// What the channel is about, above the messages.
    pub topic: Rect,
    /// The messages.
    pub messages: Rect,
    /// The members, with a rule at the left.
    pub people: Rect,
    /// The status line.
    pub status: Rect,
    /// The question before what is typed.
    pub prompt: Rect,
    /// What is typed.
    pub entry: Rect,
}

impl TuiState {
    /// Where everything is drawn.
    pub fn areas(&self) -> Areas {
        areas(self)
    }
}

/// The parts of a screen of that size.
pub fn areas(state: &TuiState) -> Areas {
    let (width, height) = state.size;
    let asked = columns(prompt(state));
    let asked = u16::try_from(asked).unwrap_or(u16::MAX).min(width / 2);
    let typed = width.saturating_sub(asked).max(1);
    let most = (height / 3).clamp(1, MAX_ENTRY);
    let rows = state.entry.view(typed, most).lines.len();
    let rows = u16::try_from(rows)
        .unwrap_or(most)
        .clamp(1, most)
        .min(height);
    let status = u16::from(height > rows);
    let above = height.saturating_sub(rows + status);
    let talks = state.connection != ConnectionStatus::New;
    let left = side(talks && state.sides.0, width, WITH_CONVERSATIONS, 14, 26);
    let channel = state.here().is_channel();
    let right = side(
        talks && state.sides.1 && channel,
        width,
        WITH_PEOPLE,
        13,
        22,
    );
    let middle = width.saturating_sub(left + right);
    let has_topic = talks && !state.here().topic.is_empty();
    let topic = u16::from(has_topic && above >= WITH_TOPIC);
    Areas {
        conversations: Rect::new(0, 0, left, above),
        topic: Rect::new(left, 0, middle, topic),
        messages: Rect::new(left, topic, middle, above - topic),
        people: Rect::new(width.saturating_sub(right), 0, right, above),
        status: Rect::new(0, above, width, status),
        prompt: Rect::new(0, above + status, asked, rows),
        entry: Rect::new(asked, above + status, width.saturating_sub(asked), rows),
    }
}

/// What stands before what is typed.
pub fn prompt(state: &TuiState) -> &str {
    match &state.mode {
        Mode::Asked(question, _) => question,
        Mode::Talk | Mode::Choose(_) | Mode::Help(_) => PROMPT,
    }
}

/// A sixth of the width, within bounds.
fn side(wanted: bool, width: u16, from: u16, least: u16, most: u16) -> u16 {
    if wanted && width >= from {
        (width / 6).clamp(least, most)
    } else {
        0
    }
}
