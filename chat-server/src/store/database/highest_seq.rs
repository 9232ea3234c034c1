//! The highest message number in all tables, which the history must have reached.

use super::Database;
use crate::error::DatabaseError;

type Former = Vec<(String, u64, u64)>;

/// All methods return a [`DatabaseError`] if the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "documented at the impl block")]
impl Database {
    /// Returns the highest number of a message in the database, 0 where there is none.
    pub fn highest_seq(&self) -> Result<u64, DatabaseError> {
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
}

#[cfg(test)]
mod tests {
    use chat_proto::Nick;

    use super::*;
    use crate::chat::batch::Held;
    use crate::chat::command::Digest;
    use crate::chat::kept::{Kept, KeptChange};

    #[test]
    fn the_newest_number_of_all_tables_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut database = Database::create(&path).unwrap();
        assert_eq!(database.highest_seq().unwrap(), 0);
        for (nick, since) in [("Ana", 5), ("Luis", u64::MAX)] {
            let nick = Nick::new(nick).unwrap();
            database.add_account(&nick, "hash", since).unwrap();
        }
        let held = |nick: &str, since, until| Held {
            nick: nick.into(),
            since,
            until,
        };
        let kept = Kept {
            digest: Digest([1; 32]),
            nick: Nick::new("Eva").unwrap(),
            account: None,
            channels: Vec::new(),
            since: 60,
            former: vec![held("a", 1, 5), held("b", 5, 30), held("c", 30, 60)],
            until: None,
        };
        let changes = [KeptChange::Keep(Box::new(kept))];
        database.keep(&changes).unwrap();
        assert_eq!(database.highest_seq().unwrap(), 60);
    }
}
