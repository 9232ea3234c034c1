//! A WebSocket as the transport of a session: one text message is one frame, each way (protocol, 1.
//! Frames). The session reads frames and is written frames to; here they become what RFC 6455 wants, and
//! nobody else knows of it.
//!
//! Nothing is compressed: permessage-deflate is never agreed to, so a client that uses it breaks the
//! protocol.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::str;
use std::task::{Context, Poll};

use actix_codec::Decoder as _;
use actix_http::ws::{CloseCode, CloseReason, Codec, Frame, Item, OpCode, Parser, ProtocolError};
use bytes::{Bytes, BytesMut};
use chat_proto::MAX_FRAME_BYTES;
use chat_proto::codec::{HEADER_BYTES, split_frame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::super::transport::{Kind, Layer, Transport};

/// The longest header of a frame from a client: two bytes, a length of eight and a mask of four.
const LONGEST_HEADER: usize = 14;

/// See the head of this file.
#[derive(Debug)]
pub struct WebSocket {
    stream: Transport,
    codec: Codec,
    /// Read, and not a whole frame of the WebSocket yet.
    wire: BytesMut,
    /// The fragments so far of a text message.
    fragments: BytesMut,
    /// Nothing is taken from the client any more.
    over: bool,
    /// How it is closed, until it is.
    close: Option<CloseReason>,
}

/// What somebody has said.
#[derive(Debug, Default)]
pub(in super::super) struct Received {
    /// As frames of the protocol, one for each message.
    pub frames: Vec<u8>,
    /// To be written back as it is.
    pub replies: Bytes,
}

/// Frames of the protocol as messages of a WebSocket: each length becomes the header of a text.
pub(in super::super) fn text_messages(mut frames: &[u8]) -> Bytes {
    // The header of a message of usual length has as many bytes as that of a frame.
    let mut messages = BytesMut::with_capacity(frames.len() + LONGEST_HEADER);
    while let Ok(Some(json)) = split_frame(frames) {
        Parser::write_message(&mut messages, json, OpCode::Text, true, false);
        frames = &frames[HEADER_BYTES + json.len()..];
    }
    debug_assert!(frames.is_empty());
    messages.freeze()
}

impl WebSocket {
    /// A WebSocket over `stream`, of which `wire` has been read already.
    pub(super) fn new(stream: Transport, wire: BytesMut) -> Self {
        Self {
            stream,
            codec: Codec::new().max_size(MAX_FRAME_BYTES),
            wire,
            fragments: BytesMut::new(),
            over: false,
            close: Some(CloseCode::Normal.into()),
        }
    }

    pub(in super::super) fn is_over(&self) -> bool {
        self.over
    }

    /// What was read next, and what it means.
    pub(in super::super) fn receive(&mut self, read: &[u8]) -> Received {
        self.wire.extend_from_slice(read);
        let (mut received, mut replies) = (Received::default(), BytesMut::new());
        while !self.over {
            match extended_length(&self.wire) {
                Some((length, _)) if length > MAX_FRAME_BYTES as u64 => {
                    self.refuse_length(usize::MAX, &mut received);
                    break;
                }
                Some((length, least)) if length < least => {
                    self.fail(CloseCode::Protocol, "a length takes the fewest bytes");
                    break;
                }
                _ => {}
            }
            match self.codec.decode(&mut self.wire) {
                Ok(Some(frame)) => self.take(frame, &mut received, &mut replies),
                Ok(None) => break,
                Err(error) => self.fail(CloseCode::Protocol, why(&error)),
            }
        }
        if self.over || self.wire.is_empty() {
            // An idle WebSocket holds no buffer.
            self.wire = BytesMut::new();
        }
        received.replies = replies.freeze();
        received
    }

    fn take(&mut self, frame: Frame, received: &mut Received, replies: &mut BytesMut) {
        match frame {
            Frame::Text(text) => self.pass_on(&text, received),
            Frame::Continuation(Item::FirstText(part) | Item::Continue(part)) => {
                self.gather(&part, received);
            }
            Frame::Continuation(Item::Last(part)) => {
                self.gather(&part, received);
                let text = std::mem::take(&mut self.fragments);
                if !self.over {
                    self.pass_on(&text, received);
                }
            }
            Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => self.fail(
                CloseCode::Unsupported,
                "the protocol is one JSON object per text message",
            ),
            Frame::Ping(payload) => {
                Parser::write_message(replies, payload, OpCode::Pong, true, false);
            }
            Frame::Pong(_) => {}
            Frame::Close(_) => self.over = true,
        }
    }

    fn gather(&mut self, part: &[u8], received: &mut Received) {
        if self.fragments.len() + part.len() > MAX_FRAME_BYTES {
            return self.refuse_length(usize::MAX, received);
        }
        self.fragments.extend_from_slice(part);
    }

    fn pass_on(&mut self, text: &[u8], received: &mut Received) {
        if text.is_empty() {
            return self.refuse_length(0, received);
        }
        if str::from_utf8(text).is_err() {
            return self.fail(CloseCode::Invalid, "a text message is UTF-8");
        }
        received.frames.extend(header(text.len()));
        received.frames.extend_from_slice(text);
    }

    /// Has the session say what it says to every frame of such a length.
    fn refuse_length(&mut self, length: usize, received: &mut Received) {
        received.frames.extend(header(length));
        self.fail(CloseCode::Size, "a message has 1 to 65,536 bytes");
    }

    fn fail(&mut self, code: CloseCode, why: &'static str) {
        self.over = true;
        self.fragments = BytesMut::new();
        self.close = Some((code, why).into());
    }
}

/// Its bytes, as they are.
impl Layer for WebSocket {
    fn kind(&self) -> Kind {
        Kind::Web
    }

    fn web_socket(&mut self) -> Option<&mut WebSocket> {
        Some(self)
    }

    // As what is below does it: written as a stream, a socket would count against the turn of whoever
    // writes to a thousand of them, and make all but the first hundred wait for a turn of their own.

    fn write_now(&mut self, slices: &[IoSlice<'_>], cx: &mut Context<'_>) -> io::Result<usize> {
        self.stream.try_write(slices, cx)
    }

    fn plain_socket(&self) -> Option<&TcpStream> {
        self.stream.plain_socket()
    }

    fn is_flushed(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        self.stream.is_flushed(cx)
    }

    fn poll_writable(&mut self, tried: bool, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_writable(tried, cx)
    }
}

impl AsyncRead for WebSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.poll_read(cx, buffer)
    }
}

