//! Requests to the history and their responses.

use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;
use chat_proto::Welcome;

use super::filter::MessageFilter;
use crate::chat::SessionId;
use crate::chat::batch::Page;
use crate::chat::command::Id;
use crate::error::HistoryError;
use crate::net::connection::Arrival;
use crate::store::log::LinePosition;

/// A request of a session.
#[derive(Debug)]
pub struct Read {
    pub session: SessionId,
    pub request: HistoryRequest,
    pub reply: Recipient<Answer>,
}

/// What to read.
#[derive(Debug)]
pub enum HistoryRequest {
    /// A page of messages up to `upto`.
    Page { page: Box<Page>, upto: u64 },
    /// Missed messages, up to the `seq` of the welcome.
    Missed(Box<Arrival>),
    /// More of what was missed.
    Rest(Box<ReplayCursor>),
}

/// Lines of a replay that are still to be read.
#[derive(Debug)]
pub struct ReplayCursor {
    pub(super) filter: MessageFilter,
    /// The last one first.
    pub(super) positions: Vec<LinePosition>,
}

/// The answer to a [`Read`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Answer {
    pub session: SessionId,
    pub response: Result<HistoryResponse, HistoryError>,
}

/// The response to a [`HistoryRequest`].
#[derive(Debug)]
pub enum HistoryResponse {
    /// The frame of the page.
    Page(Bytes),
    /// The lines of the page are not in the file any more; the request bore this id.
    Unreadable { id: Option<Id> },
    /// Nor are the next frames: what is missing cannot be told behind the welcome.
    BrokenOff,
    /// The page is empty, and no user has the nick.
    NoSuchUser { with: Arc<str>, id: Option<Id> },
    /// The welcome of a resumed session and the first frames.
    Missed {
        welcome: Box<Welcome<'static>>,
        gap: bool,
        frames: Bytes,
        rest: Option<Box<ReplayCursor>>,
    },
    /// The next frames.
    Rest {
        frames: Bytes,
        rest: Option<Box<ReplayCursor>>,
    },
}
