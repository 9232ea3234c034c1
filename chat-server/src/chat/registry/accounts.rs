//! Which nicks are protected, and who may have them (protocol, 5. Accounts).

use chat_proto::{ErrorCode, Nick};

use super::Registry;
use super::user::{User, UserKey};
use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange, AccountId};
use crate::chat::batch::{Applicant, Batch, Effect};
use crate::chat::command::{Id, Refusal};
use crate::chat::kept::KeptChange;

impl Registry {
    /// Takes note of a change. Whoever has a nick that is protected now keeps it until they go; it is
    /// their account only if they have registered it themselves.
    pub fn account_changed(&mut self, change: AccountChange) {
        match change {
            AccountChange::Protected { account, by } => {
                let holder = by.and_then(|session| self.seats.get(session));
                if let Some(user) = holder
                    && self.users[user].nick == account.nick
                {
                    self.users[user].account = Some(account.id);
                    self.keep(user);
                    self.founder_registered(user, account.id);
                }
                self.nick_looks
                    .add(account.nick.as_str(), &account.nick.folded_arc());
                self.account_nicks
                    .insert(account.id, account.nick.folded_arc());
                let id = account.id;
                let before = self.accounts.insert(account.nick.folded_arc(), account);
                if let Some(before) = before {
                    if before.id != id {
                        self.ends(before.id);
                    }
                    self.nick_looks
                        .remove(before.nick.as_str(), &before.nick.folded_arc());
                }
            }
            AccountChange::Freed { nick, id } => {
                if self.account(nick.folded()) != Some(id) {
                    return;
                }
                self.ends(id);
                if let Some(before) = self.accounts.remove(nick.folded()) {
                    self.nick_looks
                        .remove(before.nick.as_str(), &before.nick.folded_arc());
                }
                if let Some(&user) = self.by_nick.get(nick.folded()) {
                    self.users[user].account = None;
                    self.keep(user);
                }
            }
        }
    }

    /// An account is no more.
    fn ends(&mut self, id: AccountId) {
        self.account_nicks.remove(&id);
        self.founder_unregistered(id);
    }

    /// Answers a session that wants something of the accounts.
    pub(super) fn tell_account(
        &self,
        session: SessionId,
        user: UserKey,
        id: Option<Id>,
        out: &mut Batch,
    ) {
        let applicant = Box::new(Applicant {
            nick: self.users[user].nick.clone(),
            last_seq: self.last_seq,
            id,
        });
        out.push(Effect::Account {
            to: session,
            applicant,
        });
    }

    /// Somebody who is not the account leaves its nick, which was theirs before it was protected: what
    /// was said to them stays theirs.
    pub(super) fn leave_to_owner(&mut self, user: UserKey) {
        let User { nick, account, .. } = &self.users[user];
        if let Some(owner) = self.accounts.get_mut(nick.folded())
            && *account != Some(owner.id)
        {
            owner.since = self.last_seq;
            self.beginnings.push(KeptChange::Begins {
                account: owner.id,
                since: owner.since,
            });
        }
    }

    /// The account that protects a folded nick.
    pub(super) fn account(&self, folded: &str) -> Option<AccountId> {
        self.accounts.get(folded).map(|account| account.id)
    }

    /// The account of a nick that somebody has proven, or has by right.
    pub(super) fn account_of(&self, folded: &str, id: Option<AccountId>) -> Option<&Account> {
        self.accounts
            .get(folded)
            .filter(|account| Some(account.id) == id)
    }

    pub(super) fn auth_failed(nick: &Nick) -> Refusal {
        Refusal::new(
            ErrorCode::AuthFailed,
            format!("{nick} is protected: it needs its password or a valid token"),
        )
    }
}
