//! The program: arguments, logging, exit codes.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use chat_client::args::{self, Wish};
use chat_client::{Ending, pages, render, run, settings};

/// Something kept the client from doing what it was asked for, which is as bad as a connection that is
/// refused.
const FAILED: u8 = 1;

fn main() {
    // Silent unless RUST_LOG asks: standard error is what people read.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let wish = match args::parse(std::env::args_os()) {
        Ok(wish) => wish,
        Err(error) => error.exit(),
    };
    let code = match fulfil(wish) {
        Ok(code) => code,
        Err(error) => complain("cannot_start", &format!("{error:#}")),
    };
    // The keyboard's thread may be reading still, and is not waited for.
    std::process::exit(i32::from(code))
}

/// The exit code.
fn fulfil(wish: Wish) -> anyhow::Result<u8> {
    match wish {
        Wish::Talk(options) => Ok(run(*options)?.exit_code()),
        Wish::Refused(refusal) => Ok(complain(refusal.code, &refusal.detail)),
        Wish::Print(text) => {
            let mut output = io::stdout().lock();
            let written = output.write_all(&text).and_then(|()| output.flush());
            written.context("standard output")?;
            Ok(Ending::Goodbye.exit_code())
        }
        Wish::Pages(folder) => {
            pages::write(&folder).with_context(|| folder.display().to_string())?;
            Ok(Ending::Goodbye.exit_code())
        }
        Wish::Settings(file) => {
            write_settings(&file).with_context(|| file.display().to_string())?;
            Ok(Ending::Goodbye.exit_code())
        }
    }
}

/// Nobody is left to be told where standard error is closed.
fn complain(code: &str, detail: &str) -> u8 {
    writeln!(io::stderr().lock(), "{}", render::error(code, detail)).ok();
    FAILED
}

/// A file that is there is somebody's work.
fn write_settings(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut open = OpenOptions::new().write(true).create_new(true).open(file)?;
    open.write_all(settings::manual().as_bytes())?;
    writeln!(io::stdout().lock(), "{}", file.display())
}
