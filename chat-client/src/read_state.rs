//! Read positions and muted conversations, by server, in one file of the state folder.
//!
//! Several clients of one user share the file: each merges its changes into the current content and
//! replaces the file atomically. An unreadable file is renamed, not overwritten.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use chat_proto::name::fold;
use serde::{Deserialize, Serialize};

use crate::paths;

/// The servers, and the nicks of each, that are remembered: those used last.
const MAX_SERVERS: usize = 100;
const MAX_NICKS: usize = 32;

/// The conversations of a server that can be quiet.
const MAX_MUTED: usize = 1000;

/// Larger than a file with the most of everything.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The state kept for one server.
#[derive(Debug)]
pub struct ReadState {
    file: Option<PathBuf>,
    server: String,
    /// The last message seen by each nick of this run.
    seen: Vec<Seen>,
    muted: BTreeSet<String>,
    /// The file lacks some of this state.
    changed: bool,
}

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Stored {
    /// The one used last is the last.
    servers: Vec<Server>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Server {
    address: String,
    /// The one used last is the last.
    seen: Vec<Seen>,
    muted: BTreeSet<String>,
}

/// The read position of a nick.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Seen {
    /// Folded.
    nick: String,
    seq: u64,
}

impl ReadState {
    /// Returns the state of this user for `server`, which is `HOST:PORT`.
    pub fn of_this_user(server: &str) -> Self {
        Self::open(
            paths::path().map(|folder| folder.join("state.json")),
            server,
        )
    }

    /// Reads the state from `file`; without a file nothing is stored.
    pub fn open(file: Option<PathBuf>, server: &str) -> Self {
        let known = match file.as_ref().map(read) {
            Some(Ok(known)) => known,
            None => Stored::default(),
            Some(Err(error)) => {
                log::warn!("the state of earlier runs cannot be read: {error}");
                Stored::default()
            }
        };
        let known = known
            .servers
            .into_iter()
            .find(|known| known.address == server);
        let Server { seen, muted, .. } = known.unwrap_or_default();
        Self {
            file,
            server: server.to_owned(),
            seen,
            muted,
            changed: false,
        }
    }

    /// Returns whether there is a file for it.
    pub fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Returns the number of the last message that `nick` has seen.
    pub fn seen(&self, nick: &str) -> Option<u64> {
        let nick = fold(nick);
        let found = self.seen.iter().find(|seen| seen.nick == nick);
        found.map(|seen| seen.seq)
    }

    /// Sets the read position of `nick`. A smaller number is valid: a server may restart its
    /// history.
    pub fn see(&mut self, nick: &str, seq: u64) {
        if self.seen(nick) == Some(seq) {
            return;
        }
        let nick = fold(nick).into_owned();
        remember(
            &mut self.seen,
            Seen { nick, seq },
            |seen| &seen.nick,
            MAX_NICKS,
        );
        self.changed = true;
    }

    /// Returns whether a conversation, a channel or a nick, is muted.
    pub fn is_muted(&self, conversation: &str) -> bool {
        self.muted.contains(&*fold(conversation))
    }

    /// Mutes or unmutes a conversation; returns whether that is a change.
    pub fn mute(&mut self, conversation: &str, muted: bool) -> bool {
        let conversation = fold(conversation);
        let changed = if muted {
            self.muted.len() < MAX_MUTED && self.muted.insert(conversation.into_owned())
        } else {
            self.muted.remove(&*conversation)
        };
        self.changed |= changed;
        changed
    }

    /// Writes the changes.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn save(&mut self) -> io::Result<()> {
        let Some(file) = self.file.as_ref().filter(|_| self.changed) else {
            return Ok(());
        };
        let mut stored = match read(file) {
            Ok(stored) => stored,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                fs::rename(file, file.with_extension("damaged"))?;
                Stored::default()
            }
            Err(error) => return Err(error),
        };
        let known = stored
            .servers
            .iter_mut()
            .find(|known| known.address == self.server);
        let mut seen = known
            .map(|known| std::mem::take(&mut known.seen))
            .unwrap_or_default();
        for new in &self.seen {
            remember(&mut seen, new.clone(), |seen| &seen.nick, MAX_NICKS);
        }
        let server = Server {
            address: self.server.clone(),
            seen,
            muted: self.muted.clone(),
        };
        remember(
            &mut stored.servers,
            server,
            |server| &server.address,
            MAX_SERVERS,
        );
        paths::replace(file, &serde_json::to_vec(&stored)?)?;
        self.changed = false;
        Ok(())
    }
}

