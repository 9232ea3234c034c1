//! An accepted connection as HTTP is served over it, with its place among those that may be open: both
//! go on to the session when it becomes a WebSocket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::places::Permit;
use super::super::transport::Transport;

/// See the head of this file.
#[derive(Debug)]
pub struct Stream {
    transport: Transport,
    permit: Permit,
    peer: SocketAddr,
}

impl Stream {
    pub fn new(transport: Transport, permit: Permit, peer: SocketAddr) -> Self {
        Self {
            transport,
            permit,
            peer,
        }
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Counts it as a connection of that person, where it has not been counted as anybody's; false if
    /// they have as many as they may.
    pub(super) fn is_of(&mut self, person: IpAddr) -> bool {
        self.permit.is_of(person)
    }

    pub(super) fn into_parts(self) -> (Transport, Permit) {
        (self.transport, self.permit)
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
        self.transport.as_stream().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport.as_stream().poll_shutdown(cx)
    }
}
