//! Nicks that a password protects: who may have them, and what waits for them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use support::{DEADLINE, Home, Server, TestClient};

const PASSWORD: &str = "correct horse";

fn hello(nick: &str, password: Option<&str>, after: Option<u64>) -> Value {
    json!({"type": "hello", "version": 1, "nick": nick, "password": password, "after": after})
}

fn logs_in(server: &Server, nick: &str, password: &str, after: Option<u64>) -> TestClient {
    let mut client = server.connect();
    client.send(&hello(nick, Some(password), after));
    client.token = client.expect("welcome")["token"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    client
}

fn registers(client: &mut TestClient, nick: &str) {
    client.send(&json!({"type": "register", "password": PASSWORD, "id": "r"}));
    assert_eq!(client.expect("registered")["nick"], nick);
}

/// `chat-server account`, with a line on its standard input; what it prints, or its error.
fn account(home: &Home, args: &[&str], line: &str) -> Result<String, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_chat-server"))
        .arg("--config")
        .arg(home.config())
        .arg("account")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may end without having read.
    writeln!(child.stdin.take().unwrap(), "{line}").ok();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    }
}

/// Tries until the server has taken note of what was done beside it.
fn until_answered(server: &Server, hello: &Value, answer: &str) -> TestClient {
    let end = Instant::now() + DEADLINE;
    loop {
        let mut client = server.connect();
        client.send(hello);
        let event = client.next();
        if event["type"] == answer || event["code"] == answer {
            return client;
        }
        assert!(Instant::now() < end, "still {event}");
    }
}

fn quits(mut client: TestClient) {
    client.send(&json!({"type": "quit"}));
    client.expect("bye");
    client.expect_closed();
}

#[test]
fn a_protected_nick_needs_its_password_also_after_a_restart() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    ana.send(&json!({"type": "register", "password": PASSWORD, "id": "again"}));
    assert_eq!(ana.expect_error("already_registered")["id"], "again");
    quits(ana);
    let mut thief = server.connect();
    thief.send(&hello("ANA", None, None));
    thief.expect_error("auth_failed");
    thief.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "token": "falso"}));
    thief.expect_error("auth_failed");
    thief.send(&hello("Otra", None, None));
    thief.expect("welcome");
    quits(logs_in(&server, "Ana", PASSWORD, None));
    server.kill();
    let server = home.start();
    let mut thief = server.connect();
    for _ in 0..2 {
        thief.send(&hello("ana", None, None));
        thief.expect_error("auth_failed");
    }
    thief.send(&hello("ana", Some("wrong password"), None));
    thief.expect_error("auth_failed");
    thief.expect_closed();
    quits(logs_in(&server, "ana", PASSWORD, None));
}

#[test]
fn a_wrong_password_and_no_account_are_answered_alike() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    let mut wrong = server.connect();
    wrong.send(&hello("Ana", Some("wrong password"), None));
    let to_wrong = wrong.expect_error("auth_failed");
    wrong.send(&hello("Nadie", Some("wrong password"), None));
    assert_eq!(to_wrong, wrong.expect_error("auth_failed"));
    // A password is for a nick.
    wrong.send(&json!({"type": "hello", "version": 1, "password": PASSWORD}));
    wrong.expect_error("bad_request");
    wrong.send(&hello("Nadie", None, None));
    wrong.expect("welcome");
    // Beside one another: a hello that is not the first costs no hash and is what it was.
    wrong.send(&hello("Ana", Some("wrong password"), None));
    wrong.expect_error("bad_request");
}

#[test]
fn the_third_failure_closes_whatever_kind_it_is() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    luis.send(&json!({"type": "nick", "nick": "ana", "id": "n"}));
    assert_eq!(luis.expect_error("auth_failed")["id"], "n");
    luis.send(&json!({"type": "unregister", "password": PASSWORD, "id": "u"}));
    assert_eq!(luis.expect_error("not_registered")["id"], "u");
    registers(&mut luis, "Luis");
    luis.send(&json!({"type": "unregister", "password": "wrong password"}));
    luis.expect_error("auth_failed");
    luis.send(&json!({"type": "password", "old": "wrong password", "new": PASSWORD, "id": "p"}));
    luis.say("Ana", "never said", "after");
    assert_eq!(luis.expect_error("auth_failed")["id"], "p");
    luis.expect_closed();
    let gone = ana.expect("gone");
    assert_eq!(gone["nick"], "Luis");
    ana.hears_nothing();
}

