//! A server that sends without an end: bounded memory, then an error.

use super::*;

/// Far more than the client may take, in KiB, and far less than what it is sent.
const MOST: u64 = 300 * 1024;

/// What an endless server sends at most.
const FRAMES: u64 = 16 * 1024;

fn long(seq: u64, to: &str) -> Value {
    message(seq, "ana", to, &"x".repeat(60_000))
}

#[test]
fn what_was_missed_never_ends() {
    let server = FakeServer::start();
    let (client, peer) = bot(&server, &[]);
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with(
        "bot",
        &json!({"resumed": true, "seq": 1_000_000_000}),
    ));
    let sent = (1..FRAMES).take_while(|seq| peer.try_send(&long(*seq, "#lobby")));
    assert!(sent.count() < 5000, "the client takes it all");
    client.complains("too_much");
    assert!(client.end().0 == Some(1));
}

#[test]
fn a_list_of_people_never_ends() {
    let server = FakeServer::start();
    for grows in [true, false] {
        let (mut client, mut peer) = bot(&server, &[]);
        client.type_line(".l");
        for page in 0..FRAMES {
            let mut asked = peer.receive().unwrap();
            if page == 0 {
                client.end_input();
            }
            if asked["type"] == "quit" {
                break;
            }
            assert_eq!(asked["type"], "users");
            let name =
                |n: usize| format!("n{}-{n}{}", if grows { page } else { 0 }, "y".repeat(90));
            let users: Vec<_> = (0..500).map(name).collect();
            asked = json!({
                "type": "users", "channel": "#lobby", "users": users, "total": 1, "more": true
            });
            peer.send(&asked);
        }
        client.complains("too_much");
        assert!(client.memory() < MOST, "{} KiB", client.memory());
        peer.send(&json!({"type": "bye", "reason": "quit"}));
        assert_eq!(client.end().0, Some(1));
    }
}

#[test]
fn more_messages_than_were_asked_for() {
    let server = FakeServer::start();
    let address = server.address();
    let args = [
        "history", "--last", "3", "--server", &address, "--nick", "bot",
    ];
    let client = Client::start(&args);
    let mut peer = server.greet();
    peer.expect("history");
    let page: Vec<_> = (1..100)
        .map(|seq| message(seq, "ana", "#lobby", &seq.to_string()))
        .collect();
    peer.send(&json!({"type": "history", "with": "#lobby", "messages": page, "more": true}));
    peer.goodbye();
    let lines = ["[ana]: 97", "[ana]: 98", "[ana]: 99"].map(str::to_owned);
    assert_eq!(client.end(), (Some(0), lines.to_vec(), vec![]));
}

#[test]
fn messages_that_are_longer_than_any() {
    let server = FakeServer::start();
    let address = server.address();
    let args = [
        "history", "--last", "50", "--server", &address, "--nick", "bot",
    ];
    let client = Client::start(&args);
    let mut peer = server.greet();
    for seq in (1..100).rev() {
        let asked = peer.receive().unwrap();
        if asked["type"] == "quit" {
            break;
        }
        let page = [long(seq, "#lobby")];
        peer.send(&json!({"type": "history", "with": "#lobby", "messages": page, "more": true}));
    }
    client.complains("too_much");
    peer.send(&json!({"type": "bye", "reason": "quit"}));
    client.ends_with(1);
}

/// A frame that does not end is silence, however many bytes of it come.
#[test]
fn a_frame_that_never_ends() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &["--keep-alive", "0.2", "--no-reconnect"]);
    let mut peer = server.greet();
    peer.begin_frame(65_536);
    client.complains("connection_lost");
    client.ends_with(1);
}
