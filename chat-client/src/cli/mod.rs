//! The command line, as it is defined, and what it asks for.

pub mod generate;
pub mod options;
pub mod task;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use chat_proto::Channel;
use clap::error::ErrorKind;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::Shell;

use self::options::Options;
use self::task::{Task, TaskTarget};
use crate::command::InputError;
use crate::config::{self, ClientSettings};
use crate::net::address::{AddressError, ServerAddress, parse_port};
use crate::net::known_servers::Fingerprint;
use crate::text::wording::without_numbers;

const EXAMPLES: &str = "\
Line mode, which runs where standard input or output is no terminal, prints one line for each thing
that happens and flushes it at once:
  [ana]: hola                   a message in the channel one is in
  #rust [ana]: hola             a message in another channel
  [ana -> luis]: hola           a direct message
  * luis joined #lobby          anything that is no message
  ! nick_taken: ...             an error, on standard error

Type /help for the commands. The end of the input is goodbye: everything that was typed is recorded
first. Ctrl-C once says goodbye too, twice ends at once. However fast a pipe types, .t, .r, /join, /part
and /switch take effect line by line: what was typed before them is shown first.

Exit codes:
  0  said goodbye, and every line of a pipe was recorded
  1  the connection was refused or lost, or a line of a pipe was not recorded
  2  wrong usage
  3  the nickname was refused
  101  a fault of the client itself, which standard error describes

Examples:
  chat-client chat.example.org --nick ana
  make 2>&1 | tail -5 | chat-client send --to '#builds' --create --nick ci
  echo hola | chat-client --nick bot && echo recorded
  chat-client --json --nick bot | jq -r 'select(.type == \"message\") | .text'
  RUST_LOG=chat_client=debug chat-client --nick ana 2>client.log";

/// Talk with the people on a chat server, from a terminal, a pipe or a program.
#[derive(Debug, Parser)]
#[command(name = "chat-client", version, after_long_help = EXAMPLES)]
#[command(subcommand_help_heading = "Commands, instead of talking")]
pub(crate) struct ClientArgs {
    /// The server: HOST, HOST:PORT, [V6]:PORT, or a name of the settings [default: 127.0.0.1:12345]
    ///
    /// A name or an address; the port is 12345 where it is left out. All addresses of a name are
    /// tried. A server of the settings goes before a host of that name, and so do the commands
    /// below, which --server does not know. Example: chat-client [::1]:12345
    #[arg(value_name = "SERVER", value_parser = address)]
    pub(crate) server: Option<ServerAddress>,

    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,

    /// Line mode at a terminal too
    ///
    /// Line by line instead of the full screen, which runs where input and output are a terminal.
    /// Default: off
    #[arg(long)]
    pub(crate) plain: bool,

    /// Offer the list of users on arrival
    ///
    /// At a terminal, offers the list of users in the lobby; Enter takes everyone. Default: only
    /// at the first arrival under a nickname
    #[arg(long)]
    pub(crate) choose_on_arrival: bool,

    #[command(subcommand)]
    action: Option<Action>,
}

