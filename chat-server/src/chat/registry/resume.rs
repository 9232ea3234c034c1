//! Resuming a session: on another connection, after a lost one, or after a restart of the server.

use chat_proto::{ErrorCode, Nick, Timestamp};

use super::Registry;
use super::resume_pool::DetachedSession;
use super::types::UserKey;
use crate::chat::SessionId;
use crate::chat::accounts::AccountId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::state_change::{ResumableSession, rewind};
use crate::chat::token::Digest;
use crate::ip::ClientNetwork;

/// The proof of identity in a `hello`.
pub(super) struct Proof {
    /// The digest of the token.
    pub digest: Option<Digest>,
    /// The account of the nick.
    pub account: Option<AccountId>,
    pub by_password: bool,
}

impl Proof {
    /// Returns whether it proves the identity of a user with the token `theirs`, authenticated as
    /// `as_account`. A token from before the nick was protected proves nothing.
    pub(super) fn proves(&self, theirs: Digest, as_account: Option<AccountId>) -> bool {
        let has_token = self.digest == Some(theirs);
        match self.account {
            Some(_) => as_account == self.account && (self.by_password || has_token),
            None => has_token,
        }
    }
}

impl Registry {
    /// Returns whether the client resumes the session of the absent user of the nick.
    ///
    /// # Errors
    /// The user is banned, or the nick is not for a user with that proof.
    pub(super) fn check_resume(
        &mut self,
        nick: &Nick,
        proof: &Proof,
        origin: ClientNetwork,
    ) -> Result<bool, Refusal> {
        self.expire();
        let absent = self.resume_pool.get(nick.folded());
        let back = absent.filter(|absent| proof.proves(absent.digest, absent.account));
        if let Some(back) = back {
            self.check_ban(nick, back.account, origin)?;
        }
        let back = back.is_some();
        if proof.account.is_some() && !proof.by_password && !back {
            return Err(Self::auth_failed(nick));
        }
        if proof.account.is_none() && !back {
            self.check_confusable(nick)?;
        }
        Ok(back)
    }

    /// Moves a user to another connection. Other users receive nothing.
    pub(super) fn replace_session(
        &mut self,
        session: SessionId,
        user: UserKey,
        origin: ClientNetwork,
        out: &mut Batch,
    ) {
        self.users.set_origin(user, origin);
        let old = self.users.replace_session(user, session);
        replaced(old, "the session continues on another connection", out);
    }

    /// Adds a session of the process before, which ended before `now`. Called before the first
    /// request, in the order of the deadlines.
    pub fn restore_session(&mut self, mut session: ResumableSession, now: Timestamp) {
        // The direct messages until the end belong to this user, not to the owner of the nick.
        if session.until.is_none() {
            self.end_tenure(session.nick.folded(), session.account);
        }
        let longest = self.resume_deadline(now);
        let until = session.until.map_or(longest, |until| until.min(longest));
        if session.newest() > self.last_seq {
            rewind(
                &mut session.since,
                &mut session.previous_nicks,
                self.last_seq,
            );
            session.until = Some(until);
            self.changes.save_session(session.clone());
        }
        let ResumableSession {
            digest,
            nick,
            account,
            channels,
            since,
            previous_nicks,
            ..
        } = session;
        let absent = DetachedSession {
            digest,
            nick,
            channels,
            since,
            previous_nicks,
            account,
            first_login: Timestamp::from_millis(0),
            origin: None,
        };
        let left = until.as_millis().saturating_sub(self.window());
        self.detach(absent, Timestamp::from_millis(left));
    }

    /// Restores a session like [`Registry::restore_session`], where tenures may have ended unsaved behind
    /// the message `upto`. Only an account keeps its own nick, which no other user could take.
    pub fn restore_stale_session(&mut self, mut kept: ResumableSession, upto: u64, now: Timestamp) {
        let owner = self.accounts.get_if(kept.nick.folded(), kept.account);
        if owner.is_none() {
            kept.interrupt(upto, self.last_seq);
            self.changes.save_session(kept.clone());
        }
        self.restore_session(kept, now);
    }

    /// Returns the end of the resume window of a user who leaves at `now`.
    pub fn resume_deadline(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add(self.window()))
    }

    /// Returns the resume window in milliseconds.
    fn window(&self) -> i64 {
        i64::try_from(self.settings.resume_window.as_millis()).unwrap_or(i64::MAX)
    }

    /// Adds a session that ended at `left`, and evicts others beyond the maximum.
    pub(super) fn detach(&mut self, absent: DetachedSession, left: Timestamp) {
        let forgotten = self.resume_pool.add(absent, left, self.settings.absent_max);
        for digest in forgotten {
            self.changes.forget(digest);
        }
    }

    /// Takes the session of an absent user, who resumes it or loses the nick.
    pub(super) fn take_absent(&mut self, nick: &str) -> Option<DetachedSession> {
        self.expire();
        self.resume_pool.take(nick)
    }

    /// Ends the sessions whose window is over.
    pub(super) fn expire(&mut self) {
        let window = self.settings.resume_window;
        for digest in self.resume_pool.expire(self.now, window) {
            self.changes.forget(digest);
        }
    }
}

/// Closes a session that another one replaces.
pub(super) fn replaced(session: SessionId, detail: &'static str, out: &mut Batch) {
    out.reject(session, None, Refusal::new(ErrorCode::Replaced, detail));
}
