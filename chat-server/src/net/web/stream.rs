//! An accepted connection as HTTP is served over it, with its place among those that may be open: both
//! go on to the session when it becomes a WebSocket.
//!
//! The HTTP library bounds the time of the first request's head, and no body. So the connection itself has a
//! time for each request, and ends when that is over.

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::super::counts::Counts;
use super::super::places::Permit;
use super::super::transport::{Kind, Transport};
use super::{CLOCK_STEP, KEEP_ALIVE};

/// What is known of a connection while it is served.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) peer: SocketAddr,
    /// Its place; a guest has none.
    permit: RefCell<Option<Permit>>,
    /// How long a request may take, head and body.
    request_timeout: Duration,
    phase: Cell<Phase>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Its first request has not come since then.
    Silent(Instant),
    /// A further request began then.
    Asking(Instant),
    /// The last request was answered, or some of the answer was written, then.
    Answered(Instant),
    /// A request with a body began then. It is the last: its connection ends in time, wherever the body does.
    Last(Instant),
}

impl Visit {
    fn new(peer: SocketAddr, permit: Option<Permit>, request_timeout: Duration) -> Self {
        Self {
            peer,
            permit: RefCell::new(permit),
            request_timeout,
            phase: Cell::new(Phase::Silent(Instant::now())),
        }
    }

    /// Returns whether no request has come.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase.get(), Phase::Silent(_))
    }

    /// Counts the connection as one of that person, where it has not been counted as anybody's; false if
    /// they have as many as they may.
    pub(super) fn is_of(&self, person: IpAddr) -> bool {
        let mut permit = self.permit.borrow_mut();
        permit.as_mut().is_some_and(|permit| permit.is_of(person))
    }

    /// The head of a request is there, and its answer follows at once.
    pub(super) fn is_asked(&self, has_body: bool) {
        let now = Instant::now();
        self.phase.set(match self.phase.get() {
            Phase::Last(since) => Phase::Last(since),
            Phase::Silent(since) | Phase::Asking(since) if has_body => Phase::Last(since),
            Phase::Answered(_) if has_body => Phase::Last(now),
            _ => Phase::Answered(now),
        });
    }

    fn has_read(&self) {
        if let Phase::Answered(_) = self.phase.get() {
            self.phase.set(Phase::Asking(Instant::now()));
        }
    }

    fn has_written(&self) {
        if let Phase::Answered(_) = self.phase.get() {
            self.phase.set(Phase::Answered(Instant::now()));
        }
    }

    fn deadline(&self) -> Instant {
        match self.phase.get() {
            // The library says 408 before.
            Phase::Silent(since) => since + self.request_timeout + 2 * CLOCK_STEP,
            Phase::Asking(since) | Phase::Last(since) => since + self.request_timeout,
            // The library ends a connection that is idle before.
            Phase::Answered(since) => since + KEEP_ALIVE + 2 * CLOCK_STEP,
        }
    }
}

/// A connection that is counted as open while it is served over HTTP.
#[derive(Debug)]
struct Counted(Arc<Counts>);

impl Counted {
    fn new(counts: Arc<Counts>) -> Self {
        counts.opens(Kind::Http);
        Self(counts)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.closes(Kind::Http);
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    visit: Rc<Visit>,
    alarm: Pin<Box<Sleep>>,
    _counted: Counted,
}

impl Stream {
    pub(super) fn new(
        transport: Transport,
        permit: Option<Permit>,
        peer: SocketAddr,
        request_timeout: Duration,
        counts: &Arc<Counts>,
    ) -> Self {
        let visit = Rc::new(Visit::new(peer, permit, request_timeout));
        Self {
            transport,
            alarm: Box::pin(sleep_until(visit.deadline())),
            visit,
            _counted: Counted::new(counts.clone()),
        }
    }

    pub(super) fn visit(&self) -> &Rc<Visit> {
        &self.visit
    }

    /// What goes on to a session; nothing of a guest.
    pub(super) fn into_parts(self) -> Option<(Transport, Permit)> {
        let permit = self.visit.permit.take();
        permit.map(|permit| (self.transport, permit))
    }

    /// Fails when the time of the request is over; else the task is woken then.
    fn check_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let deadline = self.visit.deadline();
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        match self.alarm.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = self.transport.poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.visit.has_read();
        }
        self.check_time(cx)?;
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.transport.as_stream().poll_write(cx, bytes);
        if written.is_ready() {
            self.visit.has_written();
        }
        self.check_time(cx)?;
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_shutdown(cx)
    }
}
