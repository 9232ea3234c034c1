//! `Keeper`: tells the room which nicks are protected, and keeps it in step with the file.
//!
//! It alone tells, so what the room knows follows the file in order, whoever has changed it: the
//! [`super::accounts`] of this server, whose answers pass through here once the room has been told, or
//! `chat-server account` beside it, which is noticed within [`POLL`]. It lives on a thread of its own,
//! for the blocking calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use chat_proto::Nick;

use super::accounts::{Answer, Outcome};
use super::sqlite::{ChangedAccounts, Database, StoredAccount};
use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange};
use crate::chat::room::{AccountChanges, Unkept};
use crate::error::DatabaseError;
use crate::health::{Ailment, Health};
use crate::vital::Vital;

/// How long what somebody else has written to the file may go unnoticed.
pub const POLL: Duration = Duration::from_millis(500);

/// Something was done about a nick (folded): tell the room, then whoever asked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settled {
    pub nick: Arc<str>,
    pub answer: Answer,
    pub reply: Recipient<Answer>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Keeper {
    database: Database,
    version: i64,
    /// The number of the last change of an account that `known` has.
    seen: u64,
    /// What the room was told, by folded nick.
    known: HashMap<Arc<str>, Account>,
    room: Recipient<AccountChanges>,
    /// Is told when changes cannot be kept.
    unkept: Recipient<Unkept>,
    /// The file cannot be read: said once, until it can.
    failing: bool,
    /// The file is no longer at its path: said once, until it is.
    displaced: bool,
    health: Health,
    /// Without it nobody would be answered who logs in.
    _vital: Vital,
}

/// The account as the room knows it; nothing where the rules for nicks have become stricter.
fn account(stored: StoredAccount) -> Option<Account> {
    let nick = Nick::new(&stored.nick)
        .inspect_err(|error| log::warn!("the account {:?} is out of use: {error}", stored.nick))
        .ok()?;
    Some(Account {
        id: stored.id,
        nick,
        since: stored.since,
    })
}

impl Keeper {
    /// A keeper for the file of `database`, and the accounts in it: what the room is to begin with.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(
        database: Database,
        room: Recipient<AccountChanges>,
        unkept: Recipient<Unkept>,
        health: Health,
        vital: Vital,
    ) -> Result<(Self, Vec<Account>), DatabaseError> {
        let version = database.version()?;
        let seen = database.last_account_change()?;
        let accounts: Vec<Account> = database
            .accounts()?
            .into_iter()
            .filter_map(account)
            .collect();
        let known = accounts
            .iter()
            .map(|account| (account.nick.folded_arc(), account.clone()))
            .collect();
        let keeper = Self {
            database,
            version,
            seen,
            known,
            room,
            unkept,
            failing: false,
            displaced: false,
            health,
            _vital: vital,
        };
        Ok((keeper, accounts))
    }

    /// Checks the file and reads which accounts have changed.
    fn poll(&mut self) {
        self.check_place();
        let polled = self.read_changes();
        self.health.set(Ailment::Accounts, polled.is_err());
        match polled {
            Ok(()) => self.failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("the accounts cannot be read, the last ones known hold: {error}");
                }
            }
        }
    }

    /// Reports when the file is no longer at its path, and when it is again.
    fn check_place(&mut self) {
        let in_place = self.database.in_place();
        self.health.set(Ailment::Displaced, in_place.is_err());
        let displaced = in_place.is_err();
        if std::mem::replace(&mut self.displaced, displaced) == displaced {
            return;
        }
        self.unkept.do_send(Unkept(displaced));
        match in_place {
            Ok(()) => log::info!("the accounts file is back at its path"),
            Err(error) => log::error!("accounts, bans and tokens cannot be kept: {error}"),
        }
    }

    /// Reads the accounts that have changed; none for a write of the server to another table.
    fn read_changes(&mut self) -> Result<(), DatabaseError> {
        let version = self.database.version()?;
        if version == self.version {
            return Ok(());
        }
        // A file whose accounts cannot be read has to be noticed, whatever has changed.
        self.database.account("")?;
        let last = self.database.last_account_change()?;
        match self.database.changed_accounts(self.seen, last)? {
            ChangedAccounts::Some(nicks) => {
                for nick in nicks {
                    self.look(&nick.into(), None)?;
                }
            }
            ChangedAccounts::Unknown => {
                let accounts = self.database.accounts()?;
                log::debug!("all {} accounts are read again", accounts.len());
                self.compare(accounts);
            }
        }
        (self.version, self.seen) = (version, last);
        Ok(())
    }

    /// Tells the room where `stored`, which is all there is, differs from what it was told.
    fn compare(&mut self, stored: Vec<StoredAccount>) {
        let now: HashMap<Arc<str>, Account> = stored
            .into_iter()
            .filter_map(account)
            .map(|account| (account.nick.folded_arc(), account))
            .collect();
        let gone = self
            .known
            .iter()
            .filter(|(nick, _)| !now.contains_key(*nick));
        let mut changes: Vec<AccountChange> = gone.map(|(_, account)| freed(account)).collect();
        for (nick, account) in &now {
            if self.known.get(nick) != Some(account) {
                changes.push(AccountChange::Protected {
                    account: account.clone(),
                    by: None,
                });
            }
        }
        self.known = now;
        self.tell(changes);
    }

    /// Looks at one nick, which `by` may have registered just now.
    fn look(&mut self, nick: &Arc<str>, by: Option<SessionId>) -> Result<(), DatabaseError> {
        let now = self.database.account(nick)?.and_then(account);
        let before = match &now {
            Some(account) => self.known.insert(nick.clone(), account.clone()),
            None => self.known.remove(nick),
        };
        if before != now || by.is_some() {
            let change = match (before, now) {
                (_, Some(account)) => AccountChange::Protected { account, by },
                (Some(before), None) => freed(&before),
                (None, None) => return Ok(()),
            };
            self.tell(vec![change]);
        }
        Ok(())
    }

    fn tell(&self, changes: Vec<AccountChange>) {
        if !changes.is_empty() {
            self.room.do_send(AccountChanges(changes));
        }
    }
}

