//! Coming, and coming back.

use std::borrow::Cow;

use chat_proto::{ErrorCode, Nick, VERSION, WELCOME_CHANNELS, Welcome};

use super::Registry;
use super::resume::{Proof, replaced};
use super::resume_pool::DetachedSession;
use super::types::{Departure, LOBBY, Outcome, UserKey};
use super::users::User;
use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::{Hello, Refusal};
use crate::chat::confusables::is_mixed;
use crate::chat::effect::{Effect, Replay};
use crate::chat::token::{Id, Token};
use crate::netblock::Origin;

/// Somebody who is let in.
struct NewUser {
    session: SessionId,
    nick: Nick,
    origin: Origin,
}

/// The parts of a `hello` that its `welcome` depends on.
#[derive(Clone, Copy)]
struct WelcomeRequest<'a> {
    id: Option<&'a Id>,
    after: Option<u64>,
}

impl Registry {
    /// Gives `session` a nick: a free one, the one it asks for, or the one it has a token or the
    /// password for.
    pub(super) fn hello(
        &mut self,
        session: SessionId,
        id: Option<&Id>,
        hello: Hello,
        out: &mut Batch,
    ) -> Outcome {
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
        // The account may have changed since the password was right.
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
        let comer = NewUser {
            session,
            nick,
            origin,
        };
        let tokens = (token.filter(|_| back), random.token);
        self.admit(comer, tokens, back, request, out);
        Ok(())
    }

    /// Checks the rate of arrivals that others are told of.
    fn check_visit_rate(&self, origin: Origin) -> Outcome {
        let rate = self.settings.arrivals_per_second;
        self.visits.check(origin, rate, self.now)
    }

    /// Whoever left the nick behind is `back`, or loses it now.
    fn admit(
        &mut self,
        comer: NewUser,
        (token, new_token): (Option<Token>, Token),
        back: bool,
        request: WelcomeRequest<'_>,
        out: &mut Batch,
    ) {
        let left = self.resume_pool.take(comer.nick.folded());
        let theirs = left.as_ref().map(|left| left.digest);
        // Who is back by password alone has another token: the old one is known to nobody here.
        let token = token.filter(|token| Some(token.digest()) == theirs);
        if let Some(digest) = theirs.filter(|_| token.is_none()) {
            self.changes.forget(digest);
        }
        let token = token.unwrap_or(new_token);
        self.insert_user(comer, token, left.filter(|_| back), request, out);
    }

    /// Somebody is in: `back`, or new.
    fn insert_user(
        &mut self,
        comer: NewUser,
        token: Token,
        back: Option<DetachedSession>,
        request: WelcomeRequest<'_>,
        out: &mut Batch,
    ) {
        let NewUser {
            session,
            nick,
            origin,
        } = comer;
        let resumed = back.is_some();
        let account = self.accounts.get(nick.folded());
        let DetachedSession {
            channels,
            since,
            former,
            account,
            arrived,
            ..
        } = back.unwrap_or_else(|| DetachedSession {
            digest: token.digest(),
            nick: nick.clone(),
            channels: Vec::new(),
            since: account.map_or(self.last_seq, |account| account.since),
            former: Vec::new(),
            account: account.map(|account| account.id),
            arrived: self.now,
            origin: None,
        });
        let folded = nick.folded_arc();
        let user = self.users.insert(User {
            session,
            nick,
            token,
            channels: Vec::new(),
            since,
            former,
            account,
            origin,
            arrived,
            came: self.now,
        });
        self.moderation.sanctions.arrived(user, token.digest());
        self.nick_confusables
            .add(self.users[user].nick.as_str(), &folded);
        self.enter(user, LOBBY, out);
        for channel in &channels {
            // They may have been banned from it while they were away.
            if self.check_entry(user, channel).is_ok() {
                self.enter_or_create(user, channel, out);
            }
        }
        self.save_user(user);
        self.welcome(user, resumed, request, out);
        self.subscribe(user, out);
    }

    /// Somebody who was welcomed is in their channels from here on, and is told what those are about.
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

    /// Whether a nick that is new here tells who it is.
    pub(super) fn check_confusable(&self, nick: &Nick) -> Outcome {
        if is_mixed(nick.as_str(), nick.folded()) {
            let detail = "a nick has letters of one script, so that nobody takes it for another";
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

    /// Generates a nick that no user has and no absent user may resume: `User` and six of A-Z and
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

    /// Somebody has a nick that an operator has protected meanwhile, and its owner comes.
    fn displace(&mut self, user: UserKey, out: &mut Batch) {
        let session = self.users[user].session;
        self.users.end_session(session);
        self.remove_user(user, Departure::voluntary("replaced"), false, out);
        replaced(session, "the nick is protected and its owner is here", out);
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
        let rooms = || self.users[user].all_channels();
        let name = |key| self.channels.name(key);
        let welcome = Welcome {
            version: VERSION,
            nick: nick.to_string().into(),
            server: self.settings.server.clone().into(),
            token: token.reveal().into(),
            seq: 0, // Known when it is released.
            time: self.now,
            joined: rooms().map(|room| name(room).to_string().into()).collect(),
            channels: self
                .channels
                .largest()
                .map(|(_, info)| info)
                .take(WELCOME_CHANNELS)
                .collect(),
            resumed,
            gap: false, // As above.
            motd: (!self.settings.motd.is_empty()).then(|| Cow::Owned(self.settings.motd.clone())),
            id: request.id.map(|id| id.to_string().into()),
        };
        let replay = request.after.map(|after| {
            Box::new(Replay {
                channels: if resumed {
                    rooms().map(|room| name(room).folded_arc()).collect()
                } else {
                    vec![name(LOBBY).folded_arc()]
                },
                held: if resumed || account.is_some() {
                    self.users[user].held()
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

/// Returns the next number of the sequence that `seed` begins (SplitMix64).
fn next_random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*seed ^ (*seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
