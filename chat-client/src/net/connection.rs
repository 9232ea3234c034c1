//! One connection to the server: how it is made, and its writing half.

use std::sync::Arc;
use std::{fmt, io};

use bytes::{Bytes, BytesMut};
use chat_proto::{Envelope, FrameCodec, ProtoError, codec};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_util::codec::FramedRead;

use super::race::{CONNECT, Race};
use super::tls;
use crate::text::wording::cause;

/// Frames that may wait for the socket. More than the window of what is typed, so that all of that
/// can be sent again at once, and answers to pings besides.
const WAITING: usize = 1024;

/// The frames that arrive.
pub type FrameStream = FramedRead<Box<dyn AsyncRead + Unpin>, FrameCodec>;

/// The writing half. Dropped, the connection ends; a goodbye is waited for before.
#[derive(Debug)]
pub struct ServerConnection {
    frames: Sender<Bytes>,
    writing: JoinHandle<()>,
}

impl Drop for ServerConnection {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

/// Nothing more can be sent: the connection is gone, or the server does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sent any more")]
pub struct CannotSend;

impl ServerConnection {
    /// Hands a frame to the socket.
    ///
    /// # Errors
    /// The connection is gone, or too many frames wait already.
    pub fn send(&self, frame: Bytes) -> Result<(), CannotSend> {
        self.frames.try_send(frame).map_err(|_| CannotSend)
    }

    /// Ends when there is room for what one more line may need, or the connection is gone.
    pub fn room(&self) -> impl Future<Output = ()> + use<> {
        let frames = self.frames.clone();
        async move {
            drop(frames.reserve_many(WAITING / 2).await);
        }
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub enum ConnectError {
    /// The name has no address.
    Lookup(io::Error),
    /// No address answers.
    Unreachable(io::Error),
    /// The server and this client do not agree on TLS.
    Tls(io::Error),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lookup(error) => {
                let words = cause(error);
                let words = words
                    .strip_prefix("failed to lookup address information: ")
                    .unwrap_or(&words);
                write!(f, "there is no host of that name ({words})")
            }
            Self::Unreachable(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => f.write_str("no server listens there"),
                io::ErrorKind::TimedOut => f.write_str("no answer came in time"),
                _ => f.write_str(&cause(error)),
            },
            Self::Tls(error) => f.write_str(&tls::failure(error)),
        }
    }
}

/// Connects to the address of `host` that answers first, with TLS if it is said how.
///
/// # Errors
/// The name is unknown, or what the last address said.
pub async fn connect(
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
) -> Result<(ServerConnection, FrameStream), ConnectError> {
    let addresses = lookup_host((host.as_str(), port)).await;
    let mut race = Race::new(addresses.map_err(ConnectError::Lookup)?);
    let mut refused = None;
    loop {
        let stream = match race.next().await {
            Ok(stream) => stream,
            // What a server said says more than what no server said.
            Err(error) => return Err(refused.unwrap_or(ConnectError::Unreachable(error))),
        };
        stream
            .set_nodelay(true)
            .map_err(ConnectError::Unreachable)?;
        let Some(config) = &tls else {
            let (reader, writer) = stream.into_split();
            return Ok(open(Box::new(reader), writer));
        };
        match timeout(CONNECT, encrypt(stream, &host, config.clone())).await {
            Ok(Ok(connected)) => return Ok(connected),
            Ok(Err(error)) => refused = Some(ConnectError::Tls(error)),
            Err(_) => refused = Some(ConnectError::Tls(io::ErrorKind::TimedOut.into())),
        }
    }
}

async fn encrypt(
    stream: TcpStream,
    host: &str,
    config: Arc<ClientConfig>,
) -> io::Result<(ServerConnection, FrameStream)> {
    let name = tls::server_name(host)?;
    let stream = TlsConnector::from(config).connect(name, stream).await?;
    let (reader, writer) = tokio::io::split(stream);
    Ok(open(Box::new(reader), writer))
}

fn open(
    reader: Box<dyn AsyncRead + Unpin>,
    writer: impl AsyncWrite + Unpin + 'static,
) -> (ServerConnection, FrameStream) {
    let (frames, waiting) = mpsc::channel(WAITING);
    let writing = actix_rt::spawn(write(writer, waiting));
    (
        ServerConnection { frames, writing },
        FramedRead::new(reader, FrameCodec),
    )
}

/// Writes frames until there are no more, all that wait in one go.
async fn write(mut socket: impl AsyncWrite + Unpin, mut waiting: Receiver<Bytes>) {
    let mut batch = Vec::new();
    let mut bytes = BytesMut::new();
    while waiting.recv_many(&mut batch, WAITING).await > 0 {
        for frame in batch.drain(..) {
            bytes.extend_from_slice(&frame);
        }
        // A connection that does not take it is one that the reading half sees the end of.
        let written = match socket.write_all_buf(&mut bytes).await {
            Ok(()) => socket.flush().await,
            failed => failed,
        };
        if let Err(error) = written {
            log::debug!("the connection takes no more: {error}");
            return;
        }
    }
}

/// A request as the frame that carries it.
///
/// # Errors
/// It is longer than a frame.
pub fn frame(request: &Envelope<'_>) -> Result<Bytes, ProtoError> {
    let mut bytes = BytesMut::new();
    codec::encode(request, &mut bytes)?;
    Ok(bytes.freeze())
}
