//! The program: arguments, configuration, logging, signals.

mod cli;

use std::io::Write;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context as _;
use chat_server::Order;
use chat_server::config::Config;
use chat_server::error::ServerError;
use chat_server::net::tls;
use chat_server::net::worker::{Listener, Speaks};
use chat_server::store::database::Database;
use chat_server::store::expected_length::ExpectedLength;
use chat_server::store::log::recovery;
use chat_server::store::rewind;
use log::LevelFilter;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use cli::{Args, Command, account, certificate, generate, healthcheck, history};

fn main() -> ExitCode {
    let args = match generate::parse(std::env::args_os()) {
        Ok(args) => args,
        Err(code) => return code,
    };
    match start(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last place that could tell; if it cannot be written to, the exit code has to do.
            writeln!(std::io::stderr(), "chat-server: {}", told(&error)).ok();
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes, each once: some say their cause themselves.
fn told(error: &anyhow::Error) -> String {
    let mut words = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        let last = words.rsplit(": ").next().unwrap_or_default();
        if !words.contains(&cause) && !cause.contains(last) {
            words = format!("{words}: {cause}");
        }
    }
    words
}

/// What file, environment and flags say.
fn configuration(args: &Args) -> anyhow::Result<Config> {
    let mut config = Config::load(args.config.as_deref(), std::env::vars())?;
    let host = args.ip_address.as_deref();
    if host.is_some() || args.port.is_some() {
        config.listen.tcp = config.listen.tcp.with(host, args.port);
    }
    if args.local {
        config.listen.keep_local();
    }
    Ok(config)
}

fn start(args: &Args) -> anyhow::Result<()> {
    let config = configuration(args)?;
    if args.check_config {
        let printed = std::io::stdout().write_all(config.to_toml().as_bytes());
        return match printed {
            // The reader has closed the pipe, as `head` does.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.context("cannot print the configuration"),
        };
    }
    match &args.command {
        Some(Command::Healthcheck) => return healthcheck::run(&config),
        Some(Command::History(command)) => return history::run(&config.history.path, command),
        Some(Command::Certificate(command)) => return certificate::run(&config, command),
        Some(Command::Account(command)) => {
            let is_configured =
                args.config.is_some() || std::env::var_os("CHAT_ACCOUNTS__PATH").is_some();
            return account::run(&config, is_configured, command);
        }
        None => {}
    }
    let mut logger = env_logger::Builder::new();
    // These libraries log malformed client input at error and warn, unlimited in length and rate.
    // RUST_LOG can switch them on.
    for library in ["actix_http", "actix_router", "rustls", "tokio_rustls"] {
        logger.filter_module(library, LevelFilter::Off);
    }
    logger.parse_env(env_logger::Env::default().default_filter_or("info"));
    if let Some(level) = &args.log_level {
        logger.parse_filters(level);
    }
    logger.init();
    // A panic is a fault like others: in the log, with its place, and not in its own words on top.
    std::panic::set_hook(Box::new(|fault| log::error!("{fault}")));
    actix::System::new().block_on(serve(&config, args.clone()))
}

async fn serve(config: &Config, args: Args) -> anyhow::Result<()> {
    // Before anyone can connect: a server that cannot record, or does not know who is who, does not
    // listen.
    let history = recovery::lock(&config.history.path)?;
    let had_accounts = config.accounts.path.exists();
    let mut accounts = Database::claim(&config.accounts.path)?;
    let path = &config.history.path;
    let expected = ExpectedLength::read(path, accounts.newest_number()?)
        .accepting_shorter(args.accept_shorter_history)
        .written_with(config.history.durability);
    if !had_accounts && expected.has_history() {
        log::warn!(
            "{}: a new file, although the history has messages: no nick is protected. If the file was not \
             removed on purpose, stop the server now and put it back",
            config.accounts.path.display()
        );
    }
    let mut opened = history.open(|found| expected.check(path, found))?;
    opened.tokens_lag = expected.lag();
    let now = SystemTime::now().into();
    rewind::fit(&mut accounts, &expected, path, &opened, now)?;
    let listeners = listen(config).await?;
    let (tell, orders) = mpsc::channel(1);
    actix_rt::spawn(pass_on_signals(Signals::new()?, args, tell));
    chat_server::run(config, opened, accounts, listeners, orders).await?;
    Ok(())
}

/// Listens wherever the configuration says.
async fn listen(config: &Config) -> Result<Vec<Listener>, ServerError> {
    let tls = |wanted: bool| {
        config
            .tls
            .as_ref()
            .filter(|_| wanted)
            .map(tls::load)
            .transpose()
    };
    let (all, mut listeners) = (&config.listen, Vec::new());
    for (address, speaks, encrypted) in [
        (&all.tcp, Speaks::Chat, false),
        (&all.tls, Speaks::Chat, true),
        (&all.web, Speaks::Web, config.web.tls),
        (&all.metrics, Speaks::Metrics, false),
    ] {
        let Some(address) = address.get() else {
            continue;
        };
        let tls = tls(encrypted)?;
        let socket = bind(address).await?;
        let address = socket.local_addr().map_err(ServerError::Worker)?;
        match (speaks, encrypted) {
            (Speaks::Chat, false) => log::info!("listening on {address}"),
            (Speaks::Chat, true) => log::info!("listening on {address} with TLS"),
            (Speaks::Web, _) => log::info!("the web page: listening on {address}"),
            (Speaks::Metrics, _) => log::info!("the metrics: listening on {address}"),
        }
        listeners.push(Listener {
            socket,
            tls,
            speaks,
        });
    }
    if listeners
        .iter()
        .all(|listener| listener.speaks == Speaks::Metrics)
    {
        return Err(ServerError::NoListener);
    }
    Ok(listeners)
}

async fn bind(address: &str) -> Result<std::net::TcpListener, ServerError> {
    TcpListener::bind(address)
        .await
        .and_then(TcpListener::into_std)
        .map_err(|source| ServerError::Bind {
            address: address.to_owned(),
            source,
        })
}

/// What the system tells a process.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }
}

/// Makes orders of signals, until one ends the server.
async fn pass_on_signals(mut signals: Signals, args: Args, tell: mpsc::Sender<Order>) {
    loop {
        let orders = tokio::select! {
            _ = signals.terminate.recv() => vec![Order::End],
            _ = signals.interrupt.recv() => vec![Order::End],
            _ = signals.hang_up.recv() => reload(&args),
        };
        for order in orders {
            let last = matches!(order, Order::End);
            if tell.send(order).await.is_err() || last {
                return;
            }
        }
    }
}

/// What has changed of the configuration and the files that it names; nothing of what is wrong.
fn reload(args: &Args) -> Vec<Order> {
    let config = match configuration(args) {
        Ok(config) => config,
        Err(error) => {
            log::error!("the configuration stays as it was: {}", told(&error));
            return Vec::new();
        }
    };
    let certificate = match config.tls.as_ref().map(tls::load) {
        Some(Ok(certificate)) => Some(Order::Certify(certificate)),
        Some(Err(error)) => {
            log::error!("the certificate stays as it was: {error}");
            None
        }
        None => None,
    };
    let configure = Order::Configure(Box::new(config));
    std::iter::once(configure).chain(certificate).collect()
}
