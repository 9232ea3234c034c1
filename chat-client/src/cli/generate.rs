//! What is made from the definition of the command line: completions for shells, manual pages.

use std::io;
use std::path::Path;

use clap_complete::Shell;

use super::definition;

/// What makes a shell complete the arguments.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut definition(), "chat-client", &mut script);
    script
}

/// The manual page of the program itself.
pub fn first() -> Vec<u8> {
    let mut page = Vec::new();
    clap_mangen::Man::new(definition())
        .render(&mut page)
        .expect("memory takes every page");
    page
}

/// Writes the page of the program, and one for each of its commands, to a folder.
///
/// # Errors
/// They cannot be written there.
pub fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(definition(), folder)
}
