//! The server says goodbye.

mod support;

use serde_json::{Value, json};
use support::{Home, frame};

#[test]
fn a_signal_tells_everyone_and_ends_with_0() {
    let home = Home::new("");
    for signal in ["TERM", "INT"] {
        let server = home.start();
        let mut ana = server.joins("Ana");
        let mut nobody = server.connect();
        assert_eq!(
            nobody.ask(&json!({"type": "ping"}))["code"],
            "hello_required"
        );
        server.signal(signal);
        for client in [&mut ana, &mut nobody] {
            client.expect_error("shutting_down");
            assert_eq!(client.expect("bye")["reason"], "shutting_down");
            client.expect_closed();
        }
        assert_eq!(server.ended().code(), Some(0));
    }
}

/// In the middle of a thousand requests: what was dealt with is acked and recorded, nothing else is, and
/// the goodbye stands behind it.
#[test]
fn what_was_acked_before_the_goodbye_is_recorded() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let say =
        |n: usize| frame(&json!({"type": "say", "text": "x".repeat(100), "id": n.to_string()}));
    ana.send_raw(&(0..1000).flat_map(say).collect::<Vec<u8>>());
    let mut acked = usize::from(ana.awaits("ack")["seq"] == 1);
    server.terminate();
    let goodbye = loop {
        let event = ana.next();
        match event["type"].as_str() {
            Some("ack") => acked += 1,
            Some("message") => {}
            _ => break event,
        }
    };
    assert_eq!(goodbye["code"], "shutting_down");
    ana.expect("bye");
    ana.expect_closed();
    assert_eq!(server.ended().code(), Some(0));
    let lines = home.lines();
    assert_eq!(lines.len(), acked);
    let dense = |(n, line): (usize, &Value)| line["seq"] == n + 1 && line["id"] == *n.to_string();
    assert!(lines.iter().enumerate().all(dense));
}

/// Who does not read their last messages holds up the end for no longer than the grace.
#[test]
fn somebody_who_does_not_read_does_not_keep_the_server() {
    let home = Home::new("shutdown_grace = \"200ms\"\nsend_queue_bytes = 16777216");
    let server = home.start();
    let _slow = server.joins("Lento");
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8000);
    for n in 0..1500 {
        ana.says("#lobby", &text, &n.to_string());
        ana.expect("message");
    }
    server.terminate();
    ana.expect_error("shutting_down");
    ana.expect("bye");
    assert_eq!(server.ended().code(), Some(0));
    assert_eq!(home.lines().len(), 1500);
}
