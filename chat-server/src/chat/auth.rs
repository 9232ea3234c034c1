//! The port between sessions and accounts: what a session asks, and how it is answered. `store::accounts`
//! implements it, `net` uses it.

use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use chat_proto::{Nick, Secret};

use super::SessionId;
use super::accounts::AccountId;
use super::token::Id;

/// A request about an account.
#[derive(Debug)]
pub enum AuthRequest {
    /// Checks the password of the account of a folded nick.
    Prove {
        nick: Arc<str>,
        password: Secret<'static>,
    },
    /// Makes the nick an account, whose holder gets direct messages behind `since`.
    Register {
        nick: Nick,
        since: u64,
        password: Secret<'static>,
    },
    Change {
        nick: Nick,
        old: Secret<'static>,
        new: Secret<'static>,
        /// The `id` of the request, for the answer of the room.
        request: Option<Id>,
    },
    Unregister {
        nick: Nick,
        password: Secret<'static>,
    },
}

impl AuthRequest {
    /// Returns the folded nick that the request is about.
    pub fn nick(&self) -> Arc<str> {
        match self {
            Self::Prove { nick, .. } => nick.clone(),
            Self::Register { nick, .. }
            | Self::Change { nick, .. }
            | Self::Unregister { nick, .. } => nick.folded_arc(),
        }
    }
}

/// The outcome of an [`AuthRequest`].
#[derive(Debug)]
pub enum AuthOutcome {
    /// The password is that of the account.
    Proven(AccountId),
    /// The password is wrong, or the account does not exist.
    Wrong,
    Registered(Nick),
    /// The password is changed; the room answers the session.
    Changed,
    Unregistered(Nick),
    AlreadyRegistered,
    NotRegistered,
    Rejected(AuthRejection),
    Failed(AuthFailure),
}

/// The reason why a request was not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthRejection {
    /// The queue is full.
    QueueFull,
    /// The network sent too many wrong passwords.
    Guesses,
    /// The network made too many accounts.
    Registrations,
}

/// A fault of the accounts.
#[derive(Debug)]
pub struct AuthFailure {
    /// The file takes no changes now; accounts can be read.
    pub rejects_writes: bool,
    /// The cause, for the log.
    pub cause: String,
}

/// The answer to a session.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AuthResponse {
    pub session: SessionId,
    pub outcome: AuthOutcome,
}

/// Serves requests about accounts, on threads of its own.
pub trait AuthService: Debug + Send + Sync {
    /// Queues a request of a session at `address`; `reply` gets the outcome.
    ///
    /// # Errors
    /// The request is not served.
    fn ask(
        &self,
        session: SessionId,
        address: IpAddr,
        request: AuthRequest,
        reply: Recipient<AuthResponse>,
    ) -> Result<(), AuthRejection>;
}
