//! Coming back with a token: nothing lost, nothing twice.

mod support;

use serde_json::{Value, json};
use support::{Home, Server, TestClient};

fn returns(server: &Server, token: &str, after: u64) -> (TestClient, Value) {
    let mut client = server.connect();
    let hello =
        json!({"type": "hello", "version": 1, "nick": "Luis", "token": token, "after": after});
    client.send(&hello);
    let welcome = client.expect("welcome");
    (client, welcome)
}

#[test]
fn the_old_connection_is_replaced_and_the_new_one_has_what_followed() {
    let home = Home::new("replay_max = 2");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    for n in 1..=3 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
        luis.expect("message");
    }
    let (mut back, welcome) = returns(&server, &luis.token, 1);
    assert_eq!(
        (&welcome["resumed"], &welcome["gap"]),
        (&json!(true), &json!(false))
    );
    luis.expect_error("replaced");
    luis.expect_closed();
    assert_eq!(back.expect("message")["seq"], 2);
    assert_eq!(back.expect("message")["seq"], 3);
    back.hears_nothing();
    let token = welcome["token"].as_str().unwrap_or_default().to_owned();
    let (mut again, welcome) = returns(&server, &token, 0);
    assert_eq!(welcome["gap"], true);
    assert_eq!(again.expect("message")["seq"], 2);
    assert_eq!(again.expect("message")["seq"], 3);
    again.hears_nothing();
}

#[test]
fn a_wrong_token_brings_back_the_lobby_only() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("Luis", "secreto", "1");
    ana.expect("message");
    ana.says("#lobby", "hola", "2");
    luis.send(&json!({"type": "quit"}));
    luis.expect("message");
    luis.expect("message");
    luis.expect("bye");
    luis.expect_closed();
    let (mut other, welcome) = returns(&server, "falso", 0);
    assert_eq!(welcome["resumed"], false);
    other.expect_message("Ana", "hola");
    other.hears_nothing();
}
