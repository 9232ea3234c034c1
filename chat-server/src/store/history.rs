//! `History`: reads pages and what somebody missed, on threads of its own.
//!
//! A dispatcher asks ([`Read`]) when the answer's turn to be written has come, so there is at most one
//! question of each session under way, and an answer is never larger than one socket may have waiting.
//! What somebody missed is planned once (which lines) and read piece by piece as the socket takes it.
//! Readers never look behind the recorded end, and a line that is damaged is an error that names it.

use std::sync::Arc;

use actix::prelude::*;
use bytes::{BufMut, Bytes, BytesMut};
use chat_proto::Welcome;
use chat_proto::codec::{encode_history, history_room};

use super::index::{self, Index, Trust};
use super::log::{Log, Place};
use super::read_queue::{ReadQueue, Turn};
use super::recorder::RecordedEnd;
use super::selection::{First, Wanted};
use crate::chat::SessionId;
use crate::chat::effect::Page;
use crate::chat::token::Id;
use crate::error::HistoryError;
use crate::net::connection::Arrival;

/// How much of what was missed is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// What is to be read for a session.
#[derive(Debug)]
pub struct Read {
    pub session: SessionId,
    pub what: What,
    pub reply: Recipient<Answer>,
}

/// What can be read.
#[derive(Debug)]
pub enum What {
    /// A page of messages up to `upto`.
    Page { page: Box<Page>, upto: u64 },
    /// What was missed, before the welcome's `seq`.
    Missed(Box<Arrival>),
    /// More of what was missed.
    Rest(Box<Plan>),
}

/// Lines that are still to be read.
#[derive(Debug)]
pub struct Plan {
    wanted: Wanted,
    /// The last one first.
    places: Vec<Place>,
}

/// What was read.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Answer {
    pub session: SessionId,
    pub answered: Result<Answered, HistoryError>,
}

/// See [`What`].
#[derive(Debug)]
pub enum Answered {
    /// The frame of the page.
    Page(Bytes),
    /// The lines of the page are not in the file any more; the request bore this id.
    Unreadable { id: Option<Id> },
    /// Nor are the next frames: what is missing cannot be told behind the welcome.
    BrokenOff,
    /// The page is empty, and nobody has the nick.
    NoSuchUser { with: Arc<str>, id: Option<Id> },
    /// What the welcome has to say of it, and the first frames.
    Missed {
        welcome: Box<Welcome<'static>>,
        gap: bool,
        frames: Bytes,
        rest: Option<Box<Plan>>,
    },
    /// The next frames.
    Rest {
        frames: Bytes,
        rest: Option<Box<Plan>>,
    },
}

/// See the head of this file.
#[derive(Debug)]
pub struct History {
    log: Log,
    end: RecordedEnd,
    trust: Trust,
    queue: Arc<ReadQueue<Read>>,
    /// Where there is none, more of the log is read.
    index: Option<Index>,
    /// Which index that is, see [`Trust::generation`].
    generation: u64,
}

impl History {
    /// A reader of `log` up to `end`.
    pub fn new(log: Log, end: RecordedEnd, trust: Trust, queue: Arc<ReadQueue<Read>>) -> Self {
        Self {
            log,
            end,
            trust,
            queue,
            index: None,
            generation: 0,
        }
    }

    /// Answers, also where the file was truncated under the server.
    fn answer(&mut self, what: What) -> Result<Answered, HistoryError> {
        let unreadable = Unreadable::of(&what);
        let end = self.end.get();
        self.renew_index();
        match self.read(what, end) {
            Err(error) if self.is_truncated(end) => {
                log::debug!("a part of the history is missing: {error}");
                Ok(unreadable.answered())
            }
            answered => answered,
        }
    }

    fn is_truncated(&self, end: u64) -> bool {
        self.end.is_truncated() || self.log.length().is_ok_and(|length| length < end)
    }

    /// Opens the index that the indexer has opened or made since.
    fn renew_index(&mut self) {
        let generation = self.trust.generation();
        if std::mem::replace(&mut self.generation, generation) == generation {
            return;
        }
        self.index = match Index::reader(&index::path_of(self.log.path())) {
            Ok(index) => Some(index),
            Err(error) => {
                log::error!("old messages will be found slowly: {error}");
                self.trust.distrust();
                None
            }
        };
    }

