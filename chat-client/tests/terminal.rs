//! Scenes at a terminal: the real binary on a pseudo-terminal, against a scripted server.

mod support;

use serde_json::json;
use support::terminal::Terminal;
use support::{FakeServer, Peer, error, message, welcome, welcome_with};

/// What a client asks on its own at a terminal: who is here, to complete their names.
fn people(peer: &mut Peer, nicks: &[&str]) {
    peer.expect("users");
    list(peer, nicks);
}

fn list(peer: &mut Peer, nicks: &[&str]) {
    peer.send(&json!({
        "type": "users", "channel": "#lobby", "users": nicks, "total": nicks.len(), "more": false
    }));
}

/// Ana at her terminal, and the server's side of it.
fn ana(server: &FakeServer) -> (Terminal, Peer) {
    let mut terminal = Terminal::start(&[&server.address(), "--nick", "ana"]);
    let mut peer = server.greet();
    people(&mut peer, &["ana", "luis", "Lucía"]);
    terminal.shows("* you are ana on fake/1\n#lobby>");
    (terminal, peer)
}

fn leave(mut terminal: Terminal, peer: Peer) {
    terminal.keys(".q\r");
    peer.goodbye();
    assert_eq!(terminal.end(), 0);
    assert!(terminal.echoes(), "the terminal is as it was");
}

#[test]
fn asked_for_a_nickname_and_asked_again() {
    let server = FakeServer::start();
    let mut terminal = Terminal::start(&[&server.address()]);
    terminal.shows("Your nickname:");
    terminal.keys("7up\r");
    terminal.sees("! a nick does not begin with");
    terminal.keys("ana\r");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["nick"], "ana");
    peer.send(&error("nick_taken", &json!(null)));
    terminal.sees("! as the server says\nYour nickname:");
    terminal.keys("anita\r");
    assert_eq!(peer.expect("hello")["nick"], "anita");
    peer.send(&welcome("anita"));
    people(&mut peer, &["anita"]);
    terminal.sees("* you are anita on fake/1\n#lobby>");
    terminal.keys("\x04");
    peer.goodbye();
    assert_eq!(terminal.end(), 0);
    assert!(terminal.echoes());
}

/// The server lets go of who takes long to think of a nickname.
#[test]
fn a_nickname_after_the_hello_timeout() {
    let server = FakeServer::start();
    let mut terminal = Terminal::start(&[&server.address(), "--nick", "ana"]);
    let mut peer = server.accept();
    peer.expect("hello");
    peer.send(&error("nick_taken", &json!(null)));
    terminal.sees("Your nickname:");
    peer.send(&error("hello_timeout", &json!(null)));
    drop(peer);
    terminal.sees("! as the server says");
    terminal.keys("anita\r");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["nick"], "anita");
    peer.send(&welcome("anita"));
    people(&mut peer, &["anita"]);
    terminal.sees("#lobby>");
    leave(terminal, peer);
}

#[test]
fn no_nickname_and_any_nickname() {
    let server = FakeServer::start();
    let mut terminal = Terminal::start(&[&server.address()]);
    terminal.sees("Your nickname:");
    terminal.keys("\x04");
    assert_eq!(terminal.end(), 0, "the end of input is goodbye");

    let mut terminal = Terminal::start(&[&server.address(), "--nick", "7up"]);
    terminal.sees("Your nickname:");
    terminal.keys("\x04");
    assert_eq!(terminal.end(), 3, "the nickname was refused");

    let mut terminal = Terminal::start(&[&server.address()]);
    terminal.sees("Your nickname:");
    terminal.keys("\r");
    let mut peer = server.greet();
    people(&mut peer, &["User4F2K1A"]);
    terminal.sees("* you are User4F2K1A on fake/1\n#lobby>");
    leave(terminal, peer);
}

#[test]
fn the_prompt_and_what_is_typed_survive_a_message() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    terminal.keys("hola a to");
    terminal.sees("#lobby> hola a to");
    peer.send(&message(1, "luis", "#lobby", "hola"));
    peer.send(&message(2, "luis", "#lobby", "dos\nlíneas"));
    terminal
        .shows("* you are ana on fake/1\n[luis]: hola\n[luis]: dos\n    líneas\n#lobby> hola a to");
    terminal.keys("dos\r");
    let say = peer.record("ana", 3);
    assert_eq!(say["text"], "hola a todos");
    // What was typed is there once: as the message that it has become.
    terminal.shows(
        "* you are ana on fake/1\n[luis]: hola\n[luis]: dos\n    líneas\n[ana]: hola a todos\n#lobby>",
    );
    leave(terminal, peer);
}

