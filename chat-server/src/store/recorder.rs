//! `Recorder`: appends every message to the history before anyone is sent it.
//!
//! It owns the file for writing and lives on a thread of its own, for the blocking calls. The room
//! sends it one batch at a time ([`Append`]); it answers [`Appended`] when all of the batch is in the
//! file (and, with durability `batch`, on the disk), or nothing of it: a batch that could be written in
//! part only is cut off again. A full disk is no state of its own: the next batch is simply tried.
//! The indexer hears of it when there is enough for it to do.

use std::fs::File;
use std::io::{self, IoSlice, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use chat_proto::codec::{HEADER_BYTES, split_frame};

use crate::chat::room::{Append, Appended};
use crate::config::{Durability, History};
use crate::health::{Ailment, Health};
use crate::store::index::CHUNK_BYTES;
use crate::store::index::indexer::Grown;
use crate::vital::Vital;

/// Lines handed to one vectored write, as many as the system takes (IOV_MAX).
const SLICES: usize = 1024;

/// How long to wait before it is looked whether a history that could not be written can be again, and how
/// much there has to be room for.
const AGAIN: Duration = Duration::from_secs(1);
const PROBE_BYTES: usize = 64 * 1024;

/// Where the recorded lines end; readers look no further.
#[derive(Debug, Clone, Default)]
pub struct RecordedEnd(Arc<AtomicU64>);

impl RecordedEnd {
    pub fn new(end: u64) -> Self {
        Self(Arc::new(AtomicU64::new(end)))
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Everything is to be on the disk; answered when it is.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Flush;

/// Forces the history to the disk on a thread of its own: with durability `interval` nobody's message
/// waits for the disk, however long that takes.
#[derive(Debug)]
struct Syncer {
    file: Arc<File>,
    /// A [`Sync`] is on its way: there is never more than one.
    asked: Arc<AtomicBool>,
}

#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Sync;

/// See the head of this file.
#[derive(Debug)]
pub struct Recorder {
    file: Arc<File>,
    end: RecordedEnd,
    durability: Durability,
    interval: Duration,
    room: Recipient<Appended>,
    /// Told when another chunk has been recorded behind `told`; nobody where there is no index.
    indexer: Option<Recipient<Grown>>,
    told: u64,
    /// Part of a batch stands behind the end and could not be cut off yet.
    torn: bool,
    /// Something was written and not forced to the disk, and a timer will see to it.
    sync_is_due: bool,
    /// With durability `interval`.
    syncer: Option<Addr<Syncer>>,
    sync_is_asked: Arc<AtomicBool>,
    /// The last batch failed: said once, until one succeeds.
    failing: bool,
    health: Health,
    _vital: Vital,
}

impl Recorder {
    /// A recorder for `file`, opened for appending, whose lines end at `end`.
    pub fn new(
        file: File,
        end: RecordedEnd,
        history: &History,
        room: Recipient<Appended>,
        indexer: Option<Recipient<Grown>>,
        health: Health,
        vital: Vital,
    ) -> Self {
        Self {
            told: 0,
            file: Arc::new(file),
            end,
            durability: history.durability,
            interval: history.interval.get(),
            room,
            indexer,
            torn: false,
            sync_is_due: false,
            syncer: None,
            sync_is_asked: Arc::default(),
            failing: false,
            health,
            _vital: vital,
        }
    }

    fn append(&mut self, frames: &[u8]) -> io::Result<()> {
        let end = self.end.get();
        if self.torn {
            self.file.set_len(end)?;
            self.torn = false;
        }
        let written = write_lines(&self.file, frames).and_then(|bytes| {
            if self.durability == Durability::Batch {
                self.file.sync_data()?;
            }
            Ok(bytes)
        });
        match written {
            Ok(bytes) => {
                self.end.0.store(end + bytes, Ordering::Release);
                Ok(())
            }
            Err(error) => {
                self.torn = self.file.set_len(end).is_err();
                Err(error)
            }
        }
    }

    /// Says when the history cannot be written any more, and when it can again: without anybody who
    /// writes, as those who watch over the server may keep people away until it can.
    fn note(&mut self, outcome: io::Result<()>, ctx: &mut Context<Self>) {
        match outcome {
            Ok(()) if std::mem::take(&mut self.failing) => {
                self.health.set(Ailment::History, false);
                log::info!("the history can be written again");
            }
            Ok(()) => {}
            Err(error) if !std::mem::replace(&mut self.failing, true) => {
                self.health.set(Ailment::History, true);
                log::error!("the history cannot be written, messages are refused: {error}");
                ctx.run_later(AGAIN, Self::try_again);
            }
            Err(_) => {}
        }
    }

    /// Writes what is no line, and takes it back.
    fn try_again(&mut self, ctx: &mut Context<Self>) {
        if !self.failing {
            return;
        }
        let end = self.end.get();
        let outcome = (|| {
            self.file.set_len(end)?;
            self.torn = true;
            (&*self.file).write_all(&[b' '; PROBE_BYTES])?;
            self.file.set_len(end)?;
            self.torn = false;
            Ok(())
        })();
        if outcome.is_err() {
            ctx.run_later(AGAIN, Self::try_again);
        }
        self.note(outcome, ctx);
    }

    fn tell_indexer(&mut self) {
        let end = self.end.get();
        if let Some(indexer) = &self.indexer
            && end - self.told >= CHUNK_BYTES
        {
            self.told = end;
            indexer.do_send(Grown(end));
        }
    }

    /// What was written until the interval is over is forced to the disk then.
    fn sync_later(&mut self, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.sync_is_due, true) {
            ctx.run_later(self.interval, |recorder, _| {
                recorder.sync_is_due = false;
                if let Some(syncer) = &recorder.syncer
                    && !recorder.sync_is_asked.swap(true, Ordering::AcqRel)
                {
                    syncer.do_send(Sync);
                }
            });
        }
    }
}

fn sync(file: &File) {
    if let Err(error) = file.sync_data() {
        log::error!("the history could not be forced to the disk: {error}");
    }
}

/// Writes the lines of frames, which stand behind their headers, and returns their bytes.
fn write_lines(mut file: &File, mut frames: &[u8]) -> io::Result<u64> {
    let mut bytes = 0;
    let mut slices = Vec::new();
    while let Ok(Some(line)) = split_frame(frames) {
        slices.push(IoSlice::new(line));
        bytes += line.len() as u64;
        frames = &frames[HEADER_BYTES + line.len()..];
    }
    debug_assert!(frames.is_empty());
    for mut slices in slices.chunks_mut(SLICES) {
        while !slices.is_empty() {
            match file.write_vectored(slices) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut slices, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(bytes)
}

impl Actor for Recorder {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.tell_indexer();
        if self.durability == Durability::Interval {
            let (file, asked) = (self.file.clone(), self.sync_is_asked.clone());
            self.syncer = Some(SyncArbiter::start(1, move || Syncer {
                file: file.clone(),
                asked: asked.clone(),
            }));
        }
    }
}

impl Actor for Syncer {
    type Context = SyncContext<Self>;
}

impl Handler<Sync> for Syncer {
    type Result = ();

    fn handle(&mut self, Sync: Sync, _: &mut Self::Context) {
        // What is written from here on is for the next time.
        self.asked.store(false, Ordering::Release);
        sync(&self.file);
    }
}

impl Handler<Append> for Recorder {
    type Result = ();

    fn handle(&mut self, Append { frames }: Append, ctx: &mut Self::Context) {
        let outcome = self.append(&frames);
        self.room.do_send(Appended {
            recorded: outcome.is_ok(),
        });
        self.tell_indexer();
        self.note(outcome, ctx);
        if self.durability == Durability::Interval {
            self.sync_later(ctx);
        }
    }
}

impl Handler<Flush> for Recorder {
    type Result = ();

    fn handle(&mut self, Flush: Flush, _: &mut Self::Context) {
        if self.durability != Durability::None {
            sync(&self.file);
        }
    }
}