    fn read(&mut self, what: What, end: u64) -> Result<Answered, HistoryError> {
        match what {
            What::Page { page, upto } => self.read_page(end, *page, upto),
            What::Missed(arrival) => {
                let Arrival { welcome, replay } = *arrival;
                let wanted = Wanted::missed(&replay, welcome.seq + 1);
                let (mut places, gap) = self.select(&wanted, end, First::Newest, replay.max)?;
                places.reverse();
                let (frames, rest) = self.read_piece(Plan { wanted, places })?;
                Ok(Answered::Missed {
                    welcome: Box::new(welcome),
                    gap,
                    frames,
                    rest,
                })
            }
            What::Rest(plan) => {
                let (frames, rest) = self.read_piece(*plan)?;
                Ok(Answered::Rest { frames, rest })
            }
        }
    }

    fn select(
        &mut self,
        wanted: &Wanted,
        end: u64,
        first: First,
        max: usize,
    ) -> Result<(Vec<Place>, bool), HistoryError> {
        match wanted.select(&self.log, self.index.as_ref(), end, first, max) {
            Err(HistoryError::Index(error)) => {
                log::error!("old messages will be found slowly: the index: {error}");
                self.index = None;
                self.trust.distrust();
                wanted.select(&self.log, None, end, first, max)
            }
            selected => selected,
        }
    }

    fn read_page(&mut self, end: u64, page: Page, upto: u64) -> Result<Answered, HistoryError> {
        let before = page.before.unwrap_or(u64::MAX).min(upto + 1);
        let first = if page.after.is_some() {
            First::Oldest
        } else {
            First::Newest
        };
        let wanted = Wanted::conversation(&page.conversation, page.after.unwrap_or(0), before);
        let (mut places, mut more) = self.select(&wanted, end, first, page.limit.into())?;
        if places.is_empty() && !page.is_known {
            return Ok(Answered::NoSuchUser {
                with: page.with,
                id: page.id,
            });
        }
        more |= cut_to_fit(&mut places, first, &page.with);
        let lines: Vec<Vec<u8>> = places
            .iter()
            .map(|place| wanted.read(&self.log, place))
            .collect::<Result<_, _>>()?;
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut frame = BytesMut::new();
        encode_history(&page.with, &lines, more, &mut frame).expect("the lines were chosen to fit");
        Ok(Answered::Page(frame.freeze()))
    }

    /// The next frames of a plan: each line with its newline, as it was delivered first.
    fn read_piece(&self, mut plan: Plan) -> Result<(Bytes, Option<Box<Plan>>), HistoryError> {
        let mut frames = BytesMut::new();
        while frames.len() < PIECE_BYTES
            && let Some(place) = plan.places.pop()
        {
            let line = plan.wanted.read(&self.log, &place)?;
            frames.put_u32(place.bytes + 1);
            frames.put_slice(&line);
            frames.put_u8(b'\n');
        }
        let rest = (!plan.places.is_empty()).then(|| Box::new(plan));
        Ok((frames.freeze(), rest))
    }
}

/// What is answered where the file was truncated under the server.
enum Unreadable {
    Page { id: Option<Id> },
    Missed(Box<Welcome<'static>>),
    Rest,
}

impl Unreadable {
    fn of(what: &What) -> Self {
        match what {
            What::Page { page, .. } => Self::Page {
                id: page.id.clone(),
            },
            What::Missed(arrival) => Self::Missed(Box::new(arrival.welcome.clone())),
            What::Rest(_) => Self::Rest,
        }
    }

    fn answered(self) -> Answered {
        match self {
            Self::Page { id } => Answered::Unreadable { id },
            Self::Missed(welcome) => Answered::Missed {
                welcome,
                gap: true,
                frames: Bytes::new(),
                rest: None,
            },
            Self::Rest => Answered::BrokenOff,
        }
    }
}

/// Leaves out what does not fit into one frame, at the far end; true if something did not.
fn cut_to_fit(places: &mut Vec<Place>, first: First, with: &str) -> bool {
    let mut room = history_room(with);
    let mut fits = |place: &Place| {
        let bytes = place.bytes as usize + 1;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    };
    let all = places.len();
    match first {
        First::Oldest => places.truncate(places.iter().take_while(|place| fits(place)).count()),
        First::Newest => {
            let kept = places.iter().rev().take_while(|place| fits(place)).count();
            places.drain(..all - kept);
        }
    }
    places.len() < all
}

impl Actor for History {
    type Context = SyncContext<Self>;
}

impl Handler<Turn> for History {
    type Result = ();

    fn handle(&mut self, Turn: Turn, _: &mut Self::Context) {
        let queue = self.queue.clone();
        queue.taken();
        while let Some((read, _served)) = queue.next() {
            let Read {
                session,
                what,
                reply,
            } = read;
            let answered = self.answer(what);
            reply.do_send(Answer { session, answered });
        }
    }
}
