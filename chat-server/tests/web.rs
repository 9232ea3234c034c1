//! The same protocol over WebSocket, in one conversation with those who speak it over TCP; and what is
//! no part of the protocol.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use support::web::{Browser, CLOSE, ask, ask_at, get, home, request, socket};
use support::{DEADLINE, Server};
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{CloseCode, Control, Data, OpCode};
use tungstenite::{Bytes, Message};

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

fn piece(bytes: impl Into<Bytes>, kind: OpCode, last: bool) -> Message {
    Message::Frame(Frame::message(bytes, kind, last))
}

const TEXT: OpCode = OpCode::Data(Data::Text);
const CONTINUE: OpCode = OpCode::Data(Data::Continue);

#[test]
fn fragments_are_one_message_and_pings_between_them_are_answered() {
    let home = home("");
    let server = home.start();
    let mut browser = Browser::connect(&server);
    let hello = json!({"type": "hello", "version": 1, "nick": "Ñandú"}).to_string();
    // Split within a letter.
    let at = hello.find('Ñ').unwrap() + 1;
    let parts = [
        &hello.as_bytes()[..4],
        &hello.as_bytes()[4..at],
        &[],
        &hello.as_bytes()[at..],
    ];
    for (number, part) in parts.iter().enumerate() {
        let kind = if number == 0 { TEXT } else { CONTINUE };
        let part = part.to_vec();
        browser.0.send(piece(part, kind, number == 3)).unwrap();
        let payload = Bytes::from(vec![b'p'; number * 41]);
        browser.0.send(Message::Ping(payload.clone())).unwrap();
        assert_eq!(browser.0.read().unwrap(), Message::Pong(payload));
        browser
            .0
            .send(Message::Pong(Bytes::from_static(b"unasked")))
            .unwrap();
    }
    browser.expect("welcome");
}

