//! Persistent state beside the history: resumable sessions, accounts, sanctions and channels. The
//! room sends changes to the writer, and receives the state at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::{Channel, Nick, Timestamp};

use super::accounts::AccountId;
use super::effect::NickTenure;
use super::moderation::{ChannelRecord, Sanction};
use super::token::Digest;

/// A session that can be resumed, by the digest of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumableSession {
    pub digest: Digest,
    pub nick: Nick,
    /// The account that the user has authenticated as.
    pub account: Option<AccountId>,
    /// The channels besides the lobby.
    pub channels: Vec<Channel>,
    /// The last message before the user took the nick.
    pub since: u64,
    /// The nicks before.
    pub previous_nicks: Vec<NickTenure>,
    /// When the token ends. Unknown while the user is online, and at a start if the user was online
    /// before.
    pub until: Option<Timestamp>,
}

/// A change of persistent state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// A session has this state.
    SessionSaved(Box<ResumableSession>),
    /// A token has ended.
    SessionRemoved(Digest),
    /// The account begins after this message. Earlier direct messages of its nick belong to other
    /// users.
    AccountSince { account: AccountId, since: u64 },
    /// A sanction is active.
    SanctionSaved(Arc<Sanction>),
    /// The sanction of that number has ended.
    SanctionRemoved(u64),
    /// A channel has this owner and topic.
    ChannelSaved(Box<ChannelRecord>),
    /// The channel (folded) has no owner and no topic any more.
    ChannelRemoved(Arc<str>),
}

/// The maximum number of pending changes.
const PENDING_MAX: usize = 1_000_000;

/// The subject of a decision, of which the last decision counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKey {
    /// A ban or a mute, by its number.
    Sanction(u64),
    /// A channel, by its folded name.
    Channel(Arc<str>),
}

/// Changes that must be persisted: the last one of each token, account, sanction and channel.
///
/// A batch carries the changes that its requests have caused. They are written only after all
/// messages whose numbers they contain, so that the database never refers to a message that the
/// history lacks. The maps are sorted: equal requests write equal changes.
#[derive(Debug, Default)]
pub struct Changes {
    sessions: BTreeMap<Digest, StateChange>,
    account_starts: BTreeMap<AccountId, u64>,
    decisions: BTreeMap<ChangeKey, StateChange>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty() && self.account_starts.is_empty() && self.decisions.is_empty()
    }

    /// Adds a change of a token.
    pub(super) fn set_session(&mut self, digest: Digest, change: StateChange) {
        insert(&mut self.sessions, digest, change);
    }

    /// Adds the beginning of an account.
    pub(super) fn set_account_start(&mut self, account: AccountId, since: u64) {
        insert(&mut self.account_starts, account, since);
    }

    /// Adds a decision.
    pub(super) fn set_decision(&mut self, key: ChangeKey, change: StateChange) {
        insert(&mut self.decisions, key, change);
    }

    /// Adds later changes.
    pub(super) fn merge(&mut self, later: Self) {
        let Self {
            sessions,
            account_starts,
            decisions,
        } = later;
        for (digest, change) in sessions {
            self.set_session(digest, change);
        }
        for (account, since) in account_starts {
            self.set_account_start(account, since);
        }
        for (key, change) in decisions {
            self.set_decision(key, change);
        }
    }

    /// Returns the highest message number in the changes.
    pub(super) fn newest(&self) -> u64 {
        let sessions = self.sessions().map(ResumableSession::newest);
        sessions
            .chain(self.account_starts.values().copied())
            .max()
            .unwrap_or(0)
    }

    /// Sets back the numbers: no message after `last` is recorded.
    pub(super) fn rewind(&mut self, last: u64) {
        for change in self.sessions.values_mut() {
            if let StateChange::SessionSaved(session) = change {
                rewind(&mut session.since, &mut session.previous_nicks, last);
            }
        }
        for since in self.account_starts.values_mut() {
            *since = last.min(*since);
        }
    }

    /// Returns the saved sessions.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &ResumableSession> {
        self.sessions.values().filter_map(|change| match change {
            StateChange::SessionSaved(session) => Some(&**session),
            _ => None,
        })
    }

    /// Returns the accounts whose beginning has changed.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.account_starts.keys().copied()
    }

    /// Returns the changes in the order in which they are written.
    pub fn into_vec(self) -> Vec<StateChange> {
        let account_starts = self.account_starts.into_iter();
        account_starts
            .map(|(account, since)| StateChange::AccountSince { account, since })
            .chain(self.sessions.into_values())
            .chain(self.decisions.into_values())
            .collect()
    }
}

impl ResumableSession {
    /// Ends all tenures with the message `upto`, as it is not known who held the nicks behind it. The
    /// present one continues behind `last`.
    pub(super) fn interrupt(&mut self, upto: u64, last: u64) {
        self.previous_nicks.push(NickTenure {
            nick: self.nick.folded().into(),
            since: self.since,
            until: last,
        });
        rewind(&mut self.since, &mut self.previous_nicks, upto);
        self.previous_nicks.retain(|held| held.since < held.until);
        self.since = last;
    }

    /// Returns the highest message number in it.
    pub(super) fn newest(&self) -> u64 {
        let previous_nicks = self
            .previous_nicks
            .iter()
            .flat_map(|held| [held.since, held.until]);
        previous_nicks.fold(self.since, u64::max)
    }
}

/// Sets back the numbers of a user's tenures: no message after `last` is recorded.
pub(super) fn rewind(since: &mut u64, previous_nicks: &mut [NickTenure], last: u64) {
    *since = last.min(*since);
    for held in previous_nicks {
        held.since = last.min(held.since);
        held.until = last.min(held.until);
    }
}

fn insert<K: Ord, V>(changes: &mut BTreeMap<K, V>, key: K, change: V) {
    if changes.len() >= PENDING_MAX && !changes.contains_key(&key) {
        log::error!("cannot persist a change: {PENDING_MAX} changes are pending");
        return;
    }
    changes.insert(key, change);
}