#[test]
fn passwords_are_changed_and_given_up() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    for (request, code) in [
        (
            json!({"type": "register", "password": "short"}),
            "password_invalid",
        ),
        (
            json!({"type": "register", "password": "x".repeat(257)}),
            "password_invalid",
        ),
        (json!({"type": "register", "password": 5}), "bad_request"),
        (
            json!({"type": "password", "old": "x", "new": PASSWORD}),
            "not_registered",
        ),
        (
            json!({"type": "unregister", "password": "x"}),
            "not_registered",
        ),
    ] {
        ana.send(&request);
        ana.expect_error(code);
    }
    registers(&mut ana, "Ana");
    ana.send(&json!({"type": "password", "old": PASSWORD, "new": "short"}));
    ana.expect_error("password_invalid");
    ana.send(&json!({"type": "password", "old": PASSWORD, "new": "another one"}));
    assert_eq!(ana.expect("registered")["nick"], "Ana");
    quits(ana);
    let mut other = server.connect();
    other.send(&hello("Ana", Some(PASSWORD), None));
    other.expect_error("auth_failed");
    let mut ana = logs_in(&server, "Ana", "another one", None);
    ana.send(&json!({"type": "unregister", "password": "another one"}));
    assert_eq!(ana.expect("unregistered")["nick"], "Ana");
    quits(ana);
    quits(server.joins("Ana"));
    // Before hello there is nothing to register.
    let mut nobody = server.connect();
    nobody.send(&json!({"type": "register", "password": PASSWORD, "id": "r"}));
    assert_eq!(nobody.expect_error("hello_required")["id"], "r");
    nobody.send(&hello("Ana", None, None));
    nobody.expect("welcome");
}

fn by_token(nick: &str, token: &str) -> Value {
    json!({"type": "hello", "version": 1, "nick": nick, "token": token})
}

/// Whether a token is worth something for a protected nick.
fn is_refused(server: &Server, nick: &str, token: &str) {
    let mut thief = server.connect();
    thief.send(&by_token(nick, token));
    thief.expect_error("auth_failed");
}

#[test]
fn another_password_ends_every_other_token_and_connection() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("ana");
    registers(&mut ana, "ana");
    let mut luis = server.joins("luis");
    ana.expect("joined");
    // Others are in by the password: one under another nick, one has lost the connection.
    let mut anita = logs_in(&server, "ana", PASSWORD, None);
    ana.expect_error("replaced");
    anita.send(&json!({"type": "nick", "nick": "anita"}));
    anita.awaits("renamed");
    let away = logs_in(&server, "ana", PASSWORD, None);
    away.closes_sending();
    luis.awaits("gone");
    let mut ana = logs_in(&server, "ana", PASSWORD, None);
    let stolen = ana.token.clone();
    anita.barrier();
    luis.barrier();

    ana.send(&json!({"type": "password", "old": PASSWORD, "new": "another one"}));
    ana.send(&json!({"type": "ping", "id": "behind"}));
    let registered = ana.awaits("registered");
    assert_eq!(registered["nick"], "ana");
    assert_eq!(ana.expect("pong")["id"], "behind");
    let token = registered["token"].as_str().unwrap().to_owned();
    assert_ne!(token, stolen);
    anita.expect_error("signed_out");
    anita.expect_closed();
    let gone = luis.expect("gone");
    assert_eq!(
        (&gone["nick"], &gone["reason"]),
        (&json!("anita"), &json!("signed out"))
    );
    for token in [&stolen, &away.token, &anita.token] {
        is_refused(&server, "ana", token);
    }
    // The connection that asked goes on, and comes back, also after a kill.
    ana.says("#lobby", "still here", "1");
    home.until_kept("account IS NOT NULL", 1);
    server.kill();
    let server = home.start();
    is_refused(&server, "ana", &stolen);
    let mut ana = server.connect();
    ana.send(&by_token("ana", &token));
    let welcome = ana.expect("welcome");
    assert_eq!(
        (&welcome["resumed"], &welcome["token"]),
        (&json!(true), &json!(token))
    );
    assert_eq!(ana.says("#lobby", "still here", "1")["seq"], 1);
}

