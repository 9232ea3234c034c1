//! The server as browsers see it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::client::Request;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use super::{DEADLINE, Home, Server};

/// A home with a web page.
pub(crate) fn home(limits: &str) -> Home {
    let home = Home::new(limits);
    let listeners = "[listen]\nweb = \"127.0.0.1:0\"\nmetrics = \"127.0.0.1:0\"\n";
    home.configure("[listen]\n", listeners);
    home
}

pub(crate) fn request(server: &Server) -> Request {
    let address = server.web_address.unwrap();
    format!("ws://{address}/ws").into_client_request().unwrap()
}

pub(crate) fn socket(server: &Server) -> TcpStream {
    socket_to(server.web_address.unwrap())
}

fn socket_to(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect_timeout(&address, DEADLINE).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.set_write_timeout(Some(DEADLINE)).unwrap();
    socket
}

/// One WebSocket; every read has a deadline.
#[derive(Debug)]
pub(crate) struct Browser<S: Read + Write = TcpStream>(pub(crate) WebSocket<S>);

impl Browser {
    pub(crate) fn connect(server: &Server) -> Self {
        Self(
            tungstenite::client(request(server), socket(server))
                .unwrap()
                .0,
        )
    }

    pub(crate) fn joins(server: &Server, nick: &str) -> Self {
        let mut browser = Self::connect(server);
        browser.send(&json!({"type": "hello", "version": 1, "nick": nick}));
        assert_eq!(browser.expect("welcome")["nick"], nick);
        browser
    }
}

impl<S: Read + Write> Browser<S> {
    pub(crate) fn send(&mut self, object: &Value) {
        self.0.send(Message::text(object.to_string())).unwrap();
    }

    /// Sends bytes as they are.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    pub(crate) fn next(&mut self) -> Value {
        let message = self.0.read().unwrap();
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        let event = self.next();
        assert_eq!(event["type"], kind, "{event}");
        event
    }

    /// Closes its socket, and waits until the server knows.
    pub(crate) fn goes(self, server: &Server) {
        drop(self);
        server.logs(" as somebody, ");
    }

    pub(crate) fn expect_close(&mut self, code: CloseCode) {
        match self.0.read().unwrap() {
            Message::Close(Some(close)) => assert_eq!(close.code, code, "{close:?}"),
            other => panic!("{other:?} instead of a close"),
        }
    }
}

/// Of a request that is the only one of its connection.
pub(crate) const CLOSE: &str = "Connection: close\r\n";

/// The answer to a GET, head and body.
pub(crate) fn get(server: &Server, path: &str) -> String {
    ask(server, &format!("GET {path}"), CLOSE)
}

/// The answer to a request of this method and path, with these further lines.
pub(crate) fn ask(server: &Server, what: &str, lines: &str) -> String {
    ask_at(server.web_address.unwrap(), what, lines)
}

/// The same of another listener than that of the page.
pub(crate) fn ask_at(address: SocketAddr, what: &str, lines: &str) -> String {
    let mut socket = socket_to(address);
    write!(socket, "{what} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
