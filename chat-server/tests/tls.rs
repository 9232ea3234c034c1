//! The same over TLS: the handshake, a certificate that changes, and who does not speak it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use support::tls::{Encrypted, connect, new_certificate};
use support::{DEADLINE, Home};
use tokio_rustls::rustls::version;

/// A server with a TLS listener and a certificate made by itself.
fn home() -> Home {
    let home = Home::new("hello_timeout = \"300ms\"");
    home.configure("[listen]\n", "[listen]\ntls = \"127.0.0.1:0\"\n");
    let (cert, key) = (home.file("cert.pem"), home.file("key.pem"));
    home.configure(
        "[limits]\n",
        &format!("[tls]\ncert = {cert:?}\nkey = {key:?}\n[limits]\n"),
    );
    new_certificate(&home);
    home
}

fn ask(stream: &mut Encrypted, object: &Value) -> Value {
    stream.write_all(&support::frame(object)).unwrap();
    answer(stream)
}

fn answer(stream: &mut Encrypted) -> Value {
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut body = vec![0; u32::from_be_bytes(header) as usize];
    stream.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn join(stream: &mut Encrypted, nick: &str) {
    let welcome = ask(
        stream,
        &json!({"type": "hello", "version": 1, "nick": nick}),
    );
    assert_eq!(welcome["nick"], nick, "{welcome}");
}

#[test]
fn people_talk_over_tls_with_those_who_do_not() {
    let home = home();
    let server = home.start();
    let mut plain = server.joins("Plain");
    for (version, nick) in [(&version::TLS12, "Twelve"), (&version::TLS13, "Thirteen")] {
        let mut stream = connect(&home, server.tls_address.unwrap(), version).unwrap();
        join(&mut stream, nick);
        plain.expect("joined");
        // More than one TLS record each way, and more than a socket takes at once.
        let text = "x".repeat(8192);
        let frames = support::frame(&json!({"type": "say", "text": text})).repeat(300);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..300).for_each(|_| drop(plain.expect_message(nick, &text))));
            stream.write_all(&frames).unwrap();
            for _ in 0..300 {
                let message = answer(&mut stream);
                assert_eq!(
                    (&message["from"], &message["text"]),
                    (&json!(nick), &json!(text))
                );
            }
        });
        drop(stream);
        plain.expect("gone");
    }
}

#[test]
fn a_new_certificate_is_shown_to_who_comes_next_and_nobody_is_dropped() {
    let home = home();
    let server = home.start();
    let mut early = connect(&home, server.tls_address.unwrap(), &version::TLS13).unwrap();
    join(&mut early, "Early");
    for name in ["cert.pem", "key.pem"] {
        fs::remove_file(home.file(name)).unwrap();
    }
    new_certificate(&home);
    assert!(
        connect(&home, server.tls_address.unwrap(), &version::TLS13).is_err(),
        "not read again yet"
    );
    server.signal("HUP");
    server.logs("the certificate is read again");
    join(
        &mut connect(&home, server.tls_address.unwrap(), &version::TLS13).unwrap(),
        "Late",
    );
    assert_eq!(ask(&mut early, &json!({"type": "ping"}))["type"], "joined");

    fs::write(home.file("key.pem"), "no key").unwrap();
    server.signal("HUP");
    server.logs("the certificate stays as it was");
    join(
        &mut connect(&home, server.tls_address.unwrap(), &version::TLS13).unwrap(),
        "Later",
    );
}

#[test]
fn who_does_not_finish_the_handshake_is_let_go_with_the_hello_timeout() {
    let home = home();
    let server = home.start();
    for bytes in [
        &b""[..],
        b"\0\0\0\x11{\"type\":\"hello\"}",
        b"\x16\x03\x01\x02\x00\x01",
    ] {
        let mut socket = TcpStream::connect(server.tls_address.unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.write_all(bytes).unwrap();
        let mut rest = Vec::new();
        // A reset ends it as well.
        socket.read_to_end(&mut rest).ok();
        assert!(
            !rest.starts_with(b"\0"),
            "nothing is said in the clear: {rest:?}"
        );
    }
    join(
        &mut connect(&home, server.tls_address.unwrap(), &version::TLS13).unwrap(),
        "Ana",
    );
}

#[test]
fn a_certificate_that_cannot_be_used_is_named_and_the_server_does_not_start() {
    let home = home();
    fs::write(home.file("cert.pem"), "no certificate").unwrap();
    let said = home.fails_to_start();
    assert!(
        said.contains("cert.pem") && said.contains("no certificate in PEM form"),
        "{said}"
    );
}

/// Private key operations do not use the main thread, which runs the room.
#[test]
fn handshakes_do_not_use_the_main_thread() {
    let home = home();
    home.configure("hello_timeout = \"300ms\"", "hello_timeout = \"20s\"");
    // An RSA key of 4,096 bits takes milliseconds for each signature.
    fs::write(home.file("cert.pem"), include_str!("support/rsa-cert.pem")).unwrap();
    fs::write(home.file("key.pem"), include_str!("support/rsa-key.pem")).unwrap();
    let server = home.start();
    let mut ana = server.joins("Ana");
    let before = server.ticks();
    for number in 0..100 {
        let version = [&version::TLS12, &version::TLS13][number % 2];
        let mut stream = connect(&home, server.tls_address.unwrap(), version).unwrap();
        if number % 20 == 0 {
            join(&mut stream, &format!("Luis{number}"));
            ana.expect("joined");
            drop(stream);
            ana.expect("gone");
        }
    }
    let after = server.ticks();
    let (room, others) = (after.0 - before.0, after.1 - before.1);
    assert!(room < others, "{room} ticks of {}", room + others);
    ana.hears_nothing();
}

/// Builds a ClientHello with this server name.
fn client_hello(host: &[u8]) -> Vec<u8> {
    let part = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap();
        [&length.to_be_bytes(), bytes].concat()
    };
    let name = part(&[&[0], &part(host)[..]].concat());
    let extensions = [&[0, 0], &part(&name)[..]].concat();
    let body = [
        &[3, 3][..],
        &[7; 32],
        &[0, 0, 2, 0x13, 1, 1, 0],
        &part(&extensions),
    ]
    .concat();
    let handshake = [&[1, 0], &part(&body)[..]].concat();
    [&[0x16, 3, 1], &part(&handshake)[..]].concat()
}

/// The log does not repeat an invalid server name.
#[test]
fn malformed_handshakes_are_not_logged() {
    let home = home();
    let server = home.start();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(server.tls_address.unwrap()).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let host = b"a\x1b[2Jz".repeat(2000);
        socket.write_all(&client_hello(&host)).unwrap();
        // The server may reset the connection.
        socket.read_to_end(&mut Vec::new()).ok();
    }
    server.joins("Ana").closes_sending();
    let lines = server.log_until(" as somebody, ");
    assert!(lines.len() < 20, "{lines:?}");
    for line in lines {
        assert!(line.len() < 350 && !line.contains("[2Jz"), "{line}");
    }
}
