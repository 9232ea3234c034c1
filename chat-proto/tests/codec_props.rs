//! Frames split anywhere, and anything at all in place of frames.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use bytes::{BufMut, BytesMut};
use chat_proto::codec::{
    Heading, encode, encode_history, encode_message, history_room, json_string_bytes, split_frame,
};
use chat_proto::name::fold;
use chat_proto::{
    Channel, Envelope, Event, FrameCodec, MAX_FRAME_BYTES, Message, Nick, ProtoError, Request, Say,
    Text, Timestamp, Words,
};
use proptest::prelude::*;
use support::frame_of;
use tokio_util::codec::Decoder;

fn frames(bodies: &[Vec<u8>]) -> Vec<u8> {
    let mut wire = Vec::new();
    for body in bodies {
        wire.put_u32(u32::try_from(body.len()).unwrap());
        wire.extend_from_slice(body);
    }
    wire
}

fn decode_all(codec: &mut FrameCodec, buffer: &mut BytesMut) -> Vec<Vec<u8>> {
    std::iter::from_fn(|| codec.decode(buffer).unwrap())
        .map(|frame| frame.to_vec())
        .collect()
}

#[test]
fn every_split_point() {
    let bodies = [b"{}".to_vec(), vec![b'x'; 300], "ñ👋🏽".into(), vec![b'y'; 1]];
    let wire = frames(&bodies);
    for at in 0..=wire.len() {
        let (mut buffer, mut codec) = (BytesMut::from(&wire[..at]), FrameCodec);
        let mut got = decode_all(&mut codec, &mut buffer);
        buffer.extend_from_slice(&wire[at..]);
        got.extend(decode_all(&mut codec, &mut buffer));
        assert_eq!(got, bodies, "split at {at}");
        assert!(codec.decode_eof(&mut buffer).unwrap().is_none());
    }
}

#[test]
fn lengths_out_of_range_are_known_by_the_header_alone() {
    let largest = u32::try_from(MAX_FRAME_BYTES).unwrap();
    for length in [0, largest + 1, u32::MAX] {
        let error = split_frame(&length.to_be_bytes()).unwrap_err();
        assert!(
            matches!(error, ProtoError::BadFrame(bytes) if bytes == length as usize),
            "{error}"
        );
    }
    for length in [1, largest] {
        assert!(split_frame(&length.to_be_bytes()).unwrap().is_none());
    }
    assert_eq!(
        split_frame(&frames(&[vec![b' '; MAX_FRAME_BYTES]]))
            .unwrap()
            .unwrap()
            .len(),
        MAX_FRAME_BYTES
    );
}

#[test]
fn an_end_within_a_frame_is_an_error() {
    let mut buffer = BytesMut::from(&frames(&[b"{}".to_vec()])[..5]);
    assert!(FrameCodec.decode_eof(&mut buffer).is_err());
}

#[test]
fn an_object_too_large_for_a_frame_leaves_no_trace() {
    let mut buffer = BytesMut::from(&b"before"[..]);
    let event = Event::Bye {
        reason: "x".repeat(MAX_FRAME_BYTES).into(),
        id: None,
    };
    assert!(matches!(
        encode(&event, &mut buffer),
        Err(ProtoError::BadFrame(_))
    ));
    assert_eq!(&buffer[..], b"before");
}

#[test]
fn the_largest_message_and_the_largest_page_fit() {
    let (nick, text, id) = (
        "\"".repeat(32),
        "\"".repeat(Text::MAX_BYTES),
        "\u{1}".repeat(64),
    );
    let message = Message {
        seq: u64::MAX,
        time: Timestamp::from_millis(i64::MAX),
        from: nick.as_str().into(),
        to: nick.as_str().into(),
        text: text.into(),
        id: Some(id.into()),
    };
    assert!(frame_of(&message).len() < MAX_FRAME_BYTES / 3);
    let longest = "\u{1}".repeat(64);
    for id in [None, Some(&*longest)] {
        let mut page = BytesMut::new();
        let line = vec![b'1'; history_room(&nick, id)];
        encode_history(&nick, &[&line], false, id, &mut page).unwrap();
        assert_eq!(split_frame(&page).unwrap().unwrap().len(), MAX_FRAME_BYTES);
        let line = [&line[..], b"1"].concat();
        assert!(encode_history(&nick, &[&line], false, id, &mut page).is_err());
    }
}

