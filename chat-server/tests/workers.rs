//! Several threads serve one room: the same order for everyone, whoever serves them.

mod support;

use std::time::Instant;

use serde_json::json;
use support::{DEADLINE, Home};

#[test]
fn everyone_sees_the_same_order_whichever_thread_serves_them() {
    let home = Home::new("");
    home.configure("[listen]\n", "workers = 3\n[listen]\n");
    let server = home.start();
    let mut people: Vec<_> = (0..12).map(|n| server.joins(&format!("nick{n}"))).collect();
    for client in &mut people {
        client.barrier();
    }
    for round in 0..20 {
        for (n, client) in people.iter_mut().enumerate() {
            client.send(&json!({"type": "say", "text": format!("{n} {round}")}));
        }
    }
    let mut all = Vec::new();
    for client in &mut people {
        let mut seen = Vec::new();
        while seen.len() < 12 * 20 {
            let event = client.next();
            if event["type"] == "message" {
                seen.push((event["seq"].as_u64(), event["text"].clone()));
            }
        }
        assert!(seen.is_sorted_by_key(|&(seq, _)| seq));
        all.push(seen);
    }
    assert!(all.iter().all(|seen| *seen == all[0]));

    // A word to somebody on another thread, and the end of all threads.
    let (first, rest) = people.split_first_mut().unwrap();
    for (n, client) in rest.iter_mut().enumerate() {
        first.says(&format!("nick{}", n + 1), "hola", &format!("d{n}"));
        first.expect("message");
        client.expect_message("nick0", "hola");
    }
    server.terminate();
    for client in &mut people {
        client.expect_error("shutting_down");
        client.expect("bye");
    }
    drop(people);
    assert_eq!(server.ended().code(), Some(0));
}

#[test]
fn limits_hold_over_all_threads() {
    let home = Home::new("connections_per_ip = 3");
    home.configure("[listen]\n", "workers = 2\n[listen]\n");
    let server = home.start();
    let mut people: Vec<_> = (0..3).map(|n| server.joins(&format!("nick{n}"))).collect();
    server.connect().expect_error("server_full");
    // Their place is free once the connection has ended on both sides.
    people.pop();
    let until = Instant::now() + DEADLINE;
    loop {
        let mut client = server.connect();
        client.send(&json!({"type": "hello", "version": 1}));
        if client.next()["type"] == "welcome" {
            return;
        }
        assert!(Instant::now() < until, "the place stays taken");
    }
}
