//! The servers that are compared: how each is found, configured for the comparison, started and ended.

mod chat;
mod peers;

use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) use chat::HISTORY;
use clap::ValueEnum;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::deadline::Deadline;
use crate::error::{BenchError, Doing, Result};
use crate::procstat;
use crate::wire::Wire;

/// How long a server may take from its start to its first accepted connection.
const START: Duration = Duration::from_secs(10);
/// How long it may take to end when asked to.
const STOP: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// The bare broadcaster of this crate: the kernel's own price
    Limit,
    /// chat-server
    Chat,
    /// chat-server over WebSocket
    Web,
    /// nats-server
    Nats,
    Ngircd,
    Inspircd,
}

/// Where servers run and with what.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The chat-server binary.
    pub(crate) chat_server: PathBuf,
    pub(crate) cores: Vec<usize>,
    /// Under which directory each gets one of its own; the system's for temporary files if `None`.
    pub(crate) dir: Option<PathBuf>,
    /// Environment for chat-server: settings that a measurement changes.
    pub(crate) settings: Vec<(String, String)>,
}

/// A running server. Dropping it ends the process and removes what it wrote.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) addr: SocketAddrV4,
    child: Child,
    dir: TempDir,
}

impl Site {
    /// A directory for a server; it goes when it is dropped.
    pub(crate) fn new_dir(&self) -> Result<TempDir> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("chat-bench-");
        match &self.dir {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        }
        .doing("a directory for a server")
    }
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Limit,
        Self::Chat,
        Self::Web,
        Self::Nats,
        Self::Ngircd,
        Self::Inspircd,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Chat => "chat-server",
            Self::Web => "chat-server, WebSocket",
            Self::Nats => "nats-server",
            Self::Ngircd => "ngircd",
            Self::Inspircd => "inspircd",
        }
    }

    pub(crate) fn wire(self) -> Wire {
        match self {
            Self::Limit => Wire::Raw,
            Self::Chat => Wire::Chat,
            Self::Web => Wire::Web,
            Self::Nats => Wire::Nats,
            Self::Ngircd | Self::Inspircd => Wire::Irc,
        }
    }

    /// How many connections may be on their way to it at once.
    pub(crate) fn arriving(self) -> usize {
        match self {
            Self::Limit | Self::Chat | Self::Web | Self::Nats => 128,
            // It listens with a backlog of 10; what is beyond that waits a second for its next try.
            Self::Ngircd => 8,
            // It welcomes everyone who came meanwhile once a second.
            Self::Inspircd => 4_000,
        }
    }

    /// The binary, if it is on this machine.
    pub(crate) fn binary(self, site: &Site) -> Option<PathBuf> {
        match self {
            Self::Limit => std::env::current_exe().ok(),
            Self::Chat | Self::Web => site.chat_server.is_file().then(|| site.chat_server.clone()),
            Self::Nats | Self::Ngircd | Self::Inspircd => installed(self.name()),
        }
    }

    /// Writes what the server needs into `dir` and tells its arguments.
    fn configure(self, addr: SocketAddrV4, dir: &Path) -> Result<Vec<OsString>> {
        match self {
            Self::Limit => Ok(words(
                &["limit", "--listen", &addr.to_string(), "--log"],
                &[dir.join("limit.log")],
            )),
            Self::Chat => chat::configure("tcp", addr, dir),
            Self::Web => chat::configure("web", addr, dir),
            Self::Nats => peers::nats(addr, dir),
            Self::Ngircd => peers::ngircd(addr, dir),
            Self::Inspircd => peers::inspircd(addr, dir),
        }
    }
}

impl Server {
    /// Starts a server in a new directory and waits until it takes connections.
    ///
    /// # Errors
    /// When it is not installed, ends at once or does not answer in time; with what it said, then.
    pub(crate) fn start(kind: Kind, site: &Site) -> Result<Self> {
        Self::start_in(kind, site, site.new_dir()?, START)
    }

