//! What serves people on one thread: a dispatcher, the table of its connections, and an acceptor for
//! each listener. All threads listen to the same sockets, and who is not busy takes the next one.

use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;
use prometheus::Histogram;
use tokio::sync::oneshot;

use super::acceptor::{Acceptor, TlsContext};
use super::barred::Barred;
use super::counts::Counts;
use super::dispatcher::Dispatcher;
use super::places::Places;
use super::table::{Limits, Table};
use super::tls::{HandshakeThread, ServerIdentity};
use super::web::{Manners, Site};
use crate::chat::auth::AuthService;
use crate::chat::history_query::HistoryReader;
use crate::chat::room::ChatRoom;
use crate::telemetry::supervisor::FailureMonitor;

/// Where people come in.
#[derive(Debug)]
pub struct Listener {
    /// Bound, and not blocking.
    pub socket: TcpListener,
    /// Encrypted with this certificate.
    pub tls: Option<Arc<ServerIdentity>>,
    pub speaks: Speaks,
}

/// What is spoken with those who come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    /// The chat protocol, from the first byte on.
    Chat,
    /// HTTP: the page and its WebSocket.
    Web,
    /// HTTP: what those see who watch over the server.
    Metrics,
}

impl Listener {
    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            socket: self.socket.try_clone()?,
            tls: self.tls.clone(),
            speaks: self.speaks,
        })
    }
}

/// What all workers share.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub limits: Limits,
    pub room: Addr<ChatRoom>,
    pub history: Arc<dyn HistoryReader>,
    pub accounts: Arc<dyn AuthService>,
    pub places: Arc<Places>,
    pub barred: Barred,
    pub watch: FailureMonitor,
    pub manners: Manners,
    /// Of each.
    pub counts: Vec<Arc<Counts>>,
    /// Told how long each batch took.
    pub latency: Histogram,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Worker {
    pub dispatcher: Addr<Dispatcher>,
    pub acceptors: Vec<Addr<Acceptor>>,
}

impl Worker {
    /// Starts as many workers as there are counts, the first of them on this thread.
    ///
    /// # Errors
    /// The system has no further sockets or threads.
    pub async fn start_all(
        surroundings: &Surroundings,
        listeners: &[Listener],
    ) -> io::Result<Vec<Self>> {
        let mut workers = Vec::new();
        let is_encrypted = listeners.iter().any(|listener| listener.tls.is_some());
        let handshakes = is_encrypted.then(HandshakeThread::start);
        let count = u8::try_from(surroundings.counts.len()).expect("the configuration bounds it");
        for number in 0..count {
            let (surroundings, listeners) = (surroundings.clone(), clone_all(listeners)?);
            let handshakes = handshakes.clone();
            let start = move || Self::start(number, surroundings, listeners, handshakes);
            workers.push(match number {
                0 => start()?,
                _ => on_its_own_thread(start).await?,
            });
        }
        Ok(workers)
    }

    fn start(
        number: u8,
        surroundings: Surroundings,
        listeners: Vec<Listener>,
        handshakes: Option<HandshakeThread>,
    ) -> io::Result<Self> {
        let Surroundings {
            limits,
            room,
            history,
            accounts,
            places,
            barred,
            watch,
            manners,
            counts,
            latency,
        } = surroundings;
        let counts = counts[usize::from(number)].clone();
        let table = Table::new(number, limits, counts, room, history, accounts, barred);
        let table = Rc::new(table);
        let dispatcher = Dispatcher::new(table.clone(), latency, watch.over("dispatcher")).start();
        let acceptors = listeners
            .into_iter()
            .map(
                |Listener {
                     socket,
                     tls,
                     speaks,
                 }| {
                    let socket = tokio::net::TcpListener::from_std(socket)?;
                    let site = match speaks {
                        Speaks::Chat => None,
                        Speaks::Web => {
                            let identity = tls.clone();
                            Some(Site::page(table.clone(), manners.clone(), identity))
                        }
                        Speaks::Metrics => Some(Site::watch(table.clone(), manners.clone())),
                    };
                    let tls = tls.zip(handshakes.clone());
                    let tls = tls.map(|(identity, handshakes)| TlsContext {
                        identity,
                        handshakes,
                    });
                    let (table, places) = (table.clone(), places.clone());
                    Ok(Acceptor::new(socket, tls, site, table, places).start())
                },
            )
            .collect::<io::Result<_>>()?;
        Ok(Self {
            dispatcher,
            acceptors,
        })
    }
}

fn clone_all(listeners: &[Listener]) -> io::Result<Vec<Listener>> {
    listeners.iter().map(Listener::try_clone).collect()
}

/// The thread ends with the process.
async fn on_its_own_thread(
    start: impl FnOnce() -> io::Result<Worker> + Send + 'static,
) -> io::Result<Worker> {
    let (tell, told) = oneshot::channel();
    Arbiter::new().spawn_fn(move || {
        // Who asked waits for it, or has ended.
        tell.send(start()).ok();
    });
    told.await.map_err(io::Error::other)?
}
