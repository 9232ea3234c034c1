//! The program: arguments, configuration, logging, signals.

mod account_cli;
mod cli;
mod healthcheck;
mod history_cli;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use chat_server::config::Config;
use chat_server::error::ServerError;
use chat_server::store::sqlite::Database;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use cli::{Args, Command};

fn main() -> ExitCode {
    let args = Args::parse();
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last place that could tell; if it cannot be written to, the exit code has to do.
            writeln!(std::io::stderr(), "chat-server: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

fn start(args: &Args) -> anyhow::Result<()> {
    let mut config = Config::load(args.config.as_deref(), std::env::vars())?;
    let host = if args.local {
        Some("127.0.0.1")
    } else {
        args.ip_address.as_deref()
    };
    if host.is_some() || args.port.is_some() {
        config.listen.tcp = config.listen.tcp.with(host, args.port);
    }
    if args.check_config {
        return std::io::stdout()
            .write_all(config.to_toml().as_bytes())
            .context("cannot print the configuration");
    }
    match &args.command {
        Some(Command::Healthcheck) => return healthcheck::run(&config),
        Some(Command::History(command)) => return history_cli::run(&config.history.path, command),
        Some(Command::Account(command)) => return account_cli::run(&config, command),
        None => {}
    }
    let mut logger =
        env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("info"));
    if let Some(level) = &args.log_level {
        logger.parse_filters(level);
    }
    logger.init();
    actix::System::new().block_on(serve(&config))
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let address = config.listen.tcp.get().ok_or(ServerError::NoListener)?;
    // Before anyone can connect: a server that cannot record, or does not know who is who, does not
    // listen.
    let opened = chat_server::store::open::open(&config.history.path)?;
    drop(Database::open(&config.accounts.path)?);
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| ServerError::Bind {
            address: address.to_owned(),
            source,
        })?;
    log::info!("listening on {}", listener.local_addr()?);
    let (terminate, interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    chat_server::run(config, opened, listener, either(terminate, interrupt)).await?;
    Ok(())
}

async fn either(mut one: Signal, mut other: Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
