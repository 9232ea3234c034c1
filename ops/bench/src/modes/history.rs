//! History paging under load: ten people leaf through a long history as fast as they are answered, alone
//! and while 200 others talk at the pace of the `paced` mode; and those 200 without them, to compare.

use std::time::Duration;

use super::pace::{NO_SLEEP, Pace, quantile_ms};
use super::paced::{PEOPLE, PER_SECOND};
use super::pager::Pagers;
use super::past;
use crate::bench::{ARRIVE, Bench, DRAIN, Meter, Scale, WARM_UP};
use crate::crowd::{Crowd, IDLE_TURN, Watcher};
use crate::deadline::{Deadline, check_interrupted};
use crate::error::Result;
use crate::report::{Case, Figures};
use crate::servers::{Kind, Server};
use crate::wire::{Place, Stamp};

const PAGERS: usize = 10;

pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    let messages = match scale {
        Scale::Quick => 100_000,
        Scale::Full => 1_000_000,
    };
    let (site, measure, text_bytes) = (bench.site.clone(), bench.measure, bench.text_bytes);
    for (label, people, pagers) in [
        (
            format!("{PAGERS} page through {messages} messages"),
            0,
            PAGERS,
        ),
        (
            format!("{PEOPLE} people, {PER_SECOND} messages/s"),
            PEOPLE,
            0,
        ),
        (
            format!("both: {PAGERS} page while {PEOPLE} talk"),
            PEOPLE,
            PAGERS,
        ),
    ] {
        let case = Case {
            mode: "history",
            label,
            ..Case::default()
        };
        bench.compare_with(&case, &[Kind::Chat], |_| {
            let dir = past::write(&site, messages, text_bytes)?;
            let (server, _) = past::start(&site, dir, messages, text_bytes)?;
            evening(&server, people, pagers, text_bytes, measure)
        })?;
    }
    Ok(())
}

/// Some talk, in a channel of their own, and some read what was said in the lobby.
struct Evening {
    pace: Option<Pace>,
    pagers: Pagers,
}

impl Evening {
    fn measure_from_now(&mut self) {
        self.pagers.measure_from_now();
        if let Some(pace) = &mut self.pace {
            pace.measure_from_now();
        }
    }

    fn received(&self) -> u64 {
        self.pace.as_ref().map_or(0, |pace| pace.ledger.received())
    }

    fn is_complete(&self) -> bool {
        self.pace
            .as_ref()
            .is_none_or(|pace| pace.ledger.is_complete())
    }

    fn turn(&mut self, crowd: &mut Crowd) -> Result<()> {
        self.pagers.ask(crowd)?;
        if let Some(pace) = &mut self.pace {
            pace.speak(crowd)?;
        }
        crowd.turn(NO_SLEEP, self)?;
        check_interrupted()
    }
}

impl Watcher for Evening {
    fn arrived(&mut self) {
        if let Some(pace) = &mut self.pace {
            pace.arrived();
        }
    }

    fn delivery(&mut self, conn: usize, seq: u64, stamp: Stamp) {
        if let Some(pace) = &mut self.pace {
            pace.delivery(conn, seq, stamp);
        }
    }

    fn page(&mut self, conn: usize, payload: &[u8]) {
        self.pagers.page(conn, payload);
    }
}

fn evening(
    server: &Server,
    people: usize,
    pagers: usize,
    text_bytes: usize,
    measure: Duration,
) -> Result<Figures> {
    let mut crowd = Crowd::new(server, text_bytes)?;
    crowd.arrive(people, |_| Place::Channel(0), ARRIVE)?;
    crowd.arrive(pagers, |_| Place::Lobby, ARRIVE)?;
    let pace =
        (people > 0).then(|| Pace::new(&crowd, Place::Channel(0), people, text_bytes, PER_SECOND));
    let mut evening = Evening {
        pace,
        pagers: Pagers::new(people, pagers),
    };
    let deadline = Deadline::after(WARM_UP + measure + DRAIN, "the evening");
    while deadline.elapsed() < WARM_UP {
        evening.turn(&mut crowd)?;
    }
    evening.measure_from_now();
    let meter = Meter::start(server, evening.received())?;
    while meter.elapsed() < measure {
        evening.turn(&mut crowd)?;
    }
    let mut figures = meter.finish(evening.received())?;
    evening.pagers.tell(&mut figures, measure);
    while !evening.is_complete() && crowd.trouble().is_none() && deadline.check().is_ok() {
        crowd.turn(IDLE_TURN, &mut evening)?;
    }
    check_interrupted()?;
    if let Some(pace) = &evening.pace {
        figures.p50_ms = quantile_ms(&pace.latencies, 0.5);
        figures.p99_ms = quantile_ms(&pace.latencies, 0.99);
        figures.fault = pace.ledger.fault();
    } else {
        figures.deliveries_per_s = None;
    }
    figures.fault = crowd
        .trouble()
        .or(figures.fault.take())
        .or_else(|| evening.pagers.fault());
    Ok(figures)
}
