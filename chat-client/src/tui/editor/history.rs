//! The history of entered lines, in memory and in a file.
//!
//! The file has a JSON string a line, the newest last, so that a line of several lines is one. It
//! is only appended to while the client runs: several clients share it. At the start the oldest
//! lines beyond the limit and unreadable lines are dropped.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::paths;

/// The lines that are kept.
const MAX_LINES: usize = 1000;

/// The bytes of the file that are read, and kept by a start that finds more than twice as many.
const MAX_BYTES: u64 = 512 * 1024;

/// The lines, and where in them one is.
#[derive(Debug, Default)]
pub struct InputHistory {
    lines: VecDeque<String>,
    /// The line that is shown, and what was typed before one went there.
    at: Option<usize>,
    draft: String,
    file: Option<PathBuf>,
}

impl InputHistory {
    /// Opens the history in `file`. Read errors are logged and treated as an empty history.
    pub fn open(file: PathBuf) -> Self {
        let lines = read(&file).unwrap_or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                log::warn!("{}: {error}", file.display());
            }
            VecDeque::new()
        });
        Self {
            lines,
            file: Some(file),
            ..Self::default()
        }
    }

    /// Keeps a line that was entered, unless the last one was the same.
    pub fn add(&mut self, line: &str) {
        self.at = None;
        self.draft.clear();
        if line.is_empty() || self.lines.back().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.to_owned());
        if let Some(file) = &self.file
            && let Err(error) = append(file, line)
        {
            log::warn!("{}: {error}", file.display());
        }
    }

    /// The line before the one that is shown; `draft` is what is shown where none is.
    pub fn back(&mut self, draft: &str) -> Option<&str> {
        let before = self.at.unwrap_or(self.lines.len()).checked_sub(1)?;
        if self.at.is_none() {
            draft.clone_into(&mut self.draft);
        }
        self.at = Some(before);
        Some(&self.lines[before])
    }

    /// The line behind the one that is shown; behind the last one the draft.
    pub fn forward(&mut self) -> Option<&str> {
        let behind = self.at? + 1;
        self.at = (behind < self.lines.len()).then_some(behind);
        Some(self.at.map_or(&self.draft, |at| &self.lines[at]))
    }

    /// What is shown is no line of the past any longer.
    pub fn leave(&mut self) {
        self.at = None;
        self.draft.clear();
    }
}

fn read(file: &Path) -> io::Result<VecDeque<String>> {
    let mut open = File::open(file)?;
    let bytes = open.metadata()?.len();
    if bytes > MAX_BYTES {
        // The first of these is half a line, and is left out with the unreadable ones.
        open.seek(SeekFrom::Start(bytes - MAX_BYTES))?;
    }
    let mut tail = Vec::new();
    open.take(MAX_BYTES).read_to_end(&mut tail)?;
    let lines = tail.split(|&byte| byte == b'\n');
    let mut lines: VecDeque<String> = lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    lines.drain(..lines.len().saturating_sub(MAX_LINES));
    if bytes > 2 * MAX_BYTES {
        shorten(file, &lines)?;
    }
    Ok(lines)
}

/// The file with these lines only, at once or not at all.
fn shorten(file: &Path, lines: &VecDeque<String>) -> io::Result<()> {
    let whole: String = lines.iter().map(|line| coded(line)).collect();
    paths::replace(file, whole.as_bytes())
}

fn append(file: &Path, line: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        paths::make(folder)?;
    }
    let mut open = paths::open(OpenOptions::new().append(true).create(true), file)?;
    // One write, so that the lines of two clients do not mix.
    open.write_all(coded(line).as_bytes())
}

fn coded(line: &str) -> String {
    format!("{}\n", serde_json::Value::from(line))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn there_and_back() {
        let mut history = InputHistory::default();
        assert_eq!(history.back("x"), None);
        for line in ["one", "two", "two", ""] {
            history.add(line);
        }
        assert_eq!(history.back("draft"), Some("two"));
        assert_eq!(history.back("two"), Some("one"));
        assert_eq!(history.back("one"), None);
        assert_eq!(history.forward(), Some("two"));
        assert_eq!(history.forward(), Some("draft"));
        assert_eq!(history.forward(), None);
        history.back("other");
        history.add("three");
        assert_eq!(history.back(""), Some("three"));
    }

    #[test]
    fn the_next_start_has_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/entries");
        let mut first = InputHistory::open(file.clone());
        first.add("a\nb");
        let mut second = InputHistory::open(file.clone());
        second.add("ñ \u{1b}");
        first.add("c");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!fs::read(&file).unwrap().contains(&0x1b));
        assert_eq!(InputHistory::open(file).lines, ["a\nb", "ñ \u{1b}", "c"]);
    }

    #[test]
    fn damage_costs_the_damaged_lines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("entries");
        fs::write(&file, b"\"one\"\nrubbish\n\xff\xfe\n{}\n\n\"two\"\n\"half").unwrap();
        let mut history = InputHistory::open(file.clone());
        assert_eq!(history.lines, ["one", "two"]);
        // The half line takes the first one behind it along, and no more.
        history.add("three");
        history.add("four");
        assert_eq!(InputHistory::open(file).lines, ["one", "two", "four"]);
        assert!(
            InputHistory::open(folder.path().to_owned())
                .lines
                .is_empty()
        );
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("entries");
        let long: String = (0..40_000)
            .map(|n| coded(&format!("a line, the {n}th of them all")))
            .collect();
        fs::write(&file, &long).unwrap();
        assert!(long.len() as u64 > 2 * MAX_BYTES);
        let mut history = InputHistory::open(file.clone());
        assert_eq!(history.lines.len(), MAX_LINES);
        assert_eq!(history.back(""), Some("a line, the 39999th of them all"));
        assert!(fs::metadata(&file).unwrap().len() < MAX_BYTES);
        assert_eq!(InputHistory::open(file).lines, history.lines);
        history.add("one more");
        assert_eq!(history.lines.len(), MAX_LINES);
    }
}
