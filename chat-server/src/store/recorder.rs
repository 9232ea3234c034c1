//! `Recorder`: appends every message to the history before anyone is sent it.
//!
//! It owns the file for writing and lives on a thread of its own, for the blocking calls. The room
//! sends it one batch at a time ([`Append`]); it answers [`Appended`] when all of the batch is in the
//! file (and, with durability `batch`, on the disk), or nothing of it: a batch that could be written in
//! part only, or was not forced to the disk, is cut off again. Where even that fails, what is recorded is
//! not known: nobody is answered, the recorder ends and the server with it, and the next start finds out.
//! A full disk is no state of its own: the next batch is simply tried. With durability `interval` nothing
//! more is taken while what was taken cannot be forced to the disk (`store::forced`).
//! Behind that it gathers for the index which of the lines belong where, as the room has told it.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix::prelude::*;
use chat_proto::codec::{HEADER_BYTES, split_frame};
use prometheus::Histogram;

use crate::chat::batch::Talk;
use crate::chat::room::{Append, Appended};
use crate::config::{Durability, History};
use crate::count::Count;
use crate::health::{Ailment, Health};
use crate::store::forced::{Sync, Syncer};
use crate::store::index::indexer::Grown;
use crate::store::index::{Chunk, Gathering, Lines};
use crate::vital::Vital;

/// How often it is looked whether a history that could not be written can be again, and how much there has
/// to be room for.
const AGAIN: Duration = Duration::from_secs(1);
const PROBE_BYTES: usize = 64 * 1024;

/// How long chunks wait for more of them on their way to the index: to hand on each by itself, and to commit it there,
/// took a quarter of the indexer's time.
const MOMENT: Duration = Duration::from_millis(20);
/// So many do not wait, and so are bounded: timers have their turn when no batch is there.
const CHUNKS_MAX: usize = 64;

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

/// What it tells those who watch over the server.
#[derive(Debug, Clone)]
pub struct Report {
    pub health: Health,
    /// Messages that were recorded.
    pub messages: Arc<Count>,
    /// Seconds that a batch took, and a `fdatasync`.
    pub append: Histogram,
    pub fsync: Histogram,
}

/// Everything is to be on the disk; answered when it is.
#[derive(Debug, Message)]
#[rtype(result = "io::Result<()>")]
pub struct Flush;

/// How far the disk is behind, with durability `interval`.
#[derive(Debug, Default)]
struct Syncing {
    syncer: Option<Addr<Syncer>>,
    /// A timer will ask.
    is_due: bool,
    /// It is asked, there is never more than one [`Sync`] on its way,
    is_asked: bool,
    /// and when that is done another one is due.
    again: bool,
    /// The disk does not take what was promised to be there by now.
    failing: bool,
}

/// What became of a batch that was not recorded.
#[derive(Debug)]
enum Failure {
    /// Nothing of it is in the file.
    Refused(io::Error),
    /// Some of it may be, or may be there again after a power cut.
    Unknown(io::Error),
}

