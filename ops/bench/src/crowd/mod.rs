//! A crowd of people on one thread: their connections, what is read from them and written to them. What
//! they say and when is the business of the modes; they listen through a `Watcher`.

mod conn;
mod ledger;

use std::net::SocketAddrV4;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::error::{BenchError, Doing, Result};
use crate::poller::{Events, Poller};
use crate::servers::Server;
use crate::wire::{Heard, Place, Stamp, Wire};
use conn::{Conn, Stage, Took};
pub(crate) use ledger::Ledger;

/// Read at once. Fits the second-level cache, and many times a frame.
const READ_BYTES: usize = 128 * 1_024;
/// The longest a turn waits when nothing is due.
pub(crate) const IDLE_TURN: Duration = Duration::from_millis(50);

/// Who listens for a crowd. `conn` is the number of the connection, in the order of arrival.
pub(crate) trait Watcher {
    /// Something was read; what it was follows.
    fn arrived(&mut self) {}
    fn delivery(&mut self, conn: usize, seq: u64, stamp: Stamp);
    /// A whole answer to `history`.
    fn page(&mut self, _conn: usize, _payload: &[u8]) {}
}

/// Listens to nothing: while people arrive.
pub(crate) struct Deaf;

impl Watcher for Deaf {
    fn delivery(&mut self, _: usize, _: u64, _: Stamp) {}
}

pub(crate) struct Crowd {
    wire: Wire,
    addr: SocketAddrV4,
    /// Connections that may be under way at once.
    arriving: usize,
    text_bytes: usize,
    poller: Poller,
    events: Option<Events>,
    conns: Vec<Conn>,
    ready: usize,
    scratch: Vec<u8>,
    /// What is to be done about what was heard, when the reading is over.
    notices: Vec<(usize, Notice)>,
    /// What must not happen: refusals, lost connections.
    troubles: Vec<String>,
}

#[derive(Debug)]
enum Notice {
    Welcomed,
    InChannel,
    Ping(Vec<u8>),
    Trouble(Vec<u8>),
}

impl Crowd {
    /// Nobody yet, on the way to this server.
    pub(crate) fn new(server: &Server, text_bytes: usize) -> Result<Self> {
        Ok(Self {
            wire: server.kind.wire(),
            addr: server.addr,
            arriving: server.kind.arriving(),
            text_bytes,
            poller: Poller::new()?,
            events: Some(Events::new()),
            conns: Vec::new(),
            ready: 0,
            scratch: vec![0; READ_BYTES],
            notices: Vec::new(),
            troubles: Vec::new(),
        })
    }

    pub(crate) fn wire(&self) -> Wire {
        self.wire
    }

    /// Lets `count` more people arrive, as fast as they are welcomed, and tells how long that took.
    /// The first of them has number 0 for `place_of`.
    ///
    /// # Errors
    /// When they are not all there `within` the time, or one was refused.
    pub(crate) fn arrive(
        &mut self,
        count: usize,
        place_of: impl Fn(usize) -> Place,
        within: Duration,
    ) -> Result<Duration> {
        let present = self.conns.len();
        let deadline = Deadline::after(within, format!("{count} people arrive"));
        while self.ready < present + count {
            while self.conns.len() < present + count
                && self.conns.len() - self.ready < self.arriving
            {
                self.connect(place_of(self.conns.len() - present))?;
            }
            self.turn(IDLE_TURN, &mut Deaf)?;
            self.check_peace()?;
            deadline.check().map_err(|error| {
                BenchError::Server(format!(
                    "{error}; {} of {count} were there",
                    self.ready - present
                ))
            })?;
        }
        Ok(deadline.elapsed())
    }

    /// One more connection, with its hello said; `arrive` waits for the answer.
    pub(crate) fn connect(&mut self, place: Place) -> Result<()> {
        let number = self.conns.len();
        let mut hello = Vec::new();
        self.wire.hello(short(number), place, &mut hello);
        self.connect_with(place, &hello)
    }

    /// The same with another hello than usual.
    pub(crate) fn connect_with(&mut self, place: Place, hello: &[u8]) -> Result<()> {
        let number = self.conns.len();
        let conn = Conn::open(self.addr, number, place).doing("connect")?;
        self.poller.add(&conn.socket, number as u64)?;
        self.conns.push(conn);
        self.send(number, hello)
    }

    /// Keeps the kernel from taking more than about `bytes` for a connection before the server read them.
    pub(crate) fn shrink_send_buffer(&self, conn: usize, bytes: usize) -> Result<()> {
        rustix::net::sockopt::set_socket_send_buffer_size(&self.conns[conn].socket, bytes)
            .doing("SO_SNDBUF")
    }

