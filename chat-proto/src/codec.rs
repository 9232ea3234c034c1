//! Frames: a length and that many bytes of JSON (PROTOCOL.md, 1. Frames).
//!
//! [`split_frame`] reads a frame where it lies, [`encode`] writes one; [`FrameCodec`] is the two for
//! `tokio_util`. Both sides share them.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use tokio_util::codec::{Decoder, Encoder};

use crate::{MAX_FRAME_BYTES, Message, ProtoError};

/// The bytes of a frame's length.
pub const HEADER_BYTES: usize = 4;

/// The first frame in `input`, without its header, if all of it is there.
///
/// # Errors
/// [`ProtoError::BadFrame`] as soon as the length is known to be out of range.
pub fn split_frame(input: &[u8]) -> Result<Option<&[u8]>, ProtoError> {
    let Some((header, rest)) = input.split_first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*header) as usize;
    if length == 0 || length > MAX_FRAME_BYTES {
        return Err(ProtoError::BadFrame(length));
    }
    Ok(rest.get(..length))
}

/// Writes `object` as one frame behind what `buffer` has.
///
/// # Errors
/// [`ProtoError::BadFrame`] if the object takes more than [`MAX_FRAME_BYTES`]; `buffer` is as before.
pub fn encode(object: &impl Serialize, buffer: &mut BytesMut) -> Result<(), ProtoError> {
    framed(buffer, |buffer| {
        Ok(serde_json::to_writer(buffer.writer(), object)?)
    })
}

/// Writes `message` as the frame that everyone is sent, its JSON ended by a newline: without the
/// header the same bytes are the line of the history. Returns the bytes written.
///
/// # Errors
/// [`ProtoError::BadFrame`] as [`encode`], which names and texts of legal length never cause.
pub fn encode_message(message: &Message<'_>, buffer: &mut BytesMut) -> Result<usize, ProtoError> {
    let start = buffer.len();
    framed(buffer, |buffer| {
        // What `Record::Message` would write, in a third of the time: every message passes here.
        let Message {
            seq,
            time,
            from,
            to,
            text,
            id,
        } = message;
        buffer.put_slice(b"{\"type\":\"message\",\"seq\":");
        buffer.put_slice(itoa::Buffer::new().format(*seq).as_bytes());
        buffer.put_slice(b",\"time\":\"");
        time.with_text(|time| buffer.put_slice(time.as_bytes()));
        buffer.put_slice(b"\",\"from\":");
        put_string(from, buffer)?;
        buffer.put_slice(b",\"to\":");
        put_string(to, buffer)?;
        buffer.put_slice(b",\"text\":");
        put_string(text, buffer)?;
        if let Some(id) = id {
            buffer.put_slice(b",\"id\":");
            put_string(id, buffer)?;
        }
        buffer.put_slice(b"}\n");
        Ok(())
    })?;
    Ok(buffer.len() - start)
}

/// JSON allows them in a string, but many a tool takes them for the end of a line, and a message is one line
/// of the history.
const LINE_ENDS: [char; 2] = ['\u{2028}', '\u{2029}'];

/// Writes `text` as a JSON string; most texts have nothing to escape, which is looked for wide.
fn put_string(text: &str, buffer: &mut BytesMut) -> Result<(), ProtoError> {
    let escapes = text.bytes().fold(false, |found, byte| {
        found | (byte < 0x20) | (byte == b'"') | (byte == b'\\')
    });
    if escapes || !text.is_ascii() && text.contains(LINE_ENDS) {
        let json = serde_json::to_string(text)?;
        let line = json.replace(LINE_ENDS[0], "\\u2028");
        buffer.put_slice(line.replace(LINE_ENDS[1], "\\u2029").as_bytes());
        return Ok(());
    }
    buffer.reserve(text.len() + 2);
    buffer.put_u8(b'"');
    buffer.put_slice(text.as_bytes());
    buffer.put_u8(b'"');
    Ok(())
}

/// What the frame of a page of `history` has besides its messages: at most so many bytes are left for
/// them and the commas between.
pub fn history_room(with: &str) -> usize {
    let mut frame = BytesMut::new();
    encode_history(with, &[], false, &mut frame).expect("an empty page of a legal name fits");
    MAX_FRAME_BYTES + HEADER_BYTES - frame.len()
}

/// Writes a page of `history` whose messages are lines of the log, as they are.
///
/// # Errors
/// [`ProtoError::BadFrame`] if the lines take more than [`history_room`].
pub fn encode_history(
    with: &str,
    lines: &[&[u8]],
    more: bool,
    buffer: &mut BytesMut,
) -> Result<(), ProtoError> {
    framed(buffer, |buffer| {
        buffer.put_slice(b"{\"type\":\"history\",\"with\":");
        serde_json::to_writer(buffer.writer(), with)?;
        buffer.put_slice(b",\"messages\":[");
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                buffer.put_u8(b',');
            }
            buffer.put_slice(line);
        }
        buffer.put_slice(if more {
            b"],\"more\":true}"
        } else {
            b"],\"more\":false}"
        });
        Ok(())
    })
}

/// The bytes that `text` takes as a JSON string, quotes included.
pub fn json_string_bytes(text: &str) -> usize {
    let escaped = text
        .bytes()
        .filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t'))
        .count();
    text.len() + escaped + 2
}

/// Writes the header, has `write` append the JSON, and fills in the length.
fn framed(
    buffer: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), ProtoError>,
) -> Result<(), ProtoError> {
    let start = buffer.len();
    buffer.put_u32(0);
    let written = write(buffer).and_then(|()| {
        let length = buffer.len() - start - HEADER_BYTES;
        u32::try_from(length)
            .ok()
            .filter(|_| length <= MAX_FRAME_BYTES)
            .ok_or(ProtoError::BadFrame(length))
    });
    match written {
        Ok(length) => {
            buffer[start..start + HEADER_BYTES].copy_from_slice(&length.to_be_bytes());
            Ok(())
        }
        Err(error) => {
            buffer.truncate(start);
            Err(error)
        }
    }
}

/// Frames for `tokio_util::codec`: reads the JSON of each, writes whatever serialises.
#[derive(Debug, Default, Clone, Copy)]
pub struct FrameCodec;

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = ProtoError;

    fn decode(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, ProtoError> {
        let Some(length) = split_frame(input)?.map(<[u8]>::len) else {
            return Ok(None);
        };
        let mut frame = input.split_to(HEADER_BYTES + length);
        Ok(Some(frame.split_off(HEADER_BYTES).freeze()))
    }

    fn decode_eof(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, ProtoError> {
        match self.decode(input)? {
            Some(frame) => Ok(Some(frame)),
            None if input.is_empty() => Ok(None),
            None => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

impl<T: Serialize> Encoder<T> for FrameCodec {
    type Error = ProtoError;

    fn encode(&mut self, object: T, output: &mut BytesMut) -> Result<(), ProtoError> {
        encode(&object, output)
    }
}
