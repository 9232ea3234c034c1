//! Handles keys and the mouse; other keys go to the editor.

mod actions;
mod mouse;

use super::editor::KeyOutcome;
use super::request::{AppRequest, TerminalAction};
use super::state::conversation::ScrollPosition;
use super::state::picker::Picked;
use super::state::update::DROPPED;
use super::state::{ConnectionStatus, Mode, TuiState};
use super::view::help;
use crate::command::{self, TypedCommand};
use crate::completion_names::CompletionNames;
use crate::keys::actions::Action;
use crate::keys::edit_actions::Edit;
use crate::keys::{Chord, KeyMatch};
use crate::prompt::{PromptKind, UserInput};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// The prompt between two passwords.
const PENDING: &str = "Password … ";

impl TuiState {
    /// Something was done at the terminal.
    pub fn event(&mut self, event: Event, names: &CompletionNames) -> TerminalAction {
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
        TerminalAction::None
    }

    /// The terminal has another size: what is looked at stays.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.size = (width, height);
        self.scroll(|canvas, here, height| {
            if here.view != ScrollPosition::End {
                canvas.up(here, 0, height);
            }
        });
    }

    fn key(&mut self, key: KeyEvent, names: &CompletionNames) -> TerminalAction {
        self.hint = None;
        self.last_words.clear();
        if key.modifiers == KeyModifiers::CONTROL && key.code == KeyCode::Char('c') {
            self.request(AppRequest::Input(UserInput::Interrupted));
            return TerminalAction::None;
        }
        if matches!(&self.mode, Mode::Choose(picker) if !picker.takes(key)) {
            self.mode = Mode::Talk;
        }
        if let Mode::Choose(picker) = &mut self.mode {
            match picker.key(key) {
                Picked::Open => {}
                picked => self.picked(picked),
            }
            return TerminalAction::None;
        }
        let chord = Chord::from(key);
        let found = self.found(chord);
        match (&self.mode, found) {
            (Mode::Help(top), found) => self.help_key(*top, found, key.code),
            // A question is answered first: what is typed behind the help would be no answer.
            (Mode::Asked(..), KeyMatch::Action(Action::Help)) => {}
            (_, KeyMatch::Action(action)) => return self.act(action),
            // Unless the entry waits for the next one too, the key is no part of a text.
            (_, KeyMatch::More) if self.entry.find(chord) != KeyMatch::More => {}
            _ => return self.type_key(key, names),
        }
        TerminalAction::None
    }

    /// What a key does to the screen; what the first key of two is for here may be decided by the
    /// entry.
    fn found(&mut self, chord: Chord) -> KeyMatch<Action> {
        if self.entry.awaits(chord) {
            self.first = None;
            return KeyMatch::Nothing;
        }
        let found = self.keys.follow(&mut self.first, chord);
        if found != KeyMatch::Nothing {
            self.entry.forget_first();
        }
        found
    }

    fn help_key(&mut self, top: usize, found: KeyMatch<Action>, key: KeyCode) {
        let page = usize::from(self.size.1).saturating_sub(3).max(1);
        let top = match (found, key) {
            (KeyMatch::Action(Action::PageDown), _) | (_, KeyCode::PageDown) => top + page,
            (KeyMatch::Action(Action::PageUp), _) | (_, KeyCode::PageUp) => {
                top.saturating_sub(page)
            }
            (_, KeyCode::Down) => top + 1,
            (_, KeyCode::Up) => top.saturating_sub(1),
            (_, KeyCode::Home) => 0,
            (_, KeyCode::End) => usize::MAX,
            (KeyMatch::More, _) => top,
            _ => {
                self.mode = Mode::Talk;
                return;
            }
        };
        self.mode = Mode::Help(top.min(help::last(self)));
    }

    fn type_key(&mut self, key: KeyEvent, names: &CompletionNames) -> TerminalAction {
        let edit = self.entry.find(Chord::from(key));
        let scrolled = self.here().view != ScrollPosition::End;
        match edit {
            KeyMatch::Action(Edit::LineEnd) if scrolled && self.entry.is_empty() => {
                return self.act(Action::Bottom);
            }
            KeyMatch::Action(Edit::Drop)
                if matches!(self.mode, Mode::Asked(_, PromptKind::Password)) =>
            {
                return self.cancel_password();
            }
            KeyMatch::Action(Edit::Drop) if self.search.is_some() => {
                self.search = None;
                return TerminalAction::None;
            }
            _ => {}
        }
        match self.entry.key(key, names) {
            KeyOutcome::Ignored
                if key.modifiers == KeyModifiers::CONTROL
                    && key.code == KeyCode::Char('d')
                    && self.entry.is_empty() =>
            {
                self.request(AppRequest::Input(UserInput::Ended));
            }
            KeyOutcome::Ignored | KeyOutcome::Changed => {}
            KeyOutcome::Submit(text) => self.submit(text),
            KeyOutcome::Editor(text) => return TerminalAction::Edit(text),
        }
        TerminalAction::None
    }

    /// Esc in a question for a password.
    fn cancel_password(&mut self) -> TerminalAction {
        self.entry.set_text("");
        if matches!(&self.mode, Mode::Asked(prompt, _) if prompt == DROPPED) {
            self.talk();
        } else {
            self.request(AppRequest::Input(UserInput::Cancelled));
        }
        TerminalAction::None
    }

    /// A line was entered.
    fn submit(&mut self, text: String) {
        if let Mode::Asked(prompt, purpose) = &mut self.mode {
            if prompt == DROPPED {
                return self.talk();
            }
            // A password is asked for until the session says otherwise: a further one may be typed.
            match purpose {
                PromptKind::Password => *prompt = PENDING.to_owned(),
                PromptKind::Chat | PromptKind::Choice | PromptKind::Nickname => self.answered(),
            }
            self.request(AppRequest::Input(UserInput::Line(text)));
            return;
        }
        match command::parse(&text) {
            // Perhaps a password, typed before it is asked for.
            Ok(TypedCommand::Say(_)) if self.connection == ConnectionStatus::New => {
                self.entry.set_text(&text);
                self.hint = Some("not connected yet".to_owned());
            }
            Ok(TypedCommand::Nothing) => {}
            Ok(TypedCommand::Help) => self.mode = Mode::Help(0),
            Ok(TypedCommand::Search(wanted)) => self.search_for(&wanted),
            Ok(TypedCommand::Mute(channel)) => self.mute(channel.as_ref(), true),
            Ok(TypedCommand::Unmute(channel)) => self.mute(channel.as_ref(), false),
            Ok(TypedCommand::Close) if !self.here().is_channel() => {
                let name = self.here().to.clone();
                self.close(&name);
            }
            Ok(TypedCommand::Close) => self.hint = Some("/part leaves a channel".to_owned()),
            parsed => {
                if parsed == Ok(TypedCommand::Time) {
                    self.theme.times = !self.theme.times;
                }
                let asks_password = matches!(
                    parsed,
                    Ok(TypedCommand::Register | TypedCommand::Password | TypedCommand::Unregister)
                );
                if self.connection == ConnectionStatus::Away
                    && parsed.is_ok_and(|command| waits(&command))
                {
                    self.hint = Some("done when the connection is back".to_owned());
                }
                if asks_password {
                    self.ask(PENDING.to_owned(), PromptKind::Password);
                }
                self.here_mut().view = ScrollPosition::End;
                self.read();
                let to = self.here().to.clone();
                self.request(AppRequest::Line { to, text });
            }
        }
    }
}

/// Whether only the server's answer shows that it is done; what is said is shown as waiting itself.
fn waits(command: &TypedCommand) -> bool {
    match command {
        TypedCommand::List(_)
        | TypedCommand::Join(_)
        | TypedCommand::JoinExisting(_)
        | TypedCommand::Part(..)
        | TypedCommand::Channels
        | TypedCommand::Nick(_)
        | TypedCommand::Register
        | TypedCommand::Password
        | TypedCommand::Unregister
        | TypedCommand::History(_)
        | TypedCommand::Moderation(_) => true,
        TypedCommand::Nothing
        | TypedCommand::Say(_)
        | TypedCommand::Help
        | TypedCommand::Time
        | TypedCommand::Record(_)
        | TypedCommand::Quit(_)
        | TypedCommand::Tell(..)
        | TypedCommand::Query(_)
        | TypedCommand::Switch(_)
        | TypedCommand::Mute(_)
        | TypedCommand::Unmute(_)
        | TypedCommand::Search(_)
        | TypedCommand::Close => false,
    }
}