#[test]
fn a_password_that_is_changed_from_outside_ends_every_token_and_connection() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("ana");
    registers(&mut ana, "ana");
    account(&home, &["passwd", "ana"], "another one").unwrap();
    ana.expect_error("signed_out");
    ana.expect_closed();
    is_refused(&server, "ana", &ana.token);
    // While no server runs, too.
    let mut ana = logs_in(&server, "ana", "another one", None);
    ana.barrier();
    home.until_kept("account IS NOT NULL AND until IS NULL", 1);
    server.kill();
    account(&home, &["passwd", "ana"], "a third one").unwrap();
    let server = home.start();
    is_refused(&server, "ana", &ana.token);
    quits(logs_in(&server, "ana", "a third one", None));
}

/// A wrong password, or one that is refused, changes nothing.
#[test]
fn a_password_that_is_not_changed_ends_no_token() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("ana");
    registers(&mut ana, "ana");
    ana.send(&json!({"type": "password", "old": "wrong password", "new": "another one"}));
    ana.expect_error("auth_failed");
    ana.send(&json!({"type": "password", "old": PASSWORD, "new": "short"}));
    ana.expect_error("password_invalid");
    let mut again = server.connect();
    again.send(&by_token("ana", &ana.token));
    assert_eq!(again.expect("welcome")["resumed"], true);
}

#[test]
fn what_is_written_to_somebody_away_waits_for_them_alone() {
    let home = Home::new("");
    let server = home.start();
    let mut luis = server.joins("Luis");
    let mut ana = server.joins("Ana");
    luis.expect("joined");
    let before = luis.says("Ana", "before the account", "1")["seq"].clone();
    luis.expect("message");
    ana.expect("message");
    registers(&mut ana, "Ana");
    quits(ana);
    luis.expect("gone");
    luis.says("ana", "while you were away", "2");
    let kept = luis.expect_message("Luis", "while you were away");
    assert_eq!(kept["to"], "Ana", "as it was registered");
    luis.says("#lobby", "to all", "3");
    luis.expect("message");
    home.until_kept("nick = 'Ana'", 0);
    server.kill();
    let server = home.start();
    let mut ana = logs_in(&server, "Ana", PASSWORD, before.as_u64());
    ana.expect_message("Luis", "while you were away");
    ana.expect_message("Luis", "to all");
    ana.hears_nothing();
    ana.send(&json!({"type": "history", "with": "Luis"}));
    let page = ana.expect("history");
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "{page}");
    // Given up, and taken by somebody else: what was written to the account is not theirs.
    ana.send(&json!({"type": "unregister", "password": PASSWORD}));
    ana.expect("unregistered");
    quits(ana);
    let mut other = server.joins("Ana");
    registers(&mut other, "Ana");
    other.send(&json!({"type": "history", "with": "Luis", "after": 0}));
    let page = other.expect("history");
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(0), "{page}");
}

#[test]
fn the_password_takes_over_as_the_token_does() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    ana.send(&json!({"type": "join", "channel": "#rust"}));
    ana.expect("joined");
    let mut again = server.connect();
    again.send(&hello("Ana", Some(PASSWORD), None));
    let welcome = again.expect("welcome");
    assert_eq!(welcome["joined"], json!(["#lobby", "#rust"]));
    ana.expect_error("replaced");
    ana.expect_closed();
    drop(again);
    // The token alone is enough, too.
    let mut back = server.connect();
    back.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "token": ana.token}));
    assert_eq!(back.expect("welcome")["resumed"], true);
}

