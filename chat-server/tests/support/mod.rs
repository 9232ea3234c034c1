//! The real server over real sockets: started in a directory of its own, killed when the test ends.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses a part; a test fails by panicking"
)]

mod bridge;
pub(crate) mod tls;
pub(crate) mod web;

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// A running server; ends with the value.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Of the TLS listener, where there is one.
    pub(crate) tls_address: Option<SocketAddr>,
    /// Of the web page, where there is one.
    pub(crate) web_address: Option<SocketAddr>,
    /// Of the metrics, where they are.
    pub(crate) metrics_address: Option<SocketAddr>,
    log: mpsc::Receiver<String>,
}

/// The directory of a server: configuration and history outlive the process.
#[derive(Debug)]
pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    /// `limits` are lines of the section `[limits]`.
    pub(crate) fn new(limits: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rate = if limits.contains("rate_per_second") {
            ""
        } else {
            "rate_per_second = 0"
        };
        let config = format!(
            "[listen]\ntcp = \"127.0.0.1:0\"\n[history]\npath = {:?}\n[accounts]\npath = {:?}\n[limits]\n{rate}\n{limits}\n",
            dir.path().join("log"),
            dir.path().join("accounts.db"),
        );
        fs::write(dir.path().join("server.toml"), config).unwrap();
        Self { dir }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.dir.path().join("log")
    }

    /// A file of the directory.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Replaces a piece of the configuration.
    pub(crate) fn configure(&self, what: &str, with: &str) {
        let config = fs::read_to_string(self.config()).unwrap();
        assert!(config.contains(what));
        fs::write(self.config(), config.replace(what, with)).unwrap();
    }

    /// The program with this home's configuration, for other things than serving.
    pub(crate) fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
        command.arg("--config").arg(self.config());
        command.current_dir(self.dir.path());
        command
    }

    /// Waits until the file of the accounts has so many tokens of which the condition is true: nothing
    /// else waits for that file.
    pub(crate) fn until_kept(&self, condition: &str, wanted: u32) {
        let end = Instant::now() + DEADLINE;
        let database = rusqlite::Connection::open(self.file("accounts.db")).unwrap();
        database.busy_timeout(DEADLINE).unwrap();
        loop {
            let count = format!("SELECT count(*) FROM tokens WHERE {condition}");
            let kept: u32 = database.query_row(&count, [], |row| row.get(0)).unwrap();
            if kept == wanted {
                return;
            }
            assert!(Instant::now() < end, "{kept} instead of {wanted}");
            thread::yield_now();
        }
    }

    /// Every file of the server.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.dir.path()).unwrap();
        files.map(|file| file.unwrap().path()).collect()
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("server.toml")
    }

    pub(crate) fn start(&self) -> Server {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chat-server"));
        command.arg("--config").arg(self.config());
        started(command)
    }

    /// As `start`, but no file may grow beyond `blocks` of 512 or 1,024 bytes, as the shell counts.
    pub(crate) fn start_with_full_disk_after(&self, blocks: u32) -> Server {
        self.start_with(&format!("trap '' XFSZ; ulimit -S -f {blocks}"))
    }

    /// As `start`, behind these commands of a shell.
    pub(crate) fn start_with(&self, commands: &str) -> Server {
        started(self.behind(commands))
    }

    fn behind(&self, commands: &str) -> Command {
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("{commands}; exec \"$0\" --config \"$1\""))
            .arg(env!("CARGO_BIN_EXE_chat-server"))
            .arg(self.config());
        command
    }

    /// Starts a server that ends by itself; what it wrote to standard error.
    pub(crate) fn fails_to_start(&self) -> String {
        self.fails_to_start_with(":")
    }

    /// The same behind these commands of a shell.
    pub(crate) fn fails_to_start_with(&self, commands: &str) -> String {
        let mut child = self
            .behind(commands)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut all = String::new();
            stderr.read_to_string(&mut all).ok();
            tell.send(all).ok();
        });
        let all = told.recv_timeout(DEADLINE);
        child.kill().ok();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(1));
        all.unwrap()
    }

    /// The objects of the history, one a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        lines(&self.log())
    }
}

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// With CHAT_TEST_TRANSPORT=web the same scenes are played over WebSocket.
fn over_web() -> bool {
    std::env::var("CHAT_TEST_TRANSPORT").is_ok_and(|transport| transport == "web")
}

