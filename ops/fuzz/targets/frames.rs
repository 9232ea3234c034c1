//! Any bytes, in any pieces: the frames are the same, and each is a request or a clear refusal.
#![no_main]

use bytes::BytesMut;
use chat_proto::{Envelope, FrameCodec};
use libfuzzer_sys::fuzz_target;
use tokio_util::codec::Decoder;

fn frames(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
    let (mut input, mut frames) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match FrameCodec.decode(&mut input) {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(_) => return (frames, true),
            }
        }
    }
    (frames, false)
}

fuzz_target!(|bytes: &[u8]| {
    let whole = frames(&[bytes]);
    let at = bytes
        .first()
        .map_or(0, |&first| usize::from(first).min(bytes.len()));
    assert_eq!(frames(&[&bytes[..at], &bytes[at..]]), whole);
    for frame in whole.0 {
        if let Err(malformed) = Envelope::parse(&frame) {
            assert!(!malformed.detail.is_empty());
        }
    }
    // Without a header too: the fuzzer finds JSON faster.
    Envelope::parse(bytes).ok();
});