#[test]
fn what_follows_a_password_waits_for_it_and_keeps_its_order() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "register", "password": PASSWORD}));
    ana.say("#lobby", "behind it", "1");
    ana.expect("registered");
    assert_eq!(ana.expect("ack")["id"], "1");
    ana.expect("message");
    quits(ana);
    let mut ana = server.connect();
    ana.send(&hello("Ana", Some(PASSWORD), None));
    ana.say("#lobby", "in one go", "2");
    ana.closes_sending();
    ana.expect("welcome");
    ana.expect("ack");
    ana.expect("message");
    ana.expect_closed();
}

#[test]
fn an_account_may_take_other_nicks_and_come_back_to_its_own() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    ana.send(&json!({"type": "nick", "nick": "Anita"}));
    ana.expect("renamed");
    let mut luis = server.joins("Luis");
    ana.expect("joined");
    luis.says("Ana", "to the account", "1");
    luis.expect("message");
    ana.send(&json!({"type": "nick", "nick": "Ana"}));
    ana.expect("renamed");
    luis.expect("renamed");
    ana.send(&json!({"type": "history", "with": "Luis"}));
    let page = ana.expect("history");
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(1), "{page}");
}

#[test]
fn guesses_from_one_address_are_limited() {
    let home = Home::new("");
    let server = home.start();
    let guess = || {
        let mut guesser = server.connect();
        guesser.send(&hello("Nadie", Some("a guess"), None));
        let code = guesser.expect("error")["code"].clone();
        (guesser, code)
    };
    // One more for each ten seconds that they take.
    let refused = (0..500)
        .map(|_| guess())
        .position(|(_, code)| code == "rate_limited");
    assert!(refused.is_some_and(|before| before >= 50), "{refused:?}");
    let (mut guesser, _) = guess();
    guesser.send(&hello("Nadie", None, None));
    guesser.expect("welcome");
}

/// All at once, before the first of them is found wrong: no more are looked at than one after the other, and
/// whoever comes behind them does not wait for the rest.
#[test]
fn guesses_that_wait_together_are_limited_as_well() {
    let home = Home::new("");
    let server = home.start();
    let mut guessers: Vec<TestClient> = (0..200).map(|_| server.connect()).collect();
    for guesser in &mut guessers {
        guesser.send(&hello("Nadie", Some("a guess"), None));
    }
    let codes = guessers
        .iter_mut()
        .map(|guesser| guesser.expect("error")["code"].clone());
    let (looked_at, declined): (Vec<_>, Vec<_>) = codes.partition(|code| code == "auth_failed");
    // Each thread may be looking at one more.
    assert!((50..60).contains(&looked_at.len()), "{}", looked_at.len());
    assert!(declined.iter().all(|code| code == "rate_limited"));
}

/// Issue 15, row 15. Whoever guesses from the owner's own network does not keep the owner out.
#[test]
fn a_right_password_passes_beside_a_neighbour_who_guesses() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    let mut luis = server.joins("Luis");
    registers(&mut luis, "Luis");
    let guess = |nick: &str| {
        let mut guesser = server.connect();
        guesser.send(&hello(nick, Some("a guess"), None));
        guesser.expect("error")["code"].clone()
    };
    // A machine that is slow gives the network some more in the meantime.
    let refused = (0..500)
        .map(|_| guess("Ana"))
        .position(|code| code == "rate_limited");
    assert!(refused.is_some_and(|before| before >= 50), "{refused:?}");
    for nick in ["Ana", "Luis", "Ana", "Luis"] {
        guess("Ana");
        let mut owner = server.connect();
        owner.send(&hello(nick, Some(PASSWORD), None));
        owner.expect("welcome");
    }
    // All at once: those behind the first few are refused without a hash, the newest is looked at.
    let mut guessers: Vec<TestClient> = (0..100).map(|_| server.connect()).collect();
    for guesser in &mut guessers {
        guesser.send(&hello("Ana", Some("a guess"), None));
    }
    let mut code_of = |guesser: &mut TestClient| guesser.expect("error")["code"].clone();
    // The owner is the newest: the guesses have arrived by then.
    let mut codes: Vec<_> = guessers[..90].iter_mut().map(&mut code_of).collect();
    let mut owner = server.connect();
    owner.send(&hello("Ana", Some(PASSWORD), None));
    owner.expect("welcome");
    codes.extend(guessers[90..].iter_mut().map(&mut code_of));
    assert!(codes.iter().filter(|code| *code == "rate_limited").count() > 90);
}

