//! What a session reads from and writes to: a TCP socket, or a layer over one (TLS, WebSocket).
//!
//! The dispatcher writes outside of any task, so a write never waits: it takes what the socket takes,
//! and whoever is named in its context is woken when more may be tried.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::stage::Shared;
use super::web::socket::WebSocket;

/// A stream of bytes to a client.
pub trait Layer: AsyncRead + AsyncWrite + fmt::Debug + Unpin {
    fn kind(&self) -> Kind;

    /// Where no frames are spoken.
    fn web_socket(&mut self) -> Option<&mut WebSocket> {
        None
    }

    /// See `Transport::try_write`.
    fn write_now(&mut self, slices: &[IoSlice<'_>], cx: &mut Context<'_>) -> io::Result<usize> {
        match Pin::new(self).poll_write_vectored(cx, slices) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// See `Transport::plain_socket`.
    fn plain_socket(&self) -> Option<&TcpStream> {
        None
    }

    /// See `Transport::is_flushed`.
    fn is_flushed(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match Pin::new(self).poll_flush(cx) {
            Poll::Ready(flushed) => flushed.map(|()| true),
            Poll::Pending => Ok(false),
        }
    }

    /// See `Transport::poll_writable`: a layer tells by waking who tried last.
    fn poll_writable(&mut self, tried: bool, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match tried {
            true => Poll::Pending,
            false => Poll::Ready(Ok(())),
        }
    }
}

impl Layer for TcpStream {
    fn kind(&self) -> Kind {
        Kind::Tcp
    }
}

/// See the head of this file. A third kind would take eight bytes more of every connection.
#[derive(Debug)]
pub enum Transport {
    Tcp(TcpStream),
    Layered(Box<dyn Layer>),
}

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Tcp,
    Tls,
    Web,
    /// Plain HTTP requests, before an upgrade to WebSocket.
    Http,
}

impl Kind {
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Tls, Self::Web, Self::Http];

    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Web => "web",
            Self::Http => "http",
        }
    }
}

impl Transport {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Tcp(_) => Kind::Tcp,
            Self::Layered(layer) => layer.kind(),
        }
    }

    pub(super) fn web_socket(&mut self) -> Option<&mut WebSocket> {
        match self {
            Self::Tcp(_) => None,
            Self::Layered(layer) => layer.web_socket(),
        }
    }

    pub(super) fn is_web(&self) -> bool {
        self.kind() == Kind::Web
    }

    /// The socket, where nothing has to see the bytes on their way there: the kernel can send it what is in a file
    /// ([`super::stage`]).
    pub(super) fn plain_socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(socket) => Some(socket),
            Self::Layered(layer) => layer.plain_socket(),
        }
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
            (Self::Layered(layer), many) => layer.write_now(many, cx),
        }
    }

    /// The same for what others are sent too.
    ///
    /// # Errors
    /// As `try_write`.
    pub(super) fn try_write_shared(
        &mut self,
        shared: &Shared,
        cx: &mut Context<'_>,
    ) -> io::Result<usize> {
        match self.plain_socket() {
            Some(socket) => shared.write_to(socket),
            None => self.try_write(&[IoSlice::new(shared.bytes())], cx),
        }
    }

    /// Whether what was written has left the layer; if not, `cx` is woken to ask again.
    ///
    /// # Errors
    /// The connection is broken.
    pub(super) fn is_flushed(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        match self {
            Self::Tcp(_) => Ok(true),
            Self::Layered(layer) => layer.is_flushed(cx),
        }
    }

    /// Ready when it is worth trying to write again.
    pub(super) fn poll_writable(
        &mut self,
        tried: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.poll_write_ready(cx),
            Self::Layered(layer) => layer.poll_writable(tried, cx),
        }
    }

    /// Tells the client that nothing more comes.
    pub(super) fn shut_down(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Who has gone already need not be told.
        self.as_stream().poll_shutdown(cx).map(drop)
    }
}
