//! The command line and the environment, and what they come to.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use chat_proto::{DEFAULT_PORT, Secret};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser};

use crate::address::{Address, AddressError, parse_port};
use crate::tls::{Fingerprint, Trust};

/// The server of somebody who names none.
const DEFAULT_HOST: &str = "127.0.0.1";

const EXAMPLES: &str = "\
Line mode, which runs where standard input or output is no terminal, prints one line for each thing
that happens and flushes it at once:
  [ana]: hola                   a message in the channel one is in
  #rust [ana]: hola             a message in another channel
  [ana -> luis]: hola           a direct message
  * luis joined #lobby          anything that is no message
  ! nick_taken: ...             an error, on standard error

Type /help for the commands. The end of the input is goodbye: everything that was typed is recorded
first. Ctrl-C once says goodbye too, twice ends at once.

Exit codes:
  0  said goodbye, and every line of a pipe was recorded
  1  the connection was refused or lost, or a line of a pipe was not recorded
  2  wrong usage
  3  the nickname was refused

Examples:
  chat-client chat.example.org --nick ana
  echo hola | chat-client --nick bot && echo recorded
  chat-client --json --nick bot | jq -r 'select(.type == \"message\") | .text'
  RUST_LOG=chat_client=debug chat-client --nick ana 2>client.log";

/// Talk with the people on a chat server, from a terminal, a pipe or a program.
#[derive(Debug, Parser)]
#[command(name = "chat-client", version, after_long_help = EXAMPLES)]
struct Args {
    /// The server: HOST, HOST:PORT or [V6]:PORT [default: 127.0.0.1:12345]
    ///
    /// A name or an address; the port is 12345 where it is left out. All addresses of a name are
    /// tried. Example: chat-client [::1]:12345
    #[arg(value_name = "SERVER", value_parser = address)]
    server: Option<Address>,

    /// The same as SERVER
    ///
    /// Example: --server chat.example.org:12345
    #[arg(
        long = "server",
        value_name = "HOST[:PORT]",
        env = "CHAT_SERVER",
        conflicts_with_all = [] as [&str; 0]
    )]
    server_option: Option<String>,

    /// The server's host alone [default: 127.0.0.1]
    ///
    /// A name or an address. Example: -i 192.0.2.7
    #[arg(short, long, value_name = "HOST")]
    ip_address: Option<String>,

    /// The server's port alone [default: 12345]
    ///
    /// 1 to 65535. Example: -p 5000
    #[arg(short, long, value_name = "PORT", value_parser = port)]
    port: Option<u16>,

    /// The nickname to ask for
    ///
    /// 1 to 32 characters, no white space, not beginning with a digit or one of # . / : @. Without
    /// it a terminal is asked, and anything else is given a random one. Example: --nick ana
    #[arg(short, long, value_name = "NICK", env = "CHAT_NICK")]
    nick: Option<String>,

    /// Connect with TLS
    ///
    /// The system's authorities have to vouch for the server; at a terminal one is asked about a
    /// certificate for which nobody does, and the answer is kept. Default: off
    #[arg(long)]
    tls: bool,

    /// Connect with TLS, and trust the certificates of this file only
    ///
    /// In PEM form: an authority's, or the server's own. Example: --tls-ca cert.pem
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// Connect with TLS, and trust the certificate with this fingerprint only
    ///
    /// 64 hexadecimal digits, with or without colons, as `chat-server certificate new` prints them.
    #[arg(long, value_name = "SHA256", conflicts_with = "tls_ca")]
    tls_pin: Option<Fingerprint>,

    /// A file with the password of the nickname
    ///
    /// Its first line; needed in a pipe, where nobody can be asked, and read at the start. A second line
    /// is the new one for /password in a pipe. Example: --password-file ~/.config/chat/password
    #[arg(long, value_name = "FILE", env = "CHAT_PASSWORD_FILE")]
    password_file: Option<PathBuf>,

    /// Line mode at a terminal too
    ///
    /// Line by line instead of a full screen. (There is no full screen yet: line mode is all there
    /// is.) Default: off
    #[arg(long)]
    plain: bool,

    /// Print every object that arrives as one JSON line
    ///
    /// Standard output has the server's own objects, standard input takes requests of the protocol
    /// (a line that begins with {) or plain text and commands; notices of the client itself go to
    /// standard error. Default: off. Example: {"type":"say","text":"hola"}
    #[arg(long)]
    json: bool,

    /// End with exit code 1 when the connection is lost
    ///
    /// Default: it is taken up again, after 0.5 s and up to 30 s between attempts, and what was typed
    /// meanwhile is sent then.
    #[arg(long)]
    no_reconnect: bool,

    /// Show times in UTC instead of local time
    ///
    /// For the times that .t shows and the names of recordings. Default: local time (TZ)
    #[arg(long)]
    utc: bool,

    /// Silence after which the server is asked for a sign of life, in seconds
    ///
    /// After as much silence again the connection counts as lost. Fractions are allowed.
    /// Example: --keep-alive 20
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    keep_alive: Duration,

    /// How long goodbye waits for what was typed, in seconds
    ///
    /// Counted from the last line that was recorded: a server that is slow but at work is waited
    /// for. What is unconfirmed then is reported, and the exit code is 1. Example: --linger 5
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    linger: Duration,
}

/// What one start of the client is to do.
#[derive(Debug, Clone)]
pub struct Options {
    /// Looked up and connected to.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Whom an encrypted connection may lead to; `None` is a connection in the clear.
    pub tls: Option<Trust>,
    /// The nickname asked for.
    pub nick: Option<String>,
    /// The password of the nickname, and the one it is to have: the first lines of the file.
    pub passwords: Vec<Secret<'static>>,
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
}

