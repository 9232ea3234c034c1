//! `Accounts`: checks passwords and changes accounts, on threads of its own.
//!
//! A hash takes tens of milliseconds, so there are few threads ([`threads`]) and a bounded queue
//! before them ([`Desk`]), which serves networks and accounts in turn ([`fair_queue`]): a storm
//! of logins makes its own network and its own account slow, and beyond the bound refused, and
//! nothing else. Whoever asks is answered through the [`watcher`], which tells the room first
//! what has changed.
//!
//! A wrong password, and a nick that is no account, take the same time and get the same answer.
//!
//! Wrong passwords are counted by network. Beyond [`rate_limit::GUESSES`] they are answered
//! otherwise, and a network may send few a second ([`rate_limit::TRIES`]); right passwords are
//! not counted, so that the owner of an account gets in beside a neighbour who guesses. A client
//! that has hung up is hashed for all the same: one that has closed its sending half is to be
//! answered, and looks no different.

pub mod fair_queue;
mod login_queue;
pub mod password;
pub mod rate_limit;
pub mod watcher;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use chat_proto::{Nick, Secret};

use crate::address::network_of;
use crate::chat::SessionId;
use crate::chat::auth::{
    AuthFailure, AuthOutcome, AuthRejection, AuthRequest, AuthResponse, AuthService,
};
use crate::error::DatabaseError;
use crate::store::database::{Database, Opener};
use crate::vital::{Vital, Watch};
use login_queue::{Ask, Line};
use password::Hasher;
use rate_limit::{Attempts, REGISTRATIONS};
use watcher::{NewHash, Settled};

/// How many hash at the same time, each with 19 MiB: half of the processors, so that whoever is in does
/// not notice.
pub fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, 4)
}

/// Something waits in the [`Line`]: do what has its turn.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Turn;

/// Where sessions ask: the queue, and which networks make accounts by the hundred. All threads
/// share it.
#[derive(Debug, Clone)]
pub struct Desk {
    accounts: Addr<Accounts>,
    line: Arc<Line>,
    registrations: Attempts,
}

impl Desk {
    /// Starts the threads, each with a connection of its own.
    pub fn open(opener: Opener, keeper: Recipient<Settled>, watch: Watch) -> Self {
        let line = Arc::new(Line::new());
        let served = line.clone();
        let accounts = SyncArbiter::start(threads(), move || Accounts {
            line: served.clone(),
            // Tried again, and reported, when it is needed.
            database: opener.open().ok(),
            opener: opener.clone(),
            hasher: None,
            keeper: keeper.clone(),
            _vital: watch.over("accounts"),
        });
        Self {
            accounts,
            line,
            registrations: Attempts::new(REGISTRATIONS),
        }
    }
}

impl AuthService for Desk {
    fn ask(
        &self,
        session: SessionId,
        address: IpAddr,
        act: AuthRequest,
        reply: Recipient<AuthResponse>,
    ) -> Result<(), AuthRejection> {
        if matches!(act, AuthRequest::Register { .. }) {
            let now = Instant::now();
            if !self.registrations.allows(address, now) {
                return Err(AuthRejection::Registrations);
            }
            self.registrations.count(address, now);
        }
        let ask = Ask {
            session,
            act,
            reply,
        };
        if self.line.add(network_of(address), ask) {
            self.accounts.do_send(Turn);
        }
        Ok(())
    }
}

/// See the head of this file.
#[derive(Debug)]
struct Accounts {
    line: Arc<Line>,
    database: Option<Database>,
    opener: Opener,
    /// Not before it is needed: a server without accounts does without the memory.
    hasher: Option<Hasher>,
    keeper: Recipient<Settled>,
    /// Without it nobody would be answered who logs in.
    _vital: Vital,
}

