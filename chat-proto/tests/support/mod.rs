//! What several test programs need.

use bytes::BytesMut;
use chat_proto::codec::{Heading, encode_message};
use chat_proto::{Message, Text, Words};

/// The frame of a message.
pub(crate) fn frame_of(message: &Message<'_>) -> BytesMut {
    let mut frame = BytesMut::new();
    append(message, &mut frame);
    frame
}

/// Writes a message as a server does, behind what `buffer` has.
pub(crate) fn append(message: &Message<'_>, buffer: &mut BytesMut) {
    let mut heading = Heading::default();
    heading.set(message.time, &message.from, &message.to);
    let mut words = Words::default();
    let id = message.id.as_deref();
    let saying = words.say(&message.text, Text::MAX_BYTES, id).unwrap();
    encode_message(message.seq, &heading, &words, saying, buffer).unwrap();
}
