//! Who does not read is let go; the others notice nothing.

mod support;

use support::Home;

#[test]
fn who_does_not_read_is_let_go() {
    let home = Home::new("send_queue_bytes = 131072");
    let server = home.start();
    let mut slow = server.joins("Lento");
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8000);
    for n in 0..5000 {
        ana.say("#lobby", &text, &format!("{n}"));
        let events = [ana.next(), ana.next()];
        let gone = |event: &serde_json::Value| event["type"] == "gone" && event["nick"] == "Lento";
        if events.iter().any(gone) {
            // What was written before is whole and in order; behind it stands why nothing follows.
            slow.awaits("message");
            assert_eq!(slow.awaits("error")["code"], "slow_consumer");
            slow.expect_closed();
            return;
        }
    }
    panic!("the slow reader is still here");
}
