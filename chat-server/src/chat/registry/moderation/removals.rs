//! Disconnects many users in portions, so that the room stays responsive.
//!
//! A user who waits for removal causes no other effect: a request, the end of the connection and a
//! `hello` with the nick disconnect the user first.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::Nick;

use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::registry::Registry;
use crate::chat::registry::types::{Departure, UserKey};

/// The size of a portion.
pub(in crate::chat::registry) const DISCONNECTED_AT_ONCE: usize = 8;

/// The users who wait for removal.
pub(in crate::chat::registry) type PendingRemovals = BTreeMap<SessionId, Arc<Removal>>;

/// The cause of a removal.
#[derive(Debug)]
pub(in crate::chat::registry) struct Removal {
    refusal: Refusal,
    reason: Arc<str>,
    by: Option<Arc<str>>,
    notify: Option<SessionId>,
}

impl Registry {
    /// Ends the sessions and tokens of users: the first portion now, the others later.
    pub(in crate::chat::registry) fn disconnect_all(
        &mut self,
        users: &[UserKey],
        refusal: Refusal,
        departure: Departure<'_>,
        out: &mut Batch,
    ) {
        let removal = Arc::new(Removal {
            refusal,
            reason: departure.reason.into(),
            by: departure.by.map(Into::into),
            notify: departure.notify,
        });
        let (now, later) = users.split_at(users.len().min(DISCONNECTED_AT_ONCE));
        for &user in now {
            self.moderation.removals.remove(&self.users[user].session);
            self.disconnect_for(user, &removal, out);
        }
        for &user in later {
            let session = self.users[user].session;
            self.moderation
                .removals
                .entry(session)
                .or_insert_with(|| removal.clone());
        }
    }

    /// Returns whether users wait for removal.
    pub fn has_pending_removals(&self) -> bool {
        !self.moderation.removals.is_empty()
    }

    /// Disconnects the next portion.
    pub fn disconnect_some(&mut self, out: &mut Batch) {
        for _ in 0..DISCONNECTED_AT_ONCE {
            let Some((session, removal)) = self.moderation.removals.pop_first() else {
                return;
            };
            if let Some(user) = self.users.at(session) {
                self.disconnect_for(user, &removal, out);
            }
        }
    }

    /// Disconnects the user of a session who waits for removal. Returns whether there was one.
    pub(in crate::chat::registry) fn disconnect_pending(
        &mut self,
        session: SessionId,
        out: &mut Batch,
    ) -> bool {
        let removal = self.moderation.removals.remove(&session);
        let user = self.users.at(session);
        let both = removal.zip(user);
        both.map(|(removal, user)| self.disconnect_for(user, &removal, out))
            .is_some()
    }

    /// Disconnects the user of a nick who waits for removal.
    pub(in crate::chat::registry) fn disconnect_pending_holder(
        &mut self,
        nick: Option<&Nick>,
        out: &mut Batch,
    ) {
        if self.has_pending_removals()
            && let Some(nick) = nick
            && let Some(user) = self.users.find(nick.folded())
        {
            self.disconnect_pending(self.users[user].session, out);
        }
    }

    fn disconnect_for(&mut self, user: UserKey, removal: &Removal, out: &mut Batch) {
        let departure = Departure {
            reason: &removal.reason,
            by: removal.by.as_deref(),
            notify: removal.notify,
        };
        self.disconnect_user(user, removal.refusal.clone(), departure, out);
    }
}
