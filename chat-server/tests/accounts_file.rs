//! The accounts file beside other programs, operators and another server (issue 15, rows 1, 21 and
//! 22).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use support::web::get;
use support::{DEADLINE, Home, Server, TestClient};

const PASSWORD: &str = "correct horse";

/// Tells the program of this test what to do as another process.
const TASK: &str = "CHAT_TEST_OUTSIDE";
const FILE: &str = "CHAT_TEST_OUTSIDE_FILE";

/// A home whose operator is Ana, with `/healthz`.
fn home() -> Home {
    let home = support::web::home("");
    home.configure("[listen]\n", "operators = [\"ana\"]\n[listen]\n");
    home
}

fn hello(server: &Server, nick: &str, password: Option<&str>) -> TestClient {
    let mut client = server.connect();
    client.send(&json!({"type": "hello", "version": 1, "nick": nick, "password": password}));
    client
}

fn registers(server: &Server, nick: &str) -> TestClient {
    let mut client = server.joins(nick);
    client.send(&json!({"type": "register", "password": PASSWORD}));
    client.awaits("registered");
    client
}

/// Not a test: what [`outside`] runs in a process of its own.
#[test]
fn as_an_outside_process() {
    let Ok(task) = std::env::var(TASK) else {
        return;
    };
    let path = PathBuf::from(std::env::var_os(FILE).unwrap());
    let database = rusqlite::Connection::open(&path).unwrap();
    database.busy_timeout(DEADLINE).unwrap();
    match &*task {
        "select" => {
            let count = "SELECT count(*) FROM accounts, tokens, sanctions";
            database.query_row(count, [], |_| Ok(())).unwrap();
        }
        "copy" => {
            let copy = path.with_extension("copy");
            fs::remove_file(&copy).ok();
            let copy = copy.to_str().unwrap();
            database.execute("VACUUM INTO ?1", [copy]).unwrap();
        }
        "checkpoint" => database
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap(),
        other => panic!("{other}"),
    }
}

/// Has another process do something with the accounts, and waits for its end.
fn outside(home: &Home, task: &str) {
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "as_an_outside_process"])
        .env(TASK, task)
        .env(FILE, home.file("accounts.db"))
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success(), "{task}");
}

/// Backs the accounts up as an operator does, where the machine has SQLite's program.
fn backs_up(home: &Home) {
    let program = Command::new("sqlite3")
        .arg(home.file("accounts.db"))
        .arg(format!(".backup {}", home.file("backup.db").display()))
        .output();
    match program {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
    }
}

#[test]
fn what_others_read_at_any_moment_costs_nothing() {
    let home = home();
    let server = home.start();
    let others = |home: &Home| {
        for task in ["select", "copy", "checkpoint"] {
            outside(home, task);
        }
        backs_up(home);
        outside(home, "select");
    };
    others(&home);
    let mut ana = registers(&server, "Ana");
    others(&home);
    let luis = registers(&server, "Luis");
    let eva = server.joins("Eva");
    others(&home);
    ana.send(&json!({"type": "ban", "nick": "Trol"}));
    ana.awaits("banned");
    home.until_kept("nick = 'Eva'", 1);
    others(&home);
    let token = eva.token.clone();
    drop((ana, luis, eva));
    server.kill();
    let server = home.start();
    for nick in ["Ana", "Luis"] {
        hello(&server, nick, None).expect_error("auth_failed");
        hello(&server, nick, Some(PASSWORD)).expect("welcome");
    }
    hello(&server, "Trol", None).expect_error("banned");
    let mut eva = server.connect();
    eva.send(&json!({"type": "hello", "version": 1, "nick": "Eva", "token": token}));
    assert_eq!(eva.expect("welcome")["resumed"], true);
}

fn until_healthz(server: &Server, status: &str) -> String {
    let end = Instant::now() + DEADLINE;
    loop {
        let answer = get(server, "/healthz");
        if answer.starts_with(&format!("HTTP/1.1 {status} ")) {
            return answer;
        }
        assert!(Instant::now() < end, "{answer}");
        std::thread::yield_now();
    }
}

