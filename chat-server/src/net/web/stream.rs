//! An accepted connection as HTTP is served over it, with its place among those that may be open: the
//! place goes on to the session when it becomes a WebSocket.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::places::Permit;
use super::super::transport::Transport;

/// A place that can be taken over once.
#[derive(Debug, Clone)]
pub struct Place(Rc<RefCell<Option<Permit>>>);

impl Place {
    pub fn take(&self) -> Option<Permit> {
        self.0.borrow_mut().take()
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Stream {
    transport: Transport,
    place: Place,
}

impl Stream {
    pub fn new(transport: Transport, permit: Permit) -> Self {
        Self {
            transport,
            place: Place(Rc::new(RefCell::new(Some(permit)))),
        }
    }

    pub(super) fn place(&self) -> Place {
        self.place.clone()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.transport.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.transport {
            Transport::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Transport::Layered(layer) => Pin::new(layer).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Transport::Layered(layer) => Pin::new(layer).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.transport {
            Transport::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Transport::Layered(layer) => Pin::new(layer).poll_shutdown(cx),
        }
    }
}
