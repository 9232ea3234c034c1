//! Random commands against a model of the protocol's promises: a nick has one user, each message
//! has one number and reaches exactly its recipients, a repeated message is acknowledged again, a
//! resumed user is in the old channels, bans and mutes hold, and direct messages are shown to their
//! two ends only, over a restart too.

mod moderation;
mod restart;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::accounts::proven;
use super::moderation::{ban, kick, mute, topic, unban, unmute};
use super::*;
use moderation::Rulings;
use restart::{Direct, Kepts};

/// The last nick is that of an operator, who is always online.
const NICKS: [&str; 5] = ["ana", "Luis", "борис", "Zoë", "eva"];
const OPERATORS_NICK: usize = 4;
const OPERATOR: u32 = 4;
const CHANNELS: [&str; 4] = ["#lobby", "#a", "#Ä", "#c"];
/// The number of previous nicks that count.
const PREVIOUS_NICKS_MAX: usize = 16;
/// The setting of [`Scene::new`].
const CHANNELS_PER_USER: usize = 2;

/// A command of one of four connections or of the operator. Numbers choose a nick, a channel or an
/// id.
#[derive(Debug, Clone)]
enum Deed {
    Hello {
        nick: usize,
        with_token: bool,
    },
    Say {
        channel: usize,
        id: Option<usize>,
    },
    Tell {
        nick: usize,
    },
    Join {
        channel: usize,
    },
    Part {
        channel: usize,
    },
    Rename {
        nick: usize,
    },
    Hang,
    Quit,
    /// The server stops or crashes, and starts again.
    Restart,
    Kick {
        nick: usize,
        channel: usize,
    },
    Ban {
        nick: usize,
        channel: usize,
    },
    Unban {
        nick: usize,
        channel: usize,
    },
    Mute {
        nick: usize,
    },
    Unmute {
        nick: usize,
    },
    Topic {
        channel: usize,
        words: &'static str,
    },
}

fn deed() -> impl Strategy<Value = (u32, Deed)> {
    let coming = prop_oneof![
        5 => (0..4usize, any::<bool>()).prop_map(|(nick, with_token)| Deed::Hello { nick, with_token }),
        1 => (0..4usize).prop_map(|nick| Deed::Rename { nick }),
        1 => Just(Deed::Hang),
        1 => Just(Deed::Quit),
    ];
    let talk = prop_oneof![
        4 => (0..4usize, proptest::option::of(0..3usize)).prop_map(|(channel, id)| Deed::Say { channel, id }),
        2 => (0..5usize).prop_map(|nick| Deed::Tell { nick }),
        3 => (0..4usize).prop_map(|channel| Deed::Join { channel }),
        2 => (0..4usize).prop_map(|channel| Deed::Part { channel }),
    ];
    // Few targets, so that decisions and users meet often.
    let whom = || prop_oneof![2 => 0..2usize, 1 => 0..5usize];
    let whom_where = || (whom(), 0..3usize);
    let ruling = prop_oneof![
        whom_where().prop_map(|(nick, channel)| Deed::Kick { nick, channel }),
        whom_where().prop_map(|(nick, channel)| Deed::Ban { nick, channel }),
        whom_where().prop_map(|(nick, channel)| Deed::Unban { nick, channel }),
        whom().prop_map(|nick| Deed::Mute { nick }),
        whom().prop_map(|nick| Deed::Unmute { nick }),
        (0..4usize, prop_oneof![Just(""), Just("crabs")])
            .prop_map(|(channel, words)| Deed::Topic { channel, words }),
    ];
    prop_oneof![
        1 => Just((0, Deed::Restart)),
        12 => (0..4u32, coming),
        18 => (0..5u32, talk),
        12 => (prop_oneof![0..4u32, Just(OPERATOR)], ruling),
    ]
}

/// The number of a message, and its recipients.
type Delivery = (u64, BTreeSet<u32>);

/// A user who is online.
#[derive(Debug, Clone)]
struct Person {
    nick: usize,
    channels: BTreeSet<usize>,
    token: Token,
    /// The last message of each id, and the number of nicks before it.
    said: BTreeMap<usize, (u64, usize)>,
    /// The number of changes of nick.
    renames: usize,
}

impl Person {
    /// Returns the message with an id, unless its nick is no longer known.
    fn has_said(&self, id: usize) -> Option<u64> {
        let &(seq, renames) = self.said.get(&id)?;
        (self.renames <= renames + PREVIOUS_NICKS_MAX).then_some(seq)
    }
}