impl Accounts {
    /// Serves a request. The hash of another password is left in `new_hash`, for the watcher to set.
    fn act(
        &mut self,
        act: AuthRequest,
        new_hash: &mut Option<NewHash>,
    ) -> Result<AuthOutcome, DatabaseError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.opener.open()?,
        };
        let database = self.database.insert(database);
        let hasher = self.hasher.get_or_insert_with(|| {
            let mut hasher = Hasher::default();
            hasher.prepare();
            hasher
        });
        match act {
            AuthRequest::Prove { nick, password } => {
                let account = database.account(&nick)?;
                let hash = account.as_ref().map(|account| &*account.hash);
                let right = hasher.is_right(&password, hash);
                Ok(account
                    .filter(|_| right)
                    .map_or(AuthOutcome::Wrong, |account| {
                        AuthOutcome::Proven(account.id)
                    }))
            }
            AuthRequest::Register {
                nick,
                since,
                password,
            } => register(database, hasher, nick, since, &password),
            AuthRequest::Change {
                nick,
                old,
                new,
                request,
            } => {
                let Some(account) = database.account(nick.folded())? else {
                    return Ok(AuthOutcome::NotRegistered);
                };
                if !hasher.is_right(&old, Some(&account.hash)) {
                    return Ok(AuthOutcome::Wrong);
                }
                let hash = hasher.hash(&new).map_err(DatabaseError::Hash)?;
                *new_hash = Some(NewHash {
                    id: account.id,
                    before: account.hash,
                    hash,
                    request,
                });
                Ok(AuthOutcome::Changed)
            }
            AuthRequest::Unregister { nick, password } => {
                let Some(account) = database.account(nick.folded())? else {
                    return Ok(AuthOutcome::NotRegistered);
                };
                if !hasher.is_right(&password, Some(&account.hash)) {
                    return Ok(AuthOutcome::Wrong);
                }
                Ok(if database.remove_account(account.id)? {
                    AuthOutcome::Unregistered(nick)
                } else {
                    AuthOutcome::NotRegistered
                })
            }
        }
    }
}

fn register(
    database: &Database,
    hasher: &mut Hasher,
    nick: Nick,
    since: u64,
    password: &Secret<'_>,
) -> Result<AuthOutcome, DatabaseError> {
    if database.account(nick.folded())?.is_some() {
        return Ok(AuthOutcome::AlreadyRegistered);
    }
    let hash = hasher.hash(password).map_err(DatabaseError::Hash)?;
    Ok(if database.add_account(&nick, &hash, since)? {
        AuthOutcome::Registered(nick)
    } else {
        AuthOutcome::AlreadyRegistered
    })
}

impl Actor for Accounts {
    type Context = SyncContext<Self>;
}

impl Handler<Turn> for Accounts {
    type Result = ();

    fn handle(&mut self, Turn: Turn, _: &mut Self::Context) {
        let Some(due) = self.line.next() else {
            return;
        };
        let Ask {
            session,
            act,
            reply,
        } = due.ask;
        let nick = act.nick();
        let mut new_hash = None;
        let outcome = match self.act(act, &mut new_hash) {
            Ok(AuthOutcome::Wrong) => self.line.wrong(due.network, due.over_quota),
            Ok(outcome) => outcome,
            Err(error) => AuthOutcome::Failed(error.into()),
        };
        self.keeper.do_send(Settled {
            nick,
            answer: AuthResponse { session, outcome },
            new_hash,
            reply,
        });
    }
}

impl From<DatabaseError> for AuthFailure {
    fn from(error: DatabaseError) -> Self {
        Self {
            rejects_writes: error.rejects_writes(),
            cause: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::login_queue::WAITING_MAX;

    /// Counts what is answered.
    #[derive(Default)]
    struct Probe(Vec<AuthOutcome>);

    impl Actor for Probe {
        type Context = Context<Self>;
    }

    impl Handler<Settled> for Probe {
        type Result = ();

        fn handle(&mut self, _: Settled, _: &mut Self::Context) {}
    }

    impl Handler<AuthResponse> for Probe {
        type Result = ();

        fn handle(&mut self, AuthResponse { outcome, .. }: AuthResponse, _: &mut Self::Context) {
            self.0.push(outcome);
        }
    }

    /// How many logins were declined since there were too many.
    #[derive(Message)]
    #[rtype(usize)]
    struct Declines;

    impl Handler<Declines> for Probe {
        type Result = usize;

        fn handle(&mut self, _: Declines, _: &mut Self::Context) -> usize {
            let busy = |outcome: &&AuthOutcome| {
                matches!(outcome, AuthOutcome::Rejected(AuthRejection::QueueFull))
            };
            self.0.iter().filter(busy).count()
        }
    }

    #[test]
    fn only_so_many_wait() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::create(&dir.path().join("a.db")).unwrap();
        actix::System::new().block_on(async {
            let probe = Probe::default().start();
            let (watch, _failures) = Watch::new();
            let keeper = probe.clone().recipient();
            let desk = Desk::open(database.opener(), keeper, watch);
            let session = SessionId {
                slot: 1,
                generation: 1,
            };
            for _ in 0..WAITING_MAX + 100 {
                let act = AuthRequest::Prove {
                    nick: "ana".into(),
                    password: Secret::from("a guess").into_owned(),
                };
                let address = "192.0.2.7".parse().unwrap();
                let asked = desk.ask(session, address, act, probe.clone().recipient());
                assert_eq!(asked, Ok(()));
            }
            let declined = probe.send(Declines).await.unwrap();
            // Some were served meanwhile.
            assert!((50..=100).contains(&declined), "{declined}");
        });
    }
}
