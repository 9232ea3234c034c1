//! Saturated fan-out: one channel in which ten people have 51 messages each in flight, and one in which
//! a single person has 16.

use super::saturate::{Shape, saturate};
use crate::bench::{Bench, Scale};
use crate::error::Result;
use crate::report::{Case, Point};
use crate::servers::Kind;

const SENDERS: usize = 10;
const IN_FLIGHT: u32 = 51;

/// The cases of the table, and what chat-server is to reach in each.
pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    for (receivers, wanted) in [
        (1_000, "cpu <= 1.30 x limit"),
        (100, "cpu <= 1.30 x limit"),
        (10, "cpu <= 1.50 x limit"),
    ] {
        measure(
            bench,
            &Kind::ALL,
            receivers,
            SENDERS,
            IN_FLIGHT,
            Some(wanted),
        )?;
    }
    let kinds: &[Kind] = match scale {
        Scale::Quick => &[Kind::Limit, Kind::Chat],
        Scale::Full => &Kind::ALL,
    };
    measure(bench, kinds, 1_000, 1, 16, Some("cpu <= 1.21 x limit"))
}

/// Cases of one's own.
pub(crate) fn run_with(
    bench: &mut Bench,
    receivers: &[usize],
    senders: usize,
    in_flight: u32,
) -> Result<()> {
    for &receivers in receivers {
        measure(bench, &Kind::ALL, receivers, senders, in_flight, None)?;
    }
    Ok(())
}

/// The points of the curve that the table does not have.
pub(super) fn curve(bench: &mut Bench) -> Result<()> {
    for receivers in [3, 30, 300, 3_000] {
        measure(
            bench,
            &[Kind::Limit, Kind::Chat],
            receivers,
            SENDERS,
            IN_FLIGHT,
            None,
        )?;
    }
    Ok(())
}

fn measure(
    bench: &mut Bench,
    kinds: &[Kind],
    receivers: usize,
    senders: usize,
    in_flight: u32,
    wanted: Option<&'static str>,
) -> Result<()> {
    let shape = Shape::channel_of(receivers, senders, in_flight, bench.text_bytes);
    let standard = senders == SENDERS && in_flight == IN_FLIGHT;
    let case = Case {
        mode: "fan-out",
        label: format!(
            "{receivers} receivers, {} x {in_flight} in flight",
            shape.senders
        ),
        wanted,
        point: standard.then_some(Point {
            curve: "receivers",
            x: receivers as f64,
        }),
    };
    let seconds = bench.measure;
    bench.compare(&case, kinds, |server| saturate(server, &shape, seconds))
}
