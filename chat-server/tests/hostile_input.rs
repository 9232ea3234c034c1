//! Bytes that are no chat.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Home, frame};

#[test]
fn a_length_out_of_range_closes() {
    let home = Home::new("");
    let server = home.start();
    for length in [0_u32, 65_537, u32::MAX] {
        let mut ana = server.joins(&format!("Ana{length}"));
        ana.send_raw(&length.to_be_bytes());
        // The one before may go only now.
        assert_eq!(ana.awaits("error")["code"], "bad_frame");
        ana.expect_closed();
    }
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

/// A `pong`, or anything else, is a sign of life.
#[test]
fn who_answers_is_not_idle() {
    let home = Home::new("idle_timeout = \"300ms\"");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for _ in 0..4 {
        let id = ana.expect("ping")["id"].clone();
        ana.send(&json!({"type": "pong", "id": id}));
    }
    ana.expect("ping");
    ana.send(&json!({"type": "ping"}));
    ana.expect("pong");
    ana.expect("ping");
    ana.expect_error("idle_timeout");
    ana.expect_closed();
}

#[test]
fn who_closes_the_sending_half_is_answered_all_the_same() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let all: Vec<u8> = (0..1000)
        .flat_map(|n| frame(&json!({"type": "say", "text": "hola", "id": n.to_string()})))
        .collect();
    ana.send_raw(&all);
    ana.closes_sending();
    for n in 0..1000 {
        assert_eq!(ana.awaits("ack")["id"], n.to_string());
    }
    assert_eq!(home.lines().len(), 1000);
}

#[test]
fn who_is_too_fast_is_slowed_and_loses_nothing() {
    let home = Home::new("rate_per_second = 1000\nrate_burst = 10");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let all: Vec<u8> = (0..300)
        .flat_map(|n| frame(&json!({"type": "say", "text": "hola", "id": n.to_string()})))
        .collect();
    let begun = Instant::now();
    ana.send_raw(&all);
    for n in 0..300 {
        assert_eq!(ana.awaits("ack")["id"], n.to_string());
    }
    // 290 of them at 1,000 a second.
    assert!(begun.elapsed() > Duration::from_millis(250));
}

/// One never reads, one sends a byte now and then, one claims 4 GB, one floods, many never say hello, one
/// sends random bytes; two others talk on.
#[test]
fn bad_neighbours_are_noticed_by_nobody() {
    let home = Home::new("send_queue_bytes = 262144\nhello_timeout = \"2s\"");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let before = server.memory();
    let _never_reads = server.joins("Lento");
    let mut byte_by_byte = server.connect();
    let _silent: Vec<_> = (0..300).map(|_| server.connect()).collect();
    let mut flood = server.joins("Flood");
    let flooding = std::thread::spawn(move || {
        flood.send_raw(&frame(&json!({"type": "join", "channel": "#flood"})));
        let page = frame(&json!({"type": "history", "limit": 500})).repeat(2000);
        flood.sends_until_closed(&page);
    });
    let mut noise = 1_u64;
    let mut random = move || {
        // A linear congruential generator will do for nonsense.
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        noise.to_be_bytes()
    };
    let slow = frame(&json!({"type": "hello", "version": 1, "nick": "Poco"}));
    let text = "x".repeat(2000);
    for n in 0..400 {
        if let Some(&byte) = slow.get(n / 8) {
            byte_by_byte.sends_until_closed(&[byte]);
        }
        if n % 20 == 0 {
            server
                .connect()
                .sends_until_closed(&[0xff, 0xff, 0xff, 0xff, b'{']);
            let bytes: Vec<u8> = (0..200).flat_map(|_| random()).collect();
            server.connect().sends_until_closed(&bytes);
        }
        let (speaker, listener, name) = match n % 2 {
            0 => (&mut ana, &mut luis, "Ana"),
            _ => (&mut luis, &mut ana, "Luis"),
        };
        let text = format!("{n} {text}");
        speaker.say("#lobby", &text, &n.to_string());
        assert_eq!(speaker.awaits("ack")["seq"], n + 1);
        assert_eq!(speaker.awaits("message")["text"], text.as_str());
        let heard = listener.awaits("message");
        assert_eq!(
            (&heard["from"], &heard["text"]),
            (&json!(name), &json!(text))
        );
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
    drop(server);
    flooding.join().expect("the flood ends with the server");
}
