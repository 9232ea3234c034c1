//! The options of one run: the command line, over the environment, over the settings.

use std::path::PathBuf;
use std::time::Duration;

use chat_proto::{DEFAULT_PORT, Nick, Secret};
use clap::ArgMatches;
use clap::parser::ValueSource;

use super::task::Task;
use super::{ClientArgs, conflict, parse_host, parse_option, wrong};
use crate::config::{ClientSettings, ServerSettings};
use crate::net::address::ServerAddress;
use crate::net::tls::TlsTrust;

/// The default server.
const DEFAULT_HOST: &str = "127.0.0.1";

/// The options of one run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Looked up and connected to.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// The host may be a nickname that was typed without `--nick`.
    pub may_be_a_nick: bool,
    /// The trusted certificates; `None` is a connection without TLS.
    pub tls: Option<TlsTrust>,
    /// The nickname asked for.
    pub nick: Option<String>,
    /// The password of the nickname, and the one it is to have: the first lines of the file.
    pub passwords: Vec<Secret<'static>>,
    /// Line mode at a terminal too.
    pub plain: bool,
    /// On arrival at a terminal, offer the list of users to choose from.
    pub choose_on_arrival: bool,
    /// Print objects instead of lines.
    pub json: bool,
    /// Take up a lost connection again.
    pub reconnect: bool,
    /// Show times in UTC.
    pub utc: bool,
    /// Silence before a ping, and after it.
    pub keep_alive: Duration,
    /// How long goodbye waits without progress.
    pub linger: Duration,
    /// What is done instead of what is typed.
    pub task: Option<Task>,
    /// What the file says of the full screen.
    pub settings: ClientSettings,
}

impl Options {
    /// The server as one would type it.
    pub fn server(&self) -> String {
        let (host, port) = (self.host.clone(), Some(self.port));
        ServerAddress { host, port }.to_string()
    }

    pub(crate) fn new(
        args: ClientArgs,
        matches: &ArgMatches,
        settings: ClientSettings,
        task: Option<Task>,
    ) -> Result<Self, clap::Error> {
        let (host, port, server) = place(&args, matches, &settings)?;
        // An empty variable is how compose files and scripts leave one out.
        let unset = |name: &str, empty: bool| {
            empty && matches.value_source(name) == Some(ValueSource::EnvVariable)
        };
        let connection = args.connection;
        let nick = connection
            .nick
            .filter(|nick| !unset("nick", nick.is_empty()));
        let password_file = connection
            .password_file
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| server.and_then(|server| server.password_file.get()))
            .or_else(|| settings.password_file.get());
        let tls = match (connection.tls_ca, connection.tls_pin) {
            (Some(path), _) => Some(TlsTrust::Authority(path)),
            (None, Some(pin)) => Some(TlsTrust::Pinned(pin)),
            (None, None) => server
                .and_then(ServerSettings::trust)
                .or_else(|| connection.tls.then_some(TlsTrust::System)),
        };
        let typed = |name: &str| matches.value_source(name) == Some(ValueSource::CommandLine);
        let may_be_a_nick =
            typed("server") && !typed("nick") && !host.contains('.') && Nick::new(&host).is_ok();
        Ok(Self {
            host,
            port,
            may_be_a_nick,
            tls,
            nick: nick
                .or_else(|| server.and_then(|server| server.nick.get()))
                .or_else(|| settings.nick.get()),
            passwords: passwords(password_file)?,
            plain: args.plain || settings.screen.plain,
            choose_on_arrival: args.choose_on_arrival || settings.choose_on_arrival,
            json: connection.json && task.is_none(),
            reconnect: !connection.no_reconnect,
            utc: connection.utc || settings.screen.utc,
            keep_alive: connection.keep_alive,
            linger: connection.linger,
            task,
            settings,
        })
    }
}

/// The passwords of a file.
fn passwords(file: Option<PathBuf>) -> Result<Vec<Secret<'static>>, clap::Error> {
    let Some(path) = file else {
        return Ok(Vec::new());
    };
    let wrong = |what: String| wrong(&format!("{}: {what}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
    // The whole text is wiped when it is dropped.
    let text = Secret::from(text);
    let lines = text.reveal().lines().take_while(|line| !line.is_empty());
    let passwords: Vec<_> = lines
        .take(2)
        .map(|line| Secret::from(line.to_owned()))
        .collect();
    if passwords.is_empty() {
        return Err(wrong("its first line is to be a password".to_owned()));
    }
    Ok(passwords)
}

/// The host and port from the one of the ways to name them that was used: the command line goes
/// before the environment, and that before the file. With them what the file says of that server,
/// if it was named by its name there.
fn place<'s>(
    args: &ClientArgs,
    matches: &ArgMatches,
    settings: &'s ClientSettings,
) -> Result<(String, u16, Option<&'s ServerSettings>), clap::Error> {
    let connection = &args.connection;
    let from_env = matches.value_source("server_option") == Some(ValueSource::EnvVariable);
    let option = connection.server_option.as_deref().filter(|_| !from_env);
    let parts = connection.ip_address.is_some() || connection.port.is_some();
    let named = match (&args.server, option) {
        (Some(_), Some(_)) => return Err(conflict("the server is named twice")),
        (Some(server), None) => Some(server.clone()),
        (None, Some(option)) => Some(parse_option(option)?),
        (None, None) if parts => None,
        (None, None) => match connection.server_option.as_deref() {
            None | Some("") => settings.server.get().cloned(),
            Some(variable) => Some(parse_option(variable)?),
        },
    };
    let server = named.as_ref().and_then(|address| settings.named(address));
    let named = match server {
        Some(server) => server.address.get().cloned(),
        None => named,
    };
    let host = match (&named, &connection.ip_address) {
        (Some(_), Some(_)) => return Err(conflict("the server's host is named twice")),
        (Some(server), None) => server.host.clone(),
        (None, Some(host)) => parse_host(host)?,
        (None, None) => DEFAULT_HOST.to_owned(),
    };
    let port = match (named.and_then(|server| server.port), connection.port) {
        (Some(_), Some(_)) => return Err(conflict("the server's port is named twice")),
        (one, other) => one.or(other).unwrap_or(DEFAULT_PORT),
    };
    Ok((host, port, server))
}
