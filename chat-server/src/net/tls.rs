//! TLS over an accepted socket: to the session it is a stream like any other.
//!
//! The handshake is part of reading, so that the session's timeout and limits hold for it from the first
//! byte on. Until it is done nothing can be written. It runs on a thread of its own ([`Handshakes`]), as the
//! private key takes milliseconds of a processor; then the stream moves to the thread of its session.

use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, BufReader, IoSlice};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::{Arbiter, ArbiterHandle};
use rustix::process::nice;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{TlsAcceptor, rustls};

use super::transport::{Kind, Layer};
use crate::config;
use crate::host::Host;

/// How much the sessions go before the handshakes where a processor is short (nice(2)).
const NICENESS: i32 = 5;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{}: no certificate in PEM form: {source}", path.display())]
    NoCertificate { path: PathBuf, source: pem::Error },
    #[error("{}: no private key in PEM form: {source}", path.display())]
    NoKey { path: PathBuf, source: pem::Error },
    #[error("{} and {}: {source}", cert.display(), key.display())]
    Mismatch {
        cert: PathBuf,
        key: PathBuf,
        source: rustls::Error,
    },
}

/// A certificate with its key, as the server shows it.
#[derive(Debug)]
pub struct Identity {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl Identity {
    /// Returns whether the certificate is good for the name of a host.
    pub(super) fn names(&self, host: &Host) -> bool {
        let Host::Name(name) = host else { return false };
        let Ok(name) = ServerName::try_from(name.as_str()) else {
            return false;
        };
        ParsedCertificate::try_from(&self.certificate)
            .is_ok_and(|parsed| verify_server_name(&parsed, &name).is_ok())
    }
}

/// What the files of `[tls]` say: TLS 1.3 and 1.2, no client certificates.
///
/// # Errors
/// A file cannot be read or has nothing of its kind in it, or the key is not the certificate's.
pub fn load(config::Tls { cert, key }: &config::Tls) -> Result<Arc<Identity>, CertificateError> {
    let chain = CertificateDer::pem_reader_iter(open(cert)?)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|chain| match chain.is_empty() {
            true => Err(pem::Error::NoItemsFound),
            false => Ok(chain),
        })
        .map_err(|source| CertificateError::NoCertificate {
            path: cert.clone(),
            source,
        })?;
    let private = PrivateKeyDer::from_pem_reader(open(key)?).map_err(|source| {
        let path = key.clone();
        CertificateError::NoKey { path, source }
    })?;
    let certificate = chain[0].clone();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for TLS 1.2 and 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|source| CertificateError::Mismatch {
            cert: cert.clone(),
            key: key.clone(),
            source,
        })?;
    Ok(Arc::new(Identity {
        config: Arc::new(config),
        certificate,
    }))
}