fn freed(account: &Account) -> AccountChange {
    AccountChange::Freed {
        nick: account.nick.clone(),
        id: account.id,
    }
}

impl Actor for Keeper {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(POLL, |keeper, _| keeper.poll());
    }
}

impl Handler<Settled> for Keeper {
    type Result = ();

    fn handle(
        &mut self,
        Settled {
            nick,
            mut answer,
            reply,
        }: Settled,
        _: &mut Self::Context,
    ) {
        let by = matches!(answer.outcome, Outcome::Registered(_)).then_some(answer.session);
        if !matches!(answer.outcome, Outcome::Wrong | Outcome::Failed(_))
            && let Err(error) = self.look(&nick, by)
        {
            answer.outcome = Outcome::Failed(error);
        }
        reply.do_send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::command::Digest;
    use crate::chat::kept::KeptChange;
    use crate::vital::Watch;

    /// Takes what the room is told.
    struct Probe;

    impl Actor for Probe {
        type Context = Context<Self>;
    }

    impl Handler<AccountChanges> for Probe {
        type Result = ();

        fn handle(&mut self, _: AccountChanges, _: &mut Self::Context) {}
    }

    impl Handler<Unkept> for Probe {
        type Result = ();

        fn handle(&mut self, _: Unkept, _: &mut Self::Context) {}
    }

    fn keeper(database: Database) -> Keeper {
        let probe = Probe.start();
        let (watch, _failures) = Watch::new();
        let (room, unkept) = (probe.clone().recipient(), probe.recipient());
        let health = Health::default();
        let new = Keeper::new(database, room, unkept, health, watch.over("a test"));
        new.unwrap().0
    }

    fn sinces(keeper: &Keeper) -> Vec<(&str, u64)> {
        let known = keeper.known.iter();
        let mut all: Vec<_> = known.map(|(nick, known)| (&**nick, known.since)).collect();
        all.sort_unstable();
        all
    }

    /// Issue 15, row 18. An account that changes behind the back of the triggers shows whether it
    /// is read.
    #[test]
    fn accounts_are_read_only_when_accounts_have_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let mut server = Database::create(&path).unwrap();
        for nick in ["ana", "eva", "luis"] {
            let nick = Nick::new(nick).unwrap();
            assert!(server.add_account(&nick, "hash", 1).unwrap());
        }
        let outside = rusqlite::Connection::open(&path).unwrap();
        let secretly = |sql: &str| {
            let triggers: Vec<(String, String)> = outside
                .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
                .and_then(|mut all| all.query_map([], |row| row.try_into())?.collect())
                .unwrap();
            for (name, _) in &triggers {
                outside
                    .execute(&format!("DROP TRIGGER {name}"), [])
                    .unwrap();
            }
            outside.execute_batch(sql).unwrap();
            for (_, create) in &triggers {
                outside.execute(create, []).unwrap();
            }
        };
        actix::System::new().block_on(async {
            let mut keeper = keeper(server.opener().open().unwrap());
            secretly("UPDATE accounts SET since = 9 WHERE folded = 'ana'");
            server.keep(&[KeptChange::Forget(Digest([1; 32]))]).unwrap();
            keeper.read_changes().unwrap();
            let before = [("ana", 1), ("eva", 1), ("luis", 1)];
            assert_eq!(sinces(&keeper), before, "a token is no account");
            outside
                .execute("UPDATE accounts SET since = 5 WHERE folded = 'eva'", [])
                .unwrap();
            keeper.read_changes().unwrap();
            assert_eq!(sinces(&keeper), [("ana", 1), ("eva", 5), ("luis", 1)]);
            outside
                .execute("DELETE FROM accounts WHERE folded = 'luis'", [])
                .unwrap();
            keeper.read_changes().unwrap();
            assert_eq!(sinces(&keeper), [("ana", 1), ("eva", 5)]);
            // More changes than the file notes.
            outside
                .execute_batch(
                    "WITH RECURSIVE number(n) AS
                        (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1500)
                    INSERT INTO accounts (folded, nick, hash, since, created)
                        SELECT 'u' || n, 'u' || n, 'hash', 0, 0 FROM number;",
                )
                .unwrap();
            keeper.read_changes().unwrap();
            assert_eq!(keeper.known.len(), 1502);
            assert_eq!(keeper.known["ana"].since, 9, "all are read");
        });
    }
}