/// The line wraps, has wide characters and lines of its own, and is taken back whole.
#[test]
fn a_long_line_is_not_doubled() {
    let server = FakeServer::start();
    let mut terminal = Terminal::sized(24, 30, &[&server.address(), "--nick", "ana"]);
    let mut peer = server.greet();
    people(&mut peer, &["ana"]);
    terminal.shows("* you are ana on fake/1\n#lobby>");
    for (seq, text) in [
        (1, "exactly 22 characters!"),
        (2, "漢字漢字漢字漢字漢字漢字漢字漢字漢字 漢字 and some more"),
        (3, "👋🏽 e\u{301}"),
        (4, "x"),
    ] {
        terminal.keys(&format!("{text}\r"));
        let say = peer.expect("say");
        assert_eq!(say["text"], text);
        terminal.until("the prompt alone", |screen| screen.ends_with("\n#lobby>"));
        peer.ack(&say, seq);
        peer.send(&message(seq, "ana", "#lobby", &format!("m{seq}")));
    }
    terminal.shows("* you are ana on fake/1\n[ana]: m1\n[ana]: m2\n[ana]: m3\n[ana]: m4\n#lobby>");
    // A paste of several lines is one message.
    terminal.keys("\x1b[200~one\ntwo\nthree\x1b[201~\r");
    assert_eq!(peer.record("ana", 5)["text"], "one\ntwo\nthree");
    terminal.sees("[ana]: m4\n[ana]: one\n    two\n    three\n#lobby>");
    leave(terminal, peer);
}

#[test]
fn tab_completes_commands_nicks_and_channels() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    peer.send(&json!({
        "type": "joined", "channel": "#rust", "nick": "maria", "time": support::TIME
    }));
    terminal.sees("* maria joined #rust");
    for (typed, completed) in [
        ("mar\t", "#lobby> maria:"),
        ("hola lui\t!", "#lobby> hola luis !"),
        ("/his\t", "#lobby> /history"),
        ("/join #r\t", "#lobby> /join #rust"),
        ("/tell luc\t", "#lobby> /tell Lucía"),
        ("/tell:mar\t", "#lobby> /tell:maria:"),
    ] {
        terminal.keys(typed);
        terminal.sees(completed);
        terminal.keys("\x15");
        terminal.until("an empty line", |screen| screen.ends_with("\n#lobby>"));
    }
    // Two that begin alike are listed, and a message while they are does not harm.
    terminal.keys("lu\t\t");
    terminal.sees("luis:");
    terminal.sees("Lucía:");
    peer.send(&message(1, "luis", "#lobby", "hola"));
    terminal.sees("[luis]: hola\n#lobby> lu");
    terminal.keys("\x15");
    leave(terminal, peer);
}

#[test]
fn lines_come_back_by_the_arrow_key() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    terminal.keys("one\r");
    peer.record("ana", 1);
    terminal.keys("two\r");
    peer.record("ana", 2);
    terminal.sees("[ana]: two\n#lobby>");
    terminal.keys("\x1b[A\x1b[A");
    terminal.sees("#lobby> one");
    terminal.keys("\r");
    assert_eq!(peer.record("ana", 3)["text"], "one");
    leave(terminal, peer);
}

/// Lines typed faster than they can be drawn, all at once, arrive all and in order.
#[test]
fn typing_ahead() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    let lines: Vec<String> = (0..30).map(|number| format!("line {number}")).collect();
    terminal.keys(&(lines.join("\r") + "\r"));
    for (seq, line) in (1..).zip(&lines) {
        assert_eq!(peer.record("ana", seq)["text"], **line);
    }
    terminal.sees("[ana]: line 29\n#lobby>");
    let screen = terminal.screen();
    for line in &lines[10..] {
        assert_eq!(screen.matches(&format!("{line}\n")).count(), 1, "{screen}");
    }
    leave(terminal, peer);
}

