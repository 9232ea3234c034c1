//! Choosing a user to talk to, by the arrow keys, by a part of the name, or by the mouse.

use chat_proto::name::fold;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The choice so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picker {
    pub(in crate::tui) people: Vec<String>,
    /// Everyone is offered first.
    pub(in crate::tui) everyone: bool,
    /// What was typed of the name.
    pub typed: String,
    /// The one that Enter takes, among those that are offered.
    pub chosen: usize,
}

/// The effect of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picked {
    /// No choice yet.
    Open,
    /// No user.
    Nobody,
    /// That one.
    Person(String),
    /// This was typed, and is no name.
    Text(String),
}

impl Picker {
    /// Offers `people`.
    pub fn new(people: Vec<String>) -> Self {
        Self {
            people,
            everyone: false,
            typed: String::new(),
            chosen: 0,
        }
    }

    /// Offers everyone and `people` on arrival: a text that is in no name closes it.
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