/// What can be said of a connection, whatever it is for.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The same as SERVER
    ///
    /// Example: --server chat.example.org:12345
    #[arg(
        long = "server",
        value_name = "HOST[:PORT]",
        env = "CHAT_SERVER",
        global = true,
        conflicts_with_all = [] as [&str; 0]
    )]
    pub(crate) server_option: Option<String>,

    /// The server's host alone [default: 127.0.0.1]
    ///
    /// A name or an address. Example: -i 192.0.2.7
    #[arg(short, long, value_name = "HOST", global = true)]
    pub(crate) ip_address: Option<String>,

    /// The server's port alone [default: 12345]
    ///
    /// 1 to 65535. Example: -p 5000
    #[arg(short, long, value_name = "PORT", value_parser = port, global = true)]
    pub(crate) port: Option<u16>,

    /// The nickname to ask for
    ///
    /// 1 to 32 characters, no white space, not beginning with a digit or one of # . / : @. Without
    /// it a terminal is asked, and anything else is given a random one. Example: --nick ana
    #[arg(short, long, value_name = "NICK", env = "CHAT_NICK", global = true)]
    pub(crate) nick: Option<String>,

    /// Connect with TLS
    ///
    /// The authorities of the system must have issued the certificate; at a terminal the user may
    /// accept another one, and the answer is kept. Default: off
    #[arg(long, global = true)]
    pub(crate) tls: bool,

    /// Connect with TLS, and trust the certificates of this file only
    ///
    /// In PEM form: an authority's, or the server's own. Example: --tls-ca cert.pem
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) tls_ca: Option<PathBuf>,

    /// Connect with TLS, and trust the certificate with this fingerprint only
    ///
    /// 64 hexadecimal digits, with or without colons, as `chat-server certificate new` prints them.
    #[arg(long, value_name = "SHA256", conflicts_with = "tls_ca", global = true)]
    pub(crate) tls_pin: Option<Fingerprint>,

    /// A file with the password of the nickname
    ///
    /// Its first line; needed in a pipe, which has no prompt, and read at the start. A second line
    /// is the new one for /password in a pipe. Example: --password-file ~/.config/chat/password
    #[arg(long, value_name = "FILE", env = "CHAT_PASSWORD_FILE", global = true)]
    pub(crate) password_file: Option<PathBuf>,

    /// The file of settings [default: ~/.config/chat/client.toml]
    ///
    /// `chat-client config` prints one, every key at its default. What is named here has to be
    /// there.
    #[arg(long, value_name = "FILE", env = "CHAT_CONFIG", global = true, help_heading = None::<&str>)]
    pub(crate) config: Option<PathBuf>,

    /// Print every object that arrives as one JSON line
    ///
    /// Standard output has the server's own objects, standard input takes requests of the protocol
    /// (a line that begins with {) or plain text and commands; notices of the client itself go to
    /// standard error. `watch` and `history` print their messages as such lines. Default: off.
    /// Example: {"type":"say","text":"hola"}
    #[arg(long, global = true, help_heading = None::<&str>)]
    pub(crate) json: bool,

    /// End with exit code 1 when the connection is lost
    ///
    /// Default: it is taken up again, after 0.5 s and up to 30 s between attempts, and what was
    /// typed meanwhile is sent then.
    #[arg(long, global = true)]
    pub(crate) no_reconnect: bool,

    /// Show times in UTC instead of local time
    ///
    /// For the times that .t shows and the names of recordings. Default: local time (TZ)
    #[arg(long, global = true, help_heading = None::<&str>)]
    pub(crate) utc: bool,

    /// Silence after which the server is asked for a sign of life, in seconds
    ///
    /// After as much silence again the connection counts as lost. Fractions are allowed.
    /// Example: --keep-alive 20
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, global = true)]
    pub(crate) keep_alive: Duration,

    /// How long goodbye waits for what was typed, in seconds
    ///
    /// Counted from the last line that was recorded: a server that is slow but at work is waited
    /// for. What is unconfirmed then is reported, and the exit code is 1. Example: --linger 5
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, global = true)]
    pub(crate) linger: Duration,
}

