//! Maps a session to its user. Every request needs it, therefore it is a `Vec` per thread, which is
//! smaller than a hash map.

use super::types::UserKey;
use crate::chat::SessionId;

/// The users by thread and place of their session.
#[derive(Debug, Default)]
pub(super) struct SessionIndex {
    /// By thread, then by place.
    threads: Vec<Vec<SessionEntry>>,
}

#[derive(Debug, Clone, Copy)]
struct SessionEntry {
    generation: u32,
    user: u32,
}

/// Marks a free place.
const NO_USER: u32 = u32::MAX;

impl SessionIndex {
    pub(super) fn get(&self, session: SessionId) -> Option<UserKey> {
        let entry = self.threads.get(session.thread())?.get(session.place())?;
        (entry.user != NO_USER && entry.generation == session.generation)
            .then_some(entry.user as UserKey)
    }

    /// Adds a session that has no user yet.
    pub(super) fn insert(&mut self, session: SessionId, user: UserKey) {
        let (thread, place) = (session.thread(), session.place());
        if self.threads.len() <= thread {
            self.threads.resize_with(thread + 1, Vec::new);
        }
        let entries = &mut self.threads[thread];
        if entries.len() <= place {
            let empty = SessionEntry {
                generation: 0,
                user: NO_USER,
            };
            entries.resize(place + 1, empty);
        }
        entries[place] = SessionEntry {
            generation: session.generation,
            user: u32::try_from(user).expect("memory ends before 2^32 users"),
        };
    }

    pub(super) fn remove(&mut self, session: SessionId) -> Option<UserKey> {
        let user = self.get(session)?;
        self.threads[session.thread()][session.place()].user = NO_USER;
        Some(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_message_never_finds_a_later_session() {
        let at = |thread, place, generation| SessionId::new(thread, place, generation).unwrap();
        let mut entries = SessionIndex::default();
        entries.insert(at(1, 5, 1), 7);
        assert_eq!(entries.get(at(1, 5, 1)), Some(7));
        for other in [
            at(0, 5, 1),
            at(1, 4, 1),
            at(1, 6, 1),
            at(1, 5, 2),
            at(2, 0, 0),
        ] {
            assert_eq!((entries.get(other), entries.remove(other)), (None, None));
        }
        // The place is reused before the end of the old session arrives.
        entries.insert(at(1, 5, 2), 8);
        assert_eq!(entries.remove(at(1, 5, 1)), None);
        assert_eq!(entries.remove(at(1, 5, 2)), Some(8));
        assert_eq!(entries.get(at(1, 5, 2)), None);
    }
}
