//! A refused batch leaves no trace: a run in which batches cannot be recorded ends in the state of
//! a run without their messages.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chat_proto::Record;
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::super::resume_pool::DetachedSession;
use super::accounts::{account_id, proven};
use super::moderation::kick;
use super::*;
use crate::chat::accounts::AccountChange;
use crate::chat::effect::NickTenure;
use crate::chat::state_change::{ResumableSession, StateChange};

const NICKS: [&str; 4] = ["ana", "Luis", "борис", "Zoë"];
const CHANNELS: [&str; 3] = ["#lobby", "#a", "#b"];
const SLOTS: u32 = 4;

#[derive(Debug, Clone, Copy)]
enum Step {
    /// With the last token of the nick, as its account, or with neither.
    Hello {
        slot: u32,
        nick: usize,
        how: How,
    },
    Say {
        slot: u32,
        channel: usize,
        id: Option<usize>,
    },
    Tell {
        slot: u32,
        nick: usize,
        id: Option<usize>,
    },
    Join {
        slot: u32,
        channel: usize,
    },
    Part {
        slot: u32,
        channel: usize,
    },
    Rename {
        slot: u32,
        nick: usize,
    },
    Hang {
        slot: u32,
    },
    Quit {
        slot: u32,
    },
    Kick {
        slot: u32,
        nick: usize,
    },
    /// Requests `register`, `password` or `unregister`.
    Account {
        slot: u32,
    },
    /// The pending request succeeds: the nick becomes an account.
    Registered {
        slot: u32,
    },
    RegisteredBy(SessionId),
    /// `chat-server account add` and `remove`.
    Added {
        nick: usize,
    },
    Removed {
        nick: usize,
    },
    /// `password`, or `chat-server account passwd`.
    Password {
        slot: Option<u32>,
        nick: usize,
    },
    /// Closes the batch.
    Close,
    /// The recorder answers.
    Answer {
        recorded: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum How {
    Stranger,
    Token,
    Password,
}

fn step() -> impl Strategy<Value = Step> {
    let (slot, nick, channel) = (0..SLOTS, 0..NICKS.len(), 0..CHANNELS.len());
    let how = prop_oneof![
        2 => Just(How::Stranger),
        2 => Just(How::Token),
        1 => Just(How::Password),
    ];
    let id = || proptest::option::of(0..3usize);
    prop_oneof![
        6 => (slot.clone(), nick.clone(), how).prop_map(|(slot, nick, how)| Step::Hello { slot, nick, how }),
        4 => (slot.clone(), channel.clone(), id()).prop_map(|(slot, channel, id)| Step::Say { slot, channel, id }),
        6 => (slot.clone(), nick.clone(), id()).prop_map(|(slot, nick, id)| Step::Tell { slot, nick, id }),
        1 => (slot.clone(), channel.clone()).prop_map(|(slot, channel)| Step::Join { slot, channel }),
        1 => (slot.clone(), channel).prop_map(|(slot, channel)| Step::Part { slot, channel }),
        3 => (slot.clone(), nick.clone()).prop_map(|(slot, nick)| Step::Rename { slot, nick }),
        2 => slot.clone().prop_map(|slot| Step::Hang { slot }),
        1 => slot.clone().prop_map(|slot| Step::Quit { slot }),
        1 => (slot.clone(), nick.clone()).prop_map(|(slot, nick)| Step::Kick { slot, nick }),
        1 => slot.clone().prop_map(|slot| Step::Account { slot }),
        1 => slot.prop_map(|slot| Step::Registered { slot }),
        1 => nick.clone().prop_map(|nick| Step::Added { nick }),
        1 => nick.prop_map(|nick| Step::Removed { nick }),
        1 => (proptest::option::of(0..SLOTS), 0..NICKS.len())
            .prop_map(|(slot, nick)| Step::Password { slot, nick }),
        4 => Just(Step::Close),
        5 => prop_oneof![Just(true), Just(false)].prop_map(|recorded| Step::Answer { recorded }),
    ]
}

/// The persistent state beside the history.
#[derive(Default)]
struct Kepts {
    tokens: BTreeMap<[u8; 32], ResumableSession>,
    accounts: BTreeMap<i64, u64>,
}

/// A registry, and the batches that the room would hold.
struct Run {
    scene: Scene,
    generations: [u32; SLOTS as usize],
    tokens: BTreeMap<usize, Token>,
    /// The last message before a requested account.
    applicants: BTreeMap<SessionId, (Nick, u64)>,
    /// The sessions with a pending request.
    asking: BTreeSet<SessionId>,
    last_account: i64,
    gathering: Batch,
    closed: VecDeque<Batch>,
    recording: Option<(Batch, bytes::Bytes)>,
    recorded: u64,
    kepts: Kepts,
    log: Vec<(u64, String)>,
}

impl Run {
    fn new() -> Self {
        let mut scene = Scene::new(1000);
        scene.registry.settings.absent_max = 1000;
        Self {
            scene,
            generations: [0; SLOTS as usize],
            tokens: BTreeMap::new(),
            applicants: BTreeMap::new(),
            asking: BTreeSet::new(),
            last_account: 0,
            gathering: Batch::default(),
            closed: VecDeque::new(),
            recording: None,
            recorded: 0,
            kepts: Kepts::default(),
            log: Vec::new(),
        }
    }

    fn session(&self, slot: u32) -> SessionId {
        SessionId {
            slot,
            generation: self.generations[slot as usize],
        }
    }

    fn account(&self, nick: usize) -> Option<i64> {
        let nick = Nick::new(NICKS[nick]).unwrap();
        Some(self.scene.registry.accounts.id_of(nick.folded())?.0.get())
    }

    /// Takes a step and returns it, if it was possible. Each text contains `number`.
    fn does(&mut self, step: Step, number: usize) -> Option<Step> {
        let text = format!("m{number}");
        let with_id = |id: Option<usize>| id.map(|id| Id::from(id.to_string()));
        match step {
            Step::Hello { slot, nick, how } => self.says_hello(slot, nick, how),
            Step::Say { slot, channel, id } => {
                self.asks(slot, with_id(id), say(Some(CHANNELS[channel]), &text));
            }
            Step::Tell { slot, nick, id } => {
                self.asks(slot, with_id(id), say(Some(NICKS[nick]), &text));
            }
            Step::Join { slot, channel } => self.asks(slot, None, join(CHANNELS[channel])),
            Step::Part { slot, channel } => self.asks(slot, None, part(CHANNELS[channel])),
            Step::Rename { slot, nick } => self.renames(slot, nick),
            Step::Hang { slot } => {
                let (session, now) = (self.session(slot), self.scene.registry.now);
                let registry = &mut self.scene.registry;
                registry.leave(session, DISCONNECTED, now, &mut self.gathering);
                self.generations[slot as usize] += 1;
            }
            Step::Quit { slot } => self.asks(slot, None, Command::Quit { reason: None }),
            // The first user is an operator if it has an account.
            Step::Kick { slot, nick } => self.asks(slot, None, kick(NICKS[nick], None)),
            Step::Account { slot } => {
                if !self.asking.insert(self.session(slot)) {
                    return None;
                }
                self.asks(slot, None, Command::Account);
            }
            Step::Registered { slot } => {
                let by = self.applicants.keys().find(|by| by.slot == slot);
                return by
                    .copied()
                    .and_then(|by| self.does(Step::RegisteredBy(by), number));
            }
            Step::RegisteredBy(by) => {
                let (nick, since) = self.applicants.remove(&by)?;
                self.asking.remove(&by);
                self.protects_nick(nick, since, Some(by));
            }
            Step::Added { nick } => {
                self.protects_nick(Nick::new(NICKS[nick]).unwrap(), Account::UNNOTED, None);
            }
            Step::Removed { nick } => {
                if let Some(id) = self.account(nick) {
                    self.scene.frees(id, NICKS[nick]);
                }
            }
            Step::Password { slot, nick } => self.changes_password(slot, nick),
            Step::Close => self.close(),
            Step::Answer { recorded } => self.answer(recorded),
        }
        Some(step)
    }

    fn says_hello(&mut self, slot: u32, nick: usize, how: How) {
        let token = self.tokens.get(&nick).copied();
        let command = match (how, self.account(nick)) {
            (How::Password, Some(id)) => proven(NICKS[nick], id),
            (How::Token, _) => hello(NICKS[nick], token),
            _ => hello(NICKS[nick], None),
        };
        self.asks(slot, None, command);
        self.learns_token(slot);
    }

    fn renames(&mut self, slot: u32, nick: usize) {
        self.asks(slot, None, rename(NICKS[nick]));
        self.learns_token(slot);
    }

    /// Remembers the token of the user of a connection.
    fn learns_token(&mut self, slot: u32) {
        let session = self.session(slot);
        if let Some(user) = self.scene.registry.users.at(session) {
            let now = self.scene.registry.users[user].nick.as_str();
            let nick = NICKS.iter().position(|nick| *nick == now).unwrap();
            self.tokens.insert(nick, self.scene.token(session));
        }
    }

    fn changes_password(&mut self, slot: Option<u32>, nick: usize) {
        let Some(id) = self.account(nick).map(account_id) else {
            return;
        };
        let nick = Nick::new(NICKS[nick]).unwrap();
        let by = slot.map(|slot| self.session(slot));
        let here: Vec<SessionId> = self.here().collect();
        let registry = &mut self.scene.registry;
        let change = AccountChange::PasswordChanged {
            nick,
            id,
            by,
            request: None,
        };
        registry.account_changed(change, Token::random(), &mut self.gathering);
        self.goodbyes(&here);
        if let Some(slot) = slot {
            self.learns_token(slot);
        }
    }

    fn protects_nick(&mut self, nick: Nick, since: u64, by: Option<SessionId>) {
        if self.scene.registry.accounts.id_of(nick.folded()).is_some() {
            return;
        }
        self.last_account += 1;
        self.kepts.accounts.insert(self.last_account, since);
        let id = account_id(self.last_account);
        let account = Account { id, nick, since };
        let registry = &mut self.scene.registry;
        let change = AccountChange::Protected { account, by };
        registry.account_changed(change, Token::random(), &mut self.gathering);
    }

    fn asks(&mut self, slot: u32, id: Option<Id>, command: Command) {
        let (session, now) = (self.session(slot), self.scene.registry.now);
        let request = Request { id, command };
        let here: Vec<SessionId> = self.here().collect();
        WORDS.with_borrow(|words| {
            let registry = &mut self.scene.registry;
            registry.handle(session, request, words, now, &mut self.gathering);
        });
        self.goodbyes(&here);
    }

    /// Ends the connections of `here` that have no user any more.
    fn goodbyes(&mut self, here: &[SessionId]) {
        let still: Vec<SessionId> = self.here().collect();
        for gone in here.iter().filter(|session| !still.contains(session)) {
            self.generations[gone.slot as usize] += 1;
        }
    }

    fn here(&self) -> impl Iterator<Item = SessionId> {
        let users = self.scene.registry.users.iter();
        users.map(|(_, user)| user.session)
    }

    fn close(&mut self) {
        let mut batch = self.gathering.take();
        batch.changes = self.scene.registry.take_changes();
        self.closed.push_back(batch);
        self.record();
    }

    fn record(&mut self) {
        while self.recording.is_none()
            && let Some(mut batch) = self.closed.pop_front()
        {
            let frames = batch.frames();
            if batch.changes.newest() <= self.recorded {
                self.keep(&mut batch);
            }
            let is_recorded = batch.last_seq().is_none();
            self.recording = Some((batch, frames));
            if is_recorded {
                self.answer(true);
            }
        }
    }

    fn answer(&mut self, recorded: bool) {
        let Some((mut batch, mut frames)) = self.recording.take() else {
            return;
        };
        if recorded {
            self.recorded = batch.last_seq().unwrap_or(self.recorded);
        } else {
            frames = bytes::Bytes::new();
            let later = self.closed.iter_mut().chain([&mut self.gathering]);
            let failed = std::iter::once(&mut batch).chain(later);
            self.scene.registry.rewind(self.recorded + 1, failed);
        }
        self.keep(&mut batch);
        let mut rest = &frames[..];
        while let Some(line) = split_frame(rest).unwrap() {
            let Record::Message(message) = serde_json::from_slice(line).unwrap();
            let line_end = HEADER_BYTES + line.len();
            let text = format!("{}>{} {}", message.from, message.to, message.text);
            self.log.push((message.seq, text));
            rest = &rest[line_end..];
        }
        let released = batch.release(frames.clone(), self.recorded);
        for effect in released.effects {
            if let Effect::Account { to, applicant } = effect {
                assert!(applicant.last_seq <= self.recorded, "{applicant:?}");
                self.applicants
                    .insert(to, (applicant.nick, applicant.last_seq));
            }
        }
        self.record();
    }

    fn keep(&mut self, batch: &mut Batch) {
        for change in std::mem::take(&mut batch.changes).into_vec() {
            match change {
                StateChange::SessionSaved(kept) => {
                    assert!(kept.newest() <= self.recorded, "{kept:?}");
                    self.kepts.tokens.insert(kept.digest.0, *kept);
                }
                StateChange::SessionRemoved(digest) => drop(self.kepts.tokens.remove(&digest.0)),
                StateChange::AccountSince { account, since } => {
                    assert!(since <= self.recorded);
                    self.kepts.accounts.insert(account.0.get(), since);
                }
                _ => {}
            }
        }
    }

    /// Returns every stored message number.
    fn numbers(&self) -> Vec<u64> {
        let registry = &self.scene.registry;
        let of = |since: u64, previous_nicks: &[NickTenure]| {
            let previous_nicks = previous_nicks
                .iter()
                .flat_map(|held| [held.since, held.until]);
            previous_nicks.chain([since]).collect::<Vec<_>>()
        };
        let here = registry.users.iter();
        let here = here.flat_map(|(_, user)| of(user.since, &user.previous_nicks));
        let away = NICKS
            .iter()
            .filter_map(|nick| registry.resume_pool.get(&fold(nick)));
        let away = away.flat_map(|absent| of(absent.since, &absent.previous_nicks));
        let accounts = registry.accounts.iter().map(|account| account.since);
        here.chain(away).chain(accounts).collect()
    }

    /// Returns all state that affects later steps.
    fn state(&self) -> BTreeSet<String> {
        let registry = &self.scene.registry;
        let mut state = BTreeSet::new();
        for (_, user) in registry.users.iter() {
            let held = user.tenures();
            state.insert(format!("here {:?} {:?} {held:?}", user.nick, user.account));
        }
        for absent in NICKS
            .iter()
            .filter_map(|nick| registry.resume_pool.get(&fold(nick)))
        {
            let DetachedSession {
                nick,
                since,
                previous_nicks,
                account,
                ..
            } = absent;
            state.insert(format!(
                "away {nick:?} {since} {previous_nicks:?} {account:?}"
            ));
        }
        for account in registry.accounts.iter() {
            state.insert(format!("{account:?}"));
        }
        for kept in self.kepts.tokens.values() {
            let ResumableSession {
                nick,
                account,
                channels,
                since,
                previous_nicks,
                until,
                ..
            } = kept;
            let gone = until.is_some();
            state.insert(format!(
                "kept {nick:?} {account:?} {channels:?} {since} {previous_nicks:?} {gone}"
            ));
        }
        for (account, since) in &self.kepts.accounts {
            state.insert(format!("kept account {account} {since}"));
        }
        state.insert(format!("{} {}", registry.last_seq, self.recorded));
        state.insert(format!("{:?}", registry.message_ids.sorted()));
        state
    }
}

fn check(steps: &[Step]) -> TestCaseResult {
    let mut run = Run::new();
    let mut done = Vec::new();
    for (number, &step) in steps.iter().enumerate() {
        let possible = run.does(step, number);
        done.extend(possible.map(|step| (number, step)));
        let last = run.scene.registry.last_seq;
        let newest = run.numbers().into_iter().max();
        prop_assert!(newest <= Some(last), "{step:?}: {newest:?} behind {last}");
    }
    run.close();
    while run.recording.is_some() {
        run.answer(true);
    }
    let mut reference = Run::new();
    for (number, step) in done {
        let is_said = matches!(step, Step::Say { .. } | Step::Tell { .. });
        let text = format!(" m{number}");
        if is_said && !run.log.iter().any(|(_, line)| line.ends_with(&text)) {
            continue;
        }
        if !matches!(step, Step::Close | Step::Answer { .. }) {
            reference.does(step, number);
            reference.close();
            while reference.recording.is_some() {
                reference.answer(true);
            }
        }
    }
    prop_assert_eq!(&run.log, &reference.log);
    prop_assert_eq!(run.state(), reference.state());
    Ok(())
}

proptest! {
    #[test]
    fn a_refused_batch_leaves_no_trace(steps in proptest::collection::vec(step(), 1..120)) {
        check(&steps)?;
    }
}
