//! The chat server: actix actors that record every message before anyone is sent it.
//!
//! | folder | what may touch what |
//! | --- | --- |
//! | [`chat`] | the core: users, channels, order; no sockets, no files, no JSON |
//! | [`net`] | everything that touches a socket |
//! | [`store`] | everything that outlives the process |
//! | [`config`], [`error`] | what can be set, what can go wrong |
//! | [`ip`] | client networks and blocks of addresses |
//! | [`host`] | values of `Host` and `Origin` |
//! | [`logging`] | quoting of untrusted text and throttling of log lines |
//! | [`telemetry`] | counters, health and the supervision of actors |
//! | [`metrics`] | what the server does, for Prometheus |
//!
//! [`run`] wires them: it is the only place where `net` and `store` meet.

pub mod chat;
pub mod config;
pub mod error;
pub mod host;
pub mod ip;
pub mod logging;
pub mod metrics;
pub mod net;
pub mod store;
pub mod telemetry;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use chat_proto::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;

use chat::batch::MAX_BYTES;
use chat::clock::Clock;
use chat::registry::{Registry, Settings};
use chat::room::{self, ChatRoom, Storage};
use config::{Config, Durability, Operator};
use error::{HistoryError, ServerError};
use metrics::Metrics;
use net::acceptor::{self, Acceptor, Certify};
use net::barred::Barred;
use net::dispatcher::{Deafen, Farewell, Limit};
use net::places::Places;
use net::tls::ServerIdentity;
use net::web::hosts::AllowedHosts;
use net::web::origin::Origins;
use net::web::proxies::Proxies;
use net::web::{Manners, Render};
use net::worker::{Listener, Surroundings, Worker};
use store::accounts::AccountsHandle;
use store::accounts::watcher::AccountWatcher;
use store::database::Database;
use store::database::writer::StateWriter;
use store::history::History;
use store::history::Readers;
use store::index::indexer::Indexer;
use store::index::{self, IndexStatus};
use store::log::recovery::RecoveredLog;
use store::log::{Log, RecordedEnd};
use store::recorder::{Flush, OpenHistory, Recorder, RecorderMetrics};
use telemetry::health::{Health, HealthIssue};
use telemetry::supervisor::{FailureGuard, FailureMonitor};

/// How long a server that has failed may take to save what is recorded.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// What the server is told while it runs.
#[derive(Debug)]
pub enum Order {
    /// The limits, the name and the message of the day of this configuration hold from now on.
    Configure(Box<Config>),
    /// Who comes to the TLS listener from now on is shown this certificate.
    Certify(Arc<ServerIdentity>),
    /// Say goodbye to everyone and end.
    End,
}

/// Serves those who come to `listeners`, with the history that is `opened` and the `accounts` that
/// are claimed, until it is ordered to end or nobody is left to order it; then says goodbye within
/// the configured grace. Runs on the current actix system.
///
/// # Errors
/// The accounts cannot be read, the system refuses a thread or a socket, or an actor that the server
/// cannot do without has ended.
pub async fn run(
    config: &Config,
    opened: RecoveredLog,
    accounts: Database,
    listeners: Vec<Listener>,
    mut orders: mpsc::Receiver<Order>,
) -> Result<(), ServerError> {
    if config.history.durability == Durability::Batch {
        opened.rewrite_and_sync(&config.history.path)?;
    }
    let (watch, mut failures) = FailureMonitor::new();
    let server = Server::start(config, opened, accounts, listeners, watch).await?;
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Configure(config)) => server.configure(&config).await?,
                Some(Order::Certify(certificate)) => server.certify(&certificate).await?,
                Some(Order::End) | None => break,
            },
            Some(who) = failures.recv() => {
                server.save_what_is_recorded().await;
                return Err(ServerError::ActorFailed(who));
            }
        }
    }
    log::info!("the server ends");
    server.end(config.limits.shutdown_grace.get()).await
}

/// The actors of a running server.
struct Server {
    workers: Vec<Worker>,
    places: Arc<Places>,
    room: Addr<ChatRoom>,
    recorder: Addr<Recorder>,
    recording: Arbiter,
    people: People,
    health: Health,
}

