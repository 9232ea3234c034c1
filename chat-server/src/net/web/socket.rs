//! A WebSocket as the stream of a session: one text message is one frame, each way (protocol, 1. Frames).
//!
//! One task per WebSocket pumps between it and a pipe whose other end the session reads and writes. It
//! reads no further from either side while the other takes no more, so what waits here is bounded by
//! the pipe and by what the WebSocket's own queue holds.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, Closed, MessageStream,
    ProtocolError,
};
use bytes::{Buf as _, Bytes, BytesMut};
use chat_proto::MAX_FRAME_BYTES;
use chat_proto::codec::{HEADER_BYTES, split_frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::super::connection::LINGER;
use super::super::places::Permit;
use super::super::session::Session;
use super::super::table::Table;
use super::super::transport::Transport;

/// What the pipe holds each way: some messages, so that many small ones take few turns.
const PIPE_BYTES: usize = 16 * 1024;

/// What one read of the pipe takes.
const READ_BYTES: usize = 4 * 1024;

/// Starts the session of a WebSocket, and what pumps for it, on this thread.
pub(super) fn open(
    sender: actix_ws::Session,
    messages: MessageStream,
    peer: SocketAddr,
    permit: Permit,
    table: &Rc<Table>,
) {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    Session::open(Transport::Layered(Box::new(theirs)), peer, permit, table);
    // A longer frame is an error before it is read; so is a longer message of fragments.
    let messages = messages
        .max_frame_size(MAX_FRAME_BYTES)
        .aggregate_continuations()
        .max_continuation_size(MAX_FRAME_BYTES);
    let (from_session, to_session) = tokio::io::split(ours);
    actix_rt::spawn(pump(sender, messages, from_session, to_session));
}

async fn pump(
    sender: actix_ws::Session,
    mut messages: AggregatedMessageStream,
    from_session: ReadHalf<DuplexStream>,
    mut to_session: WriteHalf<DuplexStream>,
) {
    let replies = sender.clone();
    let incoming = async {
        let close = take_in(&mut messages, &mut to_session, replies).await;
        // The session answers what came before; an error means that it has gone already.
        to_session.shutdown().await.ok();
        match close {
            // It has to hear why, and nothing but that.
            Some(close) => close,
            // The other direction ends the pump.
            None => std::future::pending().await,
        }
    };
    let close = tokio::select! {
        close = incoming => close,
        close = give_out(sender.clone(), from_session) => close,
    };
    if sender.close(Some(close)).await.is_ok() {
        // Until it is on its way; who does not read it in time has lost nothing but the reason.
        let ended = async { while let Some(Ok(_)) = messages.recv().await {} };
        timeout(LINGER, ended).await.ok();
    }
}

/// From the WebSocket to the session, until the client says no more, or something that is no part of the
/// protocol: then why it is closed.
async fn take_in(
    messages: &mut AggregatedMessageStream,
    to_session: &mut WriteHalf<DuplexStream>,
    mut replies: actix_ws::Session,
) -> Option<CloseReason> {
    while let Some(message) = messages.recv().await {
        let passed_on = match message {
            Ok(AggregatedMessage::Text(text)) => {
                let is_legal = (1..=MAX_FRAME_BYTES).contains(&text.len());
                let passed_on = pass_on(to_session, text.as_bytes()).await;
                if !is_legal {
                    return None;
                }
                passed_on
            }
            Ok(AggregatedMessage::Ping(payload)) => match replies.pong(&payload).await {
                Ok(()) => Ok(()),
                Err(Closed) => return None,
            },
            Ok(AggregatedMessage::Pong(_)) => Ok(()),
            Ok(AggregatedMessage::Close(_)) => return None,
            Ok(AggregatedMessage::Binary(_)) => {
                let code = CloseCode::Unsupported;
                return Some((code, "the protocol is one JSON object per text message").into());
            }
            Err(error) => match why(&error) {
                Some(close) => return Some(close),
                None => {
                    // The session says what it says to every frame that is too long.
                    pass_on(to_session, &[0; MAX_FRAME_BYTES + 1]).await.ok();
                    return None;
                }
            },
        };
        if passed_on.is_err() {
            return None;
        }
    }
    None
}

/// Writes a frame; of one whose length is out of range the header alone, which the session refuses.
async fn pass_on(to_session: &mut WriteHalf<DuplexStream>, json: &[u8]) -> io::Result<()> {
    let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
    let json = match json.len() {
        1..=MAX_FRAME_BYTES => json,
        _ => &[],
    };
    let mut frame = Bytes::copy_from_slice(&length.to_be_bytes()).chain(json);
    to_session.write_all_buf(&mut frame).await
}

/// How an error closes the WebSocket (RFC 6455, 7.4.1); not at all where a message is too long.
fn why(error: &ProtocolError) -> Option<CloseReason> {
    match error {
        ProtocolError::Overflow => None,
        ProtocolError::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            Some((CloseCode::Invalid, "a text message is UTF-8").into())
        }
        // Said of fragments that are too long together; a connection that broke is told nothing anyway.
        ProtocolError::Io(_) => None,
        _ => Some((CloseCode::Protocol, error.to_string()).into()),
    }
}

/// From the session to the WebSocket, until the session ends.
async fn give_out(
    mut sender: actix_ws::Session,
    mut from_session: ReadHalf<DuplexStream>,
) -> CloseReason {
    let goodbye: CloseReason = CloseCode::Normal.into();
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_BYTES);
        if !matches!(from_session.read_buf(&mut buffer).await, Ok(1..)) {
            return goodbye;
        }
        while let Some(json) = next_frame(&mut buffer) {
            let Ok(json) = json.try_into() else {
                return (CloseCode::Error, "a fault of the server").into();
            };
            let json: bytestring::ByteString = json;
            if sender.text(json).await.is_err() {
                return goodbye;
            }
        }
    }
}

/// Takes the JSON of a whole frame.
fn next_frame(buffer: &mut BytesMut) -> Option<Bytes> {
    let bytes = split_frame(buffer).ok()??.len();
    buffer.advance(HEADER_BYTES);
    Some(buffer.split_to(bytes).freeze())
}
