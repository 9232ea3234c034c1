//! Everyone comes at once and then does nothing: connections taken and welcomed a second, and what one
//! costs in resident memory.

use std::time::Duration;

use crate::bench::{ARRIVE, Bench, Scale, progress};
use crate::crowd::{Crowd, Deaf, IDLE_TURN};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::launch::raise_file_limit;
use crate::procstat;
use crate::report::{Case, Figures};
use crate::servers::{Kind, Server};
use crate::wire::Place;

const PEOPLE: usize = 19_000;
/// Descriptors of the generator and of a server that are no connection.
const OTHER_FILES: u64 = 64;
/// After everyone is there, until memory is looked at.
const SETTLE: Duration = Duration::from_secs(1);

pub(crate) fn run(bench: &mut Bench, scale: Scale) -> Result<()> {
    let allowed =
        usize::try_from(raise_file_limit().saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let people = PEOPLE.min(allowed);
    if people < PEOPLE {
        progress(&format!(
            "idle: only {people} connections, for want of file descriptors"
        ));
    }
    let case = Case {
        mode: "idle",
        label: format!("{people} connections"),
        wanted: Some("bytes <= 2,000, connections/s >= 0.71 x limit"),
        point: None,
    };
    let kinds: &[Kind] = match scale {
        Scale::Quick => &[Kind::Limit, Kind::Chat, Kind::Web],
        Scale::Full => &Kind::ALL,
    };
    let text_bytes = bench.text_bytes;
    bench.compare(&case, kinds, |server| measure(server, people, text_bytes))
}

fn measure(server: &Server, people: usize, text_bytes: usize) -> Result<Figures> {
    let before = procstat::exact_rss(server.pid())?;
    let cpu_before = server.cpu_time()?;
    let mut crowd = Crowd::new(server, text_bytes)?;
    let took = crowd.arrive(people, |_| Place::Outside, ARRIVE)?;
    let cpu = server.cpu_time()? - cpu_before;
    let settled = Deadline::after(SETTLE, "memory settles");
    while settled.check().is_ok() {
        crowd.turn(IDLE_TURN, &mut Deaf)?;
    }
    let rss = procstat::exact_rss(server.pid())?.saturating_sub(before);
    let mut figures = Figures {
        bytes_per_connection: Some(rss as f64 / people as f64),
        connections_per_s: Some(people as f64 / took.as_secs_f64()),
        fault: crowd.trouble(),
        ..Figures::default()
    };
    figures.more(
        "server CPU us / connection",
        cpu.as_secs_f64() * 1e6 / people as f64,
    );
    Ok(figures)
}
