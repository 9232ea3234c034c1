//! What the mouse does: the wheel scrolls, a click chooses.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Position;

use super::conversation::View;
use super::keys::Action;
use super::picker::{self, Picked};
use super::state::{Mode, State};
use super::{people, places};

/// Rows of a step of the wheel.
const WHEEL: usize = 3;

impl State {
    /// Something was done with the mouse.
    pub(super) fn mouse_event(&mut self, mouse: MouseEvent) {
        let areas = self.areas();
        let at = Position::new(mouse.column, mouse.row);
        match mouse.kind {
            MouseEventKind::ScrollUp => self.rows_up(WHEEL),
            MouseEventKind::ScrollDown => {
                self.scroll(|canvas, here, _| canvas.down(here, WHEEL));
                self.read();
            }
            MouseEventKind::Down(MouseButton::Left) => {
                if let Mode::Choose(picker) = &self.mode {
                    let chosen = picker::at(picker, areas.messages, at);
                    let picked = chosen.map_or(Picked::Nobody, |index| picker.take(index));
                    self.picked(picked);
                } else if areas.conversations.contains(at) {
                    if let Some(index) = places::at(self, areas.conversations, at) {
                        self.switch(index);
                    }
                } else if areas.people.contains(at) {
                    let nick = people::at(self, areas.people, at);
                    if let Some(nick) = nick.filter(|nick| *nick != self.me) {
                        self.go_to(&nick);
                    }
                } else if areas.status.contains(at) && self.here().view != View::End {
                    self.act(Action::Bottom);
                }
            }
            _ => {}
        }
    }
}
