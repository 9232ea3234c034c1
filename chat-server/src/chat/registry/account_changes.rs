//! Changes of the accounts: registration, passwords and removal (protocol, 5. Accounts).

use chat_proto::{ErrorCode, Event, Nick};

use super::Registry;
use super::types::{Departure, UserKey};
use super::users::User;
use crate::chat::SessionId;
use crate::chat::accounts::{Account, AccountChange, AccountId};
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::effect::{AuthContext, Effect};
use crate::chat::token::{Id, Token};

impl Registry {
    /// Adds an account of the process before. Called before the first request, and before
    /// [`Registry::restore_session`]. An account that was created outside of the server begins
    /// here: its owner sees no earlier message.
    pub fn restore_account(&mut self, account: Account) {
        let begins = account.since > self.last_seq;
        let id = account.id;
        let since = account.since.min(self.last_seq);
        self.protect(Account { since, ..account });
        if begins {
            self.changes.correct_account_start(id, since);
        }
    }

    /// Applies a change. A user who holds a nick that becomes protected keeps it until the end of
    /// the session; it becomes the user's account only if the user has registered it. A session
    /// that needs another token receives `new_token`.
    pub fn account_changed(&mut self, change: AccountChange, new_token: Token, out: &mut Batch) {
        match change {
            AccountChange::Protected { account, by } => {
                let id = account.id;
                let holder = self.log_in(by, &account.nick, id);
                let since = match self.accounts.get_if(account.nick.folded(), Some(id)) {
                    // The registry alone moves the beginning; the file may be older.
                    Some(known) => known.since,
                    None if holder.is_some() => account.since.min(self.last_seq),
                    // Other users may have held the nick until now.
                    None => {
                        if account.since != self.last_seq {
                            self.changes.account_starts(id, self.last_seq);
                        }
                        self.last_seq
                    }
                };
                self.protect(Account { since, ..account });
            }
            AccountChange::PasswordChanged {
                nick,
                id,
                by,
                request,
            } => {
                if self.accounts.id_of(nick.folded()) == Some(id) {
                    let requester = self.log_in(by, &nick, id);
                    self.sign_out(id, requester, out);
                    if let Some(user) = requester {
                        self.renew_token(user, new_token, request.as_ref(), out);
                    }
                }
            }
            AccountChange::Freed { nick, id } => {
                if self.accounts.id_of(nick.folded()) != Some(id) {
                    return;
                }
                self.end_account(id);
                if let Some(before) = self.accounts.remove(nick.folded()) {
                    self.nick_confusables
                        .remove(before.nick.as_str(), &before.nick.folded_arc());
                }
                if let Some(user) = self.users.find(nick.folded()) {
                    self.users.set_account(user, None);
                    self.save_user(user);
                }
            }
        }
    }

    /// Authenticates the user of a session as an account, if the user still has its nick. Returns
    /// the user.
    fn log_in(&mut self, by: Option<SessionId>, nick: &Nick, id: AccountId) -> Option<UserKey> {
        let user = self.users.at(by?)?;
        if self.users[user].nick != *nick {
            return None;
        }
        self.users.set_account(user, Some(id));
        self.save_user(user);
        self.owner_registered(user, id);
        Some(user)
    }

    /// Ends all sessions and tokens of an account, under any nick, except those of `requester`.
    fn sign_out(&mut self, id: AccountId, requester: Option<UserKey>, out: &mut Batch) {
        let mut others = self.users.with_account(id);
        others.retain(|&user| Some(user) != requester);
        let detail = "the password of your account was changed; log in with the new one";
        let refusal = Refusal::new(ErrorCode::SignedOut, detail);
        self.disconnect_all(&others, refusal, Departure::voluntary("signed out"), out);
        let ended = self.resume_pool.take_account(id);
        for digest in ended {
            self.changes.end_token(digest);
        }
    }

    /// Replaces the token of a user and sends the new one.
    fn renew_token(&mut self, user: UserKey, token: Token, request: Option<&Id>, out: &mut Batch) {
        let before = self.users.replace_token(user, token);
        self.move_sanctions(before.digest(), token.digest());
        self.move_ownership(user, before.digest());
        self.changes.end_token(before.digest());
        self.save_user(user);
        let User { session, nick, .. } = &self.users[user];
        let registered = Event::Registered {
            nick: nick.as_str().into(),
            token: Some(token.reveal().into()),
            id: request.map(|id| id.as_str().into()),
        };
        out.tell(*session, &registered);
    }

    /// Protects a nick.
    fn protect(&mut self, account: Account) {
        let (id, folded) = (account.id, account.nick.folded_arc());
        self.nick_confusables.add(account.nick.as_str(), &folded);
        if let Some(before) = self.accounts.insert(account) {
            if before.id != id {
                self.end_account(before.id);
            }
            self.nick_confusables
                .remove(before.nick.as_str(), &before.nick.folded_arc());
        }
    }

    /// Ends an account.
    fn end_account(&mut self, id: AccountId) {
        self.accounts.end(id);
        self.owner_unregistered(id);
    }

    /// Answers a session that has an account request.
    pub(super) fn send_auth_context(
        &self,
        session: SessionId,
        user: UserKey,
        id: Option<Id>,
        out: &mut Batch,
    ) {
        let applicant = Box::new(AuthContext {
            nick: self.users[user].nick.clone(),
            last_seq: self.last_seq,
            id,
        });
        out.push(Effect::Account {
            to: session,
            applicant,
        });
    }

    /// Ends the tenure of a user who had the nick of an account before it was protected. The direct
    /// messages of the tenure remain the user's.
    pub(super) fn release_nick(&mut self, user: UserKey) {
        let User { nick, account, .. } = &self.users[user];
        let (nick, account) = (nick.folded_arc(), *account);
        self.end_tenure(&nick, account);
    }

    /// Moves the beginning of the account of a folded nick behind the tenure of a user who has
    /// authenticated as another account or none.
    pub(super) fn end_tenure(&mut self, nick: &str, account: Option<AccountId>) {
        if let Some(owner) = self.accounts.begin(nick, self.last_seq, account) {
            self.changes.account_starts(owner, self.last_seq);
        }
    }

    pub(super) fn auth_failed(nick: &Nick) -> Refusal {
        Refusal::new(
            ErrorCode::AuthFailed,
            format!("{nick} is protected: it needs its password or a valid token"),
        )
    }
}
