//! The connection of one person, which may end at any moment in an unkind way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddrV4, TcpStream};
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::error::{Doing, Result};
use crate::poller::Poller;
use crate::wire::append_frame;

#[derive(Debug)]
pub(super) struct Line {
    stream: TcpStream,
    /// The beginning of something whose end has not arrived.
    pub(super) partial: Vec<u8>,
    out: Vec<u8>,
    /// What the poller calls it.
    pub(super) key: u64,
    watches_writable: bool,
}

impl Line {
    pub(super) fn open(addr: SocketAddrV4, key: u64, poller: &Poller) -> Result<Self> {
        let stream = TcpStream::connect(addr).doing("connect")?;
        stream.set_nodelay(true).doing("TCP_NODELAY")?;
        stream.set_nonblocking(true).doing("O_NONBLOCK")?;
        poller.add(&stream, key)?;
        Ok(Self {
            stream,
            partial: Vec::new(),
            out: Vec::new(),
            key,
            watches_writable: false,
        })
    }

    pub(super) fn send(&mut self, json: &[u8]) {
        append_frame(json, &mut self.out);
    }

    /// Writes what the socket takes; `false` if the connection has gone.
    pub(super) fn flush(&mut self, poller: &Poller) -> Result<bool> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(0) => return Ok(false),
                Ok(written) => drop(self.out.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Ok(false),
            }
        }
        let wants = !self.out.is_empty();
        if wants != self.watches_writable {
            self.watches_writable = wants;
            poller.watch_writable(&self.stream, self.key, wants)?;
        }
        Ok(true)
    }

    /// Reads once behind what is partial; `false` if the connection has gone.
    pub(super) fn read(&mut self, scratch: &mut [u8]) -> bool {
        match self.stream.read(scratch) {
            Ok(0) => false,
            Ok(read) => {
                self.partial.extend_from_slice(&scratch[..read]);
                true
            }
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted),
        }
    }

    /// Ends in the middle of a frame, with a reset: what was under way in either direction is lost.
    pub(super) fn cut(mut self) {
        // It ends in any case; whether the server saw the half of a frame does not matter.
        self.stream.write_all(&[0, 0]).ok();
        set_socket_linger(&self.stream, Some(Duration::ZERO)).ok();
    }

    /// Nothing more is heard of it, but the other side still takes it for a connection.
    pub(super) fn neglect(&self, poller: &Poller) -> Result<()> {
        poller.remove(&self.stream)
    }
}
