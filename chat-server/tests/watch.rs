//! What those see who watch over the server: whether it is well, and why not.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::Instant;

use support::web::{CLOSE, ask_at, get, home};
use support::{DEADLINE, Home, Server};

/// Asks until the server says that it is well, or that it is not, in these words.
fn says(server: &Server, status: u16, words: &str) {
    let end = Instant::now() + DEADLINE;
    loop {
        let answer = get(server, "/healthz");
        if answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(words) {
            assert!(answer.contains("no-store"), "{answer}");
            return;
        }
        assert!(Instant::now() < end, "{answer}");
        thread::yield_now();
    }
}

/// Whether `chat-server healthcheck` says that it is well, and what else it says.
fn healthcheck(home: &Home, server: &Server) -> (bool, String) {
    let metrics = server.metrics_address.unwrap().to_string();
    healthcheck_at(home, server, &metrics)
}

/// The same, with this address of the metrics.
fn healthcheck_at(home: &Home, server: &Server, metrics: &str) -> (bool, String) {
    let checked = home
        .program()
        .env("CHAT_LISTEN__WEB", server.web_address.unwrap().to_string())
        .env("CHAT_LISTEN__METRICS", metrics)
        .arg("healthcheck")
        .output()
        .unwrap();
    let said = String::from_utf8(checked.stderr).unwrap();
    (checked.status.success(), said)
}

#[test]
fn a_server_whose_disk_is_full_says_so_until_it_has_room_without_anybody_writing() {
    let home = home("");
    let server = home.start_with_full_disk_after(256);
    says(&server, 200, "ready");
    assert_eq!(healthcheck(&home, &server), (true, String::new()));
    let mut ana = server.joins("Ana");
    let text = "x".repeat(8_000);
    let refused = (0..100).find(|number| {
        ana.say("#lobby", &text, &number.to_string());
        let refused = ana.next()["type"] == "error";
        if !refused {
            ana.expect("message");
        }
        refused
    });
    let recorded = refused.expect("the disk is full");
    says(
        &server,
        503,
        "the history cannot be written, messages are refused",
    );
    let (well, said) = healthcheck(&home, &server);
    assert!(
        !well && said.contains("the history cannot be written"),
        "{said}"
    );

    server.has_room_again();
    says(&server, 200, "ready");
    assert_eq!(healthcheck(&home, &server), (true, String::new()));
    ana.says("#lobby", "again", "again");
    assert_eq!(home.lines().len(), recorded + 1);
}

#[test]
fn a_server_that_cannot_read_its_accounts_says_so() {
    let home = home("");
    let server = home.start();
    says(&server, 200, "ready");
    let database = rusqlite::Connection::open(home.file("accounts.db")).unwrap();
    database.busy_timeout(DEADLINE).unwrap();
    database
        .execute_batch("ALTER TABLE accounts RENAME TO hidden")
        .unwrap();
    says(&server, 503, "the accounts cannot be read");
    database
        .execute_batch("ALTER TABLE hidden RENAME TO accounts")
        .unwrap();
    says(&server, 200, "ready");
}

#[test]
fn a_server_that_ends_says_so() {
    let home = home("");
    let server = home.start();
    let mut ana = server.joins("Ana");
    // Connected before the end: a server that ends accepts none.
    let mut watchers = [(); 2].map(|()| support::web::socket(&server)).into_iter();
    let mut ask = |last_words: &str| {
        let mut watcher = watchers.next().unwrap();
        watcher
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        watcher.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(last_words), "{answer}");
        answer
    };
    assert!(ask("ready\n").starts_with("HTTP/1.1 200 "));
    server.terminate();
    ana.expect_error("shutting_down");
    assert!(ask("the server ends\n").starts_with("HTTP/1.1 503 "));
}

#[test]
fn a_server_without_a_page_or_without_room_is_well_too() {
    let plain = Home::new("connections = 1");
    let server = plain.start();
    let check = |address: &str| {
        let mut program = plain.program();
        program.env("CHAT_LISTEN__TCP", address).arg("healthcheck");
        program.output().unwrap().status.success()
    };
    assert!(check(&server.address.to_string()));
    server.logs(" as nobody, ");
    let _ana = server.joins("Ana");
    assert!(check(&server.address.to_string()));
    assert!(!check("127.0.0.1:1"));

    let home = home("connections = 1");
    let server = home.start();
    let _ana = server.joins("Ana");
    assert!(get(&server, "/healthz").starts_with("HTTP/1.1 503 "));
    for metrics in ["", &server.metrics_address.unwrap().to_string()] {
        let checked = healthcheck_at(&home, &server, metrics);
        assert_eq!(checked, (true, String::new()));
    }
}

/// Silent connections to the metrics listener do not block health checks.
#[test]
fn silent_connections_do_not_block_health_checks() {
    let home = home("hello_timeout = \"1m\"");
    let server = home.start();
    let address = server.metrics_address.unwrap();
    let silent: Vec<_> = (0..300)
        .map(|_| std::net::TcpStream::connect_timeout(&address, DEADLINE).unwrap())
        .collect();
    for path in ["/healthz", "/metrics"] {
        let answer = ask_at(address, &format!("GET {path}"), CLOSE);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
    // The oldest silent connection was evicted.
    let mut oldest = &silent[0];
    oldest.set_read_timeout(Some(DEADLINE)).unwrap();
    assert_eq!(oldest.read(&mut [0]).unwrap(), 0);
}