#[test]
fn query_chooses_from_a_numbered_list() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    terminal.keys("/query\r");
    peer.expect("users");
    list(&mut peer, &["ana", "luis", "Lucía"]);
    terminal.sees("*   1 luis\n*   2 Lucía\nNumber or nick (Enter for nobody):");
    terminal.keys("2\r");
    terminal.sees("-> Lucía>");
    terminal.keys("psst\r");
    let say = peer.record("ana", 1);
    assert_eq!(
        (&say["to"], &say["text"]),
        (&json!("Lucía"), &json!("psst"))
    );
    terminal.sees("[ana -> Lucía]: psst\n-> Lucía>");
    // Alone it ends the conversation; then it asks again, and Enter is nobody.
    terminal.keys("/query\r");
    terminal.until("the lobby", |screen| screen.ends_with("\n#lobby>"));
    terminal.keys("/query\r");
    peer.expect("users");
    list(&mut peer, &["ana", "luis"]);
    terminal.sees("*   1 luis\nNumber or nick");
    terminal.keys("\r");
    terminal.until("the lobby", |screen| screen.ends_with("\n#lobby>"));
    terminal.keys("/query\r");
    peer.expect("users");
    list(&mut peer, &["ana"]);
    terminal.sees("* nobody else is here\n#lobby>");
    leave(terminal, peer);
}

#[test]
fn a_spinner_while_the_connection_is_away() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    peer.send(&message(1, "luis", "#lobby", "one"));
    terminal.sees("[luis]: one");
    terminal.keys("half");
    terminal.sees("#lobby> half");
    drop(peer);
    terminal.sees(" connection lost; trying again\n#lobby> half");
    terminal.keys(" a line\r");
    terminal.sees("* not sent yet: half a line");
    let mut peer = server.accept();
    let hello = peer.expect("hello");
    assert_eq!(
        (&hello["token"], &hello["after"]),
        (&json!("token-of-ana"), &json!(1))
    );
    peer.send(&welcome_with("ana", &json!({"resumed": true, "seq": 3})));
    peer.send(&message(2, "luis", "#lobby", "two"));
    peer.send(&message(3, "luis", "#lobby", "three"));
    peer.expect("ping");
    peer.expect("say");
    terminal.sees("* back, 2 messages missed\n[luis]: two\n[luis]: three\n#lobby>");
    let screen = terminal.screen();
    assert!(!screen.contains("trying again"), "{screen}");
    let raw = terminal.raw();
    let frames = ["⠁", "⠂", "⠄", "⡀"];
    assert!(
        frames.iter().filter(|frame| raw.contains(**frame)).count() >= 2,
        "the spinner turns"
    );
    drop(peer);
    terminal.sees("trying again");
    // Once says goodbye when what was typed is recorded; twice ends at once.
    terminal.keys("\x03");
    terminal.sees("* 1 line waits to be recorded; Ctrl-C ends at once");
    terminal.keys("\x03");
    assert_eq!(terminal.end(), 1);
    assert!(
        terminal
            .screen()
            .contains("! 1 line is not known to be recorded")
    );
    assert!(terminal.echoes());
}

#[test]
fn ctrl_c_says_goodbye() {
    let server = FakeServer::start();
    let (mut terminal, peer) = ana(&server);
    terminal.keys("not sent\x03");
    peer.goodbye();
    assert_eq!(terminal.end(), 0);
    assert!(terminal.echoes());

    let (mut terminal, mut peer) = ana(&server);
    terminal.keys("\x03");
    peer.expect("quit");
    terminal.keys("\x03");
    assert_eq!(terminal.end(), 1, "twice ends at once");
    assert!(terminal.echoes());
}

#[test]
fn ctrl_c_instead_of_a_nickname_is_goodbye() {
    let server = FakeServer::start();
    for key in ["\x03", "\x04"] {
        let mut terminal = Terminal::start(&[&server.address()]);
        terminal.shows("Your nickname:");
        terminal.keys(key);
        assert_eq!(terminal.end(), 0, "{key:?}");
        assert!(terminal.echoes());
    }
}

#[test]
fn the_server_ends_the_conversation_under_the_prompt() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    terminal.keys("half");
    terminal.sees("#lobby> half");
    peer.send(&message(1, "luis", "#lobby", "last words"));
    peer.send(&error("replaced", &json!(null)));
    assert_eq!(terminal.end(), 1);
    let screen = terminal.screen();
    assert!(
        screen.contains("[luis]: last words\n! as the server says"),
        "{screen}"
    );
    assert!(terminal.echoes());
}

#[test]
fn hostile_texts_do_not_drive_the_terminal() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    peer.send(&message(
        1,
        "lu\u{1b}[2Jis",
        "#lobby",
        "\u{1b}]0;title\u{7}\u{9b}2J\rgone\u{202e}",
    ));
    terminal.sees("[lu\\u{1b}[2Jis]: \\u{1b}]0;title\\u{7}\\u{9b}2J\\rgone\\u{202e}\n#lobby>");
    leave(terminal, peer);
}

