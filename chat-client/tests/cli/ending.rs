//! Goodbye, and the exit codes.

use super::*;

/// `echo hola | chat-client --nick bot` exits 0 only if `hola` was recorded.
#[test]
fn goodbye_waits_until_all_is_recorded() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_bytes(b"one\ntwo without an end");
    client.end_input();
    let (one, two) = (peer.expect("say"), peer.expect("say"));
    assert_ne!(one["id"], two["id"]);
    assert_eq!(two["text"], "two without an end");
    peer.ack(&one, 1);
    peer.ack(&two, 2);
    peer.goodbye();
    client.ends_with(0);
}

#[test]
fn what_was_not_recorded_is_1() {
    for code in [
        "not_recorded",
        "no_such_user",
        "text_too_long",
        "rate_limited",
    ] {
        let server = FakeServer::start();
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line("/tell ana hola");
        client.end_input();
        let say = peer.expect("say");
        peer.send(&error(code, &say["id"]));
        peer.goodbye();
        let line = format!("! {code}: as the server says");
        assert_eq!(client.end(), (Some(1), vec![], vec![line]));
    }
}

#[test]
fn what_is_never_acknowledged_is_1() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &["--linger", "0.2"]);
    client.type_line("hola");
    client.end_input();
    peer.expect("say");
    client.complains("no_answer");
    client.complains("not_recorded");
    client.ends_with(1);
}

#[test]
fn ctrl_c_says_goodbye_and_twice_ends_at_once() {
    let server = FakeServer::start();
    let (client, peer) = bot(&server, &[]);
    client.interrupt();
    peer.goodbye();
    client.ends_with(0);

    // The second time nothing is waited for, neither a line to be recorded nor the server's bye.
    let (client, mut peer) = bot(&server, &[]);
    client.interrupt();
    peer.expect("quit");
    client.interrupt();
    client.ends_with(1);
}

/// Goodbye is said to whoever was asked to let one in, as soon as they do.
#[test]
fn ctrl_c_before_the_welcome_says_goodbye() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &[]);
    let mut peer = server.accept();
    peer.expect("hello");
    client.interrupt();
    // The interrupt may come a moment later than the welcome: the end is the same.
    peer.send(&welcome("bot"));
    peer.goodbye();
    client.ends_with(0);

    let client = Client::of(&server, "bot", &[]);
    let mut peer = server.accept();
    peer.expect("hello");
    client.interrupt();
    client.interrupt();
    client.ends_with(1);
}

/// The window is bounded: what nobody acknowledges is not read from the pipe.
#[test]
fn ten_thousand_lines_in_order() {
    const LINES: usize = 10_000;
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    let text: String = (0..LINES)
        .map(|number| format!("line {number}\n"))
        .collect();
    let writer = std::thread::spawn(move || {
        client.type_bytes(text.as_bytes());
        client.end_input();
        client
    });
    let mut held: Vec<Value> = Vec::new();
    let mut seq = 0;
    for number in 0..LINES {
        let say = peer.expect("say");
        assert_eq!(say["text"], format!("line {number}"));
        held.push(say);
        if held.len() == 100 {
            for say in held.drain(..) {
                seq += 1;
                peer.ack(&say, seq);
            }
        }
    }
    peer.goodbye();
    writer.join().unwrap().ends_with(0);
}
