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

#[test]
fn who_comes_back_is_in_their_channels_and_has_their_direct_messages() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.joins("#a");
    luis.joins("#a");
    ana.barrier();
    luis.barrier();
    let token = luis.token.clone();
    drop(luis);
    assert_eq!(ana.expect("gone")["nick"], "Luis");
    let mut eva = server.joins("Eva");
    ana.expect("joined");
    ana.says("#a", "en #a", "1");
    ana.expect("message");
    eva.says("#lobby", "en #lobby", "2");
    ana.expect("message");
    ana.says("Eva", "no para Luis", "3");
    ana.say("Luis", "no está", "4");
    ana.awaits("error");

    let (mut back, welcome) = returns(&server, &token, 0);
    assert_eq!(welcome["joined"], json!(["#lobby", "#a"]));
    assert_eq!(back.expect("message")["text"], "en #a");
    assert_eq!(back.expect("message")["text"], "en #lobby");
    back.hears_nothing();
    eva.barrier();
    eva.says("Luis", "para Luis", "5");
    back.expect_message("Eva", "para Luis");
    drop(back);
    eva.awaits("gone");
    let (mut again, welcome) = returns(&server, &token, 2);
    assert_eq!(
        (&welcome["resumed"], &welcome["seq"]),
        (&json!(true), &json!(4))
    );
    again.expect_message("Eva", "para Luis");
    again.hears_nothing();
}

#[test]
fn what_the_replay_leaves_out_is_in_the_history() {
    let home = Home::new("replay_max = 2");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for n in 1..=5 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
    }
    let mut luis = server.connect();
    luis.send(&json!({"type": "hello", "version": 1, "nick": "Luis", "after": 1}));
    assert_eq!(luis.expect("welcome")["gap"], true);
    assert_eq!(luis.expect("message")["seq"], 4);
    assert_eq!(luis.expect("message")["seq"], 5);
    luis.send(&json!({"type": "history", "after": 1, "before": 4}));
    let page = luis.expect("history");
    let seqs: Vec<_> = page["messages"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| &m["seq"])
        .collect();
    assert_eq!(
        (seqs, &page["more"]),
        (vec![&json!(2), &json!(3)], &json!(false))
    );
}

#[test]
fn a_token_goes_on_to_the_new_nick_and_ends_with_quit() {
    let home = Home::new("");
    let server = home.start();
    let mut luis = server.joins("Luis");
    luis.send(&json!({"type": "nick", "nick": "Lucho"}));
    luis.expect("renamed");
    let token = luis.token.clone();
    drop(luis);
    let hello = |nick| json!({"type": "hello", "version": 1, "nick": nick, "token": token});
    assert_eq!(server.connect().ask(&hello("Luis"))["resumed"], false);
    let mut back = server.connect();
    let welcome = back.ask(&hello("Lucho"));
    assert_eq!(welcome["resumed"], true, "{welcome}");
    back.send(&json!({"type": "quit"}));
    back.expect("bye");
    back.expect_closed();
    assert_eq!(server.connect().ask(&hello("Lucho"))["resumed"], false);
}

/// Somebody else has had the nick meanwhile: what the first was told directly is for nobody now.
#[test]
fn a_token_ends_when_somebody_else_takes_the_nick() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    ana.says("Luis", "secreto", "1");
    luis.expect_message("Ana", "secreto");
    let token = luis.token.clone();
    drop(luis);
    ana.awaits("gone");
    let mut other = server.connect();
    other.send(&json!({"type": "hello", "version": 1, "nick": "LUIS", "after": 0}));
    assert_eq!(other.expect("welcome")["resumed"], false);
    other.hears_nothing();
    let hello = json!({"type": "hello", "version": 1, "nick": "Luis", "token": token, "after": 0});
    let mut late = server.connect();
    assert_eq!(late.ask(&hello)["code"], "nick_taken");
    drop(other);
    ana.awaits("gone");
    assert_eq!(late.ask(&hello)["resumed"], false);
    late.hears_nothing();
    let page = late.ask(&json!({"type": "history", "with": "Ana"}));
    assert_eq!(page["messages"], json!([]));
}

#[test]
fn a_token_counts_as_it_was_told_and_no_other_way() {
    let home = Home::new("");
    let server = home.start();
    let luis = server.joins("Luis");
    let token = &luis.token;
    let other = [
        token.to_uppercase(),
        token[1..].to_owned(),
        format!("0{token}"),
        format!("+{}", &token[1..]),
        format!(" {token}"),
    ];
    let mut eva = server.connect();
    for token in other.iter().filter(|other| *other != token) {
        eva.send(&json!({"type": "hello", "version": 1, "nick": "Luis", "token": token}));
        eva.expect_error("nick_taken");
    }
    let (_, welcome) = returns(&server, token, 0);
    assert_eq!(welcome["resumed"], true);
}

/// Joins, and goes without a goodbye, which `other` sees.
fn comes_and_goes(server: &Server, nick: &str, other: &mut TestClient) -> String {
    let client = server.joins(nick);
    assert_eq!(other.expect("joined")["nick"], nick);
    let token = client.token.clone();
    drop(client);
    assert_eq!(other.expect("gone")["nick"], nick);
    token
}

/// The pool of absent users is full, but of users who were here for a moment.
#[test]
fn a_host_that_comes_and_goes_costs_no_other_user_the_way_back() {
    let home = Home::new("connections = 20");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let luis = server.joins("Luis");
    ana.expect("joined");
    // Here for longer than those that follow.
    for n in 0..20 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
    }
    let token = luis.token.clone();
    drop(luis);
    assert_eq!(ana.expect("gone")["nick"], "Luis");
    for n in 0..60 {
        comes_and_goes(&server, &format!("Storm{n}"), &mut ana);
    }
    for _ in 0..60 {
        comes_and_goes(&server, "Same", &mut ana);
    }
    let (_back, welcome) = returns(&server, &token, 0);
    assert_eq!(welcome["resumed"], true);
}

#[test]
fn a_shorter_resume_window_holds_at_once() {
    let home = Home::new("resume_window = \"1h\"");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let token = comes_and_goes(&server, "Luis", &mut ana);
    home.configure("resume_window = \"1h\"", "resume_window = \"0s\"");
    server.signal("HUP");
    server.logs("the limits are read again");
    home.until_kept("1", 1);
    let (_back, welcome) = returns(&server, &token, 0);
    assert_eq!(welcome["resumed"], false);
}
