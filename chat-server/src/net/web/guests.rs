//! Connections of those who watch over the server (`listen.metrics`): they take none of the places for
//! connections. They are few, and each that comes is let in: the silent one that has been here for longest
//! goes, or the oldest where all have asked something.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::task::JoinHandle;

use super::stream::Visit;

/// On each thread. More than are accepted in one turn, so that each has a turn to be read.
const GUESTS_MAX: usize = 128;

/// See the head of this file. The first has been here for longest.
#[derive(Debug, Default)]
pub(super) struct Guests(RefCell<VecDeque<Guest>>);

#[derive(Debug)]
struct Guest {
    visit: Rc<Visit>,
    serving: JoinHandle<()>,
}

impl Guests {
    /// Adds one that is being served; another goes where there are too many.
    pub(super) fn add(&self, visit: Rc<Visit>, serving: JoinHandle<()>) {
        let mut guests = self.0.borrow_mut();
        guests.retain(|guest| !guest.serving.is_finished());
        if guests.len() >= GUESTS_MAX {
            let silent = guests.iter().position(|guest| guest.visit.is_silent());
            if let Some(guest) = guests.remove(silent.unwrap_or(0)) {
                log::debug!("{}: is closed for the next", guest.visit.peer);
                guest.serving.abort();
            }
        }
        guests.push_back(Guest { visit, serving });
    }
}