/// What is done instead of talking.
#[derive(Debug, Subcommand)]
enum Action {
    /// Say one message, and leave
    ///
    /// The exit code is 0 only if it was recorded. Nothing is printed but errors.
    /// Example: chat-client send --to '#builds' --create --nick ci build 17 is green
    Send {
        /// A channel that exists, which is entered, or a nickname [default: #lobby]
        #[arg(long, value_name = "CHANNEL|NICK")]
        to: Option<TaskTarget>,
        /// Make the channel if it does not exist
        ///
        /// A channel exists while it has members. Default: one that does not exist is an error
        #[arg(long)]
        create: bool,
        /// The text, its words with a blank between them; without it, all of standard input
        ///
        /// Standard input is one message too, of as many lines as it has.
        text: Vec<String>,
    },
    /// Print the messages that arrive, until the end
    ///
    /// A line each, as in line mode; a message of another channel than #lobby bears its name.
    /// Notices of the client itself go to standard error. Ctrl-C ends it with exit code 0. Example:
    /// chat-client watch --channel '#rust' --json --nick logger
    Watch {
        /// Enter this channel, and print what is said in it instead of everything; can be repeated
        #[arg(long, value_name = "CHANNEL", value_parser = channel)]
        channel: Vec<Channel>,
        /// Make the channels that do not exist
        ///
        /// A channel exists while it has members. Default: one that does not exist is an error
        #[arg(long)]
        create: bool,
    },
    /// Print the last messages of a conversation, and leave
    ///
    /// Oldest first, a line each, as in line mode. Example: chat-client history --with '#rust'
    /// --last 500
    History {
        /// A channel that exists, which is entered, or a nickname [default: #lobby]
        #[arg(long, value_name = "CHANNEL|NICK")]
        with: Option<TaskTarget>,
        /// Make the channel if it does not exist, which shows what was said in an earlier one
        ///
        /// A channel exists while it has members. Default: one that does not exist is an error
        #[arg(long)]
        create: bool,
        /// How many, 1 to 10000
        #[arg(long, value_name = "N", default_value = "50",
              value_parser = clap::value_parser!(u16).range(1..=10_000))]
        last: u16,
    },
    /// Print what makes a shell complete this program's arguments
    ///
    /// Example: chat-client completions bash
    /// >~/.local/share/bash-completion/completions/chat-client
    Completions {
        /// bash, zsh or fish among them
        shell: Shell,
    },
    /// Print the manual page, or write all of them to a folder
    ///
    /// Example: chat-client man | man -l -
    Man {
        /// Made if need be; chat-client.1 and one file for each command go there
        folder: Option<PathBuf>,
    },
    /// Print a file of settings, every key at its default, with its meaning
    ///
    /// Example: chat-client config --write
    Config {
        /// Write it to where it is looked for (--config), unless there is one
        #[arg(long)]
        write: bool,
    },
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// A conversation.
    Talk(Box<Options>),
    /// Nothing but this no.
    Refused(InputError),
    /// Text on standard output.
    Print(Vec<u8>),
    /// The manual pages in a folder.
    Pages(PathBuf),
    /// A file of settings where there is none.
    WriteSettings(PathBuf),
}

/// What the arguments, the environment and the settings ask for.
///
/// # Errors
/// Wrong usage, or a wish for `--help` or `--version`; `clap` prints it and knows the exit code.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Invocation, clap::Error> {
    parsed(args, config::path())
}

fn parsed(
    args: impl IntoIterator<Item = OsString>,
    usual: Option<PathBuf>,
) -> Result<Invocation, clap::Error> {
    let matches = definition().try_get_matches_from(args)?;
    let mut args = ClientArgs::from_arg_matches(&matches)?;
    let json = args.connection.json;
    let config = args.connection.config.take();
    let config = config.filter(|path| !path.as_os_str().is_empty());
    let task = match args.action.take() {
        None => None,
        Some(Action::Send { to, create, text }) => {
            match message(&text).and_then(|text| Task::send(to, create, &text)) {
                Ok(task) => Some(task),
                Err(refusal) => return Ok(Invocation::Refused(refusal)),
            }
        }
        Some(Action::Watch { channel, create }) => Some(Task::watch(channel, create, json)),
        Some(Action::History { with, create, last }) => {
            Some(Task::history(with, create, last, json))
        }
        Some(Action::Completions { shell }) => {
            return Ok(Invocation::Print(generate::completions(shell)));
        }
        Some(Action::Man {
            folder: Some(folder),
        }) => return Ok(Invocation::Pages(folder)),
        Some(Action::Man { folder: None }) => return Ok(Invocation::Print(generate::first())),
        Some(Action::Config { write: false }) => {
            return Ok(Invocation::Print(config::manual().into_bytes()));
        }
        Some(Action::Config { write: true }) => {
            let file = config.or(usual);
            return file
                .map(Invocation::WriteSettings)
                .ok_or_else(|| wrong("--config is to name a file"));
        }
    };
    let settings = ClientSettings::load(config.as_deref(), usual.as_deref())
        .map_err(|error| wrong(&error.to_string()))?;
    let options = Options::new(args, &matches, settings, task)?;
    Ok(Invocation::Talk(Box::new(options)))
}

