//! The full screen: what the Session and the keyboard tell it, as one state, drawn by one thread.
//!
#![doc = include_str!("../docs/terminal.svg")]
//!
//! ```text
//!   Session --Fact--+                        +--Wish--> Session
//!                   +--> painter's thread ---+--NextKeys--> Stdin
//!   Stdin  --Keys---+        State           +--cells--> terminal
//! ```
//!
//! | file | what | touches |
//! | --- | --- | --- |
//! | [`fact`], [`wish`], [`arrival`] | what is told, what is wanted | nothing |
//! | [`state`], `facts`, `fetch`, [`conversation`], [`presence`], [`lines`] | everything that is known | nothing |
//! | [`keys`], `acts`, `mouse`, [`picker`] | what keys and the mouse do to it | nothing |
//! | [`layout`], [`draw`], [`messages`], `scroll`, [`places`], [`people`], [`status`], [`help`], [`links`] | how it looks | nothing |
//! | [`wrap`], [`colour`], [`look`] | rows, colours, times | nothing |
//! | [`measure`] | what terminals measure differently | nothing |
//! | [`painter`] | the thread that draws | the terminal |
//! | [`opening`] | what the settings and the environment make of it | the environment |
//! | [`stage`] | the terminal in full screen, and as it was | the terminal |
//!
//! Each edge has its bound: so many facts may wait, and then the Session is held up as by a slow
//! screen in line mode; keys are read when the painter asks for them. However much arrives, it is drawn
//! a bounded number of times a second, and nothing wakes up while nothing happens.

mod acts;
pub mod arrival;
pub mod colour;
pub mod conversation;
pub mod draw;
pub mod fact;
mod facts;
mod fetch;
pub mod help;
pub mod keys;
pub mod layout;
pub mod lines;
pub mod links;
pub mod look;
pub mod measure;
pub mod messages;
mod mouse;
pub mod opening;
pub mod painter;
pub mod people;
pub mod picker;
pub mod places;
pub mod presence;
mod scroll;
pub mod stage;
pub mod state;
pub mod status;
pub mod wish;
pub mod wrap;

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use crossterm::event::Event;
use tokio::sync::oneshot;

use self::fact::Fact;

/// Facts that may wait to be taken in: a burst does not hold the connection up, a stop does.
const WAITING: usize = 1024;

/// What the painter is told.
#[derive(Debug)]
pub enum Told {
    /// Something happened.
    Fact(Fact),
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
pub struct Window(SyncSender<Told>);

impl Window {
    /// A handle, and what the painter listens to.
    pub fn new() -> (Self, Receiver<Told>) {
        let (told, waiting) = mpsc::sync_channel(WAITING);
        (Self(told), waiting)
    }

    /// Tells that something happened.
    pub fn tell(&self, fact: Fact) {
        self.give(Told::Fact(fact));
    }

    /// Tells what was done at the terminal; without anything: that it is gone.
    pub fn keys(&self, events: Option<Vec<Event>>) {
        self.give(events.map_or(Told::NoKeys, Told::Keys));
    }

    /// Ends when the terminal is as it was.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        let told = self.0.clone();
        // On a thread of its own: there may be no room for it before the painter has drawn.
        thread::spawn(move || told.send(Told::Finish(done)).ok());
        finished.await.ok();
    }

    fn give(&self, told: Told) {
        // The painter ends last; after a panic of its own nobody is left to be told.
        self.0.send(told).ok();
    }
}

#[cfg(test)]
mod tests;
