//! A disk that fails when it is told to: `disk.c`, preloaded into the real server.

use std::fs;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::preload;
use crate::support::{Home, Server};

/// What Linux calls it when a device does not do what it should, has no room, or takes no writes.
pub(crate) const EIO: u32 = 5;
pub(crate) const EROFS: u32 = 30;

fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| preload::library("disk"))
}

/// Starts the server of `home` on such a disk.
pub(crate) fn start(home: &Home) -> Server {
    home.start_with(&environment(home))
}

/// The same where it ends by itself; what it said.
pub(crate) fn fails_to_start(home: &Home) -> String {
    home.fails_to_start_with(&environment(home))
}

fn environment(home: &Home) -> String {
    format!(
        "export LD_PRELOAD='{}' CHAT_DISK_FILE='{}' CHAT_DISK_FAULTS='{}' CHAT_DISK_JOURNAL='{}'",
        library().display(),
        home.log().display(),
        home.file("faults").display(),
        home.file("journal").display(),
    )
}

/// From now on these calls fail, and no others.
pub(crate) fn fails(home: &Home, calls: &[(&str, u32)]) {
    let line = |(call, error): &(&str, u32)| format!("{call} {error}\n");
    tells(home, &calls.iter().map(line).collect::<String>());
}

/// The next such call fails, and no other.
pub(crate) fn fails_once(home: &Home, call: &str, error: u32) {
    tells(home, &format!("{call} {error} once\n"));
}

fn tells(home: &Home, faults: &str) {
    // At once, so that nothing is read half written.
    fs::write(home.file("faults.new"), faults).unwrap();
    fs::rename(home.file("faults.new"), home.file("faults")).unwrap();
}

/// What the history file was asked for and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Done {
    Write { at: usize, bytes: Vec<u8> },
    Synced,
    Cut { to: usize },
    DirectorySynced,
}

/// All of it, in order.
pub(crate) fn journal(home: &Home) -> Vec<Done> {
    let journal = fs::read(home.file("journal")).unwrap_or_default();
    let mut rest = &journal[..];
    let mut done = Vec::new();
    // What a killed server had not noted to its end, it had not been told to be done either.
    while let Some((head, behind)) = rest.split_at_checked(17) {
        let number = |at| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let [at, length] = [1, 9].map(|at| usize::try_from(number(at)).unwrap());
        rest = behind;
        done.push(match head[0] {
            b'w' => {
                let Some((bytes, behind)) = rest.split_at_checked(length) else {
                    break;
                };
                rest = behind;
                let bytes = bytes.to_vec();
                Done::Write { at, bytes }
            }
            b's' => Done::Synced,
            b't' => Done::Cut { to: at },
            b'd' => Done::DirectorySynced,
            other => panic!("{other} in the journal"),
        });
    }
    done
}
