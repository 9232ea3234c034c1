//! People who come, go, talk, are cut off and come back, for half an hour: is a message lost or heard
//! twice, and do memory and file descriptors stay as they are?

use std::time::{Duration, Instant};

use crate::bench::{Bench, DRAIN, progress};
use crate::deadline::{Deadline, check_interrupted};
use crate::error::Result;
use crate::procstat;
use crate::report::{Case, Figures};
use crate::servers::{HISTORY, Kind, Server, Site};
use crate::soak::{Town, check};

/// From this length on memory and descriptors are judged: before it caches are still being filled.
const JUDGED: Duration = Duration::from_secs(300);
/// How often it is said how things are.
const NEWS: Duration = Duration::from_secs(60);
/// How much more memory is level: allocators and page caches of SQLite breathe.
const LEVEL_BYTES: u64 = 4 << 20;
/// How many more descriptors: who is away has none.
const LEVEL_FDS: usize = 32;

pub(crate) fn run(bench: &mut Bench, people: usize, length: Duration) -> Result<()> {
    let case = Case {
        mode: "soak",
        label: format!("{people} people for {} s", length.as_secs()),
        wanted: Some("nothing lost or repeated, memory and descriptors level"),
        point: None,
    };
    let site = bench.site.clone();
    bench.compare_with(&case, &[Kind::Chat], |_| soak(&site, people, length))
}

/// What the server uses at a moment.
#[derive(Clone, Copy, Debug)]
struct Use {
    rss: u64,
    fds: usize,
}

impl Use {
    fn of(server: &Server) -> Result<Self> {
        Ok(Self {
            rss: procstat::exact_rss(server.pid())?,
            fds: procstat::open_files(server.pid())?,
        })
    }
}

fn soak(site: &Site, people: usize, length: Duration) -> Result<Figures> {
    let server = Server::start(Kind::Chat, site)?;
    let mut town = Town::new(server.addr, people, length)?;
    let (begun, cpu) = (Instant::now(), server.cpu_time()?);
    let mut news = NEWS;
    let mut uses = Vec::new();
    // At 5, 15 and 30 minutes of 30.
    for moment in [length / 6, length / 2, length] {
        while begun.elapsed() < moment {
            town.turn()?;
            check_interrupted()?;
            if begun.elapsed() >= news {
                news += NEWS;
                progress(&format!("{:?} {:?}", town.counts, Use::of(&server)?));
            }
        }
        uses.push(Use::of(&server)?);
    }
    let busy = (server.cpu_time()? - cpu).as_secs_f64() / begun.elapsed().as_secs_f64();
    town.close();
    let deadline = Deadline::after(DRAIN, "everybody says goodbye");
    while !town.is_empty() {
        town.turn()?;
        deadline.check()?;
    }
    let dir = server.stop()?;
    let verdict = check(&town.books, &dir.path().join(HISTORY))?;

    let mut figures = Figures::default();
    figures.more("messages", verdict.recorded as f64);
    figures.more("objects heard", town.counts.heard as f64);
    figures.more("people", town.counts.lives as f64);
    figures.more("cut off", town.counts.cut as f64);
    figures.more("resumed", town.counts.resumed as f64);
    figures.more("lost", verdict.lost as f64);
    figures.more("repeated", (town.counts.repeated + verdict.uncalled) as f64);
    for (at, name) in [(0, "RSS MB, 1/6"), (1, "RSS MB, 1/2"), (2, "RSS MB, end")] {
        figures.more(name, uses[at].rss as f64 / 1e6);
    }
    for (at, name) in [(0, "files, 1/6"), (1, "files, 1/2"), (2, "files, end")] {
        figures.more(name, uses[at].fds as f64);
    }
    figures.more("server busy %", busy * 100.0);
    figures.fault = town.fault.or(verdict.fault).or_else(|| {
        let repeated = town.counts.repeated;
        (repeated > 0).then(|| format!("{repeated} messages were heard twice or out of order"))
    });
    if length >= JUDGED {
        figures.fault = figures.fault.or_else(|| uneven(uses[0], uses[2]));
    }
    Ok(figures)
}

/// What has grown that should not.
fn uneven(early: Use, late: Use) -> Option<String> {
    let grown =
        late.rss > early.rss + early.rss / 10 + LEVEL_BYTES || late.fds > early.fds + LEVEL_FDS;
    grown.then(|| format!("from {early:?} to {late:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_is_not_level() {
        let early = Use {
            rss: 20 << 20,
            fds: 200,
        };
        assert_eq!(
            uneven(
                early,
                Use {
                    rss: 22 << 20,
                    fds: 210
                }
            ),
            None
        );
        assert!(
            uneven(
                early,
                Use {
                    rss: 40 << 20,
                    ..early
                }
            )
            .is_some()
        );
        assert!(uneven(early, Use { fds: 400, ..early }).is_some());
    }
}
