//! A long past made in advance: a `chat_history.log` as chat-server itself would have written it, which
//! it finds when it starts.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::bench::ARRIVE;
use crate::crowd::Crowd;
use crate::deadline::check_interrupted;
use crate::error::{Doing, Result};
use crate::servers::{HISTORY, Kind, Server, Site};
use crate::wire::{Place, history_line};

/// Lines between two looks at whether the bench was told to stop.
const LINES_AT_ONCE: u64 = 10_000;
/// A server may read its whole past once, to index it: 100 bytes of it in a microsecond at least.
const START_PER_MESSAGE: Duration = Duration::from_micros(5);

/// A directory with so many messages of the lobby in its log.
pub(super) fn write(site: &Site, messages: u64, text_bytes: usize) -> Result<TempDir> {
    let dir = site.new_dir()?;
    let file = File::create(dir.path().join(HISTORY)).doing("writing a history")?;
    let mut file = BufWriter::with_capacity(1 << 20, file);
    let mut lines = Vec::new();
    for first in (1..=messages).step_by(usize::try_from(LINES_AT_ONCE).expect("small")) {
        check_interrupted()?;
        lines.clear();
        for seq in first..=messages.min(first + LINES_AT_ONCE - 1) {
            history_line(seq, text_bytes, &mut lines);
        }
        file.write_all(&lines).doing("writing a history")?;
    }
    file.into_inner()
        .map_err(|error| error.into_error())
        .doing("writing a history")?
        .sync_all()
        .doing("sync")?;
    Ok(dir)
}

/// Starts chat-server on it and tells how long that took until the first person was welcomed.
pub(super) fn start(
    site: &Site,
    dir: TempDir,
    messages: u64,
    text_bytes: usize,
) -> Result<(Server, Duration)> {
    let begun = Instant::now();
    let within = ARRIVE + START_PER_MESSAGE * u32::try_from(messages).unwrap_or(u32::MAX);
    let server = Server::start_in(Kind::Chat, site, dir, within)?;
    let mut crowd = Crowd::new(&server, text_bytes)?;
    crowd.arrive(1, |_| Place::Outside, within)?;
    Ok((server, begun.elapsed()))
}