/// The model, and the registry under test.
struct Model {
    scene: Scene,
    /// The number of connections of each slot so far.
    generations: [u32; 5],
    here: BTreeMap<u32, Person>,
    /// The users who can resume, by nick.
    away: BTreeMap<usize, Person>,
    /// The last token of each nick, ended or not.
    tokens: BTreeMap<usize, Token>,
    last_seq: u64,
    directs: Vec<Direct>,
    kepts: Kepts,
    /// The subscribers of a channel, as the dispatcher knows them.
    subscribed: BTreeMap<ChannelKey, BTreeSet<u32>>,
    rulings: Rulings,
}

impl Model {
    fn new() -> Self {
        let mut scene = Scene::new(1000);
        // No absent user is evicted.
        scene.registry.settings.absent_max = 1000;
        scene.protects(1, NICKS[OPERATORS_NICK], None);
        let mut model = Self {
            scene,
            generations: [0; 5],
            here: BTreeMap::new(),
            away: BTreeMap::new(),
            tokens: BTreeMap::new(),
            last_seq: 0,
            directs: Vec::new(),
            kepts: Kepts::default(),
            subscribed: BTreeMap::new(),
            rulings: Rulings::default(),
        };
        model.asks(OPERATOR, None, proven(NICKS[OPERATORS_NICK], 1));
        let token = model.scene.token(model.session(OPERATOR));
        let operator = Person {
            nick: OPERATORS_NICK,
            channels: [0].into(),
            token,
            said: BTreeMap::new(),
            renames: 0,
        };
        model.here.insert(OPERATOR, operator);
        model
    }

    fn session(&self, slot: u32) -> SessionId {
        SessionId {
            slot,
            generation: self.generations[slot as usize],
        }
    }

    fn does(&mut self, slot: u32, deed: &Deed) -> TestCaseResult {
        if matches!(deed, Deed::Restart) {
            self.restarts();
            return Ok(());
        }
        let (id, command) = self.request(deed);
        let Some(command) = command else {
            let mut batch = Batch::default();
            let session = self.session(slot);
            let now = self.scene.registry.now;
            self.scene
                .registry
                .leave(session, DISCONNECTED, now, &mut batch);
            self.follow(batch);
            self.forget(slot);
            self.goes(slot, true);
            return Ok(());
        };
        let expected = self.expected(slot, deed);
        let (told, deliveries) = self.asks(slot, id, command);
        match expected {
            Err(code) => {
                prop_assert!(told.contains(&code.to_string()), "{deed:?}: {told:?}");
                prop_assert!(deliveries.is_empty(), "{deed:?}: {deliveries:?}");
                if code == ErrorCode::Banned {
                    self.ends(slot);
                }
            }
            Ok(audience) => self.happens(slot, deed, audience, &told, &deliveries)?,
        }
        Ok(())
    }

    /// Returns the events, and the recipients of messages.
    fn asks(
        &mut self,
        slot: u32,
        id: Option<Id>,
        command: Command,
    ) -> (Vec<String>, Vec<Delivery>) {
        let mut batch = Batch::default();
        let session = self.session(slot);
        let now = self.scene.registry.now;
        let request = Request { id, command };
        WORDS.with_borrow(|words| {
            let registry = &mut self.scene.registry;
            registry.handle(session, request, words, now, &mut batch);
        });
        self.follow(batch)
    }

    fn request(&self, deed: &Deed) -> (Option<Id>, Option<Command>) {
        let mut id = None;
        let command = match *deed {
            Deed::Hello { nick, with_token } => {
                let token = self.tokens.get(&nick).copied().filter(|_| with_token);
                hello(NICKS[nick], token)
            }
            Deed::Say { channel, id: said } => {
                id = said.map(|said| Id::from(said.to_string()));
                say(Some(CHANNELS[channel]), "x")
            }
            Deed::Tell { nick } => say(Some(NICKS[nick]), "x"),
            Deed::Join { channel } => join(CHANNELS[channel]),
            Deed::Part { channel } => part(CHANNELS[channel]),
            Deed::Rename { nick } => rename(NICKS[nick]),
            Deed::Quit => Command::Quit {
                reason: Text::new("farewell", 100).ok(),
            },
            Deed::Hang | Deed::Restart => return (None, None),
            Deed::Kick { nick, channel } => kick(NICKS[nick], Some(CHANNELS[channel])),
            Deed::Ban { nick, channel } => ban(NICKS[nick], Some(CHANNELS[channel])),
            Deed::Unban { nick, channel } => unban(NICKS[nick], Some(CHANNELS[channel])),
            Deed::Mute { nick } => mute(NICKS[nick], None),
            Deed::Unmute { nick } => unmute(NICKS[nick]),
            Deed::Topic { channel, words } => topic(CHANNELS[channel], words),
        };
        (id, Some(command))
    }

    fn holder(&self, nick: usize) -> Option<u32> {
        let mut here = self.here.iter();
        here.find(|(_, person)| person.nick == nick)
            .map(|(&slot, _)| slot)
    }