/// With NO_COLOR and without it there is no colour: nothing depends on it.
#[test]
fn no_colours() {
    let server = FakeServer::start();
    let (mut terminal, mut peer) = ana(&server);
    peer.send(&message(1, "luis", "#lobby", "hola"));
    terminal.sees("[luis]: hola");
    let raw = terminal.raw();
    let coloured = raw.split("\x1b[").skip(1).any(|sequence| {
        sequence
            .find(|c: char| c.is_ascii_alphabetic())
            .is_some_and(|end| sequence[end..].starts_with('m'))
    });
    assert!(!coloured, "{raw:?}");
    leave(terminal, peer);
}

#[test]
fn a_nick_that_was_taken_while_away() {
    let server = FakeServer::start();
    let (mut terminal, peer) = ana(&server);
    drop(peer);
    terminal.sees("trying again");
    terminal.keys("waits\r");
    let mut peer = server.accept();
    assert_eq!(peer.expect("hello")["nick"], "ana");
    peer.send(&error("nick_taken", &json!(null)));
    terminal.sees("! as the server says\n* your nickname is no longer yours; /nick NEW");
    terminal.keys("/nick anita\r");
    let hello = peer.expect("hello");
    assert_eq!(
        (&hello["nick"], &hello["token"]),
        (&json!("anita"), &json!(null))
    );
    peer.send(&welcome("anita"));
    peer.barrier();
    assert_eq!(peer.record("anita", 1)["text"], "waits");
    people(&mut peer, &["anita"]);
    terminal.sees("[anita]: waits");
    leave(terminal, peer);
}

/// Where only one side is a terminal there is no prompt to keep, and yet a person to ask.
#[test]
fn the_output_in_a_pipe() {
    let server = FakeServer::start();
    for script in [
        format!("$CLIENT {} | cat", server.address()),
        format!("TERM=dumb $CLIENT {}", server.address()),
    ] {
        let mut terminal = Terminal::shell(&script);
        terminal.sees("Your nickname:");
        terminal.keys("ana\r");
        let mut peer = server.greet();
        terminal.sees("* you are ana on fake/1");
        terminal.keys("hola\r");
        assert_eq!(peer.record("ana", 1)["text"], "hola");
        terminal.sees("[ana]: hola");
        terminal.keys("\x04");
        peer.goodbye();
        assert_eq!(terminal.end(), 0);
        assert!(!terminal.raw().contains('\u{1b}'), "{:?}", terminal.raw());
    }
}

/// `--plain`, which `Terminal::start` says, is line mode; at a terminal that has its prompt.
#[test]
fn plain_is_line_mode() {
    let server = FakeServer::start();
    let mut terminal = Terminal::start(&[&server.address(), "--nick", "ana"]);
    let mut peer = server.greet();
    people(&mut peer, &["ana"]);
    terminal.shows("* you are ana on fake/1\n#lobby>");
    leave(terminal, peer);
}

/// Types keys that must never be seen, with a line editor and without one.
#[test]
fn a_password_is_asked_for_and_not_shown() {
    for terminal_name in ["xterm", "dumb"] {
        let server = FakeServer::start();
        let address = server.address();
        let script = format!("TERM={terminal_name} $CLIENT {address} --nick ana --plain");
        let mut terminal = Terminal::shell(&script);
        let mut peer = server.accept();
        assert_eq!(peer.expect("hello")["password"], json!(null));
        peer.send(&error("auth_failed", &json!(null)));
        terminal.sees("! as the server says\nPassword:");
        terminal.keys("wrong geheim\r");
        assert_eq!(peer.expect("hello")["password"], "wrong geheim");
        peer.send(&error("auth_failed", &json!(null)));
        terminal.until("asked again", |screen| {
            screen.matches("! as the server says").count() == 2 && screen.ends_with("Password:")
        });
        terminal.keys("right geheim\r");
        let hello = peer.expect("hello");
        assert_eq!(
            (&hello["nick"], &hello["password"]),
            (&json!("ana"), &json!("right geheim"))
        );
        peer.send(&welcome("ana"));
        terminal.sees("* you are ana on fake/1");
        terminal.keys("/password\r");
        for prompt in ["Password until now:", "New password:", "Once more:"] {
            terminal.until("asked", |screen| screen.ends_with(prompt));
            terminal.keys(if prompt.starts_with("Pass") {
                "right geheim\r"
            } else {
                "other geheim\r"
            });
        }
        let mut asked = peer.receive().unwrap();
        if asked["type"] == "users" {
            // What an editor asks by itself.
            list(&mut peer, &["ana"]);
            asked = peer.expect("password");
        }
        assert_eq!(
            (&asked["old"], &asked["new"]),
            (&json!("right geheim"), &json!("other geheim"))
        );
        peer.send(&json!({"type": "registered", "nick": "ana"}));
        terminal.sees("* ana is protected by your password");
        a_new_password_is_asked_for_again(&mut terminal, terminal_name == "dumb");
        terminal.keys(".q\r");
        peer.goodbye();
        assert_eq!(terminal.end(), 0);
        assert!(!terminal.raw().contains("geheim"), "{:?}", terminal.raw());
        assert!(terminal.echoes());
    }
}

