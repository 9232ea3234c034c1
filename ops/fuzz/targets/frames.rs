//! Any bytes, in any pieces: the frames are the same, and each is a request or a clear refusal; the short way for a
//! `say` takes nothing that the long way would not, and takes it as that would.
#![no_main]

use bytes::BytesMut;
use chat_proto::{Envelope, FrameCodec, PlainSay, Request, Say, Words};
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
    whole.0.iter().for_each(|frame| parse(frame));
    // Without a header too: the fuzzer finds JSON faster.
    parse(bytes);
});

fn parse(frame: &[u8]) {
    let parsed = Envelope::parse(frame);
    if let Err(malformed) = &parsed {
        assert!(!malformed.detail.is_empty());
    }
    if let Some(plain) = PlainSay::parse(frame) {
        let PlainSay { text, to, from, id, .. } = plain;
        let (mut words, mut plain_words) = (Words::default(), Words::default());
        assert_eq!(
            plain_words.say_plainly(&plain, 100),
            words.say(text, 100, id)
        );
        assert_eq!(plain_words, words);
        let say = Say {
            to: to.map(Into::into),
            text: text.into(),
            from: from.map(Into::into),
        };
        let plain = Envelope {
            request: Request::Say(say),
            id: id.map(Into::into),
        };
        assert_eq!(parsed, Ok(plain));
    }
}
