//! `History`: reads pages and what somebody missed, on threads of its own.
//!
//! A dispatcher asks ([`HistoryRequest`]) when the answer's turn to be written has come, so there is at most one
//! question of each session under way, and an answer is never larger than one socket may have waiting.
//! What somebody missed is planned once (which lines) and read piece by piece as the socket takes it.
//! Readers never look behind the recorded end, and a line that is damaged is an error that names it.

pub(in crate::store) mod filter;
mod queue;

use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use bytes::{BufMut, Bytes, BytesMut};
use chat_proto::Welcome;
use chat_proto::codec::{encode_history, history_room};

use crate::address::network_of;
use crate::chat::SessionId;
use crate::chat::effect::Page;
use crate::chat::history_query::{
    HistoryAnswer, HistoryQuery, HistoryReader, HistoryRequest, HistoryResponse, ReplayCursor,
    ResumeRequest,
};
use crate::chat::token::Id;
use crate::error::HistoryError;
use crate::store::index::{self, Index, Trust};
use crate::store::log::{First, Log, Place, RecordedEnd};
use filter::Wanted;
use queue::{Class, ReadQueue};

/// How much of what was missed is read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Sessions ask here. Clones share the queue and its threads.
#[derive(Debug, Clone)]
pub struct Readers {
    queue: Arc<ReadQueue<HistoryRequest>>,
    threads: Addr<History>,
}

impl Readers {
    /// Starts the threads; `reader` makes the reader of each.
    pub fn start(
        reader: impl Fn(Arc<ReadQueue<HistoryRequest>>) -> History + Send + Sync + 'static,
    ) -> Self {
        let queue = Arc::<ReadQueue<HistoryRequest>>::default();
        let shared = queue.clone();
        let threads = SyncArbiter::start(queue::READERS, move || reader(shared.clone()));
        Self { queue, threads }
    }
}

impl HistoryReader for Readers {
    fn read(&self, address: IpAddr, read: HistoryRequest) {
        let class = match read.query {
            HistoryQuery::Page { .. } | HistoryQuery::Rest(_) => Class::Short,
            HistoryQuery::Missed(_) => Class::Long,
        };
        let network = network_of(address);
        if self.queue.push(network, read.session, class, read) {
            self.threads.do_send(Turn);
        }
    }

    fn put_last(&self, session: SessionId) {
        self.queue.put_last(session);
    }

    fn cancel(&self, session: SessionId) {
        self.queue.remove(session);
    }
}

/// The lines of a replay that are still to be read.
#[derive(Debug)]
struct ReplayPosition {
    wanted: Wanted,
    /// The last one first.
    places: Vec<Place>,
}

/// Work off the queue.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Turn;

/// See the head of this file.
#[derive(Debug)]
pub struct History {
    log: Log,
    end: RecordedEnd,
    trust: Trust,
    queue: Arc<ReadQueue<HistoryRequest>>,
    /// Where there is none, more of the log is read.
    index: Option<Index>,
    /// Which index that is, see [`Trust::generation`].
    generation: u64,
}

impl History {
    /// A reader of `log` up to `end`.
    pub fn new(
        log: Log,
        end: RecordedEnd,
        trust: Trust,
        queue: Arc<ReadQueue<HistoryRequest>>,
    ) -> Self {
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
    fn answer(&mut self, what: HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
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

    fn read(&mut self, what: HistoryQuery, end: u64) -> Result<HistoryAnswer, HistoryError> {
        match what {
            HistoryQuery::Page { page, upto } => self.read_page(end, *page, upto),
            HistoryQuery::Missed(arrival) => {
                let ResumeRequest { welcome, replay } = *arrival;
                let wanted = Wanted::missed(&replay, welcome.seq + 1);
                let (mut places, gap) = self.select(&wanted, end, First::Newest, replay.max)?;
                places.reverse();
                let (frames, rest) = self.read_piece(ReplayPosition { wanted, places })?;
                Ok(HistoryAnswer::Missed {
                    welcome: Box::new(welcome),
                    gap,
                    frames,
                    rest,
                })
            }
            HistoryQuery::Rest(cursor) => {
                let position = cursor.into_position().expect("made by this reader");
                let (frames, rest) = self.read_piece(*position)?;
                Ok(HistoryAnswer::Rest { frames, rest })
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

    fn read_page(
        &mut self,
        end: u64,
        page: Page,
        upto: u64,
    ) -> Result<HistoryAnswer, HistoryError> {
        let before = page.before.unwrap_or(u64::MAX).min(upto + 1);
        let first = if page.after.is_some() {
            First::Oldest
        } else {
            First::Newest
        };
        let wanted = Wanted::conversation(&page.conversation, page.after.unwrap_or(0), before);
        let (mut places, mut more) = self.select(&wanted, end, first, page.limit.into())?;
        if places.is_empty() && !page.is_known {
            return Ok(HistoryAnswer::NoSuchUser {
                with: page.with,
                id: page.id,
            });
        }
        let id = page.id.as_deref();
        more |= cut_to_fit(&mut places, first, history_room(&page.with, id));
        let lines: Vec<Vec<u8>> = places
            .iter()
            .map(|place| wanted.read(&self.log, place))
            .collect::<Result<_, _>>()?;
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut frame = BytesMut::new();
        encode_history(&page.with, &lines, more, id, &mut frame)
            .expect("the lines were chosen to fit");
        Ok(HistoryAnswer::Page(frame.freeze()))
    }

    /// The next frames of a plan: each line with its newline, as it was delivered first.
    fn read_piece(
        &self,
        mut plan: ReplayPosition,
    ) -> Result<(Bytes, Option<ReplayCursor>), HistoryError> {
        let mut frames = BytesMut::new();
        while frames.len() < PIECE_BYTES
            && let Some(place) = plan.places.pop()
        {
            let line = plan.wanted.read(&self.log, &place)?;
            frames.put_u32(place.bytes + 1);
            frames.put_slice(&line);
            frames.put_u8(b'\n');
        }
        let rest = (!plan.places.is_empty()).then(|| ReplayCursor::new(plan));
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
    fn of(what: &HistoryQuery) -> Self {
        match what {
            HistoryQuery::Page { page, .. } => Self::Page {
                id: page.id.clone(),
            },
            HistoryQuery::Missed(arrival) => Self::Missed(Box::new(arrival.welcome.clone())),
            HistoryQuery::Rest(_) => Self::Rest,
        }
    }

    fn answered(self) -> HistoryAnswer {
        match self {
            Self::Page { id } => HistoryAnswer::Unreadable { id },
            Self::Missed(welcome) => HistoryAnswer::Missed {
                welcome,
                gap: true,
                frames: Bytes::new(),
                rest: None,
            },
            Self::Rest => HistoryAnswer::BrokenOff,
        }
    }
}

/// Leaves out what does not fit into `room` bytes, at the far end; true if something did not.
fn cut_to_fit(places: &mut Vec<Place>, first: First, mut room: usize) -> bool {
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
            let HistoryRequest {
                session,
                query,
                reply,
            } = read;
            let answer = self.answer(query).map_err(|error| error.to_string());
            reply.do_send(HistoryResponse { session, answer });
        }
    }
}
