//! The registry is a function of its input: two registries with different hash seeds produce equal
//! bytes.

use proptest::prelude::*;

use super::accounts::account_id;
use super::moderation::{ban, bans, kick, mute, topic, unban, unmute};
use super::*;
use crate::chat::accounts::AccountChange;
use crate::chat::hash_seed;
use crate::chat::state_change::StateChange;

const NICKS: [&str; 6] = ["ana", "Luis", "борис", "Zoë", "eva", "оса"];
const CHANNELS: [&str; 6] = ["#lobby", "#a", "#Ä", "#c", "#d", "#оса"];
const SLOTS: u32 = 16;

/// One input of the registry. Numbers choose a nick, a channel, an id or a user.
#[derive(Debug, Clone)]
enum Input {
    Hello {
        nick: Option<usize>,
        with_token: bool,
        with_account: bool,
        after: Option<u64>,
        network: u8,
    },
    Ask(Ask),
    Hang,
    Wait(i64),
    Account(AccountDeed),
    /// The last batch cannot be recorded.
    Refuse,
    Expel,
    Configure {
        absent_max: usize,
        presence_max: usize,
    },
    /// The batch ends, and its changes with it.
    Close,
    /// A new process continues with the last changes of persistent state.
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum AccountDeed {
    Protect { nick: usize, by: Option<u32> },
    ChangePassword { nick: usize, by: Option<u32> },
    Free { nick: usize },
}

#[derive(Debug, Clone)]
enum Ask {
    Say { channel: usize, id: Option<usize> },
    Tell { nick: usize },
    Join(usize),
    Part(usize),
    Rename(usize),
    Users(usize),
    Channels,
    History(usize),
    Account,
    Kick { nick: usize, channel: usize },
    Ban { nick: usize, channel: usize },
    BanNetwork(u8),
    Unban { nick: usize, channel: usize },
    Bans(usize),
    Mute(usize),
    Unmute(usize),
    Topic(usize),
    Quit,
}

fn ask() -> impl Strategy<Value = Ask> {
    let (nick, channel) = (0..NICKS.len(), 0..CHANNELS.len());
    let both = || (0..NICKS.len(), 0..CHANNELS.len());
    prop_oneof![
        4 => (channel.clone(), proptest::option::of(0..3usize))
            .prop_map(|(channel, id)| Ask::Say { channel, id }),
        2 => nick.clone().prop_map(|nick| Ask::Tell { nick }),
        8 => channel.clone().prop_map(Ask::Join),
        2 => channel.clone().prop_map(Ask::Part),
        3 => nick.clone().prop_map(Ask::Rename),
        1 => channel.clone().prop_map(Ask::Users),
        1 => Just(Ask::Channels),
        1 => nick.clone().prop_map(Ask::History),
        1 => Just(Ask::Account),
        1 => both().prop_map(|(nick, channel)| Ask::Kick { nick, channel }),
        3 => both().prop_map(|(nick, channel)| Ask::Ban { nick, channel }),
        1 => (0..3u8).prop_map(Ask::BanNetwork),
        2 => both().prop_map(|(nick, channel)| Ask::Unban { nick, channel }),
        1 => channel.clone().prop_map(Ask::Bans),
        2 => nick.clone().prop_map(Ask::Mute),
        1 => nick.prop_map(Ask::Unmute),
        2 => channel.prop_map(Ask::Topic),
        1 => Just(Ask::Quit),
    ]
}

fn input() -> impl Strategy<Value = (u32, Input)> {
    let nick = 0..NICKS.len();
    let by = || proptest::option::of(0..SLOTS);
    let account = prop_oneof![
        3 => (nick.clone(), by()).prop_map(|(nick, by)| AccountDeed::Protect { nick, by }),
        1 => (nick.clone(), by()).prop_map(|(nick, by)| AccountDeed::ChangePassword { nick, by }),
        1 => nick.clone().prop_map(|nick| AccountDeed::Free { nick }),
    ];
    let after = proptest::option::of(0..9u64);
    let hello = (
        proptest::option::of(nick),
        any::<bool>(),
        any::<bool>(),
        after,
        0..3u8,
    );
    let input = prop_oneof![
        10 => hello.prop_map(|(nick, with_token, with_account, after, network)| Input::Hello {
            nick, with_token, with_account, after, network,
        }),
        30 => ask().prop_map(Input::Ask),
        2 => Just(Input::Hang),
        2 => (1..90_000i64).prop_map(Input::Wait),
        3 => account.prop_map(Input::Account),
        1 => Just(Input::Refuse),
        1 => Just(Input::Expel),
        1 => (1..4usize, 0..5usize)
            .prop_map(|(absent_max, presence_max)| Input::Configure { absent_max, presence_max }),
        4 => Just(Input::Close),
        1 => Just(Input::Restart),
    ];
    // The operator of slot 0 acts often.
    (prop_oneof![1 => Just(0), 3 => 0..SLOTS], input)
}

/// A registry and everything that came out of it.
struct Run {
    registry: Registry,
    millis: i64,
    /// The source of all random numbers: a count.
    random: u64,
    generations: [u32; SLOTS as usize],
    batch: Batch,
    output: Vec<String>,
}

impl Run {
    fn new(hash_seed: u64) -> Self {
        hash_seed::set(hash_seed);
        let mut registry = Scene::new(10).registry;
        registry.settings.channels_per_user = 4;
        registry.settings.arrivals_per_second = 1;
        let mut run = Self {
            registry,
            millis: 0,
            random: 0,
            generations: [0; SLOTS as usize],
            batch: Batch::default(),
            output: Vec::new(),
        };
        run.log_operator_in();
        run
    }

