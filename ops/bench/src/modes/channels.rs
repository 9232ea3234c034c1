//! Many small channels, one person talking in each: the price of a write to every single receiver.

use super::saturate::{Shape, saturate};
use crate::bench::{Bench, Scale};
use crate::error::Result;
use crate::report::Case;
use crate::servers::Kind;

const CHANNELS: usize = 200;
const MEMBERS: usize = 10;

pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    let kinds: &[Kind] = match scale {
        Scale::Quick => &[Kind::Limit, Kind::Chat],
        Scale::Full => &Kind::ALL,
    };
    for (in_flight, wanted) in [(1, "cpu <= 1.14 x limit"), (8, "cpu <= 1.28 x limit")] {
        let shape = Shape {
            channels: CHANNELS,
            ..Shape::channel_of(MEMBERS, 1, in_flight, bench.text_bytes)
        };
        let case = Case {
            mode: "channels",
            label: format!("{CHANNELS} channels of {MEMBERS}, {in_flight} in flight each"),
            wanted: Some(wanted),
            point: None,
        };
        let seconds = bench.measure;
        bench.compare(&case, kinds, |server| saturate(server, &shape, seconds))?;
    }
    Ok(())
}
