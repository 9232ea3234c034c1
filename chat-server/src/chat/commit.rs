//! A batch that waits for its messages and its changes of persistent state.
//!
//! Changes are persisted only after the messages whose numbers they contain: with their batch if
//! they contain none of its numbers, otherwise behind it.
//!
//! A login, a join, a change of nick and a `quit` are announced after the change is persisted, and
//! therefore hold after a crash. Nothing else waits. If persisting takes longer than
//! [`PERSIST_TIMEOUT`], nothing waits at all.

use std::time::Duration;

use bytes::Bytes;

use super::batch::Batch;
use super::state_change::{Changes, StateChange};

/// The longest time that a batch waits for persistent state. After a timeout nothing waits until
/// the writer has caught up.
pub(super) const PERSIST_TIMEOUT: Duration = Duration::from_millis(50);

/// A batch on its way to release.
#[derive(Debug)]
pub(super) struct PendingBatch {
    pub batch: Batch,
    pub frames: Bytes,
    /// Whether its messages are recorded or rejected.
    pub recorded: bool,
}

/// The progress of persistent state.
#[derive(Debug, Default)]
pub(super) struct PersistenceProgress {
    /// The changes to persist next.
    waiting: Changes,
    /// The count of changes up to the end of `waiting`.
    gathered: u64,
    /// The count of changes up to the last ones sent.
    sent: u64,
    /// The count of changes that are persisted.
    kept: u64,
    /// Whether the writer is busy.
    pub busy: bool,
    /// Whether the writer has exceeded the timeout.
    pub late: bool,
    /// It is noted beside the history that the kept state is behind.
    pub lag_is_noted: bool,
    /// Whether the timeout is running.
    pub watched: bool,
}

impl PersistenceProgress {
    /// Adds changes; `needs` is the count up to their end.
    pub(super) fn add(&mut self, changes: Changes, needs: u64) {
        self.waiting.merge(changes);
        self.gathered = needs;
    }

    /// Returns the changes to send now, unless the writer is busy.
    pub(super) fn next(&mut self) -> Option<Vec<StateChange>> {
        if self.busy {
            return None;
        }
        self.sent = self.gathered;
        if self.waiting.is_empty() {
            self.kept = self.sent;
            return None;
        }
        self.busy = true;
        Some(std::mem::take(&mut self.waiting).into_vec())
    }

    /// Returns whether the changes up to `needs` are persisted, or not waited for.
    pub(super) fn covers(&self, needs: u64) -> bool {
        self.late || self.kept >= needs
    }

    /// Returns whether a batch can be released.
    pub(super) fn is_ready(&self, pending: &PendingBatch) -> bool {
        pending.recorded && self.covers(pending.batch.needs)
    }

    /// Notes that the changes sent last are persisted.
    pub(super) fn complete(&mut self) {
        self.kept = self.sent;
        self.busy = false;
        self.late = false;
    }
}
