//! An accepted connection as HTTP is served over it, with its place among those that may be open: both
//! go on to the session when it becomes a WebSocket.
//!
//! The HTTP library has a timeout for the head of the first request only. [`Stream`] adds a
//! deadline for every request, body included, and fails reads and writes after it.

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
use super::CLOCK_STEP;

/// How long a client may read nothing of its answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(6);

/// How much is read at once. The HTTP library answers all requests in its buffer.
const READ_BYTES: usize = 4096;

/// State of a connection that the stream and the request checks share.
#[derive(Debug)]
pub(super) struct HttpConnection {
    pub(super) peer: SocketAddr,
    /// Absent on the metrics listener.
    permit: RefCell<Option<Permit>>,
    /// Maximum duration of a request, head and body.
    request_timeout: Duration,
    phase: Cell<RequestPhase>,
}

#[derive(Debug, Clone, Copy)]
enum RequestPhase {
    /// Accepted at this time, no complete request head yet.
    Silent(Instant),
    /// Response in progress or complete; time of the last progress.
    Responding(Instant),
    /// A request with a body began at this time. The connection closes at its deadline.
    WithBody(Instant),
}

impl HttpConnection {
    fn new(peer: SocketAddr, permit: Option<Permit>, request_timeout: Duration) -> Self {
        Self {
            peer,
            permit: RefCell::new(permit),
            request_timeout,
            phase: Cell::new(RequestPhase::Silent(Instant::now())),
        }
    }

    /// Returns whether no request head is complete yet.
    pub(super) fn is_silent(&self) -> bool {
        matches!(self.phase.get(), RequestPhase::Silent(_))
    }

    /// Attributes the connection to a client address, unless it has one; returns false at the
    /// address's limit.
    pub(super) fn attribute_to(&self, person: IpAddr) -> bool {
        let mut permit = self.permit.borrow_mut();
        permit.as_mut().is_some_and(|permit| permit.is_of(person))
    }

    /// Records a complete request head; the response follows immediately. Returns whether it is the only
    /// request of the connection.
    pub(super) fn on_request(&self, has_body: bool) -> bool {
        let phase = self.phase.get();
        match phase {
            RequestPhase::Silent(since) if has_body => {
                self.phase.set(RequestPhase::WithBody(since));
            }
            RequestPhase::Silent(_) => {
                self.phase.set(RequestPhase::Responding(Instant::now()));
            }
            RequestPhase::WithBody(_) | RequestPhase::Responding(_) => {}
        }
        matches!(phase, RequestPhase::Silent(_))
    }

    fn on_write(&self) {
        if let RequestPhase::Responding(_) = self.phase.get() {
            self.phase.set(RequestPhase::Responding(Instant::now()));
        }
    }

    fn deadline(&self) -> Instant {
        match self.phase.get() {
            // The library responds with 408 before this.
            RequestPhase::Silent(since) => since + self.request_timeout + 2 * CLOCK_STEP,
            RequestPhase::WithBody(since) => since + self.request_timeout,
            RequestPhase::Responding(since) => since + WRITE_TIMEOUT,
        }
    }
}

/// Counts an open HTTP connection until it is dropped.
#[derive(Debug)]
struct OpenGauge(Arc<Counts>);

impl OpenGauge {
    fn new(counts: Arc<Counts>) -> Self {
        counts.opens(Kind::Http);
        Self(counts)
    }
}

impl Drop for OpenGauge {
    fn drop(&mut self) {
        self.0.closes(Kind::Http);
    }
}

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Stream {
    transport: Transport,
    state: Rc<HttpConnection>,
    alarm: Pin<Box<Sleep>>,
    _gauge: OpenGauge,
}

impl Stream {
    pub(super) fn new(
        transport: Transport,
        permit: Option<Permit>,
        peer: SocketAddr,
        request_timeout: Duration,
        counts: &Arc<Counts>,
    ) -> Self {
        let state = Rc::new(HttpConnection::new(peer, permit, request_timeout));
        Self {
            transport,
            alarm: Box::pin(sleep_until(state.deadline())),
            state,
            _gauge: OpenGauge::new(counts.clone()),
        }
    }

    pub(super) fn state(&self) -> &Rc<HttpConnection> {
        &self.state
    }

    /// Returns the parts that a session takes over; `None` on the metrics listener.
    pub(super) fn into_parts(self) -> Option<(Transport, Permit)> {
        let permit = self.state.permit.take();
        permit.map(|permit| (self.transport, permit))
    }

    /// Fails after the deadline of the request; before it, schedules a wakeup at the deadline.
    fn check_deadline(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let deadline = self.state.deadline();
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
        self.check_deadline(cx)?;
        if let RequestPhase::Responding(_) = self.state.phase.get() {
            // The end of the stream: pipelined requests are not read.
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [0; READ_BYTES];
        let mut part = ReadBuf::new(&mut bytes[..READ_BYTES.min(buffer.remaining())]);
        let read = self.transport.poll_read(cx, &mut part);
        buffer.put_slice(part.filled());
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
            self.state.on_write();
        }
        self.check_deadline(cx)?;
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_shutdown(cx)
    }
}
