//! The kernel's own price: a bare broadcaster that also logs. One thread, one epoll; in a turn it reads
//! what there is, writes it to its log with one call, and gives it to every member of the room with one
//! call each. It knows frames and nothing of what is in them; the first one of a connection names its room.
//!
//! No chat server can be cheaper than this on the same machine, so everything is told as a ratio to it.

mod rooms;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddrV4;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use slab::Slab;

use crate::error::{Doing, Result};
use crate::poller::{Events, Poller};
use crate::wire;
use rooms::Rooms;

const LISTENER: u64 = u64::MAX;
const BACKLOG: i32 = 4_096;
const READ_BYTES: usize = 64 * 1_024;
/// What may wait for one socket before everything waits for it; as much as chat-server's send queue.
const WAITING_BYTES: usize = 1_024 * 1_024;
/// A receiver that takes nothing for so long is let go.
const STUCK: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

struct Person {
    socket: OwnedFd,
    /// `None` until the first frame.
    room: Option<usize>,
    /// The beginning of a frame.
    partial: Vec<u8>,
    /// What the socket did not take.
    waiting: Vec<u8>,
}

struct Limit {
    poller: Poller,
    listener: OwnedFd,
    log: File,
    welcome: Vec<u8>,
    people: Slab<Person>,
    rooms: Rooms,
    scratch: Vec<u8>,
}

/// Serves until the process is ended.
///
/// # Errors
/// When it cannot listen, write its log, or wait for events.
pub(crate) fn serve(listen: SocketAddrV4, log: &Path) -> Result<()> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .doing("the log of the limit server")?;
    let listener = listen_on(listen).doing("listen")?;
    let poller = Poller::new()?;
    poller.add(&listener, LISTENER)?;
    let mut limit = Limit {
        poller,
        listener,
        log,
        welcome: wire::raw_welcome(),
        people: Slab::new(),
        rooms: Rooms::default(),
        scratch: vec![0; READ_BYTES],
    };
    let mut events = Events::new();
    loop {
        limit.poller.wait(&mut events, None)?;
        limit.turn(&events)?;
    }
}

fn listen_on(listen: SocketAddrV4) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let listener = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&listener, true)?;
    rustix::net::bind(&listener, &listen)?;
    rustix::net::listen(&listener, BACKLOG)?;
    Ok(listener)
}

impl Limit {
    fn turn(&mut self, events: &Events) -> Result<()> {
        for ready in events.iter() {
            if ready.key == LISTENER {
                self.accept()?;
                continue;
            }
            let person = usize::try_from(ready.key).expect("keys are places in memory");
            if ready.writable {
                self.flush(person)?;
            }
            if ready.readable {
                self.read(person)?;
            }
        }
        let busy = self.rooms.take_busy();
        if busy.is_empty() {
            return Ok(());
        }
        self.log
            .write_all(self.rooms.said())
            .doing("write to the log")?;
        for room in busy {
            self.fan_out(room)?;
        }
        self.rooms.hush();
        Ok(())
    }

