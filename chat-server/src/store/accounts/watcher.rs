//! `Keeper`: tells the room which nicks are protected, and keeps it in step with the file.
//!
//! It alone tells, so what the room knows follows the file in order, whoever has changed it: the
//! [`super`] of this server, whose answers pass through here once the room has been told, or
//! `chat-server account` beside it, which is noticed within [`POLL`]. It lives on a thread of its own,
//! for the blocking calls.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use chat_proto::Nick;

use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange, AccountId};
use crate::chat::auth::{AuthOutcome, AuthResponse};
use crate::chat::room::{AccountChanges, ReadOnly};
use crate::chat::token::Id;
use crate::error::DatabaseError;
use crate::health::{Ailment, Health};
use crate::store::database::{ChangedAccounts, Database, Stamps, StoredAccount};
use crate::vital::Vital;

/// How long what somebody else has written to the file may go unnoticed.
pub const POLL: Duration = Duration::from_millis(500);

/// The hash of another password for an account.
pub struct NewHash {
    pub id: AccountId,
    /// The hash of the password until now.
    pub before: String,
    pub hash: String,
    /// The `id` of the request.
    pub request: Option<Id>,
}

impl std::fmt::Debug for NewHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewHash")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// Something was done about a nick (folded): tell the room, then whoever asked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Settled {
    pub nick: Arc<str>,
    pub answer: AuthResponse,
    /// The hash to set before the answer.
    pub new_hash: Option<NewHash>,
    pub reply: Recipient<AuthResponse>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Keeper {
    database: Database,
    version: i64,
    /// The number of the last change of an account that `known` has.
    seen: u64,
    /// When the files were written last.
    stamps: Stamps,
    /// The content has to be checked.
    doubtful: bool,
    /// The accounts that the room was told of, by folded nick.
    known: HashMap<Arc<str>, Known>,
    room: Recipient<AccountChanges>,
    /// Is told when changes cannot be kept.
    unkept: Recipient<ReadOnly>,
    /// The file cannot be read: said once, until it can.
    failing: bool,
    /// The file is no longer at its path: said once, until it is.
    displaced: bool,
    health: Health,
    /// Without it nobody would be answered who logs in.
    _vital: Vital,
}

/// An account, and its password, of which only a change is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    account: Account,
    password: u64,
}

/// A number that is another one for another hash of a password.
fn print_of(hash: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    hasher.finish()
}

