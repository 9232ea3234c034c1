//! The program: arguments, logging, exit codes.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use chat_client::app::run;
use chat_client::cli::{self, Invocation, generate};
use chat_client::exit_status::ExitStatus;
use chat_client::text::{escape, format, wording};
use chat_client::{config, paths};
use jiff::tz::TimeZone;

/// The exit code of any failure but wrong usage.
const FAILED: u8 = 1;

fn main() {
    // Silent unless RUST_LOG is set: standard error is for users.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let code = match cli::parse(std::env::args_os()) {
        Ok(wish) => {
            execute(wish).unwrap_or_else(|error| print_error("cannot_start", &format!("{error:#}")))
        }
        Err(error) => usage(&error),
    };
    // The keyboard's thread may be reading still, and is not waited for.
    std::process::exit(i32::from(code))
}

/// The exit code.
fn execute(wish: Invocation) -> anyhow::Result<u8> {
    match wish {
        Invocation::Talk(options) => Ok(run(*options)?.exit_code()),
        Invocation::Refused(refusal) => Ok(print_error(refusal.code, &refusal.detail)),
        Invocation::Print(text) => Ok(printed(io::stdout().lock().write_all(&text))),
        Invocation::Pages(folder) => {
            generate::write(&folder).with_context(|| folder.display().to_string())?;
            Ok(ExitStatus::Goodbye.exit_code())
        }
        Invocation::WriteSettings(file) => {
            write_settings(&file).with_context(|| file.display().to_string())?;
            let name = format!("{}\n", file.display());
            Ok(printed(io::stdout().lock().write_all(name.as_bytes())))
        }
    }
}

/// Prints wrong usage to standard error, or `--help` and `--version` to standard output.
fn usage(error: &clap::Error) -> u8 {
    let code = u8::try_from(error.exit_code()).unwrap_or(FAILED);
    let written = error.print();
    if error.use_stderr() {
        return code;
    }
    printed(written)
}

/// Returns the exit code of what was written to standard output. A reader that has closed it, as
/// `head` does, is no error.
fn printed(written: io::Result<()>) -> u8 {
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            print_error("output_failed", &format!("standard output: {error}"))
        }
        _ => ExitStatus::Goodbye.exit_code(),
    }
}

/// Prints an error to standard error, whose failure cannot be reported; returns the exit code.
fn print_error(code: &str, detail: &str) -> u8 {
    let line = if io::stderr().is_terminal() {
        let words = wording::sentence(code, detail, &TimeZone::system());
        format!("! {}", escape::lines(&words))
    } else {
        format::error(code, &wording::without_numbers(detail))
    };
    writeln!(io::stderr().lock(), "{line}").ok();
    FAILED
}

/// Writes the default settings; an existing file is not overwritten.
fn write_settings(file: &Path) -> io::Result<()> {
    if let Some(parent) = file.parent() {
        paths::make(parent)?;
    }
    let mut open = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    open.write_all(config::manual().as_bytes())
}