/// See the head of this file.
#[derive(Debug)]
pub struct Recorder {
    file: Arc<File>,
    path: PathBuf,
    end: RecordedEnd,
    durability: Durability,
    interval: Duration,
    room: Recipient<Appended>,
    /// Given the chunks that were gathered; nobody where there is no index.
    indexer: Option<Recipient<Grown>>,
    gathering: Gathering,
    /// Whole, and handed on in a moment.
    chunks: Vec<Chunk>,
    syncing: Syncing,
    /// The lines of the present batch; kept, as the system takes its time to give so much anew.
    lines: Lines,
    /// A probe stands behind the end and could not be cut off yet.
    torn: bool,
    /// It cannot be written: said once, and looked again until it can.
    failing: Option<SpawnHandle>,
    report: Report,
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
        report: Report,
        vital: Vital,
    ) -> Self {
        Self {
            file: Arc::new(file),
            path: history.path.clone(),
            gathering: Gathering::new(end.get()),
            chunks: Vec::new(),
            end,
            durability: history.durability,
            interval: history.interval.get(),
            room,
            indexer,
            syncing: Syncing::default(),
            lines: Lines::default(),
            torn: false,
            failing: None,
            report,
            _vital: vital,
        }
    }

    fn append(&mut self, frames: &[u8]) -> Result<(), Failure> {
        if self.syncing.failing {
            let what = "what was recorded before is not on the disk yet";
            return Err(Failure::Refused(io::Error::other(what)));
        }
        let end = self.end.get();
        if self.torn {
            self.cut_off(end).map_err(Failure::Refused)?;
            self.torn = false;
        }
        let mut written = 0;
        let fsync = &self.report.fsync;
        put_side_by_side(frames, &mut self.lines);
        let outcome = write(&self.file, self.lines.bytes(), &mut written).and_then(|()| {
            if self.durability == Durability::Batch {
                fsync.observe_closure_duration(|| self.file.sync_data())?;
            }
            Ok(())
        });
        match outcome {
            Ok(()) => {
                self.report.messages.add(self.lines.count() as u64);
                self.end.0.store(end + written, Ordering::Release);
                Ok(())
            }
            Err(error) if written == 0 => Err(Failure::Refused(error)),
            Err(error) => match self.cut_off(end) {
                Ok(()) => Err(Failure::Refused(error)),
                Err(also) => Err(Failure::Unknown(also)),
            },
        }
    }

    /// Takes back what stands behind `end`; with durability `batch` also for after a power cut.
    fn cut_off(&self, end: u64) -> io::Result<()> {
        self.file.set_len(end)?;
        if self.durability == Durability::Batch {
            self.file.sync_data()?;
        }
        Ok(())
    }

    /// Says when the history cannot be written any more, and when it can again.
    fn note(&mut self, outcome: io::Result<()>, ctx: &mut Context<Self>) {
        match outcome {
            Ok(()) => {
                if let Some(timer) = self.failing.take() {
                    ctx.cancel_future(timer);
                    self.report.health.set(Ailment::History, false);
                    log::info!("the history can be written again");
                }
            }
            Err(error) if self.failing.is_none() => {
                self.failing = Some(ctx.run_interval(AGAIN, Self::try_again));
                self.report.health.set(Ailment::History, true);
                log::error!("the history cannot be written, messages are refused: {error}");
            }
            Err(_) => {}
        }
    }

    /// Without anybody who writes, as those who watch over the server may keep people away until it can.
    fn try_again(&mut self, ctx: &mut Context<Self>) {
        if self.syncing.failing {
            self.sync(ctx);
        } else {
            let outcome = self.probe();
            self.note(outcome, ctx);
        }
    }

    /// Writes what is no line, and takes it back.
    fn probe(&mut self) -> io::Result<()> {
        let end = self.end.get();
        self.cut_off(end)?;
        self.torn = true;
        (&*self.file).write_all(&[b' '; PROBE_BYTES])?;
        self.cut_off(end)?;
        self.torn = false;
        Ok(())
    }

    /// Gathers for the index what was recorded last.
    fn gather(&mut self, first_seq: u64, talks: &[Talk], ctx: &mut Context<Self>) {
        if self.indexer.is_none() {
            return;
        }
        let nothing_waits = self.chunks.is_empty();
        self.gathering
            .gather(&self.lines, first_seq, talks, &mut self.chunks);
        debug_assert_eq!(self.gathering.stop(), self.end.get());
        if self.chunks.len() >= CHUNKS_MAX {
            self.hand_on();
        } else if nothing_waits && !self.chunks.is_empty() {
            ctx.run_later(MOMENT, |recorder, _| recorder.hand_on());
        }
    }

    /// Hands the chunks that are whole to the indexer.
    fn hand_on(&mut self) {
        let chunks = std::mem::take(&mut self.chunks);
        if let (Some(indexer), Some(last)) = (&self.indexer, chunks.last()) {
            let stop = last.stop();
            if indexer.try_send(Grown::By(chunks)).is_err() {
                // Too many wait; it reads the log for these.
                indexer.do_send(Grown::To(stop));
            }
        }
    }

    /// What was written until the interval is over is forced to the disk then.
    fn sync_later(&mut self, ctx: &mut Context<Self>) {
        if self.syncing.syncer.is_some() && !std::mem::replace(&mut self.syncing.is_due, true) {
            ctx.run_later(self.interval, |recorder, ctx| {
                recorder.syncing.is_due = false;
                recorder.sync(ctx);
            });
        }
    }

    fn sync(&mut self, ctx: &mut Context<Self>) {
        let Some(syncer) = self.syncing.syncer.clone() else {
            return;
        };
        if std::mem::replace(&mut self.syncing.is_asked, true) {
            self.syncing.again = true;
            return;
        }
        let asked = syncer.send(Sync).into_actor(self);
        ctx.spawn(asked.map(|outcome, recorder, ctx| {
            recorder.syncing.is_asked = false;
            let outcome = outcome.unwrap_or_else(|error| Err(io::Error::other(error)));
            let failed = std::mem::replace(&mut recorder.syncing.failing, outcome.is_err());
            let again = std::mem::take(&mut recorder.syncing.again);
            if again && outcome.is_ok() {
                recorder.sync(ctx);
            }
            if failed || outcome.is_err() {
                recorder.note(outcome, ctx);
            }
        }));
    }
}

