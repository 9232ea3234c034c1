//! Behind a proxy the limits by address count the person, not the proxy, and nobody can choose whom; and the
//! page over TLS.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;
use support::web::{Browser, home, request, socket};
use support::{Home, Server};
use tokio_rustls::rustls::version;
use tungstenite::HandshakeError;
use tungstenite::protocol::frame::coding::CloseCode;

fn behind(proxies: &str) -> Home {
    let home = home("connections_per_ip = 1");
    home.configure(
        "[limits]\n",
        &format!("[web]\nproxies = {proxies}\n[limits]\n"),
    );
    home
}

/// A WebSocket of whom the proxy names in these lines, or the status that it was refused with.
fn through(server: &Server, said: &[&str]) -> Result<Browser<TcpStream>, u16> {
    let mut request = request(server);
    for line in said {
        request
            .headers_mut()
            .append("X-Forwarded-For", line.parse().unwrap());
    }
    match tungstenite::client(request, socket(server)) {
        Ok((socket, _)) => Ok(Browser(socket)),
        Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
            Err(answer.status().as_u16())
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_limit_by_address_counts_the_person_behind_the_proxy() {
    let home = behind("[\"127.0.0.1\", \"10.0.0.0/8\"]");
    let server = home.start();
    let first = through(&server, &["192.0.2.7"]).unwrap();
    let _second = through(&server, &["192.0.2.8, 10.1.2.3"]).unwrap();
    assert_eq!(through(&server, &["192.0.2.7"]).unwrap_err(), 503);
    // What somebody writes before the proxy does changes nothing.
    for spoof in [
        &["198.51.100.1, 192.0.2.7"][..],
        &["198.51.100.1", "192.0.2.7"],
        &["10.0.0.1, 192.0.2.7, 10.0.0.1"],
        &["127.0.0.1, 192.0.2.7"],
        &["nonsense, 192.0.2.7"],
    ] {
        assert_eq!(through(&server, spoof).unwrap_err(), 503, "{spoof:?}");
    }
    // The place is given back with the connection.
    drop(first);
    server.logs(" 192.0.2.7:");
    through(&server, &["192.0.2.7"]).unwrap();
}

#[test]
fn who_is_no_proxy_is_not_believed() {
    let home = behind("[\"192.0.2.1\"]");
    let server = home.start();
    let _first = through(&server, &["198.51.100.1"]).unwrap();
    // The second connection of one address is not even read from.
    let mut second = server.connect();
    second.expect_error("server_full");
}

#[test]
fn wrong_passwords_count_against_the_person_behind_the_proxy() {
    let home = behind("[\"127.0.0.1\"]");
    home.configure("connections_per_ip = 1", "");
    let server = home.start();
    let fails = |from: &str| {
        let mut browser = through(&server, &[from]).unwrap();
        browser
            .send(&json!({"type": "hello", "version": 1, "nick": "Nadie", "password": "a guess"}));
        browser.expect("error")["code"].as_str().unwrap().to_owned()
    };
    let refusals: Vec<_> = (0..51).map(|_| fails("192.0.2.7")).collect();
    assert_eq!(refusals[49..], ["auth_failed", "rate_limited"]);
    assert_eq!(fails("192.0.2.8"), "auth_failed");
}

#[test]
fn the_page_and_its_websocket_are_served_over_tls() {
    let home = home("hello_timeout = \"300ms\"");
    let (cert, key) = (home.file("cert.pem"), home.file("key.pem"));
    let lines = format!("[web]\ntls = true\n[tls]\ncert = {cert:?}\nkey = {key:?}\n[limits]\n");
    home.configure("[limits]\n", &lines);
    support::tls::new_certificate(&home);
    let server = home.start();
    let connect = || {
        let address = server.web_address.unwrap();
        support::tls::connect(&home, address, &version::TLS13).unwrap()
    };

    let mut page = connect();
    page.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    page.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("</html>"),
        "{answer}"
    );

    let mut browser = Browser(tungstenite::client(request(&server), connect()).unwrap().0);
    browser.send(&json!({"type": "hello", "version": 1, "nick": "Browser"}));
    browser.expect("welcome");
    let mut terminal = server.joins("Terminal");
    browser.expect("joined");
    let text = "ж".repeat(4_000);
    for number in 0..100 {
        terminal.says("#lobby", &text, &number.to_string());
        terminal.expect("message");
    }
    for _ in 0..100 {
        assert_eq!(browser.expect("message")["text"], text);
    }
    browser.0.close(None).unwrap();
    browser.expect_close(CloseCode::Normal);
    assert_eq!(terminal.expect("gone")["nick"], "Browser");

    // Who does not speak TLS there harms nobody.
    let mut plain = socket(&server);
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    plain.read_to_end(&mut Vec::new()).ok();
    terminal.hears_nothing();
}

/// Requests may use the host names in the certificate, and after a reload those in the new
/// certificate.
#[test]
fn host_names_in_the_certificate_are_allowed() {
    let home = home("");
    let (cert, key) = (home.file("cert.pem"), home.file("key.pem"));
    let lines = format!("[web]\ntls = true\n[tls]\ncert = {cert:?}\nkey = {key:?}\n[limits]\n");
    home.configure("[limits]\n", &lines);
    let certify = |name: &str| {
        for file in [&cert, &key] {
            std::fs::remove_file(file).ok();
        }
        let mut program = home.program();
        program.args(["certificate", "new", "--name", "localhost", "--name", name]);
        assert!(program.output().unwrap().status.success());
    };
    certify("chat.example.org");
    let server = home.start();
    let status = |host: &str| {
        let address = server.web_address.unwrap();
        let mut page = support::tls::connect(&home, address, &version::TLS13).unwrap();
        write!(
            page,
            "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        page.read_to_string(&mut answer).unwrap();
        answer[9..12].to_owned()
    };
    assert_eq!(status("localhost"), "200");
    assert_eq!(status("Chat.Example.Org:443"), "200");
    assert_eq!(status("evil.example"), "403");
    certify("talk.example.org");
    server.signal("HUP");
    server.logs("the certificate is read again");
    assert_eq!(status("chat.example.org"), "403");
    assert_eq!(status("talk.example.org"), "200");
}
