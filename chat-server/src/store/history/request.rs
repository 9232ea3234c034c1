//! What the history is asked for and what it answers.

use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;
use chat_proto::Welcome;

use super::filter::Wanted;
use crate::chat::SessionId;
use crate::chat::effect::Page;
use crate::chat::token::Id;
use crate::error::HistoryError;
use crate::net::connection::Arrival;
use crate::store::log::Place;

/// What is to be read for a session.
#[derive(Debug)]
pub struct Read {
    pub session: SessionId,
    pub what: What,
    pub reply: Recipient<Answer>,
}

/// What can be read.
#[derive(Debug)]
pub enum What {
    /// A page of messages up to `upto`.
    Page { page: Box<Page>, upto: u64 },
    /// What was missed, before the welcome's `seq`.
    Missed(Box<Arrival>),
    /// More of what was missed.
    Rest(Box<Plan>),
}

/// Lines that are still to be read.
#[derive(Debug)]
pub struct Plan {
    pub(super) wanted: Wanted,
    /// The last one first.
    pub(super) places: Vec<Place>,
}

/// What was read.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Answer {
    pub session: SessionId,
    pub answered: Result<Answered, HistoryError>,
}

/// See [`What`].
#[derive(Debug)]
pub enum Answered {
    /// The frame of the page.
    Page(Bytes),
    /// The lines of the page are not in the file any more; the request bore this id.
    Unreadable { id: Option<Id> },
    /// Nor are the next frames: what is missing cannot be told behind the welcome.
    BrokenOff,
    /// The page is empty, and nobody has the nick.
    NoSuchUser { with: Arc<str>, id: Option<Id> },
    /// What the welcome has to say of it, and the first frames.
    Missed {
        welcome: Box<Welcome<'static>>,
        gap: bool,
        frames: Bytes,
        rest: Option<Box<Plan>>,
    },
    /// The next frames.
    Rest {
        frames: Bytes,
        rest: Option<Box<Plan>>,
    },
}
