//! What a session reads from and writes to: a TCP socket, or a layer over one (TLS); and what it speaks
//! there, frames or WebSocket.
//!
//! The dispatcher writes outside of any task, so a write never waits: it takes what the socket takes,
//! and whoever is named in its context is woken when more may be tried.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::web::socket::WebSocket;

/// A stream that is no plain socket.
pub trait Layer: AsyncRead + AsyncWrite + fmt::Debug + Unpin {}

impl<T: AsyncRead + AsyncWrite + fmt::Debug + Unpin> Layer for T {}

/// See the head of this file.
#[derive(Debug)]
pub enum Transport {
    Tcp(TcpStream),
    Layered(Box<dyn Layer>),
    /// Carries the bytes of a WebSocket, as they are.
    Web(Box<WebSocket>),
}

impl Transport {
    pub(super) fn web_socket(&mut self) -> Option<&mut WebSocket> {
        match self {
            Self::Tcp(_) | Self::Layered(_) => None,
            Self::Web(socket) => Some(socket),
        }
    }

    pub(super) fn is_web(&self) -> bool {
        matches!(self, Self::Web(_))
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.as_stream().poll_read(cx, buffer)
    }

    /// As a stream of bytes, for who writes within a task.
    pub(super) fn as_stream(&mut self) -> Pin<&mut dyn Layer> {
        match self {
            Self::Tcp(socket) => Pin::new(socket),
            Self::Layered(layer) => Pin::new(layer.as_mut()),
            Self::Web(socket) => socket.stream.as_stream(),
        }
    }

    /// Writes what is taken now.
    ///
    /// # Errors
    /// `WouldBlock` if nothing is; anything else if the connection is broken.
    pub(super) fn try_write(
        &mut self,
        slices: &[IoSlice<'_>],
        cx: &mut Context<'_>,
    ) -> io::Result<usize> {
        match (self, slices) {
            (Self::Tcp(socket), [one]) => socket.try_write(one),
            (Self::Tcp(socket), many) => socket.try_write_vectored(many),
            (Self::Web(socket), many) => socket.stream.try_write(many, cx),
            (Self::Layered(layer), many) => match Pin::new(layer).poll_write_vectored(cx, many) {
                Poll::Ready(written) => written,
                Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
            },
        }
    }

    /// Whether what was written has left the layer; if not, `cx` is woken to ask again.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn is_flushed(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self {
            Self::Tcp(_) => Ok(true),
            Self::Layered(layer) => match Pin::new(layer).poll_flush(cx) {
                Poll::Ready(flushed) => flushed.map(|()| true),
                Poll::Pending => Ok(false),
            },
            Self::Web(socket) => socket.stream.is_flushed(cx),
        }
    }

    /// Ready when it is worth trying to write again. A layer tells by waking who tried last.
    pub(super) fn poll_writable(
        &mut self,
        tried: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_write_ready(cx),
            Self::Layered(_) if tried => Poll::Pending,
            Self::Layered(_) => Poll::Ready(Ok(())),
            Self::Web(socket) => socket.stream.poll_writable(tried, cx),
        }
    }

    /// Tells the client that nothing more comes.
    pub(super) fn shut_down(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Who has gone already need not be told.
        if let Self::Web(socket) = self {
            socket.say_goodbye(cx);
        }
        self.as_stream().poll_shutdown(cx).map(drop)
    }
}
