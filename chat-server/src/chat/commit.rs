//! What the room waits for: a batch to be recorded, and changes of who may come back to be kept.
//!
//! Changes are handed on to be kept when the messages are recorded whose numbers are in them: with the batch
//! that has caused them where it has none of those, behind it where it has.
//!
//! A batch in which somebody came, entered a channel, took a nick or said goodbye waits for that to be kept, so that
//! what they are told is so after a crash too; a fraction of a millisecond. Nothing else waits, and nothing
//! at all while whoever keeps it takes longer than [`PERSIST_TIMEOUT`].

use std::time::Duration;

use bytes::Bytes;

use super::batch::Batch;
use super::state_change::{Changes, StateChange};

/// How long a batch waits for what is to outlive the process. Where that takes longer, nothing waits for
/// it until it has caught up.
pub(super) const PERSIST_TIMEOUT: Duration = Duration::from_millis(50);

/// A batch that is on its way to be released.
#[derive(Debug)]
pub(super) struct PendingBatch {
    pub batch: Batch,
    pub frames: Bytes,
    /// Its messages are recorded, or refused.
    pub recorded: bool,
}

/// How far the changes are kept that are to outlive the process.
#[derive(Debug, Default)]
pub(super) struct PersistenceProgress {
    /// Changes that are to be kept next,
    waiting: Changes,
    /// which are those up to here.
    gathered: u64,
    /// The changes up to here were handed on last,
    sent: u64,
    /// and up to here they are kept.
    kept: u64,
    /// Some are being kept.
    pub busy: bool,
    /// It takes too long: nothing waits for it.
    pub late: bool,
    /// It is noted beside the history that the kept state is behind.
    pub lag_is_noted: bool,
    /// A timer looks whether it does.
    pub watched: bool,
}

impl PersistenceProgress {
    /// Adds changes, which are those up to `needs`.
    pub(super) fn add(&mut self, changes: Changes, needs: u64) {
        self.waiting.merge(changes);
        self.gathered = needs;
    }

    /// Returns what is to be kept now, if nothing is being kept.
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

    /// Whether the changes up to `needs` are kept, or not waited for.
    pub(super) fn covers(&self, needs: u64) -> bool {
        self.late || self.kept >= needs
    }

    /// Whether a batch has all that it waits for.
    pub(super) fn is_ready(&self, recording: &PendingBatch) -> bool {
        recording.recorded && self.covers(recording.batch.needs)
    }

    /// What was handed on is kept.
    pub(super) fn complete(&mut self) {
        self.kept = self.sent;
        self.busy = false;
        self.late = false;
    }
}
