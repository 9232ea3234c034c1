//! What a fault of the client itself, a panic, comes to: the terminal is as it was, standard error says
//! what happened, and the process ends, whichever thread it was. Without that thread the rest would go on
//! deaf or dumb.

use std::io::{self, IsTerminal as _, Write as _};

use crate::input::line_editor;
use crate::text::format;
use crate::tui::terminal;

/// The exit code, as of any Rust program that panicked.
const PANICKED: i32 = 101;

/// From now on a panic is the end.
pub fn ends_the_process() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // From here on nobody else writes to the terminal.
        let _out = io::stdout().is_terminal().then(|| io::stdout().lock());
        terminal::leave();
        line_editor::give_back();
        before(panic);
        let words = format::error("client_failed", "a fault of the client, described above");
        // Nobody is left to be told where standard error is closed.
        writeln!(io::stderr().lock(), "{words}").ok();
        line_editor::give_back();
        std::process::exit(PANICKED);
    }));
}
