//! Moving over the rows of a conversation. Only the lines on the way are laid out.

use super::messages::MessageLayout;
use crate::tui::state::conversation::{Anchor, ConversationState, ScrollPosition};

impl MessageLayout<'_> {
    fn height_of(&self, conversation: &ConversationState, place: u64) -> usize {
        self.block(conversation, place).len()
    }

    /// So many rows up, but not further than that the first line is on top of `height` rows.
    /// Whether that is where one is now.
    pub fn up(&self, conversation: &mut ConversationState, by: usize, height: usize) -> bool {
        let places = conversation.lines.places();
        let (mut place, mut hidden) = match conversation.view {
            ScrollPosition::At(spot) => (spot.place, spot.hidden),
            ScrollPosition::End => (places.end.saturating_sub(1), 0),
        };
        let mut left = by;
        while place > places.start {
            let rows = self.height_of(conversation, place).saturating_sub(hidden);
            if rows > left {
                break;
            }
            left -= rows;
            (place, hidden) = (place - 1, 0);
        }
        let spot = Anchor {
            place,
            hidden: hidden + left,
        };
        let top = self.top(conversation, height);
        let at_top = spot.place < top.place || spot.place == top.place && spot.hidden >= top.hidden;
        conversation.view = ScrollPosition::At(if at_top { top } else { spot });
        self.settle(conversation);
        at_top
    }

    /// So many rows down.
    pub fn down(&self, conversation: &mut ConversationState, by: usize) {
        let ScrollPosition::At(Anchor {
            mut place,
            mut hidden,
        }) = conversation.view
        else {
            return;
        };
        let last = conversation.lines.places().end.saturating_sub(1);
        let mut left = by;
        while left > hidden && place < last {
            left -= hidden;
            place += 1;
            hidden = self.height_of(conversation, place);
        }
        let hidden = hidden.saturating_sub(left);
        conversation.view = ScrollPosition::At(Anchor { place, hidden });
        self.settle(conversation);
    }

    /// Returns by how many rows a page up moves: the uppermost row of a message stays on the
    /// screen. Rules above it stay as well, so that none of them takes the place of that row.
    pub fn page_up(&self, conversation: &ConversationState, height: usize) -> usize {
        let rows = self.visible(conversation, height);
        let rules = rows.iter().take_while(|row| row.is_rule).count();
        height.saturating_sub(rules + 1).max(1)
    }

    /// Returns by how many rows a page down moves: the lowest row of a message stays on the screen.
    pub fn page_down(&self, conversation: &ConversationState, height: usize) -> usize {
        let rows = self.visible(conversation, height);
        let rules = rows.iter().rev().take_while(|row| row.is_rule).count();
        height.saturating_sub(rules + 1).max(1)
    }

    /// Looks at a line, about in the middle.
    pub fn show(&self, conversation: &mut ConversationState, place: u64, height: usize) {
        conversation.view = ScrollPosition::At(Anchor { place, hidden: 0 });
        self.down(conversation, height / 2);
        self.up(conversation, 0, height);
    }

    /// The spot of the lowest row when the first is on top.
    fn top(&self, conversation: &ConversationState, height: usize) -> Anchor {
        let places = conversation.lines.places();
        let mut rows = 0;
        for place in places.clone() {
            rows += self.height_of(conversation, place);
            if rows >= height {
                let hidden = rows - height;
                return Anchor { place, hidden };
            }
        }
        let place = places.end.saturating_sub(1);
        Anchor { place, hidden: 0 }
    }

    /// Who sees the last row looks at the end.
    fn settle(&self, conversation: &mut ConversationState) {
        if let ScrollPosition::At(Anchor { place, hidden: 0 }) = conversation.view
            && place + 1 >= conversation.lines.places().end
        {
            conversation.view = ScrollPosition::End;
        }
    }
}
