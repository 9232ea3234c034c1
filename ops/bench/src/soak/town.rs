//! The people of the town and their connections, on one thread.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use super::heard::Heard;
use super::line::Line;
use super::person::{Came, Person, Stage};
use super::random::Random;
use super::tally::Books;
use crate::error::Result;
use crate::poller::{Events, Poller};
use crate::wire::split_frames;

/// People who share a channel.
const NEIGHBOURS: usize = 10;
/// How long somebody is silent between two words.
const SILENCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(1_500));
/// How long somebody is away who was cut off.
const ABSENCE: (Duration, Duration) = (Duration::ZERO, Duration::from_secs(2));
const TEXT: &str = "the quick brown fox jumps over the lazy dog and on";
const TURN: Duration = Duration::from_millis(5);
const READ_BYTES: usize = 64 * 1_024;
/// A key is the number of a connection and, in its lowest bits, that of the house.
const HOUSE_BITS: u32 = 16;

/// How often people are cut off, and how long they stay, in a run of some length.
#[derive(Clone, Copy, Debug)]
struct Habits {
    cut: (Duration, Duration),
    stay: (Duration, Duration),
}

impl Habits {
    fn of(length: Duration) -> Self {
        let cut = (length / 4).clamp(Duration::from_secs(2), Duration::from_secs(30));
        let stay = (length / 3).clamp(Duration::from_secs(3), Duration::from_secs(300));
        Self {
            cut: (Duration::from_secs(1), cut),
            stay: (stay / 5, stay),
        }
    }
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) lives: u64,
    pub(crate) cut: u64,
    pub(crate) resumed: u64,
    pub(crate) heard: u64,
    pub(crate) repeated: u64,
}

/// Who lives in one of the houses just now.
#[derive(Debug)]
struct House {
    person: Person,
    line: Option<Line>,
    /// The connection that was left, until the new one is welcomed.
    old: Option<Line>,
    lives: usize,
    speaks_at: Instant,
    cut_at: Instant,
    leaves_at: Instant,
}

pub(crate) struct Town {
    addr: SocketAddrV4,
    habits: Habits,
    random: Random,
    poller: Poller,
    events: Option<Events>,
    scratch: Vec<u8>,
    houses: Vec<House>,
    /// How many connections there have been: their keys.
    lines: u64,
    closing: bool,
    pub(crate) counts: Counts,
    pub(crate) books: Books,
    pub(crate) fault: Option<String>,
}

impl Town {
    /// A town of so many houses, in which somebody arrives at once.
    ///
    /// # Errors
    /// When the server takes no connection.
    pub(crate) fn new(addr: SocketAddrV4, houses: usize, length: Duration) -> Result<Self> {
        let mut town = Self {
            addr,
            habits: Habits::of(length),
            random: Random::new(4),
            poller: Poller::new()?,
            events: Some(Events::new()),
            scratch: vec![0; READ_BYTES],
            houses: Vec::new(),
            lines: 0,
            closing: false,
            counts: Counts::default(),
            books: Books::default(),
            fault: None,
        };
        for number in 0..houses {
            let now = Instant::now();
            town.houses.push(House {
                person: Person::new(number, 0, number / NEIGHBOURS),
                line: None,
                old: None,
                lives: 0,
                speaks_at: now,
                cut_at: now,
                leaves_at: now,
            });
            town.move_in(number)?;
        }
        Ok(town)
    }

    /// Nobody comes any more, and all go when what they said is acked.
    pub(crate) fn close(&mut self) {
        self.closing = true;
    }

    /// Whether all have gone.
    pub(crate) fn is_empty(&self) -> bool {
        self.houses
            .iter()
            .all(|house| house.person.stage == Stage::Gone)
    }

    /// Hears what has come and lets everybody do what it is time for.
    ///
    /// # Errors
    /// When the server takes no connection.
    pub(crate) fn turn(&mut self) -> Result<()> {
        let mut events = self.events.take().unwrap_or_else(Events::new);
        self.poller.wait(&mut events, Some(TURN))?;
        for ready in events.iter() {
            let house = ready.key & ((1 << HOUSE_BITS) - 1);
            let number = usize::try_from(house).expect("houses are few");
            let is_current = |line: &Line| line.key == ready.key;
            if !self.houses[number].line.as_ref().is_some_and(is_current) {
                continue;
            }
            if ready.readable {
                self.read(number)?;
            }
            self.flush(number)?;
        }
        self.events = Some(events);
        for number in 0..self.houses.len() {
            self.act(number)?;
        }
        Ok(())
    }

    fn move_in(&mut self, number: usize) -> Result<()> {
        let house = &mut self.houses[number];
        house.person = Person::new(number, house.lives, number / NEIGHBOURS);
        house.lives += 1;
        house.old = None;
        self.counts.lives += 1;
        self.connect(number)
    }

    fn connect(&mut self, number: usize) -> Result<()> {
        let key = self.lines << HOUSE_BITS | number as u64;
        self.lines += 1;
        let mut line = Line::open(self.addr, key, &self.poller)?;
        line.send(&self.houses[number].person.hello());
        self.houses[number].line = Some(line);
        self.flush(number)
    }

