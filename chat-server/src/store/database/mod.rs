//! The SQLite file of `[accounts] path`: opening, schema migrations and queries.
//!
//! Every thread has its own connection, and so has `chat-server account` beside a running server.
//! The write-ahead log lets all connections read while one writes; other writers wait. The schema
//! has a version (`user_version`) and grows by the migrations, in order, in one transaction.
//!
//! Only SQLite opens the file (see `files`). A write is confirmed only while the paths still lead
//! to the files that the connections have open.

mod accounts;
pub(crate) mod files;
mod moderation;
pub(super) mod rewinds;
mod rows;
mod sessions;
pub mod writer;

pub use accounts::{ChangedAccounts, StoredAccount};

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::error::DatabaseError;
use files::FileIdentities;
pub use files::Stamps;

/// The schema, step by step. A step that was released is never changed.
const MIGRATIONS: [&str; 5] = [
    include_str!("migrations/0001_accounts.sql"),
    include_str!("migrations/0002_tokens.sql"),
    include_str!("migrations/0003_moderation.sql"),
    include_str!("migrations/0004_account_changes.sql"),
    include_str!("migrations/0005_rewinds.sql"),
];

#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const NEWEST: u32 = MIGRATIONS.len() as u32;

/// How long one waits for another who writes: an operator's command takes milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// What each connection keeps of the file in memory, in KiB: SQLite's own 2 MiB would be 100 bytes
/// for each of 19,000 people, and the system has the pages in its cache anyway.
const CACHE_KIB: i32 = 256;

/// A connection to the file.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    files: Arc<DatabaseFiles>,
}

/// Where the files are that all connections of the process have open.
#[derive(Debug)]
struct DatabaseFiles {
    path: PathBuf,
    files: FileIdentities,
    /// Another program has written over the file.
    overwritten: AtomicBool,
    /// Held by a server until its last connection is closed.
    _lock: Option<File>,
}

impl DatabaseFiles {
    fn check(&self) -> Result<(), DatabaseError> {
        if self.overwritten.load(Ordering::Relaxed) {
            let path = self.path.clone();
            return Err(DatabaseError::Displaced { path });
        }
        self.files.check()
    }
}

/// Opens further connections to the files that another connection has open.
#[derive(Debug, Clone)]
pub struct Opener(Arc<DatabaseFiles>);

impl Opener {
    /// Opens a connection.
    ///
    /// # Errors
    /// The file cannot be opened, or its path leads to another file by now.
    pub fn open(&self) -> Result<Database, DatabaseError> {
        let path = &self.0.path;
        self.0.check()?;
        let connection = configure(path, connect(path)?)?;
        self.0.check()?;
        let files = self.0.clone();
        Ok(Database { connection, files })
    }
}

