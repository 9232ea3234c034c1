//! `AuthWorker`: checks passwords and changes accounts, on its own threads.
//!
//! A password hash takes tens of milliseconds, so there are few threads ([`threads`]) and a bounded
//! queue before them ([`AuthService`]), which serves networks and accounts in turn
//! ([`fair_queue`]). Many logins delay only their own network and account; logins beyond the bound
//! are rejected. The answer passes through the [`watcher`], which first tells the room what
//! changed.
//!
//! A wrong password and an unknown nick take equal time and get equal answers.
//!
//! Wrong passwords are counted per network. Beyond [`rate_limit::GUESS_QUOTA`] they get another
//! answer, and the network may try only at the rate of [`rate_limit::RETRY_QUOTA`]. Right passwords
//! are not counted, so an account owner can log in beside a guessing neighbour. A disconnected
//! client is still hashed, because it is indistinguishable from one that closed its sending half
//! and awaits the answer.

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

use crate::chat::SessionId;
use crate::chat::auth::{
    AuthFailure, AuthOutcome, AuthRejection, AuthRequest, AuthResponse, AuthService,
};
use crate::error::DatabaseError;
use crate::ip::client_network;
use crate::store::database::{Database, Opener};
use crate::telemetry::supervisor::{FailureGuard, FailureMonitor};
use login_queue::{LoginQueue, QueuedAuth};
use password::PasswordHasher;
use rate_limit::{KeyedRateLimiter, REGISTRATION_QUOTA};
use watcher::{AuthCompleted, NewHash};

/// Returns the number of hashing threads, each with 19 MiB: half of the processors, so that
/// connected users notice no delay.
pub fn threads() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    (processors / 2).clamp(1, 4)
}

/// Wakes a worker: the [`LoginQueue`] has a request.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Turn;

/// Where sessions ask: the queue, and which networks make accounts by the hundred. All threads
/// share it.
#[derive(Debug, Clone)]
pub struct AccountsHandle {
    accounts: Addr<AuthWorker>,
    line: Arc<LoginQueue>,
    registrations: KeyedRateLimiter,
}

impl AccountsHandle {
    /// Starts the threads, each with a connection of its own.
    pub fn open(opener: Opener, watcher: Recipient<AuthCompleted>, watch: FailureMonitor) -> Self {
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
}

impl AuthService for AccountsHandle {
    fn ask(
        &self,
        session: SessionId,
        address: IpAddr,
        request: AuthRequest,
        reply: Recipient<AuthResponse>,
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
        if self.line.add(client_network(address), ask) {
            self.accounts.do_send(Turn);
        }
        Ok(())
    }
}

/// An actor that checks passwords and changes accounts.
#[derive(Debug)]
struct AuthWorker {
    line: Arc<LoginQueue>,
    database: Option<Database>,
    opener: Opener,
    /// Not before it is needed: a server without accounts does without the memory.
    hasher: Option<PasswordHasher>,
    watcher: Recipient<AuthCompleted>,
    /// Stops the server if this actor fails, because logins would get no answer.
    _vital: FailureGuard,
}

impl AuthWorker {
    /// Serves a request. The hash of another password is left in `new_hash`, for the watcher to set.
    fn request(
        &mut self,
        request: AuthRequest,
        new_hash: &mut Option<NewHash>,
    ) -> Result<AuthOutcome, DatabaseError> {
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
                let proven = account.filter(|_| right).map(|account| account.id);
                Ok(proven.map_or(AuthOutcome::Wrong, AuthOutcome::Proven))
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
                if !hasher.verify(&old, Some(&account.hash)) {
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
        let mut new_hash = None;
        let outcome = match self.request(request, &mut new_hash) {
            Ok(AuthOutcome::Wrong) => self.line.wrong(due.network, due.over_quota),
            Ok(outcome) => outcome,
            Err(error) => AuthOutcome::Failed(error.into()),
        };
        self.watcher.do_send(AuthCompleted {
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

    impl Handler<AuthCompleted> for Probe {
        type Result = ();

        fn handle(&mut self, _: AuthCompleted, _: &mut Self::Context) {}
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
            let (watch, _failures) = FailureMonitor::new();
            let watcher = probe.clone().recipient();
            let service = AccountsHandle::open(database.opener(), watcher, watch);
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
