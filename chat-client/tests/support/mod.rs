//! A scripted server, and the real binary in a pipe: every wait has a deadline, without sleeps.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file is a program of its own and uses a part of this, to fail where it fails"
)]

pub(crate) mod terminal;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use chat_proto::codec::encode;
use serde_json::{Value, json};

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_chat-client");

/// A folder that is not there, so that whoever runs the tests has no settings.
pub(crate) const NOWHERE: &str = "/nonexistent";

pub(crate) const TIME: &str = "2026-11-23T18:50:00.123Z";

/// Listens, and says what it is told to.
pub(crate) struct FakeServer {
    listener: TcpListener,
}

impl FakeServer {
    pub(crate) fn start() -> Self {
        Self::on("127.0.0.1:0").unwrap()
    }

    /// On that address, where this machine has it.
    pub(crate) fn on(address: &str) -> Option<Self> {
        let listener = TcpListener::bind(address).ok()?;
        Some(Self { listener })
    }

    pub(crate) fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// The next connection.
    pub(crate) fn accept(&self) -> Peer {
        self.listener.set_nonblocking(true).unwrap();
        let end = Instant::now() + DEADLINE;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    stream.set_nodelay(true).unwrap();
                    stream.set_read_timeout(Some(DEADLINE)).unwrap();
                    return Peer { stream };
                }
                Err(_) => assert!(Instant::now() < end, "nobody connects"),
            }
            thread::yield_now();
        }
    }

    /// The next connection, greeted under the nick it asks for.
    pub(crate) fn greet(&self) -> Peer {
        let mut peer = self.accept();
        let hello = peer.expect("hello");
        let nick = hello["nick"].as_str().unwrap_or("User4F2K1A").to_owned();
        peer.send(&welcome(&nick));
        peer
    }
}

/// A connection as the server sees it.
pub(crate) struct Peer {
    stream: TcpStream,
}

impl Peer {
    pub(crate) fn send(&mut self, object: &Value) {
        let mut frame = bytes::BytesMut::new();
        encode(object, &mut frame).unwrap();
        self.stream.write_all(&frame).unwrap();
    }

    /// Sends an object; returns whether the client still takes it.
    pub(crate) fn try_send(&mut self, object: &Value) -> bool {
        let mut frame = bytes::BytesMut::new();
        encode(object, &mut frame).unwrap();
        self.stream.write_all(&frame).is_ok()
    }

    /// The length of a frame, and its first byte.
    pub(crate) fn begin_frame(&mut self, length: u32) {
        self.stream.write_all(&length.to_be_bytes()).unwrap();
        self.stream.write_all(b"{").unwrap();
    }

    /// Bytes as they are, behind a length.
    pub(crate) fn send_raw(&mut self, json: &[u8]) {
        let length = u32::try_from(json.len()).unwrap();
        self.stream.write_all(&length.to_be_bytes()).unwrap();
        self.stream.write_all(json).unwrap();
    }

    /// The next object, or nothing where the client has closed.
    pub(crate) fn receive(&mut self) -> Option<Value> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).ok()?;
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(header)).unwrap()];
        self.stream.read_exact(&mut frame).unwrap();
        Some(serde_json::from_slice(&frame).unwrap())
    }

    /// The next object, which is of that type.
    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        let object = self.receive().unwrap_or_else(|| panic!("no {kind} came"));
        assert_eq!(object["type"], kind, "{object}");
        object
    }

    /// The next `say`, answered as a server does: recorded, acknowledged, and sent to its sender.
    pub(crate) fn record(&mut self, from: &str, seq: u64) -> Value {
        let say = self.expect("say");
        self.ack(&say, seq);
        let to = say["to"].as_str().unwrap_or("#lobby");
        self.send(&message_with_id(
            seq,
            from,
            to,
            say["text"].as_str().unwrap(),
            &say["id"],
        ));
        say
    }

    pub(crate) fn ack(&mut self, say: &Value, seq: u64) {
        self.send(&json!({"type": "ack", "id": say["id"], "seq": seq, "time": TIME}));
    }

    /// `quit`, answered with `bye`, and the end.
    pub(crate) fn goodbye(mut self) -> Value {
        let quit = self.expect("quit");
        self.send(&json!({"type": "bye", "reason": "quit"}));
        quit
    }

    /// A ping of the client that was sent behind its `hello`, answered.
    pub(crate) fn barrier(&mut self) {
        let ping = self.expect("ping");
        self.send(&json!({"type": "pong", "id": ping["id"]}));
    }

    /// Closes the writing half; returns the requests that arrive before the client closes.
    pub(crate) fn rest(mut self) -> Vec<Value> {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
        std::iter::from_fn(|| self.receive()).collect()
    }

    /// Nothing but the end comes.
    pub(crate) fn expect_closed(&mut self) {
        assert_eq!(self.receive(), None);
    }
}