/// The account as the room knows it; nothing where the rules for nicks have become stricter.
fn known(stored: &StoredAccount) -> Option<Known> {
    let nick = Nick::new(&stored.nick)
        .inspect_err(|error| log::warn!("the account {:?} is out of use: {error}", stored.nick))
        .ok()?;
    let account = Account {
        id: stored.id,
        nick,
        since: stored.since,
    };
    Some(Known {
        account,
        password: print_of(&stored.hash),
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
        unkept: Recipient<ReadOnly>,
        health: Health,
        vital: Vital,
    ) -> Result<(Self, Vec<Account>), DatabaseError> {
        let version = database.version()?;
        let seen = database.last_account_change()?;
        let stamps = database.stamps()?;
        let known = by_nick(&database.accounts()?);
        let accounts = known.values().map(|known| known.account.clone()).collect();
        let keeper = Self {
            database,
            version,
            seen,
            stamps,
            doubtful: false,
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
                self.doubtful = true;
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("the accounts cannot be read, the last ones known hold: {error}");
                }
            }
        }
    }

    /// Reports when the file is no longer at its path or was written over, and when it is again.
    fn check_place(&mut self) {
        if let Ok(stamps) = self.database.stamps()
            && stamps != self.stamps
        {
            if stamps.are_suspicious(self.stamps) {
                log::info!("the accounts file was written not by way of its log: it is checked");
                self.doubtful = true;
            }
            self.stamps = stamps;
        }
        if self.doubtful {
            self.check_content();
        }
        let in_place = self.database.in_place();
        self.health.set(Ailment::Displaced, in_place.is_err());
        let displaced = in_place.is_err();
        if std::mem::replace(&mut self.displaced, displaced) == displaced {
            return;
        }
        self.unkept.do_send(ReadOnly(displaced));
        match in_place {
            Ok(()) => log::info!("the accounts file is back at its path"),
            Err(error) => log::error!("accounts, bans and tokens cannot be kept: {error}"),
        }
    }

    /// Checks a file that was written not by way of its log: by a checkpoint of another program,
    /// which is harmless, or by a program that copies another file over it.
    fn check_content(&mut self) {
        let checked = self.database.is_whole().and_then(|whole| {
            if !whole {
                return Ok(false);
            }
            self.read_changes()?;
            let now = by_nick(&self.database.accounts()?);
            // Changed through SQLite while it was read: as harmless.
            Ok(now == self.known || self.database.version()? != self.version)
        });
        match checked {
            Ok(whole) => {
                self.doubtful = false;
                if !whole {
                    self.database.set_overwritten();
                }
            }
            // Checked again; why it cannot be read is said where it is read.
            Err(error) => log::debug!("the accounts file cannot be checked: {error}"),
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
        let now = by_nick(&stored);
        let gone = self
            .known
            .iter()
            .filter(|(nick, _)| !now.contains_key(*nick));
        let mut changes: Vec<AccountChange> =
            gone.map(|(_, known)| freed(&known.account)).collect();
        for (nick, known) in &now {
            changes.extend(changed(self.known.get(nick), known));
        }
        self.known = now;
        self.tell(changes);
    }

    /// Looks at one nick, which `by` may have registered just now.
    fn look(&mut self, nick: &Arc<str>, by: Option<SessionId>) -> Result<(), DatabaseError> {
        let now = self.database.account(nick)?.as_ref().and_then(known);
        let before = match &now {
            Some(known) => self.known.insert(nick.clone(), known.clone()),
            None => self.known.remove(nick),
        };
        let changes = match (before, now) {
            (_, Some(Known { account, .. })) if by.is_some() => {
                vec![AccountChange::Protected { account, by }]
            }
            (before, Some(now)) => changed(before.as_ref(), &now),
            (Some(before), None) => vec![freed(&before.account)],
            (None, None) => Vec::new(),
        };
        self.tell(changes);
        Ok(())
    }

    /// Sets another password, which `by` has asked for, and tells the room: both here, so that the change
    /// is not taken for one from outside.
    fn change(
        &mut self,
        nick: &Arc<str>,
        new: &NewHash,
        by: SessionId,
    ) -> Result<AuthOutcome, DatabaseError> {
        if !self.database.change_hash(new.id, &new.before, &new.hash)? {
            return Ok(AuthOutcome::NotRegistered);
        }
        let Some(known) = self.known.get_mut(nick) else {
            return Ok(AuthOutcome::NotRegistered);
        };
        known.password = print_of(&new.hash);
        let nick = known.account.nick.clone();
        self.tell(vec![AccountChange::PasswordChanged {
            nick,
            id: new.id,
            by: Some(by),
            request: new.request.clone(),
        }]);
        Ok(AuthOutcome::Changed)
    }

    fn tell(&self, changes: Vec<AccountChange>) {
        if !changes.is_empty() {
            self.room.do_send(AccountChanges(changes));
        }
    }
}

fn by_nick(stored: &[StoredAccount]) -> HashMap<Arc<str>, Known> {
    let known = stored.iter().filter_map(known);
    known
        .map(|known| (known.account.nick.folded_arc(), known))
        .collect()
}

/// What the room has to be told of an account.
fn changed(before: Option<&Known>, now: &Known) -> Vec<AccountChange> {
    let Account { id, nick, .. } = &now.account;
    let mut changes = Vec::new();
    if before.is_none_or(|before| before.account != now.account) {
        changes.push(AccountChange::Protected {
            account: now.account.clone(),
            by: None,
        });
    }
    if before.is_some_and(|before| before.account.id == *id && before.password != now.password) {
        changes.push(AccountChange::PasswordChanged {
            nick: nick.clone(),
            id: *id,
            by: None,
            request: None,
        });
    }
    changes
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
            new_hash,
            reply,
        }: Settled,
        _: &mut Self::Context,
    ) {
        if let Some(new) = new_hash {
            let changed = self.change(&nick, &new, answer.session);
            answer.outcome = changed.unwrap_or_else(|error| AuthOutcome::Failed(error.into()));
            return reply.do_send(answer);
        }
        let by = matches!(answer.outcome, AuthOutcome::Registered(_)).then_some(answer.session);
        if !matches!(answer.outcome, AuthOutcome::Wrong | AuthOutcome::Failed(_))
            && let Err(error) = self.look(&nick, by)
        {
            answer.outcome = AuthOutcome::Failed(error.into());
        }
        reply.do_send(answer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::state_change::StateChange;
    use crate::chat::token::Digest;
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

    impl Handler<ReadOnly> for Probe {
        type Result = ();

        fn handle(&mut self, _: ReadOnly, _: &mut Self::Context) {}
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
        let mut all: Vec<_> = known
            .map(|(nick, known)| (&**nick, known.account.since))
            .collect();
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
            server
                .keep(&[StateChange::SessionRemoved(Digest([1; 32]))])
                .unwrap();
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
            assert_eq!(keeper.known["ana"].account.since, 9, "all are read");
        });
    }
}
