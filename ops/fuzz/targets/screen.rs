//! Whatever a server sends: nothing that the client shows drives the terminal.
#![no_main]

use chat_client::{escape, render};
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
        is_harmless(&render::message(&message, &here));
    }
    match Event::parse(bytes) {
        Ok(Event::Error { code, detail, .. }) => {
            is_harmless(&render::error(&code.to_string(), &detail))
        }
        Ok(Event::Channels { channels, .. }) => is_harmless(&render::channels(&channels)),
        Ok(event) => {
            if let Some((shown, _)) = render::notice(&event) {
                is_harmless(&shown);
            }
        }
        Err(_) => {}
    }
});
