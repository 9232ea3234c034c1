//! The tables of sanctions and channel owners.

use std::num::NonZeroI64;

use chat_proto::{Channel, Nick, Timestamp};
use rusqlite::{Row, Transaction, params};

use super::Database;
use super::rows::{MalformedRow, read_rows};
use crate::chat::accounts::AccountId;
use crate::chat::command::Digest;
use crate::chat::moderation::{Charter, Sanction, Scope, Target, Topic};
use crate::error::DatabaseError;

fn sanction(row: &Row<'_>) -> Result<Sanction, MalformedRow> {
    let (scope, kind, target): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let scope = match &*scope {
        "server" => Scope::Server,
        "speech" => Scope::Speech,
        channel => Scope::Channel(Channel::new(channel)?),
    };
    let target = match &*kind {
        "nick" => Target::Nick(Nick::new(&target)?),
        "account" => Target::Account(Nick::new(&target)?),
        "address" => Target::Network(target.parse()?),
        _ => return Err("no such kind of target".into()),
    };
    Ok(Sanction {
        number: row.get(0)?,
        scope,
        target,
        holder: row.get::<_, Option<_>>(4)?.map(Digest),
        by: row.get::<_, Option<String>>(5)?.map(Into::into),
        reason: row.get::<_, Option<String>>(6)?.map(Into::into),
        set: Timestamp::from_millis(row.get(7)?),
        until: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_millis),
        lasts: true,
    })
}

fn charter(row: &Row<'_>) -> Result<Charter, MalformedRow> {
    let channel = Channel::new(&row.get::<_, String>(0)?)?;
    let topic = match row.get::<_, Option<String>>(2)? {
        Some(text) => Some(Topic {
            text: text.into(),
            by: row.get::<_, String>(3)?.into(),
            set: Timestamp::from_millis(row.get(4)?),
        }),
        None => None,
    };
    Ok(Charter {
        channel,
        founder: row.get::<_, Option<NonZeroI64>>(1)?.map(AccountId),
        topic,
    })
}

/// All methods return a [`DatabaseError`] if the file cannot be read or written.
#[expect(clippy::missing_errors_doc, reason = "documented at the impl block")]
impl Database {
    /// The bans and mutes that hold after `now`; the others are deleted.
    pub fn sanctions(&self, now: Timestamp) -> Result<Vec<Sanction>, DatabaseError> {
        const ALL: &str =
            "SELECT number, scope, kind, target, holder, set_by, reason, created, until
            FROM sanctions ORDER BY number";
        let read = || -> rusqlite::Result<Vec<Sanction>> {
            self.connection
                .execute("DELETE FROM sanctions WHERE until <= ?1", [now.as_millis()])?;
            let mut statement = self.connection.prepare(ALL)?;
            read_rows(
                &self.files.path,
                "sanctions",
                statement.query([])?,
                sanction,
            )
        };
        read().map_err(|source| self.sqlite_error(source))
    }

    /// Returns the channels with an owner. Deletes those of removed accounts.
    pub fn charters(&self) -> Result<Vec<Charter>, DatabaseError> {
        const ALL: &str = "SELECT name, founder, topic, topic_by, topic_set FROM channels";
        const ORPHANS: &str = "DELETE FROM channels
                WHERE founder IS NOT NULL AND founder NOT IN (SELECT id FROM accounts)";
        let read = || -> rusqlite::Result<Vec<Charter>> {
            self.connection.execute(ORPHANS, [])?;
            let mut statement = self.connection.prepare(ALL)?;
            read_rows(&self.files.path, "channels", statement.query([])?, charter)
        };
        read().map_err(|source| self.sqlite_error(source))
    }
}

pub(super) fn keep_sanction(
    transaction: &Transaction<'_>,
    sanction: &Sanction,
) -> rusqlite::Result<usize> {
    let scope = match &sanction.scope {
        Scope::Server => "server",
        Scope::Speech => "speech",
        Scope::Channel(channel) => channel.as_str(),
    };
    let (kind, target) = match &sanction.target {
        Target::Nick(nick) => ("nick", nick.to_string()),
        Target::Account(nick) => ("account", nick.to_string()),
        Target::Network(network) => ("address", network.to_string()),
    };
    transaction.execute(
        "INSERT OR REPLACE INTO sanctions
            (number, scope, kind, target, holder, set_by, reason, created, until)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            sanction.number.cast_signed(),
            scope,
            kind,
            target,
            sanction.holder.map(|digest| digest.0),
            sanction.by,
            sanction.reason,
            sanction.set.as_millis(),
            sanction.until.map(Timestamp::as_millis),
        ],
    )
}