    /// Logs an operator in at slot 0.
    fn log_operator_in(&mut self) {
        self.change_account(AccountDeed::Protect { nick: 0, by: None });
        let hello = self.hello(&Input::Hello {
            nick: Some(0),
            with_token: false,
            with_account: true,
            after: None,
            network: 9,
        });
        self.handle(self.session(0), None, hello);
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis)
    }

    fn session(&self, slot: u32) -> SessionId {
        let generation = self.generations[slot as usize];
        SessionId { slot, generation }
    }

    fn random(&mut self) -> u64 {
        self.random += 1;
        self.random
    }

    fn take(&mut self, slot: u32, input: &Input) {
        let (session, now) = (self.session(slot), self.now());
        match *input {
            Input::Hello { .. } => {
                let hello = self.hello(input);
                self.handle(session, None, hello);
            }
            Input::Ask(ref ask) => self.ask(session, ask),
            Input::Hang => {
                let out = &mut self.batch;
                self.registry.leave(session, DISCONNECTED, now, out);
                self.generations[slot as usize] += 1;
            }
            Input::Wait(millis) => {
                self.millis += millis;
                self.registry.tick(self.now(), &mut self.batch);
            }
            Input::Account(deed) => self.change_account(deed),
            Input::Refuse => {
                let seq = self.registry.last_seq + 1 - self.batch.messages() as u64;
                self.registry.rewind(seq, [&mut self.batch]);
            }
            Input::Expel => self.registry.disconnect_some(&mut self.batch),
            Input::Configure {
                absent_max,
                presence_max,
            } => {
                let settings = Settings {
                    absent_max,
                    presence_max,
                    ..self.registry.settings.clone()
                };
                self.registry.configure(settings, now);
            }
            Input::Close => self.close(),
            Input::Restart => self.restart(),
        }
    }

    fn hello(&mut self, input: &Input) -> Command {
        let Input::Hello {
            nick,
            with_token,
            with_account,
            after,
            network,
        } = *input
        else {
            unreachable!("the caller has matched it");
        };
        let name = nick.map(|nick| Nick::new(NICKS[nick]).unwrap());
        let key = name.as_ref().map_or("", |nick| nick.folded());
        let here = self.registry.users.find(key);
        let token = here.map(|user| self.registry.users[user].token);
        let number = self.random();
        Command::Hello(Box::new(Hello {
            token: token.filter(|_| with_token),
            after,
            account: self.registry.accounts.id_of(key).filter(|_| with_account),
            origin: origin(&format!("192.0.{network}.1")),
            random: LoginRandom {
                token: Token::from_number(number),
                nick_seed: number % 16,
            },
            nick: name,
        }))
    }

