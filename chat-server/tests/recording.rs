//! What was acked is in the history once, whatever happens to the server.

mod support;

use std::fs::OpenOptions;
use std::io::Write;

use serde_json::{Value, json};
use support::{Home, Server, TestClient};

/// In as somebody: by token or password where `hello` has one.
fn comes(server: &Server, mut hello: Value) -> TestClient {
    hello["type"] = "hello".into();
    hello["version"] = 1.into();
    let mut client = server.connect();
    client.send(&hello);
    client.expect("welcome");
    client
}

fn quits(mut client: TestClient) {
    client.send(&json!({"type": "quit"}));
    client.awaits("bye");
    client.expect_closed();
}

#[test]
fn said_again_is_acked_as_the_first_time_even_after_a_restart() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    let first = ana.says("#lobby", "hola", "1");
    ana.expect("message");
    assert_eq!(ana.says("#lobby", "hola", "1"), first);
    home.until_kept("until IS NULL", 1);
    server.kill();
    let server = home.start();
    let mut back = comes(&server, json!({"nick": "Ana", "token": ana.token}));
    assert_eq!(back.says("#lobby", "hola", "1"), first);
    assert_eq!(home.lines().len(), 1);
}

#[test]
fn another_user_of_a_nick_starts_anew_with_ids() {
    let home = Home::new("");
    let server = home.start();
    let mut first = server.joins("ana");
    assert_eq!(first.says("#lobby", "one", "1")["seq"], 1);
    quits(first);
    let mut second = server.joins("ana");
    assert_eq!(second.says("#lobby", "two", "1")["seq"], 2);
    assert_eq!(second.expect_message("ana", "two")["id"], "1");
    assert_eq!(second.says("#lobby", "two", "1")["seq"], 2);
    home.until_kept("until IS NULL", 1);
    server.kill();
    let server = home.start();
    let mut third = server.joins("ana");
    assert_eq!(third.says("#lobby", "three", "1")["seq"], 3);
    let texts: Vec<_> = home
        .lines()
        .iter()
        .map(|line| line["text"].clone())
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

/// Under which number something is acked.
fn seq_of(client: &mut TestClient, text: &str, id: &str) -> u64 {
    client.say("#lobby", text, id);
    let ack = client.awaits("ack");
    assert_eq!(ack["id"], id);
    ack["seq"].as_u64().unwrap_or_default()
}

#[test]
fn a_user_keeps_their_ids_by_token_password_and_nick() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("ana");
    assert_eq!(seq_of(&mut ana, "as ana", "1"), 1);
    ana.send(&json!({"type": "nick", "nick": "anita"}));
    ana.awaits("renamed");
    let mut next = server.joins("ana");
    assert_eq!(seq_of(&mut next, "another ana", "1"), 2);
    assert_eq!(seq_of(&mut ana, "as anita", "2"), 3);
    assert_eq!(seq_of(&mut ana, "as ana", "1"), 1);
    assert_eq!(seq_of(&mut next, "another ana", "1"), 2);
    home.until_kept("until IS NULL", 2);
    home.until_kept("nick = 'anita'", 1);
    server.kill();
    let server = home.start();
    let mut ana = comes(&server, json!({"nick": "anita", "token": ana.token}));
    assert_eq!(seq_of(&mut ana, "as ana", "1"), 1);
    assert_eq!(seq_of(&mut ana, "as anita", "2"), 3);
    let mut next = comes(&server, json!({"nick": "ana", "token": next.token}));
    assert_eq!(seq_of(&mut next, "another ana", "1"), 2);
    // An account, by its password alone.
    next.send(&json!({"type": "register", "password": "correct horse"}));
    next.awaits("registered");
    assert_eq!(seq_of(&mut next, "by the account", "3"), 4);
    quits(next);
    let login = json!({"nick": "ana", "password": "correct horse"});
    let mut next = comes(&server, login.clone());
    assert_eq!(seq_of(&mut next, "by the account", "3"), 4);
    server.kill();
    let server = home.start();
    let mut next = comes(&server, login.clone());
    assert_eq!(seq_of(&mut next, "by the account", "3"), 4);
    assert_eq!(home.lines().len(), 4);
}

