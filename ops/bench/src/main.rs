//! The load generator: one thread that speaks for thousands of people, and the servers it is pointed at.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `cli` | the command line |
//! | `bench` | a run: cases, rounds, the clocks of a measured interval |
//! | `modes/` | what is measured, a file for each |
//! | `crowd/` | connections, and the ledger that checks what they were sent |
//! | `wire/` | the languages: raw, chat, NATS, IRC |
//! | `servers/` | how each server is configured, started and ended; `launch` ties it to cores |
//! | `soak/` | people who come, go and are cut off, and the check that nothing was lost |
//! | `limit` | the bare broadcaster everything is compared with |
//! | `report/` | tables, JSON, curves |
//!
//! It has no library for the protocol in common with the server, and no async runtime: the cheaper it is,
//! the more is the server the bottleneck.

mod bench;
mod cli;
mod crowd;
mod deadline;
mod error;
mod launch;
mod limit;
mod modes;
mod poller;
mod procstat;
mod report;
mod servers;
mod soak;
mod wire;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Parser as _;

use bench::{Bench, Scale, progress};
use cli::{Cli, Command, Options};
use deadline::Deadline;
use error::BenchError;
use report::Report;
use servers::{Kind, Site};

/// `quick` begins no new case after this.
const QUICK_BUDGET: Duration = Duration::from_secs(95);

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            progress(&format!("chat-bench: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match &cli.command {
        Command::Limit { listen, log } => {
            limit::serve(*listen, log)?;
            return Ok(ExitCode::SUCCESS);
        }
        Command::Launch {
            parent,
            cores,
            command,
        } => {
            launch::become_command(cores, *parent, command)?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    deadline::watch_signals()?;
    launch::raise_file_limit();
    let mut bench = prepare(&cli)?;
    let outcome = measure(&mut bench, cli.command);
    let mut report = bench.report;
    report.settle();
    // What was measured is told even if the bench was stopped in the middle of it.
    publish(&report, &cli.options)?;
    outcome?;
    Ok(if report.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn prepare(cli: &Cli) -> anyhow::Result<Bench> {
    let options = &cli.options;
    let quick = matches!(cli.command, Command::Quick);
    let full = matches!(cli.command, Command::Full);
    let chat_server = match &options.server_bin {
        Some(path) => {
            if !path.is_file() {
                bail!("there is no server at {}", path.display());
            }
            path.canonicalize()?
        }
        None => std::env::current_exe()
            .context("the path of this program")?
            .with_file_name("chat-server"),
    };
    let mut cores = options.server_cores.clone();
    if launch::cores_of_this_machine() < 2 {
        progress("one core only: server and load share it, and the figures tell of both");
        cores.clear();
    } else {
        launch::pin_to(&[options.load_core])?;
    }
    let rounds = options.rounds.unwrap_or(if full { 3 } else { 1 });
    let seconds = options.seconds.unwrap_or(if quick { 1.2 } else { 3.0 });
    Ok(Bench {
        site: Site {
            chat_server,
            cores,
            dir: options.dir.clone(),
            settings: options.settings.clone(),
        },
        servers: if options.servers.is_empty() {
            Kind::ALL.to_vec()
        } else {
            options.servers.clone()
        },
        rounds: usize::try_from(rounds)?,
        measure: Duration::from_secs_f64(seconds),
        text_bytes: options.text_bytes,
        report: Report::new(),
        budget: quick.then(|| Deadline::after(QUICK_BUDGET, "the quick run")),
    })
}

fn measure(bench: &mut Bench, command: Command) -> Result<(), BenchError> {
    match command {
        Command::Quick => modes::all(bench, Scale::Quick),
        Command::Full => modes::all(bench, Scale::Full),
        Command::Fanout { receivers, .. } if receivers.is_empty() => {
            modes::fanout::run(bench, Scale::Full)
        }
        Command::Fanout {
            receivers,
            senders,
            in_flight,
        } => modes::fanout::run_with(bench, &receivers, senders, in_flight),
        Command::Paced => modes::paced::run(bench, Scale::Full),
        Command::Channels => modes::channels::run(bench, Scale::Full),
        Command::Idle => modes::idle::run(bench, Scale::Full),
        Command::History => modes::history::run(bench, Scale::Full),
        Command::Overload { length } => {
            modes::overload::run_for(bench, Duration::from_secs(length))
        }
        Command::Soak { length, people } => modes::soak::run(bench, people, length),
        Command::Curves => modes::curves::run(bench),
        Command::Past { messages } => modes::curves::history(bench, &messages),
        Command::Workers => modes::workers::run(bench),
        Command::Limit { .. } | Command::Launch { .. } => Ok(()),
    }
}

fn publish(report: &Report, options: &Options) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{}", report.tables())?;
    if let Some(path) = &options.json {
        report.write_json(path)?;
    }
    if let Some(path) = &options.svg {
        report.write_svg(path)?;
    }
    Ok(())
}
