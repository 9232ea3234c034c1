//! The tables of sanctions and channel owners.

use std::num::NonZeroI64;

use chat_proto::{Channel, Nick, Timestamp};
use rusqlite::{Row, Transaction, params};

use super::Database;
use super::rows::{MalformedRow, read_rows};
use crate::chat::accounts::AccountId;
use crate::chat::moderation::{ChannelRecord, Sanction, Scope, Target, Topic};
use crate::chat::token::Digest;
use crate::error::DatabaseError;

fn sanction(row: &Row<'_>) -> Result<Sanction, MalformedRow> {
    let (scope, kind, target): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let scope = match &*scope {
        "server" => Scope::Server,
        "speech" => Scope::Mute,
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
        token_digest: row.get::<_, Option<_>>(4)?.map(Digest),
        by: row.get::<_, Option<String>>(5)?.map(Into::into),
        reason: row.get::<_, Option<String>>(6)?.map(Into::into),
        set: Timestamp::from_millis(row.get(7)?),
        until: row.get::<_, Option<i64>>(8)?.map(Timestamp::from_millis),
        is_persistent: true,
    })
}

fn charter(row: &Row<'_>) -> Result<ChannelRecord, MalformedRow> {
    let channel = Channel::new(&row.get::<_, String>(0)?)?;
    let topic = match row.get::<_, Option<String>>(2)? {
        Some(text) => Some(Topic {
            text: text.into(),
            by: row.get::<_, String>(3)?.into(),
            set: Timestamp::from_millis(row.get(4)?),
        }),
        None => None,
    };
    Ok(ChannelRecord {
        channel,
        owner: row.get::<_, Option<NonZeroI64>>(1)?.map(AccountId),
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

    /// Returns the saved channels.
    pub fn charters(&self) -> Result<Vec<ChannelRecord>, DatabaseError> {
        const ALL: &str = "SELECT name, founder, topic, topic_by, topic_set FROM channels";
        let read = || -> rusqlite::Result<Vec<ChannelRecord>> {
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
        Scope::Mute => "speech",
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
            sanction.token_digest.map(|digest| digest.0),
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
    charter: &ChannelRecord,
) -> rusqlite::Result<usize> {
    let topic = charter.topic.as_ref();
    transaction.execute(
        "INSERT OR REPLACE INTO channels (folded, name, founder, topic, topic_by, topic_set)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            charter.channel.folded(),
            charter.channel.as_str(),
            charter.owner.map(|account| account.0.get()),
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
    use crate::chat::state_change::StateChange;

    fn ban(number: u64, scope: Scope, target: Target, until: Option<i64>) -> Sanction {
        Sanction {
            number,
            scope,
            target,
            token_digest: Some(Digest([7; 32])),
            by: Some("ana".into()),
            reason: Some("spam".into()),
            set: Timestamp::from_millis(5),
            until: until.map(Timestamp::from_millis),
            is_persistent: true,
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
        let mute = ban(3, Scope::Mute, Target::Nick(luis.clone()), Some(50));
        let address = Sanction {
            token_digest: None,
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
        let mut changes: Vec<StateChange> = all
            .map(|sanction| StateChange::SanctionSaved(sanction.clone().into()))
            .into();
        changes.push(StateChange::SanctionRemoved(5));
        database.keep(&changes).unwrap();
        let at = |millis| Timestamp::from_millis(millis);
        let expected = [nick.clone(), account.clone(), mute, address.clone()];
        assert_eq!(database.sanctions(at(10)).unwrap(), expected);
        let expected = [nick.clone(), account.clone(), address];
        assert_eq!(database.sanctions(at(50)).unwrap(), expected);
        assert_eq!(database.sanctions(at(60)).unwrap(), [nick, account]);
    }

    #[test]
    fn saved_channels_are_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut database = Database::create(&dir.path().join("a.db")).unwrap();
        let ana = Nick::new("Ana").unwrap();
        database.add_account(&ana, "hash", 0).unwrap();
        let id = database.account("ana").unwrap().unwrap().id;
        let charter = |name: &str, founder, text: Option<&str>| ChannelRecord {
            channel: Channel::new(name).unwrap(),
            owner: founder,
            topic: text.map(|text| Topic {
                text: text.into(),
                by: "ana".into(),
                set: Timestamp::from_millis(5),
            }),
        };
        let rust = charter("#Rust", Some(id), Some("crabs"));
        let lobby = charter("#lobby", None, Some("welcome"));
        let keep = |charter: &ChannelRecord| StateChange::ChannelSaved(Box::new(charter.clone()));
        let changes = [
            keep(&rust),
            keep(&lobby),
            keep(&charter("#Go", Some(id), None)),
            StateChange::ChannelRemoved("#go".into()),
        ];
        database.keep(&changes).unwrap();
        let mut all = database.charters().unwrap();
        all.sort_by(|one, other| one.channel.cmp(&other.channel));
        assert_eq!(all, [lobby, rust]);
    }
}
