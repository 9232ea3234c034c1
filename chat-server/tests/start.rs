//! What keeps a server from starting is told in a line for people, each cause once.

mod support;

use std::fs;
use std::net::TcpListener;

use support::Home;

/// The last line that a server of this home says before it gives up.
fn told(home: &Home) -> String {
    let all = home.fails_to_start();
    let line = all.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("chat-server: "), "{all}");
    line
}

fn says_once(line: &str, words: &str) {
    assert_eq!(line.matches(words).count(), 1, "{line}");
}

#[test]
fn an_address_that_is_in_use() {
    let home = Home::new("");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    home.configure("127.0.0.1:0", &address);
    let line = told(&home);
    says_once(&line, &address);
    says_once(&line, "in use");
}

#[test]
fn a_history_in_a_folder_that_is_not_there() {
    let home = Home::new("");
    home.configure("/log\"", "/no/log\"");
    let line = told(&home);
    says_once(&line, "/no/log");
    says_once(&line, "No such file");
}

#[test]
fn accounts_in_a_file_of_another_kind() {
    let home = Home::new("");
    fs::write(home.file("accounts.db"), "a letter to somebody").unwrap();
    let line = told(&home);
    says_once(&line, "accounts.db");
    says_once(&line, "not a database");
}