/// Issue 15, row 15. Many logins of one account have one turn of several.
#[test]
fn a_storm_of_right_passwords_delays_no_other_account() {
    const STORM: usize = 300;
    let home = Home::new("");
    let server = home.start();
    for nick in ["Ana", "Luis"] {
        let mut client = server.joins(nick);
        registers(&mut client, nick);
        quits(client);
    }
    let mut storm: Vec<TestClient> = (0..STORM).map(|_| server.connect()).collect();
    for client in &mut storm {
        client.send(&hello("Ana", Some(PASSWORD), None));
    }
    drop(logs_in(&server, "Luis", PASSWORD, None));
    let answered = |client: &&TestClient| {
        client.stream.set_nonblocking(true).unwrap();
        client.stream.peek(&mut [0]).is_ok()
    };
    let before = storm.iter().filter(answered).count();
    assert!(before < STORM / 2, "{before} of {STORM} came before");
}

#[test]
fn only_hashes_are_kept() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    registers(&mut ana, "Ana");
    drop(server);
    for file in home.files() {
        let bytes = std::fs::read(&file).unwrap_or_default();
        let found = bytes
            .windows(PASSWORD.len())
            .any(|window| window == PASSWORD.as_bytes());
        assert!(!found, "{} has the password", file.display());
    }
}

#[test]
fn an_operator_changes_accounts_beside_a_running_server() {
    let home = Home::new("");
    assert!(
        account(&home, &["list"], "")
            .unwrap_err()
            .contains("no such file")
    );
    account(&home, &["add", "Eva"], PASSWORD).unwrap();
    let server = home.start();
    quits(logs_in(&server, "eva", PASSWORD, None));
    let mut luis = server.joins("Luis");
    account(&home, &["add", "Ana"], PASSWORD).unwrap();
    let error = account(&home, &["add", "ANA"], PASSWORD).unwrap_err();
    assert!(error.contains("already"), "{error}");
    let error = account(&home, &["add", "Otra"], "short").unwrap_err();
    assert!(error.contains("8 to 256"), "{error}");
    // At once, as the password is looked up; without one, when it is noticed.
    quits(logs_in(&server, "Ana", PASSWORD, None));
    until_answered(&server, &hello("Ana", None, None), "auth_failed");
    luis.barrier();
    luis.says("Ana", "waits", "1");
    let listed = account(&home, &["list"], "").unwrap();
    let nicks: Vec<_> = listed
        .lines()
        .map(|line| line.split(' ').next_back())
        .collect();
    assert_eq!(nicks, [Some("Ana"), Some("Eva")], "{listed}");
    account(&home, &["passwd", "ana"], "another one").unwrap();
    quits(logs_in(&server, "Ana", "another one", None));
    account(&home, &["remove", "ana"], "").unwrap();
    let error = account(&home, &["remove", "ana"], "").unwrap_err();
    assert!(error.contains("no account"), "{error}");
    quits(until_answered(
        &server,
        &hello("Ana", None, None),
        "welcome",
    ));
}

