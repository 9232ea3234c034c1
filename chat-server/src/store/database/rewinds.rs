//! The numbers of messages in all tables. They belong to one history: a start with a shorter one is a
//! rewind, which a start with the earlier history undoes.

use chat_proto::Timestamp;
use rusqlite::params;

use super::Database;
use crate::error::DatabaseError;

type Former = Vec<(String, u64, u64)>;

/// A start with a history that was shorter than the numbers in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Rewind {
    number: i64,
    /// The last message of that history at that start.
    pub last_seq: u64,
    pub at: Timestamp,
}

/// All of it fails with [`DatabaseError`] where the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "said once for all")]
impl Database {
    /// Returns the highest number of a message in the database, 0 where there is none.
    pub fn newest_number(&self) -> Result<u64, DatabaseError> {
        let newest = || {
            let plain: i64 = self.connection.query_row(
                // -1 of an account that no server has noted yet.
                "SELECT max(0, (SELECT coalesce(max(since), 0) FROM accounts),
                               (SELECT coalesce(max(since), 0) FROM tokens))",
                [],
                |row| row.get(0),
            )?;
            let mut newest = plain.cast_unsigned();
            let mut all = self
                .connection
                .prepare("SELECT former FROM tokens WHERE former <> '[]'")?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                // A row that makes no sense is dealt with where it is loaded.
                let former = row.get::<_, String>(0).ok();
                let former = former.and_then(|text| serde_json::from_str::<Former>(&text).ok());
                let numbers = former.into_iter().flatten();
                newest = numbers.fold(newest, |newest, (_, since, until)| {
                    newest.max(since).max(until)
                });
            }
            Ok(newest)
        };
        newest().map_err(|source| self.sqlite_error(source))
    }

    /// Returns all rewinds, oldest first.
    pub(in crate::store) fn rewinds(&self) -> Result<Vec<Rewind>, DatabaseError> {
        let read = || {
            let mut all = self
                .connection
                .prepare("SELECT number, last_seq, at FROM rewinds ORDER BY number")?;
            let rows = all.query_map([], |row| {
                Ok(Rewind {
                    number: row.get(0)?,
                    last_seq: row.get(1)?,
                    at: Timestamp::from_millis(row.get(2)?),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(|source| self.sqlite_error(source))
    }

    /// Limits all numbers of accounts to `last_seq`, the last message of the history, and saves what they
    /// were. The room limits those of tokens when it loads them.
    pub(in crate::store) fn rewind(
        &mut self,
        last_seq: u64,
        now: Timestamp,
    ) -> Result<(), DatabaseError> {
        let write = |database: &mut Self| {
            let transaction = database.connection.transaction()?;
            let last_seq = last_seq.cast_signed();
            transaction.execute(
                "INSERT INTO rewinds (last_seq, at) VALUES (?1, ?2)",
                params![last_seq, now.as_millis()],
            )?;
            let number = transaction.last_insert_rowid();
            transaction.execute(
                "INSERT INTO rewound_accounts SELECT ?1, id, since FROM accounts",
                [number],
            )?;
            transaction.execute(
                "UPDATE accounts SET since = ?1 WHERE since > ?1",
                [last_seq],
            )?;
            transaction.commit()
        };
        write(self).map_err(|source| self.sqlite_error(source))
    }

    /// Restores the numbers from before `rewind`. Accounts that were made after it, and all tokens, have
    /// had no nick in this history: they start behind its last message, `last_seq`.
    pub(in crate::store) fn undo_rewind(
        &mut self,
        rewind: Rewind,
        last_seq: u64,
    ) -> Result<(), DatabaseError> {
        let write = |database: &mut Self| {
            let transaction = database.connection.transaction()?;
            let last_seq = last_seq.cast_signed();
            transaction.execute(
                "UPDATE accounts SET since = coalesce(
                    (SELECT since FROM rewound_accounts
                        WHERE account = accounts.id AND rewind = ?1), ?2)",
                [rewind.number, last_seq],
            )?;
            transaction.execute("DELETE FROM tokens", [])?;
            transaction.execute("DELETE FROM rewinds WHERE number >= ?1", [rewind.number])?;
            transaction.commit()
        };
        write(self).map_err(|source| self.sqlite_error(source))
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::Nick;

    use super::*;
    use crate::chat::accounts::Account;
    use crate::chat::effect::NickTenure;
    use crate::chat::state_change::{ResumableSession, StateChange};
    use crate::chat::token::Digest;

    #[test]
    fn the_newest_number_of_all_tables_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut database = Database::create(&path).unwrap();
        assert_eq!(database.newest_number().unwrap(), 0);
        for (nick, since) in [("Ana", 5), ("Luis", Account::UNNOTED)] {
            let nick = Nick::new(nick).unwrap();
            database.add_account(&nick, "hash", since).unwrap();
        }
        let held = |nick: &str, since, until| NickTenure {
            nick: nick.into(),
            since,
            until,
        };
        let kept = ResumableSession {
            digest: Digest([1; 32]),
            nick: Nick::new("Eva").unwrap(),
            account: None,
            channels: Vec::new(),
            since: 60,
            previous_nicks: vec![held("a", 1, 5), held("b", 5, 30), held("c", 30, 60)],
            until: None,
        };
        let changes = [StateChange::SessionSaved(Box::new(kept))];
        database.keep(&changes).unwrap();
        assert_eq!(database.newest_number().unwrap(), 60);
    }

    #[test]
    fn an_undone_rewind_restores_the_numbers_of_the_accounts_that_it_saved() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::create(&dir.path().join("a.db")).unwrap();
        let add = |database: &Database, nick: &str, since| {
            let nick = Nick::new(nick).unwrap();
            assert!(database.add_account(&nick, "hash", since).unwrap());
        };
        let since = |database: &Database, nick| database.account(nick).unwrap().unwrap().since;
        add(&database, "ana", 30);
        add(&database, "new", Account::UNNOTED);
        database.rewind(5, Timestamp::from_millis(1)).unwrap();
        assert_eq!(
            (since(&database, "ana"), since(&database, "new")),
            (5, Account::UNNOTED)
        );
        add(&database, "luis", 6);
        database.rewind(0, Timestamp::from_millis(2)).unwrap();
        assert_eq!((since(&database, "ana"), since(&database, "luis")), (0, 0));
        let rewinds = database.rewinds().unwrap();
        assert_eq!(rewinds.len(), 2);
        database.undo_rewind(rewinds[1], 7).unwrap();
        assert_eq!((since(&database, "ana"), since(&database, "luis")), (5, 6));
        database.undo_rewind(rewinds[0], 33).unwrap();
        assert_eq!(
            (since(&database, "ana"), since(&database, "luis")),
            (30, 33)
        );
        assert_eq!(since(&database, "new"), Account::UNNOTED);
        assert!(database.rewinds().unwrap().is_empty());
    }
}
