//! Choosing somebody to talk to, by the arrow keys, by typing a part of the name, or by the mouse.

use chat_proto::name::fold;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Block, Clear, Widget as _};

use super::layout::Areas;
use super::measure::put;
use super::state::State;
use super::wrap::{columns, shortened};
use crate::escape::word;

/// Columns of the box, where there is room.
const WIDTH: u16 = 40;

/// The choice so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picker {
    people: Vec<String>,
    /// Everyone is offered first.
    everyone: bool,
    /// What was typed of the name.
    pub typed: String,
    /// The one that Enter takes, among those that are offered.
    pub chosen: usize,
}

/// What a key came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// Nobody yet.
    Open,
    /// Nobody.
    Nobody,
    /// That one.
    Person(String),
    /// This was typed, and is no name.
    Text(String),
}

impl Picker {
    /// One of `people`.
    pub fn new(people: Vec<String>) -> Self {
        Self {
            people,
            everyone: false,
            typed: String::new(),
            chosen: 0,
        }
    }

    /// Everyone, or one of `people`: a text that is in no name is none of the choice.
    pub fn on_arrival(people: Vec<String>) -> Self {
        Self {
            everyone: true,
            ..Self::new(people)
        }
    }

    /// Returns whether it is the choice on arrival.
    pub fn is_on_arrival(&self) -> bool {
        self.everyone
    }

    /// Returns where the choice is drawn. On arrival the messages stay in sight, where there is room.
    pub fn area(&self, areas: &Areas) -> Rect {
        let mut people = areas.people;
        if !self.everyone || people.is_empty() {
            return areas.messages;
        }
        let rows = u16::try_from(self.people.len() + 3).unwrap_or(u16::MAX);
        people.height = people.height.min(rows);
        people
    }

    /// Returns whether a key is for the choice on arrival; any other closes it.
    pub fn takes(&self, key: KeyEvent) -> bool {
        let controls = KeyModifiers::CONTROL | KeyModifiers::ALT;
        let plain = !key.modifiers.intersects(controls);
        !self.everyone
            || match key.code {
                KeyCode::Char(_) => plain,
                KeyCode::Up | KeyCode::Down => key.modifiers.is_empty(),
                KeyCode::Esc | KeyCode::Enter => key.modifiers.is_empty(),
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Backspace => true,
                _ => false,
            }
    }

    /// Returns how many entries stand before the names.
    fn before(&self) -> usize {
        usize::from(self.everyone && self.typed.is_empty())
    }

    /// Those whose names have what was typed in them.
    pub fn offered(&self) -> Vec<&str> {
        let typed = fold(&self.typed);
        let everyone = (self.before() > 0).then_some("everyone");
        let offered = self
            .people
            .iter()
            .filter(|nick| fold(nick).contains(&*typed));
        everyone
            .into_iter()
            .chain(offered.map(String::as_str))
            .collect()
    }

    /// A key.
    pub fn key(&mut self, key: KeyEvent) -> Picked {
        let last = self.offered().len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => return Picked::Nobody,
            KeyCode::Enter => return self.take(self.chosen),
            KeyCode::Up | KeyCode::BackTab => self.turn(true),
            KeyCode::Down | KeyCode::Tab => self.turn(false),
            KeyCode::PageUp | KeyCode::Home => self.chosen = 0,
            KeyCode::PageDown | KeyCode::End => self.chosen = last,
            KeyCode::Backspace => {
                self.typed.pop();
                self.chosen = 0;
            }
            KeyCode::Char(c)
                if !key
                    .modifiers
                    .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
            {
                self.typed.push(c);
                self.chosen = 0;
                if self.everyone && self.offered().is_empty() {
                    return Picked::Text(std::mem::take(&mut self.typed));
                }
            }
            _ => {}
        }
        Picked::Open
    }

    /// To the next one, or to the one before.
    pub fn turn(&mut self, up: bool) {
        let last = self.offered().len().saturating_sub(1);
        self.chosen = match up {
            true => self.chosen.saturating_sub(1),
            false => (self.chosen + 1).min(last),
        };
    }

    /// Takes the one at that place.
    pub fn take(&self, index: usize) -> Picked {
        if index < self.before() {
            return Picked::Nobody;
        }
        match self.offered().get(index) {
            Some(nick) => Picked::Person((*nick).to_owned()),
            None => Picked::Open,
        }
    }
}