    /// The same in a directory that has something in it already.
    pub(crate) fn start_in(
        kind: Kind,
        site: &Site,
        dir: TempDir,
        within: Duration,
    ) -> Result<Self> {
        let binary = kind
            .binary(site)
            .ok_or_else(|| BenchError::Server(format!("{} is absent", kind.name())))?;
        let addr = free_address()?;
        let arguments = kind.configure(addr, dir.path())?;
        let said =
            File::create(dir.path().join("said.txt")).doing("a file for what the server says")?;
        let mut command = Command::new(std::env::current_exe().doing("the path of this program")?);
        command
            .arg("launch")
            .arg("--parent")
            .arg(std::process::id().to_string());
        for core in &site.cores {
            command.arg("--core").arg(core.to_string());
        }
        command
            .arg("--")
            .arg(binary)
            .args(arguments)
            .current_dir(dir.path())
            .env("RUST_LOG", "warn");
        if matches!(kind, Kind::Chat | Kind::Web) {
            command.envs(site.settings.iter().map(|(key, value)| (key, value)));
        }
        let err = said.try_clone().doing("a file for what the server says")?;
        let child = command
            .stdin(Stdio::null())
            .stdout(said)
            .stderr(err)
            .spawn()
            .doing("starting a server")?;
        let mut server = Self {
            kind,
            addr,
            child,
            dir,
        };
        server.await_listening(within)?;
        Ok(server)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn cpu_time(&self) -> Result<Duration> {
        procstat::cpu_time(self.pid())
    }

    /// Asks the server to end in order and hands over its directory.
    ///
    /// # Errors
    /// When it does not within its time.
    pub(crate) fn stop(mut self) -> Result<TempDir> {
        let pid = i32::try_from(self.pid())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a child has a process id");
        kill_process(pid, Signal::TERM).doing("ending a server")?;
        let deadline = Deadline::after(STOP, format!("{} ends", self.kind.name()));
        while self
            .child
            .try_wait()
            .doing("waiting for a server's end")?
            .is_none()
        {
            deadline.check()?;
            std::thread::sleep(Duration::from_millis(2));
        }
        let empty = tempfile::tempdir().doing("a directory")?;
        Ok(std::mem::replace(&mut self.dir, empty))
    }

    fn await_listening(&mut self, within: Duration) -> Result<()> {
        let deadline = Deadline::after(within, format!("{} takes connections", self.kind.name()));
        while TcpStream::connect(self.addr).is_err() {
            if let Some(status) = self.child.try_wait().doing("a server's state")? {
                let name = self.kind.name();
                return Err(BenchError::Server(format!(
                    "{name} ended at once, {status}: {}",
                    self.last_words()
                )));
            }
            deadline
                .check()
                .map_err(|error| BenchError::Server(format!("{error}; {}", self.last_words())))?;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The end of what the server printed.
    pub(crate) fn last_words(&self) -> String {
        let said = fs::read(self.dir.path().join("said.txt")).unwrap_or_default();
        let tail = &said[said.len().saturating_sub(400)..];
        String::from_utf8_lossy(tail)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do, and nobody to tell.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}

/// A port that is free now. Another process could take it before the server does; then that start fails.
fn free_address() -> Result<SocketAddrV4> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).doing("a free port")?;
    let port = listener.local_addr().doing("a free port")?.port();
    Ok(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))
}

/// Looks in PATH, and where distributions keep servers even if PATH does not say so.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    places.extend(["/usr/sbin", "/usr/local/sbin", "/usr/games"].map(PathBuf::from));
    places
        .into_iter()
        .map(|place| place.join(name))
        .find(|file| file.is_file())
}

fn words(first: &[&str], then: &[PathBuf]) -> Vec<OsString> {
    first
        .iter()
        .map(OsString::from)
        .chain(then.iter().map(OsString::from))
        .collect()
}

fn write_config(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = dir.join(name);
    fs::write(&path, text).doing("a server's configuration")?;
    Ok(path)
}