    fn accept(&mut self) -> Result<()> {
        loop {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match rustix::net::accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN | Errno::CONNABORTED | Errno::MFILE | Errno::NFILE) => {
                    return Ok(());
                }
                Err(error) => return Err(error).doing("accept"),
            };
            sockopt::set_tcp_nodelay(&socket, true).doing("TCP_NODELAY")?;
            let place = self.people.vacant_entry();
            self.poller.add(&socket, place.key() as u64)?;
            place.insert(Person {
                socket,
                room: None,
                partial: Vec::new(),
                waiting: Vec::new(),
            });
        }
    }

    fn read(&mut self, number: usize) -> Result<()> {
        let Some(person) = self.people.get_mut(number) else {
            return Ok(());
        };
        let scratch = self.scratch.as_mut_slice();
        let bytes = match rustix::net::recv(&person.socket, scratch, RecvFlags::empty()) {
            Ok((0, _)) => return self.let_go(number),
            Ok((length, _)) => &self.scratch[..length],
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(_) => return self.let_go(number),
        };
        if let (true, Some(room)) = (person.partial.is_empty(), person.room) {
            let used = complete(bytes);
            person.partial.extend_from_slice(&bytes[used..]);
            let said = &bytes[..used];
            self.rooms.say(room, said);
            return Ok(());
        }
        let mut joined = std::mem::take(&mut person.partial);
        joined.extend_from_slice(bytes);
        self.take_in(number, &joined)
    }

    /// The slow way: somebody new, or the rest of a frame.
    fn take_in(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        let mut used = complete(bytes);
        let mut from = 0;
        let person = &mut self.people[number];
        if person.room.is_none() && used > 0 {
            let Some(room) = bytes.get(4..).and_then(wire::room_of_hello) else {
                return self.let_go(number);
            };
            let room = room as usize;
            person.room = Some(room);
            from = hello_bytes(bytes);
            self.rooms.enter(number, room);
            self.give(number, &self.welcome.clone())?;
        }
        used = used.max(from);
        if let Some(person) = self.people.get_mut(number) {
            person.partial.extend_from_slice(&bytes[used..]);
            if let Some(room) = person.room {
                let said = &bytes[from..used];
                self.rooms.say(room, said);
            }
        }
        Ok(())
    }

    fn fan_out(&mut self, room: usize) -> Result<()> {
        let (members, batch) = self.rooms.take(room);
        for &member in &members {
            self.give(member, &batch)?;
        }
        let people = &self.people;
        self.rooms
            .put_back(room, members, batch, |member| people.contains(member));
        Ok(())
    }

    /// Writes at once; what the socket does not take waits, and if too much waits, everything does.
    fn give(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        let Some(person) = self.people.get_mut(number) else {
            return Ok(());
        };
        if person.waiting.is_empty() {
            match send(&person.socket, bytes) {
                Ok(sent) if sent == bytes.len() => return Ok(()),
                Ok(sent) => person.waiting.extend_from_slice(&bytes[sent..]),
                Err(_) => return self.let_go(number),
            }
            let key = number as u64;
            return self.poller.watch_writable(&person.socket, key, true);
        }
        person.waiting.extend_from_slice(bytes);
        while let Some(person) = self.people.get(number)
            && person.waiting.len() > WAITING_BYTES
        {
            let mut fds = [PollFd::new(&person.socket, PollFlags::OUT)];
            match poll(&mut fds, Some(&STUCK)) {
                Ok(0) => return self.let_go(number),
                Ok(_) => self.flush(number)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error).doing("poll"),
            }
        }
        Ok(())
    }

    fn flush(&mut self, number: usize) -> Result<()> {
        let Some(person) = self.people.get_mut(number) else {
            return Ok(());
        };
        let Ok(sent) = send(&person.socket, &person.waiting) else {
            return self.let_go(number);
        };
        person.waiting.drain(..sent);
        if person.waiting.is_empty() {
            person.waiting = Vec::new();
            let key = number as u64;
            self.poller.watch_writable(&person.socket, key, false)?;
        }
        Ok(())
    }

    /// Closing the socket takes it out of epoll.
    fn let_go(&mut self, number: usize) -> Result<()> {
        let Some(person) = self.people.try_remove(number) else {
            return Ok(());
        };
        if let Some(room) = person.room {
            self.rooms.leave(number, room);
        }
        Ok(())
    }
}

/// How many bytes are taken at once; 0 if the socket is full.
fn send(socket: &OwnedFd, bytes: &[u8]) -> rustix::io::Result<usize> {
    match rustix::net::send(socket, bytes, SendFlags::NOSIGNAL) {
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        other => other,
    }
}

/// How many bytes of `bytes` are complete frames.
fn complete(bytes: &[u8]) -> usize {
    wire::split_frames(bytes, |_| {}).unwrap_or(bytes.len())
}

fn hello_bytes(bytes: &[u8]) -> usize {
    let length = bytes
        .first_chunk::<4>()
        .map_or(0, |length| u32::from_be_bytes(*length) as usize);
    4 + length
}