fn started(mut command: Command) -> Server {
    if over_web() {
        command.env("CHAT_LISTEN__WEB", "127.0.0.1:0");
    }
    let mut child = command
        .env("RUST_LOG", "info")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    let (tell, log) = mpsc::channel();
    thread::spawn(move || {
        // Read to the end, so that the server never waits for its log.
        for line in stderr.lines().map_while(Result::ok) {
            tell.send(line).ok();
        }
    });
    let mut server = Server {
        child,
        address: ([0, 0, 0, 0], 0).into(),
        tls_address: None,
        web_address: None,
        metrics_address: None,
        log,
    };
    // The line about the history follows those about the listeners.
    loop {
        let line = server.next_log_line();
        if let Some((_, address)) = line.split_once("the web page: listening on ") {
            server.web_address = Some(address.trim().parse().unwrap());
        } else if let Some((_, address)) = line.split_once("the metrics: listening on ") {
            server.metrics_address = Some(address.trim().parse().unwrap());
        } else if let Some((_, address)) = line.split_once("listening on ") {
            match address.strip_suffix(" with TLS") {
                Some(address) => server.tls_address = Some(address.parse().unwrap()),
                None => server.address = address.trim().parse().unwrap(),
            }
        } else if line.contains(" messages, ") {
            if over_web() {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                server.address = listener.local_addr().unwrap();
                bridge::serve(listener, server.web_address.unwrap());
            }
            return server;
        }
    }
}

impl Server {
    pub(crate) fn connect(&self) -> TestClient {
        TestClient {
            stream: TcpStream::connect_timeout(&self.address, DEADLINE).unwrap(),
            token: String::new(),
        }
    }

    /// A client that has been welcomed as `nick`.
    pub(crate) fn joins(&self, nick: &str) -> TestClient {
        let mut client = self.connect();
        client.send(&json!({"type": "hello", "version": 1, "nick": nick}));
        let welcome = client.expect("welcome");
        assert_eq!(welcome["nick"], nick);
        client.token = welcome["token"].as_str().unwrap().to_owned();
        client
    }

    fn next_log_line(&self) -> String {
        self.log
            .recv_timeout(DEADLINE)
            .expect("the server's log says no more")
    }

    /// Waits for a line of the log that has `words` in it.
    pub(crate) fn logs(&self, words: &str) {
        while !self.next_log_line().contains(words) {}
    }

    /// The lines of the log until one has `words` in it.
    pub(crate) fn log_until(&self, words: &str) -> Vec<String> {
        let lines = std::iter::repeat_with(|| self.next_log_line());
        lines.take_while(|line| !line.contains(words)).collect()
    }

    /// The disk that `start_with_full_disk_after` made small has room again.
    pub(crate) fn has_room_again(&self) {
        let pid = self.child.id().to_string();
        let status = Command::new("prlimit")
            .args(["--pid", &pid, "--fsize=unlimited:"])
            .status();
        assert!(status.unwrap().success());
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kib = line.unwrap().split_whitespace().nth(1).unwrap();
        kib.parse::<usize>().unwrap() * 1024
    }

    /// Returns the CPU time of the main thread and of all other threads, in clock ticks.
    pub(crate) fn ticks(&self) -> (u64, u64) {
        let (mut first, mut others) = (0, 0);
        let pid = self.child.id().to_string();
        for thread in fs::read_dir(format!("/proc/{pid}/task")).unwrap() {
            let thread = thread.unwrap();
            // A thread may have ended meanwhile.
            let stat = fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
            // utime and stime, fields 14 and 15 (proc_pid_stat(5)). The name, field 2, may have
            // spaces.
            let fields = stat.rsplit(')').next().unwrap_or_default();
            let times = fields.split_whitespace().skip(11).take(2);
            let ticks: u64 = times.map(|time| time.parse::<u64>().unwrap()).sum();
            if thread.file_name().to_string_lossy() == pid {
                first += ticks;
            } else {
                others += ticks;
            }
        }
        (first, others)
    }

    /// Whether it has a file open that is called so.
    pub(crate) fn has_open(&self, name: &str) -> bool {
        let files = fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap();
        let mut names = files.filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        names.any(|file| file.to_string_lossy().contains(name))
    }

    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn ended(mut self) -> ExitStatus {
        let until = Instant::now() + DEADLINE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::yield_now();
        }
        panic!("the server has not ended");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One connection; every read has a deadline.
#[derive(Debug)]
pub(crate) struct TestClient {
    pub(crate) stream: TcpStream,
    pub(crate) token: String,
}

impl TestClient {
    pub(crate) fn send(&mut self, object: &Value) {
        self.send_raw(&frame(object));
    }

