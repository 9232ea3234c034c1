//! TLS over an accepted socket: to the session it is a stream like any other.
//!
//! The handshake is part of reading, so that the session's timeout and limits hold for it from the first
//! byte on. Until it is done nothing can be written.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, IoSlice};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;
use tokio_rustls::{Accept, TlsAcceptor, rustls};

use super::transport::{Kind, Layer};
use crate::config;

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

/// What the files of `[tls]` say: TLS 1.3 and 1.2, no client certificates.
///
/// # Errors
/// A file cannot be read or has nothing of its kind in it, or the key is not the certificate's.
pub fn load(
    config::Tls { cert, key }: &config::Tls,
) -> Result<Arc<ServerConfig>, CertificateError> {
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
    Ok(Arc::new(config))
}

fn open(path: &Path) -> Result<BufReader<File>, CertificateError> {
    let file = File::open(path).map_err(|source| CertificateError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(BufReader::new(file))
}

/// See the head of this file.
pub struct TlsSocket(State);

enum State {
    Handshake(Accept<TcpStream>),
    Open(TlsStream<TcpStream>),
}

impl TlsSocket {
    pub fn new(socket: TcpStream, config: &Arc<ServerConfig>) -> Self {
        Self(State::Handshake(
            TlsAcceptor::from(config.clone()).accept(socket),
        ))
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut TlsStream<TcpStream>>> {
        if let State::Handshake(accept) = &mut self.0 {
            self.0 = State::Open(ready!(Pin::new(accept).poll(cx))?);
        }
        Poll::Ready(self.opened())
    }

    fn opened(&mut self) -> io::Result<&mut TlsStream<TcpStream>> {
        match &mut self.0 {
            State::Open(stream) => Ok(stream),
            State::Handshake(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

impl fmt::Debug for TlsSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Handshake(_) => "TlsSocket(Handshake)",
            State::Open(_) => "TlsSocket(Open)",
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
            State::Handshake(_) => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.opened()?).poll_shutdown(cx)
    }
}
