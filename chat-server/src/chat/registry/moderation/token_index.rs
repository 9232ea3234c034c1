//! The tokens that sanctions follow, under any nick.

use std::collections::BTreeSet;

use slab::Slab;

use crate::chat::Map;
use crate::chat::registry::types::UserKey;
use crate::chat::token::Digest;

/// The place of a token in the index.
pub(in crate::chat::registry) type TokenKey = usize;

/// An index of tokens. An online user is found by key, because the digest of a token is expensive.
#[derive(Debug, Default)]
pub(in crate::chat::registry) struct TokenIndex {
    all: Slab<TokenEntry>,
    pub(in crate::chat::registry) by_digest: Map<Digest, TokenKey>,
    here: Map<UserKey, TokenKey>,
}

#[derive(Debug)]
struct TokenEntry {
    /// The numbers of the sanctions.
    numbers: BTreeSet<u64>,
    user: Option<UserKey>,
}

impl TokenIndex {
    /// Adds a sanction that follows a token.
    pub(in crate::chat::registry) fn insert(&mut self, digest: Digest, number: u64) -> TokenKey {
        let holder = *self.by_digest.entry(digest).or_insert_with(|| {
            self.all.insert(TokenEntry {
                numbers: BTreeSet::new(),
                user: None,
            })
        });
        self.all[holder].numbers.insert(number);
        holder
    }

    /// Removes a sanction that follows a token, and returns the place of the token.
    pub(in crate::chat::registry) fn remove(
        &mut self,
        digest: Digest,
        number: u64,
    ) -> Option<TokenKey> {
        let key = *self.by_digest.get(&digest)?;
        let holder = &mut self.all[key];
        holder.numbers.remove(&number);
        if holder.numbers.is_empty() {
            if let Some(user) = holder.user {
                self.here.remove(&user);
            }
            self.all.remove(key);
            self.by_digest.remove(&digest);
        }
        Some(key)
    }

    /// Notes that the user of a token is online.
    pub(in crate::chat::registry) fn is_here(&mut self, holder: TokenKey, user: UserKey) {
        self.all[holder].user = Some(user);
        self.here.insert(user, holder);
    }

    /// Notes that a user is offline.
    pub(in crate::chat::registry) fn has_gone(&mut self, user: UserKey) {
        if let Some(holder) = self.here.remove(&user) {
            self.all[holder].user = None;
        }
    }

    /// Returns the token of an online user, if a sanction follows it.
    pub(in crate::chat::registry) fn of(&self, user: UserKey) -> Option<TokenKey> {
        self.here.get(&user).copied()
    }

    /// Replaces the token `before` by `now`, and returns the numbers of the sanctions.
    pub(in crate::chat::registry) fn follow(
        &mut self,
        before: Digest,
        now: Digest,
    ) -> impl Iterator<Item = &u64> {
        let holder = self.by_digest.remove(&before);
        if let Some(holder) = holder {
            self.by_digest.insert(now, holder);
        }
        let numbers = holder.map(|holder| &self.all[holder].numbers);
        numbers.into_iter().flatten()
    }
}