impl Database {
    /// Opens the file and brings its schema up to date.
    ///
    /// # Errors
    /// The file is missing, cannot be opened, is no database, or was made by a newer server.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        Self::open_locked(path, None)
    }

    /// Opens the file, or makes it, readable by its owner alone.
    ///
    /// # Errors
    /// As [`Database::open`]; or the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, DatabaseError> {
        create(path)?;
        Self::open(path)
    }

    /// Opens the file, or makes it, for the one server that uses it.
    ///
    /// # Errors
    /// As [`Database::create`]; or another server has the file.
    pub fn claim(path: &Path) -> Result<Self, DatabaseError> {
        create(path)?;
        files::check_link(path)?;
        let lock = files::lock(path)?;
        Self::open_locked(path, Some(lock))
    }

    fn open_locked(path: &Path, lock: Option<File>) -> Result<Self, DatabaseError> {
        files::restrict(path);
        let connection = configure(path, connect(path)?)?;
        let files = DatabaseFiles {
            path: path.to_owned(),
            files: FileIdentities::of(path)?,
            overwritten: AtomicBool::new(false),
            _lock: lock,
        };
        let files = Arc::new(files);
        Ok(Self { connection, files })
    }

    /// Returns an opener of further connections to these files.
    pub fn opener(&self) -> Opener {
        Opener(self.files.clone())
    }

    /// Checks that the paths still lead to the open files, by calls of `stat`.
    ///
    /// # Errors
    /// [`DatabaseError::Displaced`]: a write would be lost.
    pub fn in_place(&self) -> Result<(), DatabaseError> {
        self.files.check()
    }

    /// Returns when the files were written last.
    ///
    /// # Errors
    /// A file cannot be looked for.
    pub fn stamps(&self) -> Result<Stamps, DatabaseError> {
        Stamps::of(&self.files.path)
    }

    /// Reads the whole file anew, past what this connection has cached. Returns whether it is free
    /// of damage.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_whole(&self) -> Result<bool, DatabaseError> {
        let read = || -> rusqlite::Result<bool> {
            self.connection.execute_batch("PRAGMA shrink_memory")?;
            let found: String = self
                .connection
                .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
            Ok(found == "ok")
        };
        match read() {
            Err(error) if is_damage(&error) => Ok(false),
            read => read.map_err(|source| self.sqlite_error(source)),
        }
    }

    /// Has all connections of the process treat the file as displaced from now on.
    pub fn set_overwritten(&self) {
        self.files.overwritten.store(true, Ordering::Relaxed);
    }

    /// Returns a number that changes when another connection has written to the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn version(&self) -> Result<i64, DatabaseError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|source| self.sqlite_error(source))
    }

    fn sqlite_error(&self, source: rusqlite::Error) -> DatabaseError {
        sqlite_error(&self.files.path, source)
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn create(path: &Path) -> Result<(), DatabaseError> {
    files::create(path).map_err(|source| DatabaseError::Io {
        path: path.to_owned(),
        source,
    })
}

fn connect(path: &Path) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(|source| sqlite_error(path, source))
}

/// Sets a connection up and brings the schema up to date.
fn configure(path: &Path, mut connection: Connection) -> Result<Connection, DatabaseError> {
    let version = migrate(&mut connection).map_err(|source| sqlite_error(path, source))?;
    if version > NEWEST {
        let path = path.to_owned();
        return Err(DatabaseError::Newer { path, version });
    }
    Ok(connection)
}

/// Returns the version of the schema that was found.
fn migrate(connection: &mut Connection) -> rusqlite::Result<u32> {
    connection.busy_timeout(BUSY)?;
    // Negative: KiB, not pages.
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(version as usize) {
        transaction.execute_batch(migration)?;
    }
    if version < NEWEST {
        transaction.pragma_update(None, "user_version", NEWEST)?;
    }
    transaction.commit()?;
    Ok(version)
}

fn sqlite_error(path: &Path, source: rusqlite::Error) -> DatabaseError {
    DatabaseError::Sqlite {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_is_its_owners_and_is_opened_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let first = Database::create(&path).unwrap();
        let second = Database::create(&path).unwrap();
        let before = second.version().unwrap();
        for file in std::fs::read_dir(dir.path()).unwrap() {
            let file = file.unwrap();
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", file.path());
        }
        let nick = chat_proto::Nick::new("Ana").unwrap();
        assert!(first.add_account(&nick, "hash", 7).unwrap());
        assert!(!first.add_account(&nick, "other", 8).unwrap());
        assert_ne!(second.version().unwrap(), before);
        let found = second.account("ana").unwrap().unwrap();
        assert_eq!((found.nick.as_str(), found.since), ("Ana", 7));
        assert!(second.remove_account(found.id).unwrap());
        assert!(!second.remove_account(found.id).unwrap());
        assert!(first.add_account(&nick, "hash", 9).unwrap());
        let again = first.account("ana").unwrap().unwrap();
        assert_ne!(again.id, found.id, "another account of the same nick");
    }

    #[test]
    fn what_is_no_database_or_a_newer_one_is_said_to_be() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        drop(Database::create(&path).unwrap());
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        drop(newer);
        let error = Database::create(&path).unwrap_err().to_string();
        assert!(error.contains("a.db") && error.contains("newer"), "{error}");
        std::fs::write(&path, "hello, this is text and no database at all").unwrap();
        let error = Database::create(&path).unwrap_err().to_string();
        assert!(error.contains("a.db"), "{error}");
    }
}
