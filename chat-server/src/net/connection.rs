//! One connection, as its session (which reads) and the dispatcher of its thread (which writes) share
//! it. It never leaves its thread.

use std::cell::{Cell, OnceCell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use chat_proto::codec::encode;
use chat_proto::{ErrorCode, Event, MAX_FRAME_BYTES, Welcome};
use smallvec::SmallVec;
use tokio::io::ReadBuf;
use tokio_util::time::delay_queue;

use super::errand::Errand;
use super::outbox::{Job, Outbox, Output, Written};
use super::piece::Piece;
use super::places::Permit;
use super::table::Table;
use super::transport::{Kind, Transport};
use super::web::socket::{Received, text_messages};
use crate::chat::batch::Replay;
use crate::chat::room::Leave;
use crate::chat::{ChannelKey, SessionId};
use crate::store::history;

/// Maximum unanswered requests of a session; at this limit the session stops reading its socket.
pub const CREDIT: u32 = 512;

/// Credit of a `history` request. The page is read only when it can be written.
pub const PAGE_COST: u32 = 16;

/// Returns the credit of a request whose answer may fill a frame. All such answers in flight fit
/// into half of the send queue, the half that is free while the session reads.
pub fn list_cost(send_queue_bytes: usize) -> u32 {
    let lists = (send_queue_bytes / 2 / MAX_FRAME_BYTES).max(1);
    u32::try_from(lists).map_or(PAGE_COST, |lists| CREDIT.div_ceil(lists).max(PAGE_COST))
}

/// How long a connection may take to read its last words.
pub const GOODBYE: Duration = Duration::from_secs(5);

/// How long a client has to close its side once it has its last words: closing before it would make
/// the kernel throw them away.
pub const LINGER: Duration = Duration::from_secs(1);

/// The life of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Has not been welcomed.
    Greeting,
    /// Has been welcomed.
    Joined {
        /// A ping is unanswered.
        pinged: bool,
    },
    /// Nothing more is put into its outbox; ends when that is empty and the client has closed, or when
    /// its time is over.
    Closing,
    /// To be dropped as it is.
    Broken,
}

/// A session that is let in, as the room has decided it.
#[derive(Debug)]
pub struct Arrival {
    pub welcome: Welcome<'static>,
    pub replay: Replay,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Connection {
    pub id: SessionId,
    pub peer: SocketAddr,
    pub phase: Cell<Phase>,
    /// Why it ends, as the others are told.
    pub reason: Cell<&'static str>,
    /// The last time that something came from the client.
    pub heard: Cell<Instant>,
    /// Requests that are unanswered.
    pub unanswered: Cell<u32>,
    /// A `quit` is on its way: whether it was taken is known when it is answered, so nothing is read
    /// before.
    pub quitting: Cell<bool>,
    /// The time for a `hello` is over, and what came in it is being answered: nothing is read before.
    pub late: Cell<bool>,
    /// Its session does not read on for now.
    held_up: Cell<bool>,
    /// What the log line at the end tells.
    pub opened: Instant,
    pub requests: Cell<u64>,
    pub nick: OnceCell<Arc<str>>,
    /// The channels whose messages it gets, and its place in each, kept by the [`Table`].
    pub(super) places: RefCell<SmallVec<[(ChannelKey, u32); 2]>>,
    pub(super) timer: Cell<Option<delay_queue::Key>>,
    /// Is in the dispatcher's list of those to be written to.
    pub(super) dirty: Cell<bool>,
    /// How far into the frames of the present batch it has been given what is its.
    pub(super) given: Cell<u32>,
    /// What it wants of the accounts; its session reads nothing more until it is back.
    pub(super) errand: RefCell<Errand>,
    /// How often it has failed to prove who it is.
    pub(super) strikes: Cell<u8>,
    outbox: RefCell<Outbox>,
    transport: RefCell<Transport>,
    /// What was written has not all left the transport.
    unflushed: Cell<bool>,
    /// What waits here, as the table has counted it.
    counted_bytes: Cell<usize>,
    /// More than half of what may wait here does.
    lags: Cell<bool>,
    /// The client has been told that nothing more comes.
    shut_down: Cell<bool>,
    session: RefCell<Option<Waker>>,
    /// The place among the connections that may be open, given back when it is dropped. Here, because
    /// with it the session's task would be of the next larger size: 100 bytes for each idle connection.
    pub(super) permit: RefCell<Option<Permit>>,
}

impl Connection {
    pub fn new(id: SessionId, peer: SocketAddr, transport: Transport, permit: Permit) -> Self {
        let now = Instant::now();
        Self {
            id,
            peer,
            phase: Cell::new(Phase::Greeting),
            reason: Cell::new(crate::chat::registry::DISCONNECTED),
            heard: Cell::new(now),
            unanswered: Cell::new(0),
            quitting: Cell::new(false),
            late: Cell::new(false),
            held_up: Cell::new(false),
            opened: now,
            requests: Cell::new(0),
            nick: OnceCell::new(),
            places: RefCell::default(),
            timer: Cell::new(None),
            dirty: Cell::new(false),
            given: Cell::new(0),
            errand: RefCell::default(),
            strikes: Cell::new(0),
            outbox: RefCell::default(),
            transport: RefCell::new(transport),
            unflushed: Cell::new(false),
            counted_bytes: Cell::new(0),
            lags: Cell::new(false),
            shut_down: Cell::new(false),
            session: RefCell::new(None),
            permit: RefCell::new(Some(permit)),
        }
    }

