//! The accounts that protect nicks.

use std::sync::Arc;

use crate::chat::Map;
use crate::chat::accounts::{Account, AccountId};

/// All accounts. Every account is found by its folded nick and by its id.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    by_nick: Map<Arc<str>, Account>,
    nicks: Map<AccountId, Arc<str>>,
}

impl Accounts {
    /// Returns the account of a folded nick.
    pub(super) fn get(&self, nick: &str) -> Option<&Account> {
        self.by_nick.get(nick)
    }

    pub(super) fn id_of(&self, nick: &str) -> Option<AccountId> {
        self.get(nick).map(|account| account.id)
    }

    /// Returns the account of a folded nick if it is `id`.
    pub(super) fn get_if(&self, nick: &str, id: Option<AccountId>) -> Option<&Account> {
        self.get(nick).filter(|account| Some(account.id) == id)
    }

    pub(super) fn protects(&self, nick: &str) -> bool {
        self.by_nick.contains_key(nick)
    }

    pub(super) fn exists(&self, id: AccountId) -> bool {
        self.nicks.contains_key(&id)
    }

    /// Returns the folded nick of an account.
    pub(super) fn nick_of(&self, id: AccountId) -> Option<&str> {
        self.nicks.get(&id).map(|nick| &**nick)
    }

    /// Adds an account, and returns the one that protected the nick before.
    pub(super) fn insert(&mut self, account: Account) -> Option<Account> {
        let folded = account.nick.folded_arc();
        self.nicks.insert(account.id, folded.clone());
        self.by_nick.insert(folded, account)
    }

    pub(super) fn remove(&mut self, nick: &str) -> Option<Account> {
        self.by_nick.remove(nick)
    }

    /// Ends the id of an account that was removed or replaced.
    pub(super) fn end(&mut self, id: AccountId) {
        self.nicks.remove(&id);
    }

    /// Lets the account of a folded nick begin after the message `since`, unless it is `except`.
    /// Returns the account.
    pub(super) fn begin(
        &mut self,
        nick: &str,
        since: u64,
        except: Option<AccountId>,
    ) -> Option<AccountId> {
        let account = self.by_nick.get_mut(nick)?;
        if Some(account.id) == except {
            return None;
        }
        account.since = since;
        Some(account.id)
    }

    /// Sets back the number of an account: no message after `last` is recorded.
    pub(super) fn rewind(&mut self, id: AccountId, last: u64) {
        let nick = self.nicks.get(&id);
        if let Some(account) = nick.and_then(|nick| self.by_nick.get_mut(nick)) {
            account.since = last.min(account.since);
        }
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = &Account> {
        self.by_nick.values()
    }
}
