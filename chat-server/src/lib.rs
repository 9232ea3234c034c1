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

use std::rc::Rc;
use std::time::SystemTime;

use actix::prelude::*;
use chat_proto::Timestamp;
use tokio::net::TcpListener;
use tokio::time::timeout_at;

use chat::accounts::AccountChange;
use chat::registry::{Registry, Settings};
use chat::room::{self, ChatRoom};
use config::Config;
use error::ServerError;
use net::acceptor::{self, Acceptor, Places};
use net::dispatcher::{Deafen, Dispatcher, Farewell};
use net::table::Table;
use store::accounts::Desk;
use store::history::History;
use store::keeper::Keeper;
use store::open::Opened;
use store::recorder::{Flush, RecordedEnd, Recorder};
use store::sqlite::Database;
use store::tokens::Tokens;

/// Threads that read the history for those who ask.
const READERS: usize = 2;

/// Serves those who come to `listener`, with the history that is `opened`, until `shutdown`, then says goodbye within the configured
/// grace. Runs on the current actix system.
///
/// # Errors
/// The accounts cannot be read, or an actor that the server cannot do without has ended.
pub async fn run(
    config: &Config,
    opened: Opened,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServerError> {
    let (last_seq, end) = (opened.last_seq, RecordedEnd::new(opened.end));
    log::info!(
        "{}: {last_seq} messages, {} bytes",
        config.history.path.display(),
        opened.end
    );

    let mut registry = Registry::new(settings(config), last_seq, opened.remembered);
    let room_context = Context::<ChatRoom>::new();
    let room = room_context.address();

    let people = People::open(config, &mut registry, &room)?;
    let recording = Arbiter::new();
    let recorder = {
        let (file, end, room) = (opened.file, end.clone(), room.clone().recipient());
        let (durability, interval) = (config.history.durability, config.history.interval.get());
        Recorder::start_in_arbiter(&recording.handle(), move |_| {
            Recorder::new(file, end, durability, interval, room)
        })
    };
    let path = config.history.path.clone();
    let history = SyncArbiter::start(READERS, move || History::new(path.clone(), end.clone()));

    let table = Rc::new(Table::new(
        (&config.limits).into(),
        room.clone(),
        history.recipient(),
        people.desk,
    ));
    let dispatcher = Dispatcher::new(table.clone()).start();
    room_context.run(ChatRoom::new(
        registry,
        last_seq,
        recorder.clone().recipient(),
        people.tokens,
        dispatcher.clone().recipient(),
    ));
    let places = Places::new(
        config.limits.connections.get(),
        config.limits.connections_per_ip.get(),
    );
    let acceptor = Acceptor::new(listener, table, places).start();

    shutdown.await;
    log::info!("the server ends");
    let deadline = tokio::time::Instant::now() + config.limits.shutdown_grace.get();
    let goodbye = async {
        // In this order: nobody new, nothing new, all that came is recorded and told, goodbye.
        acceptor.send(acceptor::Stop).await?;
        dispatcher.send(Deafen).await?;
        room.send(room::Finish).await?;
        dispatcher.send(Farewell).await?;
        Ok::<_, MailboxError>(())
    };
    match timeout_at(deadline, goodbye).await {
        Ok(ended) => ended?,
        Err(_) => log::warn!("not everyone had read their last messages when the grace was over"),
    }
    recorder.send(Flush).await?;
    end_thread("recorder", recording);
    end_thread("keeper", people.thread);
    Ok(())
}

fn end_thread(whose: &str, thread: Arbiter) {
    thread.stop();
    if thread.join().is_err() {
        log::error!("the {whose}'s thread has panicked");
    }
}

/// What keeps the accounts and who may come back, on a thread of its own.
struct People {
    thread: Arbiter,
    desk: Desk,
    tokens: Recipient<room::Keep>,
}

impl People {
    /// Starts it, and tells the registry who there is.
    fn open(
        config: &Config,
        registry: &mut Registry,
        room: &Addr<ChatRoom>,
    ) -> Result<Self, ServerError> {
        let path = &config.accounts.path;
        let (keeper, accounts) = Keeper::new(Database::open(path)?, room.clone().recipient())?;
        for account in accounts {
            registry.account_changed(AccountChange::Protected { account, by: None });
        }
        let mut database = Database::open(path)?;
        let now = Timestamp::from(SystemTime::now());
        for kept in database.tokens(now, registry.until(now))? {
            registry.restore(kept, now);
        }
        let tokens = Tokens::new(database, room.clone().recipient())?;
        let thread = Arbiter::new();
        let keeper = Keeper::start_in_arbiter(&thread.handle(), move |_| keeper);
        let tokens = Tokens::start_in_arbiter(&thread.handle(), move |_| tokens);
        Ok(Self {
            thread,
            desk: Desk::open(path.clone(), keeper.recipient()),
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
        absent_max: config.limits.connections.get(),
    }
}
