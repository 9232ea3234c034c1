//! Putting out many users at once: some at a time, so that the room stops for none of them.
//!
//! A user who is still to be put out has no other effect: any request of the user, the end of the
//! connection and a hello under the nick put the user out first.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::Nick;

use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::registry::Registry;
use crate::chat::registry::types::{Departure, UserKey};

/// Users who are put out at once.
pub(in crate::chat::registry) const DISCONNECTED_AT_ONCE: usize = 8;

/// Those who are still to be put out.
pub(in crate::chat::registry) type PendingRemovals = BTreeMap<SessionId, Arc<Removal>>;

/// Why many users are put out.
#[derive(Debug)]
pub(in crate::chat::registry) struct Removal {
    refusal: Refusal,
    reason: Arc<str>,
    by: Option<Arc<str>>,
    notify: Option<SessionId>,
}

impl Registry {
    /// Ends the connections and the tokens of users, of many of them later.
    pub(in crate::chat::registry) fn disconnect_all(
        &mut self,
        users: &[UserKey],
        refusal: Refusal,
        parting: Departure<'_>,
        out: &mut Batch,
    ) {
        let doom = Arc::new(Removal {
            refusal,
            reason: parting.reason.into(),
            by: parting.by.map(Into::into),
            notify: parting.notify,
        });
        let (now, later) = users.split_at(users.len().min(DISCONNECTED_AT_ONCE));
        for &user in now {
            self.moderation.removals.remove(&self.users[user].session);
            self.disconnect_for(user, &doom, out);
        }
        for &user in later {
            let session = self.users[user].session;
            self.moderation
                .removals
                .entry(session)
                .or_insert_with(|| doom.clone());
        }
    }

    /// Whether users are still to be put out.
    pub fn has_pending_removals(&self) -> bool {
        !self.moderation.removals.is_empty()
    }

    /// Puts out some of those who are still to be put out.
    pub fn disconnect_some(&mut self, out: &mut Batch) {
        for _ in 0..DISCONNECTED_AT_ONCE {
            let Some((session, doom)) = self.moderation.removals.pop_first() else {
                return;
            };
            if let Some(user) = self.users.at(session) {
                self.disconnect_for(user, &doom, out);
            }
        }
    }

    /// Puts out the user at a session, if the user is still to be put out. Returns whether it was so.
    pub(in crate::chat::registry) fn disconnect_pending(
        &mut self,
        session: SessionId,
        out: &mut Batch,
    ) -> bool {
        let doom = self.moderation.removals.remove(&session);
        let user = self.users.at(session);
        let both = doom.zip(user);
        both.map(|(doom, user)| self.disconnect_for(user, &doom, out))
            .is_some()
    }

    /// Puts out the user who has a nick, if the user is still to be put out.
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

    fn disconnect_for(&mut self, user: UserKey, doom: &Removal, out: &mut Batch) {
        let parting = Departure {
            reason: &doom.reason,
            by: doom.by.as_deref(),
            notify: doom.notify,
        };
        self.disconnect_user(user, doom.refusal.clone(), parting, out);
    }
}
