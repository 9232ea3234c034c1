//! The members of a channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::name::fold;

/// The most members kept by name, and the longest name in bytes; others are counted.
const MAX_KNOWN: usize = 2000;
const MAX_NAME_BYTES: usize = 256;

/// The members of a channel.
#[derive(Debug, Default)]
pub struct MemberList {
    by_folded: BTreeMap<String, Arc<str>>,
    /// The members that are not kept by name.
    pub others: usize,
}

impl MemberList {
    /// Returns the members kept by name, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_folded.values()
    }

    /// Returns the number of members.
    pub fn count(&self) -> usize {
        self.by_folded.len() + self.others
    }

    pub(super) fn has(&self, nick: &str) -> bool {
        self.by_folded.contains_key(&*fold(nick))
    }

    pub(super) fn add(&mut self, nick: &str) {
        if nick.len() > MAX_NAME_BYTES || self.by_folded.len() >= MAX_KNOWN && !self.has(nick) {
            self.others = self.others.saturating_add(1);
            return;
        }
        self.by_folded.insert(fold(nick).into_owned(), nick.into());
    }

    pub(super) fn remove(&mut self, nick: &str) {
        if self.by_folded.remove(&*fold(nick)).is_none() {
            self.others = self.others.saturating_sub(1);
        }
    }
}
