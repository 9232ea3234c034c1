//! `Acceptor`: one per listener. It takes connections as long as there is room and starts their
//! sessions, encrypted where it has a certificate; it never reads from one.
//!
//! Who finds no room is told `server_full`, and who is banned by their address `banned`. When the system has no more file descriptors it waits and
//! says so, instead of spinning.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::prelude::*;
use bytes::Bytes;
use chat_proto::{ErrorCode, Event};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Sleep, sleep, timeout};

use super::barred;
use super::connection::LINGER;
use super::delivery::frame;
use super::places::{Permit, Places};
use super::session::Session;
use super::table::Table;
use super::tls::{HandshakeThread, ServerIdentity, TlsSocket};
use super::transport::Transport;
use super::web::Site;
use crate::logging::log_throttled;

/// Connections taken before others on the thread have their turn.
const ACCEPTS_A_TURN: usize = 64;

/// How long to wait when a connection could not be taken: the system is short of something.
const BACK_OFF: Duration = Duration::from_millis(200);

/// Refused connections that are told so at the same time; more are just closed.
const REFUSALS_MAX: usize = 256;

/// The same as `server_full`, for those who ask over HTTP.
const FULL_HTTP: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// The same as `banned`.
const BANNED_HTTP: &[u8] =
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Takes no more connections.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Stop;

/// Who is encrypted is shown this certificate from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Certify(pub Arc<ServerIdentity>);

/// See the head of this file.
#[derive(Debug)]
pub struct Acceptor {
    listener: Option<TcpListener>,
    /// Where connections are encrypted.
    tls: Option<TlsContext>,
    /// Where connections are asked over HTTP.
    site: Option<Site>,
    table: Rc<Table>,
    places: Arc<Places>,
    back_off: Option<Pin<Box<Sleep>>>,
    refusals: Rc<Cell<usize>>,
}

/// Certificate and handshake thread of an encrypted listener.
#[derive(Debug, Clone)]
pub struct TlsContext {
    pub identity: Arc<ServerIdentity>,
    pub handshakes: HandshakeThread,
}

impl TlsContext {
    fn socket(&self, stream: TcpStream) -> TlsSocket {
        TlsSocket::new(stream, &self.identity, &self.handshakes)
    }
}

impl Acceptor {
    pub fn new(
        listener: TcpListener,
        tls: Option<TlsContext>,
        site: Option<Site>,
        table: Rc<Table>,
        places: Arc<Places>,
    ) -> Self {
        Self {
            listener: Some(listener),
            tls,
            site,
            table,
            places,
            back_off: None,
            refusals: Rc::default(),
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..ACCEPTS_A_TURN {
            if let Some(back_off) = &mut self.back_off {
                ready!(back_off.as_mut().poll(cx));
                self.back_off = None;
            }
            let Some(listener) = &self.listener else {
                return Poll::Ready(());
            };
            match ready!(listener.poll_accept(cx)) {
                Ok((stream, peer)) => {
                    // Answers are small and awaited; a socket that is gone shows that at the first read.
                    stream.set_nodelay(true).ok();
                    self.receive(stream, peer);
                }
                // Gone before it was taken: its own affair.
                Err(error) if super::connection::is_ordinary(&error) => {}
                Err(error) => {
                    log_throttled!(
                        error,
                        "connections that cannot be taken",
                        "no connection can be taken, trying again in {BACK_OFF:?}: {error}"
                    );
                    self.back_off = Some(Box::pin(sleep(BACK_OFF)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn receive(&self, stream: TcpStream, peer: SocketAddr) {
        if let Some(detail) = self.table.barred.why(peer.ip()) {
            log::debug!("{peer} is refused: banned");
            self.table.counts.refuses(ErrorCode::Banned);
            let words = match &self.site {
                Some(_) => Bytes::from_static(BANNED_HTTP),
                None => frame(&barred::event(&detail)),
            };
            return self.refuse(stream, words);
        }
        if let Some(site) = self.site.as_ref().filter(|site| site.is_for_monitors()) {
            return site.serve(self.transport(stream), None, peer);
        }
        match (self.take_place(peer.ip()), &self.site) {
            (Some(permit), Some(site)) => site.serve(self.transport(stream), Some(permit), peer),
            (Some(permit), None) => {
                Session::open(self.transport(stream), peer, permit, &self.table);
            }
            (None, site) => {
                log::debug!("{peer} is refused: no room");
                self.table.counts.refuses(ErrorCode::ServerFull);
                let words = match site {
                    Some(_) => Bytes::from_static(FULL_HTTP),
                    None => frame(&full()),
                };
                self.refuse(stream, words);
            }
        }
    }

    fn take_place(&self, address: IpAddr) -> Option<Permit> {
        match &self.site {
            Some(site) if site.believes(address) => Places::take_for_somebody(&self.places),
            _ => Places::take(&self.places, address),
        }
    }

    fn transport(&self, stream: TcpStream) -> Transport {
        match &self.tls {
            Some(tls) => Transport::Layered(Box::new(tls.socket(stream))),
            None => Transport::Tcp(stream),
        }
    }

    /// Says that to somebody who is not let in.
    fn refuse(&self, stream: TcpStream, words: Bytes) {
        let refusals = self.refusals.clone();
        if refusals.get() < REFUSALS_MAX {
            refusals.set(refusals.get() + 1);
            let tls = self.tls.clone();
            actix_rt::spawn(async move {
                let told = async {
                    match tls {
                        Some(tls) => {
                            let mut socket = tls.socket(stream);
                            socket.handshake_done().await?;
                            say(socket, &words).await
                        }
                        None => say(stream, &words).await,
                    }
                };
                // Whoever does not read it in time has lost nothing but the reason.
                timeout(LINGER, told).await.ok();
                refusals.set(refusals.get() - 1);
            });
        }
    }
}

fn full() -> Event<'static> {
    Event::Error {
        code: ErrorCode::ServerFull,
        detail: "the server has no room for one more connection".into(),
        id: None,
    }
}

/// Says why, and reads until the client closes too, or the kernel would throw the reason away.
async fn say(mut stream: impl AsyncRead + AsyncWrite + Unpin, words: &[u8]) -> std::io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 512];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

impl Actor for Acceptor {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Accepting);
    }
}

impl Handler<Certify> for Acceptor {
    type Result = ();

    fn handle(&mut self, Certify(identity): Certify, _: &mut Self::Context) {
        if let Some(tls) = &mut self.tls {
            tls.identity = identity.clone();
            if let Some(site) = &self.site {
                site.set_identity(identity);
            }
        }
    }
}

impl Handler<Stop> for Acceptor {
    type Result = ();

    fn handle(&mut self, Stop: Stop, ctx: &mut Self::Context) {
        self.listener = None;
        ctx.stop();
    }
}

/// Takes connections until the listener is closed.
struct Accepting;

impl ActorFuture<Acceptor> for Accepting {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        acceptor: &mut Acceptor,
        _: &mut actix::Context<Acceptor>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        acceptor.poll(cx)
    }
}
