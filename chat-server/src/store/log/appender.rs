//! Appends lines to the history file and removes lines that could not be written completely.
//!
//! The appender cuts off only its own bytes. Bytes of another program and acknowledged lines stay.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use prometheus::Histogram;

use super::path_check::PathCheck;
use crate::config::Durability;
use crate::error::Displaced;
use crate::telemetry::health::HealthIssue;

/// Free bytes that a write probe requires.
const PROBE_BYTES: usize = 64 * 1024;

/// Why a batch cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub(in crate::store) enum RecordError {
    #[error(transparent)]
    Disk(#[from] io::Error),
    #[error(transparent)]
    Displaced(#[from] Displaced),
}

impl RecordError {
    pub(in crate::store) fn health_issue(&self) -> HealthIssue {
        match self {
            Self::Disk(_) => HealthIssue::History,
            Self::Displaced(displaced) => displaced.health_issue(),
        }
    }

    /// Returns whether acknowledged lines are missing at the path.
    pub(in crate::store) fn loses_lines(&self) -> bool {
        matches!(self, Self::Displaced(displaced) if displaced.loses_lines())
    }
}

/// The reason why a batch was not recorded.
#[derive(Debug)]
pub(in crate::store) enum AppendFailure {
    /// The file contains nothing of the batch.
    RolledBack(RecordError),
    /// The file may contain a part of the batch, now or after a power failure.
    Indeterminate(io::Error),
}

/// The history file, open for appending.
#[derive(Debug)]
pub(in crate::store) struct Appender {
    file: Arc<File>,
    path_check: PathCheck,
    durability: Durability,
    /// Observes the time of each `fdatasync`.
    fsync: Histogram,
    /// Bytes of a probe behind the lines that could not be taken back yet.
    probed: usize,
}

impl Appender {
    pub(in crate::store) fn new(
        file: Arc<File>,
        path_check: PathCheck,
        durability: Durability,
        fsync: Histogram,
    ) -> Self {
        Self {
            file,
            path_check,
            durability,
            fsync,
            probed: 0,
        }
    }

    pub(in crate::store) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Checks that the path leads to the open file and that its lines end at `end`.
    pub(in crate::store) fn check(&self, end: u64) -> Result<(), Displaced> {
        self.path_check.check(end + self.probed as u64)
    }

    /// Appends `lines` behind `end`. The file is checked before, so that nothing is written to a
    /// wrong one, and afterwards, as it may have been renamed meanwhile.
    pub(in crate::store) fn append(&mut self, lines: &[u8], end: u64) -> Result<(), AppendFailure> {
        let refused = |displaced| AppendFailure::RolledBack(RecordError::Displaced(displaced));
        self.check(end).map_err(refused)?;
        self.roll_back_probe()
            .map_err(|error| AppendFailure::RolledBack(error.into()))?;
        let mut written = 0;
        let outcome = write(&self.file, lines, &mut written)
            .and_then(|()| self.sync())
            .map_err(RecordError::Disk)
            .and_then(|()| {
                let checked = self.path_check.check(end + written as u64);
                Ok(checked.map_err(|displaced| displaced.cut_at(end))?)
            });
        match outcome {
            Ok(()) => Ok(()),
            Err(trouble) if written == 0 => Err(AppendFailure::RolledBack(trouble)),
            Err(trouble) => match self.roll_back(&lines[..written]) {
                Ok(()) => Err(AppendFailure::RolledBack(trouble)),
                Err(also) => Err(AppendFailure::Indeterminate(also)),
            },
        }
    }

    /// Writes bytes that are no line behind `end`, and takes them back.
    pub(in crate::store) fn probe(&mut self, end: u64) -> Result<(), RecordError> {
        self.check(end)?;
        self.roll_back_probe()?;
        let outcome = write(&self.file, &[b' '; PROBE_BYTES], &mut self.probed);
        self.roll_back_probe()?;
        Ok(outcome?)
    }

    fn roll_back_probe(&mut self) -> io::Result<()> {
        if self.probed > 0 {
            self.roll_back(&vec![b' '; self.probed])?;
            self.probed = 0;
        }
        Ok(())
    }

    /// Cuts off `ours`, which were written last; with durability `batch` also for after a power
    /// cut. Where the file does not end with them (another program has truncated it or appended to
    /// it), it stays.
    fn roll_back(&self, ours: &[u8]) -> io::Result<()> {
        let length = self.file.metadata()?.len();
        let Some(start) = length.checked_sub(ours.len() as u64) else {
            return Ok(());
        };
        let mut tail = vec![0; ours.len()];
        self.file.read_exact_at(&mut tail, start)?;
        if tail == ours {
            self.file.set_len(start)?;
            if self.durability == Durability::Batch {
                self.file.sync_data()?;
            }
        }
        Ok(())
    }

    /// Forces the lines to the disk with durability `batch`.
    fn sync(&self) -> io::Result<()> {
        if self.durability == Durability::Batch {
            self.fsync
                .observe_closure_duration(|| self.file.sync_data())?;
        }
        Ok(())
    }
}

/// Writes all of `bytes`. What is `written` is counted also where not all of it can be.
fn write(mut file: &File, bytes: &[u8], written: &mut usize) -> io::Result<()> {
    while *written < bytes.len() {
        match file.write(&bytes[*written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => *written += taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::path::Path;

    use super::*;
    use crate::metrics::Metrics;
    use crate::store::log::RecordedEnd;
    use crate::telemetry::health::Health;

    fn appender(path: &Path) -> Appender {
        let options = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .to_owned();
        let file = Arc::new(options.open(path).unwrap());
        let path_check = PathCheck::of(path, &file).unwrap();
        let metrics = Metrics::new(1, RecordedEnd::default(), &Health::default());
        Appender::new(
            file,
            path_check,
            Durability::Batch,
            metrics.recorder.fsync.clone(),
        )
    }

    /// Whatever another program does between the write and the check: its bytes stay, and so do the
    /// lines that were acknowledged before.
    #[test]
    fn own_bytes_alone_are_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        for (there, ours, left) in [
            ("old\nours\n", "ours\n", "old\n"),
            ("old\nforeign\nours\n", "ours\n", "old\nforeign\n"),
            ("old\nours\nforeign\n", "ours\n", "old\nours\nforeign\n"),
            ("ours\n", "ours\n", ""),
            ("rs\n", "ours\n", "rs\n"),
            ("", "ours\n", ""),
        ] {
            fs::write(&path, there).unwrap();
            appender(&path).roll_back(ours.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), left, "{there:?}");
        }
    }

    #[test]
    fn a_file_that_is_not_as_it_was_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut appender = appender(&path);
        appender.append(b"1\n", 0).unwrap();
        appender.probe(2).unwrap();
        for there in ["", "1", "1\n2\n"] {
            fs::write(&path, there).unwrap();
            for _ in 0..2 {
                assert!(appender.append(b"2\n", 2).is_err());
                assert!(appender.probe(2).is_err());
                assert_eq!(fs::read_to_string(&path).unwrap(), there);
            }
        }
        fs::write(&path, "1\n").unwrap();
        appender.append(b"2\n", 2).unwrap();
        let aside = dir.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        assert!(appender.append(b"3\n", 4).is_err());
        fs::copy(&aside, &path).unwrap();
        assert!(appender.append(b"3\n", 4).is_err());
        assert_eq!(fs::read_to_string(&aside).unwrap(), "1\n2\n");
        fs::rename(&aside, &path).unwrap();
        appender.append(b"3\n", 4).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "1\n2\n3\n");
    }
}
