//! The examples of PROTOCOL.md: each line parses, and the events have the bytes that a server sends.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use chat_proto::{Envelope, ErrorCode, Event};
use serde_json::Value;

const DOCUMENT: &str = include_str!("../PROTOCOL.md");

/// Returns the JSON of the example lines that begin with `side`.
fn examples(side: &str) -> impl Iterator<Item = &'static str> {
    DOCUMENT
        .lines()
        .filter_map(move |line| line.strip_prefix(side))
}

/// Returns the `type` of an object.
fn type_of(json: &str) -> String {
    let object: Value = serde_json::from_str(json).unwrap();
    object["type"].as_str().unwrap().to_owned()
}

fn types(side: &str) -> String {
    let types: BTreeSet<String> = examples(side).map(type_of).collect();
    types.into_iter().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_request_has_an_example_that_parses() {
    for json in examples("C: ") {
        assert!(Envelope::parse(json.as_bytes()).is_ok(), "{json}");
    }
    assert_eq!(
        types("C: "),
        "ban bans channels hello history join kick mute nick part password ping pong quit register \
         say topic unban unmute unregister users"
    );
}

#[test]
fn every_event_has_an_example_with_the_bytes_of_a_server() {
    for json in examples("S: ") {
        let event = Event::parse(json.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), json);
    }
    assert_eq!(
        types("S: "),
        "ack banned bans bye channels error gone history joined left message muted ping pong \
         registered renamed topic unbanned unmuted unregistered users welcome"
    );
}

/// The table of section 6 has one row for each code.
#[test]
fn every_error_code_has_a_row() {
    let rows = |table: &'static str| {
        table
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
    };
    let (_, errors) = DOCUMENT.split_once("\n## 6. Errors\n").unwrap();
    let (errors, _) = errors.split_once("\n## 7. Pace\n").unwrap();
    let codes: BTreeSet<&str> = rows(errors).map(|(code, _)| code).collect();
    let known = ErrorCode::ALL.map(|code| code.to_string());
    assert_eq!(codes, known.iter().map(String::as_str).collect());
    assert_eq!(rows(errors).count(), known.len());
}
