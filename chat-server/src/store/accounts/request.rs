//! Requests to the accounts and their outcomes.

use std::sync::Arc;

use actix::prelude::*;
use chat_proto::{Nick, Secret};

use crate::chat::SessionId;
use crate::chat::accounts::AccountId;
use crate::error::DatabaseError;

/// A request to the accounts.
#[derive(Debug)]
pub enum AuthRequest {
    /// Checks the password of an account (folded nick).
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
    },
    Unregister {
        nick: Nick,
        password: Secret<'static>,
    },
}

impl AuthRequest {
    /// Returns the folded nick of the account.
    pub(super) fn nick(&self) -> Arc<str> {
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
    /// The password is wrong, or there is no such account.
    Wrong,
    Registered(Nick),
    /// The old password is right; the keeper sets the new one.
    Changes(Box<NewHash>),
    /// The password is changed; the room tells the session.
    Changed,
    Unregistered(Nick),
    AlreadyRegistered,
    NotRegistered,
    Declined(AuthRejection),
    Failed(DatabaseError),
}

/// The hash of another password for an account.
pub struct NewHash {
    pub id: AccountId,
    /// The hash of the password until now.
    pub before: String,
    pub hash: String,
}

impl std::fmt::Debug for NewHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewHash")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The outcome, sent to the requester.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AuthReply {
    pub session: SessionId,
    pub outcome: AuthOutcome,
}

/// Why a request is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthRejection {
    /// The queue is full.
    Busy,
    /// Too many wrong passwords came from the address.
    Guesses,
    /// Too many accounts were made from the address.
    Registrations,
}
