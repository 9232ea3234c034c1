//! What any three connections send, line by line, through the checks of a session into the registry:
//! messages are numbered without a hole and are legal lines of a history; nothing panics.
#![no_main]

use std::time::Duration;

use chat_proto::codec::{HEADER_BYTES, split_frame};
use chat_proto::{Record, Timestamp};
use chat_server::chat::SessionId;
use chat_server::chat::batch::Batch;
use chat_server::chat::effect::Effect;
use chat_server::chat::registry::{Registry, Settings};
use chat_server::net::translate::Translator;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let settings = Settings {
        server: "fuzz/1".into(),
        motd: String::new(),
        presence_max: 2,
        replay_max: 10,
        resume_window: Duration::from_secs(60),
        channels_per_user: 2,
        arrivals_per_second: 0,
        absent_max: 2,
        batch_bytes: 1 << 18,
        // Whoever registers that nick; nobody can here, so what only operators may do is refused.
        operators: ["ana".into()].into(),
    };
    let mut registry = Registry::new(settings, 0, []);
    let mut last_seq = 0;
    for (index, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let slot = u32::from(line.first().copied().unwrap_or_default() % 3);
        let origin = std::net::IpAddr::from([192, 0, 2, line.first().copied().unwrap_or_default()]).into();
        let session = SessionId {
            slot,
            generation: 1,
        };
        let frame = line.get(1..).unwrap_or_default();
        let mut translator = Translator::new(8192, origin, frame.len());
        let mut requests = Vec::new();
        if !translator.take_plain_say(frame, &mut requests) {
            requests.push(translator.translate(frame).0);
        }
        let words = translator.into_words();
        let mut batch = Batch::default();
        let now = Timestamp::from_millis(index as i64);
        for request in requests {
            registry.handle(session, request, &words, now, &mut batch);
        }
        let mut frames = batch.frames();
        for effect in batch.release(frames.clone(), last_seq).effects {
            let Effect::Messages { last_seq: seq, .. } = effect else {
                continue;
            };
            last_seq += 1;
            assert_eq!(seq, last_seq);
            let line = split_frame(&frames).expect("a frame").expect("a whole one");
            let Record::Message(message) = serde_json::from_slice(line).expect("a message");
            assert_eq!(message.seq, seq);
            let _ = frames.split_to(HEADER_BYTES + line.len());
        }
    }
});
