//! The core: users, channels, messages and their order.
//!
//! The core uses no sockets, files or threads, and imports neither [`crate::net`] nor
//! [`crate::store`]. Requests arrive as [`room::Requests`]. Their effects leave as [`room::Append`]
//! (to the recorder) and [`room::Release`] (to the dispatchers), through recipients that the caller
//! provides.
//!
//! | file | content |
//! | --- | --- |
//! | [`room`] | `ChatRoom`, the actor: numbering, group commit, release in order |
//! | [`registry`] | the rules: users, channels, accounts, moderation; a plain struct |
//! | [`command`] | typed commands of a session |
//! | [`effect`] | typed effects, and who they go to |
//! | [`batch`] | a batch of effects under construction |
//! | `commit` | a batch that waits for its persistence |
//! | [`state_change`] | what must outlive the process |
//! | [`moderation`] | the terms of moderation: commands, sanctions, channel records |
//! | [`accounts`] | protected nicks |
//! | [`auth`], [`history_query`] | the ports that `store` implements and `net` uses |
//! | [`token`] | resume tokens, request ids, random numbers of a login |
//! | [`dedup`] | the ids of the last messages |
//! | [`confusables`] | names that look alike |
//! | [`clock`] | the time of messages |
//! | [`room_metrics`] | counters of the room |

pub mod accounts;
pub mod auth;
pub mod batch;
pub mod clock;
pub mod command;
mod commit;
pub mod confusables;
pub mod dedup;
pub mod effect;
pub mod history_query;
pub mod moderation;
pub mod registry;
pub mod room;
pub mod room_metrics;
pub mod state_change;
pub mod token;

/// Identifies a session while the server runs: its place in the table of its thread, and how often
/// the place was used before. The generation keeps late messages away from a later session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId {
    pub slot: u32,
    pub generation: u32,
}

impl SessionId {
    /// The lower bits of a slot are the place, the upper bits the thread.
    const PLACE_BITS: u32 = 24;

    /// Returns the id of a session, or `None` if its place has too many bits.
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

/// Identifies a channel while it exists. Keys are reused.
pub type ChannelKey = u32;

/// A map whose keys are internal numbers or folded names.
type Map<K, V> = std::collections::HashMap<K, V, HashSeed>;

#[cfg(not(test))]
type HashSeed = foldhash::quality::RandomState;

#[cfg(test)]
pub(crate) use hash_seed::HashSeed;

/// A hasher with a settable seed, which shows that the order of maps has no effect.
#[cfg(test)]
pub(crate) mod hash_seed {
    use std::cell::Cell;
    use std::hash::BuildHasher;

    use foldhash::quality::FixedState;

    thread_local! {
        static SEED: Cell<u64> = const { Cell::new(0) };
    }

    /// Sets the seed of the maps that this thread creates from now on.
    pub(crate) fn set(seed: u64) {
        SEED.set(seed);
    }

    #[derive(Debug, Clone)]
    pub(crate) struct HashSeed(FixedState);

    impl Default for HashSeed {
        fn default() -> Self {
            Self(FixedState::with_seed(SEED.get()))
        }
    }

    impl BuildHasher for HashSeed {
        type Hasher = <FixedState as BuildHasher>::Hasher;

        fn build_hasher(&self) -> Self::Hasher {
            self.0.build_hasher()
        }
    }
}

/// Counts iterations and expensive calculations, for tests of bounds without a clock.
#[cfg(test)]
pub(crate) mod work {
    use std::cell::Cell;

    thread_local! {
        static STEPS: Cell<usize> = const { Cell::new(0) };
    }

    pub(crate) fn step() {
        STEPS.with(|steps| steps.set(steps.get() + 1));
    }

    /// Returns the number of steps of `work`.
    pub(crate) fn steps_of(work: impl FnOnce()) -> usize {
        let before = STEPS.with(Cell::get);
        work();
        STEPS.with(Cell::get) - before
    }
}

#[cfg(test)]
mod tests;
