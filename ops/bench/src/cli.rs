//! The command line.

use std::ffi::OsString;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand};

use crate::servers::Kind;
use crate::wire::MIN_TEXT_BYTES;

/// Measures chat-server beside the kernel's own price and what people use today
///
/// The servers run one after the other on one core, the load on another; everything goes over 127.0.0.1.
/// The exit code is 1 if a server failed a check, 2 if the bench itself did.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) options: Options,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every mode in its short form, under two minutes in all
    Quick,
    /// Every mode in its long form, with the curves; some ten minutes a round
    Full,
    /// Saturated fan-out into one channel: CPU-seconds per million deliveries
    Fanout {
        /// Sizes of the channel instead of those of the table, e.g. 1000,100,10
        #[arg(long, value_delimiter = ',')]
        receivers: Vec<usize>,
        /// How many of them talk; with --receivers
        #[arg(long, default_value_t = 10)]
        senders: usize,
        /// Messages that each of them has in flight; with --receivers
        #[arg(long, default_value_t = 51)]
        in_flight: u32,
    },
    /// 200 people, 500 messages a second: CPU and send-to-receive latency
    Paced,
    /// 200 channels of 10 people, one talking in each
    Channels,
    /// 19,000 connections at once: connections welcomed a second, memory of each
    Idle,
    /// Paging through the history under load
    History,
    /// Twice what the server carries, then what is left of it
    Overload {
        /// How long, in seconds
        #[arg(long = "for", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
        length: u64,
    },
    /// People who come, go, talk, are cut off and come back: is anything lost, heard twice, or grown?
    Soak {
        /// How long, e.g. 10s, 30m
        #[arg(long = "for", default_value = "30m", value_parser = length)]
        length: Duration,
        /// How many people there are at a time
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(10..=2_000).map(usize::from))]
        people: usize,
    },
    /// Cost against receivers, idle people, quiet channels and the length of the history
    Curves,
    /// Start, page and replay with histories of these lengths
    Past {
        /// Numbers of messages, some 210 bytes each, at most 100 million
        #[arg(long, value_delimiter = ',', default_value = "1000,1000000",
              value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
        messages: Vec<u64>,
    },
    /// chat-server with one and with two workers
    Workers,
    /// Serves as the bare broadcaster with a log: the kernel's own price
    Limit {
        /// Address and port
        #[arg(long)]
        listen: SocketAddrV4,
        /// File that everything said is appended to
        #[arg(long)]
        log: PathBuf,
    },
    /// Becomes a server, tied to its cores and to the life of the bench
    #[command(hide = true)]
    Launch {
        #[arg(long)]
        parent: Option<i32>,
        #[arg(long = "core")]
        cores: Vec<usize>,
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The chat-server binary; the one beside this program if left out
    #[arg(long, global = true)]
    pub(crate) server_bin: Option<PathBuf>,
    /// Who is compared; all if left out
    #[arg(long, global = true, value_delimiter = ',')]
    pub(crate) servers: Vec<Kind>,
    /// Measure each case so often and take the medians [default: 1, full: 3]
    #[arg(long, global = true, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: Option<u32>,
    /// How long one measurement takes, in seconds [default: 3, quick: 1.2]
    #[arg(long, global = true, value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Bytes of text in a message
    #[arg(long, global = true, default_value_t = 100, value_parser = text_bytes)]
    pub(crate) text_bytes: usize,
    /// Cores of the server, e.g. 0 or 0,1
    #[arg(long, global = true, value_delimiter = ',', default_value = "0")]
    pub(crate) server_cores: Vec<usize>,
    /// Core of the load
    #[arg(long, global = true, default_value_t = 1)]
    pub(crate) load_core: usize,
    /// A setting of chat-server as its environment has it, e.g. CHAT_HISTORY__DURABILITY=batch
    #[arg(long = "set", global = true, value_name = "NAME=VALUE", value_parser = setting)]
    pub(crate) settings: Vec<(String, String)>,
    /// Where the servers keep their files meanwhile; the system's place for such if left out
    #[arg(long, global = true)]
    pub(crate) dir: Option<PathBuf>,
    /// Write the results as JSON as well
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw cost against receivers; other curves are put beside it, FILE-idle.svg and so on
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

fn length(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return Err("a length is a number and s, m or h".to_owned()),
    };
    match number.parse::<u32>() {
        Ok(number @ 1..=1_000) => Ok(Duration::from_secs(u64::from(number) * unit)),
        _ => Err("from 1 to 1000 of them".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.1..=600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("from 0.1 to 600".to_owned())
    }
}

/// An IRC line has 512 bytes, with the name of the sender and of the channel.
fn text_bytes(text: &str) -> Result<usize, String> {
    let bytes: usize = text.parse().map_err(|_| "not a number".to_owned())?;
    if (MIN_TEXT_BYTES..=400).contains(&bytes) {
        Ok(bytes)
    } else {
        Err(format!("from {MIN_TEXT_BYTES} to 400"))
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
