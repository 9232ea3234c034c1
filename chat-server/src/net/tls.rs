//! TLS over an accepted socket: to the session it is a stream like any other.
//!
//! The handshake is part of reading, so that the session's timeout and limits hold for it from the
//! first byte on. Until it is done nothing can be written. Handshakes run on [`HandshakeThread`],
//! because a private key operation takes milliseconds; then the stream moves to the thread of its
//! session.

use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, BufReader, IoSlice};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use actix_rt::{Arbiter, ArbiterHandle};
use rustix::process::nice;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::server::TlsStream;

use super::transport::{Kind, Layer};
use crate::config;
use crate::error::CertificateError;
use crate::host::Host;

/// Priority of the handshake thread below that of the sessions (nice(2)).
const NICENESS: i32 = 5;

/// The server's certificate and private key.
#[derive(Debug)]
pub struct ServerIdentity {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl ServerIdentity {
    /// Returns whether the certificate is valid for this host name.
    pub(super) fn covers(&self, host: &Host) -> bool {
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
pub fn load(
    config::Tls { cert, key }: &config::Tls,
) -> Result<Arc<ServerIdentity>, CertificateError> {
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
    Ok(Arc::new(ServerIdentity {
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

/// Thread that runs all TLS handshakes. Connection limits bound their number, session timeouts
/// their duration.
#[derive(Debug, Clone)]
pub struct HandshakeThread(ArbiterHandle);

impl HandshakeThread {
    /// Starts the thread. It runs until the process exits.
    pub(super) fn start() -> Self {
        let thread = Arbiter::new().handle();
        thread.spawn_fn(|| {
            // Without the permission the thread keeps the default priority.
            nice(NICENESS).ok();
        });
        Self(thread)
    }

    /// Starts a handshake. Dropping the receiver cancels it.
    fn begin(
        &self,
        socket: TcpStream,
        identity: &ServerIdentity,
    ) -> oneshot::Receiver<HandshakeResult> {
        let (mut tell, told) = oneshot::channel();
        let acceptor = TlsAcceptor::from(identity.config.clone());
        // Deregisters the socket from the reactor of this thread.
        let socket = socket.into_std();
        self.0.spawn(async move {
            let opened = tokio::select! {
                // Checks for cancellation first, which saves the private key operation.
                biased;
                () = tell.closed() => return,
                opened = run_handshake(acceptor, socket) => opened,
            };
            // The session may have ended meanwhile.
            tell.send(opened).ok();
        });
        told
    }
}

/// An established stream that is not registered with a reactor, or the error.
type HandshakeResult = io::Result<TlsStream<HandoverSocket>>;

async fn run_handshake(
    acceptor: TlsAcceptor,
    socket: io::Result<std::net::TcpStream>,
) -> HandshakeResult {
    let wire = HandoverSocket::Live(TcpStream::from_std(socket?)?);
    let mut stream = acceptor.accept(wire).await?;
    stream.get_mut().0.park()?;
    Ok(stream)
}

/// Socket below TLS that can move from the reactor of one thread to another.
#[derive(Debug)]
enum HandoverSocket {
    Live(TcpStream),
    Parked(std::net::TcpStream),
    Lost,
}

impl HandoverSocket {
    /// Deregisters the socket from the reactor of this thread.
    fn park(&mut self) -> io::Result<()> {
        if let Self::Live(socket) = std::mem::replace(self, Self::Lost) {
            *self = Self::Parked(socket.into_std()?);
        }
        Ok(())
    }

    /// Registers the socket with the reactor of this thread.
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

impl AsyncRead for HandoverSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.live()?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for HandoverSocket {
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
    reason = "TlsSocket is boxed as a Layer, and the handshake state is short-lived"
)]
enum State {
    Handshake(oneshot::Receiver<HandshakeResult>),
    Open(TlsStream<HandoverSocket>),
    Failed,
}

impl TlsSocket {
    pub fn new(socket: TcpStream, identity: &ServerIdentity, handshakes: &HandshakeThread) -> Self {
        Self(State::Handshake(handshakes.begin(socket, identity)))
    }

    /// Waits until the handshake is complete.
    ///
    /// # Errors
    /// The handshake failed.
    pub(super) async fn handshake_done(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_open(cx).map_ok(drop)).await
    }

    fn poll_open(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<&mut TlsStream<HandoverSocket>>> {
        if let State::Handshake(handshake) = &mut self.0 {
            let opened = ready!(Pin::new(handshake).poll(cx));
            self.0 = State::Failed;
            // The sender is dropped without a result only if the handshake thread has ended.
            let mut stream = opened.map_err(io::Error::other)??;
            stream.get_mut().0.resume()?;
            self.0 = State::Open(stream);
        }
        Poll::Ready(self.opened())
    }

    fn opened(&mut self) -> io::Result<&mut TlsStream<HandoverSocket>> {
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