/// The definition of the command line.
pub(crate) fn definition() -> clap::Command {
    let whole = ClientArgs::command();
    let global = whole.get_arguments().filter(|arg| arg.is_global_set());
    let global: Vec<_> = global.cloned().collect();
    UNUSED.into_iter().fold(whole, |whole, (command, unused)| {
        let unused = |arg: &&clap::Arg| match unused {
            Unused::These(names) => names.contains(&arg.get_id().as_str()),
            Unused::AllBut(name) => name != arg.get_id().as_str(),
        };
        let hidden = global.iter().filter(unused);
        let hidden: Vec<_> = hidden.map(|arg| arg.clone().hide(true)).collect();
        whole.mut_subcommand(command, |command| command.args(hidden))
    })
}

/// The options of the program that mean nothing to a command.
#[derive(Debug, Clone, Copy)]
enum Unused {
    These(&'static [&'static str]),
    AllBut(&'static str),
}

/// What the help of each command leaves out. The options are accepted nonetheless.
const UNUSED: [(&str, Unused); 6] = [
    ("send", Unused::These(&["json", "utc"])),
    ("watch", Unused::These(&["utc", "linger"])),
    ("history", Unused::These(&["utc"])),
    ("completions", Unused::AllBut("")),
    ("man", Unused::AllBut("")),
    ("config", Unused::AllBut("config")),
];

/// What `send` is to say.
fn message(words: &[String]) -> Result<String, InputError> {
    if words.is_empty() {
        return task::read_text(std::io::stdin().lock());
    }
    Ok(words.join(" "))
}

pub(crate) fn parse_option(text: &str) -> Result<ServerAddress, clap::Error> {
    text.parse()
        .map_err(|error| invalid("--server <HOST[:PORT]>", text, error))
}

pub(crate) fn parse_host(text: &str) -> Result<String, clap::Error> {
    let address: ServerAddress = text
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
    definition().error(ErrorKind::ValueValidation, words)
}

pub(crate) fn conflict(words: &str) -> clap::Error {
    definition().error(ErrorKind::ArgumentConflict, words)
}

/// Something is wrong that has no argument of its own.
pub(crate) fn wrong(words: &str) -> clap::Error {
    definition().error(ErrorKind::ValueValidation, without_numbers(words))
}

fn channel(text: &str) -> Result<Channel, chat_proto::NameError> {
    Channel::new(text)
}

