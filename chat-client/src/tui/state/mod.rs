//! The state of the full screen. No terminal, no actor and no clock: events are applied to it, and
//! the runtime takes its requests.

pub mod conversation;
mod fetch;
pub mod incoming;
pub mod members;
mod membership;
pub mod picker;
pub mod timeline;
pub(in crate::tui) mod update;

use std::io;

use chat_proto::{Channel, LOBBY, Timestamp};

use self::conversation::{ConversationState, ScrollPosition};
use self::incoming::IncomingMessage;
use self::picker::Picker;
use super::editor::Editor;
use super::request::AppRequest;
use super::theme::Theme;
use crate::keys::actions::{self, Action};
use crate::keys::edit_actions::Edit;
use crate::keys::{Chord, Keymap};
use crate::prompt::PromptKind;
use crate::read_state::ReadState;
use crate::text::escape::word;

/// The most conversations; direct messages beyond it appear in the lobby.
const MAX_CONVERSATIONS: usize = 500;

/// The meaning of keys.
#[derive(Debug, PartialEq, Eq)]
pub enum Mode {
    /// Talking.
    Talk,
    /// An answer to that question.
    Asked(String, PromptKind),
    /// Choosing a user.
    Choose(Picker),
    /// Reading what the keys do, from that row on.
    Help(usize),
}

/// The status of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionStatus {
    /// Not welcomed yet.
    New,
    /// Connected.
    Up,
    /// Disconnected, trying to reconnect.
    Away,
}

/// The state.
#[derive(Debug)]
pub struct TuiState {
    /// The theme.
    pub theme: Theme,
    /// The server address as given.
    pub address: String,
    /// The own nick.
    pub me: String,
    /// The status of the connection.
    pub connection: ConnectionStatus,
    /// The operation in progress.
    pub busy: Option<String>,
    /// The frame of the animation.
    pub frame: u64,
    /// The server's clock when it was last heard.
    pub heard: Option<Timestamp>,
    /// How much the server's clock is ahead, in milliseconds.
    pub(in crate::tui) ahead: i64,
    /// The conversations, the lobby first.
    pub conversations: Vec<ConversationState>,
    /// The index of the current one.
    pub current: usize,
    /// What keys do, but for those of the entry, which has its own.
    pub keys: Keymap<Action>,
    /// The first of two keys.
    pub(in crate::tui) first: Option<Chord>,
    /// What is typed.
    pub entry: Editor,
    /// The meaning of keys.
    pub mode: Mode,
    /// What was searched for last.
    pub search: Option<String>,
    /// A hint in the status line, until the next key.
    pub hint: Option<String>,
    /// The errors since the last key.
    pub last_words: Vec<String>,
    /// Columns and rows.
    pub size: (u16, u16),
    /// The lists at the sides are shown, where there is room.
    pub sides: (bool, bool),
    /// The mouse is listened to.
    pub mouse: bool,
    /// On arrival the list of users is offered to choose from.
    pub choose_on_arrival: bool,
    /// On the first arrival under a nick the list of users is offered.
    pub choose_at_first: bool,
    /// That list has not come.
    pub(in crate::tui) arriving: bool,
    /// Whether the terminal has the focus, where it tells.
    pub focus: Option<bool>,
    /// The last message there is.
    pub(in crate::tui) newest: u64,
    requests: Vec<AppRequest>,
    pub(in crate::tui) arrived: Vec<IncomingMessage>,
    /// What the next start finds.
    pub(in crate::tui) remembered: ReadState,
}

impl TuiState {
    /// Returns the initial state.
    pub fn new(theme: Theme, address: String, entry: Editor, remembered: ReadState) -> Self {
        let mut lobby = ConversationState::new(LOBBY);
        lobby.muted = remembered.is_muted(LOBBY);
        Self {
            theme,
            address,
            me: String::new(),
            connection: ConnectionStatus::New,
            busy: None,
            frame: 0,
            heard: None,
            ahead: 0,
            conversations: vec![lobby],
            current: 0,
            keys: actions::default(),
            first: None,
            entry,
            mode: Mode::Talk,
            search: None,
            hint: None,
            last_words: Vec::new(),
            size: (80, 24),
            sides: (true, true),
            mouse: true,
            choose_on_arrival: false,
            choose_at_first: false,
            arriving: false,
            focus: None,
            newest: 0,
            requests: Vec::new(),
            arrived: Vec::new(),
            remembered,
        }
    }

    /// Returns the current conversation.
    pub fn here(&self) -> &ConversationState {
        &self.conversations[self.current]
    }

    /// Returns the current conversation, mutably.
    pub fn here_mut(&mut self) -> &mut ConversationState {
        &mut self.conversations[self.current]
    }

