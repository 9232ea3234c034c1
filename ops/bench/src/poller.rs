//! epoll, level-triggered, with a time-out in nanoseconds: a paced sender may not be late by a whole
//! millisecond. Both the generator and the `limit` server turn on it.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use crate::error::{Doing, Result};

/// As many as one turn handles before it does its own work again.
const EVENTS_PER_TURN: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Poller(OwnedFd);

/// What is ready: its key, and for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    pub(crate) key: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

/// The buffer of a turn.
pub(crate) struct Events(Vec<Event>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(EVENTS_PER_TURN))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Ready> + '_ {
        self.0.iter().map(|event| {
            let (flags, data) = (event.flags, event.data);
            Ready {
                key: data.u64(),
                // An error or a hang-up is found out by reading.
                readable: flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR),
                writable: flags.contains(EventFlags::OUT),
            }
        })
    }
}

impl Poller {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(
            epoll::create(CreateFlags::CLOEXEC).doing("epoll_create")?,
        ))
    }

    pub(crate) fn add(&self, fd: impl AsFd, key: u64) -> Result<()> {
        epoll::add(&self.0, fd, EventData::new_u64(key), EventFlags::IN).doing("epoll_ctl")
    }

    /// Whether to be told, too, when the socket takes bytes again.
    pub(crate) fn watch_writable(&self, fd: impl AsFd, key: u64, writable: bool) -> Result<()> {
        let flags = if writable {
            EventFlags::IN | EventFlags::OUT
        } else {
            EventFlags::IN
        };
        epoll::modify(&self.0, fd, EventData::new_u64(key), flags).doing("epoll_ctl")
    }

    pub(crate) fn remove(&self, fd: impl AsFd) -> Result<()> {
        epoll::delete(&self.0, fd).doing("epoll_ctl")
    }

    /// Fills `events` with what is ready, waiting for the first at most `timeout` (`None`: for ever).
    pub(crate) fn wait(&self, events: &mut Events, timeout: Option<Duration>) -> Result<()> {
        events.0.clear();
        let timeout = timeout
            .map(|timeout| Timespec::try_from(timeout).expect("the time-outs here are short"));
        match epoll::wait(&self.0, spare_capacity(&mut events.0), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => Err(error).doing("epoll_wait"),
        }
    }
}