fn address(text: &str) -> Result<ServerAddress, AddressError> {
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
    use std::path::Path;

    use chat_proto::Nick;

    use super::*;
    use crate::command::TypedCommand;

    fn wish(args: &str, settings: Option<&Path>) -> Result<Invocation, clap::Error> {
        let words = std::iter::once("chat-client").chain(args.split_whitespace());
        parsed(words.map(OsString::from), settings.map(Path::to_owned))
    }

    fn options(args: &str, settings: Option<&Path>) -> Options {
        match wish(args, settings) {
            Ok(Invocation::Talk(options)) => *options,
            other => panic!("{args}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_holds_together() {
        definition().debug_assert();
    }

    /// Returns the long help of a command, or of the program.
    fn help(command: &str) -> String {
        let args = format!("{command} --help");
        wish(&args, None).unwrap_err().to_string()
    }

    #[test]
    fn help_shows_what_belongs_to_a_command() {
        let connection = [
            "--server",
            "--nick",
            "--tls-pin",
            "--password-file",
            "--keep-alive",
        ];
        for (command, shown, left_out) in [
            ("", &["--json", "--utc", "--plain"][..], &[][..]),
            (
                "send",
                &["--to", "--create"],
                &["--json", "--utc", "--plain"],
            ),
            ("watch", &["--channel", "--json"], &["--utc", "--linger"]),
            ("history", &["--with", "--last", "--json"], &["--utc"]),
        ] {
            let help = help(command);
            let (_, behind) = help.split_once("\nConnection:\n").expect("a heading");
            for option in connection {
                assert!(behind.contains(option), "{option} in\n{help}");
            }
            for option in shown {
                assert!(help.contains(option), "{option} in\n{help}");
            }
            for option in left_out {
                assert!(
                    !help.contains(&format!("{option}\n")),
                    "{option} in\n{help}"
                );
            }
        }
        for command in ["completions", "man", "config"] {
            let help = help(command);
            assert!(!help.contains("Connection:"), "{help}");
            assert!(
                !help.contains("--nick") && !help.contains("--json"),
                "{help}"
            );
            assert_eq!(help.contains("--config"), command == "config", "{help}");
        }
        // What is not shown is no error.
        assert!(wish("send --utc x", None).is_ok());
        assert!(wish("--nick ana man", None).is_ok());
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
            assert_eq!(options(args, None).server(), server, "{args}");
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
            "a send --server b x",
            "send --to 7up x",
            "watch --channel rust",
            "history --last 0",
            "history --last 10001",
            "completions tcsh",
            "config --config",
            "--config /nowhere",
            "send --config /nowhere x",
        ] {
            assert_eq!(wish(args, None).unwrap_err().exit_code(), 2, "{args}");
        }
    }

    #[test]
    fn a_command_instead_of_talking() {
        // What a command is called is no server, wherever the flags stand.
        for (args, server, says) in [
            ("send hola", "127.0.0.1:12345", true),
            ("send --server host:7 hola", "host:7", true),
            ("--server host:7 send hola", "host:7", true),
            ("host:7 send hola", "host:7", true),
            ("send hola -i host -p 7", "host:7", true),
            ("--server send", "send:12345", false),
            ("send:12345", "send:12345", false),
        ] {
            let options = options(args, None);
            assert_eq!(options.server(), server, "{args}");
            assert_eq!(options.task.is_some(), says, "{args}");
        }
        let task = |args| options(args, None).task.unwrap();
        let rust = Channel::new("#rust").unwrap();
        let say = |text: &str| TypedCommand::Say(text.to_owned());
        assert_eq!(task("send a  b").commands, [say("a b")]);
        assert_eq!(task("send --to #LOBBY x").commands, [say("x")]);
        assert_eq!(
            task("send x --to #rust").commands,
            [TypedCommand::JoinExisting(rust.clone()), say("x")]
        );
        assert_eq!(
            task("send x --create --to #rust").commands,
            [TypedCommand::Join(rust.clone()), say("x")]
        );
        let luis = TypedCommand::Query(Some(Nick::new("luis").unwrap()));
        assert_eq!(task("send --to luis -- -x").commands, [luis, say("-x")]);
        assert_eq!(
            task("watch --channel #rust --channel #lobby").commands,
            [TypedCommand::JoinExisting(rust.clone())]
        );
        assert_eq!(
            task("history --with #rust").commands,
            [TypedCommand::JoinExisting(rust), TypedCommand::History(50)]
        );
        assert!(matches!(wish("man here", None), Ok(Invocation::Pages(_))));
        assert!(matches!(
            wish("config --write --config x", None),
            Ok(Invocation::WriteSettings(_))
        ));
        assert!(wish("config --write", None).is_err());
    }

    #[test]
    fn flags_go_before_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("client.toml");
        let text = "server = \"work\"\nnick = \"ana\"\n[screen]\nutc = true\n\
                    [servers.work]\naddress = \"chat.example.org:7\"\ntls = true\nnick = \"anita\"\n\
                    [servers.watch]\naddress = \"watch.example.org\"\n";
        std::fs::write(&file, text).unwrap();
        for (args, server, nick, tls) in [
            ("", "chat.example.org:7", "anita", true),
            ("work", "chat.example.org:7", "anita", true),
            ("--server work", "chat.example.org:7", "anita", true),
            ("work -n luis", "chat.example.org:7", "luis", true),
            ("work:12345", "work:12345", "ana", false),
            ("-i work", "work:12345", "ana", false),
            ("-p 7", "127.0.0.1:7", "ana", false),
            ("other", "other:12345", "ana", false),
            ("other --tls", "other:12345", "ana", true),
            ("--server watch", "watch.example.org:12345", "ana", false),
            ("send hola", "chat.example.org:7", "anita", true),
        ] {
            let options = options(args, Some(&file));
            assert_eq!(options.server(), server, "{args}");
            assert_eq!(options.nick.as_deref(), Some(nick), "{args}");
            assert_eq!((options.tls.is_some(), options.utc), (tls, true), "{args}");
        }
        // The name of a command is the command.
        assert!(options("watch", Some(&file)).task.is_some());
        std::fs::write(&file, "[screen]\nmoose = true").unwrap();
        let error = wish("", Some(&file)).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
