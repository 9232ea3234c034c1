//! `chat-server man` and `chat-server completions`, and how the command line is read and helped with.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Subcommand};
use clap_complete::Shell;

use crate::cli::Args;

/// Commands that print pages for the shell.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
enum Pages {
    /// Print what makes a shell complete this program's arguments
    ///
    /// Example: chat-server completions bash >~/.local/share/bash-completion/completions/chat-server
    Completions {
        /// bash, zsh or fish among them
        shell: Shell,
    },
    /// Print the manual page, or write all of them to a folder
    ///
    /// Example: chat-server man | man -l -
    Man {
        /// Made if need be; chat-server.1 and one file for each command go there
        folder: Option<PathBuf>,
    },
}

/// Reads the command line.
///
/// # Errors
/// The exit code: it was wrong, or it asked for a page, which is printed.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Args, ExitCode> {
    let matches = definition().try_get_matches_from(args);
    let matches = matches.map_err(|error| usage(&error))?;
    if let Ok(pages) = Pages::from_arg_matches(&matches) {
        return Err(print(&pages));
    }
    Args::from_arg_matches(&matches).map_err(|error| usage(&error.format(&mut definition())))
}

/// Returns the definition of the command line.
fn definition() -> clap::Command {
    let listening = ["ip_address", "port", "local"];
    let whole = Pages::augment_subcommands(Args::command());
    let whole = listening.into_iter().fold(whole, |whole, name| {
        whole.mut_arg(name, |arg| arg.help_heading("Listening"))
    });
    // Options of every command mean nothing to these.
    let global = whole.get_arguments().filter(|arg| arg.is_global_set());
    let global: Vec<_> = global.map(|arg| arg.clone().hide(true)).collect();
    ["completions", "man"]
        .into_iter()
        .fold(whole, |whole, name| {
            whole.mut_subcommand(name, |command| command.args(&global))
        })
}

fn print(pages: &Pages) -> ExitCode {
    let mut page = Vec::new();
    let made = match pages {
        Pages::Completions { shell } => {
            clap_complete::generate(*shell, &mut definition(), "chat-server", &mut page);
            Ok(())
        }
        Pages::Man { folder: None } => clap_mangen::Man::new(definition()).render(&mut page),
        Pages::Man {
            folder: Some(folder),
        } => write(folder),
    };
    let whence = match pages {
        Pages::Man {
            folder: Some(folder),
        } => folder.display().to_string(),
        _ => "standard output".to_owned(),
    };
    let written = made.and_then(|()| io::stdout().lock().write_all(&page));
    finish(written, &whence)
}

fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(definition(), folder)
}

/// Prints wrong usage to standard error, `--help` and `--version` to standard output.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() {
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(1));
    }
    finish(printed, "standard output")
}

/// Returns the exit code of what was printed. A reader that has closed the pipe is no error.
fn finish(written: io::Result<()>, whence: &str) -> ExitCode {
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            // If standard error cannot be written to either, the exit code has to do.
            writeln!(io::stderr(), "chat-server: {whence}: {error}").ok();
            ExitCode::FAILURE
        }
        _ => ExitCode::SUCCESS,
    }
}
