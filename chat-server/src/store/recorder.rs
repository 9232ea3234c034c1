//! `Recorder`: appends every message to the history before it is sent to any client.
//!
//! The recorder owns the file for writing and runs on its own thread, because its calls block. The
//! room sends one batch at a time ([`Append`]). The recorder answers [`Appended`] after the whole
//! batch is in the file (with durability `batch`: on the disk). A batch that was written in part,
//! or whose sync failed, is cut off again; likewise if the path leads to another file, or the file
//! was truncated or extended ([`super::log::path_check`]). If the cut fails, the state of the file is
//! unknown: the recorder stops without an answer, the server stops with it, and the next start
//! recovers the file.
//!
//! A full disk needs no state: the recorder tries the next batch. With durability `interval` it
//! rejects batches while earlier ones cannot be synced (`fsync`). After each batch it builds chunks
//! of the index from the senders and receivers that the room supplies.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use chat_proto::codec::{HEADER_BYTES, split_frame};
use prometheus::Histogram;

use super::index::indexer::LogAppended;
use super::index::{Chunk, ChunkBuilder, LineBuffer};
use super::log::RecordedEnd;
use super::log::appender::{AppendFailure, Appender, RecordError};
use super::log::fsync::{Sync, Syncer};
use super::log::path_check::PathCheck;
use super::log::state_file::{HistoryState, StateFile};
use crate::chat::batch::SenderRun;
use crate::chat::room::{Append, Appended, NoteLag};
use crate::config::{Durability, History};
use crate::error::ServerError;
use crate::telemetry::counter::Counter;
use crate::telemetry::health::{Health, HealthIssue};
use crate::telemetry::supervisor::FailureGuard;

/// How often the recorder checks the file and retries a failed write without a message.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long chunks wait, so that the indexer commits several in one transaction.
const CHUNK_BATCH_DELAY: Duration = Duration::from_millis(20);
/// Bound of the chunks that wait: timers only run between batches.
const MAX_QUEUED_CHUNKS: usize = 64;

/// Health and metrics of the recorder.
#[derive(Debug, Clone)]
pub struct RecorderMetrics {
    pub health: Health,
    /// Messages that were recorded.
    pub messages: Arc<Counter>,
    /// Seconds that a batch took, and a `fdatasync`.
    pub append: Histogram,
    pub fsync: Histogram,
}

/// Syncs the history before the server stops. Fails if the history is not on the disk or not at its
/// path.
#[derive(Debug, Message)]
#[rtype(result = "Result<(), ServerError>")]
pub struct Flush;

/// The open history file that the recorder receives.
#[derive(Debug)]
pub struct OpenHistory {
    /// Opened for appending and reading.
    pub file: Arc<File>,
    pub end: RecordedEnd,
    pub last_seq: u64,
}

/// How far the disk is behind, with durability `interval`.
#[derive(Debug, Default)]
struct SyncState {
    syncer: Option<Addr<Syncer>>,
    /// A timer is set.
    is_due: bool,
    /// A [`Sync`] is in progress; there is at most one.
    is_running: bool,
    /// Another one follows it.
    run_again: bool,
    /// The last sync failed.
    failing: bool,
}

/// The actor that appends to the history file.
#[derive(Debug)]
pub struct Recorder {
    appender: Appender,
    path: PathBuf,
    end: RecordedEnd,
    last_seq: u64,
    state_file: StateFile,
    durability: Durability,
    interval: Duration,
    room: Recipient<Appended>,
    /// Receives the chunks; `None` without an index.
    indexer: Option<Recipient<LogAppended>>,
    chunk_builder: ChunkBuilder,
    /// Complete chunks that wait for [`CHUNK_BATCH_DELAY`].
    chunks: Vec<Chunk>,
    syncing: SyncState,
    /// The lines of the current batch; the allocation is reused.
    lines: LineBuffer,
    /// Why nothing can be recorded, as it was logged.
    failing: Option<String>,
    metrics: RecorderMetrics,
    _vital: FailureGuard,
}

