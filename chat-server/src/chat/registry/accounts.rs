//! Which nicks are protected, and who may have them (protocol, 5. Accounts).

use chat_proto::{ErrorCode, Nick};

use super::Registry;
use super::user::{User, UserKey};
use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange, AccountId};
use crate::chat::batch::{Applicant, Batch, Effect};
use crate::chat::command::{Id, Refusal};

impl Registry {
    /// Takes an account of before the server was started. Called before anything else happens, and before
    /// [`Registry::restore`]. An account that was made beside a server begins here: no message from before
    /// the room knows of the account is its owner's.
    pub fn restore_account(&mut self, account: Account) {
        let begins = account.since > self.last_seq;
        let id = account.id;
        let since = account.since.min(self.last_seq);
        self.protect(Account { since, ..account });
        if begins {
            self.changes.begins(id, since);
        }
    }

    /// Takes note of a change. Whoever has a nick that is protected now keeps it until they go; it is
    /// their account only if they have registered it themselves.
    pub fn account_changed(&mut self, change: AccountChange) {
        match change {
            AccountChange::Protected { account, by } => {
                let id = account.id;
                let holder = by.and_then(|session| self.seats.get(session));
                let holder = holder.filter(|&user| self.users[user].nick == account.nick);
                if let Some(user) = holder {
                    self.users[user].account = Some(id);
                    self.keep(user);
                    self.founder_registered(user, id);
                }
                let since = match self.account_of(account.nick.folded(), Some(id)) {
                    // The room alone moves the beginning; the file may be behind it.
                    Some(known) => known.since,
                    None if holder.is_some() => account.since.min(self.last_seq),
                    // Others may have had the nick until now.
                    None => {
                        if account.since != self.last_seq {
                            self.lasting += 1;
                            self.changes.begins(id, self.last_seq);
                        }
                        self.last_seq
                    }
                };
                self.protect(Account { since, ..account });
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

    /// The nick is that of the account from now on.
    fn protect(&mut self, account: Account) {
        let (id, folded) = (account.id, account.nick.folded_arc());
        self.nick_looks.add(account.nick.as_str(), &folded);
        self.account_nicks.insert(id, folded.clone());
        if let Some(before) = self.accounts.insert(folded, account) {
            if before.id != id {
                self.ends(before.id);
            }
            self.nick_looks
                .remove(before.nick.as_str(), &before.nick.folded_arc());
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
        let (nick, account) = (nick.folded_arc(), *account);
        self.was_held(&nick, account);
    }

    /// Sets the beginning of the account of a folded nick, which another user held until now: a user who
    /// has proven to be `account`, or to be none.
    pub(super) fn was_held(&mut self, nick: &str, account: Option<AccountId>) {
        if let Some(owner) = self.accounts.get_mut(nick)
            && account != Some(owner.id)
        {
            owner.since = self.last_seq;
            self.lasting += 1;
            self.changes.begins(owner.id, owner.since);
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