impl AsyncWrite for WebSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_stream().poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_stream().poll_flush(cx)
    }

    /// Tells the client why nothing more comes.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(reason) = self.close.take() {
            let mut close = BytesMut::new();
            Parser::write_close(&mut close, Some(reason), false);
            // Nothing waits before it. Who has no room even for this has not read what it was sent.
            self.stream.try_write(&[IoSlice::new(&close)], cx).ok();
        }
        self.stream.as_stream().poll_shutdown(cx)
    }
}

/// How long the frame that begins here is, if it says so in a field of its own, and the shortest one that may (RFC
/// 6455, 5.2): known before it is there, and nothing is allocated for it.
fn extended_length(wire: &[u8]) -> Option<(u64, u64)> {
    let (head, rest) = wire.split_first_chunk::<2>()?;
    match head[1] & 0x7f {
        126 => Some((u16::from_be_bytes(*rest.first_chunk()?).into(), 126)),
        127 => Some((u64::from_be_bytes(*rest.first_chunk()?), 1 << 16)),
        _ => None,
    }
}

fn header(length: usize) -> [u8; HEADER_BYTES] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// What is wrong with it, shortly enough for a close (RFC 6455, 5.5).
fn why(error: &ProtocolError) -> &'static str {
    match error {
        ProtocolError::UnmaskedFrame => "a client masks its frames",
        ProtocolError::InvalidLength(_) => "a control frame has at most 125 bytes",
        ProtocolError::ContinuationNotStarted
        | ProtocolError::ContinuationStarted
        | ProtocolError::ContinuationFragment(_) => "fragments out of order",
        ProtocolError::Io(_) => "no extension was agreed to",
        _ => "no frame of a WebSocket",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_of_any_length_is_a_text_of_the_shortest_header() {
        for (length, head) in [
            (1, &[0x81, 1][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 0xff, 0xff]),
            (MAX_FRAME_BYTES, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let json = vec![b'x'; length];
            let frame = [&header(length)[..], &json].concat();
            let message = [head, &json].concat();
            assert_eq!(text_messages(&frame), message);
            assert_eq!(text_messages(&frame.repeat(2)), message.repeat(2));
        }
    }
}