#[test]
fn an_account_that_is_removed_while_the_server_is_stopped_leaves_no_bans_behind() {
    let home = Home::new("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    ana.send(&json!({"type": "register", "password": PASSWORD}));
    ana.awaits("registered");
    ana.joins("#club");
    ana.send(&json!({"type": "ban", "channel": "#club", "nick": "Trol"}));
    ana.awaits("banned");
    server.kill();
    account(&home, &["remove", "Ana"], "").unwrap();
    for _ in 0..2 {
        let server = home.start();
        let mut eva = server.joins("Eva");
        eva.joins("#club");
        assert_eq!(
            eva.ask(&json!({"type": "bans", "channel": "#club"}))["bans"],
            json!([])
        );
        server.joins("Trol").joins("#club");
        server.kill();
    }
}

/// A command in the wrong folder makes no stray database, and `--config` is taken behind a subcommand.
#[test]
fn account_add_makes_a_file_only_where_it_is_told_to() {
    let home = Home::new("");
    let folder = tempfile::tempdir().unwrap();
    let add = |nick: &str, args: &[&str]| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_chat-server"))
            .current_dir(&folder)
            .args(["account", "add", nick])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.take().unwrap(), "{PASSWORD}").ok();
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text)
    };
    let stray = folder.path().join("chat_accounts.db");
    let (code, text) = add("ana", &[]);
    assert_eq!((code, stray.exists()), (1, false), "{text}");
    assert!(
        text.contains("--config") && text.contains("--create"),
        "{text}"
    );
    let (code, text) = add("ana", &["--config", home.config().to_str().unwrap()]);
    assert_eq!((code, stray.exists()), (0, false), "{text}");
    assert!(
        text.contains(home.file("accounts.db").to_str().unwrap()),
        "{text}"
    );
    let (code, text) = add("ana", &["--create"]);
    assert_eq!((code, stray.exists()), (0, true), "{text}");
    assert!(text.contains(stray.to_str().unwrap()), "{text}");
    // A file that is there already is the server's.
    assert_eq!(add("luis", &[]).0, 0);
}

#[test]
fn the_owner_of_a_nick_that_was_protected_while_in_use_puts_its_holder_out() {
    let home = Home::new("");
    let server = home.start();
    let mut luis = server.joins("Luis");
    let mut stranger = server.joins("Ana");
    luis.expect("joined");
    stranger.send(&json!({"type": "join", "channel": "#secret"}));
    stranger.expect("joined");
    account(&home, &["add", "Ana"], PASSWORD).unwrap();
    luis.says("Ana", "to the stranger", "1");
    luis.expect("message");
    stranger.expect("message");
    let mut ana = server.connect();
    ana.send(&hello("Ana", Some(PASSWORD), None));
    let welcome = ana.expect("welcome");
    assert_eq!(
        welcome["joined"],
        json!(["#lobby"]),
        "nothing of the stranger's"
    );
    assert_ne!(welcome["token"], stranger.token);
    stranger.expect_error("replaced");
    stranger.expect_closed();
    luis.expect("gone");
    luis.expect("joined");
    ana.send(&json!({"type": "history", "with": "Luis"}));
    let page = ana.expect("history");
    assert_eq!(page["messages"], json!([]), "not hers");
    let mut back = server.connect();
    back.send(&json!({"type": "hello", "version": 1, "nick": "Ana", "token": stranger.token}));
    back.expect_error("auth_failed");
}

#[test]
fn a_storm_of_logins_delays_nobody_else() {
    let home = Home::new("");
    let server = home.start();
    let mut luis = server.joins("Luis");
    let mut storm: Vec<TestClient> = (0..32).map(|_| server.connect()).collect();
    for client in &mut storm {
        client.send(&hello("Nadie", Some("a guess"), None));
    }
    luis.says("#lobby", "meanwhile", "1");
    luis.expect_message("Luis", "meanwhile");
    // Each of them takes some tens of milliseconds of few threads: they have not all had their
    // turn.
    let waits = |client: &TestClient| {
        client.stream.set_nonblocking(true).unwrap();
        let answered = client.stream.peek(&mut [0]);
        client.stream.set_nonblocking(false).unwrap();
        answered.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    assert!(storm.iter().any(waits));
    for mut client in storm {
        client.expect_error("auth_failed");
    }
}
