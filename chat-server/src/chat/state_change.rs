//! Who may come back, and what operators and founders have decided, as it outlives the process: the room
//! says what has changed, and is told at the start what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::{Channel, Nick, Timestamp};

use super::accounts::AccountId;
use super::effect::NickTenure;
use super::moderation::{ChannelRecord, Sanction};
use super::token::Digest;

/// Somebody who is here, or has gone and may come back, by the token's digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResumableSession {
    pub digest: Digest,
    pub nick: Nick,
    /// Which account they have proven to be.
    pub account: Option<AccountId>,
    /// Beside the lobby.
    pub channels: Vec<Channel>,
    /// The last message before the nick was theirs.
    pub since: u64,
    /// The nicks before.
    pub former: Vec<NickTenure>,
    /// When the token ends. Unknown while the user is here, and at a start if the user was here before.
    pub until: Option<Timestamp>,
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StateChange {
    /// This is how it is now.
    SessionSaved(Box<ResumableSession>),
    /// The token is worth nothing any more.
    SessionRemoved(Digest),
    /// The account begins only now: what was said to its nick before was said to somebody else.
    AccountSince { account: AccountId, since: u64 },
    /// A ban or a mute holds.
    SanctionSaved(Arc<Sanction>),
    /// The one of that number does no longer.
    SanctionRemoved(u64),
    /// A channel has a founder and a topic.
    ChannelSaved(Box<ChannelRecord>),
    /// The channel (folded) has none any more.
    ChannelRemoved(Arc<str>),
}

/// Changes that may wait.
const WAITING_MAX: usize = 1_000_000;

/// The subject of a decision; the last decision counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKey {
    /// A ban or a mute, by its number.
    Sanction(u64),
    /// A channel, by its folded name.
    Channel(Arc<str>),
}

/// Changes that are to outlive the process: the last change of each token, account and ruling.
///
/// A batch carries the changes that its requests have caused. They are written only when all numbers
/// in them are those of recorded messages: the database never knows more than the history. The maps
/// are sorted, so that equal requests write equal changes.
#[derive(Debug, Default)]
pub struct Changes {
    tokens: BTreeMap<Digest, StateChange>,
    beginnings: BTreeMap<AccountId, u64>,
    rulings: BTreeMap<ChangeKey, StateChange>,
}

impl Changes {
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.beginnings.is_empty() && self.rulings.is_empty()
    }

    /// Adds a change of a token.
    pub(super) fn token(&mut self, digest: Digest, change: StateChange) {
        insert(&mut self.tokens, digest, change);
    }

    /// Adds where an account begins.
    pub(super) fn begins(&mut self, account: AccountId, since: u64) {
        insert(&mut self.beginnings, account, since);
    }

    /// Adds a change of what was decided.
    pub(super) fn ruled(&mut self, what: ChangeKey, change: StateChange) {
        insert(&mut self.rulings, what, change);
    }

    /// Adds changes that have happened since.
    pub(super) fn merge(&mut self, later: Self) {
        let Self {
            tokens,
            beginnings,
            rulings,
        } = later;
        for (digest, change) in tokens {
            self.token(digest, change);
        }
        for (account, since) in beginnings {
            self.begins(account, since);
        }
        for (what, change) in rulings {
            self.ruled(what, change);
        }
    }

    /// Returns the highest number of a message in them.
    pub(super) fn newest(&self) -> u64 {
        let tenures = self.tenures().map(ResumableSession::newest);
        tenures
            .chain(self.beginnings.values().copied())
            .max()
            .unwrap_or(0)
    }

    /// Nothing behind the message `last` has been recorded.
    pub(super) fn rewind(&mut self, last: u64) {
        for change in self.tokens.values_mut() {
            if let StateChange::SessionSaved(kept) = change {
                rewind(&mut kept.since, &mut kept.former, last);
            }
        }
        for since in self.beginnings.values_mut() {
            *since = last.min(*since);
        }
    }

    /// Returns the users who may come back.
    pub(super) fn tenures(&self) -> impl Iterator<Item = &ResumableSession> {
        self.tokens.values().filter_map(|change| match change {
            StateChange::SessionSaved(kept) => Some(&**kept),
            _ => None,
        })
    }

    /// Returns the accounts that begin anew.
    pub(super) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.beginnings.keys().copied()
    }

    /// Returns them in the order in which they are written.
    pub fn into_vec(self) -> Vec<StateChange> {
        let beginnings = self.beginnings.into_iter();
        beginnings
            .map(|(account, since)| StateChange::AccountSince { account, since })
            .chain(self.tokens.into_values())
            .chain(self.rulings.into_values())
            .collect()
    }
}

impl ResumableSession {
    /// Ends all tenures with the message `upto`, as it is not known who held the nicks behind it. The
    /// present one continues behind `last`.
    pub(super) fn interrupt(&mut self, upto: u64, last: u64) {
        self.former.push(NickTenure {
            nick: self.nick.folded().into(),
            since: self.since,
            until: last,
        });
        rewind(&mut self.since, &mut self.former, upto);
        self.former.retain(|held| held.since < held.until);
        self.since = last;
    }

    /// Returns the highest number in it.
    pub(super) fn newest(&self) -> u64 {
        let former = self.former.iter().flat_map(|held| [held.since, held.until]);
        former.fold(self.since, u64::max)
    }
}

/// Sets back the numbers of a user's tenures: nothing behind the message `last` has been recorded.
pub(super) fn rewind(since: &mut u64, former: &mut [NickTenure], last: u64) {
    *since = last.min(*since);
    for held in former {
        held.since = last.min(held.since);
        held.until = last.min(held.until);
    }
}

fn insert<K: Ord, V>(changes: &mut BTreeMap<K, V>, key: K, change: V) {
    if changes.len() >= WAITING_MAX && !changes.contains_key(&key) {
        log::error!("cannot keep a change for a restart: {WAITING_MAX} changes wait already");
        return;
    }
    changes.insert(key, change);
}
