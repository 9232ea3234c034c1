//! A panic on any thread restores the terminal, reports the fault on standard error and ends the
//! process: without that thread the client would hang.

use std::io::{self, IsTerminal as _, Write as _};

use crate::input::line_editor;
use crate::text::format;
use crate::tui::terminal;

/// The exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

/// Installs the panic hook.
pub fn ends_the_process() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // No other thread writes to the terminal from here on.
        let _out = io::stdout().is_terminal().then(|| io::stdout().lock());
        terminal::leave();
        line_editor::give_back();
        before(panic);
        let words = format::error("client_failed", "a fault of the client, described above");
        // A closed standard error cannot be reported.
        writeln!(io::stderr().lock(), "{words}").ok();
        line_editor::give_back();
        std::process::exit(PANICKED);
    }));
}
