//! The full screen: what the Session and the keyboard tell it, as one state, drawn by one thread.
//!
#![doc = include_str!("../../docs/terminal.svg")]
//!
//! ```text
//!   Session --Fact--+                        +--Wish--> Session
//!                   +--> painter's thread ---+--NextKeys--> Stdin
//!   Stdin  --Keys---+        State           +--cells--> terminal
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
//! Each edge has its bound: so many facts may wait, and then the Session is held up as by a slow
//! screen in line mode; keys are read when the painter asks for them. However much arrives, it is drawn
//! a bounded number of times a second, and nothing wakes up while nothing happens.

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

/// Facts that may wait to be taken in: a burst does not hold the connection up, a stop does.
const WAITING: usize = 1024;

/// What the painter is told.
#[derive(Debug)]
pub enum TuiNotice {
    /// Something happened.
    Session(SessionEvent),
    /// Keys were pressed, the mouse was moved, the terminal has another size.
    Keys(Vec<Event>),
    /// The terminal is gone.
    NoKeys,
    /// Somebody had the text that is typed edited, or wanted to.
    Edited(io::Result<String>),
    /// It is over: the terminal is to be as it was.
    Finish(oneshot::Sender<()>),
}

/// The handle that facts are given to.
#[derive(Debug, Clone)]
pub struct TuiHandle(SyncSender<TuiNotice>);

impl TuiHandle {
    /// A handle, and what the painter listens to.
    pub fn new() -> (Self, Receiver<TuiNotice>) {
        let (told, waiting) = mpsc::sync_channel(WAITING);
        (Self(told), waiting)
    }

    /// Tells that something happened.
    pub fn tell(&self, event: SessionEvent) {
        self.give(TuiNotice::Session(event));
    }

    /// Tells what was done at the terminal; without anything: that it is gone.
    pub fn keys(&self, events: Option<Vec<Event>>) {
        self.give(events.map_or(TuiNotice::NoKeys, TuiNotice::Keys));
    }

    /// Ends when the terminal is as it was.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        let told = self.0.clone();
        // On a thread of its own: there may be no room for it before the painter has drawn.
        thread::spawn(move || told.send(TuiNotice::Finish(done)).ok());
        finished.await.ok();
    }

    fn give(&self, told: TuiNotice) {
        // The painter ends last; after a panic of its own nobody is left to be told.
        self.0.send(told).ok();
    }
}

#[cfg(test)]
mod tests;
