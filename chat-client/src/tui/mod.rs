//! The full-screen front end: one state, updated and drawn by one thread.
//!
#![doc = include_str!("../../docs/terminal.svg")]
//!
//! ```text
//!   Session --SessionEvent--+                       +--AppRequest--> Session
//!                           +--> runtime's thread --+--KeysRequest--> Stdin
//!   Stdin  ------keys-------+      TuiState         +--cells--> terminal
//! ```
//!
//! | file | contents | I/O |
//! | --- | --- | --- |
//! | [`event`], [`request`] | messages from the Session and to it | none |
//! | [`state`] | conversations, members, modes; updated by events | none |
//! | [`control`] | keys, mouse and actions, which change the state | none |
//! | [`view`] | draws the state | none |
//! | [`editor`] | the text that is typed, its history and completion | the history file |
//! | [`theme`], [`palette`], [`width_quirks`] | colours, times, disputed character widths | none |
//! | [`startup`] | the initial state, from settings and environment | the environment |
//! | [`runtime`] | the thread that draws | the terminal |
//! | [`terminal`] | enters and leaves full screen | the terminal |
//!
//! Each edge is bounded: a full queue blocks the Session, as a slow reader does in line mode; keys
//! are read only on request. The number of drawings a second is bounded, and an idle client does
//! not wake up.

pub mod control;
pub mod editor;
pub mod event;
pub mod palette;
pub mod request;
pub mod runtime;
pub mod startup;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod view;
pub mod width_quirks;

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use crossterm::event::Event;
use tokio::sync::oneshot;

use self::event::SessionEvent;

/// The capacity of the queue: a burst does not block the connection, a stopped terminal does.
const WAITING: usize = 1024;

/// A notice to the runtime.
#[derive(Debug)]
pub enum TuiNotice {
    /// An event of the Session.
    Session(SessionEvent),
    /// Input of the terminal: keys, mouse, focus, size.
    Keys(Vec<Event>),
    /// The terminal is gone.
    NoKeys,
    /// The external editor ended.
    Edited(io::Result<String>),
    /// The conversation ended; restores the terminal.
    Finish(oneshot::Sender<()>),
}

/// A handle to the runtime of the full screen.
#[derive(Debug, Clone)]
pub struct TuiHandle(SyncSender<TuiNotice>);

impl TuiHandle {
    /// Returns a handle and the queue of the runtime.
    pub fn new() -> (Self, Receiver<TuiNotice>) {
        let (told, waiting) = mpsc::sync_channel(WAITING);
        (Self(told), waiting)
    }

    /// Sends an event of the Session.
    pub fn tell(&self, event: SessionEvent) {
        self.give(TuiNotice::Session(event));
    }

    /// Sends input of the terminal; `None` if the terminal is gone.
    pub fn keys(&self, events: Option<Vec<Event>>) {
        self.give(events.map_or(TuiNotice::NoKeys, TuiNotice::Keys));
    }

    /// Ends when the terminal is restored.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        let told = self.0.clone();
        // On its own thread, because the queue may be full until the runtime has drawn.
        thread::spawn(move || told.send(TuiNotice::Finish(done)).ok());
        finished.await.ok();
    }

    fn give(&self, told: TuiNotice) {
        // The runtime ends last; the queue is closed only after it panicked.
        self.0.send(told).ok();
    }
}

#[cfg(test)]
mod tests;
