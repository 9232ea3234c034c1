//! `AccountWatcher`: tells the room which nicks are protected and keeps it in step with the
//! database.
//!
//! It is the only sender of account changes, so the room sees them in the order of the database.
//! Changes come from the [`super`] actors of this server, whose answers pass through here after the
//! room is told, and from `chat-server account`, noticed within [`POLL`]. It runs on its own
//! thread, because its calls block.

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
use crate::store::database::{ChangedAccounts, Database, Stamps, StoredAccount};
use crate::telemetry::health::{Health, HealthIssue};
use crate::telemetry::supervisor::FailureGuard;

/// The interval at which changes of other programs are noticed.
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

/// Something completed request about a nick (folded): the watcher tells the room, then the requester.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AuthCompleted {
    pub nick: Arc<str>,
    pub answer: AuthResponse,
    /// The hash to set before the answer.
    pub new_hash: Option<NewHash>,
    pub reply: Recipient<AuthResponse>,
}

/// The actor that reports account changes to the room.
#[derive(Debug)]
pub struct AccountWatcher {
    database: Database,
    version: i64,
    /// The number of the last change of an account that `snapshot` has.
    seen: u64,
    /// When the files were written last.
    stamps: Stamps,
    /// The content has to be checked.
    needs_check: bool,
    /// The accounts that the room was told of, by folded nick.
    snapshot: HashMap<Arc<str>, AccountSnapshot>,
    room: Recipient<AccountChanges>,
    /// Is told when changes cannot be kept.
    unkept: Recipient<ReadOnly>,
    /// The file cannot be read: said once, until it can.
    failing: bool,
    /// The file is no longer at its path: said once, until it is.
    displaced: bool,
    health: Health,
    /// Stops the server if this actor fails, because logins would get no answer.
    _vital: FailureGuard,
}

/// An account, and its password, of which only a change is noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct AccountSnapshot {
    account: Account,
    password: u64,
}

/// A number that is another one for another hash of a password.
fn password_fingerprint(hash: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash.hash(&mut hasher);
    hasher.finish()
}

/// The account as the room knows it; nothing where the rules for nicks have become stricter.
fn snapshot(stored: &StoredAccount) -> Option<AccountSnapshot> {
    let nick = Nick::new(&stored.nick)
        .inspect_err(|error| log::warn!("the account {:?} is out of use: {error}", stored.nick))
        .ok()?;
    let account = Account {
        id: stored.id,
        nick,
        since: stored.since,
    };
    Some(AccountSnapshot {
        account,
        password: password_fingerprint(&stored.hash),
    })
}

impl AccountWatcher {
    /// A keeper for the file of `database`, and the accounts in it: what the room is to begin with.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn new(
        database: Database,
        room: Recipient<AccountChanges>,
        unkept: Recipient<ReadOnly>,
        health: Health,
        vital: FailureGuard,
    ) -> Result<(Self, Vec<Account>), DatabaseError> {
        let version = database.version()?;
        let seen = database.last_account_change()?;
        let stamps = database.stamps()?;
        let snapshot = by_nick(&database.accounts()?);
        let accounts = snapshot
            .values()
            .map(|snapshot| snapshot.account.clone())
            .collect();
        let watcher = Self {
            database,
            version,
            seen,
            stamps,
            needs_check: false,
            snapshot,
            room,
            unkept,
            failing: false,
            displaced: false,
            health,
            _vital: vital,
        };
        Ok((watcher, accounts))
    }

    /// Checks the file and reads which accounts have changed.
    fn poll(&mut self) {
        self.check_files();
        let polled = self.read_changes();
        self.health.set(HealthIssue::Accounts, polled.is_err());
        match polled {
            Ok(()) => self.failing = false,
            Err(error) => {
                self.needs_check = true;
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("the accounts cannot be read, the last ones known hold: {error}");
                }
            }
        }
    }

    /// Reports when the file is no longer at its path or was written over, and when it is again.
    fn check_files(&mut self) {
        if let Ok(stamps) = self.database.stamps()
            && stamps != self.stamps
        {
            if stamps.are_suspicious(self.stamps) {
                log::info!("the accounts file was written not by way of its log: it is checked");
                self.needs_check = true;
            }
            self.stamps = stamps;
        }
        if self.needs_check {
            self.check_content();
        }
        let in_place = self.database.in_place();
        self.health.set(HealthIssue::Displaced, in_place.is_err());
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
            Ok(now == self.snapshot || self.database.version()? != self.version)
        });
        match checked {
            Ok(whole) => {
                self.needs_check = false;
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
                    self.refresh(&nick.into(), None)?;
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
            .snapshot
            .iter()
            .filter(|(nick, _)| !now.contains_key(*nick));
        let mut changes: Vec<AccountChange> =
            gone.map(|(_, snapshot)| freed(&snapshot.account)).collect();
        for (nick, snapshot) in &now {
            changes.extend(changed(self.snapshot.get(nick), snapshot));
        }
        self.snapshot = now;
        self.notify_room(changes);
    }

    /// Looks at one nick, which `by` may have registered just now.
    fn refresh(&mut self, nick: &Arc<str>, by: Option<SessionId>) -> Result<(), DatabaseError> {
        let now = self.database.account(nick)?.as_ref().and_then(snapshot);
        let before = match &now {
            Some(snapshot) => self.snapshot.insert(nick.clone(), snapshot.clone()),
            None => self.snapshot.remove(nick),
        };
        let changes = match (before, now) {
            (_, Some(AccountSnapshot { account, .. })) if by.is_some() => {
                vec![AccountChange::Protected { account, by }]
            }
            (before, Some(now)) => changed(before.as_ref(), &now),
            (Some(before), None) => vec![freed(&before.account)],
            (None, None) => Vec::new(),
        };
        self.notify_room(changes);
        Ok(())
    }

    /// Sets another password, which `by` has asked for, and tells the room: both here, so that the
    /// change is not taken for one from outside.
    fn change(
        &mut self,
        nick: &Arc<str>,
        new: &NewHash,
        by: SessionId,
    ) -> Result<AuthOutcome, DatabaseError> {
        if !self.database.change_hash(new.id, &new.before, &new.hash)? {
            return Ok(AuthOutcome::NotRegistered);
        }
        let Some(snapshot) = self.snapshot.get_mut(nick) else {
            return Ok(AuthOutcome::NotRegistered);
        };
        snapshot.password = password_fingerprint(&new.hash);
        let nick = snapshot.account.nick.clone();
        self.notify_room(vec![AccountChange::PasswordChanged {
            nick,
            id: new.id,
            by: Some(by),
            request: new.request.clone(),
        }]);
        Ok(AuthOutcome::Changed)
    }

    fn notify_room(&self, changes: Vec<AccountChange>) {
        if !changes.is_empty() {
            self.room.do_send(AccountChanges(changes));
        }
    }
}

