//! The same protocol over WebSocket, in one conversation with those who speak it over TCP; and what is
//! no part of the protocol.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use support::{DEADLINE, Home, Server};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tungstenite::{Bytes, Message, WebSocket};

fn home(limits: &str) -> Home {
    let home = Home::new(limits);
    home.configure("[listen]\n", "[listen]\nweb = \"127.0.0.1:0\"\n");
    home
}

fn request(server: &Server) -> Request {
    let address = server.web_address.unwrap();
    format!("ws://{address}/ws").into_client_request().unwrap()
}

fn socket(server: &Server) -> TcpStream {
    let socket = TcpStream::connect_timeout(&server.web_address.unwrap(), DEADLINE).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// One WebSocket; every read has a deadline.
struct Browser(WebSocket<TcpStream>);

impl Browser {
    fn connect(server: &Server) -> Self {
        Self(
            tungstenite::client(request(server), socket(server))
                .unwrap()
                .0,
        )
    }

    fn joins(server: &Server, nick: &str) -> Self {
        let mut browser = Self::connect(server);
        browser.send(&json!({"type": "hello", "version": 1, "nick": nick}));
        assert_eq!(browser.expect("welcome")["nick"], nick);
        browser
    }

    fn send(&mut self, object: &Value) {
        self.0.send(Message::text(object.to_string())).unwrap();
    }

    fn expect(&mut self, kind: &str) -> Value {
        let message = self.0.read().unwrap();
        let event: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
        assert_eq!(event["type"], kind, "{event}");
        event
    }

    fn expect_close(&mut self, code: CloseCode) {
        match self.0.read().unwrap() {
            Message::Close(Some(close)) => assert_eq!(close.code, code, "{close:?}"),
            other => panic!("{other:?} instead of a close"),
        }
    }
}

/// The answer to a GET, head and body.
fn get(server: &Server, path: &str) -> String {
    let mut socket = socket(server);
    write!(
        socket,
        "GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn people_talk_over_websocket_with_those_on_tcp() {
    let home = home("");
    let server = home.start();
    let mut terminal = server.joins("Terminal");
    let mut browser = Browser::joins(&server, "Browser");
    terminal.expect("joined");

    browser.send(&json!({"type": "say", "text": "hola, мир", "id": "1"}));
    assert_eq!(browser.expect("ack")["seq"], 1);
    assert_eq!(browser.expect("message")["text"], "hola, мир");
    terminal.expect_message("Browser", "hola, мир");

    // More than the pipe between holds, each way.
    let text = "x".repeat(8192);
    for id in 0..40 {
        terminal.says("#lobby", &text, &id.to_string());
        terminal.expect_message("Terminal", &text);
    }
    for _ in 0..40 {
        assert_eq!(browser.expect("message")["text"], text);
    }
    browser.send(&json!({"type": "history", "limit": 2}));
    let page = browser.expect("history");
    assert_eq!(page["messages"].as_array().unwrap().len(), 2);

    terminal.says("Browser", "psst", "direct");
    assert_eq!(browser.expect("message")["to"], "Browser");
    browser.0.close(None).unwrap();
    browser.expect_close(CloseCode::Normal);
    terminal.expect_message("Terminal", "psst");
    assert_eq!(terminal.expect("gone")["nick"], "Browser");
}

#[test]
fn fragments_are_one_message_and_a_ping_is_answered() {
    let home = home("");
    let server = home.start();
    let mut browser = Browser::connect(&server);
    let hello = json!({"type": "hello", "version": 1, "nick": "Browser"}).to_string();
    let (first, last) = hello.split_at(20);
    let piece = |text: &str, opcode, last| {
        Message::Frame(Frame::message(text.to_owned(), OpCode::Data(opcode), last))
    };
    browser.0.send(piece(first, Data::Text, false)).unwrap();
    browser
        .0
        .send(Message::Ping(Bytes::from_static(b"there?")))
        .unwrap();
    browser.0.send(piece(last, Data::Continue, true)).unwrap();
    assert_eq!(
        browser.0.read().unwrap(),
        Message::Pong(Bytes::from_static(b"there?"))
    );
    browser.expect("welcome");
}

#[test]
fn a_text_that_is_longer_than_a_frame_or_empty_is_a_bad_frame() {
    let home = home("");
    let server = home.start();
    let whole = |bytes: usize| vec![Message::text("x".repeat(bytes))];
    let fragments = (0..3).map(|number| {
        let opcode = if number == 0 {
            Data::Text
        } else {
            Data::Continue
        };
        let text = "x".repeat(30_000);
        Message::Frame(Frame::message(text, OpCode::Data(opcode), number == 2))
    });
    for messages in [whole(65_537), whole(200_000), whole(0), fragments.collect()] {
        let mut browser = Browser::joins(&server, "Browser");
        for message in messages {
            // It may have been closed before all of it was written.
            browser.0.send(message).ok();
        }
        assert_eq!(browser.expect("error")["code"], "bad_frame");
    }
    let mut browser = Browser::joins(&server, "Browser");
    browser.send(&json!({"type": "ping", "id": "x", "padding": "x".repeat(65_490)}));
    assert_eq!(browser.expect("pong")["id"], "x");
}

#[test]
fn what_is_no_text_is_closed_as_the_standard_says() {
    let home = home("");
    let server = home.start();
    let mut browser = Browser::joins(&server, "Browser");
    browser.0.send(Message::binary(&b"{}"[..])).unwrap();
    browser.expect_close(CloseCode::Unsupported);

    let mut browser = Browser::joins(&server, "Other");
    let broken = Frame::message(&b"\xff\xfe"[..], OpCode::Data(Data::Text), true);
    browser.0.send(Message::Frame(broken)).unwrap();
    browser.expect_close(CloseCode::Invalid);
}

#[test]
fn a_foreign_page_is_refused_and_a_named_one_is_not() {
    let home = home("");
    home.configure(
        "[limits]\n",
        "[web]\norigins = [\"https://chat.example.org\"]\n[limits]\n",
    );
    let server = home.start();
    let own = format!("http://{}", server.web_address.unwrap());
    for (origin, status) in [
        ("https://evil.example.org", 403),
        ("null", 403),
        ("https://chat.example.org", 101),
        (own.as_str(), 101),
    ] {
        let mut request = request(&server);
        request
            .headers_mut()
            .insert("Origin", origin.parse().unwrap());
        let answer = match tungstenite::client(request, socket(&server)) {
            Ok((_, answer)) => answer.status(),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                answer.status()
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(answer.as_u16(), status, "{origin}");
    }
}

#[test]
fn the_page_allows_nothing_but_itself() {
    let home = home("");
    let server = home.start();
    for (path, kind) in [
        ("/", "text/html"),
        ("/app.js", "text/javascript"),
        ("/style.css", "text/css"),
    ] {
        let answer = get(&server, path).to_lowercase();
        assert!(answer.starts_with("http/1.1 200"), "{answer}");
        for header in [
            &format!("content-type: {kind}"),
            "content-security-policy: default-src 'none'; script-src 'self';",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(answer.contains(header), "{path}: {header}");
        }
        assert!(!answer.contains("set-cookie"));
    }
    assert!(get(&server, "/healthz").ends_with("\r\n\r\nready\n"));
    assert!(get(&server, "/../Cargo.toml").starts_with("HTTP/1.1 404"));
}

#[test]
fn places_are_limited_over_websocket_too_and_given_back() {
    let home = home("connections = 1");
    let server = home.start();
    let mut browser = Browser::joins(&server, "Browser");
    let mut refused = server.connect();
    refused.expect_error("server_full");
    assert!(get(&server, "/").starts_with("HTTP/1.1 503"));
    browser.0.close(None).unwrap();
    browser.expect_close(CloseCode::Normal);
    server.logs(" as Browser, ");
    assert!(get(&server, "/").starts_with("HTTP/1.1 200"));
}

#[test]
fn who_says_no_hello_is_let_go_and_who_is_there_hears_the_goodbye() {
    let home = home("hello_timeout = \"300ms\"");
    let server = home.start();
    let mut browser = Browser::joins(&server, "Browser");
    let mut silent = Browser::connect(&server);
    assert_eq!(silent.expect("error")["code"], "hello_timeout");
    silent.expect_close(CloseCode::Normal);

    server.terminate();
    assert_eq!(browser.expect("error")["code"], "shutting_down");
    browser.expect("bye");
    browser.expect_close(CloseCode::Normal);
    assert!(server.ended().success());
}