    /// Takes the requests to the Session.
    pub fn take_requests(&mut self) -> Vec<AppRequest> {
        std::mem::take(&mut self.requests)
    }

    /// Takes the messages that arrived.
    pub fn take_incoming(&mut self) -> Vec<IncomingMessage> {
        std::mem::take(&mut self.arrived)
    }

    /// Queues a request to the Session.
    pub fn request(&mut self, request: AppRequest) {
        self.requests.push(request);
    }

    /// Returns the label of the key that leads to the newest message.
    pub fn key_to_newest(&self) -> Option<String> {
        let end = self.entry.keymap().spoken(Edit::LineEnd);
        let end = end.filter(|_| self.entry.is_empty());
        end.or_else(|| self.keys.spoken(Action::Bottom))
    }

    /// Something is animated.
    pub fn is_animated(&self) -> bool {
        self.busy.is_some() || self.here().fetching.is_some()
    }

    /// Returns the unread messages, and the mentions among them.
    pub fn unread(&self) -> (usize, usize) {
        let loud = self.conversations.iter().filter(|other| !other.muted);
        loud.fold((0, 0), |(unread, mentions), other| {
            (unread + other.unread, mentions + other.mentions)
        })
    }

    /// Up to where everything was read.
    pub fn read_up_to(&self) -> u64 {
        let open = self.conversations.iter().filter(|other| other.unread > 0);
        open.filter_map(|other| other.left_at)
            .min()
            .unwrap_or(self.newest)
    }

    /// Writes down what the next start is to find.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn remember(&mut self) -> io::Result<()> {
        if self.connection != ConnectionStatus::New {
            let seq = self.read_up_to();
            self.remembered.see(&self.me, seq);
        }
        self.remembered.save()
    }

    /// Makes a conversation quiet, or heard again: the one that is looked at, if none is named.
    pub fn mute(&mut self, channel: Option<&Channel>, muted: bool) {
        let name = channel.map_or(self.here().to.clone(), |channel| {
            channel.as_str().to_owned()
        });
        self.remembered.mute(&name, muted);
        if let Some(conversation) = self.find(&name) {
            conversation.muted = muted;
        }
        let words = if muted { "muted" } else { "heard again" };
        self.hint = Some(format!("{} is {words}", word(&name)));
    }

    /// The conversation of that name, if there is one.
    pub fn find(&mut self, name: &str) -> Option<&mut ConversationState> {
        self.conversations.iter_mut().find(|other| other.is(name))
    }

    /// The conversation of that name, which may be new; the lobby if there are too many.
    pub fn open(&mut self, name: &str) -> usize {
        if let Some(index) = self.conversations.iter().position(|other| other.is(name)) {
            return index;
        }
        if self.conversations.len() >= MAX_CONVERSATIONS {
            return 0;
        }
        let mut new = ConversationState::new(name);
        new.muted = self.remembered.is_muted(name);
        let behind = |other: &ConversationState| other.rank() <= new.rank();
        let index = self
            .conversations
            .iter()
            .rposition(behind)
            .map_or(0, |last| last + 1);
        if index <= self.current {
            self.current += 1;
        }
        self.conversations.insert(index, new);
        index
    }

    /// Talks there from now on.
    pub fn go_to(&mut self, name: &str) {
        let index = self.open(name);
        self.switch(index);
    }

    /// Looks at another conversation; what is typed stays where it was typed.
    pub fn switch(&mut self, index: usize) {
        if index >= self.conversations.len() || index == self.current {
            return;
        }
        let asked = matches!(self.mode, Mode::Asked(..));
        if !asked {
            let draft = self.entry.text().to_owned();
            let left = self.here_mut();
            left.draft = draft;
            left.left_at = None;
        }
        self.current = index;
        self.search = None;
        if !asked {
            let draft = std::mem::take(&mut self.here_mut().draft);
            self.entry.set_text(&draft);
        }
        self.read();
        self.look_at_once();
    }

    /// Marks the current conversation as read if its end is visible.
    pub fn read(&mut self) {
        if self.focus != Some(false) && self.here().view == ScrollPosition::End {
            let here = self.here_mut();
            (here.unread, here.mentions) = (0, 0);
        }
    }

    /// Closes a conversation, but not the lobby.
    pub fn close(&mut self, name: &str) {
        let Some(index) = self.conversations.iter().position(|other| other.is(name)) else {
            return;
        };
        if index == 0 {
            return;
        }
        if index == self.current {
            self.switch(index - 1);
        }
        self.conversations.remove(index);
        if self.current > index {
            self.current -= 1;
        }
    }
}
