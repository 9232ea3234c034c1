//! Twice what the server carries, for a time: 20 of the 30 people in a channel offer twice the messages
//! that a saturated run got through, and do not wait for anything. Another one, the probe, says something
//! a hundred times a second before, during and after it, and what they feel is what a polite person feels.
//!
//! What a socket does not take is held back and counted, as a person can not type into a full pipe; the
//! latency of the rest counts from the moment the kernel took it.

use std::time::{Duration, Instant};

use super::pace::{Latencies, latencies, note, quantile_ms};
use super::saturate::{Shape, gather, saturate};
use crate::bench::{Bench, DRAIN, Meter, Scale};
use crate::crowd::{Crowd, Ledger, Watcher};
use crate::deadline::{Deadline, check_interrupted};
use crate::error::Result;
use crate::procstat;
use crate::report::{Case, Figures};
use crate::servers::{Kind, Server, Site};
use crate::wire::{Stamp, Template};

/// Few enough that the server has more to do than the generator that reads for all of them: it is the
/// server that must not keep up here.
const PEOPLE: usize = 30;
const BULK: usize = 20;
const PROBE: usize = BULK;
const IN_FLIGHT: u32 = 51;
const PROBE_INTERVAL: Duration = Duration::from_millis(10);
const CALM: Duration = Duration::from_secs(2);
const AFTERWARDS: Duration = Duration::from_secs(4);
/// Memory is looked at so often.
const SAMPLE: Duration = Duration::from_millis(50);
/// It is normal again when all probes of such a time are as quick as twice the slowest hundredth before,
/// or at least as `NORMAL`.
const WINDOW: Duration = Duration::from_millis(50);
const NORMAL: Duration = Duration::from_millis(10);
/// The generator sleeps no longer, so that its share of a core tells whether it was the bottleneck.
const TURN: Duration = Duration::from_micros(200);
/// The kernel would keep megabytes for a sender whom the server does not read; a chat client would not.
const SEND_BUFFER_BYTES: usize = 32 * 1_024;
/// One sender offers no more than this at once.
const BURST: u64 = 256;
/// Messages of one sender whose moment of sending is remembered; far more than fit into the buffers.
const REMEMBERED: usize = 1 << 17;

pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    let seconds = match scale {
        Scale::Quick => 5,
        Scale::Full => 60,
    };
    run_for(bench, Duration::from_secs(seconds))
}

pub(crate) fn run_for(bench: &mut Bench, length: Duration) -> Result<()> {
    let case = Case {
        mode: "overload",
        label: format!("twice the load for {} s", length.as_secs()),
        wanted: Some("normal again <= 1000 ms, nobody dropped"),
        point: None,
    };
    let (site, measure, text_bytes) = (bench.site.clone(), bench.measure, bench.text_bytes);
    bench.compare_with(&case, &[Kind::Limit, Kind::Chat], |kind| {
        overload(kind, &site, text_bytes, measure, length)
    })
}

fn overload(
    kind: Kind,
    site: &Site,
    text_bytes: usize,
    measure: Duration,
    length: Duration,
) -> Result<Figures> {
    let shape = Shape::channel_of(PEOPLE, BULK, IN_FLIGHT, text_bytes);
    let carried = saturate(&Server::start(kind, site)?, &shape, measure)?;
    let carried = carried.deliveries_per_s.unwrap_or_default() / PEOPLE as f64;

    let server = Server::start(kind, site)?;
    let mut crowd = gather(&server, &shape)?;
    for conn in 0..=PROBE {
        crowd.shrink_send_buffer(conn, SEND_BUFFER_BYTES)?;
    }
    let mut storm = Storm::new(&crowd, &shape);
    let deadline = Deadline::after(CALM + length + AFTERWARDS + DRAIN, "the overload");
    storm.pass(&mut crowd, &server, CALM, 0.0)?;
    let calm_p99 = quantile_ms(&storm.probes, 0.99).unwrap_or_default();
    let rss_before = procstat::quick_rss(server.pid())?;

    storm.probes.reset();
    let meter = Meter::start(&server, storm.ledger.received())?;
    storm.pass(&mut crowd, &server, length, carried * 2.0)?;
    let mut figures = meter.finish(storm.ledger.received())?;
    let overload_p99 = quantile_ms(&storm.probes, 0.99).unwrap_or_default();
    figures.more(
        "taken messages / s",
        storm.taken as f64 / length.as_secs_f64(),
    );

    storm.over = Some(Instant::now());
    storm.pass(&mut crowd, &server, AFTERWARDS, 0.0)?;
    while !storm.ledger.is_complete() && crowd.trouble().is_none() && deadline.check().is_ok() {
        crowd.turn(TURN, &mut storm)?;
    }
    check_interrupted()?;
    figures.p50_ms = quantile_ms(&storm.bulk, 0.5);
    figures.p99_ms = quantile_ms(&storm.bulk, 0.99);
    figures.more("offered messages / s", carried * 2.0);
    figures.more("probe p99 ms, calm", calm_p99);
    figures.more("probe p99 ms, overload", overload_p99);
    figures.more(
        "normal again after ms",
        storm.recovery(Duration::from_secs_f64(calm_p99 / 1e3)),
    );
    figures.more("RSS MB before", rss_before as f64 / 1e6);
    figures.more("RSS MB peak", storm.peak_rss as f64 / 1e6);
    figures.more(
        "RSS MB after",
        procstat::quick_rss(server.pid())? as f64 / 1e6,
    );
    figures.more("dropped", crowd.lost() as f64);
    figures.fault = crowd.trouble().or_else(|| storm.ledger.fault());
    Ok(figures)
}

