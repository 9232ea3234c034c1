//! Login: `hello` and `welcome`.

use std::borrow::Cow;

use chat_proto::{ErrorCode, Nick, VERSION, WELCOME_CHANNELS, Welcome};

use super::Registry;
use super::resume::{Proof, replaced};
use super::resume_pool::DetachedSession;
use super::types::{CommandResult, Departure, LOBBY, UserKey};
use super::users::User;
use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::{Hello, Refusal};
use crate::chat::confusables::is_mixed;
use crate::chat::effect::{Effect, Replay};
use crate::chat::token::{Id, Token};
use crate::ip::ClientNetwork;

/// A user who may log in.
struct NewUser {
    session: SessionId,
    nick: Nick,
    origin: ClientNetwork,
}

/// The parts of a `hello` that its `welcome` depends on.
#[derive(Clone, Copy)]
struct WelcomeRequest<'a> {
    id: Option<&'a Id>,
    after: Option<u64>,
}

impl Registry {
    /// Logs a client in, with a generated nick, a free one, or one that the client proves to own.
    pub(super) fn hello(
        &mut self,
        session: SessionId,
        id: Option<&Id>,
        hello: Hello,
        out: &mut Batch,
    ) -> CommandResult {
        let Hello {
            nick,
            token,
            after,
            account: proven,
            origin,
            random,
        } = hello;
        let request = WelcomeRequest { id, after };
        self.expire_sanctions(out);
        let nick = nick.unwrap_or_else(|| self.generate_nick(random.nick_seed));
        let account = self.accounts.id_of(nick.folded());
        self.check_ban(&nick, account, origin)?;
        // The account may have changed since the password was checked.
        if proven.is_some() && proven != account {
            return Err(Self::auth_failed(&nick));
        }
        let proof = Proof {
            digest: token.map(Token::digest),
            account,
            by_password: proven.is_some(),
        };
        if let Some(user) = self.users.find(nick.folded()) {
            let User {
                token: theirs,
                account: as_account,
                ..
            } = &self.users[user];
            if proof.proves(theirs.digest(), *as_account) {
                self.replace_session(session, user, origin, out);
                self.welcome(user, true, request, out);
                self.subscribe(user, out);
                return Ok(());
            }
            if proven.is_none() {
                return Err(if account.is_some() {
                    Self::auth_failed(&nick)
                } else {
                    taken(&nick)
                });
            }
            self.check_visit_rate(origin)?;
            self.displace(user, out);
        }
        let back = self.check_resume(&nick, &proof, origin)?;
        self.check_visit_rate(origin)?;
        let new_user = NewUser {
            session,
            nick,
            origin,
        };
        let tokens = (token.filter(|_| back), random.token);
        self.admit(new_user, tokens, back, request, out);
        Ok(())
    }

    /// Checks the rate of short visits of a network.
    fn check_visit_rate(&self, origin: ClientNetwork) -> CommandResult {
        let rate = self.settings.arrivals_per_second;
        self.visits.check(origin, rate, self.now)
    }

    /// Logs a user in. The absent user of the nick is this one if `back`, or else loses the nick.
    fn admit(
        &mut self,
        new_user: NewUser,
        (token, new_token): (Option<Token>, Token),
        back: bool,
        request: WelcomeRequest<'_>,
        out: &mut Batch,
    ) {
        let left = self.resume_pool.take(new_user.nick.folded());
        let theirs = left.as_ref().map(|left| left.digest);
        // A password alone resumes with another token, because only the digest of the old one is
        // known.
        let token = token.filter(|token| Some(token.digest()) == theirs);
        if let Some(digest) = theirs.filter(|_| token.is_none()) {
            self.changes.forget(digest);
        }
        let token = token.unwrap_or(new_token);
        self.insert_user(new_user, token, left.filter(|_| back), request, out);
    }

    /// Adds a user, who resumes the session `back` or is new.
    fn insert_user(
        &mut self,
        new_user: NewUser,
        token: Token,
        back: Option<DetachedSession>,
        request: WelcomeRequest<'_>,
        out: &mut Batch,
    ) {
        let NewUser {
            session,
            nick,
            origin,
        } = new_user;
        let resumed = back.is_some();
        let account = self.accounts.get(nick.folded());
        let DetachedSession {
            channels,
            since,
            previous_nicks,
            account,
            first_login,
            ..
        } = back.unwrap_or_else(|| DetachedSession {
            digest: token.digest(),
            nick: nick.clone(),
            channels: Vec::new(),
            since: account.map_or(self.last_seq, |account| account.since),
            previous_nicks: Vec::new(),
            account: account.map(|account| account.id),
            first_login: self.now,
            origin: None,
        });
        let folded = nick.folded_arc();
        let user = self.users.insert(User {
            session,
            nick,
            token,
            channels: Vec::new(),
            since,
            previous_nicks,
            account,
            origin,
            first_login,
            last_login: self.now,
        });
        self.moderation.sanctions.user_online(user, token.digest());
        self.nick_confusables
            .add(self.users[user].nick.as_str(), &folded);
        self.enter(user, LOBBY, out);
        for channel in &channels {
            // The user may have been banned from it meanwhile.
            if self.check_entry(user, channel).is_ok() {
                self.enter_or_create(user, channel, out);
            }
        }
        self.save_user(user);
        self.welcome(user, resumed, request, out);
        self.subscribe(user, out);
    }

