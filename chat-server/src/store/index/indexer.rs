//! `Indexer`: keeps the index up with the log, behind everyone's back.
//!
//! The recorder gathers the chunks of what it records, as it has the lines at hand, and hands them on ([`Grown::By`]).
//! What nobody has gathered (what was recorded before the start, or while there was too much to do here) is read from
//! the log: catching up after a crash, making the index anew and filling a hole are one and the same. It lives on a
//! thread of its own. If it falls behind or fails, readers read more of the log, and nobody misses anything.
//! An index that cannot be read or written any more, or that its path no longer leads to, is made again.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use actix::prelude::*;
use rustix::process::nice;

use super::postings::{CHUNK_BYTES, Chunk, Covered};
use super::sqlite::Index;
use super::status::Trust;
use crate::error::HistoryError;
use crate::store::database::files::Identities;
use crate::store::log::{Log, RecordedEnd};

/// How often the file is checked.
const CHECK: Duration = Duration::from_secs(1);

/// How long an index is not made again, once it was: a disk that fails does not keep a core busy.
const REMAKE: Duration = Duration::from_secs(10);

/// Chunks that are added at once: what is read in some tens of milliseconds.
const CHUNKS_AT_ONCE: usize = 64;

/// A tenth of a core is left to it where all are busy, three times what it needs, and who answers people has the core at
/// once: while ten million messages were indexed on the only core, a page took 3.3 ms and takes 0.5.
const NICENESS: i32 = 10;

/// Hand-overs that wait to be dealt with; the recorder keeps no more for a slow disk. Most have some 5 kB, on a
/// busy day twenty times that.
const WAITING: usize = 16;

/// The log has grown
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub enum Grown {
    /// by these chunks,
    By(Vec<Chunk>),
    /// or up to this offset, and nobody has gathered what is new.
    To(u64),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Indexer {
    path: PathBuf,
    /// `None` while it cannot be made.
    index: Option<Index>,
    /// The files of the index.
    identities: Option<Identities>,
    trust: Trust,
    /// When it was made again last.
    remade: Option<Instant>,
    /// How far it reaches, if that is known.
    covered: Option<Covered>,
    log: Log,
    end: RecordedEnd,
    /// What a chunk is read into; kept, as the system takes its time to give so much anew.
    buffer: Vec<u8>,
    /// The last try failed: said once, until one succeeds.
    failing: bool,
    /// The log is damaged where the index ends: it stays as it is.
    stuck: bool,
}

impl Indexer {
    /// An indexer for the index at `path` of `log`, whose lines end at `end`. Where the index can neither
    /// be opened nor be made, that is tried again later.
    pub fn new(path: &Path, log: Log, end: RecordedEnd, trust: Trust) -> Self {
        let mut indexer = Self {
            path: path.to_owned(),
            index: None,
            identities: None,
            trust,
            remade: None,
            covered: None,
            log,
            end,
            buffer: Vec::new(),
            failing: false,
            stuck: false,
        };
        let opened = Index::open(path, &indexer.log, indexer.end.get());
        let outcome = opened.map(|index| indexer.took(index));
        indexer.note(outcome);
        indexer
    }

    fn took(&mut self, index: Index) {
        self.index = Some(index);
        self.identities = Identities::of(&self.path).ok();
        self.covered = None;
        self.trust.renew();
    }

    /// Makes the index again if it cannot be used.
    fn check(&mut self) {
        let in_place = |identities: &Identities| identities.check().is_ok();
        let is_fine = self.index.is_some()
            && self.identities.as_ref().is_none_or(in_place)
            && !self.trust.is_distrusted();
        if is_fine || self.remade.is_some_and(|last| last.elapsed() < REMAKE) {
            return;
        }
        log::warn!("{}: is made again from the log", self.path.display());
        self.remade = Some(Instant::now());
        // Before the new one is made, see `Index::make`.
        drop(self.index.take());
        let made = Index::make(&self.path);
        let outcome = made.and_then(|index| {
            self.took(index);
            self.stuck = false;
            self.catch_up(self.end.get())
        });
        self.note(outcome);
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
        let mut covered = self.covered()?;
        // Or the log was read for them.
        if let Some(index) = &mut self.index
            && first.follows(&covered)
        {
            chunks.iter().for_each(|chunk| covered.grow_by(chunk));
            index.add(chunks)?;
        }
        self.covered = Some(covered);
        Ok(())
    }

    /// Indexes what the log has up to `end`, but for less than `least` bytes.
    fn read(&mut self, end: u64, least: u64) -> Result<(), HistoryError> {
        let mut covered = self.covered()?;
        let Some(index) = &mut self.index else {
            return Ok(());
        };
        while covered.end + least <= end {
            let mut chunks = Vec::new();
            while chunks.len() < CHUNKS_AT_ONCE && covered.end + least <= end {
                let next = covered.last_seq + 1;
                match Chunk::read(&self.log, covered.end, end, next, &mut self.buffer) {
                    Ok(chunk) => {
                        covered.grow_by(&chunk);
                        chunks.push(chunk);
                    }
                    // What stands before the damage is of use.
                    Err(error) => return index.add(&chunks).and(Err(error)),
                }
            }
            index.add(&chunks)?;
        }
        self.covered = Some(covered);
        Ok(())
    }

    /// How far the index reaches; looked up again unless it is put back, so after an error.
    fn covered(&mut self) -> Result<Covered, HistoryError> {
        match (self.covered.take(), &self.index) {
            (Some(covered), _) => Ok(covered),
            (None, Some(index)) => index.covered(),
            (None, None) => Ok(Covered::default()),
        }
    }

    fn note(&mut self, outcome: Result<(), HistoryError>) {
        match outcome {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.stuck = matches!(error, HistoryError::Damaged { .. });
                if matches!(error, HistoryError::Index(_)) {
                    self.trust.distrust();
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
        ctx.set_mailbox_capacity(WAITING);
        // Of its thread alone. An error means that it stays as it was.
        nice(NICENESS).ok();
        ctx.run_interval(CHECK, |indexer, _| indexer.check());
    }
}

impl Handler<Grown> for Indexer {
    type Result = ();

    fn handle(&mut self, grown: Grown, _: &mut Self::Context) {
        if self.stuck {
            return;
        }
        let outcome = match grown {
            Grown::By(chunks) => self.add(&chunks),
            Grown::To(end) => self.catch_up(end),
        };
        self.note(outcome);
    }
}