    /// Whether it may still be told something.
    pub fn is_open(&self) -> bool {
        matches!(self.phase.get(), Phase::Greeting | Phase::Joined { .. })
    }

    /// Whether its session may read on: not while it is owed too many answers, or its client reads too
    /// little of them. Where not, [`Connection::flush`] wakes it when it may.
    pub fn may_read(&self, send_queue_bytes: usize) -> bool {
        let most = if self.quitting.get() { 1 } else { CREDIT };
        let may = self.unanswered.get() < most
            && !self.has_errand()
            && !(self.late.get() && self.phase.get() == Phase::Greeting)
            && self.outbox.borrow().waiting_bytes() <= send_queue_bytes / 2;
        self.held_up.set(!may);
        may
    }

    pub fn has_waiting(&self) -> bool {
        !self.outbox.borrow().is_empty() || self.unflushed.get()
    }

    /// Whether the transport takes no more for now.
    fn is_blocked(&self) -> bool {
        self.outbox.borrow().is_blocked() || self.unflushed.get()
    }

    /// Whom to wake when something has changed that the session has to look at.
    pub fn watch(&self, waker: &Waker) {
        let mut session = self.session.borrow_mut();
        if !session.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *session = Some(waker.clone());
        }
    }

    pub fn wake(&self) {
        if let Some(session) = &*self.session.borrow() {
            session.wake_by_ref();
        }
    }

