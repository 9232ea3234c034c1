//! A lost connection and the way back.

use super::*;

fn resumed(seq: u64) -> Value {
    welcome_with("bot", &json!({"resumed": true, "seq": seq}))
}

#[test]
fn a_lost_connection_is_taken_up_again() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    peer.send(&message(4, "ana", "#lobby", "hola"));
    client.shows("[ana]: hola");
    // One line is acknowledged, one is not: and one is typed meanwhile.
    client.type_line("one");
    client.type_line("two");
    let one = peer.expect("say");
    peer.ack(&one, 5);
    let two = peer.expect("say");
    drop(peer);
    client.shows("* connection lost; trying again");
    client.type_line("three");
    let mut peer = server.accept();
    let hello = peer.expect("hello");
    assert_eq!(hello["nick"], "bot");
    assert_eq!(
        (&hello["token"], &hello["after"]),
        (&json!("token-of-bot"), &json!(4))
    );
    peer.send(&resumed(8));
    for (seq, from, text) in [(5, "bot", "one"), (6, "ana", "six"), (7, "ana", "seven")] {
        peer.send(&message(seq, from, "#lobby", text));
    }
    peer.barrier();
    client.shows("* back, 3 messages missed");
    client.shows("[bot]: one");
    client.shows("[ana]: six");
    client.shows("[ana]: seven");
    // Said again with the same id: the server knows it, or records it now.
    assert_eq!(peer.record("bot", 9), two);
    assert_eq!(peer.record("bot", 10)["text"], "three");
    client.shows("[bot]: two");
    client.shows("[bot]: three");
    // A repeat is not shown.
    peer.send(&message(7, "ana", "#lobby", "seven"));
    peer.send(&message(11, "ana", "#lobby", "eleven"));
    client.shows("[ana]: eleven");
    leave(client, peer);
}

/// The end of a replay is known in several ways, and nothing missed is no reason to wait.
#[test]
fn what_was_missed_is_counted() {
    let server = FakeServer::start();
    let (client, peer) = bot(&server, &[]);
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&resumed(2));
    peer.send(&message(1, "ana", "#lobby", "one"));
    peer.send(&message(2, "ana", "#lobby", "two"));
    client.shows("* back, 2 messages missed");
    client.shows("[ana]: one");
    client.shows("[ana]: two");
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["after"], 2);
    peer.send(&welcome_with(
        "bot",
        &json!({"resumed": true, "seq": 9, "gap": true}),
    ));
    peer.send(&message(7, "ana", "#lobby", "seven"));
    peer.send(&message(10, "ana", "#lobby", "ten"));
    client.shows("* back, 1 message missed");
    client.shows("* more was missed than the server sends again: /history has the rest");
    client.shows("[ana]: seven");
    client.shows("[ana]: ten");
    drop(peer);
    client.shows("* connection lost; trying again");
    // A server that never answers the ping behind hello.
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&resumed(20));
    peer.send(&message(11, "ana", "#lobby", "eleven"));
    client.shows("* back, 1 message missed");
    client.shows("[ana]: eleven");
    peer.expect("ping");
    leave(client, peer);
}

/// The server was restarted and knows nobody: one is back where one was all the same.
#[test]
fn channels_are_joined_again_when_the_token_is_gone() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    enter_rust(&mut client, &mut peer);
    drop(peer);
    client.shows("* connection lost; trying again");
    client.type_line("hola");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome("bot"));
    assert_eq!(peer.expect("join")["channel"], "#rust");
    peer.send(&json!({"type": "joined", "channel": "#rust", "nick": "bot", "time": TIME}));
    peer.barrier();
    client.shows("* back, 0 messages missed");
    client.shows("* bot joined #rust");
    assert_eq!(peer.record("bot", 1)["to"], "#rust");
    client.shows("[bot]: hola");
    leave(client, peer);
}