impl Server {
    async fn start(
        config: &Config,
        opened: RecoveredLog,
        accounts: Database,
        listeners: Vec<Listener>,
        watch: FailureMonitor,
    ) -> Result<Self, ServerError> {
        let path = &config.history.path;
        let (last_seq, end) = (opened.last_seq, RecordedEnd::new(opened.end));
        let (file, bytes) = (path.display(), opened.end);
        log::info!("{file}: {last_seq} messages, {bytes} bytes");
        let mut registry = Registry::new(settings(config), last_seq, opened.recent_ids);
        let mut clock = clock_behind(opened.last_time);
        let room_context = Context::<ChatRoom>::new();
        let room = room_context.address();

        let file = Arc::new(opened.file);
        let trust = IndexStatus::default();
        let indexer = start_indexer(path, &file, &end, &trust);
        let history = start_readers(path, &file, &end, &trust);
        let health = Health::default();
        let metrics = Metrics::new(config.workers.get(), end.clone(), &health);
        let people = People::open(
            accounts,
            &mut registry,
            opened.tokens_lag,
            clock.now(),
            &room,
            &watch,
            &health,
        )?;
        let recording = Arbiter::new();
        let written = OpenHistory {
            file,
            end,
            last_seq,
        };
        let report = (metrics.recorder.clone(), watch.over("recorder"));
        let recorder = start_recorder(config, written, &room, indexer, report, &recording)?;
        let surroundings = surroundings(config, &room, history, &people, &watch, &metrics);
        let workers = Worker::start_all(&surroundings, &listeners)
            .await
            .map_err(ServerError::Worker)?;
        let dispatchers = workers.iter().map(|worker| worker.dispatcher.clone());
        room_context.run(ChatRoom::new(
            registry,
            clock,
            Storage {
                recorder: recorder.clone().recipient(),
                state_writer: people.tokens.clone(),
                lag: recorder.clone().recipient(),
            },
            dispatchers.map(Addr::recipient).collect(),
            metrics.tally.clone(),
            watch.over("room"),
        ));
        Ok(Self {
            workers,
            places: surroundings.places,
            room,
            recorder,
            recording,
            people,
            health,
        })
    }

    async fn configure(&self, config: &Config) -> Result<(), MailboxError> {
        self.places.limit((&config.limits).into());
        for worker in &self.workers {
            worker.dispatcher.send(Limit(config.into())).await?;
        }
        self.room.send(room::Configure(settings(config))).await?;
        log::info!("the limits are read again");
        Ok(())
    }

    async fn certify(&self, certificate: &Arc<ServerIdentity>) -> Result<(), MailboxError> {
        for acceptor in self.acceptors() {
            acceptor.send(Certify(certificate.clone())).await?;
        }
        log::info!("the certificate is read again");
        Ok(())
    }

    /// Has what is recorded forced to the disk, if the recorder still can.
    async fn save_what_is_recorded(&self) {
        match timeout(LAST_FLUSH, self.recorder.send(Flush)).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => log::error!("{error}"),
            Ok(Err(_)) | Err(_) => log::error!("the history was not forced to the disk"),
        }
    }

    fn acceptors(&self) -> impl Iterator<Item = &Addr<Acceptor>> {
        self.workers.iter().flat_map(|worker| &worker.acceptors)
    }

    /// In this order: nobody new, nothing new, all that came is recorded and told, goodbye.
    async fn end(self, grace: Duration) -> Result<(), ServerError> {
        self.health.set(HealthIssue::Ending, true);
        let goodbye = async {
            for acceptor in self.acceptors() {
                acceptor.send(acceptor::Stop).await?;
            }
            for worker in &self.workers {
                worker.dispatcher.send(Deafen).await?;
            }
            self.room.send(room::Finish).await?;
            let told = self
                .workers
                .iter()
                .map(|worker| worker.dispatcher.send(Farewell));
            // All are told before one of them is waited for.
            for told in told.collect::<Vec<_>>() {
                told.await?;
            }
            Ok::<_, MailboxError>(())
        };
        match timeout(grace, goodbye).await {
            Ok(ended) => ended?,
            Err(_) => {
                log::warn!("not everyone had read their last messages when the grace was over")
            }
        }
        let forced = self.recorder.send(Flush).await?;
        end_thread("recorder", self.recording);
        end_thread("keeper", self.people.thread);
        forced
    }
}

