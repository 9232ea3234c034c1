//! Who does not read is let go; the others notice nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use support::web::{CLOSE, ask_at};
use support::{DEADLINE, Home, Server, TestClient};

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

/// Creates 276 channels with names that together exceed a frame.
fn with_many_channels(server: &Server) -> Vec<TestClient> {
    let long = "\u{20000}".repeat(55);
    let makes = |founder: usize| {
        let mut client = server.joins(&format!("F{founder}"));
        for number in 0..46 {
            client.send(&json!({"type": "join", "channel": format!("#{long}-{founder}-{number}")}));
            client.awaits("joined");
        }
        client
    };
    (0..6).map(makes).collect()
}

/// Polls the metrics until they have this sample.
fn until_metrics_have(server: &Server, sample: &str) {
    let end = Instant::now() + DEADLINE * 3;
    let page = || ask_at(server.metrics_address.unwrap(), "GET /metrics", CLOSE);
    while !page().lines().any(|line| line == sample) {
        assert!(Instant::now() < end, "{sample}: {}", page());
        thread::yield_now();
    }
}

/// A connection with a half-full send queue and eight connections that request large answers do not
/// delay two other clients, neither in direct messages nor in `#lobby`.
#[test]
fn slow_reader_and_large_answers_delay_no_other_client() {
    let home = support::web::home("");
    let server = home.start();
    let _founders = with_many_channels(&server);
    let channels = support::frame(&json!({"type": "channels"}));
    let mut slow = server.joins("Lento");
    slow.send_raw(&channels.repeat(1000));
    until_metrics_have(&server, "chat_lagging_connections 1");

    let (over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    let askers: Vec<_> = (0..8)
        .map(|number| server.joins(&format!("Asker{number}")))
        .collect();
    // With answers throttled to 512 KiB a second, each of the 80 messages would take about a
    // second.
    let end = Instant::now() + Duration::from_secs(60);
    thread::scope(|scope| {
        for mut asker in askers {
            let (over, answers, channels) = (&over, &answers, &channels);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) && Instant::now() < end {
                    asker.send_raw(channels);
                    asker.awaits("channels");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (mut ana, mut luis) = (server.joins("Ana"), server.joins("Luis"));
        let mut exchange = |to: [&str; 2]| {
            for round in 0..20 {
                for (turn, to) in to.into_iter().enumerate() {
                    let (from, other) = match turn {
                        0 => (&mut ana, &mut luis),
                        _ => (&mut luis, &mut ana),
                    };
                    let text = format!("{to} {round} {turn}");
                    from.send(&json!({"type": "say", "to": to, "text": text}));
                    assert_eq!(other.awaits("message")["text"], text);
                    assert_eq!(from.awaits("message")["text"], text);
                    if Instant::now() > end {
                        return false;
                    }
                }
            }
            true
        };
        let in_time = exchange(["Luis", "Ana"]) && exchange(["#lobby", "#lobby"]);
        let answered = answers.load(Ordering::Relaxed);
        over.store(true, Ordering::Relaxed);
        assert!(in_time, "the answers of other clients delay the two");
        assert!(answered >= 8, "only {answered} answers");
    });
    until_metrics_have(&server, "chat_lagging_connections 1");
}

/// A client may request more large answers at once than its send queue holds, and read them late.
#[test]
fn many_large_answers_do_not_evict_their_client() {
    let home = support::web::home("");
    let server = home.start();
    let _founders = with_many_channels(&server);
    let mut asker = server.joins("Asker");
    asker.send_raw(&support::frame(&json!({"type": "channels"})).repeat(300));
    until_metrics_have(&server, "chat_lagging_connections 1");
    for _ in 0..300 {
        asker.expect("channels");
    }
}
