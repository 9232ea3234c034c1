//! Types and constants that the parts of the registry share.

use std::borrow::Cow;

use chat_proto::Channel;
use chat_proto::name::fold;

use crate::chat::command::Refusal;
use crate::chat::{ChannelKey, SessionId};

/// The place of a user who is online.
pub(super) type UserKey = usize;

pub(super) type CommandResult = Result<(), Refusal>;

/// The lobby is the first channel that is created, and it never ends.
pub(super) const LOBBY: ChannelKey = 0;

/// Returns the form under which a name is looked up. A text that is longer than any name finds
/// nothing and is not folded.
pub(super) fn lookup(name: &str) -> Cow<'_, str> {
    const LONGEST: usize = Channel::MAX_CHARS * 4;
    if name.len() > LONGEST {
        Cow::Borrowed("")
    } else {
        fold(name)
    }
}

/// Why a user leaves a channel or the server.
#[derive(Debug, Clone, Copy)]
pub(super) struct Departure<'a> {
    pub reason: &'a str,
    /// The nick of the user who removed this one, if it was not the user's own decision.
    pub by: Option<&'a str>,
    /// The session of that user, which receives the announcement in any case.
    pub notify: Option<SessionId>,
}

impl<'a> Departure<'a> {
    /// A departure by the user's own decision.
    pub(super) fn voluntary(reason: &'a str) -> Self {
        Self {
            reason,
            by: None,
            notify: None,
        }
    }
}