    /// Reads once.
    pub(super) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.transport.borrow_mut().poll_read(cx, buffer)
    }

    /// Goes on writing where the transport took no more, if it does now; wakes the session if it may
    /// be tried later.
    pub(super) fn poll_blocked(&self, cx: &mut Context<'_>, table: &Table) {
        let mut tried = false;
        while self.is_blocked() && self.phase.get() != Phase::Broken {
            // Bound first: writing needs the transport again.
            let writable = self.transport.borrow_mut().poll_writable(tried, cx);
            match writable {
                Poll::Ready(Ok(())) => {
                    self.outbox.borrow_mut().unblock();
                    self.unflushed.set(false);
                    self.flush(table);
                }
                Poll::Ready(Err(_)) => self.break_off(),
                Poll::Pending => break,
            }
            tried = true;
        }
    }

    /// What somebody at a WebSocket has said with these bytes; nothing where frames are spoken.
    pub(super) fn receive(&self, wire: &[u8]) -> Option<Received> {
        let mut transport = self.transport.borrow_mut();
        let received = transport.web_socket()?.receive(wire);
        drop(transport);
        if self.is_open() && !received.replies.is_empty() {
            self.outbox
                .borrow_mut()
                .push(received.replies.clone().into());
        }
        Some(received)
    }

    /// Whether the client has said its last word, as far as a WebSocket can tell.
    pub(super) fn is_over(&self) -> bool {
        let mut transport = self.transport.borrow_mut();
        transport
            .web_socket()
            .is_some_and(|socket| socket.is_over())
    }

    pub(super) fn kind(&self) -> Kind {
        self.transport.borrow().kind()
    }

    /// Frames as they travel here.
    fn formed(&self, frames: Bytes) -> Bytes {
        if self.transport.borrow().is_web() {
            text_messages(&frames)
        } else {
            frames
        }
    }

    /// Puts frames behind what waits; [`Connection::flush`] writes them.
    pub(super) fn push(&self, frames: Bytes) {
        if self.is_open() && !frames.is_empty() {
            self.outbox.borrow_mut().push(self.formed(frames).into());
        }
    }

    /// The same with what others are given too.
    pub(super) fn push_piece(&self, piece: &Piece) {
        if self.is_open() {
            let shared = piece.formed(&self.transport.borrow());
            self.outbox.borrow_mut().push(shared);
        }
    }

    pub(super) fn push_job(&self, job: Job) {
        if self.is_open() {
            self.outbox.borrow_mut().push_job(job);
        }
    }

    pub fn push_event(&self, event: &Event<'_>) {
        let mut frame = BytesMut::new();
        encode(event, &mut frame).expect("what the net says by itself is short");
        self.push(frame.freeze());
    }

    /// The history has answered the job that was begun.
    pub(super) fn answered(&self, bytes: Bytes, rest: Option<Job>) {
        self.outbox.borrow_mut().answered(self.formed(bytes), rest);
    }

    /// Writes what the socket takes. Whoever lets more wait than allowed is let go.
    pub fn flush(&self, table: &Table) {
        if self.shut_down.get() {
            return;
        }
        let written = self.write(table);
        match written {
            Ok(Written::All) => {
                if !self.is_open() {
                    self.wake();
                }
            }
            Ok(Written::Blocked) => {
                let waiting = self.outbox.borrow().waiting_bytes();
                if self.is_open() && waiting > table.limits().send_queue_bytes {
                    self.let_go(table);
                }
                // The session waits for the socket, as it has the task for it.
                self.wake();
            }
            Ok(Written::Until(job)) => self.begin(job, table),
            Err(_) => self.break_off(),
        }
        self.count(table);
        if self.held_up.get() && self.may_read(table.limits().send_queue_bytes) {
            self.wake();
        }
    }

    /// Counts anew what waits here.
    fn count(&self, table: &Table) {
        let waiting = self.outbox.borrow().waiting_bytes();
        table.count_waiting(self.counted_bytes.replace(waiting), waiting);
        // Whoever is let go holds nobody up, however long the last words take.
        let lags = self.is_open() && waiting > table.limits().send_queue_bytes / 2;
        table.count_lagging(self, self.lags.replace(lags), lags);
    }

    /// Nothing waits here any more: the connection has ended.
    pub(super) fn count_out(&self, table: &Table) {
        table.count_waiting(self.counted_bytes.take(), 0);
        table.count_lagging(self, self.lags.take(), false);
    }

    /// Returns whether more than half of the send queue is in use.
    pub(super) fn lags(&self) -> bool {
        self.lags.get()
    }

    /// Returns whether the history is asked and has not answered yet.
    pub(super) fn is_reading_history(&self) -> bool {
        self.outbox.borrow().is_reading()
    }

    /// What waits here, as the table has counted it.
    pub(super) fn counted_bytes(&self) -> usize {
        self.counted_bytes.get()
    }

    fn write(&self, table: &Table) -> io::Result<Written> {
        let session = self.session.borrow();
        let cx = &mut Context::from_waker(session.as_ref().unwrap_or(Waker::noop()));
        let transport = &mut *self.transport.borrow_mut();
        let written = self.outbox.borrow_mut().write(|output| {
            let taken = match output {
                Output::Slices(slices) => transport.try_write(slices, cx)?,
                Output::Staged(shared) => transport.try_write_shared(shared, cx)?,
            };
            table.counts.sent_bytes.add(taken as u64);
            Ok(taken)
        })?;
        self.unflushed.set(!transport.is_flushed(cx)?);
        Ok(match written {
            Written::All if self.unflushed.get() => Written::Blocked,
            written => written,
        })
    }

    fn begin(&self, job: Job, table: &Table) {
        let what = match job {
            Job::Welcome(arrival) => history::HistoryRequest::Missed(arrival),
            Job::Rest(plan) => history::HistoryRequest::Rest(plan),
            Job::Page { page, upto } => history::HistoryRequest::Page { page, upto },
        };
        table.read_history(self, what);
    }

    /// Too much waits for a client that does not read it.
    pub(super) fn let_go(&self, table: &Table) {
        log::debug!("session {:?}: lets too much wait, is let go", self.id);
        table.counts.slow_consumers.add(1);
        if self.is_reading_history() {
            table.cancel_read(self.id);
        }
        self.outbox.borrow_mut().discard();
        self.reason.set("slow consumer");
        self.refuse(
            ErrorCode::SlowConsumer,
            "you read too slowly; come back with your token",
            table,
        );
    }

    /// Says why, and closes. The others hear of it now, not when the last words are read.
    pub fn refuse(&self, code: ErrorCode, detail: &'static str, table: &Table) {
        table.room.do_send(Leave {
            session: self.id,
            reason: self.reason.get(),
        });
        table.counts.refuses(code);
        self.push_event(&Event::Error {
            code,
            detail: detail.into(),
            id: None,
        });
        self.close(table);
    }

    /// Nothing more is said; the session ends when what waits is written.
    pub fn close(&self, table: &Table) {
        if self.is_open() {
            self.phase.set(Phase::Closing);
            table.leave_channels(self);
            if self.is_reading_history() {
                table.read_history_last(self.id);
            }
            table.set_timer(self, GOODBYE);
            self.wake();
        }
    }

    /// Ends at once, as it is.
    pub fn break_off(&self) {
        self.phase.set(Phase::Broken);
        self.wake();
    }

    /// Tells the client that nothing more comes; true the first time.
    pub(super) fn shut_down(&self, cx: &mut Context<'_>) -> bool {
        let first = !self.shut_down.replace(true);
        if first && self.transport.borrow_mut().shut_down(cx).is_pending() {
            // It has not read what it was sent: it loses nothing but the politeness.
            log::debug!("session {:?}: is closed without a goodbye", self.id);
        }
        first
    }
}

/// An error of a socket that was never more than that: nobody need hear of it.
pub fn is_ordinary(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::session::Session;

    /// What a person who only listens costs, and everything that is added to each of them. A session
    /// is part of its actor's task, which with 32 bytes more would be 128 larger.
    #[test]
    fn an_idle_connection_is_small() {
        assert!(
            size_of::<Connection>() <= 376,
            "{}",
            size_of::<Connection>()
        );
        assert!(size_of::<Session>() <= 64, "{}", size_of::<Session>());
    }
}
