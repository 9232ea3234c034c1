//! The changes of persistent state that the current batch has caused.

use std::sync::Arc;

use super::Registry;
use super::channels::Channels;
use super::types::UserKey;
use super::users::User;
use crate::chat::accounts::AccountId;
use crate::chat::batch::Batch;
use crate::chat::state_change::{ChangeKey, Changes, ResumableSession, StateChange, rewind};
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
    pub(super) fn save_user(&mut self, user: &User, channels: &Channels) {
        self.count += 1;
        let names = user.channels.iter();
        self.save_session(ResumableSession {
            digest: user.token.digest(),
            nick: user.nick.clone(),
            account: user.account,
            channels: names.map(|&key| channels.name(key).clone()).collect(),
            since: user.since,
            previous_nicks: user.previous_nicks.clone(),
            until: None,
        });
    }

    /// Persists a session without a connection. No announcement waits for it.
    pub(super) fn save_session(&mut self, session: ResumableSession) {
        let digest = session.digest;
        self.changes
            .set_session(digest, StateChange::SessionSaved(Box::new(session)));
    }

    /// Ends a token, and lets the announcement wait.
    pub(super) fn end_token(&mut self, digest: Digest) {
        self.count += 1;
        self.forget(digest);
    }

    /// Ends a token. No announcement waits for it.
    pub(super) fn forget(&mut self, digest: Digest) {
        self.changes
            .set_session(digest, StateChange::SessionRemoved(digest));
    }

    /// An account begins after the message `since`.
    pub(super) fn account_starts(&mut self, id: AccountId, since: u64) {
        self.count += 1;
        self.correct_account_start(id, since);
    }

    /// Sets where an account began. No announcement waits for it.
    pub(super) fn correct_account_start(&mut self, id: AccountId, since: u64) {
        self.changes.set_account_start(id, since);
    }

    /// Adds a decision of an operator or a channel owner.
    pub(super) fn queue(&mut self, key: ChangeKey, change: StateChange) {
        self.count += 1;
        self.changes.set_decision(key, change);
    }

    /// The channel (folded) has no owner and no topic any more.
    pub(super) fn forget_channel(&mut self, folded: Arc<str>) {
        let change = StateChange::ChannelRemoved(folded.clone());
        self.queue(ChangeKey::Channel(folded), change);
    }

    /// The sanction of that number has ended.
    pub(super) fn forget_sanction(&mut self, number: u64) {
        self.queue(
            ChangeKey::Sanction(number),
            StateChange::SanctionRemoved(number),
        );
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

impl Registry {
    /// Persists a user who is online, after a change.
    pub(super) fn save_user(&mut self, user: UserKey) {
        self.changes.save_user(&self.users[user], &self.channels);
    }

    /// Sets whether persistent state cannot be written, which rejects moderation.
    pub fn set_read_only(&mut self, read_only: bool) {
        self.is_read_only = read_only;
    }

    /// Returns the changes since the last call.
    pub fn take_changes(&mut self) -> Changes {
        self.changes.take()
    }

    /// Returns whether there are changes since the last [`Registry::take_changes`].
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    /// Frees the number `seq` and all later ones, because the messages of `batches` could not be
    /// recorded. The other effects of the batches remain, and every stored number is set back to
    /// that of the last recorded message.
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

    /// Sets back the numbers in `changes`, and in the users and accounts that they describe. No
    /// other place has a number that is not recorded, because each comes with such a change.
    fn set_back(&mut self, changes: &mut Changes) {
        let last = self.last_seq;
        changes.rewind(last);
        for session in changes.sessions() {
            let nick = session.nick.folded();
            self.users.rewind(nick, last);
            if let Some(detached) = self.resume_pool.get_mut(nick) {
                rewind(&mut detached.since, &mut detached.previous_nicks, last);
            }
        }
        for id in changes.accounts() {
            self.accounts.rewind(id, last);
        }
    }

    /// Returns the number of state changes whose announcement waits for persistence, since the
    /// start.
    pub fn change_count(&self) -> u64 {
        self.changes.count()
    }
}