    fn act(&mut self, number: usize) -> Result<()> {
        let now = Instant::now();
        let closing = self.closing;
        let house = &mut self.houses[number];
        match house.person.stage {
            Stage::Here if closing || house.leaves_at <= now => {
                house.person.stage = Stage::Leaving;
            }
            Stage::Here if house.cut_at <= now => return self.cut(number),
            Stage::Here if house.speaks_at <= now => return self.speak(number),
            Stage::Away(until) if until <= now => {
                house.person.stage = Stage::Returning;
                return self.connect(number);
            }
            Stage::Leaving => {
                if let Some(word) = house.person.last_word() {
                    return self.send(number, &word);
                }
            }
            // Once the server has closed: a goodbye that is cut short would be lost.
            Stage::Gone if !closing && house.line.is_none() => return self.move_in(number),
            _ => {}
        }
        Ok(())
    }

    fn speak(&mut self, number: usize) -> Result<()> {
        let now = Instant::now();
        let random = &mut self.random;
        self.houses[number].speaks_at = now + random.between(SILENCE.0, SILENCE.1);
        let to = match random.below(100) {
            0..15 => "#lobby".to_owned(),
            15..75 => self.houses[number].person.channel.clone(),
            _ => {
                let other = random.below(self.houses.len());
                self.houses[other].person.nick.clone()
            }
        };
        let word = self.houses[number].person.says(&to, TEXT).to_vec();
        self.send(number, &word)
    }

    /// Loses the connection in one of three ways: with a reset, in silence while the other side keeps
    /// it, or by an end in good order. A word is on its way meanwhile.
    fn cut(&mut self, number: usize) -> Result<()> {
        self.counts.cut += 1;
        self.speak(number)?;
        let way = self.random.below(3);
        let absence = match way {
            0 => Duration::ZERO,
            _ => self.random.between(ABSENCE.0, ABSENCE.1),
        };
        let house = &mut self.houses[number];
        // By writing it may have been lost already.
        if let Some(line) = house.line.take() {
            match way {
                0 => {
                    line.neglect(&self.poller)?;
                    house.old = Some(line);
                }
                1 => line.cut(),
                _ => drop(line),
            }
            house.person.stage = Stage::Away(Instant::now() + absence);
        }
        Ok(())
    }

    fn send(&mut self, number: usize, json: &[u8]) -> Result<()> {
        if let Some(line) = &mut self.houses[number].line {
            line.send(json);
        }
        self.flush(number)
    }

    fn flush(&mut self, number: usize) -> Result<()> {
        if let Some(line) = &mut self.houses[number].line
            && !line.flush(&self.poller)?
        {
            self.lost(number);
        }
        Ok(())
    }

    /// The server has ended a connection, which it has no reason to, unless somebody has gone.
    fn lost(&mut self, number: usize) {
        let house = &mut self.houses[number];
        house.line = None;
        if house.person.stage != Stage::Gone {
            let nick = &house.person.nick;
            let stage = house.person.stage;
            self.fault
                .get_or_insert_with(|| format!("{nick} lost the connection while {stage:?}"));
            house.person.stage = Stage::Away(Instant::now());
        }
    }

    fn read(&mut self, number: usize) -> Result<()> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let house = &mut self.houses[number];
        let line = house.line.as_mut().expect("the caller has looked");
        let alive = line.read(&mut scratch);
        let bytes = std::mem::take(&mut line.partial);
        self.scratch = scratch;
        let mut came = Vec::new();
        let used = split_frames(&bytes, |json| {
            self.counts.heard += 1;
            let outcome = match serde_json::from_slice::<Heard<'_>>(json) {
                Ok(heard) => house.person.hears(&heard, json),
                Err(error) => Came::Fault(error.to_string()),
            };
            if outcome == Came::Ended {
                self.books.lives.push(house.person.life());
            }
            if outcome != Came::Nothing {
                came.push(outcome);
            }
        });
        let used = used.unwrap_or_else(|trouble| {
            came.push(Came::Fault(format!("{trouble:?}")));
            bytes.len()
        });
        line.partial.extend_from_slice(&bytes[used..]);
        for came in came {
            self.deal_with(number, came)?;
        }
        if !alive {
            self.lost(number);
        }
        Ok(())
    }

    fn deal_with(&mut self, number: usize, came: Came) -> Result<()> {
        let now = Instant::now();
        let house = &mut self.houses[number];
        match came {
            Came::Nothing => {}
            Came::Ping => return self.send(number, br#"{"type":"pong"}"#),
            Came::Entered => {
                let join = house.person.join();
                return self.send(number, &join);
            }
            Came::Here => {
                house.leaves_at = now + self.random.between(self.habits.stay.0, self.habits.stay.1);
                house.cut_at = now + self.random.between(self.habits.cut.0, self.habits.cut.1);
                let channel = house.person.channel.clone();
                let word = house.person.says(&channel, TEXT).to_vec();
                return self.send(number, &word);
            }
            Came::Returned => {
                self.counts.resumed += 1;
                house.old = None;
                house.cut_at = now + self.random.between(self.habits.cut.0, self.habits.cut.1);
                let again: Vec<Vec<u8>> = house.person.says_again().map(<[u8]>::to_vec).collect();
                for word in again {
                    self.send(number, &word)?;
                }
            }
            Came::Acked(receipt) => self.books.acked.add(receipt.as_bytes()),
            Came::Repeated => self.counts.repeated += 1,
            Came::Ended => return self.send(number, br#"{"type":"quit"}"#),
            Came::Fault(what) => {
                let nick = &house.person.nick;
                self.fault.get_or_insert_with(|| format!("{nick}: {what}"));
            }
        }
        Ok(())
    }
}
