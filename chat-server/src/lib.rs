//! The chat server: actix actors that record every message before anyone is sent it.
//!
//! | folder | what may touch what |
//! | --- | --- |
//! | [`chat`] | the core: users, channels, order; no sockets, no files, no JSON |
//! | [`net`] | everything that touches a socket |
//! | [`store`] | everything that outlives the process |
//! | [`config`], [`error`] | what can be set, what can go wrong |
//!
//! [`run`] wires them: it is the only place where `net` and `store` meet.

pub mod chat;
pub mod config;
pub mod error;
pub mod net;
pub mod store;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::rustls::ServerConfig;

use chat::registry::{Registry, Settings};
use chat::room::{self, ChatRoom};
use config::Config;
use error::{HistoryError, ServerError};
use net::acceptor::{self, Acceptor, Certify, Places};
use net::dispatcher::{Deafen, Farewell};
use net::web::origin::Origins;
use net::worker::{Listener, Surroundings, Worker};
use store::history::History;
use store::index::indexer::Indexer;
use store::index::{self, Index};
use store::log::Log;
use store::open::Opened;
use store::recorder::{Flush, RecordedEnd, Recorder};

/// Threads that read the history for those who ask.
const READERS: usize = 2;

/// What the server is told while it runs.
#[derive(Debug)]
pub enum Order {
    /// Who comes to the TLS listener from now on is shown this certificate.
    Certify(Arc<ServerConfig>),
    /// Say goodbye to everyone and end.
    End,
}

/// Serves those who come to `listeners`, with the history that is `opened`, until it is ordered to end
/// or nobody is left to order it; then says goodbye within the configured grace. Runs on the current
/// actix system.
///
/// # Errors
/// The system refuses a thread or a socket, or an actor that the server cannot do without has ended.
pub async fn run(
    config: &Config,
    opened: Opened,
    listeners: Vec<Listener>,
    mut orders: mpsc::Receiver<Order>,
) -> Result<(), ServerError> {
    let server = Server::start(config, opened, listeners).await?;
    while let Some(Order::Certify(certificate)) = orders.recv().await {
        for acceptor in server.acceptors() {
            acceptor.send(Certify(certificate.clone())).await?;
        }
    }
    log::info!("the server ends");
    server.end(config.limits.shutdown_grace.get()).await
}

/// The actors of a running server.
struct Server {
    workers: Vec<Worker>,
    room: Addr<ChatRoom>,
    recorder: Addr<Recorder>,
    recording: Arbiter,
}

impl Server {
    async fn start(
        config: &Config,
        opened: Opened,
        listeners: Vec<Listener>,
    ) -> Result<Self, ServerError> {
        let (path, limits) = (&config.history.path, &config.limits);
        let (last_seq, end) = (opened.last_seq, RecordedEnd::new(opened.end));
        log::info!(
            "{}: {last_seq} messages, {} bytes",
            path.display(),
            opened.end
        );
        let registry = Registry::new(settings(config), last_seq, opened.remembered);
        let room_context = Context::<ChatRoom>::new();
        let room = room_context.address();

        let indexer = start_indexer(path, opened.end);
        let history = {
            let (path, end, has_index) = (path.clone(), end.clone(), indexer.is_some());
            SyncArbiter::start(READERS, move || {
                History::new(path.clone(), end.clone(), has_index)
            })
        };
        let recording = Arbiter::new();
        let recorder = {
            let (file, room) = (opened.file, room.clone().recipient());
            let indexer = indexer.map(Addr::recipient);
            let (durability, interval) = (config.history.durability, config.history.interval.get());
            Recorder::start_in_arbiter(&recording.handle(), move |_| {
                Recorder::new(file, end, durability, interval, room, indexer)
            })
        };

        let surroundings = Surroundings {
            limits: limits.into(),
            room: room.clone(),
            history: history.recipient(),
            places: Places::new(limits.connections.get(), limits.connections_per_ip.get()),
            origins: Origins::new(config.web.origins.clone()),
        };
        let count = u8::try_from(config.workers.get()).expect("the configuration bounds it");
        let workers = Worker::start_all(count, &surroundings, &listeners)
            .await
            .map_err(ServerError::Worker)?;
        let dispatchers = workers
            .iter()
            .map(|worker| worker.dispatcher.clone().recipient());
        room_context.run(ChatRoom::new(
            registry,
            last_seq,
            recorder.clone().recipient(),
            dispatchers.collect(),
        ));
        Ok(Self {
            workers,
            room,
            recorder,
            recording,
        })
    }

    fn acceptors(&self) -> impl Iterator<Item = &Addr<Acceptor>> {
        self.workers.iter().flat_map(|worker| &worker.acceptors)
    }

    /// In this order: nobody new, nothing new, all that came is recorded and told, goodbye.
    async fn end(self, grace: Duration) -> Result<(), ServerError> {
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
        self.recorder.send(Flush).await?;
        self.recording.stop();
        if self.recording.join().is_err() {
            log::error!("the recorder's thread has panicked");
        }
        Ok(())
    }
}

/// Starts what keeps the index up with the history, on a thread of its own. A server can do without it:
/// old messages are found slowly then.
fn start_indexer(path: &Path, end: u64) -> Option<Addr<Indexer>> {
    let indexer = || {
        let log = Log::open(path)?;
        let index = Index::open(&index::path_of(path), &log, end)?;
        Ok::<_, HistoryError>(Indexer::new(index, log))
    };
    match indexer() {
        Ok(indexer) => {
            let thread = Arbiter::new().handle();
            Some(Indexer::start_in_arbiter(&thread, move |_| indexer))
        }
        Err(error) => {
            log::error!("old messages will be found slowly: {error}");
            None
        }
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
        absent_max: config.limits.connections.get(),
    }
}
