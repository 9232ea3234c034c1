//! Error messages of a failed start, and the effect of flags on the listeners.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

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

/// Line n is message n. A line that repeats the one before it, as a bad copy leaves it, is the wrong one
/// of the two.
#[test]
fn a_history_whose_numbers_do_not_go_on() {
    for (numbers, expected) in [
        (&[1, 2, 2][..], "line 3: it has the number 2 instead of 3"),
        (&[1, 2, 4], "line 3: it has the number 4 instead of 3"),
        (&[1, 7, 3], "line 2: it has the number 7 instead of 2"),
        (&[1, 0], "line 2: it has the number 0 instead of 2"),
        (
            &[1, u64::MAX],
            "line 2: it has the number 18446744073709551615 instead of 2",
        ),
        (&[2, 3], "line 1: it has the number 2 instead of 1"),
    ] {
        let home = Home::new("");
        let lines = numbers.iter().map(|number| {
            format!(
                r##"{{"type":"message","seq":{number},"time":"2026-11-23T18:50:00.123Z","from":"ana","to":"#lobby","text":"hola"}}"##
            ) + "\n"
        });
        fs::write(home.file("log"), lines.collect::<String>()).unwrap();
        let line = told(&home);
        says_once(&line, expected);
    }
}

/// Returns the output of `--check-config` with these flags.
fn checked(home: &Home, flags: &[&str]) -> String {
    let output = home
        .program()
        .args(flags)
        .arg("--check-config")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn local_moves_every_listener_and_ip_address_only_tcp() {
    let home = Home::new("");
    home.configure(
        "tcp = \"127.0.0.1:0\"\n",
        "tcp = \"0.0.0.0:1\"\ntls = \"[::]:2\"\nweb = \"0.0.0.0:3\"\nmetrics = \"chat.example.org:4\"\n",
    );
    let (cert, key) = (home.file("cert.pem"), home.file("key.pem"));
    home.configure(
        "[limits]\n",
        &format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n[limits]\n"),
    );
    let all = checked(&home, &["--local"]);
    for line in [
        "tcp = \"127.0.0.1:1\"",
        "tls = \"127.0.0.1:2\"",
        "web = \"127.0.0.1:3\"",
        "metrics = \"127.0.0.1:4\"",
    ] {
        assert!(all.lines().any(|known| known == line), "{line}: {all}");
    }
    let all = checked(&home, &["--local", "--port", "9"]);
    assert!(all.contains("tcp = \"127.0.0.1:9\""), "{all}");
    let all = checked(&home, &["--ip-address", "::1"]);
    for line in ["tcp = \"[::1]:1\"", "web = \"0.0.0.0:3\""] {
        assert!(all.lines().any(|known| known == line), "{line}: {all}");
    }

    // A disabled listener stays disabled, and a real server binds to the address.
    home.configure("tls = \"[::]:2\"\n", "");
    home.configure("metrics = \"chat.example.org:4\"\n", "");
    home.configure("tcp = \"0.0.0.0:1\"", "tcp = \"\"");
    home.configure("0.0.0.0:3", "0.0.0.0:0");
    let all = checked(&home, &["--local"]);
    assert!(
        all.contains("tcp = \"\"") && !all.contains("metrics"),
        "{all}"
    );
    let server = home.start_with("set -- \"$0\" --local --config \"$1\"; exec \"$@\"");
    assert!(server.web_address.unwrap().ip().is_loopback());
}