#[test]
fn killed_under_load_all_acked_are_there_once_and_dense() {
    for durability in ["none", "interval", "batch"] {
        let home = Home::new("");
        let with = format!("[history]\ndurability = {durability:?}\n");
        home.configure("[history]\n", &with);
        let server = home.start();
        let mut ana = server.joins("Ana");
        for n in 0..500 {
            ana.say("#lobby", "hola", &format!("{n}"));
        }
        let mut acked = 0;
        while acked < 100 {
            acked += usize::from(ana.next()["type"] == "ack");
        }
        server.kill();
        let _server = home.start();
        let lines = home.lines();
        assert!(lines.len() >= acked, "{durability}");
        for (n, line) in lines.iter().enumerate() {
            assert_eq!(
                (&line["seq"], &line["id"]),
                (&(n + 1).into(), &n.to_string().into())
            );
        }
    }
}

#[test]
fn a_torn_tail_is_cut_off_and_a_damaged_line_is_named() {
    let home = Home::new("");
    let server = home.start();
    server.joins("Ana").says("#lobby", "hola", "1");
    server.kill();
    let append = |bytes: &[u8]| {
        let mut log = OpenOptions::new().append(true).open(home.log()).unwrap();
        log.write_all(bytes).unwrap();
    };
    append(b"{\"type\":\"mess");
    home.start().kill();
    assert_eq!(home.lines().len(), 1);
    append(b"nonsense\n");
    let told = home.fails_to_start();
    assert!(told.contains("line 2"), "{told}");
}

#[test]
fn what_a_full_disk_refuses_is_delivered_to_nobody() {
    let home = Home::new("");
    let server = home.start_with_full_disk_after(128);
    let mut ana = server.joins("Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let text = "x".repeat(8000);
    let mut recorded = 0;
    loop {
        ana.say("#lobby", &text, &format!("{recorded}"));
        let answer = ana.next();
        if answer["type"] == "error" {
            assert_eq!(answer["code"], "not_recorded");
            break;
        }
        ana.expect("message");
        recorded += 1;
    }
    assert!(recorded > 0);
    let heard = luis.barrier().len();
    assert_eq!((heard, home.lines().len()), (recorded, recorded));

    server.has_room_again();
    // Said again by the id that was refused: it was never recorded, and the numbering has no hole.
    let ack = ana.says("#lobby", "¡otra vez!", &format!("{recorded}"));
    assert_eq!(ack["seq"], recorded + 1);
    ana.expect_message("Ana", "¡otra vez!");
    luis.expect_message("Ana", "¡otra vez!");
    assert_eq!(home.lines().len(), recorded + 1);
}

#[test]
fn a_line_that_is_damaged_while_the_server_runs_is_named_and_not_shown() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for n in 1..=3 {
        ana.says("#lobby", "hola", &format!("{n}"));
        ana.expect("message");
    }
    let log = std::fs::read_to_string(home.log()).unwrap();
    std::fs::write(home.log(), log.replacen("\"seq\":2", "\"sex\":2", 1)).unwrap();
    ana.send(&json!({"type": "history"}));
    ana.expect_error("internal");
    ana.expect_closed();
    server.logs("line 2");
    // The others go on.
    let mut luis = server.joins("Luis");
    assert_eq!(luis.says("#lobby", "hola", "4")["seq"], 4);
}

/// What is said in one go to a full disk is refused word by word, each in its place among the answers; all
/// that needs no record goes on.
#[test]
fn on_a_full_disk_everything_but_the_talk_goes_on() {
    let home = Home::new("");
    let server = home.start_with_full_disk_after(128);
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8000);
    let mut recorded = 0;
    while ana.ask(&json!({"type": "say", "text": text}))["type"] == "message" {
        recorded += 1;
    }
    for n in 0..100 {
        ana.say("#lobby", &text, &n.to_string());
        ana.send(&json!({"type": "ping", "id": n.to_string()}));
    }
    for n in 0..100 {
        assert_eq!(ana.expect_error("not_recorded")["id"], n.to_string());
        assert_eq!(ana.expect("pong")["id"], n.to_string());
    }
    let mut luis = server.joins("Luis");
    assert_eq!(ana.expect("joined")["nick"], "Luis");
    luis.joins("#a");
    let page = luis.ask(&json!({"type": "history", "limit": 1}));
    assert_eq!(page["messages"][0]["seq"], recorded);
    server.has_room_again();
    assert_eq!(luis.says("#lobby", "por fin", "1")["seq"], recorded + 1);
    luis.expect_message("Luis", "por fin");
    ana.expect_message("Luis", "por fin");
    assert_eq!(home.lines().len(), recorded + 1);
}
