//! Rejects a history that is shorter than other files prove: the database, the index and the state
//! file.
//!
//! The missing messages were acknowledged, and their numbers would be assigned a second time.
//!
//! | the log | the previous server | start |
//! | --- | --- | --- |
//! | has all known messages | any | normal |
//! | missing or empty | stopped with the log in place | from message 1, with a warning |
//! | missing or empty | was killed | rejected: the log may have vanished while the server ran |
//! | missing or empty | recorded that the log vanished | rejected |
//! | shorter | any | rejected |
//! | lacks at most `CRASH_MESSAGES` | ran when the machine failed | normal, with a warning, unless `durability` is `batch` |
//!
//! A running server checks the log with each batch and once a second, and records a loss in the
//! state file. A kill can come before that record, so only an orderly shutdown proves that the log
//! was complete. Each start resets limited in the database at the start, and restored when the history that they
//! were counted in is put back (`store::rewind`).

use std::path::Path;

use super::log::recovery::Found;
use super::log::state_file::{self, HistoryState, StateRecord};
use crate::config::Durability;
use crate::error::HistoryError;
use crate::store::index::{self, Index};

/// Messages that a failure of the machine may cost: some seconds of a busy server that does not
/// force each batch to the disk.
const CRASH_MESSAGES: u64 = 100_000;

/// The number of messages that each source knows of.
#[derive(Debug, Clone, Default)]
pub struct ExpectedLength {
    state_file: Option<StateRecord>,
    database: u64,
    index: u64,
    /// The operator starts with a shorter history.
    accept: bool,
    /// Each batch was forced to the disk: a crash of the machine costs no message.
    forced: bool,
}

impl ExpectedLength {
    /// Returns what is known of the history at `log`; `database` is the highest number in the
    /// database.
    pub fn read(log: &Path, database: u64) -> Self {
        let index = index::path_of(log);
        // One that is missing or broken knows nothing.
        let covered = index
            .exists()
            .then(|| {
                Index::reader(&index)
                    .and_then(|index| index.indexed_up_to())
                    .ok()
            })
            .flatten();
        Self {
            state_file: state_file::read(log),
            database,
            index: covered.map_or(0, |covered| covered.last_seq),
            accept: false,
            forced: false,
        }
    }

    /// The same, where the operator `accepts` a shorter history.
    pub fn accepting_shorter(self, accepts: bool) -> Self {
        Self {
            accept: accepts,
            ..self
        }
    }

    /// Returns the message behind which the tokens in the database may be out of date, if they may.
    pub fn lag(&self) -> Option<u64> {
        self.state_file.as_ref()?.lag
    }

    /// The same, where the history is written with that `durability`.
    pub fn written_with(self, durability: Durability) -> Self {
        Self {
            forced: durability == Durability::Batch,
            ..self
        }
    }

    /// Whether a server has used the history before.
    pub fn has_history(&self) -> bool {
        self.highest().0 > 0
    }

    /// Rejects a log that is shorter than it should be.
    pub fn check(&self, path: &Path, found: Found) -> Result<(), HistoryError> {
        let (highest, expected) = self.highest();
        if highest <= found.last_seq {
            return Ok(());
        }
        let lacks = format!(
            "{}: it ends with message {}, but {expected}",
            path.display(),
            found.last_seq
        );
        if self.accept {
            log::warn!(
                "{lacks}; the missing messages are given up, as --accept-shorter-history says"
            );
            return Ok(());
        }
        if !found.is_new && !self.forced && self.was_lost_in_crash(highest - found.last_seq) {
            log::warn!("{lacks}; the machine has failed before the rest was on the disk");
            return Ok(());
        }
        if found.last_seq == 0 && self.was_archived() {
            log::warn!(
                "{}: there is no history, but {expected}: a new history begins with message 1. If the log was \
                 not archived on purpose, stop the server now and put it back",
                path.display()
            );
            return Ok(());
        }
        let found = if found.is_new {
            "the file is missing".to_owned()
        } else {
            format!("it ends with message {}", found.last_seq)
        };
        Err(HistoryError::Shorter {
            path: path.to_owned(),
            found,
            known: expected,
        })
    }

    /// Returns the highest number, and its source in words.
    pub(super) fn highest(&self) -> (u64, String) {
        let state_file = self.state_file.as_ref().map_or(0, |record| record.messages);
        let sources = [
            (state_file, "the server before has recorded message"),
            (self.database, "the accounts and tokens know of message"),
            (self.index, "the index knows of message"),
        ];
        let (highest, source) = sources
            .into_iter()
            .rev()
            .max_by_key(|(number, _)| *number)
            .unwrap_or_default();
        (highest, format!("{source} {highest}"))
    }

    fn was_archived(&self) -> bool {
        match self.state_file.as_ref().map(|record| record.state) {
            None | Some(HistoryState::Ended) => true,
            Some(HistoryState::Running | HistoryState::Lost) => false,
        }
    }

    fn was_lost_in_crash(&self, missing: u64) -> bool {
        self.state_file.as_ref().is_some_and(|record| {
            let boot_id = state_file::boot_id();
            record.state == HistoryState::Running
                && !boot_id.is_empty()
                && boot_id != record.boot_id
                && missing <= CRASH_MESSAGES
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_history_is_refused_unless_it_was_archived_or_the_machine_has_failed() {
        let record = |state, boot_id: &str| StateRecord {
            state,
            messages: 5,
            lag: None,
            boot_id: boot_id.into(),
        };
        let here = state_file::boot_id();
        let path = Path::new("log");
        let cases = [
            // The ledger, its boot, the last message of the log, no file, starts.
            (HistoryState::Ended, &*here, 5, false, true),
            (HistoryState::Ended, &here, 4, false, false),
            (HistoryState::Ended, &here, 0, false, true),
            (HistoryState::Ended, &here, 0, true, true),
            (HistoryState::Running, &here, 5, false, true),
            (HistoryState::Running, &here, 4, false, false),
            (HistoryState::Running, &here, 0, false, false),
            (HistoryState::Running, &here, 0, true, false),
            (HistoryState::Running, "before", 0, true, false),
            (HistoryState::Running, "before", 4, false, true),
            (HistoryState::Running, "before", 0, false, true),
            (HistoryState::Lost, &here, 5, false, true),
            (HistoryState::Lost, &here, 0, true, false),
            (HistoryState::Lost, &here, 0, false, false),
            (HistoryState::Lost, "before", 4, false, false),
        ];
        for (state, boot_id, last_seq, is_new, starts) in cases {
            let found = Found { last_seq, is_new };
            let mut expected = ExpectedLength {
                state_file: Some(record(state, boot_id)),
                ..ExpectedLength::default()
            };
            let checked = expected.check(path, found);
            assert_eq!(checked.is_ok(), starts, "{state:?} {boot_id} {found:?}");
            if let Err(error) = checked {
                assert!(error.to_string().contains("restore"), "{error}");
            }
            expected.accept = true;
            assert!(expected.check(path, found).is_ok());
        }
        for (database, index) in [(3, 0), (0, 3)] {
            let expected = ExpectedLength {
                database,
                index,
                ..ExpectedLength::default()
            };
            let found = |last_seq, is_new| Found { last_seq, is_new };
            assert!(expected.check(path, found(2, false)).is_err());
            assert!(expected.check(path, found(3, false)).is_ok());
            assert!(expected.check(path, found(0, true)).is_ok());
        }
    }
}