/// Issue 15, row 43: two different entries and an empty line are asked about in place.
fn a_new_password_is_asked_for_again(terminal: &mut Terminal, dumb: bool) {
    terminal.keys("/register\r");
    terminal.until("asked", |screen| screen.ends_with("New password:"));
    terminal.keys("geheim one\r");
    terminal.until("asked again", |screen| screen.ends_with("Once more:"));
    terminal.keys("geheim two\r");
    // Asked again in place: what is typed then is a password still.
    terminal.until("asked again", |screen| {
        screen.contains("! the two are not the same") && screen.ends_with("New password:")
    });
    terminal.keys("\r");
    terminal.until("asked again", |screen| {
        screen.contains("* a password is not empty") && screen.ends_with("New password:")
    });
    terminal.keys(if dumb { "\r" } else { "\x1b" });
    terminal.sees("* no password was given, and nothing was sent");
    terminal.keys("/unregister\r");
    terminal.until("asked", |screen| screen.ends_with("Password:"));
    terminal.keys("\r");
    terminal.until("given up", |screen| {
        screen
            .matches("* no password was given, and nothing was sent")
            .count()
            == 2
    });
}

/// Issue 15, row 55: chooses on arrival whom to talk to, by number or nick. Any other text is said.
#[test]
fn whom_to_talk_to_is_chosen_on_arrival() {
    for name in ["xterm", "dumb"] {
        for (keys, to) in [
            ("\r", "#lobby"),
            ("1\r", "#lobby"),
            ("2\r", "luis"),
            ("MARIA\r", "maria"),
            ("7\r3\r", "maria"),
            ("", "#lobby"),
        ] {
            let server = FakeServer::start();
            let address = server.address();
            let args = "--nick ana --plain --choose-on-arrival";
            let mut terminal = Terminal::shell(&format!("TERM={name} $CLIENT {address} {args}"));
            let mut peer = server.accept();
            peer.expect("hello");
            peer.send(&welcome("ana"));
            people(&mut peer, &["ana", "luis", "maria"]);
            terminal.sees("1) everyone  2) luis  3) maria");
            terminal.sees("Enter for everyone):");
            terminal.keys(keys);
            terminal.keys("hola\r");
            let say = peer.record("ana", 1);
            assert_eq!(
                (&say["to"], &say["text"]),
                (&json!(to), &json!("hola")),
                "{keys:?}"
            );
            leave(terminal, peer);
        }
    }
}

/// The first arrival under a nick offers the list in line mode too; the next one does not.
#[test]
fn the_first_arrival_offers_a_choice_in_line_mode() {
    let server = FakeServer::start();
    let state = tempfile::tempdir().unwrap();
    let arrives = |nick: &str, is_first: bool| {
        let line = format!(
            "XDG_STATE_HOME='{}' $CLIENT {} --nick {nick} --plain",
            state.path().display(),
            server.address()
        );
        let mut terminal = Terminal::shell(&line);
        let mut peer = server.accept();
        peer.expect("hello");
        peer.send(&welcome(nick));
        people(&mut peer, &[nick, "luis", "maria"]);
        if is_first {
            terminal.sees("1) everyone  2) luis  3) maria");
        }
        // A choice, or else a text.
        terminal.keys("2\rhola\r");
        let (to, text) = if is_first {
            ("luis", "hola")
        } else {
            ("#lobby", "2")
        };
        let say = peer.record(nick, 1);
        assert_eq!((&say["to"], &say["text"]), (&json!(to), &json!(text)));
        if !is_first {
            assert_eq!(peer.record(nick, 2)["text"], "hola");
        }
        leave(terminal, peer);
    };
    arrives("ana", true);
    arrives("ana", false);
    arrives("eva", true);
}