    pub(crate) fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.set_write_timeout(Some(DEADLINE)).unwrap();
        self.stream.write_all(bytes).unwrap();
    }

    /// Sends as long as the server takes it.
    pub(crate) fn sends_until_closed(&mut self, bytes: &[u8]) {
        self.stream.set_write_timeout(Some(DEADLINE)).unwrap();
        self.stream.write_all(bytes).ok();
    }

    pub(crate) fn closes_sending(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// The next frame's bytes; `None` if the server has closed.
    pub(crate) fn next_raw(&mut self) -> Option<Vec<u8>> {
        let until = Instant::now() + DEADLINE;
        let mut header = [0; 4];
        if !self.fill(&mut header, until) {
            return None;
        }
        let mut body = vec![0; u32::from_be_bytes(header) as usize];
        self.fill(&mut body, until).then_some(body)
    }

    fn fill(&mut self, buffer: &mut [u8], until: Instant) -> bool {
        let mut filled = 0;
        while filled < buffer.len() {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "nothing came before the deadline");
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut buffer[filled..]) {
                Ok(0) => return false,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("nothing came before the deadline: {error}"),
            }
        }
        true
    }

    pub(crate) fn next(&mut self) -> Value {
        let raw = self.next_raw().expect("the server has closed");
        serde_json::from_slice(&raw).unwrap()
    }

    pub(crate) fn expect(&mut self, kind: &str) -> Value {
        let event = self.next();
        assert_eq!(event["type"], kind, "{event}");
        event
    }

    pub(crate) fn expect_error(&mut self, code: &str) -> Value {
        let event = self.expect("error");
        assert_eq!(event["code"], code, "{event}");
        event
    }

    pub(crate) fn expect_message(&mut self, from: &str, text: &str) -> Value {
        let event = self.expect("message");
        assert_eq!(
            (&event["from"], &event["text"]),
            (&json!(from), &json!(text))
        );
        event
    }

    /// The next event of that kind, whatever comes before it.
    pub(crate) fn awaits(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next();
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// Asks, and is answered next.
    pub(crate) fn ask(&mut self, object: &Value) -> Value {
        self.send(object);
        self.next()
    }

    /// Sends these bytes as a frame; the code of the error that comes next, or the type of another event.
    pub(crate) fn outcome_of(&mut self, body: &[u8]) -> String {
        self.send_raw(&frame_of(body));
        let event = self.next();
        let word = event.get("code").unwrap_or(&event["type"]);
        word.as_str().unwrap().to_owned()
    }

    pub(crate) fn joins(&mut self, channel: &str) {
        self.joins_as(channel, channel);
    }

    /// Enters a channel that is called otherwise than it is asked for.
    pub(crate) fn joins_as(&mut self, asked: &str, called: &str) {
        self.send(&json!({"type": "join", "channel": asked}));
        assert_eq!(self.expect("joined")["channel"], called);
    }

    pub(crate) fn expect_closed(&mut self) {
        assert_eq!(self.next_raw(), None);
    }

    /// What came before the answer to a ping that is sent now.
    pub(crate) fn barrier(&mut self) -> Vec<Value> {
        self.send(&json!({"type": "ping", "id": "barrier"}));
        let mut before = Vec::new();
        loop {
            let event = self.next();
            if event["type"] == "pong" && event["id"] == "barrier" {
                return before;
            }
            before.push(event);
        }
    }

    pub(crate) fn hears_nothing(&mut self) {
        assert_eq!(self.barrier(), Vec::<Value>::new());
    }

    pub(crate) fn say(&mut self, to: &str, text: &str, id: &str) {
        self.send(&json!({"type": "say", "to": to, "text": text, "id": id}));
    }

    pub(crate) fn says(&mut self, to: &str, text: &str, id: &str) -> Value {
        self.say(to, text, id);
        let ack = self.expect("ack");
        assert_eq!(ack["id"], id);
        ack
    }

    /// Says something, whatever others say meanwhile.
    pub(crate) fn says_among_others(&mut self, to: &str, text: &str, id: &str) {
        self.say(to, text, id);
        assert_eq!(self.awaits("ack")["id"], id);
    }
}

pub(crate) fn frame(object: &Value) -> Vec<u8> {
    frame_of(object.to_string().as_bytes())
}

/// A frame of any bytes.
pub(crate) fn frame_of(body: &[u8]) -> Vec<u8> {
    let mut frame = u32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend(body);
    frame
}
