//! Who does not read is let go; the others notice nothing.

mod support;

use std::time::{Duration, Instant};

use support::{Home, TestClient};

/// Says texts of 8,000 bytes until somebody called Lento is gone.
fn talks_until_lento_is_gone(ana: &mut TestClient) {
    let text = "x".repeat(8000);
    for n in 0..5000 {
        ana.say("#lobby", &text, &format!("{n}"));
        let events = [ana.next(), ana.next()];
        let gone = |event: &serde_json::Value| event["type"] == "gone" && event["nick"] == "Lento";
        if events.iter().any(gone) {
            return;
        }
    }
    panic!("the slow reader is still here");
}

#[test]
fn who_does_not_read_is_let_go() {
    let home = Home::new("send_queue_bytes = 131072");
    let server = home.start();
    let mut slow = server.joins("Lento");
    let mut ana = server.joins("Ana");
    talks_until_lento_is_gone(&mut ana);
    // What was written before is whole and in order; behind it stands why nothing follows.
    slow.awaits("message");
    assert_eq!(slow.awaits("error")["code"], "slow_consumer");
    slow.expect_closed();
}

/// Deliveries are slowed for those who are behind, not for those who were let go.
#[test]
fn who_was_let_go_slows_nobody() {
    let home = Home::new("send_queue_bytes = 65536");
    let server = home.start();
    let _slow = server.joins("Lento");
    let mut ana = server.joins("Ana");
    talks_until_lento_is_gone(&mut ana);
    let begun = Instant::now();
    let text = "x".repeat(8000);
    // At half the queue a second this would last ten seconds.
    for n in 0..40 {
        ana.say("#lobby", &text, &format!("after {n}"));
        while ana.awaits("ack")["id"] != format!("after {n}") {}
    }
    let lasted = begun.elapsed();
    assert!(lasted < Duration::from_secs(3), "{lasted:?}");
}
