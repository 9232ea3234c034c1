//! The network between two machines loses packets, is slow, and is cut: two network namespaces with a
//! cable between them, the real server in one, the real client in the other. Nobody says goodbye when a
//! cable is cut, so both ends find out by silence, and the client comes back without gap or repeat.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use serde_json::{Value, json};
use support::{DEADLINE, Home, Server};

/// For what takes its time by intent: packets that are sent again, silence that is noticed.
const PATIENCE: Duration = DEADLINE.saturating_mul(6);

/// Two namespaces and a cable; they go with the value.
struct Cable {
    server: String,
    client: String,
}

impl Cable {
    /// # Errors
    /// What this machine does not allow.
    fn lay() -> Result<Self, String> {
        static CABLES: AtomicUsize = AtomicUsize::new(0);
        let cable = CABLES.fetch_add(1, Ordering::Relaxed);
        let name = |end| format!("chat-{}-{cable}-{end}", std::process::id());
        let cable = Self {
            server: name("server"),
            client: name("client"),
        };
        for end in [&cable.server, &cable.client] {
            run(&format!("ip netns add {end}"))?;
        }
        let Self { server, client } = &cable;
        run(&format!(
            "ip link add end netns {server} type veth peer name end netns {client}"
        ))?;
        // Addresses for documentation (RFC 5737), which nobody else has.
        for (end, address) in [(server, "192.0.2.1/24"), (client, "192.0.2.2/24")] {
            run(&format!("ip -n {end} address add {address} dev end"))?;
            run(&format!("ip -n {end} link set end up"))?;
        }
        Ok(cable)
    }

    /// Every tenth packet is lost, in either direction.
    fn loses_packets(&self) -> Result<(), String> {
        for chain in ["INPUT", "OUTPUT"] {
            let what = "-m statistic --mode random --probability 0.1 -j DROP";
            run(&format!(
                "ip netns exec {} iptables -A {chain} {what}",
                self.client
            ))?;
        }
        Ok(())
    }

    /// Every packet takes its time, or where the kernel has no such queue, all share a narrow line.
    fn is_slow(&self) -> Result<(), String> {
        for end in [&self.server, &self.client] {
            let queue = |what| run(&format!("tc -n {end} qdisc add dev end root {what}"));
            if queue("netem delay 40ms 20ms").is_err() {
                queue("handle 1: htb default 1")?;
                let class = "class add dev end parent 1: classid 1:1 htb rate 400kbit";
                run(&format!("tc -n {end} {class}"))?;
            }
        }
        Ok(())
    }

    fn is_cut(&self, cut: bool) {
        let way = if cut { "down" } else { "up" };
        run(&format!("ip -n {} link set end {way}", self.client)).unwrap();
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for end in [&self.server, &self.client] {
            // It may not have been made.
            run(&format!("ip netns delete {end}")).ok();
        }
    }
}

fn run(command: &str) -> Result<(), String> {
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
    }
}

/// The real client, spoken to in the protocol's objects.
struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    said: mpsc::Receiver<Value>,
    /// The numbers of the messages that it has printed.
    heard: Vec<u64>,
}

impl Client {
    fn start(program: &Path, namespace: &str, server: &Server, options: &[&str]) -> Self {
        let mut child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .arg(program)
            .arg(server.address.to_string())
            .arg("--json")
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, said) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                tell.send(serde_json::from_str(&line).unwrap()).ok();
            }
        });
        let stdin = child.stdin.take();
        let heard = Vec::new();
        let mut client = Self {
            child,
            stdin,
            said,
            heard,
        };
        client.until(|event| event["type"] == "welcome");
        client
    }

    fn says(&mut self, texts: &[String]) {
        let mut lines = String::new();
        for text in texts {
            let id = text.split(' ').next();
            writeln!(lines, "{}", json!({"type": "say", "text": text, "id": id})).unwrap();
        }
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(lines.as_bytes()).unwrap();
    }

    fn until(&mut self, mut is_it: impl FnMut(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let event = self.said.recv_timeout(left).unwrap();
            if event["type"] == "message" {
                self.heard.push(event["seq"].as_u64().unwrap());
            }
            if is_it(&event) {
                return event;
            }
        }
    }

    fn hears(&mut self, text: &str) {
        self.until(|event| event["text"] == text);
    }

    /// Nothing more to say: it ends well only if all of it is recorded.
    fn ends(mut self) -> Vec<u64> {
        drop(self.stdin.take());
        let end = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < end, "the client does not end"),
            }
            thread::yield_now();
        };
        assert!(status.success(), "{status}");
        std::mem::take(&mut self.heard)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Built beside the server, where the whole workspace is tested.
