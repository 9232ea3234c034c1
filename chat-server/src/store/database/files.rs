//! The files of a SQLite database: creation, modes, identity and the lock of the server.
//!
//! SQLite protects its files with POSIX locks, and closing any descriptor of a file releases all
//! POSIX locks that the process holds on it. This module therefore never opens the database, its
//! `-wal` or its `-shm`: it creates the file under another name, and reads modes and identities by
//! path.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::error::DatabaseError;
use crate::store::file_identity::{FileIdentity, metadata};
use crate::store::private_file::{self, PRIVATE, with_suffix};

/// What SQLite keeps beside a database file in WAL mode, and the file itself.
pub(crate) const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

/// Creates an empty file for SQLite, readable by its owner alone, unless the path exists.
///
/// The file gets its name only after its descriptor is closed, so that no connection can have it
/// open by then.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok() {
        return Ok(());
    }
    let temporary = with_suffix(path, &format!(".new-{:016x}", rand::random::<u64>()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(PRIVATE);
    drop(options.open(&temporary)?);
    let linked = fs::hard_link(&temporary, path);
    let removed = fs::remove_file(&temporary);
    match linked {
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => removed,
        linked => linked.and(removed),
    }
}

/// Takes all access to a database from the group and from others, where they have any.
pub(crate) fn restrict(path: &Path) {
    all(path)
        .iter()
        .for_each(|file| private_file::restrict(file));
}

/// Locks the database for one server: fails if another server has it.
///
/// The lock is on a file of its own, as a descriptor of the database would endanger SQLite's locks.
/// It ends with the returned file. Other programs may use the database meanwhile.
pub(super) fn lock(path: &Path) -> Result<File, DatabaseError> {
    let database = resolved(path);
    let path = with_suffix(&database, ".lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    let lock = options.mode(PRIVATE).open(&path);
    let lock = lock.map_err(|source| io_error(&path, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DatabaseError::Locked { path: database }),
        Err(TryLockError::Error(source)) => Err(io_error(&path, source)),
    }
}

/// Rejects a link that took the place of the database: its log stayed beside the link, and SQLite looks for
/// it beside the target.
pub(super) fn check_link(path: &Path) -> Result<(), DatabaseError> {
    let log = with_suffix(path, "-wal");
    let is_link = fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
    if is_link && fs::metadata(&log).is_ok_and(|found| found.len() > 0) {
        let database = resolved(path);
        return Err(DatabaseError::StrayLog { log, database });
    }
    Ok(())
}

/// Which files the connections have open, to notice that a path leads to another one.
#[derive(Debug)]
pub(crate) struct FileIdentities(Vec<NotedFile>);

/// A file that a connection has open.
#[derive(Debug)]
struct NotedFile {
    path: PathBuf,
    /// The path may be a link.
    follows_links: bool,
    identity: FileIdentity,
}

impl NotedFile {
    fn of(path: PathBuf, follows_links: bool) -> io::Result<Self> {
        let metadata = if follows_links {
            fs::metadata(&path)?
        } else {
            fs::symlink_metadata(&path)?
        };
        Ok(Self {
            path,
            follows_links,
            identity: FileIdentity::from(&metadata),
        })
    }

    fn is_there(&self) -> io::Result<bool> {
        match Self::of(self.path.clone(), self.follows_links) {
            Ok(found) => Ok(found.identity == self.identity),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl FileIdentities {
    /// Notes the files at `path`. A connection has to be open.
    pub(crate) fn of(path: &Path) -> Result<Self, DatabaseError> {
        let mut noted = Vec::new();
        // The given name may be a link, whose target may change. The files that it led to may not be
        // replaced by links: SQLite would look for its log beside the new target.
        let files = all(path).map(|file| (file, false));
        for (file, follows_links) in files.into_iter().chain([(path.to_owned(), true)]) {
            match NotedFile::of(file.clone(), follows_links) {
                Ok(file) => noted.push(file),
                // Without a log where the file system does not allow one.
                Err(error) if error.kind() == io::ErrorKind::NotFound && file != path => {}
                Err(source) => return Err(io_error(&file, source)),
            }
        }
        Ok(Self(noted))
    }

    /// Checks that each path still leads to the noted file.
    ///
    /// # Errors
    /// A file was renamed, replaced or deleted, or cannot be looked for.
    pub(crate) fn check(&self) -> Result<(), DatabaseError> {
        for file in &self.0 {
            let is_there = file.is_there();
            if !is_there.map_err(|source| io_error(&file.path, source))? {
                let path = file.path.clone();
                return Err(DatabaseError::Displaced { path });
            }
        }
        Ok(())
    }
}

/// Returns the database and what SQLite keeps beside it.
fn all(path: &Path) -> [PathBuf; 3] {
    let path = resolved(path);
    SUFFIXES.map(|suffix| with_suffix(&path, suffix))
}

/// Follows symbolic links, as SQLite does: a file has one log and one lock, whatever leads to it.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Length and time of the last write of a file.
type Stamp = (u64, i64, i64);

/// When the database and its log were written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamps {
    database: Stamp,
    log: Stamp,
}

impl Stamps {
    /// Reads the stamps of the files at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, DatabaseError> {
        let [database, log, _] = all(path);
        let stamp = |file: PathBuf| {
            let found = metadata(&file).map_err(|source| io_error(&file, source))?;
            let stamp = |found: Metadata| (found.len(), found.mtime(), found.mtime_nsec());
            Ok(found.map(stamp).unwrap_or_default())
        };
        Ok(Self {
            database: stamp(database)?,
            log: stamp(log)?,
        })
    }

    /// Returns whether the database was written since `before` and its log was not: by no write of
    /// the server, whose changes reach the database by way of the log.
    pub fn are_suspicious(self, before: Self) -> bool {
        self.database != before.database && self.log == before.log
    }
}

fn io_error(path: &Path, source: io::Error) -> DatabaseError {
    DatabaseError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_created_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        create(&path).unwrap();
        let before = fs::metadata(&path).unwrap();
        assert_eq!(before.permissions().mode() & 0o777, PRIVATE);
        create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no other file"
        );
        assert!(create(&dir.path().join("no/a.db")).is_err());
    }

    #[test]
    fn a_second_lock_is_refused_under_any_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        create(&path).unwrap();
        let held = lock(&path).unwrap();
        let link = dir.path().join("link.db");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for name in [&path, &link] {
            let error = lock(name).unwrap_err().to_string();
            assert!(error.contains("a.db is in use by another"), "{error}");
        }
        drop(held);
        lock(&link).unwrap();
    }
}