#[test]
fn a_request_that_comes_with_its_first_message_has_it_heard() {
    let home = home("");
    let server = home.start();
    let mut socket = socket(&server);
    let hello = br#"{"type":"hello","version":1}"#;
    let mut bytes =
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"
            .to_owned()
            .into_bytes();
    let length = u8::try_from(hello.len()).unwrap();
    bytes.extend([0x81, 0x80 | length, 0, 0, 0, 0]);
    bytes.extend(hello);
    // Byte by byte: the server waits for all of it.
    for byte in bytes {
        socket.write_all(&[byte]).unwrap();
    }
    let mut answer = Vec::new();
    while !answer.ends_with(b"}") {
        let mut byte = [0];
        socket.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{answer}");
    assert!(!answer.to_lowercase().contains("deflate"), "{answer}");
    assert!(answer.contains(r#""type":"welcome""#), "{answer}");
}

#[test]
fn a_text_that_is_longer_than_a_frame_or_empty_is_a_bad_frame() {
    let home = home("");
    let server = home.start();
    let whole = |bytes: usize| vec![Message::text("x".repeat(bytes))];
    let fragments = (0..3).map(|number| {
        let kind = if number == 0 { TEXT } else { CONTINUE };
        piece("x".repeat(30_000), kind, number == 2)
    });
    let empty = vec![piece("", TEXT, false), piece("", CONTINUE, true)];
    for messages in [
        whole(65_537),
        whole(200_000),
        whole(0),
        fragments.collect(),
        empty,
    ] {
        let mut browser = Browser::joins(&server, "Browser");
        for message in messages {
            // It may have been closed before all of it was written.
            browser.0.send(message).ok();
        }
        assert_eq!(browser.expect("error")["code"], "bad_frame");
        browser.expect_close(CloseCode::Size);
        browser.goes(&server);
    }
    // A gigabyte that is only claimed is refused at once.
    let mut browser = Browser::joins(&server, "Browser");
    browser.write(&[0x81, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0]);
    assert_eq!(browser.expect("error")["code"], "bad_frame");
    browser.expect_close(CloseCode::Size);
    browser.goes(&server);
    let mut browser = Browser::joins(&server, "Browser");
    browser.send(&json!({"type": "ping", "id": "x", "padding": "x".repeat(65_490)}));
    assert_eq!(browser.expect("pong")["id"], "x");
}

#[test]
fn what_breaks_the_standard_is_closed_as_it_says() {
    let home = home("");
    let server = home.start();
    let mut close_of_one_byte = Frame::ping(&b"x"[..]);
    close_of_one_byte.header_mut().opcode = OpCode::Control(Control::Close);
    let ping = Frame::ping(vec![0; 126]);
    let mut part_of_a_ping = Frame::ping(&b"x"[..]);
    part_of_a_ping.header_mut().is_final = false;
    let mut compressed = Frame::message(&b"{}"[..], TEXT, true);
    compressed.header_mut().rsv1 = true;
    for (frames, code) in [
        (vec![Message::binary(&b"{}"[..])], CloseCode::Unsupported),
        (
            vec![piece(&b"{}"[..], OpCode::Data(Data::Binary), false)],
            CloseCode::Unsupported,
        ),
        (
            vec![piece(&b"\xff\xfe"[..], TEXT, true)],
            CloseCode::Invalid,
        ),
        (
            vec![
                piece(&b"\xd0"[..], TEXT, false),
                piece(&b"x"[..], CONTINUE, true),
            ],
            CloseCode::Invalid,
        ),
        (vec![piece("{}", CONTINUE, true)], CloseCode::Protocol),
        (
            vec![piece("{", TEXT, false), piece("{}", TEXT, true)],
            CloseCode::Protocol,
        ),
        (vec![Message::Frame(close_of_one_byte)], CloseCode::Protocol),
        (vec![Message::Frame(ping)], CloseCode::Protocol),
        (vec![Message::Frame(part_of_a_ping)], CloseCode::Protocol),
        (vec![Message::Frame(compressed)], CloseCode::Protocol),
    ] {
        let mut browser = Browser::joins(&server, "Browser");
        let words = format!("{frames:?}");
        // What was said before is dealt with before, and nothing behind.
        browser.send(&json!({"type": "say", "text": "before"}));
        for frame in frames {
            browser.0.send(frame).unwrap();
        }
        browser.send(&json!({"type": "say", "text": "behind"}));
        assert_eq!(browser.expect("message")["text"], "before", "{words}");
        browser.expect_close(code);
        browser.goes(&server);
    }
    for bytes in [
        // Not masked,
        &[0x81, 0x02, b'{', b'}'][..],
        // of an unknown kind, and of an unknown kind of control,
        &[0x83, 0x80, 0, 0, 0, 0],
        &[0x8b, 0x80, 0, 0, 0, 0],
        // a length that takes more bytes than it has to: 2, and 65,535.
        &[0x81, 0xfe, 0, 2, 0, 0, 0, 0, b'{', b'}'],
        &[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
    ] {
        let mut browser = Browser::joins(&server, "Browser");
        browser.write(bytes);
        browser.expect_close(CloseCode::Protocol);
        browser.goes(&server);
    }
    assert_eq!(home.lines().len(), 10);
}

#[test]
fn who_closes_is_answered_and_has_what_was_asked_before() {
    let home = home("");
    let server = home.start();
    let mut browser = Browser::joins(&server, "Browser");
    for number in 0..100 {
        browser.send(&json!({"type": "ping", "id": number.to_string()}));
    }
    browser.0.close(None).unwrap();
    for number in 0..100 {
        assert_eq!(browser.expect("pong")["id"], number.to_string());
    }
    browser.expect_close(CloseCode::Normal);
    assert!(matches!(
        browser.0.read(),
        Err(tungstenite::Error::ConnectionClosed)
    ));
}

#[test]
fn who_sends_nothing_but_pings_and_reads_nothing_makes_nothing_grow() {
    let home = home("send_queue_bytes = 65536");
    let server = home.start();
    let mut flooder = Browser::joins(&server, "Flooder");
    let mut other = Browser::joins(&server, "Other");
    let before = server.memory();
    let ping = [&[0x89, 0xfd, 0, 0, 0, 0][..], &[b'x'; 125]]
        .concat()
        .repeat(500);
    flooder
        .0
        .get_mut()
        .set_write_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    // Until the server reads no further, or lets go.
    for _ in 0..1_000 {
        if flooder.0.get_mut().write_all(&ping).is_err() {
            break;
        }
    }
    // They may have been let go by now.
    other.send(&json!({"type": "ping"}));
    while other.next()["type"] != "pong" {}
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes");
}

#[test]
fn requests_that_are_none_are_told_so() {
    let home = home("hello_timeout = \"300ms\"");
    let server = home.start();
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let close = CLOSE.to_owned();
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (what, lines, status) in [
        ("GET /ws", close.clone(), 426),
        ("POST /ws", close.clone(), 405),
        (
            "GET /other",
            format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\n"),
            404,
        ),
        (
            "POST /ws",
            format!("{upgrade}{key}Sec-WebSocket-Version: 13\r\n"),
            405,
        ),
        (
            "GET /ws",
            format!("{upgrade}{key}Sec-WebSocket-Version: 8\r\n"),
            426,
        ),
        (
            "GET /ws",
            format!("{upgrade}Sec-WebSocket-Version: 13\r\n"),
            400,
        ),
        ("GET /nowhere", close.clone(), 404),
        ("POST /", close.clone(), 405),
        ("DELETE /healthz", close.clone(), 405),
    ] {
        let answer = ask(&server, what, &lines).to_lowercase();
        assert!(
            answer.starts_with(&format!("http/1.1 {status} ")),
            "{what} {lines}: {answer}"
        );
        assert_is_guarded(&answer);
    }
}

/// They are let go like anyone without a hello, and no earlier: the clock of the HTTP library stands still for half a
/// second at a time.
#[test]
fn who_does_not_come_to_an_end_with_asking_has_the_time_of_a_hello() {
    let home = home("hello_timeout = \"300ms\"");
    let server = home.start();
    for _ in 0..4 {
        let begin = Instant::now();
        let mut socket = socket(&server);
        socket.write_all(b"GET /ws HTTP/1.1\r\nHost:").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        let time = begin.elapsed();
        assert!(time >= Duration::from_millis(300), "{time:?}");
    }
}

/// What has to stand on every answer.
fn assert_is_guarded(answer: &str) {
    for header in [
        "content-security-policy: default-src 'none'; script-src 'self';",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "permissions-policy: camera=()",
    ] {
        assert!(answer.contains(header), "{header} is missing: {answer}");
    }
    assert!(!answer.contains("set-cookie"));
}

/// What strangers do wrong is no error of the server, and fills no log.
#[test]
fn malformed_requests_leave_no_error_in_the_log() {
    let home = home("");
    let server = home.start();
    for head in [
        "GET / HTTP/1.1\r\n\0\r\n\r\n".to_owned(),
        "x".repeat(1 << 18),
    ] {
        let mut socket = socket(&server);
        // It may refuse before it has taken all of it.
        socket.write_all(head.as_bytes()).ok();
        socket.read_to_end(&mut Vec::new()).ok();
    }
    server.joins("Ana").closes_sending();
    let lines = server.log_until(" as somebody, ");
    assert!(
        !lines.iter().any(|line| line.contains("ERROR")),
        "{lines:?}"
    );
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

/// Returns the status of a request with exactly these header lines.
fn status_of(server: &Server, what: &str, lines: &str) -> u16 {
    let mut socket = socket(server);
    write!(socket, "{what} HTTP/1.1\r\n{lines}\r\n").unwrap();
    let mut status = [0; 12];
    socket.read_exact(&mut status).unwrap();
    let status = std::str::from_utf8(&status).unwrap();
    status.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

const UPGRADE: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Rejects requests for a foreign name that resolves to this server (DNS rebinding).
#[test]
fn requests_for_an_unknown_host_are_rejected() {
    let home = home("");
    home.configure(
        "[limits]\n",
        "[web]\nhosts = [\"chat.example.org\", \"Talk.example.org:8080\"]\norigins = [\"https://app.example.org\"]\n[limits]\n",
    );
    let server = home.start();
    for (host, origin, page, socket) in [
        ("evil.example", "http://evil.example", 403, 403),
        ("evil.example:8080", "http://evil.example:8080", 403, 403),
        (
            "localhost.evil.example",
            "http://localhost.evil.example",
            403,
            403,
        ),
        // A WebSocket request without an Origin is not a browser's.
        ("evil.example", "", 403, 101),
        ("evil.example", "https://app.example.org", 403, 403),
        ("localhost:8080", "http://evil.example", 200, 403),
        ("localhost:8080", "http://LOCALHOST:8080", 200, 101),
        ("127.0.0.1", "http://127.0.0.1:80", 200, 101),
        ("[::1]:8080", "http://[::1]:8080", 200, 101),
        ("192.0.2.7", "http://192.0.2.7", 200, 101),
        ("chat.example.org:443", "https://chat.example.org", 200, 101),
        (
            "Chat.Example.Org.",
            "https://chat.example.org:443",
            200,
            101,
        ),
        ("chat.example.org:80", "https://chat.example.org", 200, 403),
        ("app.example.org", "https://app.example.org", 200, 101),
        ("talk.example.org", "https://talk.example.org", 200, 101),
        ("chat.example.org", "https://app.example.org", 200, 101),
    ] {
        let mut lines = format!("Host: {host}\r\n");
        if !origin.is_empty() {
            lines += &format!("Origin: {origin}\r\n");
        }
        assert_eq!(status_of(&server, "GET /", &lines), page, "{lines}");
        let asks = format!("{lines}{UPGRADE}");
        assert_eq!(status_of(&server, "GET /ws", &asks), socket, "{lines}");
        // The health check accepts any host.
        assert_eq!(status_of(&server, "GET /healthz", &lines), 200, "{lines}");
    }
    let twice = "Host: localhost\r\nHost: evil.example\r\n";
    assert!([400, 403].contains(&status_of(&server, "GET /", twice)));
    let whole = "GET http://evil.example/";
    assert_eq!(status_of(&server, whole, "Host: localhost\r\n"), 403);
}

/// Rejected requests with long headers produce few, short and escaped log lines.
#[test]
fn rejected_headers_are_logged_truncated_and_throttled() {
    let home = home("");
    let server = home.start();
    let long = format!("https://\u{202e}{}", "x".repeat(60_000));
    let refused: Vec<_> = (0..50)
        .map(|number| {
            let mut socket = socket(&server);
            let (host, origin) = match number % 2 {
                0 => ("localhost", &long[..]),
                _ => (&long[8..], "https://localhost"),
            };
            let lines = format!("Host: {host}\r\nOrigin: {origin}\r\n{UPGRADE}\r\n");
            write!(socket, "GET /ws HTTP/1.1\r\n{lines}").unwrap();
            socket
        })
        .collect();
    for mut socket in refused {
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    }
    let mut lines = server.log_until(" lines suppressed: ");
    lines.extend(server.log_until(" lines suppressed: "));
    assert!(
        lines.iter().any(|line| line.contains("\\u{202e}xxx")),
        "{lines:?}"
    );
    assert!((2..=30).contains(&lines.len()), "{lines:?}");
    for line in lines {
        assert!(line.len() < 350 && !line.contains('\u{202e}'), "{line}");
    }
}

/// Sends `head`, then repeats `drop` until the server closes; returns the response.
fn drips(server: &Server, head: &str, drop: &[u8]) -> String {
    let end = Instant::now() + DEADLINE;
    let (mut socket, mut answer) = (socket(server), Vec::new());
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    let mut part = [0; 4096];
    loop {
        assert!(Instant::now() < end, "still open: {head}");
        match socket.read(&mut part) {
            Ok(0) => break,
            Ok(read) => answer.extend(&part[..read]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => break,
        }
        if socket.write_all(drop).is_err() {
            break;
        }
    }
    String::from_utf8(answer).unwrap()
}

/// The hello timeout bounds a whole request: head, body and unread response.
#[test]
fn the_hello_timeout_bounds_a_whole_request() {
    let home = home("hello_timeout = \"500ms\"");
    let server = home.start();
    let head = |what: &str, lines: &str| format!("{what} HTTP/1.1\r\nHost: localhost\r\n{lines}");
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let whole = head("GET /healthz", "\r\n");
    for (head, drop, status) in [
        (head("POST /", chunked), &b"1\r\nx\r\n"[..], 405),
        (head("POST /ws", chunked), b"1\r\nx\r\n", 405),
        (head("GET /", chunked), b"1\r\nx\r\n", 200),
        (head("PUT /nowhere", chunked), b"1\r\nx\r\n", 404),
        (head("POST /healthz", chunked), b"0", 405),
        (
            head("POST /", "Content-Length: 1000000000000\r\n\r\n"),
            b"x",
            405,
        ),
        // Slow heads: of the first request, and of a further request.
        (head("GET /", "X: "), b"x", 408),
        (format!("{whole}{}", head("GET /", "X: ")), b"x", 200),
        (
            format!("{whole}{}", head("POST /", chunked)),
            b"1\r\nx\r\n",
            200,
        ),
    ] {
        let answer = drips(&server, &head, drop);
        // A reset may discard the response.
        assert!(
            answer.is_empty() || answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}: {answer}"
        );
    }
    // Pipelined requests without reading the responses.
    let mut unread = socket(&server);
    let many = head("GET /app.js", "\r\n").repeat(10_000);
    // The server may close before it has read all of them.
    unread.write_all(many.as_bytes()).ok();
    let end = Instant::now() + 2 * DEADLINE;
    while http_connections(&server) > 1 {
        assert!(
            Instant::now() < end,
            "the connection with unread responses is still open"
        );
    }
}

/// Pipelined requests cost no memory: a connection gets one answer, then it is closed.
#[test]
fn a_connection_gets_one_answer() {
    let home = home("");
    let server = home.start();
    for address in [server.web_address, server.metrics_address] {
        let address = address.unwrap();
        let mut socket = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n");
        // The server may close before all of it is read.
        socket.write_all(request.repeat(1_000).as_bytes()).ok();
        let mut answers = Vec::new();
        socket.read_to_end(&mut answers).ok();
        let answers = String::from_utf8_lossy(&answers);
        assert!(answers.matches("HTTP/1.1 200").count() <= 1, "{answers}");
    }
}

/// Returns the number of open HTTP connections, the scrape included.
fn http_connections(server: &Server) -> u32 {
    let page = ask_at(server.metrics_address.unwrap(), "GET /metrics", CLOSE);
    let name = "chat_connections{transport=\"http\"} ";
    let count = page.lines().find_map(|line| line.strip_prefix(name));
    count.unwrap().parse().unwrap()
}

/// A request with an unfinished body counts in the metrics and towards the limit of the client
/// address.
#[test]
fn an_unfinished_request_is_counted() {
    let home = home("connections_per_ip = 1\nhello_timeout = \"20s\"");
    home.configure("[limits]\n", "[web]\nproxies = [\"127.0.0.1\"]\n[limits]\n");
    let server = home.start();
    let asks = |length: usize| {
        let mut socket = socket(&server);
        write!(
            socket,
            "POST / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 192.0.2.7\r\n\
             Transfer-Encoding: chunked\r\n\r\n{length}\r\n"
        )
        .unwrap();
        let mut status = [0; 12];
        socket.read_exact(&mut status).unwrap();
        (socket, String::from_utf8(status.to_vec()).unwrap())
    };
    let (first, answer) = asks(9);
    assert_eq!(answer, "HTTP/1.1 405");
    assert_eq!(http_connections(&server), 2);
    let (second, answer) = asks(9);
    assert_eq!(answer, "HTTP/1.1 503");
    drop((first, second));
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
        assert!(
            answer.contains(&format!("content-type: {kind}")),
            "{answer}"
        );
        assert_is_guarded(&answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let length = format!("content-length: {}", body.len());
        assert!(head.contains(&length), "{head}");

        let answer = ask(&server, &format!("HEAD {path}"), CLOSE).to_lowercase();
        assert!(
            answer.starts_with("http/1.1 200") && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
        assert!(answer.contains(&length), "{answer}");

        let tag = head
            .lines()
            .find_map(|line| line.strip_prefix("etag: "))
            .unwrap();
        let answer = ask(
            &server,
            &format!("GET {path}"),
            &format!("{CLOSE}If-None-Match: \"x\", W/{tag}\r\n"),
        );
        assert!(
            answer.starts_with("HTTP/1.1 304") && answer.ends_with("\r\n\r\n"),
            "{answer}"
        );
        let answer = ask(
            &server,
            &format!("GET {path}"),
            &format!("{CLOSE}If-None-Match: \"00000000\"\r\n"),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
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
    server.logs(" as somebody, ");
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
