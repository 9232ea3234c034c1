//! Executes the actions of keys, the mouse and the commands of the full screen.

use crate::keys::actions::Action;
use crate::tui::request::{AppRequest, TerminalAction};
use crate::tui::state::conversation::{ConversationState, Fetch, Older, ScrollPosition};
use crate::tui::state::picker::Picked;
use crate::tui::state::timeline::LineKind;
use crate::tui::state::{ConnectionStatus, Mode, TuiState};
use crate::tui::view::messages::MessageLayout;

impl TuiState {
    /// Does what a key stands for.
    pub fn act(&mut self, action: Action) -> TerminalAction {
        match action {
            Action::PageUp => self.page_up(),
            Action::PageDown => self.scroll(|canvas, here, height| {
                canvas.down(here, canvas.page_down(here, height));
            }),
            Action::RowUp => self.rows_up(1),
            Action::RowDown => self.scroll(|canvas, here, _| canvas.down(here, 1)),
            Action::Bottom => {
                self.here_mut().view = ScrollPosition::End;
                self.search = None;
            }
            Action::UnreadLine => self.show_unread_line(),
            Action::NextUnread => self.show_next_unread(),
            Action::Previous => self.switch(self.current.wrapping_sub(1)),
            Action::Next => self.switch(self.current + 1),
            Action::Go(index) => self.switch(index),
            Action::Again => self.again(),
            Action::SearchOn => self.search_on(),
            Action::Help => self.mode = Mode::Help(0),
            Action::Conversations => self.sides.0 = !self.sides.0,
            Action::People => self.sides.1 = !self.sides.1,
            Action::Mouse => {
                self.mouse = !self.mouse;
                let on = if self.mouse { "on" } else { "off" };
                self.hint = Some(format!("mouse {on}"));
                return TerminalAction::Mouse(self.mouse);
            }
            Action::Redraw => return TerminalAction::Redraw,
            Action::Suspend => return TerminalAction::Suspend,
        }
        self.read();
        TerminalAction::None
    }

    fn page_up(&mut self) {
        // A visible gap is filled first, where that is possible.
        let height = usize::from(self.areas().messages.height);
        let gap = self.visible_gap(height);
        let filled = gap.is_some_and(|after| {
            self.fetch_gap(after) || self.here().fetching == Some(Fetch::Gap(after))
        });
        if !filled {
            self.up(|canvas, here| canvas.page_up(here, height));
        }
    }

    pub(in crate::tui) fn rows_up(&mut self, rows: usize) {
        self.up(|_, _| rows);
    }

    /// Scrolls up by as many rows as `rows` returns, and fetches older messages at the top.
    fn up(&mut self, rows: impl FnOnce(&MessageLayout<'_>, &ConversationState) -> usize) {
        let mut at_top = false;
        self.scroll(|canvas, here, height| {
            at_top = canvas.up(here, rows(canvas, here), height);
        });
        let height = usize::from(self.areas().messages.height);
        if let Some(after) = self.visible_gap(height) {
            self.fetch_gap(after);
        } else if at_top {
            self.fetch_older();
        }
    }

    /// The gap that is on the screen, if there is one.
    fn visible_gap(&self, height: usize) -> Option<u64> {
        let here = self.here();
        let places = here.lines.places();
        let last = match here.view {
            ScrollPosition::End => places.end,
            ScrollPosition::At(spot) => spot.place + 1,
        };
        // Each line has a row at least.
        let first = last.saturating_sub(height as u64).max(places.start);
        (first..last)
            .rev()
            .find_map(|place| match here.lines.get(place)?.what {
                LineKind::Gap(after) => Some(after),
                _ => None,
            })
    }

    fn show_unread_line(&mut self) {
        let Some(left_at) = self.here().left_at else {
            self.hint = Some("nothing is unread here".to_owned());
            return;
        };
        self.scroll(|canvas, here, height| {
            let place = here.lines.behind(left_at);
            if place < here.lines.places().end {
                canvas.show(here, place, height);
            }
        });
    }

    fn show_next_unread(&mut self) {
        let count = self.conversations.len();
        let others = || (1..count).map(|step| (self.current + step) % count);
        let mentioned = others().find(|&index| self.conversations[index].mentions > 0);
        let unread = others().find(|&index| self.conversations[index].unread > 0);
        match mentioned.or(unread) {
            Some(index) => self.switch(index),
            None if self.here().unread > 0 => self.here_mut().view = ScrollPosition::End,
            None => self.hint = Some("nothing is unread".to_owned()),
        }
    }

    fn again(&mut self) {
        let Some(failed) = self.here_mut().take_failed() else {
            self.hint = Some("nothing failed here".to_owned());
            return;
        };
        let to = self.here().to.clone();
        self.request(AppRequest::Again {
            id: failed.id,
            to,
            text: failed.text,
        });
    }

    pub(in crate::tui) fn search_for(&mut self, wanted: &str) {
        self.here_mut().view = ScrollPosition::End;
        self.here_mut().search_anew();
        self.search = (!wanted.is_empty()).then(|| wanted.to_lowercase());
        self.search_on();
    }

    /// Goes to the next match above what is looked at.
    fn search_on(&mut self) {
        let Some(wanted) = self.search.clone() else {
            self.hint = Some("/search TEXT looks for it in what is loaded".to_owned());
            return;
        };
        let found = self.here_mut().search(&wanted);
        match found {
            Some(place) => self.scroll(|canvas, here, height| canvas.show(here, place, height)),
            None => self.search_ended(),
        }
    }

    /// There is no more of it in what is loaded; older messages, if there are, come to be looked
    /// through.
    fn search_ended(&mut self) {
        let key = self.keys.spoken(Action::SearchOn);
        let words = match (self.here().older, self.connection, key) {
            (Older::Nothing, _, _) => "no more of it, and nothing older".to_owned(),
            (_, ConnectionStatus::Up, Some(key)) => {
                format!("no more of it in what is loaded; {key} looks in older ones")
            }
            (_, _, _) => "no more of it in what is loaded".to_owned(),
        };
        self.hint = Some(words);
        self.fetch_older();
    }

    pub(in crate::tui) fn picked(&mut self, picked: Picked) {
        self.mode = Mode::Talk;
        match picked {
            Picked::Person(nick) => self.go_to(&nick),
            Picked::Text(text) => self.entry.set_text(&text),
            Picked::Open | Picked::Nobody => {}
        }
    }

    /// Moves what is looked at.
    pub(in crate::tui) fn scroll(
        &mut self,
        change: impl FnOnce(&MessageLayout<'_>, &mut ConversationState, usize),
    ) {
        let area = self.areas().messages;
        let to = self.here().to.clone();
        let canvas = MessageLayout {
            here: &to,
            theme: &self.theme,
            keys: &self.keys,
            me: &self.me,
            search: self.search.as_deref(),
            width: usize::from(area.width),
        };
        let here = &mut self.conversations[self.current];
        change(&canvas, here, usize::from(area.height));
    }
}
