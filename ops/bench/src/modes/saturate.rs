//! As fast as it goes: every sender has a number of messages in flight and says the next one when one of
//! them has arrived. What is measured is not the speed, which the generator may bound, but the server's
//! CPU-seconds for a million deliveries.

use std::time::Duration;

use crate::bench::{ARRIVE, DRAIN, Meter, WARM_UP};
use crate::crowd::{Crowd, IDLE_TURN, Ledger, Watcher, short};
use crate::deadline::{Deadline, check_interrupted};
use crate::error::Result;
use crate::report::Figures;
use crate::servers::Server;
use crate::wire::{Place, Stamp, Template};

/// Who talks to whom, and who only sits there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) channels: usize,
    pub(super) members: usize,
    /// Of each channel; not more than members.
    pub(super) senders: usize,
    pub(super) in_flight: u32,
    pub(super) text_bytes: usize,
    /// People who are welcomed and do nothing.
    pub(super) idle: usize,
    /// Channels of ten in which nobody says anything.
    pub(super) quiet_channels: usize,
}

/// People in a channel that is quiet.
const QUIET_MEMBERS: usize = 10;

impl Shape {
    /// One channel, nobody beside it.
    pub(super) fn channel_of(
        members: usize,
        senders: usize,
        in_flight: u32,
        text_bytes: usize,
    ) -> Self {
        let senders = senders.min(members);
        Self {
            channels: 1,
            members,
            senders,
            in_flight,
            text_bytes,
            idle: 0,
            quiet_channels: 0,
        }
    }

    /// Where a channel is. In the chat protocol everyone is in the lobby, so it is used only when nobody
    /// else is there.
    pub(super) fn place(&self, channel: usize) -> Place {
        if self.channels == 1 && self.idle == 0 && self.quiet_channels == 0 {
            return Place::Lobby;
        }
        Place::Channel(short(channel))
    }

    fn template(&self, crowd: &Crowd, channel: usize) -> Template {
        crowd.wire().say(self.place(channel), self.text_bytes)
    }
}

/// Everyone of the shape, in their places, those who talk first.
pub(super) fn gather(server: &Server, shape: &Shape) -> Result<Crowd> {
    let mut crowd = Crowd::new(server, shape.text_bytes)?;
    crowd.arrive(
        shape.channels * shape.members,
        |person| shape.place(person / shape.members),
        ARRIVE,
    )?;
    let quiet = |person: usize| Place::Channel(short(shape.channels + person / QUIET_MEMBERS));
    crowd.arrive(shape.quiet_channels * QUIET_MEMBERS, quiet, ARRIVE)?;
    crowd.arrive(shape.idle, |_| Place::Outside, ARRIVE)?;
    Ok(crowd)
}

/// Gathers the crowd and measures it for so long.
pub(super) fn saturate(server: &Server, shape: &Shape, measure: Duration) -> Result<Figures> {
    let mut crowd = gather(server, shape)?;
    let mut talk = Talk::new(&crowd, shape);
    let deadline = Deadline::after(WARM_UP + measure + DRAIN, "the saturated run");
    while deadline.elapsed() < WARM_UP {
        talk.turn(&mut crowd)?;
    }
    let meter = Meter::start(server, talk.ledger.received())?;
    while meter.elapsed() < measure {
        talk.turn(&mut crowd)?;
    }
    let mut figures = meter.finish(talk.ledger.received())?;
    while !talk.ledger.is_complete() && crowd.trouble().is_none() && deadline.check().is_ok() {
        crowd.turn(IDLE_TURN, &mut talk)?;
    }
    check_interrupted()?;
    figures.fault = crowd.trouble().or_else(|| talk.ledger.fault());
    Ok(figures)
}

/// A conversation without a pause.
struct Talk {
    ledger: Ledger,
    /// By sender: the connection on which a message counts as arrived.
    witness: Vec<usize>,
    /// By sender: how many messages they may say now.
    credit: Vec<u32>,
    /// The senders that may say any.
    may_speak: Vec<usize>,
    /// By channel.
    templates: Vec<Template>,
    senders_of_channel: usize,
    out: Vec<u8>,
}

impl Talk {
    fn new(crowd: &Crowd, shape: &Shape) -> Self {
        let ledger = Ledger::new(
            shape.channels,
            shape.members,
            shape.senders,
            crowd.wire().echoes(),
        );
        Self {
            witness: (0..ledger.senders())
                .map(|sender| ledger.witness_of(sender))
                .collect(),
            credit: vec![shape.in_flight; ledger.senders()],
            may_speak: (0..ledger.senders()).collect(),
            templates: (0..shape.channels)
                .map(|channel| shape.template(crowd, channel))
                .collect(),
            senders_of_channel: shape.senders,
            ledger,
            out: Vec::new(),
        }
    }

    /// Everyone who may says what they have to say, then all listen.
    fn turn(&mut self, crowd: &mut Crowd) -> Result<()> {
        let mut may_speak = std::mem::take(&mut self.may_speak);
        for sender in may_speak.drain(..) {
            self.out.clear();
            for _ in 0..std::mem::take(&mut self.credit[sender]) {
                let stamp = self.ledger.next_stamp(sender);
                self.templates[sender / self.senders_of_channel].append(stamp, &mut self.out);
            }
            crowd.send(self.ledger.conn_of(sender), &self.out)?;
        }
        self.may_speak = may_speak;
        crowd.turn(IDLE_TURN, self)?;
        check_interrupted()
    }
}

impl Watcher for Talk {
    fn delivery(&mut self, conn: usize, seq: u64, stamp: Stamp) {
        let sender = stamp.sender as usize;
        if self.ledger.deliver(conn, seq, stamp) && self.witness[sender] == conn {
            if self.credit[sender] == 0 {
                self.may_speak.push(sender);
            }
            self.credit[sender] += 1;
        }
    }
}
