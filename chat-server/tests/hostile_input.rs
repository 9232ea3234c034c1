//! Bytes that are no chat.

mod support;

use serde_json::json;
use support::{Home, frame};

#[test]
fn a_length_out_of_range_closes() {
    let home = Home::new("");
    let server = home.start();
    for length in [0_u32, 65_537, u32::MAX] {
        let mut ana = server.joins(&format!("Ana{length}"));
        ana.send_raw(&length.to_be_bytes());
        ana.expect_error("bad_frame");
        ana.expect_closed();
    }
}

#[test]
fn ten_malformed_in_a_row_close() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for _ in 0..10 {
        ana.send(&json!([]));
    }
    for _ in 0..10 {
        ana.expect_error("bad_request");
    }
    assert!(
        ana.next_raw()
            .is_none_or(|last| last.starts_with(b"{\"type\":\"bye\""))
    );
}

#[test]
fn byte_by_byte_and_half_closed() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for byte in frame(&json!({"type": "ping", "id": "p"})) {
        ana.send_raw(&[byte]);
    }
    ana.closes_sending();
    assert_eq!(ana.expect("pong")["id"], "p");
}

#[test]
fn two_thousand_requests_at_once_are_answered_in_order() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let all: Vec<u8> = (0..2000)
        .flat_map(|n| frame(&json!({"type": "ping", "id": n.to_string()})))
        .collect();
    ana.send_raw(&all);
    for n in 0..2000 {
        assert_eq!(ana.expect("pong")["id"], n.to_string());
    }
}

#[test]
fn silence_is_asked_and_then_ended() {
    let home = Home::new("idle_timeout = \"100ms\"");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.expect("ping");
    ana.expect_error("idle_timeout");
    ana.expect_closed();
}