    fn members(&self, channel: usize) -> BTreeSet<u32> {
        let here = self.here.iter();
        here.filter(|(_, person)| person.channels.contains(&channel))
            .map(|(&slot, _)| slot)
            .collect()
    }

    /// Returns the recipients of a message, or the expected error.
    fn expected(&self, slot: u32, deed: &Deed) -> Result<BTreeSet<u32>, ErrorCode> {
        let nobody = BTreeSet::new();
        let Some(person) = self.here.get(&slot) else {
            return match *deed {
                Deed::Hello { nick, .. } if self.rulings.banned.contains(&nick) => {
                    Err(ErrorCode::Banned)
                }
                Deed::Hello { nick, with_token } if !with_token && self.holder(nick).is_some() => {
                    Err(ErrorCode::NickTaken)
                }
                Deed::Hello { .. } | Deed::Quit => Ok(nobody),
                _ => Err(ErrorCode::HelloRequired),
            };
        };
        match *deed {
            Deed::Hello { .. } => Err(ErrorCode::BadRequest),
            // Whatever its target is.
            Deed::Say { id: Some(id), .. } if person.has_said(id).is_some() => Ok(nobody),
            Deed::Say { channel, .. } | Deed::Part { channel } => {
                let members = self.members(channel);
                match deed {
                    Deed::Part { channel: 0 } => Err(ErrorCode::ChannelInvalid),
                    _ if members.is_empty() => Err(ErrorCode::NoSuchChannel),
                    _ if !members.contains(&slot) => Err(ErrorCode::NotInChannel),
                    Deed::Part { .. } => Ok(nobody),
                    _ if self.is_muted(slot) => Err(ErrorCode::Muted),
                    _ => Ok(members),
                }
            }
            Deed::Tell { nick } => match self.holder(nick) {
                Some(other) if other != OPERATOR && self.is_muted(slot) => Err(ErrorCode::Muted),
                Some(other) => Ok([slot, other].into()),
                None => Err(ErrorCode::NoSuchUser),
            },
            Deed::Join { channel } => {
                // The lobby does not count.
                let full = person.channels.len() > CHANNELS_PER_USER;
                match person.channels.contains(&channel) {
                    false if full => Err(ErrorCode::TooManyChannels),
                    false if slot != OPERATOR && self.is_banned_from(channel, person) => {
                        Err(ErrorCode::BannedFromChannel)
                    }
                    _ => Ok(nobody),
                }
            }
            Deed::Rename { nick } if self.rulings.banned.contains(&nick) => {
                Err(ErrorCode::NotPermitted)
            }
            Deed::Rename { nick } => match self.holder(nick) {
                Some(other) if other != slot => Err(ErrorCode::NickTaken),
                _ => Ok(nobody),
            },
            Deed::Quit | Deed::Hang => Ok(nobody),
            _ => self.may(slot, deed).map(|()| nobody),
        }
    }

    fn happens(
        &mut self,
        slot: u32,
        deed: &Deed,
        audience: BTreeSet<u32>,
        told: &[String],
        deliveries: &[Delivery],
    ) -> TestCaseResult {
        match *deed {
            Deed::Hello { nick, with_token } => self.arrives(slot, nick, with_token, told)?,
            Deed::Say { id: Some(id), .. } if let Some(seq) = self.here[&slot].has_said(id) => {
                let ack = format!("{slot}: ack {seq}");
                prop_assert!(told.contains(&ack), "{ack}: {told:?}");
                prop_assert!(deliveries.is_empty(), "said again, delivered again");
            }
            Deed::Say { .. } | Deed::Tell { .. } => {
                self.last_seq += 1;
                prop_assert_eq!(deliveries, &[(self.last_seq, audience)]);
                self.is_said(slot, deed);
            }
            Deed::Join { channel } => {
                self.enters(channel, self.here[&slot].token);
                let new = self.person(slot).channels.insert(channel);
                let entered = new.then_some(channel).into_iter().collect();
                self.hears_topics(told, &entered)?;
            }
            Deed::Part { channel } => self.parts(slot, channel),
            Deed::Rename { nick } => {
                let person = self.person(slot);
                person.renames += usize::from(person.nick != nick);
                person.nick = nick;
                self.tokens.insert(nick, self.here[&slot].token);
                self.away.remove(&nick);
            }
            Deed::Quit => {
                let muted = self.here.contains_key(&slot) && self.is_muted(slot);
                let person = self.here.get(&slot);
                let farewell = person.map(|person| format!("gone {} farewell", NICKS[person.nick]));
                let heard = farewell.is_none_or(|farewell| told.contains(&farewell));
                prop_assert_eq!(heard, !muted, "{:?}", told);
                self.goes(slot, false);
            }
            Deed::Hang => {}
            _ => self.is_ruled(slot, deed, told)?,
        }
        let mut nicks: Vec<usize> = self.here.values().map(|person| person.nick).collect();
        nicks.sort_unstable();
        prop_assert!(nicks.windows(2).all(|pair| pair[0] != pair[1]), "{nicks:?}");
        Ok(())
    }