/// A file that is not there is one that says nothing.
fn read(file: &PathBuf) -> io::Result<Stored> {
    match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Stored::default()),
        Err(error) => return Err(error),
        Ok(found) if found.len() > MAX_BYTES => return Err(io::ErrorKind::InvalidData.into()),
        Ok(_) => {}
    }
    serde_json::from_slice(&fs::read(file)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Puts `new` in the place of what is named alike, as the one used last.
fn remember<T>(all: &mut Vec<T>, new: T, name: impl Fn(&T) -> &String, most: usize) {
    all.retain(|old| name(old) != name(&new));
    all.push(new);
    all.drain(..all.len().saturating_sub(most));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &tempfile::TempDir) -> Option<PathBuf> {
        Some(folder.path().join("chat/state.json"))
    }

    #[test]
    fn the_next_start_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = ReadState::open(file(&folder), "host:1");
        assert_eq!(state.seen("ana"), None);
        state.see("Ana", 17);
        assert!(state.mute("#Rust", true) && !state.mute("#rust", true));
        state.save().unwrap();
        let mut again = ReadState::open(file(&folder), "host:1");
        assert_eq!((again.seen("ANA"), again.seen("luis")), (Some(17), None));
        assert!(again.is_muted("#RUST") && !again.is_muted("#lobby"));
        let other = ReadState::open(file(&folder), "host:2");
        assert_eq!((other.seen("ana"), other.is_muted("#rust")), (None, false));
        // A server that begins anew begins with small numbers.
        again.see("ana", 3);
        assert!(again.mute("#rust", false) && !again.mute("#rust", false));
        again.save().unwrap();
        let last = ReadState::open(file(&folder), "host:1");
        assert_eq!((last.seen("ana"), last.is_muted("#rust")), (Some(3), false));
    }

    /// What is not changed is not written, so that it does not undo what another client wrote.
    #[test]
    fn two_clients_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut idle = ReadState::open(file(&folder), "host:1");
        let mut ana = ReadState::open(file(&folder), "host:1");
        let mut luis = ReadState::open(file(&folder), "host:1");
        let mut other = ReadState::open(file(&folder), "host:2");
        ana.see("ana", 5);
        luis.see("luis", 6);
        other.see("ana", 7);
        for state in [&mut ana, &mut luis, &mut other, &mut idle] {
            state.save().unwrap();
        }
        let state = ReadState::open(file(&folder), "host:1");
        assert_eq!((state.seen("ana"), state.seen("luis")), (Some(5), Some(6)));
        assert_eq!(
            ReadState::open(file(&folder), "host:2").seen("ana"),
            Some(7)
        );
    }

    #[test]
    fn damage_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(&folder).unwrap();
        fs::create_dir(path.parent().unwrap()).unwrap();
        for damage in [
            "",
            "{\"servers\":[{",
            "[1]",
            "{\"servers\":[{\"seen\":\"x\"}]}",
            "\u{0}\u{0}",
        ] {
            fs::write(&path, damage).unwrap();
            let mut state = ReadState::open(Some(path.clone()), "host:1");
            assert_eq!(state.seen("ana"), None, "{damage}");
            state.see("ana", 1);
            state.save().unwrap();
            assert_eq!(
                fs::read_to_string(path.with_extension("damaged")).unwrap(),
                damage
            );
            assert_eq!(
                ReadState::open(Some(path.clone()), "host:1").seen("ana"),
                Some(1)
            );
        }
        // Without a place nothing is kept, and nothing is wrong.
        let mut nowhere = ReadState::open(None, "host:1");
        nowhere.see("ana", 1);
        nowhere.save().unwrap();
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let mut all = vec![];
        for name in ["a", "b", "c", "a", "d"] {
            remember(&mut all, name.to_owned(), |name| name, 3);
        }
        assert_eq!(all, ["c", "a", "d"]);
        let mut state = ReadState::open(None, "host:1");
        for name in 0..MAX_MUTED + 5 {
            state.see(&format!("n{name}"), 1);
            state.mute(&format!("n{name}"), true);
        }
        assert_eq!(
            (state.seen.len(), state.muted.len()),
            (MAX_NICKS, MAX_MUTED)
        );
    }
}