    fn ask(&mut self, session: SessionId, ask: &Ask) {
        let mut id = None;
        let command = match *ask {
            Ask::Say { channel, id: said } => {
                id = said.map(|said| Id::from(said.to_string()));
                say(Some(CHANNELS[channel]), "x")
            }
            Ask::Tell { nick } => say(Some(NICKS[nick]), "x"),
            Ask::Join(channel) => join(CHANNELS[channel]),
            Ask::Part(channel) => part(CHANNELS[channel]),
            Ask::Rename(nick) => rename(NICKS[nick]),
            Ask::Users(channel) => Command::Users {
                channel: CHANNELS[channel].into(),
                after: None,
                limit: 4,
            },
            Ask::Channels => Command::Channels,
            Ask::History(nick) => Command::History {
                with: NICKS[nick].into(),
                before: None,
                after: None,
                limit: 9,
            },
            Ask::Account => Command::Account,
            Ask::Kick { nick, channel } => kick(NICKS[nick], Some(CHANNELS[channel])),
            Ask::Ban { nick, channel } => ban(NICKS[nick], Some(CHANNELS[channel])),
            Ask::BanNetwork(network) => ban(&format!("192.0.{network}.0/24"), None),
            Ask::Unban { nick, channel } => unban(NICKS[nick], Some(CHANNELS[channel])),
            Ask::Bans(channel) => bans(Some(CHANNELS[channel])),
            Ask::Mute(nick) => mute(NICKS[nick], Some(60)),
            Ask::Unmute(nick) => unmute(NICKS[nick]),
            Ask::Topic(channel) => topic(CHANNELS[channel], "crabs"),
            Ask::Quit => Command::Quit { reason: None },
        };
        self.handle(session, id, command);
    }

    fn handle(&mut self, session: SessionId, id: Option<Id>, command: Command) {
        let request = Request { id, command };
        let now = self.now();
        let (registry, out) = (&mut self.registry, &mut self.batch);
        WORDS.with_borrow(|words| registry.handle(session, request, words, now, out));
    }

    fn change_account(&mut self, deed: AccountDeed) {
        let name = |nick: usize| Nick::new(NICKS[nick]).unwrap();
        let id = |nick: usize| account_id(i64::try_from(nick).unwrap() + 1);
        let by = |by: Option<u32>| by.map(|slot| self.session(slot));
        let change = match deed {
            AccountDeed::Protect { nick, by: slot } => AccountChange::Protected {
                account: Account {
                    id: id(nick),
                    nick: name(nick),
                    since: self.registry.last_seq,
                },
                by: by(slot),
            },
            AccountDeed::ChangePassword { nick, by: slot } => AccountChange::PasswordChanged {
                nick: name(nick),
                id: id(nick),
                by: by(slot),
                request: None,
            },
            AccountDeed::Free { nick } => AccountChange::Freed {
                nick: name(nick),
                id: id(nick),
            },
        };
        let token = Token::from_number(self.random());
        let (registry, out) = (&mut self.registry, &mut self.batch);
        registry.account_changed(change, token, out);
    }

    /// Ends the batch, and adds all of it to the output.
    fn close(&mut self) {
        let mut batch = std::mem::take(&mut self.batch);
        let sender_runs = batch.take_talks();
        let frames = batch.frames();
        let released = batch.release(frames, 0);
        self.output
            .extend(released.effects.iter().map(|effect| format!("{effect:?}")));
        self.output.push(format!("{:?}", released.frames));
        self.output.push(format!("{:?}", released.events));
        self.output
            .push(format!("{sender_runs:?} {}", self.registry.change_count()));
        let changes = self.registry.take_changes().into_vec();
        self.output
            .extend(changes.iter().map(|change| format!("{change:?}")));
    }

    /// Continues with a registry that knows the last changes of persistent state.
    fn restart(&mut self) {
        let now = self.now();
        for slot in 0..SLOTS {
            let session = self.session(slot);
            self.registry
                .leave(session, DISCONNECTED, now, &mut self.batch);
            self.generations[slot as usize] += 1;
        }
        let changes = self.registry.take_changes().into_vec();
        let settings = self.registry.settings.clone();
        self.registry = Registry::new(settings, self.registry.last_seq, []);
        for change in changes {
            match change {
                StateChange::SessionSaved(session) => self.registry.restore_session(*session, now),
                StateChange::SanctionSaved(sanction) => {
                    self.registry.restore_sanction((*sanction).clone());
                }
                StateChange::ChannelSaved(record) => self.registry.restore_channel(*record),
                _ => {}
            }
        }
        self.log_operator_in();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn equal_input_has_equal_effects_whatever_the_hash_seeds(
        inputs in proptest::collection::vec(input(), 1..150),
        seeds in any::<[u64; 2]>(),
    ) {
        let mut runs = seeds.map(Run::new);
        for (run, seed) in runs.iter_mut().zip(seeds) {
            hash_seed::set(seed);
            for (slot, input) in &inputs {
                run.take(*slot, input);
            }
            run.close();
        }
        let [one, other] = runs.map(|run| run.output);
        prop_assert_eq!(one, other);
    }
}
