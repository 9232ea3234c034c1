//! `Indexer`: keeps the index up with the log, behind everyone's back.
//!
//! The recorder tells it that the log has grown ([`Grown`]) when that makes a chunk, and it reads from
//! the log what it does not have yet, a moment later, when on a busy day there is more of it; so catching up
//! after a crash, making the index anew and the work of every day are one and the same. It lives on a thread of
//! its own. If it falls behind or fails, readers read more of the log, and nobody misses anything.

use std::time::Duration;

use actix::prelude::*;

use super::chunk::{CHUNK_BYTES, Chunk};
use super::file::{Covered, Index};
use crate::error::HistoryError;
use crate::store::log::Log;

/// Chunks that are added at once: what is read in some tens of milliseconds.
const CHUNKS_AT_ONCE: usize = 64;

/// How long more is waited for: to commit each chunk by itself took a quarter of the indexer's time.
const MOMENT: Duration = Duration::from_millis(20);

/// The recorded lines end at this offset now.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Grown(pub u64);

/// See the head of this file.
#[derive(Debug)]
pub struct Indexer {
    index: Index,
    /// How far it reaches, if that is known.
    covered: Option<Covered>,
    log: Log,
    /// Where the lines end that it is to have in a moment.
    due: Option<u64>,
    /// What a chunk is read into; kept, as the system takes its time to give so much anew.
    buffer: Vec<u8>,
    /// The last try failed: said once, until one succeeds.
    failing: bool,
    /// The log is damaged where the index ends: it stays as it is.
    stuck: bool,
}

impl Indexer {
    pub fn new(index: Index, log: Log) -> Self {
        Self {
            index,
            covered: None,
            log,
            due: None,
            buffer: Vec::new(),
            failing: false,
            stuck: false,
        }
    }

    /// Indexes what makes chunks of the log up to `end`.
    pub(super) fn catch_up(&mut self, end: u64) -> Result<(), HistoryError> {
        let covered = self.covered.take();
        let mut covered = covered.map_or_else(|| self.index.covered(), Ok)?;
        while covered.end + CHUNK_BYTES <= end {
            let mut chunks = Vec::new();
            while chunks.len() < CHUNKS_AT_ONCE && covered.end + CHUNK_BYTES <= end {
                let chunk = match Chunk::read(
                    &self.log,
                    covered.end,
                    covered.last_seq + 1,
                    &mut self.buffer,
                ) {
                    Ok(chunk) => chunk,
                    // What stands before the damage is of use.
                    Err(error) => return self.index.add(&chunks).and(Err(error)),
                };
                covered.end = chunk.stop;
                covered.last_seq += chunk.messages();
                chunks.push(chunk);
            }
            self.index.add(&chunks)?;
        }
        self.covered = Some(covered);
        Ok(())
    }

    fn go_on(&mut self) {
        let Some(end) = self.due.take() else { return };
        match self.catch_up(end) {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.stuck = matches!(error, HistoryError::Damaged { .. });
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("old messages will be found slowly: {error}");
                }
            }
        }
    }
}

impl Actor for Indexer {
    type Context = Context<Self>;
}

impl Handler<Grown> for Indexer {
    type Result = ();

    fn handle(&mut self, Grown(end): Grown, ctx: &mut Self::Context) {
        if !self.stuck && self.due.replace(end).is_none() {
            ctx.run_later(MOMENT, |indexer, _| indexer.go_on());
        }
    }
}
