//! How cost grows: with the receivers, with people who do nothing, with channels in which nothing happens,
//! and with the length of the history.

use std::time::{Duration, Instant};

use super::pace::quantile_ms;
use super::pager::Pagers;
use super::saturate::{Shape, saturate};
use super::{fanout, past};
use crate::bench::{ARRIVE, Bench};
use crate::crowd::{Crowd, IDLE_TURN, Watcher};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::procstat;
use crate::report::{Case, Figures, Point};
use crate::servers::{Kind, Server, Site};
use crate::wire::{Place, Stamp, resuming_hello};

const BOTH: [Kind; 2] = [Kind::Limit, Kind::Chat];
/// Pages asked for at random places of a history.
const PAGES: u64 = 200;
/// Messages that a returning client missed: as many as the server replays.
const MISSED: u64 = 1_000;

pub(crate) fn run(bench: &mut Bench) -> Result<()> {
    fanout::curve(bench)?;
    idle_people(bench)?;
    quiet_channels(bench)?;
    history(bench, &[1_000, 10_000, 100_000, 1_000_000, 10_000_000])
}

fn idle_people(bench: &mut Bench) -> Result<()> {
    for idle in [0, 1_000, 5_000, 10_000, 18_000] {
        let shape = Shape {
            idle,
            ..Shape::channel_of(100, 10, 51, bench.text_bytes)
        };
        measure(
            bench,
            "idle",
            idle,
            &format!("channel of 100, {idle} idle people"),
            shape,
        )?;
    }
    Ok(())
}

fn quiet_channels(bench: &mut Bench) -> Result<()> {
    for quiet_channels in [0, 100, 500, 1_000, 1_800] {
        let shape = Shape {
            channels: 20,
            quiet_channels,
            ..Shape::channel_of(10, 1, 8, bench.text_bytes)
        };
        let label = format!("20 channels of 10, {quiet_channels} quiet ones");
        measure(bench, "channels", quiet_channels, &label, shape)?;
    }
    Ok(())
}

fn measure(
    bench: &mut Bench,
    curve: &'static str,
    x: usize,
    label: &str,
    shape: Shape,
) -> Result<()> {
    let point = Some(Point { curve, x: x as f64 });
    let case = Case {
        mode: "curves",
        label: label.to_owned(),
        wanted: None,
        point,
    };
    let seconds = bench.measure;
    bench.compare(&case, &BOTH, |server| saturate(server, &shape, seconds))
}

/// Start, page and replay with pasts of different length.
pub(crate) fn history(bench: &mut Bench, lengths: &[u64]) -> Result<()> {
    let (site, text_bytes) = (bench.site.clone(), bench.text_bytes);
    for &length in lengths {
        let point = Some(Point {
            curve: "history",
            x: length as f64,
        });
        let case = Case {
            mode: "history length",
            label: format!("{length} messages"),
            wanted: None,
            point,
        };
        bench.compare_with(&case, &[Kind::Chat], |_| {
            with_a_past(&site, length, text_bytes)
        })?;
    }
    Ok(())
}

fn with_a_past(site: &Site, length: u64, text_bytes: usize) -> Result<Figures> {
    let mut figures = Figures::default();
    let dir = past::write(site, length, text_bytes)?;
    // It may index a log that it did not write; only once, though.
    let (server, first) = past::start(site, dir, length, text_bytes)?;
    let (server, again) = past::start(site, server.stop()?, length, text_bytes)?;
    figures.more("first start ms", first.as_secs_f64() * 1e3);
    figures.more("start ms", again.as_secs_f64() * 1e3);
    figures.more("RSS MB", procstat::exact_rss(server.pid())? as f64 / 1e6);
    figures.fault = pages(&server, length, text_bytes, &mut figures)?;
    let replayed = replay(&server, length, text_bytes)?;
    figures.more("replay ms", replayed.as_secs_f64() * 1e3);
    Ok(figures)
}

fn pages(
    server: &Server,
    length: u64,
    text_bytes: usize,
    figures: &mut Figures,
) -> Result<Option<String>> {
    let mut crowd = Crowd::new(server, text_bytes)?;
    crowd.arrive(1, |_| Place::Lobby, ARRIVE)?;
    let mut pager = Pagers::new(0, 1);
    let deadline = Deadline::after(ARRIVE, "pages of the history");
    for page in 0..PAGES {
        // Multiplying by a prime larger than any length here scatters them over the whole of it.
        pager.ask_before(&mut crowd, 2 + page * 179_424_673 % (length - 1))?;
        while pager.pages == page {
            crowd.turn(IDLE_TURN, &mut pager)?;
            crowd.check_peace()?;
            deadline.check()?;
        }
    }
    figures.more(
        "page p50 ms",
        quantile_ms(&pager.latencies, 0.5).unwrap_or_default(),
    );
    figures.more(
        "page p99 ms",
        quantile_ms(&pager.latencies, 0.99).unwrap_or_default(),
    );
    Ok(pager.fault())
}

/// From the hello of somebody who comes back until they have all they missed.
fn replay(server: &Server, length: u64, text_bytes: usize) -> Result<Duration> {
    struct Missed(u64);
    impl Watcher for Missed {
        fn delivery(&mut self, _: usize, seq: u64, _: Stamp) {
            // In order and without a gap, or the count never gets to its end.
            self.0 += u64::from(seq == self.0 + 1);
        }
    }
    let mut crowd = Crowd::new(server, text_bytes)?;
    let mut missed = Missed(length.saturating_sub(MISSED));
    let mut hello = Vec::new();
    resuming_hello("back", missed.0, &mut hello);
    let deadline = Deadline::after(ARRIVE, format!("{MISSED} missed messages are replayed"));
    let begun = Instant::now();
    crowd.connect_with(Place::Lobby, &hello)?;
    while missed.0 < length {
        crowd.turn(IDLE_TURN, &mut missed)?;
        crowd.check_peace()?;
        deadline.check()?;
    }
    Ok(begun.elapsed())
}