impl Recorder {
    /// Returns a recorder for an open history.
    ///
    /// # Errors
    /// The metadata of the file cannot be read.
    pub fn new(
        written: OpenHistory,
        history: &History,
        room: Recipient<Appended>,
        indexer: Option<Recipient<LogAppended>>,
        metrics: RecorderMetrics,
        vital: FailureGuard,
    ) -> io::Result<Self> {
        let OpenHistory {
            file,
            end,
            last_seq,
        } = written;
        let guard = PathCheck::of(&history.path, &file)?;
        let durability = history.durability;
        Ok(Self {
            appender: Appender::new(file, guard, durability, metrics.fsync.clone()),
            path: history.path.clone(),
            chunk_builder: ChunkBuilder::new(end.get()),
            chunks: Vec::new(),
            end,
            last_seq,
            state_file: StateFile::start(&history.path, last_seq),
            durability,
            interval: history.interval.get(),
            room,
            indexer,
            syncing: SyncState::default(),
            lines: LineBuffer::default(),
            failing: None,
            metrics,
            _vital: vital,
        })
    }

    fn append(&mut self, frames: &[u8]) -> Result<(), AppendFailure> {
        if self.syncing.failing {
            let what = "what was recorded before is not on the disk yet";
            return Err(AppendFailure::RolledBack(io::Error::other(what).into()));
        }
        let end = self.end.get();
        strip_headers(frames, &mut self.lines);
        self.appender.append(self.lines.bytes(), end)?;
        self.metrics.messages.add(self.lines.count() as u64);
        let end = end + self.lines.bytes().len() as u64;
        self.end.set(end);
        Ok(())
    }

    /// Logs and reports a change between a writable and an unwritable history.
    fn update_health(&mut self, outcome: Result<(), RecordError>) {
        let Err(error) = outcome else {
            if self.failing.take().is_some() {
                self.set_health_issue(None);
                self.state_file.set(HistoryState::Running, self.last_seq);
                log::info!("the history can be written again");
            }
            return;
        };
        let text = error.to_string();
        if self.failing.as_ref() == Some(&text) {
            return;
        }
        log::error!("the history cannot be written, messages are refused: {text}");
        self.failing = Some(text);
        self.set_health_issue(Some(error.health_issue()));
        if error.loses_lines() {
            self.state_file.set(HistoryState::Lost, self.last_seq);
        }
    }

    fn set_health_issue(&self, health_issue: Option<HealthIssue>) {
        for each in HealthIssue::OF_HISTORY {
            self.metrics.health.set(each, Some(each) == health_issue);
        }
        let is_truncated = health_issue == Some(HealthIssue::HistoryShorter);
        self.end.set_truncated(is_truncated);
    }

    /// Checks the file, also while no message comes: a supervisor may keep clients away until it
    /// can be written again.
    fn check(&mut self, ctx: &mut Context<Self>) {
        let end = self.end.get();
        let checked = self.appender.check(end).map_err(RecordError::Displaced);
        if checked.is_err() {
            self.update_health(checked);
        } else if self.syncing.failing {
            self.sync(ctx);
        } else if self.failing.is_some() {
            let outcome = self.appender.probe(end);
            self.update_health(outcome);
        }
        if self.failing.is_none() {
            self.state_file.set_messages(self.last_seq);
        }
    }

    /// Adds the recorded batch to the chunks of the index.
    fn index_batch(&mut self, first_seq: u64, talks: &[SenderRun], ctx: &mut Context<Self>) {
        if self.indexer.is_none() {
            return;
        }
        let nothing_waits = self.chunks.is_empty();
        self.chunk_builder
            .add_batch(&self.lines, first_seq, talks, &mut self.chunks);
        debug_assert_eq!(self.chunk_builder.end(), self.end.get());
        if self.chunks.len() >= MAX_QUEUED_CHUNKS {
            self.send_chunks();
        } else if nothing_waits && !self.chunks.is_empty() {
            ctx.run_later(CHUNK_BATCH_DELAY, |recorder, _| recorder.send_chunks());
        }
    }

    /// Sends the complete chunks to the indexer.
    fn send_chunks(&mut self) {
        let chunks = std::mem::take(&mut self.chunks);
        if let (Some(indexer), Some(last)) = (&self.indexer, chunks.last()) {
            let end = last.end();
            if indexer.try_send(LogAppended::Chunks(chunks)).is_err() {
                // The mailbox is full: the indexer reads these lines from the log.
                indexer.do_send(LogAppended::UpTo(end));
            }
        }
    }

