//! The clock is set back: times do not go back with it, numbers grow, tokens stay good.

use std::fs;
use std::sync::OnceLock;

use serde_json::json;

use crate::preload;
use crate::support::{Home, Server, TestClient};

fn start(home: &Home) -> Server {
    static LIBRARY: OnceLock<std::path::PathBuf> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| preload::library("clock"));
    home.start_with(&format!(
        "export LD_PRELOAD='{}' CHAT_CLOCK='{}'",
        library.display(),
        home.file("clock").display()
    ))
}

/// From now on the clock is off by so many seconds.
fn set(home: &Home, seconds: i64) {
    fs::write(home.file("clock.new"), seconds.to_string()).unwrap();
    fs::rename(home.file("clock.new"), home.file("clock")).unwrap();
}

/// Says something; the time of that.
fn says(who: &mut TestClient, id: u64) -> String {
    let ack = who.says("#lobby", "hola", &id.to_string());
    assert_eq!(ack["seq"], id);
    let message = who.expect("message");
    assert_eq!(message["time"], ack["time"]);
    ack["time"].as_str().unwrap().to_owned()
}

fn comes_back(server: &Server, who: &TestClient, after: u64) -> TestClient {
    let mut back = server.connect();
    let hello =
        json!({"type": "hello", "version": 1, "nick": "Ana", "token": who.token, "after": after});
    back.send(&hello);
    let welcome = back.expect("welcome");
    assert_eq!(welcome["resumed"], true, "{welcome}");
    back.token.clone_from(&who.token);
    back
}

#[test]
fn a_clock_that_is_set_back_takes_no_message_with_it() {
    let home = Home::new("");
    let server = start(&home);
    let mut ana = server.joins("Ana");
    let mut times = vec![says(&mut ana, 1)];
    for (id, seconds) in [(2, -7_200), (3, 100_000)] {
        set(&home, seconds);
        times.push(says(&mut ana, id));
    }
    // A jump that lasts is followed.
    server.logs("the clock was set forward");
    for (id, seconds) in [(4, -100_000), (5, 0)] {
        set(&home, seconds);
        times.push(says(&mut ana, id));
    }
    // Ahead by a day since; whoever is cut off now comes back all the same.
    let mut ana = comes_back(&server, &ana, 4);
    ana.expect("message");

    // Over a kill too: the history is ahead of the clock of the new server.
    home.until_kept("1", 1);
    server.kill();
    let server = start(&home);
    server.logs("times go on from there");
    let mut ana = comes_back(&server, &ana, 5);
    times.push(says(&mut ana, 6));
    assert!(times.is_sorted(), "{times:?}");
}

/// Ten years ahead for a moment: no token, ban or mute ends by it, and no message is stamped with it.
#[test]
fn a_clock_that_jumps_for_a_moment_ends_nothing() {
    let home = Home::new("resume_window = \"1h\"");
    home.configure("[listen]", "operators = [\"ana\"]\n[listen]");
    let server = start(&home);
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "register", "password": "correct horse"}));
    ana.expect("registered");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    let cut_off = server.joins("Eva");
    ana.expect("joined");
    luis.expect("joined");
    for request in [
        json!({"type": "mute", "nick": "Luis", "seconds": 86_400}),
        json!({"type": "ban", "nick": "Zoe", "seconds": 86_400}),
        json!({"type": "ban", "address": "192.0.2.1", "seconds": 86_400}),
    ] {
        ana.send(&request);
        ana.awaits(if request["type"] == "mute" {
            "muted"
        } else {
            "banned"
        });
    }
    let token = cut_off.token.clone();
    drop(cut_off);
    ana.awaits("gone");
    set(&home, 315_360_000);
    let ahead = ana.says("#lobby", "hola", "1");
    server.joins("Other");
    set(&home, 0);
    let after = ana.ask(&json!({"type": "say", "text": "hola", "id": "2"}));
    assert!(ahead["time"].as_str() < Some("2036"), "{ahead}");
    assert!(after["time"].as_str() < Some("2036"), "{after}");
    luis.say("#lobby", "spam", "1");
    assert_eq!(luis.awaits("error")["code"], "muted");
    let mut zoe = server.connect();
    zoe.send(&json!({"type": "hello", "version": 1, "nick": "Zoe"}));
    zoe.expect_error("banned");
    ana.send(&json!({"type": "bans"}));
    assert_eq!(ana.awaits("bans")["bans"].as_array().unwrap().len(), 3);
    let mut eva = server.connect();
    eva.send(&json!({"type": "hello", "version": 1, "nick": "Eva", "token": token}));
    assert_eq!(eva.expect("welcome")["resumed"], true);
}

#[test]
fn a_history_from_the_future_is_gone_on_with() {
    let home = Home::new("resume_window = \"1h\"");
    let line = r##"{"type":"message","seq":1,"time":"2199-01-01T00:00:00.000Z","from":"Eva","to":"#lobby","text":"¡hola!"}"##;
    fs::write(home.log(), format!("{line}\n")).unwrap();
    let server = home.start();
    let mut ana = server.joins("Ana");
    let said = says(&mut ana, 2);
    assert!(said.starts_with("2199-01-01T00:"), "{said}");
    home.until_kept("1", 1);
    server.kill();
    let server = home.start();
    let mut ana = comes_back(&server, &ana, 2);
    assert!(says(&mut ana, 3) >= said);
    let page = ana.ask(&json!({"type": "history"}));
    assert_eq!(page["messages"].as_array().unwrap().len(), 3);
}