pub(super) fn forget_sanction(
    transaction: &Transaction<'_>,
    number: u64,
) -> rusqlite::Result<usize> {
    let number = number.cast_signed();
    transaction.execute("DELETE FROM sanctions WHERE number = ?1", [number])
}

pub(super) fn keep_charter(
    transaction: &Transaction<'_>,
    charter: &Charter,
) -> rusqlite::Result<usize> {
    let topic = charter.topic.as_ref();
    transaction.execute(
        "INSERT OR REPLACE INTO channels (folded, name, founder, topic, topic_by, topic_set)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            charter.channel.folded(),
            charter.channel.as_str(),
            charter.founder.map(|account| account.0.get()),
            topic.map(|topic| &*topic.text),
            topic.map(|topic| &*topic.by),
            topic.map(|topic| topic.set.as_millis()),
        ],
    )
}

pub(super) fn forget_charter(
    transaction: &Transaction<'_>,
    folded: &str,
) -> rusqlite::Result<usize> {
    transaction.execute("DELETE FROM channels WHERE folded = ?1", [folded])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::kept::KeptChange;

    fn ban(number: u64, scope: Scope, target: Target, until: Option<i64>) -> Sanction {
        Sanction {
            number,
            scope,
            target,
            holder: Some(Digest([7; 32])),
            by: Some("ana".into()),
            reason: Some("spam".into()),
            set: Timestamp::from_millis(5),
            until: until.map(Timestamp::from_millis),
            lasts: true,
        }
    }

    #[test]
    fn what_was_decided_is_there_again_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::create(&dir.path().join("a.db")).unwrap();
        let luis = Nick::new("Luis").unwrap();
        let rust = Channel::new("#Rust").unwrap();
        let nick = ban(1, Scope::Server, Target::Nick(luis.clone()), None);
        let account = ban(2, Scope::Channel(rust), Target::Account(luis.clone()), None);
        let mute = ban(3, Scope::Speech, Target::Nick(luis.clone()), Some(50));
        let address = Sanction {
            holder: None,
            by: None,
            reason: None,
            ..ban(
                4,
                Scope::Server,
                Target::Network("192.0.2.0/24".parse().unwrap()),
                Some(60),
            )
        };
        let lifted = ban(5, Scope::Server, Target::Nick(luis), None);
        let all = [&nick, &account, &mute, &address, &lifted];
        let mut changes: Vec<KeptChange> = all
            .map(|sanction| KeptChange::Sanctioned(sanction.clone().into()))
            .into();
        changes.push(KeptChange::Lifted(5));
        database.keep(&changes).unwrap();
        let at = |millis| Timestamp::from_millis(millis);
        let expected = [nick.clone(), account.clone(), mute, address.clone()];
        assert_eq!(database.sanctions(at(10)).unwrap(), expected);
        let expected = [nick.clone(), account.clone(), address];
        assert_eq!(database.sanctions(at(50)).unwrap(), expected);
        assert_eq!(database.sanctions(at(60)).unwrap(), [nick, account]);
    }

    #[test]
    fn a_channel_is_its_founders_as_long_as_there_is_the_account() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::create(&dir.path().join("a.db")).unwrap();
        let ana = Nick::new("Ana").unwrap();
        database.add_account(&ana, "hash", 0).unwrap();
        let id = database.account("ana").unwrap().unwrap().id;
        let charter = |name: &str, founder, text: Option<&str>| Charter {
            channel: Channel::new(name).unwrap(),
            founder,
            topic: text.map(|text| Topic {
                text: text.into(),
                by: "ana".into(),
                set: Timestamp::from_millis(5),
            }),
        };
        let rust = charter("#Rust", Some(id), Some("crabs"));
        let lobby = charter("#lobby", None, Some("welcome"));
        let keep = |charter: &Charter| KeptChange::Chartered(Box::new(charter.clone()));
        let changes = [
            keep(&rust),
            keep(&lobby),
            keep(&charter("#Go", Some(id), None)),
            KeptChange::Unchartered("#go".into()),
        ];
        database.keep(&changes).unwrap();
        let mut all = database.charters().unwrap();
        all.sort_by(|one, other| one.channel.cmp(&other.channel));
        assert_eq!(all, [lobby.clone(), rust]);
        assert!(database.remove_account(id).unwrap());
        assert_eq!(database.charters().unwrap(), [lobby]);
    }
}