    /// Schedules a sync at the end of the interval.
    fn schedule_sync(&mut self, ctx: &mut Context<Self>) {
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
        if std::mem::replace(&mut self.syncing.is_running, true) {
            self.syncing.run_again = true;
            return;
        }
        let asked = syncer.send(Sync).into_actor(self);
        ctx.spawn(asked.map(|outcome, recorder, ctx| {
            recorder.syncing.is_running = false;
            let outcome = outcome.unwrap_or_else(|error| Err(io::Error::other(error)));
            let failed = std::mem::replace(&mut recorder.syncing.failing, outcome.is_err());
            let run_again = std::mem::take(&mut recorder.syncing.run_again);
            if run_again && outcome.is_ok() {
                recorder.sync(ctx);
            }
            if failed || outcome.is_err() {
                let checked = outcome.map_err(RecordError::Disk).and_then(|()| {
                    let end = recorder.end.get();
                    Ok(recorder.appender.check(end)?)
                });
                recorder.update_health(checked);
            }
        }));
    }
}

/// Copies the lines of `frames` to `lines`, without the frame headers. For short lines one copy is
/// cheaper than a vectored write.
fn strip_headers(mut frames: &[u8], lines: &mut LineBuffer) {
    lines.clear();
    while let Ok(Some(line)) = split_frame(frames) {
        lines.push(line);
        frames = &frames[HEADER_BYTES + line.len()..];
    }
    debug_assert!(frames.is_empty());
}

impl Actor for Recorder {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(CHECK_INTERVAL, Self::check);
        if let Some(indexer) = &self.indexer {
            indexer.do_send(LogAppended::UpTo(self.end.get()));
        }
        if self.durability == Durability::Interval {
            let (file, path) = (self.appender.file().clone(), self.path.clone());
            let fsync = self.metrics.fsync.clone();
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
        let timer = self.metrics.append.start_timer();
        let outcome = self.append(&frames);
        timer.observe_duration();
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(AppendFailure::RolledBack(error)) => Err(error),
            Err(AppendFailure::Indeterminate(error)) => {
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
            self.last_seq = first_seq + self.lines.count() as u64 - 1;
            self.index_batch(first_seq, &talks, ctx);
        }
        if !self.syncing.failing {
            self.update_health(outcome);
        }
        self.schedule_sync(ctx);
    }
}

impl Handler<NoteLag> for Recorder {
    type Result = ();

    fn handle(&mut self, NoteLag(lag): NoteLag, _: &mut Self::Context) {
        self.state_file.set_lag(lag);
    }
}

impl Handler<Flush> for Recorder {
    type Result = ResponseActFuture<Self, Result<(), ServerError>>;

    fn handle(&mut self, Flush: Flush, _: &mut Self::Context) -> Self::Result {
        let file = self.appender.file().clone();
        let syncer = self.syncing.syncer.clone();
        let durability = self.durability;
        let synced = async move {
            match (syncer, durability) {
                (Some(syncer), _) => {
                    let outcome = syncer.send(Sync).await;
                    outcome.unwrap_or_else(|error| Err(io::Error::other(error)))
                }
                (None, Durability::None) => Ok(()),
                (None, Durability::Interval | Durability::Batch) => file.sync_data(),
            }
        };
        Box::pin(
            synced
                .into_actor(self)
                .map(|synced, recorder, _| recorder.finish(synced)),
        )
    }
}

impl Recorder {
    /// Records for the next start whether the history is complete at its path.
    fn finish(&mut self, synced: io::Result<()>) -> Result<(), ServerError> {
        match self.appender.check(self.end.get()) {
            Err(displaced) if displaced.loses_lines() => {
                self.state_file.set(HistoryState::Lost, self.last_seq);
                return Err(ServerError::Displaced(displaced));
            }
            // The lines that were acknowledged are there.
            Err(displaced) => log::error!("{displaced}"),
            Ok(()) => {}
        }
        synced.map_err(ServerError::NotForced)?;
        self.state_file.set(HistoryState::Ended, self.last_seq);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
