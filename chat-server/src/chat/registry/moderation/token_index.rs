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
        let token = *self.by_digest.entry(digest).or_insert_with(|| {
            self.all.insert(TokenEntry {
                numbers: BTreeSet::new(),
                user: None,
            })
        });
        self.all[token].numbers.insert(number);
        token
    }

    /// Removes a sanction that follows a token, and returns the place of the token.
    pub(in crate::chat::registry) fn remove(
        &mut self,
        digest: Digest,
        number: u64,
    ) -> Option<TokenKey> {
        let key = *self.by_digest.get(&digest)?;
        let token = &mut self.all[key];
        token.numbers.remove(&number);
        if token.numbers.is_empty() {
            if let Some(user) = token.user {
                self.here.remove(&user);
            }
            self.all.remove(key);
            self.by_digest.remove(&digest);
        }
        Some(key)
    }

    /// Notes that the user of a token is online.
    pub(in crate::chat::registry) fn set_online(&mut self, token: TokenKey, user: UserKey) {
        self.all[token].user = Some(user);
        self.here.insert(user, token);
    }

    /// Notes that a user is offline.
    pub(in crate::chat::registry) fn set_offline(&mut self, user: UserKey) {
        if let Some(token) = self.here.remove(&user) {
            self.all[token].user = None;
        }
    }

    /// Returns the token of an online user, if a sanction follows it.
    pub(in crate::chat::registry) fn of(&self, user: UserKey) -> Option<TokenKey> {
        self.here.get(&user).copied()
    }

    /// Replaces the token `before` by `now`, and returns the numbers of the sanctions.
    pub(in crate::chat::registry) fn replace(
        &mut self,
        before: Digest,
        now: Digest,
    ) -> impl Iterator<Item = &u64> {
        let token = self.by_digest.remove(&before);
        if let Some(token) = token {
            self.by_digest.insert(now, token);
        }
        let numbers = token.map(|token| &self.all[token].numbers);
        numbers.into_iter().flatten()
    }
}