/// What was said there meanwhile, and until one had entered again, is not lost either: the server
/// does not send it again without a token, but the history has it.
#[test]
fn what_was_missed_in_channels_that_are_joined_again() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    enter_rust(&mut client, &mut peer);
    peer.send(&message(4, "ana", "#rust", "four"));
    client.shows("[ana]: four");
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with("bot", &json!({"seq": 7})));
    peer.send(&message(6, "ana", "#lobby", "six"));
    assert_eq!(peer.expect("join")["channel"], "#rust");
    let asked = peer.expect("history");
    assert_eq!(
        (&asked["with"], &asked["after"]),
        (&json!("#rust"), &json!(4))
    );
    peer.barrier();
    peer.send(&message(9, "ana", "#rust", "nine"));
    let missed: Vec<Value> = [5, 7, 8, 9]
        .map(|seq| message(seq, "ana", "#rust", &format!("m{seq}")))
        .into();
    peer.send(&json!({"type": "history", "with": "#rust", "messages": missed, "more": false}));
    client.shows("* back, 4 messages missed");
    for line in [
        "[ana]: m5",
        "#lobby [ana]: six",
        "[ana]: m7",
        "[ana]: m8",
        "[ana]: nine",
    ] {
        client.shows(line);
    }
    peer.send(&message(10, "ana", "#rust", "ten"));
    client.shows("[ana]: ten");
    leave(client, peer);
}

#[test]
fn a_nick_that_was_taken_meanwhile_is_3() {
    let server = FakeServer::start();
    let (client, peer) = bot(&server, &[]);
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&error("nick_taken", &Value::Null));
    client.complains("nick_taken");
    client.ends_with(3);
}

#[test]
fn no_reconnect_ends_with_1() {
    let server = FakeServer::start();
    let (client, peer) = bot(&server, &["--no-reconnect"]);
    drop(peer);
    client.complains("connection_lost");
    client.ends_with(1);
}

/// Goodbye was said before the connection was lost: the line is recorded when it is back.
#[test]
fn goodbye_waits_for_the_way_back() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("hola");
    client.end_input();
    let say = peer.expect("say");
    drop(peer);
    client.shows("* connection lost; trying again");
    // Attempts that fail, and a server that lets go at once, are no reason to give up.
    drop(server.accept());
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&error("server_full", &Value::Null));
    drop(peer);
    client.complains("server_full");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&resumed(0));
    client.shows("* back, 0 messages missed");
    peer.barrier();
    assert_eq!(peer.expect("say"), say);
    peer.ack(&say, 1);
    peer.goodbye();
    client.ends_with(0);
}

/// Another user of the nick starts anew: the server would record the line twice.
#[test]
fn a_line_that_was_sent_is_not_said_again_by_another_user_of_the_nick() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &[]);
    client.type_line("recorded or not");
    peer.expect("say");
    drop(peer);
    client.shows("* connection lost; trying again");
    client.type_line("typed since");
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome("bot"));
    client.complains("not_recorded");
    peer.barrier();
    client.shows("* back, 0 messages missed");
    let say = peer.expect("say");
    assert_eq!(say["text"], "typed since");
    peer.ack(&say, 1);
    client.end_input();
    peer.goodbye();
    client.ends_with(1);
}

#[test]
fn a_server_that_ends_is_waited_for() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&error("shutting_down", &Value::Null));
    peer.send(&json!({"type": "bye", "reason": "shutting_down"}));
    client.complains("shutting_down");
    client.shows("* the server says goodbye (shutting_down)");
    client.shows("* connection lost; trying again");
    peer.expect_closed();
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&resumed(0));
    client.shows("* back, 0 messages missed");
    peer.barrier();
    leave(client, peer);
}

/// Coming back would throw out who has come instead of this one.
#[test]
fn replaced_is_the_end() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&error("replaced", &Value::Null));
    client.complains("replaced");
    client.ends_with(1);
}

#[test]
fn pings_are_answered_and_sent() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &["--keep-alive", "0.3"]);
    peer.send(&json!({"type": "ping", "id": "p1"}));
    assert_eq!(peer.expect("pong")["id"], "p1");
    peer.expect("ping");
    peer.send(&json!({"type": "pong"}));
    // Silence, a ping, silence: the connection counts as lost.
    peer.expect("ping");
    client.shows("* connection lost; trying again");
    peer.expect_closed();
    drop(server.greet());
}

/// A history that was begun anew does not swallow what is new in it.
#[test]
fn a_server_that_counts_from_1_again() {
    let server = FakeServer::start();
    let (client, mut peer) = bot(&server, &[]);
    peer.send(&message(1000, "ana", "#lobby", "old"));
    client.shows("[ana]: old");
    drop(peer);
    client.shows("* connection lost; trying again");
    let mut peer = server.greet();
    client.shows("* back, 0 messages missed");
    peer.send(&message(1, "ana", "#lobby", "new"));
    client.shows("[ana]: new");
    peer.barrier();
    leave(client, peer);
}