/// What the threads share that serve connections.
fn surroundings(
    config: &Config,
    room: &Addr<ChatRoom>,
    history: Readers,
    people: &People,
    watch: &FailureMonitor,
    metrics: &Arc<Metrics>,
) -> Surroundings {
    let (counts, latency) = (metrics.threads.clone(), metrics.deliver.clone());
    let (health, metrics) = (metrics.health.clone(), metrics.clone());
    Surroundings {
        limits: config.into(),
        room: room.clone(),
        history: Arc::new(history),
        accounts: Arc::new(people.desk.clone()),
        places: Places::new((&config.limits).into()),
        barred: people.barred.clone(),
        watch: watch.clone(),
        counts,
        latency,
        manners: Manners {
            origins: Origins::new(config.web.origins.clone()),
            hosts: AllowedHosts::new(&config.web.hosts, &config.web.origins),
            proxies: Proxies::new(config.web.proxies.clone()),
            health,
            metrics: Render(Arc::new(move || metrics.render())),
        },
    }
}

/// Starts the recorder on the thread of `arbiter`.
fn start_recorder(
    config: &Config,
    written: OpenHistory,
    room: &Addr<ChatRoom>,
    indexer: Addr<Indexer>,
    (report, vital): (RecorderMetrics, FailureGuard),
    arbiter: &Arbiter,
) -> Result<Addr<Recorder>, ServerError> {
    let (room, indexer) = (room.clone().recipient(), Some(indexer.recipient()));
    let recorder = Recorder::new(written, &config.history, room, indexer, report, vital);
    let recorder = recorder.map_err(|source| HistoryError::Io {
        path: config.history.path.clone(),
        source,
    })?;
    Ok(Recorder::start_in_arbiter(&arbiter.handle(), move |_| {
        recorder
    }))
}

fn start_readers(path: &Path, file: &Arc<File>, end: &RecordedEnd, trust: &IndexStatus) -> Readers {
    let (path, file) = (path.to_owned(), file.clone());
    let (end, trust) = (end.clone(), trust.clone());
    Readers::start(move |queue| {
        let log = Log::over(&path, file.clone());
        History::new(log, end.clone(), trust.clone(), queue)
    })
}

/// Starts the indexer, on a thread of its own. Without it old messages are found slowly.
fn start_indexer(
    path: &Path,
    file: &Arc<File>,
    end: &RecordedEnd,
    trust: &IndexStatus,
) -> Addr<Indexer> {
    let log = Log::over(path, file.clone());
    let indexer = Indexer::new(&index::path_of(path), log, end.clone(), trust.clone());
    let thread = Arbiter::new().handle();
    Indexer::start_in_arbiter(&thread, move |_| indexer)
}

fn end_thread(whose: &str, thread: Arbiter) {
    thread.stop();
    if thread.join().is_err() {
        log::error!("the {whose}'s thread has panicked");
    }
}

/// The clock of a room whose last message was said then.
fn clock_behind(last: Option<Timestamp>) -> Clock {
    let now = SystemTime::now().into();
    if let Some(last) = last.filter(|&last| last > now) {
        log::warn!(
            "the last message was said at {last}, the clock says {now}: times go on from there, half as \
             fast, until the clock has caught up"
        );
    }
    Clock::new(last)
}

/// What keeps the accounts and who may come back, on a thread of its own.
struct People {
    thread: Arbiter,
    desk: AccountsHandle,
    /// The addresses that nobody comes in from.
    barred: Barred,
    tokens: Recipient<room::Persist>,
}

impl People {
    /// Starts it, and tells the registry who there is.
    fn open(
        database: Database,
        registry: &mut Registry,
        tokens_lag: Option<u64>,
        now: Timestamp,
        room: &Addr<ChatRoom>,
        watch: &FailureMonitor,
        health: &Health,
    ) -> Result<Self, ServerError> {
        let vital = watch.over("keeper of the accounts");
        let opener = database.opener();
        let (changes, unkept) = (room.clone().recipient(), room.clone().recipient());
        let (keeper, accounts) =
            AccountWatcher::new(database, changes, unkept, health.clone(), vital)?;
        for account in accounts {
            registry.restore_account(account);
        }
        registry.log_unregistered_operators();
        let barred = Barred::default();
        let mut database = opener.open()?;
        for charter in database.charters()? {
            registry.restore_channel(charter);
        }
        for sanction in database.sanctions(now)? {
            if let Some((network, bar)) = registry.restore_sanction(sanction) {
                barred.bar(network, bar);
            }
        }
        registry.end_channels_of_removed_accounts();
        if let Some(upto) = tokens_lag {
            log::warn!(
                "the last server could not save who left a nick after message {upto}: guests who resume get \
                 no direct messages between that one and this start"
            );
        }
        for kept in database.tokens(now)? {
            match tokens_lag {
                Some(upto) => registry.restore_stale_session(kept, upto, now),
                None => registry.restore_session(kept, now),
            }
        }
        database.keep(&registry.take_changes().into_vec())?;
        database.end_tokens(registry.resume_deadline(now))?;
        let vital = watch.over("keeper of the tokens");
        let tokens = StateWriter::new(database, room.clone(), health.clone(), vital)?;
        let thread = Arbiter::new();
        let keeper = AccountWatcher::start_in_arbiter(&thread.handle(), move |_| keeper);
        let tokens = StateWriter::start_in_arbiter(&thread.handle(), move |_| tokens);
        Ok(Self {
            thread,
            barred,
            desk: AccountsHandle::open(opener, keeper.recipient(), watch.clone()),
            tokens: tokens.recipient(),
        })
    }
}

