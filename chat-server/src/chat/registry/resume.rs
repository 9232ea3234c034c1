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
use crate::netblock::Origin;

/// What a `hello` proves.
pub(super) struct Proof {
    /// Of the token.
    pub digest: Option<Digest>,
    /// The account of the nick.
    pub account: Option<AccountId>,
    pub by_password: bool,
}

impl Proof {
    /// Returns whether it proves to be the user with that token, who has proven to be that account. A
    /// token that was given before the nick was protected is worth nothing.
    pub(super) fn proves(&self, theirs: Digest, as_account: Option<AccountId>) -> bool {
        let has_token = self.digest == Some(theirs);
        match self.account {
            Some(_) => as_account == self.account && (self.by_password || has_token),
            None => has_token,
        }
    }
}

impl Registry {
    /// Returns whether the absent user of the nick is who comes back.
    ///
    /// # Errors
    /// The user is banned, or the nick is not for a user with that proof.
    pub(super) fn check_resume(
        &mut self,
        nick: &Nick,
        proof: &Proof,
        origin: Origin,
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

    /// The same person on another connection: nobody else need know.
    pub(super) fn replace_session(
        &mut self,
        session: SessionId,
        user: UserKey,
        origin: Origin,
        out: &mut Batch,
    ) {
        self.users.set_origin(user, origin);
        let old = self.users.replace_session(user, session);
        replaced(old, "you are back on another connection", out);
    }

    /// Takes a user who was here when the server ended, or could come back, before it was started at
    /// `now`. Called before anything else happens, those that can come back longest last.
    pub fn restore_session(&mut self, mut kept: ResumableSession, now: Timestamp) {
        // What was said to the nick until the end was said to this user, not to the nick's owner.
        if kept.until.is_none() {
            self.end_tenure(kept.nick.folded(), kept.account);
        }
        let longest = self.resume_deadline(now);
        let until = kept.until.map_or(longest, |until| until.min(longest));
        if kept.newest() > self.last_seq {
            rewind(&mut kept.since, &mut kept.former, self.last_seq);
            kept.until = Some(until);
            self.changes.save_session(kept.clone());
        }
        let ResumableSession {
            digest,
            nick,
            account,
            channels,
            since,
            former,
            ..
        } = kept;
        let absent = DetachedSession {
            digest,
            nick,
            channels,
            since,
            former,
            account,
            arrived: Timestamp::from_millis(0),
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

    /// When somebody who goes at `now` can come back no longer.
    pub fn resume_deadline(&self, now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_add(self.window()))
    }

    /// The resume window in milliseconds.
    fn window(&self) -> i64 {
        i64::try_from(self.settings.resume_window.as_millis()).unwrap_or(i64::MAX)
    }

    /// Remembers a user who went at `left`, and forgets one where there is no room.
    pub(super) fn detach(&mut self, absent: DetachedSession, left: Timestamp) {
        let forgotten = self.resume_pool.add(absent, left, self.settings.absent_max);
        for digest in forgotten {
            self.changes.forget(digest);
        }
    }

    /// Who has left the nick behind comes back, or loses it.
    pub(super) fn take_absent(&mut self, nick: &str) -> Option<DetachedSession> {
        self.expire();
        self.resume_pool.take(nick)
    }

    /// Forgets whose time is over.
    pub(super) fn expire(&mut self) {
        let window = self.settings.resume_window;
        for digest in self.resume_pool.expire(self.now, window) {
            self.changes.forget(digest);
        }
    }
}

/// Tells a session that somebody is in its place, and closes it.
pub(super) fn replaced(session: SessionId, detail: &'static str, out: &mut Batch) {
    out.reject(session, None, Refusal::new(ErrorCode::Replaced, detail));
}
