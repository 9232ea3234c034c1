//! What the mouse does: the wheel scrolls, a click chooses.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use crate::keys::actions::Action;
use crate::tui::state::conversation::ScrollPosition;
use crate::tui::state::picker::Picked;
use crate::tui::state::{Mode, TuiState};
use crate::tui::view::{channel_list, help, member_list, picker};

/// Rows of a step of the wheel.
const WHEEL: usize = 3;

impl TuiState {
    /// Something was done with the mouse.
    pub(in crate::tui) fn mouse_event(&mut self, mouse: MouseEvent) {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.wheel(true),
            MouseEventKind::ScrollDown => self.wheel(false),
            MouseEventKind::Down(MouseButton::Left) => {
                self.click(Position::new(mouse.column, mouse.row));
            }
            _ => {}
        }
    }

    /// Scrolls what is in front.
    fn wheel(&mut self, up: bool) {
        if matches!(&self.mode, Mode::Choose(picker) if picker.is_on_arrival()) {
            self.mode = Mode::Talk;
        }
        match &mut self.mode {
            Mode::Help(top) if up => *top = top.saturating_sub(WHEEL),
            Mode::Help(top) => {
                let top = *top + WHEEL;
                self.mode = Mode::Help(top.min(help::last(self)));
            }
            Mode::Choose(picker) => picker.turn(up),
            Mode::Talk | Mode::Asked(..) if up => self.rows_up(WHEEL),
            Mode::Talk | Mode::Asked(..) => {
                self.scroll(|canvas, here, _| canvas.down(here, WHEEL));
                self.read();
            }
        }
    }

    fn click(&mut self, at: Position) {
        let areas = self.areas();
        match &self.mode {
            Mode::Help(_) => self.mode = Mode::Talk,
            Mode::Choose(picker) => {
                let chosen = picker::at(picker, picker::area(picker, &areas), at);
                let picked = chosen.map_or(Picked::Nobody, |index| picker.take(index));
                self.picked(picked);
            }
            Mode::Talk | Mode::Asked(..) if areas.conversations.contains(at) => {
                if let Some(index) = channel_list::at(self, areas.conversations, at) {
                    self.switch(index);
                }
            }
            Mode::Talk | Mode::Asked(..) if areas.people.contains(at) => {
                let nick = member_list::at(self, areas.people, at);
                if let Some(nick) = nick.filter(|nick| *nick != self.me) {
                    self.go_to(&nick);
                }
            }
            Mode::Talk | Mode::Asked(..) => {
                if areas.status.contains(at) && self.here().view != ScrollPosition::End {
                    self.act(Action::Bottom);
                }
            }
        }
    }
}
