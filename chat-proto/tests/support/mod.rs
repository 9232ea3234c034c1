//! What several test programs need.

use bytes::BytesMut;
use chat_proto::codec::{Names, encode_message};
use chat_proto::{Message, Saying, Text};

/// The frame of a message, written as a server does.
pub(crate) fn frame_of(message: &Message<'_>) -> BytesMut {
    let mut names = Names::default();
    names.set(&message.from, &message.to);
    let id = message.id.as_deref();
    let saying = Saying::new(&message.text, Text::MAX_BYTES, id, &mut BytesMut::new()).unwrap();
    let mut frame = BytesMut::new();
    encode_message(message.seq, message.time, &names, &saying, &mut frame).unwrap();
    frame
}