    fn arrives(
        &mut self,
        slot: u32,
        nick: usize,
        with_token: bool,
        told: &[String],
    ) -> TestCaseResult {
        let here = self.holder(nick);
        let here = here.and_then(|holder| self.here.remove(&holder).inspect(|_| self.ends(holder)));
        let away = self.away.get(&nick).filter(|_| with_token).cloned();
        let back = here.or_else(|| away.map(|person| self.returns(person)));
        // A token ends when another user takes the nick.
        self.away.remove(&nick);
        let channels = back
            .as_ref()
            .map_or([0].into(), |person| person.channels.clone());
        let names: BTreeSet<&str> = channels.iter().map(|&channel| CHANNELS[channel]).collect();
        let welcome = told
            .iter()
            .find(|line| line.starts_with(&format!("{slot}: welcome")));
        let welcome = welcome.map_or("", |line| line);
        let (_, joined) = welcome.split_once(" in ").unwrap_or_default();
        let joined: BTreeSet<&str> = joined.trim_end_matches(" back").split(',').collect();
        prop_assert_eq!(joined, names, "{:?}", told);
        prop_assert_eq!(welcome.ends_with(" back"), back.is_some(), "{}", welcome);
        let token = self.scene.token(self.session(slot));
        self.tokens.insert(nick, token);
        self.hears_topics(told, &channels)?;
        let (said, renames) = back.map_or_else(Default::default, |back| (back.said, back.renames));
        let person = Person {
            nick,
            channels,
            token,
            said,
            renames,
        };
        self.here.insert(slot, person);
        Ok(())
    }

    /// A user who resumes enters the old channels, except those with a ban.
    fn returns(&mut self, mut person: Person) -> Person {
        let channels = person.channels.clone();
        let may = |&channel: &usize| !self.is_banned_from(channel, &person);
        person.channels = channels.into_iter().filter(may).collect();
        for &channel in &person.channels {
            self.enters(channel, person.token);
        }
        person
    }

    fn person(&mut self, slot: u32) -> &mut Person {
        self.here.get_mut(&slot).expect("they are here")
    }

    /// Ends a connection. The user can resume if the settings allow it.
    fn goes(&mut self, slot: u32, may_return: bool) {
        if let Some(person) = self.here.remove(&slot) {
            self.ends(slot);
            if may_return {
                self.away.insert(person.nick, person);
            }
        } else if !may_return {
            self.ends(slot);
        }
    }

    fn ends(&mut self, slot: u32) {
        self.generations[slot as usize] += 1;
    }

    /// Removes an ended connection from all channels.
    fn forget(&mut self, slot: u32) {
        for members in self.subscribed.values_mut() {
            members.remove(&slot);
        }
    }

    /// Returns the events of a batch and the recipients of messages, as the dispatcher delivers
    /// them.
    fn follow(&mut self, mut batch: Batch) -> (Vec<String>, Vec<Delivery>) {
        let frames = batch.frames();
        let released = batch.release(frames, 0);
        let mut deliveries = Vec::new();
        let mut told = Vec::new();
        for effect in &released.effects {
            match effect {
                Effect::Subscribe { session, channel } => {
                    let members = self.subscribed.entry(*channel).or_default();
                    members.insert(session.slot);
                }
                Effect::Unsubscribe { session, channel } => {
                    let members = self.subscribed.entry(*channel).or_default();
                    members.remove(&session.slot);
                }
                Effect::Close { session } => self.forget(session.slot),
                Effect::Messages {
                    last_seq: seq,
                    audience,
                    sender,
                    ..
                } => {
                    let audience = match audience {
                        Audience::Channel(channel) => self.subscribed[channel].clone(),
                        Audience::Direct(other) => [sender.slot, other.slot].into(),
                    };
                    deliveries.push((*seq, audience));
                }
                _ => {}
            }
            let line = line(effect, &released);
            told.push(line.rsplit(": ").next().unwrap_or_default().to_owned());
            told.push(line);
        }
        (told, deliveries)
    }
}

proptest! {
    #[test]
    fn the_promises_hold_whatever_people_do(
        deeds in proptest::collection::vec(deed(), 1..160),
    ) {
        let mut model = Model::new();
        for (slot, deed) in &deeds {
            model.does(*slot, deed)?;
            model.channels_end();
            model.keeps();
            model.directs_are_theirs_alone()?;
        }
    }
}
