//! The program: arguments, logging, exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use chat_client::{args, run};

/// Something kept the client from starting, which is as bad as a connection that is refused.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    // Silent unless RUST_LOG asks: standard error is what people read.
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).init();
    let options = match args::parse(std::env::args_os()) {
        Ok(options) => options,
        Err(error) => error.exit(),
    };
    let code = match run(options) {
        Ok(ending) => ending.exit_code(),
        Err(error) => {
            let error = anyhow::Error::from(error);
            // Nobody is left to be told where standard error is closed.
            writeln!(std::io::stderr().lock(), "! cannot_start: {error:#}").ok();
            FAILED
        }
    };
    // The keyboard's thread may be reading still, and is not waited for.
    std::process::exit(i32::from(code))
}
