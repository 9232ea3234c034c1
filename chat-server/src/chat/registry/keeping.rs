//! What is to outlive the process: who may come back, with what.
//!
//! Changes are gathered here until the room closes the batch that they belong to ([`Changes`]).

use chat_proto::Timestamp;

use super::Registry;
use super::absence::Absent;
use super::types::UserKey;
use crate::chat::batch::Batch;
use crate::chat::kept::{Changes, Kept, rewind};

impl Registry {
    /// Takes a user who was here when the server ended, or could come back, before it was started at
    /// `now`. Called before anything else happens, those that can come back longest last.
    pub fn restore(&mut self, mut kept: Kept, now: Timestamp) {
        // What was said to the nick until the end was said to this user, not to the nick's owner.
        if kept.until.is_none() {
            self.was_held(kept.nick.folded(), kept.account);
        }
        let longest = self.until(now);
        let until = kept.until.map_or(longest, |until| until.min(longest));
        if kept.newest() > self.last_seq {
            rewind(&mut kept.since, &mut kept.former, self.last_seq);
            kept.until = Some(until);
            self.changes.keep_detached(kept.clone());
        }
        let Kept {
            digest,
            nick,
            account,
            channels,
            since,
            former,
            ..
        } = kept;
        let absent = Absent {
            digest,
            nick,
            channels,
            since,
            former,
            account,
            arrived: Timestamp::from_millis(0),
            origin: None,
        };
        let left = until.as_millis().saturating_sub(self.window());
        self.let_go(absent, Timestamp::from_millis(left));
    }

    /// When somebody who goes at `now` can come back no longer.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add(self.window()))
    }

    /// The resume window in milliseconds.
    fn window(&self) -> i64 {
        i64::try_from(self.settings.resume_window.as_millis()).unwrap_or(i64::MAX)
    }

    /// Remembers a user who went at `left`, and forgets one where there is no room.
    pub(super) fn let_go(&mut self, absent: Absent, left: Timestamp) {
        let forgotten = self.absent.add(absent, left, self.settings.absent_max);
        for digest in forgotten {
            self.changes.forget(digest);
        }
    }

    /// Who has left the nick behind comes back, or loses it.
    pub(super) fn take_absent(&mut self, nick: &str) -> Option<Absent> {
        self.expire();
        self.absent.take(nick)
    }

    /// Forgets whose time is over.
    pub(super) fn expire(&mut self) {
        let window = self.settings.resume_window;
        for digest in self.absent.expire(self.now, window) {
            self.changes.forget(digest);
        }
    }

    /// Persists a user who is online, after a change.
    pub(super) fn keep(&mut self, user: UserKey) {
        self.changes.keep_user(&self.users[user], &self.channels);
    }

    /// Sets whether what is decided from now on cannot be kept and is refused.
    pub fn set_unkept(&mut self, unkept: bool) {
        self.is_read_only = unkept;
    }

    /// Returns the changes since the last time.
    pub fn take_changes(&mut self) -> Changes {
        self.changes.take()
    }

    /// Whether something has changed since the last time.
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Takes back the number `seq` and all behind it: the messages of `batches` could not be recorded. The
    /// other requests of these batches have happened, and each number that they have stored becomes that
    /// of the last recorded message.
    pub fn rewind<'a>(&mut self, seq: u64, batches: impl IntoIterator<Item = &'a mut Batch>) {
        self.last_seq = seq - 1;
        self.message_ids.forget_from(seq);
        let mut own = self.take_changes();
        for batch in batches {
            batch.fail(seq);
            self.set_back(&mut batch.changes);
        }
        self.set_back(&mut own);
        self.changes.restore(own);
    }

    /// Sets back the numbers of `changes`, and those of the users and accounts that they are about. A
    /// number that is not recorded stands nowhere else: each is put there by such a change.
    fn set_back(&mut self, changes: &mut Changes) {
        let last = self.last_seq;
        changes.rewind(last);
        for kept in changes.tenures() {
            let nick = kept.nick.folded();
            self.users.rewind(nick, last);
            if let Some(absent) = self.absent.get_mut(nick) {
                rewind(&mut absent.since, &mut absent.former, last);
            }
        }
        for id in changes.accounts() {
            self.accounts.rewind(id, last);
        }
    }

    /// How often something has changed so far that people are told, which is worth most once it is kept.
    pub fn lasting(&self) -> u64 {
        self.changes.count()
    }
}
