//! `AuthWorker`: checks passwords and changes accounts, on threads of its own.
//!
//! A hash takes tens of milliseconds, so there are few threads ([`threads`]) and a bounded queue
//! before them ([`AuthService`]), which serves networks and accounts in turn ([`fair_queue`]): a storm
//! of logins makes its own network and its own account slow, and beyond the bound refused, and
//! nothing else. Whoever asks is answered through the [`watcher`], which tells the room first
//! what has changed.
//!
//! A wrong password, and a nick that is no account, take the same time and get the same answer.
//!
//! Wrong passwords are counted by network. Beyond [`rate_limit::GUESS_QUOTA`] they are answered
//! otherwise, and a network may send few a second ([`rate_limit::RETRY_QUOTA`]); right passwords are
//! not counted, so that the owner of an account gets in beside a neighbour who guesses. A client
//! that has hung up is hashed for all the same: one that has closed its sending half is to be
//! answered, and looks no different.

pub mod fair_queue;
mod login_queue;
pub mod password;
pub mod rate_limit;
mod request;
pub mod watcher;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use chat_proto::{Nick, Secret};

use crate::address::network_of;
use crate::chat::SessionId;
use crate::error::DatabaseError;
use crate::store::database::{Database, Opener};
use crate::vital::{Vital, Watch};
use login_queue::{LoginQueue, QueuedAuth};
use password::PasswordHasher;
use rate_limit::{KeyedRateLimiter, REGISTRATION_QUOTA};
pub use request::{AuthOutcome, AuthRejection, AuthReply, AuthRequest, NewHash};
use watcher::AuthCompleted;

/// How many hash at the same time, each with 19 MiB: half of the processors, so that whoever is in does
/// not notice.
pub fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, 4)
}

/// Something waits in the [`LoginQueue`]: do what has its turn.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Turn;

/// Where sessions ask: the queue, and which networks make accounts by the hundred. All threads
/// share it.
#[derive(Debug, Clone)]
pub struct AuthService {
    accounts: Addr<AuthWorker>,
    line: Arc<LoginQueue>,
    registrations: KeyedRateLimiter,
}

impl AuthService {
    /// Starts the threads, each with a connection of its own.
    pub fn open(opener: Opener, watcher: Recipient<AuthCompleted>, watch: Watch) -> Self {
        let line = Arc::new(LoginQueue::new());
        let served = line.clone();
        let accounts = SyncArbiter::start(threads(), move || AuthWorker {
            line: served.clone(),
            // Tried again, and reported, when it is needed.
            database: opener.open().ok(),
            opener: opener.clone(),
            hasher: None,
            watcher: watcher.clone(),
            _vital: watch.over("accounts"),
        });
        Self {
            accounts,
            line,
            registrations: KeyedRateLimiter::new(REGISTRATION_QUOTA),
        }
    }

    /// Has something done for a session of somebody at `address`; `reply` is told when it is.
    ///
    /// # Errors
    /// Nothing is done.
    pub fn ask(
        &self,
        session: SessionId,
        address: IpAddr,
        request: AuthRequest,
        reply: Recipient<AuthReply>,
    ) -> Result<(), AuthRejection> {
        if matches!(request, AuthRequest::Register { .. }) {
            let now = Instant::now();
            if !self.registrations.allows(address, now) {
                return Err(AuthRejection::Registrations);
            }
            self.registrations.record(address, now);
        }
        let ask = QueuedAuth {
            session,
            request,
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
struct AuthWorker {
    line: Arc<LoginQueue>,
    database: Option<Database>,
    opener: Opener,
    /// Not before it is needed: a server without accounts does without the memory.
    hasher: Option<PasswordHasher>,
    watcher: Recipient<AuthCompleted>,
    /// Without it nobody would be answered who logs in.
    _vital: Vital,
}

impl AuthWorker {
    fn request(&mut self, request: AuthRequest) -> Result<AuthOutcome, DatabaseError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.opener.open()?,
        };
        let database = self.database.insert(database);
        let hasher = self.hasher.get_or_insert_with(|| {
            let mut hasher = PasswordHasher::default();
            hasher.warm_up();
            hasher
        });
        match request {
            AuthRequest::Prove { nick, password } => {
                let account = database.account(&nick)?;
                let hash = account.as_ref().map(|account| &*account.hash);
                let right = hasher.verify(&password, hash);
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
            AuthRequest::Change { nick, old, new } => {
                let Some(account) = database.account(nick.folded())? else {
                    return Ok(AuthOutcome::NotRegistered);
                };
                if !hasher.verify(&old, Some(&account.hash)) {
                    return Ok(AuthOutcome::Wrong);
                }
                let hash = hasher.hash(&new).map_err(DatabaseError::Hash)?;
                Ok(AuthOutcome::Changes(Box::new(NewHash {
                    id: account.id,
                    before: account.hash,
                    hash,
                })))
            }
            AuthRequest::Unregister { nick, password } => {
                let Some(account) = database.account(nick.folded())? else {
                    return Ok(AuthOutcome::NotRegistered);
                };
                if !hasher.verify(&password, Some(&account.hash)) {
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
    hasher: &mut PasswordHasher,
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

impl Actor for AuthWorker {
    type Context = SyncContext<Self>;
}

impl Handler<Turn> for AuthWorker {
    type Result = ();

    fn handle(&mut self, Turn: Turn, _: &mut Self::Context) {
        let Some(due) = self.line.next() else {
            return;
        };
        let QueuedAuth {
            session,
            request,
            reply,
        } = due.ask;
        let nick = request.nick();
        let outcome = match self.request(request) {
            Ok(AuthOutcome::Wrong) => self.line.wrong(due.network, due.over_quota),
            Ok(outcome) => outcome,
            Err(error) => AuthOutcome::Failed(error),
        };
        self.watcher.do_send(AuthCompleted {
            nick,
            answer: AuthReply { session, outcome },
            reply,
        });
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

    impl Handler<AuthCompleted> for Probe {
        type Result = ();

        fn handle(&mut self, _: AuthCompleted, _: &mut Self::Context) {}
    }

    impl Handler<AuthReply> for Probe {
        type Result = ();

        fn handle(&mut self, AuthReply { outcome, .. }: AuthReply, _: &mut Self::Context) {
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
                matches!(outcome, AuthOutcome::Declined(AuthRejection::Busy))
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
            let watcher = probe.clone().recipient();
            let service = AuthService::open(database.opener(), watcher, watch);
            let session = SessionId {
                slot: 1,
                generation: 1,
            };
            for _ in 0..WAITING_MAX + 100 {
                let request = AuthRequest::Prove {
                    nick: "ana".into(),
                    password: Secret::from("a guess").into_owned(),
                };
                let address = "192.0.2.7".parse().unwrap();
                let asked = service.ask(session, address, request, probe.clone().recipient());
                assert_eq!(asked, Ok(()));
            }
            let declined = probe.send(Declines).await.unwrap();
            // Some were served meanwhile.
            assert!((50..=100).contains(&declined), "{declined}");
        });
    }
}
