//! People who talk at a given pace, whatever the server does: each message is due at a moment that is fixed
//! beforehand, and its latency counts from there, not from when it could be sent. So a server that stalls
//! pays for every message that was due meanwhile (no coordinated omission).

use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::crowd::{Crowd, Ledger, Watcher};
use crate::error::Result;
use crate::wire::{Place, Stamp, Template};

/// A generator that keeps a pace has its core for itself and does not sleep: it would wake up late, and the
/// server would pay for waking it at every first delivery (p50 1.6 ms instead of 0.9 ms, on two cores).
pub(super) const NO_SLEEP: Duration = Duration::ZERO;
/// Latencies above this count as this.
const LONGEST: Duration = Duration::from_secs(100);

pub(super) type Latencies = Histogram<u64>;

pub(super) fn latencies() -> Latencies {
    let longest = u64::try_from(LONGEST.as_nanos()).expect("fits");
    Histogram::new_with_bounds(1_000, longest, 3).expect("these bounds are allowed")
}

pub(super) fn note(latencies: &mut Latencies, latency: Duration) {
    latencies.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
}

/// `None` if there are none.
pub(super) fn quantile_ms(latencies: &Latencies, quantile: f64) -> Option<f64> {
    (!latencies.is_empty()).then(|| latencies.value_at_quantile(quantile) as f64 / 1e6)
}

/// The members of one channel, who talk in turn.
#[derive(Debug)]
pub(super) struct Pace {
    pub(super) ledger: Ledger,
    template: Template,
    begun: Instant,
    interval: Duration,
    /// Said so far; the next one is due `said` intervals after the beginning.
    said: u32,
    heard_at: Instant,
    /// Messages with a lower number are not measured.
    measured_from: u32,
    pub(super) latencies: Latencies,
    /// How late the generator itself was.
    pub(super) late: Latencies,
}

impl Pace {
    pub(super) fn new(
        crowd: &Crowd,
        place: Place,
        people: usize,
        text_bytes: usize,
        per_second: u32,
    ) -> Self {
        Self {
            ledger: Ledger::new(1, people, people, crowd.wire().echoes()),
            template: crowd.wire().say(place, text_bytes),
            begun: Instant::now(),
            interval: Duration::from_secs(1) / per_second,
            said: 0,
            heard_at: Instant::now(),
            measured_from: 0,
            latencies: latencies(),
            late: latencies(),
        }
    }

    /// From here on latencies count.
    pub(super) fn measure_from_now(&mut self) {
        self.measured_from = self.said;
        self.late.reset();
    }

    /// Says what is due.
    pub(super) fn speak(&mut self, crowd: &mut Crowd) -> Result<()> {
        let mut out = Vec::new();
        loop {
            let wait = self
                .due_at(self.said)
                .saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                return Ok(());
            }
            let late = self.due_at(self.said).elapsed();
            note(&mut self.late, late);
            let sender = self.said as usize % self.ledger.senders();
            self.said += 1;
            out.clear();
            self.template
                .append(self.ledger.next_stamp(sender), &mut out);
            crowd.send(self.ledger.conn_of(sender), &out)?;
        }
    }

    fn due_at(&self, message: u32) -> Instant {
        self.begun + self.interval * message
    }
}

impl Watcher for Pace {
    fn arrived(&mut self) {
        self.heard_at = Instant::now();
    }

    fn delivery(&mut self, conn: usize, seq: u64, stamp: Stamp) {
        if !self.ledger.deliver(conn, seq, stamp) {
            return;
        }
        let senders = u32::try_from(self.ledger.senders()).expect("a channel's people are few");
        let message = stamp.counter * senders + stamp.sender;
        if message >= self.measured_from {
            let latency = self
                .heard_at
                .saturating_duration_since(self.due_at(message));
            note(&mut self.latencies, latency);
        }
    }
}
