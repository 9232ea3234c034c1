//! What the core knows of accounts: which nicks are protected, and by which account. Passwords never
//! come this far.

use std::num::NonZeroI64;

use chat_proto::Nick;

use super::SessionId;
use super::token::Id;

/// Which account; never used twice, also for the same nick. Never 0, so that nobody needs more memory for
/// having none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub NonZeroI64);

/// A nick that a password protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub nick: Nick,
    /// The last message before the account: later direct ones are its holder's.
    pub since: u64,
}

impl Account {
    /// The beginning of an account of which no server has taken note yet.
    pub const UNNOTED: u64 = u64::MAX;
}

/// Something has changed about the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// A nick is protected from now on.
    Protected {
        account: Account,
        /// Who asked for it, where somebody who is here has.
        by: Option<SessionId>,
    },
    /// The account has another password, which ends all its tokens.
    PasswordChanged {
        nick: Nick,
        id: AccountId,
        /// The session that asked for it, which is given a new token.
        by: Option<SessionId>,
        /// The `id` of that session's request.
        request: Option<Id>,
    },
    /// The nick is free again, if that account is still the one that protects it.
    Freed { nick: Nick, id: AccountId },
}
