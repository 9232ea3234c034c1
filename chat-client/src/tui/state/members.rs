//! The members of a channel.

use std::collections::BTreeMap;
use std::sync::Arc;

use chat_proto::name::fold;

/// Those of a crowd who are known by name, and the longest name in bytes; the others are counted.
const MAX_KNOWN: usize = 2000;
const MAX_NAME_BYTES: usize = 256;

/// Who is in a channel.
#[derive(Debug, Default)]
pub struct MemberList {
    by_folded: BTreeMap<String, Arc<str>>,
    /// Those who are not known by name.
    pub others: usize,
}

impl MemberList {
    /// Those who are known by name, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.by_folded.values()
    }

    /// How many there are.
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
