//! Whatever a server sends: nothing that the client shows drives the terminal.
#![no_main]

use chat_client::text::{escape, format};
use chat_proto::{Channel, Event, Record};
use libfuzzer_sys::fuzz_target;

fn is_harmless(shown: &str) {
    assert!(
        shown.chars().all(|c| c == '\n' || !escape::is_escaped(c)),
        "{shown:?}"
    );
}

fuzz_target!(|bytes: &[u8]| {
    let here = Channel::lobby();
    if let Ok(Record::Message(message)) = serde_json::from_slice(bytes) {
        is_harmless(&format::message(&message, &here));
    }
    match Event::parse(bytes) {
        Ok(Event::Error { code, detail, .. }) => {
            is_harmless(&format::error(&code.to_string(), &detail))
        }
        Ok(Event::Channels { channels, .. }) => is_harmless(&format::channels(&channels)),
        Ok(event) => {
            if let Some((shown, _)) = format::notice(&event) {
                is_harmless(&shown);
            }
        }
        Err(_) => {}
    }
});