impl Options {
    /// The server as one would type it.
    pub fn server(&self) -> String {
        let (host, port) = (self.host.clone(), Some(self.port));
        Address { host, port }.to_string()
    }
}

/// What the arguments and the environment ask for.
///
/// # Errors
/// Wrong usage, or a wish for `--help` or `--version`; `clap` prints it and knows the exit code.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, clap::Error> {
    let matches = Args::command().try_get_matches_from(args)?;
    let args = Args::from_arg_matches(&matches)?;
    let (host, port) = place(&args, &matches)?;
    // An empty variable is how compose files and scripts leave one out.
    let empty = matches.value_source("nick") == Some(ValueSource::EnvVariable)
        && args.nick.as_deref() == Some("");
    let tls = match (args.tls_ca, args.tls_pin) {
        (Some(path), _) => Some(Trust::Authority(path)),
        (None, Some(pin)) => Some(Trust::Pinned(pin)),
        (None, None) => args.tls.then_some(Trust::System),
    };
    Ok(Options {
        host,
        port,
        tls,
        nick: args.nick.filter(|_| !empty),
        passwords: passwords(args.password_file)?,
        json: args.json,
        reconnect: !args.no_reconnect,
        utc: args.utc,
        keep_alive: args.keep_alive,
        linger: args.linger,
    })
}

/// The passwords of a file; an empty name, as compose files leave a variable out, is none.
fn passwords(file: Option<PathBuf>) -> Result<Vec<Secret<'static>>, clap::Error> {
    let Some(path) = file.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(Vec::new());
    };
    let wrong = |what: String| {
        let words = format!("{}: {what}", path.display());
        Args::command().error(ErrorKind::ValueValidation, words)
    };
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

/// The host and port from the one of the ways to name them that was used; the command line goes
/// before the environment.
fn place(args: &Args, matches: &ArgMatches) -> Result<(String, u16), clap::Error> {
    let from_env = matches.value_source("server_option") == Some(ValueSource::EnvVariable);
    let option = args.server_option.as_deref().filter(|_| !from_env);
    let parts = args.ip_address.is_some() || args.port.is_some();
    let named = match (&args.server, option) {
        (Some(_), Some(_)) => return Err(conflict("the server is named twice")),
        (Some(server), None) => Some(server.clone()),
        (None, Some(option)) => Some(parse_option(option)?),
        (None, None) if parts => None,
        (None, None) => match args.server_option.as_deref() {
            None | Some("") => None,
            Some(variable) => Some(parse_option(variable)?),
        },
    };
    let host = match (&named, &args.ip_address) {
        (Some(_), Some(_)) => return Err(conflict("the server's host is named twice")),
        (Some(server), None) => server.host.clone(),
        (None, Some(host)) => parse_host(host)?,
        (None, None) => DEFAULT_HOST.to_owned(),
    };
    let port = match (named.and_then(|server| server.port), args.port) {
        (Some(_), Some(_)) => return Err(conflict("the server's port is named twice")),
        (one, other) => one.or(other).unwrap_or(DEFAULT_PORT),
    };
    Ok((host, port))
}

fn parse_option(text: &str) -> Result<Address, clap::Error> {
    text.parse()
        .map_err(|error| invalid("--server <HOST[:PORT]>", text, error))
}

fn parse_host(text: &str) -> Result<String, clap::Error> {
    let address: Address = text
        .parse()
        .map_err(|error| invalid("--ip-address <HOST>", text, error))?;
    match address.port {
        None => Ok(address.host),
        Some(_) => Err(conflict(
            "--ip-address is a host alone; --port has its port",
        )),
    }
}

fn invalid(what: &str, text: &str, error: AddressError) -> clap::Error {
    let words = format!("invalid value '{text}' for '{what}': {error}");
    Args::command().error(ErrorKind::ValueValidation, words)
}

fn conflict(words: &str) -> clap::Error {
    Args::command().error(ErrorKind::ArgumentConflict, words)
}

fn address(text: &str) -> Result<Address, AddressError> {
    text.parse()
}

fn port(text: &str) -> Result<u16, AddressError> {
    parse_port(text)
}

/// A positive number of seconds, at most a day: longer is a mistake, not a wish.
fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| (0.001..=86_400.0).contains(seconds))
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a number of seconds, 0.001 to 86400".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &str) -> Result<Options, clap::Error> {
        let words = std::iter::once("chat-client").chain(args.split_whitespace());
        parse(words.map(OsString::from))
    }

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn ways_to_name_the_server() {
        for (args, server) in [
            ("", "127.0.0.1:12345"),
            ("host", "host:12345"),
            ("host:7", "host:7"),
            ("[::1]:7", "[::1]:7"),
            ("::1", "[::1]:12345"),
            ("--server host:7", "host:7"),
            ("-i host", "host:12345"),
            ("--ip-address ::1 --port 7", "[::1]:7"),
            ("-p 7", "127.0.0.1:7"),
            ("host -p 7", "host:7"),
        ] {
            assert_eq!(parsed(args).unwrap().server(), server, "{args}");
        }
    }

    #[test]
    fn wrong_usage() {
        for args in [
            "a b",
            "host --server other",
            "host:7 -p 8",
            "host -i other",
            "-i host:7",
            "-p 0",
            "-p x",
            "host:x",
            "--server host:x",
            "--keep-alive 0",
            "--linger soon",
            "--colour",
        ] {
            assert_eq!(parsed(args).unwrap_err().exit_code(), 2, "{args}");
        }
    }
}