/// What takes the place of a file.
#[derive(Debug, Clone, Copy)]
enum By {
    Nothing,
    AnEmptyFile,
    /// A link to the file itself.
    ALink,
}

/// Moves a file of the accounts out of the way, and perhaps something to its place.
fn displaces(home: &Home, name: &str, by: By) {
    let (file, kept) = (home.file(name), home.file("kept"));
    fs::rename(&file, &kept).unwrap();
    match by {
        By::Nothing => {}
        By::AnEmptyFile => fs::write(&file, "").unwrap(),
        By::ALink => std::os::unix::fs::symlink(&kept, &file).unwrap(),
    }
}

#[test]
fn a_database_that_is_moved_or_replaced_is_noticed_and_takes_nothing() {
    for (name, by) in [
        ("accounts.db", By::Nothing),
        ("accounts.db", By::AnEmptyFile),
        ("accounts.db", By::ALink),
        ("accounts.db-wal", By::Nothing),
        ("accounts.db-wal", By::AnEmptyFile),
        ("accounts.db-wal", By::ALink),
        ("accounts.db-shm", By::Nothing),
    ] {
        let home = home();
        let server = home.start();
        let mut ana = registers(&server, "Ana");
        let mut luis = server.joins("Luis");
        displaces(&home, name, by);
        // At once, whether it was noticed or not.
        luis.send(&json!({"type": "register", "password": PASSWORD, "id": "r"}));
        let refused = luis.awaits("error");
        assert_eq!(
            (&refused["code"], &refused["id"]),
            (&json!("not_recorded"), &json!("r"))
        );
        let answer = until_healthz(&server, "503");
        assert!(answer.contains("renamed, replaced or deleted"), "{answer}");
        server.logs("stop the server, restore the file");
        for act in [
            json!({"type": "ban", "nick": "Trol", "id": "a"}),
            json!({"type": "mute", "nick": "Luis", "id": "a"}),
            json!({"type": "topic", "channel": "#lobby", "topic": "none", "id": "a"}),
            json!({"type": "password", "old": PASSWORD, "new": "another horse", "id": "a"}),
            json!({"type": "unregister", "password": PASSWORD, "id": "a"}),
        ] {
            ana.send(&act);
            let refused = ana.awaits("error");
            assert_eq!(refused["code"], "not_recorded", "{act} {refused}");
        }
        // Who has an account still gets in, and messages are none of the accounts' business.
        let mut again = hello(&server, "Ana", Some(PASSWORD));
        again.expect("welcome");
        again.says_among_others("#lobby", "meanwhile", "1");
        // Back in its place it is used again.
        fs::rename(home.file("kept"), home.file(name)).unwrap();
        until_healthz(&server, "200");
        let mut eva = registers(&server, "Eva");
        eva.barrier();
        again.send(&json!({"type": "ban", "nick": "Trol"}));
        again.awaits("banned");
    }
}

/// SQLite looks for the log beside the target of a link, not beside the link.
#[test]
fn a_server_does_not_start_with_a_database_whose_log_it_would_not_find() {
    let home = home();
    let server = home.start();
    registers(&server, "Ana");
    displaces(&home, "accounts.db", By::ALink);
    server.kill();
    let error = home.fails_to_start();
    assert!(error.contains("move the database back"), "{error}");
    fs::rename(home.file("kept"), home.file("accounts.db")).unwrap();
    let server = home.start();
    hello(&server, "Ana", Some(PASSWORD)).expect("welcome");
}