pub(crate) fn welcome(nick: &str) -> Value {
    json!({
        "type": "welcome", "version": 1, "nick": nick, "server": "fake/1",
        "token": format!("token-of-{nick}"), "seq": 0, "time": TIME, "joined": ["#lobby"],
        "channels": [{"name": "#lobby", "users": 1}], "resumed": false, "gap": false
    })
}

/// `welcome` with other fields.
pub(crate) fn welcome_with(nick: &str, fields: &Value) -> Value {
    let mut object = welcome(nick);
    for (name, value) in fields.as_object().unwrap() {
        object[name] = value.clone();
    }
    object
}

pub(crate) fn message(seq: u64, from: &str, to: &str, text: &str) -> Value {
    json!({"type": "message", "seq": seq, "time": TIME, "from": from, "to": to, "text": text})
}

fn message_with_id(seq: u64, from: &str, to: &str, text: &str, id: &Value) -> Value {
    let mut object = message(seq, from, to, text);
    if id.is_string() {
        object["id"] = id.clone();
    }
    object
}

pub(crate) fn error(code: &str, id: &Value) -> Value {
    let mut object = json!({"type": "error", "code": code, "detail": "as the server says"});
    if id.is_string() {
        object["id"] = id.clone();
    }
    object
}

/// The real binary, its output read line by line.
pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    out: Receiver<String>,
    err: Receiver<String>,
}

/// A command line for the real binary, without the environment of whoever runs the tests.
pub(crate) fn command(args: &[&str]) -> Command {
    program(BINARY, args)
}

/// A script for `sh`, in the environment of [`command`].
pub(crate) fn shell(script: &str) -> Command {
    program("sh", &["-c", script])
}

fn program(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(name);
    command
        .args(args)
        .env_remove("CHAT_SERVER")
        .env_remove("CHAT_NICK")
        .env_remove("CHAT_PASSWORD_FILE")
        .env_remove("CHAT_CONFIG")
        .env("XDG_CONFIG_HOME", NOWHERE)
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl Client {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(&mut command(args))
    }

    /// A client of that server under that nick.
    pub(crate) fn of(server: &FakeServer, nick: &str, args: &[&str]) -> Self {
        let address = server.address();
        let mut all = vec![address.as_str(), "--nick", nick];
        all.extend(args);
        Self::start(&all)
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let out = match child.stdout.take() {
            Some(pipe) => lines(pipe),
            // It goes to where the test reads it itself.
            None => mpsc::channel().1,
        };
        let err = lines(child.stderr.take().unwrap());
        Self {
            child,
            stdin,
            out,
            err,
        }
    }

    /// The most memory that the client has taken, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak.unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap()
    }

    /// Ctrl-C.
    pub(crate) fn interrupt(&self) {
        let pid = self.child.id().to_string();
        let done = Command::new("kill").args(["-INT", &pid]).status().unwrap();
        assert!(done.success());
    }

    pub(crate) fn type_line(&mut self, line: &str) {
        self.type_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn type_bytes(&mut self, bytes: &[u8]) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(bytes).unwrap();
        stdin.flush().unwrap();
    }

    pub(crate) fn end_input(&mut self) {
        self.stdin = None;
    }

    /// The next line of standard output.
    pub(crate) fn out(&self) -> String {
        self.out.recv_timeout(DEADLINE).expect("a line of output")
    }

    /// The next line of standard error.
    pub(crate) fn err(&self) -> String {
        self.err.recv_timeout(DEADLINE).expect("a line of errors")
    }

    /// The next line of standard output is that.
    pub(crate) fn shows(&self, line: &str) {
        assert_eq!(self.out(), line);
    }

    /// The next error is of that code.
    pub(crate) fn complains(&self, code: &str) {
        let line = self.err();
        assert!(line.starts_with(&format!("! {code}: ")), "{line}");
    }

    /// Waits for the end; the exit code, what is left of the output, and of the errors.
    pub(crate) fn end(mut self) -> (Option<i32>, Vec<String>, Vec<String>) {
        let status = self.wait();
        let (out, err) = (rest(&self.out), rest(&self.err));
        (status.code(), out, err)
    }

    /// It ends with that code, and without another word.
    pub(crate) fn ends_with(self, code: i32) {
        assert_eq!(self.end(), (Some(code), vec![], vec![]));
    }

    fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the client does not end");
            thread::yield_now();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Lines of a pipe, as they come.
fn lines(pipe: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (tx, rx) = mpsc::channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).unwrap_or(0) > 0 {
            let text = String::from_utf8(std::mem::take(&mut line)).unwrap();
            let text = text.strip_suffix('\n').expect("whole lines").to_owned();
            if tx.send(text).is_err() {
                return;
            }
        }
    });
    rx
}

fn rest(lines: &Receiver<String>) -> Vec<String> {
    let mut left = Vec::new();
    loop {
        match lines.recv_timeout(DEADLINE) {
            Ok(line) => left.push(line),
            Err(RecvTimeoutError::Disconnected) => return left,
            Err(RecvTimeoutError::Timeout) => panic!("the output does not end"),
        }
    }
}