/// Draws the choice over the messages.
pub fn draw(state: &State, picker: &Picker, area: Rect, buffer: &mut Buffer) {
    let area = frame(picker, area);
    Clear.render(area, buffer);
    let title = shortened(
        &format!(" Talk to: {} ", word(&picker.typed)),
        usize::from(area.width.saturating_sub(2)),
    );
    let help = shortened(
        " ↑ ↓ Enter · Esc ",
        usize::from(area.width.saturating_sub(2)),
    );
    let block = Block::bordered().title(title).title_bottom(help);
    let inside = block.inner(area);
    block.render(area, buffer);
    let width = usize::from(inside.width);
    let offered = picker.offered();
    if offered.is_empty() {
        let dim = Style::new().add_modifier(Modifier::DIM);
        buffer.set_stringn(inside.x, inside.y, "nobody of that name", width, dim);
    }
    let first = first(picker, inside);
    let shown = offered.iter().enumerate().skip(first);
    for ((index, nick), y) in shown.zip(inside.y..inside.bottom()) {
        let mut style = state.look.nick(&state.here().to, nick);
        if index == picker.chosen {
            style = style.add_modifier(Modifier::REVERSED);
        }
        let name = shortened(&word(nick), width);
        let name = format!("{name}{}", " ".repeat(width - columns(&name)));
        put(buffer, (inside.x, y), &name, width, style);
    }
}

/// The one that is offered at that position.
pub fn at(picker: &Picker, area: Rect, at: Position) -> Option<usize> {
    let inside = Block::bordered().inner(frame(picker, area));
    let index = first(picker, inside) + usize::from(at.y.checked_sub(inside.y)?);
    (inside.contains(at) && index < picker.offered().len()).then_some(index)
}

/// The box, in the middle of `area`.
fn frame(picker: &Picker, area: Rect) -> Rect {
    let rows = picker.people.len() + usize::from(picker.everyone);
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let width = WIDTH.min(area.width);
    let height = rows
        .saturating_add(2)
        .min(area.height)
        .max(3.min(area.height));
    let x = area.x + (area.width - width) / 2;
    let y = area.y + (area.height - height) / 2;
    Rect::new(x, y, width, height)
}

/// The first that is shown, so that the chosen one is among them.
fn first(picker: &Picker, inside: Rect) -> usize {
    (picker.chosen + 1).saturating_sub(usize::from(inside.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(picker: &mut Picker, code: KeyCode) -> Picked {
        picker.key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn by_arrows_and_by_letters() {
        let mut picker = Picker::new(vec!["luis".into(), "Lucía".into(), "maria".into()]);
        assert_eq!(press(&mut picker, KeyCode::Down), Picked::Open);
        assert_eq!(
            press(&mut picker, KeyCode::Enter),
            Picked::Person("Lucía".into())
        );
        press(&mut picker, KeyCode::Char('I'));
        press(&mut picker, KeyCode::Char('s'));
        assert_eq!(picker.offered(), ["luis"]);
        press(&mut picker, KeyCode::Char('x'));
        assert_eq!(press(&mut picker, KeyCode::Enter), Picked::Open);
        press(&mut picker, KeyCode::Backspace);
        assert_eq!(
            press(&mut picker, KeyCode::Enter),
            Picked::Person("luis".into())
        );
        assert_eq!(press(&mut picker, KeyCode::Esc), Picked::Nobody);
    }
}
