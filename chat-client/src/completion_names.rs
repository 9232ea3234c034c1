//! Nicks and channels for Tab completion. Written by the Session, read by the editor.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use chat_proto::name::fold;

use crate::command::help::COMMANDS;
use crate::text::escape::is_escaped;

/// The most nicks, and the most channels, that are remembered: a crowd larger than this completes
/// those who came first, which is better than growing with everyone who ever passes by.
const MAX_NAMES: usize = 10_000;

/// The longest name that is remembered, in bytes: longer than any that the protocol allows.
const MAX_NAME_BYTES: usize = 256;

/// The names, shared by two threads.
#[derive(Debug, Clone, Default)]
pub struct CompletionNames(Arc<Mutex<Known>>);

/// Names by their folded form.
#[derive(Debug, Default)]
struct Known {
    nicks: BTreeMap<String, String>,
    channels: BTreeMap<String, String>,
}

impl CompletionNames {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0
            .lock()
            .expect("no thread panics while it holds the names")
    }

    /// Adds a nick.
    pub fn nick(&self, nick: &str) {
        learn(&mut self.known().nicks, nick);
    }

    /// Removes a nick.
    pub fn gone(&self, nick: &str) {
        self.known().nicks.remove(&*fold(nick));
    }

    /// Adds a channel.
    pub fn channel(&self, channel: &str) {
        learn(&mut self.known().channels, channel);
    }

    /// Where the word before `position` begins, and what it may become.
    pub fn complete(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let before = &line[..position];
        if let Some(nick) = told(before) {
            let found = matching(&self.known().nicks, nick, ":");
            return (position - nick.len(), found);
        }
        let start = before.rfind(char::is_whitespace).map_or(0, |space| {
            space + before[space..].chars().next().map_or(1, char::len_utf8)
        });
        let word = &before[start..];
        let found = if start == 0 && word.starts_with('/') {
            let typed = word.to_ascii_lowercase();
            COMMANDS
                .iter()
                .filter(|command| command.starts_with(&typed))
                .map(|command| format!("{command} "))
                .collect()
        } else if word.starts_with('#') {
            matching(&self.known().channels, word, " ")
        } else if start == 0 {
            // The usual form of address in a channel.
            matching(&self.known().nicks, word, ": ")
        } else {
            matching(&self.known().nicks, word, " ")
        };
        (start, found)
    }
}

/// Returns the unfinished nick of `/tell:NICK` or `/msg:NICK`.
fn told(before: &str) -> Option<&str> {
    let (command, nick) = before.split_once(':')?;
    let is_tell = command.eq_ignore_ascii_case("/tell") || command.eq_ignore_ascii_case("/msg");
    (is_tell && !nick.contains(':')).then_some(nick)
}

/// A name that could drive the terminal it is completed on is not kept.
fn learn(names: &mut BTreeMap<String, String>, name: &str) {
    let fits = names.len() < MAX_NAMES && name.len() <= MAX_NAME_BYTES;
    if fits && !name.chars().any(is_escaped) {
        names.insert(fold(name).into_owned(), name.to_owned());
    }
}

/// The names that begin with `word`, whatever its case, with what belongs behind each.
fn matching(names: &BTreeMap<String, String>, word: &str, behind: &str) -> Vec<String> {
    let folded = fold(word).into_owned();
    names
        .range(folded.clone()..)
        .take_while(|(name, _)| name.starts_with(&folded))
        .map(|(_, name)| format!("{name}{behind}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tab_completes() {
        let names = CompletionNames::default();
        for nick in ["ana", "Andrés", "luis", "Анна", "evil\u{1b}[2J"] {
            names.nick(nick);
        }
        names.channel("#rust");
        names.nick("gone");
        names.gone("GONE");
        for (line, start, want) in [
            ("an", 0, vec!["ana: ", "Andrés: "]),
            ("hola AN", 5, vec!["ana ", "Andrés "]),
            ("hola\u{2003}lu", 7, vec!["luis "]),
            ("ан", 0, vec!["Анна: "]),
            ("/he", 0, vec!["/help "]),
            ("/hi", 0, vec!["/history "]),
            ("/HI", 0, vec!["/history "]),
            ("/TELL lu", 6, vec!["luis "]),
            ("/Tell:LU", 6, vec!["luis:"]),
            ("/tell lu", 6, vec!["luis "]),
            ("/tell:lu", 6, vec!["luis:"]),
            ("/tell:luis:an", 0, vec![]),
            ("/join #r", 6, vec!["#rust "]),
            ("go", 0, vec![]),
            ("ev", 0, vec![]),
        ] {
            let (at, found) = names.complete(line, line.len());
            assert_eq!(
                (at, found),
                (start, want.iter().map(|s| (*s).to_owned()).collect())
            );
        }
    }
}
