//! Moving over the rows of a conversation. Only the lines on the way are laid out.

use super::messages::Canvas;
use crate::tui::state::conversation::{Conversation, Spot, View};

impl Canvas<'_> {
    fn height_of(&self, conversation: &Conversation, place: u64) -> usize {
        self.block(conversation, place).len()
    }

    /// So many rows up, but not further than that the first line is on top of `height` rows. Whether
    /// that is where one is now.
    pub fn up(&self, conversation: &mut Conversation, by: usize, height: usize) -> bool {
        let places = conversation.lines.places();
        let (mut place, mut hidden) = match conversation.view {
            View::At(spot) => (spot.place, spot.hidden),
            View::End => (places.end.saturating_sub(1), 0),
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
        let spot = Spot {
            place,
            hidden: hidden + left,
        };
        let top = self.top(conversation, height);
        let at_top = spot.place < top.place || spot.place == top.place && spot.hidden >= top.hidden;
        conversation.view = View::At(if at_top { top } else { spot });
        self.settle(conversation);
        at_top
    }

    /// So many rows down.
    pub fn down(&self, conversation: &mut Conversation, by: usize) {
        let View::At(Spot {
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
        conversation.view = View::At(Spot { place, hidden });
        self.settle(conversation);
    }

    /// Returns by how many rows a page up moves: the uppermost row of a message stays on the screen.
    /// Rules above it stay as well, so that none of them takes the place of that row.
    pub fn page_up(&self, conversation: &Conversation, height: usize) -> usize {
        let rows = self.visible(conversation, height);
        let rules = rows.iter().take_while(|row| row.is_rule).count();
        height.saturating_sub(rules + 1).max(1)
    }

    /// Returns by how many rows a page down moves: the lowest row of a message stays on the screen.
    pub fn page_down(&self, conversation: &Conversation, height: usize) -> usize {
        let rows = self.visible(conversation, height);
        let rules = rows.iter().rev().take_while(|row| row.is_rule).count();
        height.saturating_sub(rules + 1).max(1)
    }

    /// Looks at a line, about in the middle.
    pub fn show(&self, conversation: &mut Conversation, place: u64, height: usize) {
        conversation.view = View::At(Spot { place, hidden: 0 });
        self.down(conversation, height / 2);
        self.up(conversation, 0, height);
    }

    /// The spot of the lowest row when the first is on top.
    fn top(&self, conversation: &Conversation, height: usize) -> Spot {
        let places = conversation.lines.places();
        let mut rows = 0;
        for place in places.clone() {
            rows += self.height_of(conversation, place);
            if rows >= height {
                let hidden = rows - height;
                return Spot { place, hidden };
            }
        }
        let place = places.end.saturating_sub(1);
        Spot { place, hidden: 0 }
    }

    /// Who sees the last row looks at the end.
    fn settle(&self, conversation: &mut Conversation) {
        if let View::At(Spot { place, hidden: 0 }) = conversation.view
            && place + 1 >= conversation.lines.places().end
        {
            conversation.view = View::End;
        }
    }
}
