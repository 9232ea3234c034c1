//! One connection of the crowd: what was half read and half written.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use crate::wire::Place;

/// Connections from one source address to one server. The kernel has some 28,000 ports for each, and
/// looks for a free one longer and longer when half of them are taken.
const PER_SOURCE: usize = 4_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Greeting,
    Joining,
    Ready,
    Lost,
}

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) socket: OwnedFd,
    pub(super) place: Place,
    pub(super) stage: Stage,
    pub(super) watches_writable: bool,
    /// The beginning of something whose end has not arrived.
    partial: Vec<u8>,
    /// What the socket did not take yet, from `written` on.
    out: Vec<u8>,
    written: usize,
}

pub(super) enum Took {
    Nothing,
    End,
    /// So many bytes lie in the buffer now, what was kept before them included.
    Bytes(usize),
}

impl Conn {
    /// Connects without waiting; on loopback it is done at once all the same.
    pub(super) fn open(
        addr: SocketAddrV4,
        number: usize,
        place: Place,
    ) -> rustix::io::Result<Self> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket =
            rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        if let Some(source) = u8::try_from(number / PER_SOURCE)
            .ok()
            .filter(|&source| source > 0)
        {
            rustix::net::bind(
                &socket,
                &SocketAddrV4::new(Ipv4Addr::new(127, 0, 1, source), 0),
            )?;
        }
        match rustix::net::connect(&socket, &addr) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error),
        }
        Ok(Self {
            socket,
            place,
            stage: Stage::Greeting,
            watches_writable: false,
            partial: Vec::new(),
            out: Vec::new(),
            written: 0,
        })
    }

    /// Reads once into `buffer`, behind what was kept.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> rustix::io::Result<Took> {
        let kept = self.partial.len();
        buffer[..kept].copy_from_slice(&self.partial);
        match rustix::net::recv(&self.socket, &mut buffer[kept..], RecvFlags::empty()) {
            Ok((0, _)) => Ok(Took::End),
            Ok((length, _)) => {
                self.partial.clear();
                Ok(Took::Bytes(kept + length))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Took::Nothing),
            Err(error) => Err(error),
        }
    }

    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.partial.extend_from_slice(rest);
    }

    pub(super) fn queue(&mut self, bytes: &[u8]) {
        if self.stage != Stage::Lost {
            self.out.extend_from_slice(bytes);
        }
    }

    pub(super) fn all_sent(&self) -> bool {
        self.written == self.out.len()
    }

    /// Writes until everything is written or the socket takes no more.
    pub(super) fn flush(&mut self) -> rustix::io::Result<()> {
        while !self.all_sent() {
            match rustix::net::send(&self.socket, &self.out[self.written..], SendFlags::NOSIGNAL) {
                Ok(sent) => self.written += sent,
                // NOTCONN: the handshake is still under way.
                Err(Errno::AGAIN | Errno::NOTCONN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    pub(super) fn forget(&mut self) {
        self.partial = Vec::new();
        self.out = Vec::new();
        self.written = 0;
    }
}
