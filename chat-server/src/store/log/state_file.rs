//! The state file `chat_history.log.state`: number of messages and state of the history.
//!
//! The file survives the loss of the log. The next start uses it to distinguish a log that was
//! archived while the server was stopped from a log that was lost while the server ran. The
//! recorder rewrites it in place once a second while messages are recorded, and syncs it when the
//! state changes. A missing or unreadable file means that nothing is known.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::file_identity::{FileIdentity, metadata};
use crate::store::private_file::{self, PRIVATE, with_suffix};

/// All forms of the file have this length: it is overwritten as a whole.
const FILE_BYTES: usize = 192;

/// State of the history when the server last checked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HistoryState {
    /// The server runs, or was killed, or its machine has failed.
    #[default]
    Running,
    /// The server has ended, and the history was complete at its path.
    Ended,
    /// The history was not complete at its path.
    Lost,
}

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StateRecord {
    pub state: HistoryState,
    /// The last message that was recorded.
    pub messages: u64,
    /// The message behind which the tokens in the accounts file may be out of date, if they may.
    #[serde(default)]
    pub lag: Option<u64>,
    /// The machine's start that this was written after.
    #[serde(rename = "boot")]
    pub boot_id: String,
}

/// The open file.
#[derive(Debug)]
pub(in crate::store) struct StateFile {
    path: PathBuf,
    file: Option<File>,
    record: StateRecord,
    /// Writing has failed, and that was logged.
    failing: bool,
}

/// Returns the path of the file beside the history at `log`.
pub fn path_of(log: &Path) -> PathBuf {
    with_suffix(log, ".state")
}

/// Returns the entry beside the history at `log`, if there is one.
pub(in crate::store) fn read(log: &Path) -> Option<StateRecord> {
    let text = std::fs::read(path_of(log)).ok()?;
    serde_json::from_slice(&text)
        .inspect_err(|error| log::warn!("{}: {error}; ignored", path_of(log).display()))
        .ok()
}

/// Returns an id that changes with each start of the machine; empty where the system has none.
pub(in crate::store) fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

impl StateFile {
    /// Begins an entry for a server whose history, at `log`, has so many `messages`.
    pub(in crate::store) fn start(log: &Path, messages: u64) -> Self {
        let record = StateRecord {
            state: HistoryState::Running,
            messages,
            lag: None,
            boot_id: boot_id(),
        };
        let mut state_file = Self {
            path: path_of(log),
            file: None,
            record,
            failing: false,
        };
        state_file.write(true);
        state_file
    }

    /// Notes the last message, unless it is known.
    pub(in crate::store) fn set_messages(&mut self, messages: u64) {
        if self.record.state != HistoryState::Ended && self.record.messages != messages {
            self.record.messages = messages;
            self.write(false);
        }
    }

    /// Notes the state, unless it is known, and forces it to the disk.
    pub(in crate::store) fn set(&mut self, state: HistoryState, messages: u64) {
        if (self.record.state, self.record.messages) != (state, messages) {
            self.record.state = state;
            self.record.messages = messages;
            self.write(true);
        }
    }

    /// Notes the message behind which the tokens may be out of date, and forces it to the disk.
    pub(in crate::store) fn set_lag(&mut self, lag: Option<u64>) {
        self.record.lag = lag;
        self.write(true);
    }

    fn write(&mut self, force: bool) {
        let written = self.try_write(force);
        match written {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.file = None;
                if !std::mem::replace(&mut self.failing, true) {
                    log::warn!("cannot write {}: {error}", self.path.display());
                }
            }
        }
    }

    fn try_write(&mut self, force: bool) -> io::Result<()> {
        let mut text = serde_json::to_vec(&self.record).expect("numbers and words are JSON");
        text.resize(FILE_BYTES - 1, b' ');
        text.push(b'\n');
        if force || self.file.is_none() {
            self.open()?;
        }
        let Some(file) = &self.file else {
            return Ok(());
        };
        file.write_all_at(&text, 0)?;
        if force {
            file.set_len(FILE_BYTES as u64)?;
            file.sync_all()?;
        }
        Ok(())
    }

    /// Opens the file, unless the open one is at the path.
    fn open(&mut self) -> io::Result<()> {
        let at_path = metadata(&self.path)?;
        let at_path = at_path.as_ref().map(FileIdentity::from);
        let open = self.file.as_ref().map(FileIdentity::of).transpose()?;
        if open.is_none() || open != at_path {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(PRIVATE)
                .open(&self.path)?;
            private_file::restrict(&self.path);
            self.file = Some(file);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_read_again_and_a_deleted_file_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        assert_eq!(read(&log), None);
        let mut state_file = StateFile::start(&log, 7);
        state_file.set_messages(8);
        let record = read(&log).unwrap();
        assert_eq!((record.state, record.messages), (HistoryState::Running, 8));
        std::fs::remove_file(path_of(&log)).unwrap();
        state_file.set(HistoryState::Lost, 8);
        assert_eq!(read(&log).unwrap().state, HistoryState::Lost);
        std::fs::write(path_of(&log), "nonsense").unwrap();
        assert_eq!(read(&log), None);
        state_file.set(HistoryState::Ended, 9);
        state_file.set_messages(10);
        let record = read(&log).unwrap();
        assert_eq!((record.state, record.messages), (HistoryState::Ended, 9));
    }
}
