//! The core: who is here, who is in which channel, who is told what, in which order.
//!
//! Nothing here knows a socket, a file or a thread, and nothing imports [`crate::net`] or
//! [`crate::store`]: requests come in as [`room::Requests`], what follows from them goes out as
//! [`room::Append`] (to be recorded) and [`room::Release`] (to be delivered), through recipients that
//! are handed in at the start.
//!
//! | file | what |
//! | --- | --- |
//! | [`room`] | `ChatRoom`, the actor: gathers, has recorded, releases in order |
//! | [`registry`] | every decision: users, channels, tokens, targets; a plain struct |
//! | [`clock`] | what time it is, for the room |
//! | `underway` | what the room waits for |
//! | [`batch`] | what follows from requests, in order: messages, events, changes of membership |
//! | [`accounts`] | which nicks are protected |
//! | [`kept`] | who may come back, and what was decided, as it outlives the process |
//! | [`moderation`] | what operators and founders ask, and what comes of it |
//! | [`lookalike`] | names that would deceive |
//! | [`tally`] | what the room counts |
//! | [`command`] | what a session asks, checked and in our own words |

pub mod accounts;
pub mod batch;
pub mod clock;
pub mod command;
pub mod kept;
pub mod lookalike;
pub mod moderation;
pub mod recent;
pub mod registry;
pub mod room;
pub mod tally;
mod underway;

/// One connection, for as long as the server runs: the place of its session in the table of its
/// thread, and how often that place was used before, so that a late word never reaches a successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    pub slot: u32,
    pub generation: u32,
}

impl SessionId {
    /// The upper bits of a slot say which thread, the others the place in its table.
    const PLACE_BITS: u32 = 24;

    /// A session of the thread `thread`; `None` if there are that many places that they have no number.
    pub fn new(thread: u8, place: usize, generation: u32) -> Option<Self> {
        let place = u32::try_from(place)
            .ok()
            .filter(|place| place >> Self::PLACE_BITS == 0)?;
        Some(Self {
            slot: u32::from(thread) << Self::PLACE_BITS | place,
            generation,
        })
    }

    pub fn thread(self) -> usize {
        (self.slot >> Self::PLACE_BITS) as usize
    }

    pub fn place(self) -> usize {
        (self.slot & ((1 << Self::PLACE_BITS) - 1)) as usize
    }
}

/// A channel while it exists; used again after the last one has left it.
pub type ChannelKey = u32;

/// Maps keyed by our own numbers or folded names.
type Map<K, V> = std::collections::HashMap<K, V, foldhash::quality::RandomState>;

/// Counts the steps of walks and of expensive calculations, so that a test of a bound needs no clock.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn step() {
        STEPS.with(|steps| steps.set(steps.get() + 1));
    }

    /// Returns how many steps `work` takes.
    pub(crate) fn steps_of(work: impl FnOnce()) -> usize {
        let before = STEPS.with(Cell::get);
        work();
        STEPS.with(Cell::get) - before
    }
}

#[cfg(test)]
mod tests {
    /// The core learns nothing of sockets, files and JSON: style.md, "Which way dependencies point".
    #[test]
    fn the_core_imports_nothing_from_its_siblings() {
        let core = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/chat");
        let mut folders = vec![core];
        let mut files = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                files += 1;
                let code = std::fs::read_to_string(&path).unwrap();
                for word in [
                    "crate::net::",
                    "crate::store::",
                    concat!("serde", "_json"),
                    concat!("tokio", "::net"),
                ] {
                    assert!(
                        !code.contains(&format!("use {word}")),
                        "{} uses {word}",
                        path.display()
                    );
                }
            }
        }
        assert!(files > 4);
    }
}
