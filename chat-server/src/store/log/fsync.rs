//! Forces the history to the disk, with a retry that does not trust a failed `fdatasync`.
//!
//! A failed `fdatasync` may mark pages as clean that never reached the disk; a second call then
//! succeeds and writes nothing (PostgreSQL's "fsyncgate", 2018). Unconfirmed bytes are therefore
//! rewritten in their place before the next call.
//!
//! With durability `interval` the [`Syncer`] does this on its own thread, so that no message waits
//! for the disk.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use actix::prelude::*;
use prometheus::Histogram;

use super::RecordedEnd;
use crate::store::file_identity::FileIdentity;

/// Bytes rewritten at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// More than a batch of the room: what a server may have left behind that the disk did not confirm.
const UNCONFIRMED_BYTES: u64 = 1024 * 1024;

/// What is recorded by now is to be on the disk. Where the disk takes it neither at once nor when
/// it is written again, the next attempt writes it again.
#[derive(Debug, Message)]
#[rtype(result = "io::Result<()>")]
pub(in crate::store) struct Sync;

/// The actor that syncs the history with durability `interval`.
#[derive(Debug)]
pub(in crate::store) struct Syncer {
    file: Arc<File>,
    path: PathBuf,
    end: RecordedEnd,
    /// End of the bytes that are on the disk.
    synced_upto: u64,
    /// The last attempt failed.
    needs_rewrite: bool,
    /// Observes the time of each `fdatasync`.
    fsync: Histogram,
}

impl Syncer {
    /// For the history at `path`, whose lines end at `end`. The last of them may not be on the disk
    /// when the server starts.
    pub(in crate::store) fn start(
        file: Arc<File>,
        path: PathBuf,
        end: RecordedEnd,
        fsync: Histogram,
    ) -> Addr<Self> {
        let synced_upto = end.get().saturating_sub(UNCONFIRMED_BYTES);
        SyncArbiter::start(1, move || Self {
            file: file.clone(),
            path: path.clone(),
            end: end.clone(),
            synced_upto,
            needs_rewrite: false,
            fsync: fsync.clone(),
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let end = self.end.get();
        if !self.needs_rewrite {
            let outcome = self
                .fsync
                .observe_closure_duration(|| self.file.sync_data());
            match outcome {
                Ok(()) => {
                    self.synced_upto = end;
                    return Ok(());
                }
                Err(error) => {
                    log::warn!("the history was not forced to the disk, is written again: {error}");
                    self.needs_rewrite = true;
                }
            }
        }
        rewrite(&self.file, &self.path, self.synced_upto, end)?;
        self.needs_rewrite = false;
        self.synced_upto = end;
        Ok(())
    }
}

impl Actor for Syncer {
    type Context = SyncContext<Self>;
}

impl Handler<Sync> for Syncer {
    type Result = io::Result<()>;

    fn handle(&mut self, Sync: Sync, _: &mut Self::Context) -> Self::Result {
        self.sync()
    }
}

/// Has the last lines of the history on the disk, those of the last batch among them, before anyone
/// is told again that they are recorded: a server may have ended for the very reason that they were
/// not.
///
/// # Errors
/// The disk does not take them.
pub(in crate::store) fn rewrite_and_sync(file: &File, path: &Path, end: u64) -> io::Result<()> {
    rewrite(file, path, end.saturating_sub(UNCONFIRMED_BYTES), end)
}

fn rewrite(file: &File, path: &Path, from: u64, end: u64) -> io::Result<()> {
    // `file` is in append mode and ignores the offset of a write.
    let writer = OpenOptions::new().write(true).open(path)?;
    if FileIdentity::of(file)? != FileIdentity::of(&writer)? {
        return Err(io::Error::other("another file is at the path"));
    }
    let mut block = vec![0; BLOCK_BYTES];
    let mut at = from;
    while at < end {
        let left = usize::try_from(end - at).unwrap_or(usize::MAX);
        let block = &mut block[..left.min(BLOCK_BYTES)];
        file.read_exact_at(block, at)?;
        writer.write_all_at(block, at)?;
        at += block.len() as u64;
    }
    writer.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_again_is_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let text: Vec<u8> = (0..=250).cycle().take(BLOCK_BYTES * 2 + 100).collect();
        std::fs::write(&path, &text).unwrap();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .unwrap();
        let end = text.len() as u64;
        rewrite(&file, &path, 77, end).unwrap();
        rewrite_and_sync(&file, &path, end).unwrap();
        assert!(std::fs::read(&path).unwrap() == text);
        // Another file at the path is left alone.
        std::fs::rename(&path, dir.path().join("aside")).unwrap();
        std::fs::write(&path, "foreign").unwrap();
        assert!(rewrite(&file, &path, 0, end).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "foreign");
    }
}
