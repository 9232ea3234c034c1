//! What several test programs need.

use bytes::BytesMut;
use chat_proto::codec::{Names, encode_message};
use chat_proto::{Message, Saying, Text};

/// The frame of a message.
pub(crate) fn frame_of(message: &Message<'_>) -> BytesMut {
    let mut frame = BytesMut::new();
    append(message, &mut frame);
    frame
}

/// Writes a message as a server does, behind what `buffer` has.
pub(crate) fn append(message: &Message<'_>, buffer: &mut BytesMut) {
    let mut names = Names::default();
    names.set(&message.from, &message.to);
    let id = message.id.as_deref();
    let saying = Saying::new(&message.text, Text::MAX_BYTES, id, &mut BytesMut::new()).unwrap();
    encode_message(message.seq, message.time, &names, &saying, buffer).unwrap();
}