fn client_program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_chat-server")).with_file_name("chat-client")
}

/// Where this machine lacks what the scenes need, they are reported as ignored.
fn main() {
    let missing = what_is_missing();
    if let Err(why) = &missing {
        writeln!(std::io::stderr(), "a lossy network cannot be tried: {why}").ok();
    }
    let trials = vec![
        Trial::test(
            "what_many_are_sent_together_is_whole_behind_a_network_that_loses",
            || {
                what_many_are_sent_together_is_whole_behind_a_network_that_loses();
                Ok(())
            },
        ),
        Trial::test(
            "a_network_that_loses_is_slow_and_is_cut_costs_no_word",
            || {
                a_network_that_loses_is_slow_and_is_cut_costs_no_word();
                Ok(())
            },
        ),
    ];
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(missing.is_err()))
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// Tries all that the scenes do to a network.
fn what_is_missing() -> Result<(), String> {
    if !client_program().is_file() {
        return Err("no chat-client is built beside the server".into());
    }
    let cable = Cable::lay()?;
    cable.is_slow()?;
    cable.loses_packets()
}

/// A server at one end of the cable.
fn serve(home: &Home, cable: &Cable) -> Server {
    home.configure("127.0.0.1:0", "192.0.2.1:0");
    let serve = format!("exec ip netns exec {} \"$0\" --config \"$1\"", cable.server);
    let server = home.start_with(&serve);
    run(&format!("ip -n {} link set lo up", cable.server)).unwrap();
    server
}

/// What the kernel sends from one file to all (`net/stage.rs`; a test of `broadcast` sees that it does) it sends again
/// from there.
fn what_many_are_sent_together_is_whole_behind_a_network_that_loses() {
    let (program, cable) = (client_program(), Cable::lay().unwrap());
    let home = Home::new("");
    let server = serve(&home, &cable);
    let start = |namespace: &str, nick: &str| {
        Client::start(&program, namespace, &server, &["--nick", nick])
    };
    let crowd: Vec<_> = (0..40)
        .map(|n| start(&cable.client, &format!("p{n}")))
        .collect();
    let mut luis = start(&cable.server, "Luis");
    let letters = (b'a'..=b'z').map(char::from).cycle();
    let text = |(n, letter): (usize, char)| format!("{n} {}", String::from(letter).repeat(7_000));
    let texts: Vec<String> = letters.take(20).enumerate().map(text).collect();
    cable.loses_packets().unwrap();
    luis.says(&texts);
    for mut client in crowd {
        let mut heard = Vec::new();
        client.until(|event| {
            let text = event["text"]
                .as_str()
                .filter(|_| event["type"] == "message");
            heard.extend(text.map(str::to_owned));
            heard.len() == texts.len()
        });
        assert!(heard == texts);
    }
}

fn a_network_that_loses_is_slow_and_is_cut_costs_no_word() {
    let (program, cable) = (client_program(), Cable::lay().unwrap());
    cable.is_slow().unwrap();
    cable.loses_packets().unwrap();
    let home = Home::new("idle_timeout = \"1s\"");
    let server = serve(&home, &cable);
    let start = |namespace: &str, nick| {
        let options = ["--nick", nick, "--keep-alive", "0.4"];
        Client::start(&program, namespace, &server, &options)
    };
    let mut luis = start(&cable.server, "Luis");
    let mut ana = start(&cable.client, "Ana");
    let words =
        |who: &str, count| -> Vec<String> { (0..count).map(|n| format!("{who}{n}")).collect() };
    ana.says(&words("a", 100));
    luis.says(&words("l", 100));
    luis.hears("a99");
    ana.hears("l99");

    for cut in 0..2 {
        cable.is_cut(true);
        ana.says(&words(&format!("alone{cut}."), 20));
        luis.says(&words(&format!("meanwhile{cut}."), 20));
        // Half open for the server, which ends it.
        let gone = luis.until(|event| event["type"] == "gone");
        assert_eq!(
            (&gone["nick"], &gone["reason"]),
            (&json!("Ana"), &json!("timed out"))
        );
        luis.says(&[format!("later{cut}")]);
        cable.is_cut(false);
        ana.hears(&format!("later{cut}"));
        luis.hears(&format!("alone{cut}.19"));
        ana.hears(&format!("alone{cut}.19"));
    }
    let all: Vec<u64> = (1..=home.lines().len() as u64).collect();
    assert_eq!(all.len(), 100 + 100 + 2 * (20 + 20 + 1));
    assert_eq!(ana.ends(), all);
    assert_eq!(luis.ends(), all);
}
