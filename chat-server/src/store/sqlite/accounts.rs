//! The table of accounts.

use std::time::{SystemTime, UNIX_EPOCH};

use chat_proto::{Nick, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use super::Database;
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

/// A hash is shown to nobody.
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

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredAccount> {
    Ok(StoredAccount {
        id: AccountId(row.get(0)?),
        nick: row.get(1)?,
        hash: row.get(2)?,
        since: row.get::<_, i64>(3)?.cast_unsigned(),
        created: Timestamp::from_millis(row.get(4)?),
    })
}

/// All of it fails with [`DatabaseError`] where the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "said above, once for all")]
impl Database {
    /// The account of a folded nick.
    pub fn account(&self, folded: &str) -> Result<Option<StoredAccount>, DatabaseError> {
        self.connection
            .prepare(&format!("{COLUMNS} WHERE folded = ?1"))
            .and_then(|mut statement| statement.query_row([folded], stored).optional())
            .map_err(|source| self.wrong(source))
    }

    /// All accounts, by folded nick.
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, DatabaseError> {
        self.connection
            .prepare(&format!("{COLUMNS} ORDER BY folded"))
            .and_then(|mut statement| statement.query_map([], stored)?.collect())
            .map_err(|source| self.wrong(source))
    }

    /// Whether the account is new: not where the nick is one already.
    pub fn add_account(&self, nick: &Nick, hash: &str, since: u64) -> Result<bool, DatabaseError> {
        const ADD: &str = "INSERT INTO accounts (folded, nick, hash, since, created)
            VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(0));
        let row = params![nick.folded(), nick.as_str(), hash, since.cast_signed(), now];
        self.change(ADD, row)
    }

    /// Whether there is such an account, which now has that hash.
    pub fn set_hash(&self, id: AccountId, hash: &str) -> Result<bool, DatabaseError> {
        self.change(
            "UPDATE accounts SET hash = ?2 WHERE id = ?1",
            params![id.0.get(), hash],
        )
    }

    /// Whether there was such an account, which is no more.
    pub fn remove_account(&self, id: AccountId) -> Result<bool, DatabaseError> {
        self.change("DELETE FROM accounts WHERE id = ?1", params![id.0.get()])
    }

    fn change(&self, sql: &str, row: impl rusqlite::Params) -> Result<bool, DatabaseError> {
        self.connection
            .prepare(sql)
            .and_then(|mut statement| statement.execute(row))
            .map(|changed| changed > 0)
            .map_err(|source| self.wrong(source))
    }
}