    /// Handles what is ready, waiting for it at most `timeout`.
    pub(crate) fn turn(&mut self, timeout: Duration, watcher: &mut impl Watcher) -> Result<()> {
        let mut events = self.events.take().unwrap_or_else(Events::new);
        self.poller.wait(&mut events, Some(timeout))?;
        for ready in events.iter() {
            let number = usize::try_from(ready.key).expect("keys are connection numbers");
            if ready.writable {
                self.flush(number)?;
            }
            if ready.readable {
                self.read(number, watcher);
            }
        }
        self.events = Some(events);
        for (number, notice) in std::mem::take(&mut self.notices) {
            self.act_on(number, notice)?;
        }
        Ok(())
    }

    /// Sends bytes after those that still wait to be sent.
    pub(crate) fn send(&mut self, number: usize, bytes: &[u8]) -> Result<()> {
        self.conns[number].queue(bytes);
        self.flush(number)
    }

    /// Has the kernel taken everything that was sent?
    pub(crate) fn all_sent(&self, number: usize) -> bool {
        self.conns[number].all_sent()
    }

    /// What went wrong so far, shortly; `None` if nothing did.
    pub(crate) fn trouble(&self) -> Option<String> {
        let first = self.troubles.first()?;
        Some(match self.troubles.len() {
            1 => first.clone(),
            more => format!("{first} (and {} more)", more - 1),
        })
    }

    /// # Errors
    /// When a connection was lost or something refused.
    pub(crate) fn check_peace(&self) -> Result<()> {
        self.trouble()
            .map_or(Ok(()), |trouble| Err(BenchError::Server(trouble)))
    }

    pub(crate) fn lost(&self) -> usize {
        self.conns
            .iter()
            .filter(|conn| conn.stage == Stage::Lost)
            .count()
    }

    fn flush(&mut self, number: usize) -> Result<()> {
        let conn = &mut self.conns[number];
        match conn.flush() {
            Ok(()) => {}
            Err(error) => {
                self.lose(number, &error.to_string());
                return Ok(());
            }
        }
        let wants = !conn.all_sent();
        if wants != conn.watches_writable {
            conn.watches_writable = wants;
            self.poller
                .watch_writable(&conn.socket, number as u64, wants)?;
        }
        Ok(())
    }

    fn read(&mut self, number: usize, watcher: &mut impl Watcher) {
        let conn = &mut self.conns[number];
        let (used, length) = match conn.read(&mut self.scratch) {
            Ok(Took::Nothing) => return,
            Ok(Took::End) => return self.lose(number, "closed by the server"),
            Ok(Took::Bytes(length)) => {
                watcher.arrived();
                let notices = &mut self.notices;
                let bytes = &self.scratch[..length];
                let used =
                    self.wire.scan(
                        bytes,
                        short(number),
                        self.text_bytes,
                        &mut |heard| match heard {
                            Heard::Delivery { seq, stamp } => watcher.delivery(number, seq, stamp),
                            Heard::Page(payload) => watcher.page(number, payload),
                            Heard::Welcomed => notices.push((number, Notice::Welcomed)),
                            Heard::InChannel => notices.push((number, Notice::InChannel)),
                            Heard::Ping(token) => {
                                notices.push((number, Notice::Ping(token.to_vec())))
                            }
                            Heard::Trouble(what) => {
                                notices.push((number, Notice::Trouble(what.to_vec())))
                            }
                            Heard::Other => {}
                        },
                    );
                (used, length)
            }
            Err(error) => return self.lose(number, &error.to_string()),
        };
        self.conns[number].keep(&self.scratch[used..length]);
    }

    fn act_on(&mut self, number: usize, notice: Notice) -> Result<()> {
        let conn = &mut self.conns[number];
        let mut answer = Vec::new();
        match notice {
            Notice::Welcomed if conn.stage == Stage::Greeting => {
                if self.wire.join(conn.place, &mut answer) {
                    conn.stage = Stage::Joining;
                } else {
                    conn.stage = Stage::Ready;
                    self.ready += 1;
                }
            }
            Notice::InChannel if conn.stage == Stage::Joining => {
                conn.stage = Stage::Ready;
                self.ready += 1;
            }
            Notice::Welcomed | Notice::InChannel => {}
            Notice::Ping(token) => self.wire.pong(&token, &mut answer),
            Notice::Trouble(what) => {
                let what = String::from_utf8_lossy(&what[..what.len().min(160)]).into_owned();
                self.troubles.push(format!("connection {number}: {what}"));
            }
        }
        if answer.is_empty() {
            Ok(())
        } else {
            self.send(number, &answer)
        }
    }

    fn lose(&mut self, number: usize, why: &str) {
        let conn = &mut self.conns[number];
        if conn.stage == Stage::Lost {
            return;
        }
        conn.stage = Stage::Lost;
        conn.forget();
        // Nothing more to hear: out of epoll, or it would tell of the hang-up for ever.
        if self.poller.remove(&self.conns[number].socket).is_err() {
            self.troubles
                .push("epoll does not know a connection".to_owned());
        }
        self.troubles.push(format!("connection {number}: {why}"));
    }
}

/// Connection numbers as they travel.
pub(crate) fn short(number: usize) -> u32 {
    u32::try_from(number).expect("fewer than four billion")
}
