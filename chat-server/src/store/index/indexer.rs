//! `Indexer`: extends the index in the background.
//!
//! The recorder sends chunks of the lines that it wrote ([`LogAppended::Chunks`]). The indexer
//! builds all other chunks from the log: lines written before the start, or while its mailbox was
//! full. It runs on its own thread. If it falls behind or fails, readers scan more of the log and
//! no message is lost. It rebuilds an index that is damaged, or whose path leads to another file.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use actix::prelude::*;
use rustix::process::nice;

use super::postings::{CHUNK_BYTES, Chunk, IndexedUpTo};
use super::sqlite::Index;
use super::status::IndexStatus;
use crate::error::HistoryError;
use crate::store::database::files::FileIdentities;
use crate::store::log::{Log, RecordedEnd};

/// How often the file is checked.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long an index is not made again, once it was: a disk that fails does not keep a core busy.
const REBUILD_INTERVAL: Duration = Duration::from_secs(10);

/// Chunks that are added at once: what is read in some tens of milliseconds.
const CHUNKS_PER_TRANSACTION: usize = 64;

/// Lower priority than the threads that serve clients.
const NICENESS: i32 = 10;

/// Bound of the chunk batches that wait in the mailbox.
const MAILBOX_CAPACITY: usize = 16;

/// The log has grown.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum LogAppended {
    /// By the lines of these chunks.
    Chunks(Vec<Chunk>),
    /// Up to this offset; the new lines are only in the log.
    UpTo(u64),
}

/// The actor that extends the index.
#[derive(Debug)]
pub struct Indexer {
    path: PathBuf,
    /// `None` while it cannot be made.
    index: Option<Index>,
    /// The files of the index.
    identities: Option<FileIdentities>,
    status: IndexStatus,
    /// When it was made again last.
    rebuilt_at: Option<Instant>,
    /// How far it reaches, if that is known.
    indexed_up_to: Option<IndexedUpTo>,
    log: Log,
    end: RecordedEnd,
    /// The buffer of a chunk; the allocation is reused.
    buffer: Vec<u8>,
    /// The last try failed: said once, until one succeeds.
    failing: bool,
    /// The log is damaged where the index ends: it stays as it is.
    log_is_damaged: bool,
}

impl Indexer {
    /// Returns an indexer for the index at `path` of `log`, whose lines end at `end`. Retries later
    /// if the index can be neither opened nor created.
    pub fn new(path: &Path, log: Log, end: RecordedEnd, status: IndexStatus) -> Self {
        let mut indexer = Self {
            path: path.to_owned(),
            index: None,
            identities: None,
            status,
            rebuilt_at: None,
            indexed_up_to: None,
            log,
            end,
            buffer: Vec::new(),
            failing: false,
            log_is_damaged: false,
        };
        let opened = Index::open(path, &indexer.log, indexer.end.get());
        let outcome = opened.map(|index| indexer.use_index(index));
        indexer.record_outcome(outcome);
        indexer
    }

    fn use_index(&mut self, index: Index) {
        self.index = Some(index);
        self.identities = FileIdentities::of(&self.path).ok();
        self.indexed_up_to = None;
        self.status.publish();
    }

    /// Makes the index again if it cannot be used.
    fn check(&mut self) {
        let in_place = |identities: &FileIdentities| identities.check().is_ok();
        let is_fine = self.index.is_some()
            && self.identities.as_ref().is_none_or(in_place)
            && !self.status.is_damaged();
        if is_fine
            || self
                .rebuilt_at
                .is_some_and(|last| last.elapsed() < REBUILD_INTERVAL)
        {
            return;
        }
        log::warn!("{}: is made again from the log", self.path.display());
        self.rebuilt_at = Some(Instant::now());
        // Before the new one is made, see `Index::create`.
        drop(self.index.take());
        let created = Index::create(&self.path);
        let outcome = created.and_then(|index| {
            self.use_index(index);
            self.log_is_damaged = false;
            self.catch_up(self.end.get())
        });
        self.record_outcome(outcome);
    }

    /// Indexes what the log has up to `end`.
    pub(super) fn catch_up(&mut self, end: u64) -> Result<(), HistoryError> {
        self.read(end, CHUNK_BYTES)
    }

    /// Adds chunks that stand side by side, and before them what the log has.
    pub(super) fn add(&mut self, chunks: &[Chunk]) -> Result<(), HistoryError> {
        let Some(first) = chunks.first() else {
            return Ok(());
        };
        self.read(first.start, 1)?;
        let mut indexed_up_to = self.indexed_up_to()?;
        // Or the log was read for them.
        if let Some(index) = &mut self.index
            && first.follows(&indexed_up_to)
        {
            chunks.iter().for_each(|chunk| indexed_up_to.extend(chunk));
            index.add(chunks)?;
        }
        self.indexed_up_to = Some(indexed_up_to);
        Ok(())
    }

    /// Indexes what the log has up to `end`, but for less than `least` bytes.
    fn read(&mut self, end: u64, least: u64) -> Result<(), HistoryError> {
        let mut indexed_up_to = self.indexed_up_to()?;
        let Some(index) = &mut self.index else {
            return Ok(());
        };
        while indexed_up_to.end + least <= end {
            let mut chunks = Vec::new();
            while chunks.len() < CHUNKS_PER_TRANSACTION && indexed_up_to.end + least <= end {
                let next = indexed_up_to.last_seq + 1;
                match Chunk::read(&self.log, indexed_up_to.end, end, next, &mut self.buffer) {
                    Ok(chunk) => {
                        indexed_up_to.extend(&chunk);
                        chunks.push(chunk);
                    }
                    // Index the lines before the damage.
                    Err(error) => return index.add(&chunks).and(Err(error)),
                }
            }
            index.add(&chunks)?;
        }
        self.indexed_up_to = Some(indexed_up_to);
        Ok(())
    }

    /// How far the index reaches; looked up again unless it is put back, so after an error.
    fn indexed_up_to(&mut self) -> Result<IndexedUpTo, HistoryError> {
        match (self.indexed_up_to.take(), &self.index) {
            (Some(indexed_up_to), _) => Ok(indexed_up_to),
            (None, Some(index)) => index.indexed_up_to(),
            (None, None) => Ok(IndexedUpTo::default()),
        }
    }

    fn record_outcome(&mut self, outcome: Result<(), HistoryError>) {
        match outcome {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.log_is_damaged = matches!(error, HistoryError::Damaged { .. });
                if matches!(error, HistoryError::Index(_)) {
                    self.status.report_damage();
                }
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("old messages will be found slowly: {error}");
                }
            }
        }
    }
}

impl Actor for Indexer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX_CAPACITY);
        // Of its thread alone. An error means that it stays as it was.
        nice(NICENESS).ok();
        ctx.run_interval(CHECK_INTERVAL, |indexer, _| indexer.check());
    }
}

impl Handler<LogAppended> for Indexer {
    type Result = ();

    fn handle(&mut self, grown: LogAppended, _: &mut Self::Context) {
        if self.log_is_damaged {
            return;
        }
        let outcome = match grown {
            LogAppended::Chunks(chunks) => self.add(&chunks),
            LogAppended::UpTo(end) => self.catch_up(end),
        };
        self.record_outcome(outcome);
    }
}
