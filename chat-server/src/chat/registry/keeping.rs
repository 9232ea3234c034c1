//! What is to outlive the process: who may come back, with what.
//!
//! Changes are gathered by token, the last one counts, and whoever keeps them takes them when it can. So
//! what waits here is bounded by the people, and beyond [`WAITING_MAX`] (a disk that takes nothing, and
//! people who come and go) a change is lost, and said to be.

use std::sync::Arc;

use chat_proto::Timestamp;

use super::Registry;
use super::user::{Absent, UserKey};
use crate::chat::command::Digest;
use crate::chat::kept::{Kept, KeptChange};

/// Changes that may wait.
const WAITING_MAX: usize = 1_000_000;

/// What something was decided about; the last decision counts.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Ruling {
    /// A ban or a mute, by its number.
    Sanction(u64),
    /// A channel, by its folded name.
    Charter(Arc<str>),
}

impl Registry {
    /// Somebody who was here, or was kept in mind, before the server was started at `now`. Called before
    /// anything else happens, who can come back longest last.
    pub fn restore(&mut self, kept: Kept, now: Timestamp) {
        let Kept {
            digest,
            nick,
            account,
            channels,
            since,
            former,
            until,
        } = kept;
        let longest = self.until(now);
        let absent = Absent {
            digest,
            nick,
            channels,
            since: since.min(self.last_seq),
            former,
            account,
        };
        let until = until.map_or(longest, |until| until.min(longest));
        self.let_go(absent, until);
    }

    /// When somebody who goes at `now` can come back no longer.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        let window = i64::try_from(self.settings.resume_window.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(now.as_millis().saturating_add(window))
    }

    /// Keeps somebody in mind who has gone; whoever has no room any more is forgotten.
    pub(super) fn let_go(&mut self, absent: Absent, until: Timestamp) {
        let forgotten = self.absent.add(absent, until, self.settings.absent_max);
        for digest in forgotten {
            self.forget(digest);
        }
    }

    /// Who has left the nick behind comes back, or loses it.
    pub(super) fn take_absent(&mut self, nick: &str) -> Option<Absent> {
        self.expire();
        self.absent.take(nick)
    }

    /// Forgets whose time is over.
    pub(super) fn expire(&mut self) {
        for digest in self.absent.expire(self.now) {
            self.forget(digest);
        }
    }

    /// Somebody who is here has changed in a way that is to outlive the process.
    pub(super) fn keep(&mut self, user: UserKey) {
        self.lasting += 1;
        let user = &self.users[user];
        let channels = user.channels.iter();
        let kept = Kept {
            digest: user.token.digest(),
            nick: user.nick.clone(),
            account: user.account,
            channels: channels
                .map(|&room| self.rooms[room as usize].channel.clone())
                .collect(),
            since: user.since,
            former: user.former.clone(),
            until: None,
        };
        self.changed(kept.digest, KeptChange::Keep(Box::new(kept)));
    }

    /// The same of somebody who goes for good, and is told so.
    pub(super) fn end_token(&mut self, digest: Digest) {
        self.lasting += 1;
        self.forget(digest);
    }

    /// The same of somebody who goes.
    pub(super) fn keep_absent(&mut self, kept: Kept) {
        self.changed(kept.digest, KeptChange::Keep(Box::new(kept)));
    }

    pub(super) fn forget(&mut self, digest: Digest) {
        self.changed(digest, KeptChange::Forget(digest));
    }

    fn changed(&mut self, digest: Digest, change: KeptChange) {
        if self.changes.len() >= WAITING_MAX && !self.changes.contains_key(&digest) {
            log::error!("who may come back cannot be kept: {WAITING_MAX} changes wait already");
            return;
        }
        self.changes.insert(digest, change);
    }

    /// Something was decided that is to outlive the process.
    pub(super) fn ruled(&mut self, what: Ruling, change: KeptChange) {
        self.lasting += 1;
        if self.rulings.len() >= WAITING_MAX && !self.rulings.contains_key(&what) {
            log::error!("what is decided cannot be kept: {WAITING_MAX} changes wait already");
            return;
        }
        self.rulings.insert(what, change);
    }

    /// The changes since the last time.
    pub fn take_changes(&mut self) -> Vec<KeptChange> {
        let mut taken = std::mem::take(&mut self.beginnings);
        taken.extend(std::mem::take(&mut self.changes).into_values());
        taken.extend(std::mem::take(&mut self.rulings).into_values());
        taken
    }

    /// How often something has changed so far that people are told, which is worth most once it is kept.
    pub fn lasting(&self) -> u64 {
        self.lasting
    }
}
