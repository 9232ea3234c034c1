//! The table of resumable sessions.

use std::num::NonZeroI64;

use chat_proto::{Channel, Nick, Timestamp};
use rusqlite::{Row, params};

use super::rows::{MalformedRow, read_rows};
use super::{Database, moderation};
use crate::chat::accounts::AccountId;
use crate::chat::effect::NickTenure;
use crate::chat::state_change::{ResumableSession, StateChange};
use crate::chat::token::Digest;
use crate::error::DatabaseError;

fn kept(row: &Row<'_>) -> Result<ResumableSession, MalformedRow> {
    let nick: String = row.get(1)?;
    let channels: String = row.get(3)?;
    let channels: Vec<String> =
        serde_json::from_str(&channels).map_err(|error| format!("channels: {error}"))?;
    let former: String = row.get(5)?;
    let former: Vec<(String, u64, u64)> =
        serde_json::from_str(&former).map_err(|error| format!("former: {error}"))?;
    let held = |(nick, since, until): (String, u64, u64)| NickTenure {
        nick: nick.into(),
        since,
        until,
    };
    Ok(ResumableSession {
        digest: Digest(row.get(0)?),
        nick: Nick::new(&nick)?,
        account: row.get::<_, Option<NonZeroI64>>(2)?.map(AccountId),
        channels: channels
            .iter()
            .filter_map(|name| Channel::new(name).ok())
            .collect(),
        since: row.get(4)?,
        previous_nicks: former.into_iter().map(held).collect(),
        until: row.get::<_, Option<i64>>(6)?.map(Timestamp::from_millis),
    })
}

/// All methods return a [`DatabaseError`] if the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "documented at the impl block")]
impl Database {
    /// Returns the users who may come back after `now`, longest last. A user without an end was
    /// here when the server ended.
    pub fn tokens(&mut self, now: Timestamp) -> Result<Vec<ResumableSession>, DatabaseError> {
        const ALL: &str = "SELECT digest, nick, account, channels, since, former, until
            FROM tokens ORDER BY until IS NULL, until";
        let read = |database: &mut Self| {
            let transaction = database.connection.transaction()?;
            transaction.execute("DELETE FROM tokens WHERE until <= ?1", [now.as_millis()])?;
            let all = {
                let mut statement = transaction.prepare(ALL)?;
                read_rows(&database.files.path, "tokens", statement.query([])?, kept)?
            };
            transaction.commit()?;
            Ok(all)
        };
        read(self).map_err(|source| self.sqlite_error(source))
    }

    /// Ends at `until` the tokens of the users who were here when the server ended. What follows
    /// from their presence has to be kept before.
    pub fn end_tokens(&self, until: Timestamp) -> Result<(), DatabaseError> {
        const END: &str = "UPDATE tokens SET until = ?1 WHERE until IS NULL";
        let ended = self.connection.execute(END, [until.as_millis()]);
        ended.map(drop).map_err(|source| self.sqlite_error(source))
    }

    /// A crash of the machine, which is not one of the server, may lose the last changes: nothing
    /// waits for the disk.
    pub fn set_synchronous_normal(&self) -> Result<(), DatabaseError> {
        self.connection
            .pragma_update(None, "synchronous", "NORMAL")
            .map_err(|source| self.sqlite_error(source))
    }

    /// All of the changes, or none.
    pub fn keep(&mut self, changes: &[StateChange]) -> Result<(), DatabaseError> {
        let written = |database: &mut Self| {
            let transaction = database.connection.transaction()?;
            {
                let mut keep = transaction.prepare(
                    "INSERT OR REPLACE INTO tokens
                        (digest, nick, account, channels, since, former, until)
                        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?;
                let mut begin =
                    transaction.prepare("UPDATE accounts SET since = ?2 WHERE id = ?1")?;
                let mut forget = transaction.prepare("DELETE FROM tokens WHERE digest = ?1")?;
                for change in changes {
                    match change {
                        StateChange::SessionRemoved(digest) => forget.execute([digest.0])?,
                        StateChange::AccountSince { account, since } => {
                            begin.execute([account.0.get(), since.cast_signed()])?
                        }
                        StateChange::SessionSaved(kept) => keep.execute(params![
                            kept.digest.0,
                            kept.nick.as_str(),
                            kept.account.map(|account| account.0.get()),
                            names(&kept.channels),
                            kept.since.cast_signed(),
                            ranges(&kept.previous_nicks),
                            kept.until.map(Timestamp::as_millis),
                        ])?,
                        StateChange::SanctionSaved(sanction) => {
                            moderation::keep_sanction(&transaction, sanction)?
                        }
                        StateChange::SanctionRemoved(number) => {
                            moderation::forget_sanction(&transaction, *number)?
                        }
                        StateChange::ChannelSaved(charter) => {
                            moderation::keep_charter(&transaction, charter)?
                        }
                        StateChange::ChannelRemoved(folded) => {
                            moderation::forget_charter(&transaction, folded)?
                        }
                    };
                }
            }
            transaction.commit()
        };
        self.in_place()?;
        written(self).map_err(|source| self.sqlite_error(source))?;
        self.in_place()
    }
}

fn names(channels: &[Channel]) -> String {
    let names: Vec<&str> = channels.iter().map(Channel::as_str).collect();
    serde_json::to_string(&names).expect("names are JSON")
}

fn ranges(former: &[NickTenure]) -> String {
    let ranges: Vec<_> = former
        .iter()
        .map(|held| (&*held.nick, held.since, held.until))
        .collect();
    serde_json::to_string(&ranges).expect("names and numbers are JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_come_back_is_there_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::create(&dir.path().join("a.db")).unwrap();
        let kept = |number: u8, until: Option<i64>| ResumableSession {
            digest: Digest([number; 32]),
            nick: Nick::new("Ana").unwrap(),
            account: NonZeroI64::new(7).map(AccountId),
            channels: vec![Channel::new("#Rust").unwrap()],
            since: 3,
            previous_nicks: vec![NickTenure {
                nick: "anita".into(),
                since: 1,
                until: 2,
            }],
            until: until.map(Timestamp::from_millis),
        };
        let keep = |kept: ResumableSession| StateChange::SessionSaved(Box::new(kept));
        database
            .keep(&[
                keep(kept(1, None)),
                keep(kept(2, Some(50))),
                keep(kept(3, Some(10))),
                keep(kept(4, Some(60))),
                StateChange::SessionRemoved(Digest([4; 32])),
            ])
            .unwrap();
        let (now, until) = (Timestamp::from_millis(10), Timestamp::from_millis(40));
        let all = database.tokens(now).unwrap();
        assert_eq!(all, [kept(2, Some(50)), kept(1, None)]);
        database.end_tokens(until).unwrap();
        let all = database.tokens(now).unwrap();
        assert_eq!(all, [kept(1, Some(40)), kept(2, Some(50))]);
    }
}