struct Storm {
    ledger: Ledger,
    template: Template,
    out: Vec<u8>,
    begun: Instant,
    probes_said: u32,
    /// By bulk sender and counter, as a ring.
    sent_at: Vec<Vec<Instant>>,
    taken: u64,
    heard_at: Instant,
    probes: Latencies,
    bulk: Latencies,
    peak_rss: u64,
    /// When the overload ended.
    over: Option<Instant>,
    /// After its end: the slowest probe of each window, by when it was due.
    slowest: Vec<Duration>,
    last_bulk: Instant,
}

impl Storm {
    fn new(crowd: &Crowd, shape: &Shape) -> Self {
        let windows = AFTERWARDS.as_millis() / WINDOW.as_millis();
        let sent_at = vec![vec![Instant::now(); REMEMBERED]; BULK];
        // After that, which takes longer than a probe may be late.
        let now = Instant::now();
        Self {
            ledger: Ledger::new(1, PEOPLE, BULK + 1, crowd.wire().echoes()),
            template: crowd.wire().say(shape.place(0), shape.text_bytes),
            out: Vec::new(),
            begun: now,
            probes_said: 0,
            sent_at,
            taken: 0,
            heard_at: now,
            probes: latencies(),
            bulk: latencies(),
            peak_rss: 0,
            over: None,
            slowest: vec![Duration::ZERO; usize::try_from(windows).expect("a few")],
            last_bulk: now,
        }
    }

    /// Goes on for `length` with so many messages a second offered beside the probes.
    fn pass(
        &mut self,
        crowd: &mut Crowd,
        server: &Server,
        length: Duration,
        per_second: f64,
    ) -> Result<()> {
        let begun = Instant::now();
        let mut sampled = begun;
        let mut offered = 0.0;
        // Also when somebody was dropped: what became of the others is of interest all the same.
        while begun.elapsed() < length {
            self.probe(crowd)?;
            let due = (begun.elapsed().as_secs_f64() * per_second - offered) / BULK as f64;
            if due >= 1.0 {
                offered += due.floor() * BULK as f64;
                for sender in 0..BULK {
                    self.offer(crowd, sender, due)?;
                }
            }
            crowd.turn(TURN, self)?;
            check_interrupted()?;
            if sampled.elapsed() > SAMPLE {
                sampled = Instant::now();
                self.peak_rss = self.peak_rss.max(procstat::quick_rss(server.pid())?);
            }
        }
        Ok(())
    }

    fn probe(&mut self, crowd: &mut Crowd) -> Result<()> {
        while self.probe_due_at(self.probes_said) <= Instant::now() {
            self.probes_said += 1;
            self.say(crowd, PROBE, 1)?;
        }
        Ok(())
    }

    /// Unless what was said before still waits to be sent: then this is held back.
    fn offer(&mut self, crowd: &mut Crowd, sender: usize, due: f64) -> Result<()> {
        if !crowd.all_sent(self.ledger.conn_of(sender)) {
            return Ok(());
        }
        #[expect(clippy::cast_possible_truncation, reason = "some messages of one turn")]
        let count = (due as u64).min(BURST);
        self.taken += count;
        self.say(crowd, sender, count)
    }

    fn say(&mut self, crowd: &mut Crowd, sender: usize, count: u64) -> Result<()> {
        self.out.clear();
        let now = Instant::now();
        for _ in 0..count {
            let stamp = self.ledger.next_stamp(sender);
            self.template.append(stamp, &mut self.out);
            if let Some(ring) = self.sent_at.get_mut(sender) {
                ring[stamp.counter as usize % REMEMBERED] = now;
            }
        }
        crowd.send(self.ledger.conn_of(sender), &self.out)
    }

    fn probe_due_at(&self, probe: u32) -> Instant {
        self.begun + PROBE_INTERVAL * probe
    }

    /// Milliseconds from the end of the overload until its last message had arrived and the probes were
    /// as quick as before.
    fn recovery(&self, calm_p99: Duration) -> f64 {
        let Some(over) = self.over else { return 0.0 };
        let normal = (calm_p99 * 2).max(NORMAL);
        let windows = self
            .slowest
            .iter()
            .take_while(|&&slowest| slowest > normal)
            .count();
        let quick_again = WINDOW * u32::try_from(windows).expect("a few");
        quick_again
            .max(self.last_bulk.saturating_duration_since(over))
            .as_secs_f64()
            * 1e3
    }
}

impl Watcher for Storm {
    fn arrived(&mut self) {
        self.heard_at = Instant::now();
    }

    fn delivery(&mut self, conn: usize, seq: u64, stamp: Stamp) {
        if !self.ledger.deliver(conn, seq, stamp) {
            return;
        }
        if let Some(ring) = self.sent_at.get(stamp.sender as usize) {
            let sent_at = ring[stamp.counter as usize % REMEMBERED];
            note(
                &mut self.bulk,
                self.heard_at.saturating_duration_since(sent_at),
            );
            self.last_bulk = self.heard_at;
            return;
        }
        let due_at = self.probe_due_at(stamp.counter);
        let latency = self.heard_at.saturating_duration_since(due_at);
        note(&mut self.probes, latency);
        if let Some(after) = self
            .over
            .and_then(|over| due_at.checked_duration_since(over))
        {
            let window = after.as_millis() / WINDOW.as_millis();
            if let Some(slowest) = usize::try_from(window)
                .ok()
                .and_then(|window| self.slowest.get_mut(window))
            {
                *slowest = (*slowest).max(latency);
            }
        }
    }
}
