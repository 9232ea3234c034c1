//! The SQLite file of `[accounts] path`: opening it, its schema, and what is asked of it.
//!
//! Every thread has a connection of its own, and so has `chat-server account` beside a running server:
//! the write-ahead log lets all read while one writes, and who would write at the same time waits. The
//! schema has a number (`user_version`) and grows by the migrations, in order, one transaction for all.

mod accounts;
mod moderation;
mod tokens;

pub use accounts::StoredAccount;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::error::DatabaseError;

/// The schema, step by step. A step that was released is never changed.
const MIGRATIONS: [&str; 3] = [
    include_str!("0001_accounts.sql"),
    include_str!("0002_tokens.sql"),
    include_str!("0003_moderation.sql"),
];

#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const NEWEST: u32 = MIGRATIONS.len() as u32;

/// How long one waits for another who writes: an operator's command takes milliseconds.
const BUSY: Duration = Duration::from_secs(5);

/// What each connection keeps of the file in memory, in KiB: SQLite's own 2 MiB would be 100 bytes for each
/// of 19,000 people, and the system has the pages in its cache anyway.
const CACHE_KIB: i32 = 256;

/// A connection to the file.
#[derive(Debug)]
pub struct Database {
    connection: Connection,
    path: PathBuf,
}

impl Database {
    /// Opens the file, or makes it, readable by its owner alone, and brings its schema up to date.
    ///
    /// # Errors
    /// The file cannot be opened, is no database, or was made by a newer server.
    pub fn open(path: &Path) -> Result<Self, DatabaseError> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path);
        // SQLite gives its log the mode of the file.
        drop(file.map_err(|source| DatabaseError::Io {
            path: path.to_owned(),
            source,
        })?);
        let database = Self {
            connection: Connection::open(path).map_err(|source| wrong(path, source))?,
            path: path.to_owned(),
        };
        database.prepared()
    }

    fn prepared(mut self) -> Result<Self, DatabaseError> {
        let migrated = (|| {
            self.connection.busy_timeout(BUSY)?;
            // Negative: KiB, not pages.
            self.connection
                .pragma_update(None, "cache_size", -CACHE_KIB)?;
            self.connection.pragma_update(None, "journal_mode", "WAL")?;
            self.connection.pragma_update(None, "foreign_keys", true)?;
            let transaction = self
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let version: u32 =
                transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            for migration in MIGRATIONS.iter().skip(version as usize) {
                transaction.execute_batch(migration)?;
            }
            if version < NEWEST {
                transaction.pragma_update(None, "user_version", NEWEST)?;
            }
            transaction.commit()?;
            Ok(version)
        })();
        let version = migrated.map_err(|source| self.wrong(source))?;
        if version > NEWEST {
            return Err(DatabaseError::Newer {
                path: self.path,
                version,
            });
        }
        Ok(self)
    }

    /// A number that changes when another connection has written to the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn version(&self) -> Result<i64, DatabaseError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|source| self.wrong(source))
    }

    fn wrong(&self, source: rusqlite::Error) -> DatabaseError {
        wrong(&self.path, source)
    }
}

fn wrong(path: &Path, source: rusqlite::Error) -> DatabaseError {
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
        let first = Database::open(&path).unwrap();
        let second = Database::open(&path).unwrap();
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
        drop(Database::open(&path).unwrap());
        let newer = Connection::open(&path).unwrap();
        newer.pragma_update(None, "user_version", 99).unwrap();
        drop(newer);
        let error = Database::open(&path).unwrap_err().to_string();
        assert!(error.contains("a.db") && error.contains("newer"), "{error}");
        std::fs::write(&path, "hello, this is text and no database at all").unwrap();
        let error = Database::open(&path).unwrap_err().to_string();
        assert!(error.contains("a.db"), "{error}");
    }
}