/// The inode stays, so that only the content tells.
#[test]
fn a_database_that_another_file_is_copied_over_is_noticed() {
    let other = home();
    let server = other.start();
    registers(&server, "Luis");
    server.terminate();
    server.ended();
    let foreign = fs::read(other.file("accounts.db")).unwrap();
    for content in [foreign, Vec::new(), b"no database".to_vec()] {
        let home = home();
        let server = home.start();
        registers(&server, "Ana");
        let mut eva = registers(&server, "Eva");
        outside(&home, "select");
        // All of it is in the database: a checkpoint is no damage.
        outside(&home, "checkpoint");
        eva.send(&json!({"type": "password", "old": PASSWORD, "new": PASSWORD}));
        eva.awaits("registered");
        outside(&home, "checkpoint");
        // Again and again, as the server looks from time to time.
        let end = Instant::now() + DEADLINE;
        while !get(&server, "/healthz").contains("renamed, replaced or deleted") {
            assert!(Instant::now() < end, "not noticed");
            fs::write(home.file("accounts.db"), &content).unwrap();
        }
        server.logs("stop the server, restore the file");
        eva.send(&json!({"type": "unregister", "password": PASSWORD}));
        eva.awaits("error");
    }
}

#[test]
fn a_database_that_was_moved_away_loses_nothing_that_was_confirmed() {
    let home = home();
    let server = home.start();
    let mut ana = registers(&server, "Ana");
    displaces(&home, "accounts.db", By::Nothing);
    until_healthz(&server, "503");
    // Another program makes a new one in its place, with a log of its own.
    fs::rename(home.file("accounts.db-wal"), home.file("kept-wal")).unwrap();
    fs::rename(home.file("accounts.db-shm"), home.file("kept-shm")).unwrap();
    outside_creates(&home.file("accounts.db"));
    ana.send(&json!({"type": "register", "password": PASSWORD}));
    ana.barrier();
    server.terminate();
    server.ended();
    let other = rusqlite::Connection::open(home.file("accounts.db")).unwrap();
    let rows: u32 = other
        .query_row("SELECT count(*) FROM other", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1, "the log of the new one is not the server's");
    drop(other);
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(home.file(&format!("accounts.db{suffix}"))).ok();
        let (kept, back) = (format!("kept{suffix}"), format!("accounts.db{suffix}"));
        fs::rename(home.file(&kept), home.file(&back)).unwrap();
    }
    let server = home.start();
    hello(&server, "Ana", None).expect_error("auth_failed");
    hello(&server, "Ana", Some(PASSWORD)).expect("welcome");
}

/// Another database in WAL mode, whose row is in its log alone.
fn outside_creates(path: &Path) {
    let other = rusqlite::Connection::open(path).unwrap();
    other.pragma_update(None, "journal_mode", "WAL").unwrap();
    other
        .execute_batch("CREATE TABLE other (n); INSERT INTO other VALUES (1);")
        .unwrap();
    // As after a crash: its log stays.
    std::mem::forget(other);
}

