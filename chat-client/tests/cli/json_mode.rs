//! `--json`.

use super::*;

#[test]
fn every_object_is_a_line() {
    let server = FakeServer::start();
    let client = Client::of(&server, "bot", &["--json"]);
    let mut peer = server.accept();
    peer.expect("hello");
    let greeting = welcome("bot");
    peer.send(&greeting);
    let as_value = |line: String| -> Value { serde_json::from_str(&line).unwrap() };
    assert_eq!(as_value(client.out()), greeting);
    peer.send_raw(b"{\"type\" : \"dance\",\n \"new\": [1, 2],  \"text\": \"a  b\"}\n");
    client.shows("{\"type\":\"dance\",\"new\":[1,2],\"text\":\"a  b\"}");
    for object in [
        message(1, "ana", "#lobby", "hola\n\u{202e}"),
        json!({"type": "joined", "channel": "#a", "nick": "x", "time": TIME}),
        error("internal", &Value::Null),
        json!({"type": "pong"}),
    ] {
        peer.send(&object);
        let line = client.out();
        assert!(!line.contains('\u{202e}'), "{line}");
        assert_eq!(as_value(line), object);
    }
    leave_json(client, peer);
}

fn leave_json(mut client: Client, peer: Peer) {
    client.end_input();
    peer.goodbye();
    let bye = "{\"reason\":\"quit\",\"type\":\"bye\"}".to_owned();
    assert_eq!(client.end(), (Some(0), vec![bye], vec![]));
}

#[test]
fn requests_and_plain_text() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &["--json"]);
    client.out();
    client.type_line("hola");
    let say = peer.expect("say");
    assert_eq!(
        (&say["to"], &say["text"]),
        (&json!("#lobby"), &json!("hola"))
    );
    peer.ack(&say, 1);
    client.out();
    client.type_line(r##"  {"type": "say", "text": "hola", "to": "#rust", "id": "mine"}"##);
    let say = peer.expect("say");
    assert_eq!(
        say,
        json!({"type": "say", "text": "hola", "to": "#rust", "id": "mine"})
    );
    peer.ack(&say, 2);
    client.out();
    // One that bears no id is given one, so that the exit code can tell whether it was recorded.
    client.type_line(r#"{"type":"say","text":"hola"}"#);
    let say = peer.expect("say");
    assert!(say["id"].is_string(), "{say}");
    peer.ack(&say, 3);
    client.out();
    client.type_line(r#"{"type":"users","limit":5,"new":{"x":1}}"#);
    assert_eq!(
        peer.receive().unwrap(),
        json!({"type": "users", "limit": 5, "new": {"x": 1}})
    );
    client.type_line("/channels");
    peer.expect("channels");
    peer.send(&json!({"type": "channels", "channels": []}));
    assert_eq!(client.out(), r#"{"channels":[],"type":"channels"}"#);
    client.type_line("{\"type\":");
    client.complains("bad_json");
    for id in [json!(""), json!("k".repeat(65)), json!(7)] {
        client.type_line(&json!({"type": "say", "text": "hola", "id": id}).to_string());
        client.complains("bad_request");
    }
    client.type_line(r#"{"type":"quit","reason":"tired"}"#);
    assert_eq!(peer.goodbye()["reason"], "tired");
    let (code, _, err) = client.end();
    assert_eq!((code, err), (Some(1), vec![]), "some lines were not sent");
}

#[test]
fn what_is_not_recorded_is_1() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &["--json"]);
    client.out();
    client.type_line(r#"{"type":"say","text":"hola","to":"nobody","id":"k"}"#);
    client.end_input();
    peer.expect("say");
    let refusal = error("no_such_user", &json!("k"));
    peer.send(&refusal);
    let line = client.out();
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), refusal);
    peer.goodbye();
    client.out();
    client.ends_with(1);
}

/// The notices of the client itself are not in the way of the objects.
#[test]
fn notices_go_to_standard_error() {
    let server = FakeServer::start();
    let (mut client, peer) = bot(&server, &["--json"]);
    client.out();
    client.type_line(".t");
    assert_eq!(client.err(), "* timestamps on");
    client.type_line(".t");
    assert_eq!(client.err(), "* timestamps off");
    drop(peer);
    assert_eq!(client.err(), "* connection lost; trying again");
    let mut peer = server.greet();
    assert_eq!(client.err(), "* back, 0 messages missed");
    client.out();
    peer.barrier();
    client.out();
    leave_json(client, peer);
}

/// An `ack` without `seq` is for a request that is no message, also where a script uses the `id`
/// twice.
#[test]
fn an_ack_without_a_number_acknowledges_no_message() {
    let server = FakeServer::start();
    let (mut client, mut peer) = bot(&server, &["--json"]);
    client.out();
    client.type_line(r##"{"type":"join","channel":"#rust","id":"mine"}"##);
    peer.expect("join");
    client.type_line(r#"{"type":"say","text":"hola","id":"mine"}"#);
    let say = peer.expect("say");
    let ack = json!({"type": "ack", "id": "mine", "time": TIME});
    peer.send(&ack);
    client.shows(&ack.to_string());
    drop(peer);
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&welcome_with("bot", &json!({"resumed": true})));
    client.out();
    // The line is said again, as it is not known to be recorded.
    let again = loop {
        let request = peer.receive().unwrap();
        if request["type"] == "say" {
            break request;
        }
    };
    assert_eq!(again, say);
    peer.ack(&again, 1);
    client.out();
    client.end_input();
    peer.goodbye();
    assert_eq!(client.end().0, Some(0));
}