/// Makes `lines` those of frames, which stand behind their headers: where they have 200 bytes that costs less than
/// what the kernel takes to gather them.
fn put_side_by_side(mut frames: &[u8], lines: &mut Lines) {
    lines.clear();
    while let Ok(Some(line)) = split_frame(frames) {
        lines.push(line);
        frames = &frames[HEADER_BYTES + line.len()..];
    }
    debug_assert!(frames.is_empty());
}

/// Writes all of `bytes`. What is `written` is counted also where not all of it can be.
fn write(mut file: &File, mut bytes: &[u8], written: &mut u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => {
                *written += taken as u64;
                bytes = &bytes[taken..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Actor for Recorder {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        if let Some(indexer) = &self.indexer {
            indexer.do_send(Grown::To(self.end.get()));
        }
        if self.durability == Durability::Interval {
            let (file, path) = (self.file.clone(), self.path.clone());
            let fsync = self.report.fsync.clone();
            let syncer = Syncer::start(file, path, self.end.clone(), fsync);
            self.syncing.syncer = Some(syncer);
        }
    }
}

impl Handler<Append> for Recorder {
    type Result = ();

    fn handle(&mut self, append: Append, ctx: &mut Self::Context) {
        let Append {
            frames,
            first_seq,
            talks,
        } = append;
        let timer = self.report.append.start_timer();
        let outcome = self.append(&frames);
        timer.observe_duration();
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Unknown(error)) => {
                log::error!(
                    "the history cannot be written, and what was begun cannot be taken back: {error}"
                );
                ctx.stop();
                return;
            }
        };
        self.room.do_send(Appended {
            recorded: outcome.is_ok(),
        });
        if outcome.is_ok() {
            self.gather(first_seq, &talks, ctx);
        }
        if !self.syncing.failing {
            self.note(outcome, ctx);
        }
        self.sync_later(ctx);
    }
}

impl Handler<Flush> for Recorder {
    type Result = ResponseFuture<io::Result<()>>;

    fn handle(&mut self, Flush: Flush, _: &mut Self::Context) -> Self::Result {
        let file = self.file.clone();
        let syncer = self.syncing.syncer.clone();
        let durability = self.durability;
        Box::pin(async move {
            match (syncer, durability) {
                (Some(syncer), _) => {
                    let outcome = syncer.send(Sync).await;
                    outcome.unwrap_or_else(|error| Err(io::Error::other(error)))
                }
                (None, Durability::None) => Ok(()),
                (None, Durability::Interval | Durability::Batch) => file.sync_data(),
            }
        })
    }
}

#[cfg(test)]
mod tests;
