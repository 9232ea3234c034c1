//! Frames: a length and that many bytes of JSON (PROTOCOL.md, 1. Frames).
//!
//! [`split_frame`] reads a frame where it lies, [`encode`] writes one; [`FrameCodec`] is the two for
//! `tokio_util`. Both sides share them.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;
use tokio_util::codec::{Decoder, Encoder};

use crate::text::{self, Form, LINE_ENDS};
use crate::{MAX_FRAME_BYTES, ProtoError, Saying, Timestamp, Words};

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

/// When somebody says something, who, and where, as it stands in a `message`: written anew only where it is not as
/// in the one before, as it is where somebody says many things at once.
#[derive(Debug, Default)]
pub struct Heading {
    time: Option<Timestamp>,
    from: String,
    to: String,
    json: String,
}

impl Heading {
    /// `to` is a channel or a nick. Returns whether both names are those of the message before.
    pub fn set(&mut self, time: Timestamp, from: &str, to: &str) -> bool {
        let same_names = self.from == from && self.to == to;
        if same_names && self.time == Some(time) {
            return true;
        }
        self.time = Some(time);
        from.clone_into(&mut self.from);
        to.clone_into(&mut self.to);
        self.json.clear();
        self.json.push_str(",\"time\":\"");
        time.with_text(|time| self.json.push_str(time));
        self.json.push_str("\",\"from\":");
        put_string(from, text::form_of(from), &mut self.json);
        self.json.push_str(",\"to\":");
        put_string(to, text::form_of(to), &mut self.json);
        same_names
    }
}

/// Writes a [`crate::Message`] as the frame that everyone is sent, its JSON ended by a newline: without the
/// header the same bytes are the line of the history. `saying` is one of `words`.
///
/// They are what [`crate::Record`] would write, put together from pieces that were written before: every message
/// passes here.
///
/// # Errors
/// [`ProtoError::BadFrame`] as [`encode`], which names and texts of legal length never cause.
pub fn encode_message(
    seq: u64,
    heading: &Heading,
    words: &Words,
    saying: Saying,
    buffer: &mut BytesMut,
) -> Result<(), ProtoError> {
    let mut digits = itoa::Buffer::new();
    let pieces = [
        "{\"type\":\"message\",\"seq\":",
        digits.format(seq),
        &heading.json,
        words.json(saying),
    ];
    let length = pieces.iter().map(|piece| piece.len()).sum();
    let header = header(length)?;
    buffer.reserve(HEADER_BYTES + length);
    buffer.put_slice(&header);
    pieces
        .iter()
        .for_each(|piece| buffer.put_slice(piece.as_bytes()));
    Ok(())
}

/// The header of a frame of `length` bytes of JSON.
fn header(length: usize) -> Result<[u8; HEADER_BYTES], ProtoError> {
    u32::try_from(length)
        .ok()
        .filter(|_| length <= MAX_FRAME_BYTES)
        .map(u32::to_be_bytes)
        .ok_or(ProtoError::BadFrame(length))
}

/// Writes `text`, of that form, as a JSON string.
pub(crate) fn put_string(text: &str, form: Form, buffer: &mut String) {
    let escaped;
    let inner = match form {
        Form::Plain => text,
        Form::Escaped => {
            let json = serde_json::Value::from(text).to_string();
            let line = json[1..json.len() - 1].replace(LINE_ENDS[0], "\\u2028");
            escaped = line.replace(LINE_ENDS[1], "\\u2029");
            &escaped
        }
    };
    buffer.push('"');
    buffer.push_str(inner);
    buffer.push('"');
}

/// What the frame of a page of `history` has besides its messages: at most so many bytes are left for
/// them and the commas between. `id` is that of the request.
pub fn history_room(with: &str, id: Option<&str>) -> usize {
    let mut frame = BytesMut::new();
    encode_history(with, &[], false, id, &mut frame).expect("an empty page of a legal name fits");
    MAX_FRAME_BYTES + HEADER_BYTES - frame.len()
}

/// Writes a page of `history` whose messages are lines of the log, as they are, in answer to the
/// request that bore `id`.
///
/// # Errors
/// [`ProtoError::BadFrame`] if the lines take more than [`history_room`].
pub fn encode_history(
    with: &str,
    lines: &[&[u8]],
    more: bool,
    id: Option<&str>,
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
            b"],\"more\":true"
        } else {
            b"],\"more\":false"
        });
        if let Some(id) = id {
            buffer.put_slice(b",\"id\":");
            serde_json::to_writer(buffer.writer(), id)?;
        }
        buffer.put_u8(b'}');
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
    match write(buffer).and_then(|()| header(buffer.len() - start - HEADER_BYTES)) {
        Ok(header) => {
            buffer[start..start + HEADER_BYTES].copy_from_slice(&header);
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
