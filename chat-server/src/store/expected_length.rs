//! What else than the log knows how many messages the history has: the accounts and tokens, the index, and
//! the `ledger`. A start beside a shorter history is refused, as the missing messages were
//! acknowledged and their numbers would be given a second time.
//!
//! | the log | the server before | start |
//! | --- | --- | --- |
//! | has all messages that are known of | any | as usual |
//! | missing or empty | ended with the log in place | anew at message 1, with a warning: the operator has archived it |
//! | missing or empty | was killed | refused: the log may have vanished while the server ran |
//! | missing or empty | has seen it vanish | refused |
//! | shorter | any | refused |
//! | shorter or empty by at most `CRASH_MESSAGES` | the machine has failed | as usual, with a warning, unless `durability` is `batch` |
//!
//! A running server checks the file with every batch and once a second, and notes in the ledger that the log
//! has vanished. A kill can come before that note, so only an orderly end proves that the log was complete.
//! Numbers beyond the end are limited in the database at the start, and restored when the history that they
//! were counted in is put back (`store::rewind`).

use std::path::Path;

use super::log::recovery::Found;
use super::log::state_file::{self, Entry, State};
use crate::config::Durability;
use crate::error::HistoryError;
use crate::store::index::{self, Index};

/// Messages that a failure of the machine may cost: some seconds of a busy server that does not force each
/// batch to the disk.
const CRASH_MESSAGES: u64 = 100_000;

/// The number of messages that each source knows of.
#[derive(Debug, Clone, Default)]
pub struct Known {
    ledger: Option<Entry>,
    accounts: u64,
    index: u64,
    /// The operator starts with a shorter history.
    accept: bool,
    /// Each batch was forced to the disk: a crash of the machine costs no message.
    forced: bool,
}

impl Known {
    /// Returns what is known of the history at `log`; `accounts` is the highest number in the database.
    pub fn of(log: &Path, accounts: u64) -> Self {
        let index = index::path_of(log);
        // One that is missing or broken knows nothing.
        let covered = index
            .exists()
            .then(|| Index::reader(&index).and_then(|index| index.covered()).ok())
            .flatten();
        Self {
            ledger: state_file::read(log),
            accounts,
            index: covered.map_or(0, |covered| covered.last_seq),
            accept: false,
            forced: false,
        }
    }

    /// The same, where the operator `accepts` a shorter history.
    pub fn accepting(self, accepts: bool) -> Self {
        Self {
            accept: accepts,
            ..self
        }
    }

    /// Returns the message behind which the tokens in the database may be out of date, if they may.
    pub fn lag(&self) -> Option<u64> {
        self.ledger.as_ref()?.lag
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
        self.most().0 > 0
    }

    /// Rejects a log that is shorter than it should be.
    pub fn check(&self, path: &Path, found: Found) -> Result<(), HistoryError> {
        let (most, known) = self.most();
        if most <= found.last_seq {
            return Ok(());
        }
        let lacks = format!(
            "{}: it ends with message {}, but {known}",
            path.display(),
            found.last_seq
        );
        if self.accept {
            log::warn!(
                "{lacks}; the missing messages are given up, as --accept-shorter-history says"
            );
            return Ok(());
        }
        if !found.is_new && !self.forced && self.is_left_by_a_crash(most - found.last_seq) {
            log::warn!("{lacks}; the machine has failed before the rest was on the disk");
            return Ok(());
        }
        if found.last_seq == 0 && self.was_archived() {
            log::warn!(
                "{}: there is no history, but {known}: a new history begins with message 1. If the log was \
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
            known,
        })
    }

    /// Returns the highest number, and its source in words.
    pub(super) fn most(&self) -> (u64, String) {
        let ledger = self.ledger.as_ref().map_or(0, |entry| entry.messages);
        let sources = [
            (ledger, "the server before has recorded message"),
            (self.accounts, "the accounts and tokens know of message"),
            (self.index, "the index knows of message"),
        ];
        let (most, source) = sources
            .into_iter()
            .rev()
            .max_by_key(|(number, _)| *number)
            .unwrap_or_default();
        (most, format!("{source} {most}"))
    }

    fn was_archived(&self) -> bool {
        match self.ledger.as_ref().map(|entry| entry.state) {
            None | Some(State::Ended) => true,
            Some(State::Running | State::Lost) => false,
        }
    }

    fn is_left_by_a_crash(&self, lacking: u64) -> bool {
        self.ledger.as_ref().is_some_and(|entry| {
            let boot = state_file::boot();
            entry.state == State::Running
                && !boot.is_empty()
                && boot != entry.boot
                && lacking <= CRASH_MESSAGES
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_history_is_refused_unless_it_was_archived_or_the_machine_has_failed() {
        let entry = |state, boot: &str| Entry {
            state,
            messages: 5,
            lag: None,
            boot: boot.into(),
        };
        let here = state_file::boot();
        let path = Path::new("log");
        let cases = [
            // The ledger, its boot, the last message of the log, no file, starts.
            (State::Ended, &*here, 5, false, true),
            (State::Ended, &here, 4, false, false),
            (State::Ended, &here, 0, false, true),
            (State::Ended, &here, 0, true, true),
            (State::Running, &here, 5, false, true),
            (State::Running, &here, 4, false, false),
            (State::Running, &here, 0, false, false),
            (State::Running, &here, 0, true, false),
            (State::Running, "before", 0, true, false),
            (State::Running, "before", 4, false, true),
            (State::Running, "before", 0, false, true),
            (State::Lost, &here, 5, false, true),
            (State::Lost, &here, 0, true, false),
            (State::Lost, &here, 0, false, false),
            (State::Lost, "before", 4, false, false),
        ];
        for (state, boot, last_seq, is_new, starts) in cases {
            let found = Found { last_seq, is_new };
            let mut known = Known {
                ledger: Some(entry(state, boot)),
                ..Known::default()
            };
            let checked = known.check(path, found);
            assert_eq!(checked.is_ok(), starts, "{state:?} {boot} {found:?}");
            if let Err(error) = checked {
                assert!(error.to_string().contains("restore"), "{error}");
            }
            known.accept = true;
            assert!(known.check(path, found).is_ok());
        }
        for (accounts, index) in [(3, 0), (0, 3)] {
            let known = Known {
                accounts,
                index,
                ..Known::default()
            };
            let found = |last_seq, is_new| Found { last_seq, is_new };
            assert!(known.check(path, found(2, false)).is_err());
            assert!(known.check(path, found(3, false)).is_ok());
            assert!(known.check(path, found(0, true)).is_ok());
        }
    }
}