fn by_nick(stored: &[StoredAccount]) -> HashMap<Arc<str>, AccountSnapshot> {
    let snapshot = stored.iter().filter_map(snapshot);
    snapshot
        .map(|snapshot| (snapshot.account.nick.folded_arc(), snapshot))
        .collect()
}

/// What the room has to be told of an account.
fn changed(before: Option<&AccountSnapshot>, now: &AccountSnapshot) -> Vec<AccountChange> {
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

impl Actor for AccountWatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.run_interval(POLL, |watcher, _| watcher.poll());
    }
}

impl Handler<AuthCompleted> for AccountWatcher {
    type Result = ();

    fn handle(
        &mut self,
        AuthCompleted {
            nick,
            mut answer,
            new_hash,
            reply,
        }: AuthCompleted,
        _: &mut Self::Context,
    ) {
        if let Some(new) = new_hash {
            let changed = self.change(&nick, &new, answer.session);
            answer.outcome = changed.unwrap_or_else(|error| AuthOutcome::Failed(error.into()));
            return reply.do_send(answer);
        }
        let by = matches!(answer.outcome, AuthOutcome::Registered(_)).then_some(answer.session);
        if !matches!(answer.outcome, AuthOutcome::Wrong | AuthOutcome::Failed(_))
            && let Err(error) = self.refresh(&nick, by)
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
    use crate::telemetry::supervisor::FailureMonitor;

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

    fn watcher(database: Database) -> AccountWatcher {
        let probe = Probe.start();
        let (watch, _failures) = FailureMonitor::new();
        let (room, unkept) = (probe.clone().recipient(), probe.recipient());
        let health = Health::default();
        let new = AccountWatcher::new(database, room, unkept, health, watch.over("a test"));
        new.unwrap().0
    }

    fn sinces(watcher: &AccountWatcher) -> Vec<(&str, u64)> {
        let snapshot = watcher.snapshot.iter();
        let mut all: Vec<_> = snapshot
            .map(|(nick, snapshot)| (&**nick, snapshot.account.since))
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
            let mut watcher = watcher(server.opener().open().unwrap());
            secretly("UPDATE accounts SET since = 9 WHERE folded = 'ana'");
            server
                .keep(&[StateChange::SessionRemoved(Digest([1; 32]))])
                .unwrap();
            watcher.read_changes().unwrap();
            let before = [("ana", 1), ("eva", 1), ("luis", 1)];
            assert_eq!(sinces(&watcher), before, "a token is no account");
            outside
                .execute("UPDATE accounts SET since = 5 WHERE folded = 'eva'", [])
                .unwrap();
            watcher.read_changes().unwrap();
            assert_eq!(sinces(&watcher), [("ana", 1), ("eva", 5), ("luis", 1)]);
            outside
                .execute("DELETE FROM accounts WHERE folded = 'luis'", [])
                .unwrap();
            watcher.read_changes().unwrap();
            assert_eq!(sinces(&watcher), [("ana", 1), ("eva", 5)]);
            // More changes than the file notes.
            outside
                .execute_batch(
                    "WITH RECURSIVE number(n) AS
                        (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1500)
                    INSERT INTO accounts (folded, nick, hash, since, created)
                        SELECT 'u' || n, 'u' || n, 'hash', 0, 0 FROM number;",
                )
                .unwrap();
            watcher.read_changes().unwrap();
            assert_eq!(watcher.snapshot.len(), 1502);
            assert_eq!(watcher.snapshot["ana"].account.since, 9, "all are read");
        });
    }
}