    /// Subscribes a user who has logged in to the user's channels, and sends the topics.
    fn subscribe(&self, user: UserKey, out: &mut Batch) {
        let user = &self.users[user];
        let session = user.session;
        for channel in user.all_channels() {
            out.push(Effect::Subscribe { session, channel });
        }
        for channel in user.all_channels() {
            self.send_topic(session, channel, out);
        }
    }

    /// Checks whether a new nick can be confused with others.
    pub(super) fn check_confusable(&self, nick: &Nick) -> CommandResult {
        if is_mixed(nick.as_str(), nick.folded()) {
            let detail = "the letters of a nick must be of one script";
            return Err(Refusal::new(ErrorCode::NickInvalid, detail));
        }
        if self
            .nick_confusables
            .conflicts(nick.as_str(), nick.folded())
        {
            let detail = format!("{nick} looks like another nick that is taken");
            return Err(Refusal::new(ErrorCode::NickTaken, detail));
        }
        Ok(())
    }

    /// Generates a nick that is free and that no absent user may resume: `User` and six of A-Z and
    /// 0-9, the first free one in the sequence of `seed`.
    fn generate_nick(&self, mut seed: u64) -> Nick {
        const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
        loop {
            let mut number = next_random(&mut seed);
            let letters: String = std::iter::repeat_with(|| {
                let letter = ALPHABET[(number % 36) as usize];
                number /= 36;
                char::from(letter)
            })
            .take(6)
            .collect();
            let nick = Nick::new(&format!("User{letters}"))
                .expect("letters and digits behind a letter are legal");
            let folded = nick.folded();
            if self.users.find(folded).is_none()
                && self.resume_pool.get(folded).is_none()
                && !self.accounts.protects(folded)
            {
                return nick;
            }
        }
    }

    /// Removes a user whose nick was protected by an operator, because its owner logs in.
    fn displace(&mut self, user: UserKey, out: &mut Batch) {
        let session = self.users[user].session;
        self.users.end_session(session);
        self.remove_user(user, Departure::voluntary("replaced"), false, out);
        replaced(
            session,
            "the nick is protected and its owner has logged in",
            out,
        );
    }

    fn welcome(
        &mut self,
        user: UserKey,
        resumed: bool,
        request: WelcomeRequest<'_>,
        out: &mut Batch,
    ) {
        let User {
            session,
            nick,
            token,
            account,
            ..
        } = &self.users[user];
        let keys = || self.users[user].all_channels();
        let name = |key| self.channels.name(key);
        let welcome = Welcome {
            version: VERSION,
            nick: nick.to_string().into(),
            server: self.settings.server.clone().into(),
            token: token.reveal().into(),
            seq: 0, // Set at the release.
            time: self.now,
            joined: keys().map(|key| name(key).to_string().into()).collect(),
            channels: self
                .channels
                .largest()
                .map(|(_, info)| info)
                .take(WELCOME_CHANNELS)
                .collect(),
            resumed,
            gap: false, // Set at the release.
            motd: (!self.settings.motd.is_empty()).then(|| Cow::Owned(self.settings.motd.clone())),
            id: request.id.map(|id| id.to_string().into()),
        };
        let replay = request.after.map(|after| {
            Box::new(Replay {
                channels: if resumed {
                    keys().map(|key| name(key).folded_arc()).collect()
                } else {
                    vec![name(LOBBY).folded_arc()]
                },
                held: if resumed || account.is_some() {
                    self.users[user].tenures()
                } else {
                    Vec::new()
                },
                after,
                max: self.settings.replay_max,
            })
        });
        out.push(Effect::Welcome {
            to: *session,
            nick: nick.given_arc(),
            welcome: Box::new(welcome),
            replay,
        });
    }
}

pub(super) fn taken(nick: &Nick) -> Refusal {
    Refusal::new(ErrorCode::NickTaken, format!("the nick {nick} is taken"))
}

/// Returns the next number of the sequence of `seed` (SplitMix64).
fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
