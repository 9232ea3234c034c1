//! What keys and the mouse do to the screen; what is left is for the entry.

mod actions;
mod mouse;

use super::editor::Outcome;
use super::request::{Errand, Wish};
use super::state::conversation::View;
use super::state::picker::Picked;
use super::state::update::DROPPED;
use super::state::{Connection, Mode, State};
use super::view::help;
use crate::command::{self, Command};
use crate::completion_names::Names;
use crate::keys::actions::Action;
use crate::keys::edit_actions::Edit;
use crate::keys::{Chord, Found};
use crate::prompt::{Purpose, Typed};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The prompt between two passwords.
const PENDING: &str = "Password … ";

impl State {
    /// Something was done at the terminal.
    pub fn event(&mut self, event: Event, names: &Names) -> Errand {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                return self.key(key, names);
            }
            Event::Key(_) => {}
            Event::Mouse(mouse) => self.mouse_event(mouse),
            Event::Paste(text) => {
                // On arrival nothing that is typed is lost.
                if matches!(&self.mode, Mode::Choose(picker) if picker.is_on_arrival()) {
                    self.mode = Mode::Talk;
                }
                if !matches!(self.mode, Mode::Choose(_) | Mode::Help(_)) {
                    self.entry.paste(&text);
                }
            }
            Event::Resize(width, height) => self.resize(width, height),
            Event::FocusGained => {
                self.focus = Some(true);
                self.read();
            }
            Event::FocusLost => {
                self.focus = Some(false);
                self.here_mut().left_at = None;
            }
        }
        Errand::None
    }

    /// The terminal has another size: what is looked at stays.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.scroll(|canvas, here, height| {
            if here.view != View::End {
                canvas.up(here, 0, height);
            }
        });
    }

    fn key(&mut self, key: KeyEvent, names: &Names) -> Errand {
        self.hint = None;
        self.last_words.clear();
        if key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char('c') {
            self.wish(Wish::Typed(Typed::Interrupted));
            return Errand::None;
        }
        if matches!(&self.mode, Mode::Choose(picker) if !picker.takes(key)) {
            self.mode = Mode::Talk;
        }
        if let Mode::Choose(picker) = &mut self.mode {
            match picker.key(key) {
                Picked::Open => {}
                picked => self.picked(picked),
            }
            return Errand::None;
        }
        let chord = Chord::from(key);
        let found = self.found(chord);
        match (&self.mode, found) {
            (Mode::Help(top), found) => self.help_key(*top, found, key.code),
            // A question is answered first: what is typed behind the help would be no answer.
            (Mode::Asked(..), Found::Action(Action::Help)) => {}
            (_, Found::Action(action)) => return self.act(action),
            // Unless the entry waits for the next one too, the key is no part of a text.
            (_, Found::More) if self.entry.find(chord) != Found::More => {}
            _ => return self.type_key(key, names),
        }
        Errand::None
    }

    /// What a key does to the screen; what the first key of two is for here may be decided by the entry.
    fn found(&mut self, chord: Chord) -> Found<Action> {
        if self.entry.awaits(chord) {
            self.first = None;
            return Found::Nothing;
        }
        let found = self.keys.follow(&mut self.first, chord);
        if found != Found::Nothing {
            self.entry.forget_first();
        }
        found
    }

    fn help_key(&mut self, top: usize, found: Found<Action>, key: KeyCode) {
        let page = usize::from(self.size.1).saturating_sub(3).max(1);
        let top = match (found, key) {
            (Found::Action(Action::PageDown), _) | (_, KeyCode::PageDown) => top + page,
            (Found::Action(Action::PageUp), _) | (_, KeyCode::PageUp) => top.saturating_sub(page),
            (_, KeyCode::Down) => top + 1,
            (_, KeyCode::Up) => top.saturating_sub(1),
            (_, KeyCode::Home) => 0,
            (_, KeyCode::End) => usize::MAX,
            (Found::More, _) => top,
            _ => {
                self.mode = Mode::Talk;
                return;
            }
        };
        self.mode = Mode::Help(top.min(help::last(self)));
    }

    fn type_key(&mut self, key: KeyEvent, names: &Names) -> Errand {
        let edit = self.entry.find(Chord::from(key));
        let scrolled = self.here().view != View::End;
        match edit {
            Found::Action(Edit::LineEnd) if scrolled && self.entry.is_empty() => {
                return self.act(Action::Bottom);
            }
            Found::Action(Edit::Drop) if matches!(self.mode, Mode::Asked(_, Purpose::Password)) => {
                return self.cancel_password();
            }
            Found::Action(Edit::Drop) if self.search.is_some() => {
                self.search = None;
                return Errand::None;
            }
            _ => {}
        }
        match self.entry.key(key, names) {
            Outcome::Ignored
                if key.modifiers == KeyModifiers::CONTROL
                    && key.code == KeyCode::Char('d')
                    && self.entry.is_empty() =>
            {
                self.wish(Wish::Typed(Typed::Ended));
            }
            Outcome::Ignored | Outcome::Changed => {}
            Outcome::Submit(text) => self.submit(text),
            Outcome::Editor(text) => return Errand::Edit(text),
        }
        Errand::None
    }

    /// Esc in a question for a password.
    fn cancel_password(&mut self) -> Errand {
        self.entry.set_text("");
        if matches!(&self.mode, Mode::Asked(prompt, _) if prompt == DROPPED) {
            self.talk();
        } else {
            self.wish(Wish::Typed(Typed::Cancelled));
        }
        Errand::None
    }

    /// A line was entered.
    fn submit(&mut self, text: String) {
        if let Mode::Asked(prompt, purpose) = &mut self.mode {
            if prompt == DROPPED {
                return self.talk();
            }
            // A password is asked for until the session says otherwise: a further one may be typed.
            match purpose {
                Purpose::Password => *prompt = PENDING.to_owned(),
                Purpose::Chat | Purpose::Choice | Purpose::Nickname => self.answered(),
            }
            self.wish(Wish::Typed(Typed::Line(text)));
            return;
        }
        match command::parse(&text) {
            // Perhaps a password, typed before it is asked for.
            Ok(Command::Say(_)) if self.connection == Connection::New => {
                self.entry.set_text(&text);
                self.hint = Some("not connected yet".to_owned());
            }
            Ok(Command::Nothing) => {}
            Ok(Command::Help) => self.mode = Mode::Help(0),
            Ok(Command::Search(wanted)) => self.search_for(&wanted),
            Ok(Command::Mute(channel)) => self.mute(channel.as_ref(), true),
            Ok(Command::Unmute(channel)) => self.mute(channel.as_ref(), false),
            Ok(Command::Close) if !self.here().is_channel() => {
                let name = self.here().to.clone();
                self.close(&name);
            }
            Ok(Command::Close) => self.hint = Some("/part leaves a channel".to_owned()),
            parsed => {
                if parsed == Ok(Command::Time) {
                    self.look.times = !self.look.times;
                }
                let asks_password = matches!(
                    parsed,
                    Ok(Command::Register | Command::Password | Command::Unregister)
                );
                if self.connection == Connection::Away
                    && parsed.is_ok_and(|command| waits(&command))
                {
                    self.hint = Some("done when the connection is back".to_owned());
                }
                if asks_password {
                    self.ask(PENDING.to_owned(), Purpose::Password);
                }
                self.here_mut().view = View::End;
                self.read();
                let to = self.here().to.clone();
                self.wish(Wish::Line { to, text });
            }
        }
    }
}

/// Whether only the server's answer shows that it is done; what is said is shown as waiting itself.
fn waits(command: &Command) -> bool {
    match command {
        Command::List(_)
        | Command::Join(_)
        | Command::JoinExisting(_)
        | Command::Part(..)
        | Command::Channels
        | Command::Nick(_)
        | Command::Register
        | Command::Password
        | Command::Unregister
        | Command::History(_)
        | Command::Act(_) => true,
        Command::Nothing
        | Command::Say(_)
        | Command::Help
        | Command::Time
        | Command::Record(_)
        | Command::Quit(_)
        | Command::Tell(..)
        | Command::Query(_)
        | Command::Switch(_)
        | Command::Mute(_)
        | Command::Unmute(_)
        | Command::Search(_)
        | Command::Close => false,
    }
}
