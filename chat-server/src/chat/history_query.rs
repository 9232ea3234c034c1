//! The port between sessions and the history: what a session reads, and how it is answered.
//! `store::history` implements it, `net` uses it.

use std::any::Any;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use bytes::Bytes;
use chat_proto::Welcome;

use super::SessionId;
use super::effect::{Page, Replay};
use super::token::Id;

/// A read for a session.
#[derive(Debug)]
pub struct HistoryRequest {
    pub session: SessionId,
    pub query: HistoryQuery,
    pub reply: Recipient<HistoryResponse>,
}

/// What is read.
#[derive(Debug)]
pub enum HistoryQuery {
    /// A page of messages up to `upto`.
    Page { page: Box<Page>, upto: u64 },
    /// The missed messages before the `seq` of the welcome.
    Missed(Box<ResumeRequest>),
    /// More of the missed messages.
    Rest(ReplayCursor),
}

/// A session that the room has welcomed, and the messages that it missed.
#[derive(Debug)]
pub struct ResumeRequest {
    pub welcome: Welcome<'static>,
    pub replay: Replay,
}

/// The position of a replay that is read in parts. Only the implementation of the port looks inside.
pub struct ReplayCursor(Box<dyn Any + Send>);

impl ReplayCursor {
    pub fn new(position: impl Any + Send) -> Self {
        Self(Box::new(position))
    }

    /// Returns the position if it is a `T`.
    pub fn into_position<T: Any>(self) -> Option<Box<T>> {
        self.0.downcast().ok()
    }
}

impl fmt::Debug for ReplayCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplayCursor")
    }
}

/// The answer to a session.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct HistoryResponse {
    pub session: SessionId,
    /// An error is the cause, for the log: the history cannot be read.
    pub answer: Result<HistoryAnswer, String>,
}

/// What was read.
#[derive(Debug)]
pub enum HistoryAnswer {
    /// The frame of the page.
    Page(Bytes),
    /// The file has lost the lines of the page; the `id` of the request.
    Unreadable { id: Option<Id> },
    /// The file has lost the next lines: the replay cannot continue.
    BrokenOff,
    /// The page is empty, and the nick has no holder.
    NoSuchUser { with: Arc<str>, id: Option<Id> },
    /// The welcome, and the first frames of the replay.
    Missed {
        welcome: Box<Welcome<'static>>,
        gap: bool,
        frames: Bytes,
        rest: Option<ReplayCursor>,
    },
    /// The next frames of the replay.
    Rest {
        frames: Bytes,
        rest: Option<ReplayCursor>,
    },
}

/// Reads the history, on threads of its own. A session has at most one read at a time.
pub trait HistoryReader: fmt::Debug + Send + Sync {
    /// Queues the read of a session at `address`.
    fn read(&self, address: IpAddr, request: HistoryRequest);

    /// Serves the queued read of a closing session behind all others.
    fn put_last(&self, session: SessionId);

    /// Drops the queued read of a session that has ended.
    fn cancel(&self, session: SessionId);
}
