//! The changes of persistent state that the current batch has caused.

use std::sync::Arc;

use super::channels::Channels;
use super::users::User;
use crate::chat::accounts::AccountId;
use crate::chat::kept::{Changes, Kept, KeptChange, Ruling};
use crate::chat::token::Digest;

/// Changes that wait for the room to close the batch, and how many there were.
#[derive(Debug, Default)]
pub(super) struct PendingChanges {
    changes: Changes,
    /// Changes whose announcement waits for persistence, since the start.
    count: u64,
}

impl PendingChanges {
    /// Persists a user who is online.
    pub(super) fn keep_user(&mut self, user: &User, channels: &Channels) {
        self.count += 1;
        let names = user.channels.iter();
        self.keep_detached(Kept {
            digest: user.token.digest(),
            nick: user.nick.clone(),
            account: user.account,
            channels: names.map(|&key| channels.name(key).clone()).collect(),
            since: user.since,
            former: user.former.clone(),
            until: None,
        });
    }

    /// Persists a session without a connection. No announcement waits for it.
    pub(super) fn keep_detached(&mut self, kept: Kept) {
        let digest = kept.digest;
        self.changes.token(digest, KeptChange::Keep(Box::new(kept)));
    }

    /// Ends a token, and lets the announcement wait.
    pub(super) fn end_token(&mut self, digest: Digest) {
        self.count += 1;
        self.forget(digest);
    }

    /// Ends a token. No announcement waits for it.
    pub(super) fn forget(&mut self, digest: Digest) {
        self.changes.token(digest, KeptChange::Forget(digest));
    }

    /// An account begins after the message `since`.
    pub(super) fn account_starts(&mut self, id: AccountId, since: u64) {
        self.count += 1;
        self.correct_account_start(id, since);
    }

    /// Sets where an account began. No announcement waits for it.
    pub(super) fn correct_account_start(&mut self, id: AccountId, since: u64) {
        self.changes.begins(id, since);
    }

    /// Adds a decision of an operator or a channel owner.
    pub(super) fn queue(&mut self, what: Ruling, change: KeptChange) {
        self.count += 1;
        self.changes.ruled(what, change);
    }

    /// The channel (folded) has no owner and no topic any more.
    pub(super) fn forget_channel(&mut self, folded: Arc<str>) {
        let change = KeptChange::Unchartered(folded.clone());
        self.queue(Ruling::Charter(folded), change);
    }

    /// The sanction of that number has ended.
    pub(super) fn forget_sanction(&mut self, number: u64) {
        self.queue(Ruling::Sanction(number), KeptChange::Lifted(number));
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    pub(super) fn take(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Puts changes back that [`PendingChanges::take`] returned.
    pub(super) fn restore(&mut self, changes: Changes) {
        self.changes = changes;
    }
}
