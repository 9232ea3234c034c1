//! The table of accounts.

use std::time::{SystemTime, UNIX_EPOCH};

use chat_proto::{Nick, Timestamp};
use rusqlite::{Row, TransactionBehavior, params};

use super::Database;
use super::rows::{MalformedRow, read_rows};
use crate::chat::accounts::AccountId;
use crate::error::DatabaseError;

/// An account as it is kept.
#[derive(Clone)]
pub struct StoredAccount {
    pub id: AccountId,
    /// As it was registered.
    pub nick: String,
    /// A PHC string.
    pub hash: String,
    /// The last message before the account.
    pub since: u64,
    pub created: Timestamp,
}

/// Omits the hash.
impl std::fmt::Debug for StoredAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAccount")
            .field("id", &self.id)
            .field("nick", &self.nick)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

const COLUMNS: &str = "SELECT id, nick, hash, since, created FROM accounts";

fn stored(row: &Row<'_>) -> Result<StoredAccount, MalformedRow> {
    Ok(StoredAccount {
        id: AccountId(row.get(0)?),
        nick: row.get(1)?,
        hash: row.get(2)?,
        // Whatever it is, the nick stays protected. -1 of an account that no server has noted yet.
        since: row.get::<_, i64>(3)?.cast_unsigned(),
        created: Timestamp::from_millis(row.get(4)?),
    })
}

/// The accounts that have changed since a number was read.
#[derive(Debug, PartialEq, Eq)]
pub enum ChangedAccounts {
    /// Those of these folded nicks.
    Some(Vec<String>),
    /// More than the file has noted.
    Unknown,
}

/// All methods return a [`DatabaseError`] if the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "documented at the impl block")]
impl Database {
    /// Returns the account of a folded nick. A malformed row counts as none.
    pub fn account(&self, folded: &str) -> Result<Option<StoredAccount>, DatabaseError> {
        let read = || -> rusqlite::Result<Option<StoredAccount>> {
            let mut statement = self
                .connection
                .prepare_cached(&format!("{COLUMNS} WHERE folded = ?1"))?;
            let mut rows = statement.query([folded])?;
            Ok(rows.next()?.and_then(|row| stored(row).ok()))
        };
        read().map_err(|source| self.sqlite_error(source))
    }

    /// Returns all accounts, by folded nick. Malformed rows are logged and skipped.
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, DatabaseError> {
        let read = || {
            let mut statement = self
                .connection
                .prepare(&format!("{COLUMNS} ORDER BY folded"))?;
            read_rows(&self.files.path, "accounts", statement.query([])?, stored)
        };
        read().map_err(|source| self.sqlite_error(source))
    }

    /// Returns the number of the last change of an account.
    pub fn last_account_change(&self) -> Result<u64, DatabaseError> {
        self.connection
            .prepare_cached("SELECT coalesce(max(number), 0) FROM account_changes")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|source| self.sqlite_error(source))
    }

    /// Returns which accounts have changed after the change of number `seen`, up to that of `last`.
    pub fn changed_accounts(&self, seen: u64, last: u64) -> Result<ChangedAccounts, DatabaseError> {
        if seen == last {
            return Ok(ChangedAccounts::Some(Vec::new()));
        }
        let read = || -> rusqlite::Result<Vec<(u64, String)>> {
            self.connection
                .prepare_cached(
                    "SELECT number, folded FROM account_changes
                        WHERE number > ?1 AND number <= ?2 ORDER BY number",
                )?
                .query_map([seen, last], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        let changes = read().map_err(|source| self.sqlite_error(source))?;
        // Older ones are deleted, and another program may have deleted some.
        if last.checked_sub(seen) != Some(changes.len() as u64) {
            return Ok(ChangedAccounts::Unknown);
        }
        let mut nicks: Vec<String> = changes.into_iter().map(|(_, nick)| nick).collect();
        nicks.sort_unstable();
        nicks.dedup();
        Ok(ChangedAccounts::Some(nicks))
    }

    /// Adds an account. Returns false if the nick is registered already.
    pub fn add_account(&self, nick: &Nick, hash: &str, since: u64) -> Result<bool, DatabaseError> {
        const ADD: &str = "INSERT INTO accounts (folded, nick, hash, since, created)
            VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
        let row = params![nick.folded(), nick.as_str(), hash, since.cast_signed(), now];
        self.change(ADD, row)
    }

    /// Gives an account another hash and ends its tokens. Returns whether the account still had the
    /// hash `before`.
    pub fn change_hash(
        &mut self,
        id: AccountId,
        before: &str,
        hash: &str,
    ) -> Result<bool, DatabaseError> {
        const CHANGE: &str = "UPDATE accounts SET hash = ?3 WHERE id = ?1 AND hash = ?2";
        self.in_place()?;
        let change = |database: &mut Self| {
            let transaction = database
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let changed = transaction.execute(CHANGE, params![id.0.get(), before, hash])? > 0;
            if changed {
                transaction.execute("DELETE FROM tokens WHERE account = ?1", [id.0.get()])?;
            }
            transaction.commit()?;
            Ok(changed)
        };
        let changed = change(self).map_err(|source| self.sqlite_error(source))?;
        self.in_place()?;
        Ok(changed)
    }

    /// Removes an account. Returns whether it existed.
    pub fn remove_account(&self, id: AccountId) -> Result<bool, DatabaseError> {
        self.change("DELETE FROM accounts WHERE id = ?1", params![id.0.get()])
    }

    fn change(&self, sql: &str, row: impl rusqlite::Params) -> Result<bool, DatabaseError> {
        self.in_place()?;
        let changed = self
            .connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(row))
            .map_err(|source| self.sqlite_error(source))?;
        self.in_place()?;
        Ok(changed > 0)
    }
}