fn open(path: &Path) -> Result<BufReader<File>, CertificateError> {
    let file = File::open(path).map_err(|source| CertificateError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(BufReader::new(file))
}

/// The thread of the handshakes. At most as many are under way as there are places for connections, each for
/// no longer than its session waits.
#[derive(Debug, Clone)]
pub struct Handshakes(ArbiterHandle);

impl Handshakes {
    /// Starts the thread, which ends with the process.
    pub(super) fn start() -> Self {
        let thread = Arbiter::new().handle();
        thread.spawn_fn(|| {
            // Where it may not, the two share as the system likes.
            nice(NICENESS).ok();
        });
        Self(thread)
    }

    /// Begins a handshake; it is given up when the receiver is dropped.
    fn begin(&self, socket: TcpStream, identity: &Identity) -> oneshot::Receiver<Opened> {
        let (mut tell, told) = oneshot::channel();
        let acceptor = TlsAcceptor::from(identity.config.clone());
        // Out of the hands of this thread's reactor.
        let socket = socket.into_std();
        self.0.spawn(async move {
            let opened = tokio::select! {
                // First, so that nothing is reckoned for a session that has gone.
                biased;
                () = tell.closed() => return,
                opened = shake_hands(acceptor, socket) => opened,
            };
            // Who waited may have gone this moment.
            tell.send(opened).ok();
        });
        told
    }
}

/// A stream between two threads, or why there is none.
type Opened = io::Result<TlsStream<Wire>>;

async fn shake_hands(acceptor: TlsAcceptor, socket: io::Result<std::net::TcpStream>) -> Opened {
    let wire = Wire::Live(TcpStream::from_std(socket?)?);
    let mut stream = acceptor.accept(wire).await?;
    stream.get_mut().0.park()?;
    Ok(stream)
}

/// The socket below TLS, which belongs to the reactor of a thread or to none.
#[derive(Debug)]
enum Wire {
    Live(TcpStream),
    Parked(std::net::TcpStream),
    Lost,
}

impl Wire {
    /// Takes the socket from the reactor of this thread.
    fn park(&mut self) -> io::Result<()> {
        if let Self::Live(socket) = std::mem::replace(self, Self::Lost) {
            *self = Self::Parked(socket.into_std()?);
        }
        Ok(())
    }

    /// Gives the socket to the reactor of this thread.
    fn resume(&mut self) -> io::Result<()> {
        if let Self::Parked(socket) = std::mem::replace(self, Self::Lost) {
            *self = Self::Live(TcpStream::from_std(socket)?);
        }
        Ok(())
    }

    fn live(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        match self {
            Self::Live(socket) => Ok(Pin::new(socket)),
            Self::Parked(_) | Self::Lost => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.live()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.live()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.live()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.live()?.poll_shutdown(cx)
    }
}

/// See the head of this file.
pub struct TlsSocket(State);

#[expect(
    clippy::large_enum_variant,
    reason = "it is boxed as a layer, and a handshake is short"
)]
enum State {
    Handshake(oneshot::Receiver<Opened>),
    Open(TlsStream<Wire>),
    Failed,
}

impl TlsSocket {
    pub fn new(socket: TcpStream, identity: &Identity, handshakes: &Handshakes) -> Self {
        Self(State::Handshake(handshakes.begin(socket, identity)))
    }

    /// Waits for the end of the handshake.
    ///
    /// # Errors
    /// It has failed.
    pub(super) async fn opens(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_open(cx).map_ok(drop)).await
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut TlsStream<Wire>>> {
        if let State::Handshake(handshake) = &mut self.0 {
            let opened = ready!(Pin::new(handshake).poll(cx));
            self.0 = State::Failed;
            // Without an answer the thread of the handshakes has ended.
            let mut stream = opened.map_err(io::Error::other)??;
            stream.get_mut().0.resume()?;
            self.0 = State::Open(stream);
        }
        Poll::Ready(self.opened())
    }

    fn opened(&mut self) -> io::Result<&mut TlsStream<Wire>> {
        match &mut self.0 {
            State::Open(stream) => Ok(stream),
            State::Handshake(_) | State::Failed => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl fmt::Debug for TlsSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Handshake(_) => "TlsSocket(Handshake)",
            State::Open(_) => "TlsSocket(Open)",
            State::Failed => "TlsSocket(Failed)",
        })
    }
}

impl Layer for TlsSocket {
    fn kind(&self) -> Kind {
        Kind::Tls
    }
}

impl AsyncRead for TlsSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = ready!(self.poll_open(cx))?;
        match ready!(Pin::new(stream).poll_read(cx, buffer)) {
            // Gone without TLS's own goodbye: whole frames that came were whole, the rest is none.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            read => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for TlsSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.opened()?).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(self.opened()?).poll_write_vectored(cx, slices)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Open(stream) => Pin::new(stream).poll_flush(cx),
            // Nothing was written.
            State::Handshake(_) | State::Failed => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.opened()?).poll_shutdown(cx)
    }
}
