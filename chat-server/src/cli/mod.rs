//! The command line.

pub(crate) mod account;
pub(crate) mod certificate;
pub(crate) mod generate;
pub(crate) mod healthcheck;
pub(crate) mod history;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use account::Account;
use certificate::Certificate;
use history::History;

/// A chat server: every message is recorded before anyone is sent it.
#[derive(Debug, Clone, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Args {
    /// The configuration, e.g. ops/server.toml, which explains every key; without it all defaults hold
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,

    /// Address of the TCP listener (`tcp` in [listen]), e.g. 0.0.0.0 or ::1; other listeners keep
    /// theirs
    #[arg(short, long, value_name = "HOST", conflicts_with = "local")]
    pub(crate) ip_address: Option<String>,

    /// Port of the TCP listener (`tcp` in [listen]), e.g. 12345; 0 selects a free port
    #[arg(short, long)]
    pub(crate) port: Option<u16>,

    /// Listen on 127.0.0.1 only, with all configured listeners (tcp, tls, web, metrics)
    #[arg(long)]
    pub(crate) local: bool,

    /// What is logged to standard error, e.g. debug or chat_server=debug; RUST_LOG does the same
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,

    /// Start although the history has fewer messages than the accounts, the index or the server before
    /// know of; give it once, when the missing messages cannot be restored
    #[arg(long)]
    pub(crate) accept_shorter_history: bool,

    /// Print the configuration that results from file, environment and flags, and end
    #[arg(long)]
    pub(crate) check_config: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What else the program does.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Command {
    /// End with 0 if the server of this configuration is well (with a page, as /healthz says), with 1 if not
    Healthcheck,
    /// Read the history file, beside a running server too
    History(History),
    /// Make a certificate for the TLS listener
    #[command(subcommand)]
    Certificate(Certificate),
    /// List and change the accounts, beside a running server too
    #[command(subcommand)]
    Account(Account),
}