#[test]
fn a_heading_is_that_of_the_message_whatever_was_said_before() {
    let mut words = Words::default();
    let saying = words.say("x", 1, None).unwrap();
    let mut heading = Heading::default();
    for (millis, from, to) in [
        (0, "ana", "#a"),
        (0, "ana", "#a"),
        (0, "ana", "#b"),
        (0, "eva", "#b"),
        (1, "eva", "#b"),
        (0, "ana", "#a"),
    ] {
        let time = Timestamp::from_millis(millis);
        heading.set(time, from, to);
        let mut frame = BytesMut::new();
        encode_message(1, &heading, &words, saying, &mut frame).unwrap();
        let (from, to, text) = (from.into(), to.into(), "x".into());
        let message = Message {
            seq: 1,
            time,
            from,
            to,
            text,
            id: None,
        };
        assert_eq!(frame, frame_of(&message));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_frames_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let mut buffer = BytesMut::from(&bytes[..]);
        while let Ok(Some(frame)) = FrameCodec.decode(&mut buffer) {
            prop_assert!(!frame.is_empty() && frame.len() <= MAX_FRAME_BYTES);
        }
    }

    #[test]
    fn any_frame_is_a_request_or_a_refusal(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(malformed) = Envelope::parse(&body) {
            prop_assert!(!malformed.detail.is_empty());
        }
        if let Err(error) = Event::parse(&body) {
            prop_assert!(matches!(error, ProtoError::Json(_)));
        }
    }

    #[test]
    fn any_json_is_a_request_or_a_refusal(
        kind in "say|hello|join|part|users|history|nick|ping|quit|x",
        key in "text|to|id|channel|limit|before|after|version|with|nick|q",
        value in "null|true|-?(0|[1-9][0-9]{0,24})|[1-9][0-9]{0,2}\\.5|\"[a-z#]{0,70}\"|\\[[0-9]?\\]|\\{\"a\":1\\}",
    ) {
        let json = format!("{{\"type\":\"{kind}\",\"{key}\":{value}}}");
        if let Err(malformed) = Envelope::parse(json.as_bytes()) {
            prop_assert_ne!(malformed.code, chat_proto::ErrorCode::BadJson);
        }
    }

    #[test]
    fn what_is_said_is_read_back(text in "\\PC{1,80}", to in proptest::option::of("\\PC{1,20}"), id in proptest::option::of("[a-z0-9]{1,64}")) {
        let envelope = Envelope {
            request: Request::Say(Say { to: to.map(Into::into), text: text.into(), from: None }),
            id: id.map(Into::into),
        };
        let mut frame = BytesMut::new();
        encode(&envelope, &mut frame).unwrap();
        prop_assert_eq!(Envelope::parse(split_frame(&frame).unwrap().unwrap()).unwrap(), envelope);
    }

    #[test]
    fn a_message_is_written_as_serde_would(
        seq in any::<u64>(),
        millis in 0_i64..4_000_000_000_000,
        names in proptest::array::uniform2("([a-z \\PC]|[\"\\\\\n\t\u{1}\u{7f}\u{85}\u{2028}]){0,40}"),
        text in "([a-z \\PC]|[\"\\\\\n\t\u{2028}]){1,80}",
        id in proptest::option::of("[\u{0}-\u{7f}]{1,64}"),
    ) {
        let [from, to] = names.map(Into::into);
        let time = Timestamp::from_millis(millis);
        let message = Message { seq, time, from, to, text: text.into(), id: id.map(Into::into) };
        let frame = frame_of(&message);
        let line = serde_json::to_string(&Event::Message(message)).unwrap() + "\n";
        // But for what would look like the end of a line.
        let line = line.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        prop_assert_eq!(split_frame(&frame).unwrap().unwrap(), line.as_bytes());
    }

    #[test]
    fn folding_is_done_once(name in "\\PC{0,40}") {
        let once = fold(&name);
        prop_assert_eq!(fold(&once), once.clone());
    }

    #[test]
    fn a_folded_name_is_the_same_name(name in "\\PC{1,32}") {
        if let Ok(nick) = Nick::new(&name) {
            prop_assert_eq!(nick.folded(), &*fold(&name));
            // Folding may lengthen a name (ﷺ is 18 letters), never change who it is.
            if let Ok(folded) = Nick::new(nick.folded()) {
                prop_assert_eq!(&folded, &nick);
            }
        }
        if let Ok(channel) = Channel::new(&format!("#{name}")) {
            prop_assert!(channel.folded().starts_with('#'));
        }
    }

    #[test]
    fn the_size_of_a_string_is_known(name in "[\\PC\n\t]{0,40}") {
        prop_assert_eq!(json_string_bytes(&name), serde_json::to_string(&name).unwrap().len());
    }
}
