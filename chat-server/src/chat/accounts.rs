//! What the core knows about accounts: which nick each protects. Passwords stay outside.

use std::num::NonZeroI64;

use chat_proto::Nick;

use super::SessionId;
use super::token::Id;

/// Identifies an account. Ids are never reused, not even for an equal nick. The value is never 0,
/// which keeps `Option<AccountId>` small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub NonZeroI64);

/// A nick that a password protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub nick: Nick,
    /// The last message before the account. Later direct messages belong to the account.
    pub since: u64,
}

impl Account {
    /// The beginning of an account that no server has seen yet.
    pub const UNNOTED: u64 = u64::MAX;
}

/// A change of the accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// A nick is protected from now on.
    Protected {
        account: Account,
        /// The session that has registered it, if one has.
        by: Option<SessionId>,
    },
    /// The account has another password, which ends all its tokens.
    PasswordChanged {
        nick: Nick,
        id: AccountId,
        /// The session that has changed it, which receives a new token.
        by: Option<SessionId>,
        /// The `id` of that session's request.
        request: Option<Id>,
    },
    /// The nick is free again, if that account still protects it.
    Freed { nick: Nick, id: AccountId },
}