#[test]
fn a_second_server_on_the_accounts_of_another_does_not_start() {
    let first = home();
    let server = first.start();
    let mut ana = registers(&server, "Ana");
    let second = home();
    let own = second.file("accounts.db");
    second.configure(
        own.to_str().unwrap(),
        first.file("accounts.db").to_str().unwrap(),
    );
    let said = second.fails_to_start();
    let line = said.lines().last().unwrap();
    assert!(
        line.contains("accounts.db is in use by another chat-server"),
        "{said}"
    );
    // Under another name, too.
    let link = second.file("link.db");
    std::os::unix::fs::symlink(first.file("accounts.db"), &link).unwrap();
    let other = first.file("accounts.db");
    second.configure(other.to_str().unwrap(), link.to_str().unwrap());
    assert!(second.fails_to_start().contains("in use by another"));
    // The first one is none the worse, and an operator's command works beside it.
    let listed = first.program().args(["account", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.trim_end().ends_with(" Ana"), "{listed}");
    ana.says("#lobby", "still here", "1");
    server.kill();
    second.start();
}

/// Makes rows that no server writes.
fn spoil(home: &Home) {
    let database = rusqlite::Connection::open(home.file("accounts.db")).unwrap();
    for sql in [
        "INSERT INTO tokens SELECT x'0102', nick, account, channels, since, former, until
            FROM tokens LIMIT 1",
        "INSERT INTO tokens SELECT randomblob(32), '#no nick', account, channels, since, former, until
            FROM tokens LIMIT 1",
        "INSERT INTO tokens SELECT randomblob(32), nick, 0, channels, since, former, until
            FROM tokens LIMIT 1",
        "INSERT INTO tokens SELECT randomblob(32), nick, account, 'no json', -1, former, until
            FROM tokens LIMIT 1",
        "INSERT INTO tokens SELECT randomblob(32), CAST(x'ff' AS TEXT), account, channels, since,
            former, until FROM tokens LIMIT 1",
        "INSERT INTO accounts (id, folded, nick, hash, since, created)
            VALUES (0, 'cero', 'Cero', 'hash', 0, 0)",
        "INSERT INTO accounts (folded, nick, hash, since, created)
            VALUES ('no nick', '#no nick', 'hash', -1, 0)",
        "INSERT INTO sanctions (number, scope, kind, target, holder, created)
            VALUES (900, 'server', 'nick', 'Otro', x'01', 0)",
        "INSERT INTO sanctions (number, scope, kind, target, created)
            VALUES (901, 'server', 'address', 'nowhere', 0)",
        "INSERT INTO channels (folded, name, founder) VALUES ('#x', 'no channel', NULL)",
        "INSERT INTO channels (folded, name, topic) VALUES ('#y', '#y', 'without an author')",
    ] {
        database.execute(sql, []).unwrap();
    }
}

#[test]
fn malformed_rows_are_named_and_the_others_are_used() {
    let home = home();
    let server = home.start();
    let mut ana = registers(&server, "Ana");
    ana.send(&json!({"type": "ban", "nick": "Trol"}));
    ana.awaits("banned");
    let eva = server.joins("Eva");
    home.until_kept("nick = 'Eva'", 1);
    server.kill();
    spoil(&home);
    let mut listed = home.program();
    let listed = listed.args(["account", "list"]).output().unwrap();
    let (listed, warned) = (
        String::from_utf8(listed.stdout).unwrap(),
        String::from_utf8(listed.stderr).unwrap(),
    );
    assert!(listed.contains(" Ana\n"), "{listed}");
    assert!(warned.contains("table accounts: row 0 "), "{warned}");
    let server = home.start();
    // Behind the warnings.
    hello(&server, "Ana", Some("a wrong one")).expect_error("auth_failed");
    let log = server.log_until("sent a wrong password");
    for row in [
        "table tokens: row x'0102' ",
        "table accounts: row 0 ",
        "table sanctions: row 900 ",
        "table sanctions: row 901 ",
        "table channels: row \"no channel\" ",
        "table channels: row \"#y\" ",
    ] {
        let warned = log
            .iter()
            .any(|line| line.contains(row) && line.contains("WARN"));
        assert!(warned, "{row} in {log:#?}");
    }
    let of_tokens = log.iter().filter(|line| line.contains("table tokens"));
    assert_eq!(of_tokens.count(), 5, "{log:#?}");
    hello(&server, "Ana", Some(PASSWORD)).expect("welcome");
    hello(&server, "Trol", None).expect_error("banned");
    let mut back = server.connect();
    back.send(&json!({"type": "hello", "version": 1, "nick": "Eva", "token": eva.token}));
    assert_eq!(back.expect("welcome")["resumed"], true);
}

#[test]
fn files_that_others_may_read_are_made_private() {
    let home = home();
    let server = home.start();
    registers(&server, "Ana");
    // Killed, so that the log stays.
    server.kill();
    let files = ["accounts.db", "accounts.db-wal", "accounts.db-shm"];
    let set = |mode| {
        for file in files {
            fs::set_permissions(home.file(file), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let modes = || {
        files.map(|file| {
            let metadata = fs::metadata(home.file(file)).unwrap();
            metadata.permissions().mode() & 0o777
        })
    };
    set(0o644);
    let server = home.start();
    assert_eq!(modes(), [0o600; 3]);
    hello(&server, "Ana", Some(PASSWORD)).expect("welcome");
    server.kill();
    set(0o664);
    let listed = home.program().args(["account", "list"]).output().unwrap();
    assert!(listed.status.success());
    let database = fs::metadata(home.file("accounts.db")).unwrap();
    assert_eq!(database.permissions().mode() & 0o777, 0o600);
}
