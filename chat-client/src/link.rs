//! One connection to the server: how it is made, and its writing half.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chat_proto::{Envelope, FrameCodec, ProtoError, codec};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::codec::FramedRead;

/// How long one address may take to answer: a firewall that swallows packets would hold the attempt
/// up for minutes.
const CONNECT: Duration = Duration::from_secs(10);

/// Frames that may wait for the socket. More than the window of what is typed, so that all of that
/// can be sent again at once, and answers to pings besides.
const WAITING: usize = 1024;

/// The frames that arrive.
pub type Arrivals = FramedRead<OwnedReadHalf, FrameCodec>;

/// The writing half. Dropped, the connection ends; a goodbye is waited for before.
#[derive(Debug)]
pub struct Link {
    frames: Sender<Bytes>,
    writing: JoinHandle<()>,
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

/// Nothing more can be sent: the connection is gone, or the server does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing can be sent any more")]
pub struct Stuck;

impl Link {
    /// Hands a frame to the socket.
    ///
    /// # Errors
    /// The connection is gone, or too many frames wait already.
    pub fn send(&self, frame: Bytes) -> Result<(), Stuck> {
        self.frames.try_send(frame).map_err(|_| Stuck)
    }

    /// Ends when there is room for what one more line may need, or the connection is gone.
    pub fn room(&self) -> impl Future<Output = ()> + use<> {
        let frames = self.frames.clone();
        async move {
            drop(frames.reserve_many(WAITING / 2).await);
        }
    }
}

/// Connects to the first address of `host` that answers.
///
/// # Errors
/// The name is unknown, or what the last address said.
pub async fn connect(host: String, port: u16) -> io::Result<(Link, Arrivals)> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((host.as_str(), port)).await? {
        match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return open(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
        log::debug!("{address}: {last}");
    }
    Err(last)
}

fn open(stream: TcpStream) -> io::Result<(Link, Arrivals)> {
    stream.set_nodelay(true)?;
    let (reader, writer) = stream.into_split();
    let (frames, waiting) = mpsc::channel(WAITING);
    let writing = actix_rt::spawn(write(writer, waiting));
    Ok((
        Link { frames, writing },
        FramedRead::new(reader, FrameCodec),
    ))
}

/// Writes frames until there are no more, all that wait in one go.
async fn write(mut socket: OwnedWriteHalf, mut waiting: Receiver<Bytes>) {
    let mut batch = Vec::new();
    let mut bytes = BytesMut::new();
    while waiting.recv_many(&mut batch, WAITING).await > 0 {
        for frame in batch.drain(..) {
            bytes.extend_from_slice(&frame);
        }
        // A connection that does not take it is one that the reading half sees the end of.
        if let Err(error) = socket.write_all_buf(&mut bytes).await {
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