fn settings(config: &Config) -> Settings {
    Settings {
        server: format!("{}/{}", config.name.as_str(), env!("CARGO_PKG_VERSION")),
        motd: config.motd.as_str().to_owned(),
        presence_max: config.limits.presence_max.get(),
        replay_max: config.limits.replay_max.get(),
        resume_window: config.limits.resume_window.get(),
        channels_per_user: config.limits.channels_per_user.get(),
        arrivals_per_second: config.limits.arrivals_per_second.get(),
        absent_max: config.limits.connections.get(),
        // What arrives at once fits well into what may wait for a reader, or nobody could keep up.
        batch_bytes: (config.limits.send_queue_bytes.get() / 8).min(MAX_BYTES),
        operators: config.operators.iter().map(Operator::folded).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    use super::*;
    use net::worker::Speaks;

    /// A server in this process, on a history of its own.
    async fn server(watch: FailureMonitor) -> (tempfile::TempDir, std::net::SocketAddr, Server) {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.history.path = dir.path().join("log");
        config.accounts.path = dir.path().join("accounts");
        let opened = store::log::recovery::open(&config.history.path).unwrap();
        let accounts = Database::claim(&config.accounts.path).unwrap();
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let listeners = vec![Listener {
            socket,
            tls: None,
            speaks: Speaks::Chat,
        }];
        let server = Server::start(&config, opened, accounts, listeners, watch)
            .await
            .unwrap();
        (dir, address, server)
    }

    #[test]
    fn a_server_whose_room_fails_is_noticed_and_saves_what_is_recorded() {
        actix::System::new().block_on(async {
            let (watch, mut failures) = FailureMonitor::new();
            let (_dir, _, server) = server(watch).await;
            server.room.do_send(room::Fail);
            let who = timeout(Duration::from_secs(10), failures.recv()).await;
            assert_eq!(who, Ok(Some("room")));
            server.save_what_is_recorded().await;
        });
    }

    const HELLO: &[u8] = b"{\"type\":\"hello\",\"version\":1}";
    const PING: &[u8] = b"{\"type\":\"ping\"}";

    /// Says that, and reads what comes until the server closes or `enough` has.
    async fn talk(stream: &mut TcpStream, says: &[&[u8]], enough: &str) -> String {
        let mut said = String::new();
        let talk = async {
            for json in says {
                stream.write_u32(json.len().try_into().unwrap()).await?;
                stream.write_all(json).await?;
            }
            let mut buffer = [0; 4096];
            while !said.contains(enough) {
                match stream.read(&mut buffer).await? {
                    0 => break,
                    read => said.push_str(&String::from_utf8_lossy(&buffer[..read])),
                }
            }
            Ok::<_, std::io::Error>(())
        };
        timeout(Duration::from_secs(10), talk)
            .await
            .unwrap()
            .unwrap();
        said
    }

    #[test]
    fn a_session_that_fails_says_so_and_the_others_live() {
        actix::System::new().block_on(async {
            let (watch, _failures) = FailureMonitor::new();
            let (_dir, address, _server) = server(watch).await;
            let mut other = TcpStream::connect(address).await.unwrap();
            talk(&mut other, &[HELLO, PING], "pong").await;
            let mut failing = TcpStream::connect(address).await.unwrap();
            talk(&mut failing, &[HELLO, PING], "pong").await;
            let said = talk(&mut failing, &[net::session::FAIL], "no such word").await;
            assert!(said.contains("\"code\":\"internal\""), "{said}");
            let said = talk(&mut other, &[PING], "pong").await;
            assert!(said.contains("\"type\":\"gone\""), "{said}");
        });
    }
}
