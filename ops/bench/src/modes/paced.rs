//! Paced latency: 200 people in one channel, 500 messages a second between them, each of which is due at
//! its time. Send-to-receive by that time, at every receiver.

use std::time::Duration;

use super::pace::{NO_SLEEP, Pace, quantile_ms};
use super::saturate::{Shape, gather};
use crate::bench::{Bench, DRAIN, Meter, Scale, WARM_UP};
use crate::crowd::IDLE_TURN;
use crate::deadline::{Deadline, check_interrupted};
use crate::error::Result;
use crate::report::{Case, Figures};
use crate::servers::{Kind, Server};

pub(super) const PEOPLE: usize = 200;
pub(super) const PER_SECOND: u32 = 500;

pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    let case = Case {
        mode: "paced",
        label: format!("{PEOPLE} people, {PER_SECOND} messages/s"),
        wanted: Some("cpu <= 1.15, p50 and p99 <= 1.20 x limit"),
        point: None,
    };
    let measure = match scale {
        Scale::Quick => bench.measure,
        Scale::Full => bench.measure * 2,
    };
    let text_bytes = bench.text_bytes;
    bench.compare(&case, &Kind::ALL, |server| {
        paced(server, text_bytes, measure)
    })
}

fn paced(server: &Server, text_bytes: usize, measure: Duration) -> Result<Figures> {
    let shape = Shape::channel_of(PEOPLE, PEOPLE, 0, text_bytes);
    let mut crowd = gather(server, &shape)?;
    let mut pace = Pace::new(&crowd, shape.place(0), PEOPLE, text_bytes, PER_SECOND);
    let deadline = Deadline::after(WARM_UP + measure + DRAIN, "the paced run");
    while deadline.elapsed() < WARM_UP {
        pace.speak(&mut crowd)?;
        crowd.turn(NO_SLEEP, &mut pace)?;
    }
    pace.measure_from_now();
    let meter = Meter::start(server, pace.ledger.received())?;
    while meter.elapsed() < measure {
        pace.speak(&mut crowd)?;
        crowd.turn(NO_SLEEP, &mut pace)?;
        check_interrupted()?;
    }
    let mut figures = meter.finish(pace.ledger.received())?;
    while !pace.ledger.is_complete() && crowd.trouble().is_none() && deadline.check().is_ok() {
        crowd.turn(IDLE_TURN, &mut pace)?;
    }
    check_interrupted()?;
    figures.p50_ms = quantile_ms(&pace.latencies, 0.5);
    figures.p99_ms = quantile_ms(&pace.latencies, 0.99);
    figures.more(
        "generator late p99 ms",
        quantile_ms(&pace.late, 0.99).unwrap_or_default(),
    );
    figures.fault = crowd.trouble().or_else(|| pace.ledger.fault());
    Ok(figures)
}
