//! `History`: reads pages and replays, on its own threads.
//!
//! A dispatcher sends a [`HistoryRequest`] when the session is ready to write the answer. Each session
//! therefore has at most one read in progress, and an answer never exceeds the send queue of a
//! socket. A replay is planned once (the positions of its lines) and read in parts as the socket
//! accepts them. Reads never pass the recorded end, and a damaged line is an error that names it.

pub(in crate::store) mod filter;
mod queue;

use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use bytes::{BufMut, Bytes, BytesMut};
use chat_proto::Welcome;
use chat_proto::codec::{encode_history, history_room};

use crate::chat::SessionId;
use crate::chat::effect::Page;
use crate::chat::history_query::{
    HistoryAnswer, HistoryQuery, HistoryReader, HistoryRequest, HistoryResponse, ReplayCursor,
    ResumeRequest,
};
use crate::chat::token::Id;
use crate::error::HistoryError;
use crate::ip::client_network;
use crate::store::index::{self, Index, IndexStatus};
use crate::store::log::{Direction, LinePosition, Log, RecordedEnd};
use filter::MessageFilter;
use queue::{Class, ReadQueue};

/// How much of what was missed is read at once.
const READ_BYTES: usize = 64 * 1024;

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
        let network = client_network(address);
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
    filter: MessageFilter,
    /// The last one first.
    positions: Vec<LinePosition>,
}

/// Work off the queue.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Turn;

/// A reader of the history.
#[derive(Debug)]
pub struct History {
    log: Log,
    end: RecordedEnd,
    status: IndexStatus,
    queue: Arc<ReadQueue<HistoryRequest>>,
    /// Where there is none, more of the log is read.
    index: Option<Index>,
    /// Which index that is, see [`IndexStatus::generation`].
    generation: u64,
}

impl History {
    /// A reader of `log` up to `end`.
    pub fn new(
        log: Log,
        end: RecordedEnd,
        status: IndexStatus,
        queue: Arc<ReadQueue<HistoryRequest>>,
    ) -> Self {
        Self {
            log,
            end,
            status,
            queue,
            index: None,
            generation: 0,
        }
    }

    /// Answers, also where the file was truncated under the server.
    fn answer(&mut self, request: HistoryQuery) -> Result<HistoryAnswer, HistoryError> {
        let unreadable = Unreadable::of(&request);
        let end = self.end.get();
        self.renew_index();
        match self.read(request, end) {
            Err(error) if self.is_truncated(end) => {
                log::debug!("a part of the history is missing: {error}");
                Ok(unreadable.response())
            }
            response => response,
        }
    }

    fn is_truncated(&self, end: u64) -> bool {
        self.end.is_truncated() || self.log.length().is_ok_and(|length| length < end)
    }

    /// Opens the index that the indexer has opened or made since.
    fn renew_index(&mut self) {
        let generation = self.status.generation();
        if std::mem::replace(&mut self.generation, generation) == generation {
            return;
        }
        self.index = match Index::reader(&index::path_of(self.log.path())) {
            Ok(index) => Some(index),
            Err(error) => {
                log::error!("old messages will be found slowly: {error}");
                self.status.report_damage();
                None
            }
        };
    }

    fn read(&mut self, request: HistoryQuery, end: u64) -> Result<HistoryAnswer, HistoryError> {
        match request {
            HistoryQuery::Page { page, upto } => self.read_page(end, *page, upto),
            HistoryQuery::Missed(arrival) => {
                let ResumeRequest { welcome, replay } = *arrival;
                let filter = MessageFilter::missed(&replay, welcome.seq + 1);
                let (mut positions, gap) =
                    self.select(&filter, end, Direction::NewestFirst, replay.max)?;
                positions.reverse();
                let (frames, rest) = self.read_frames(ReplayPosition { filter, positions })?;
                Ok(HistoryAnswer::Missed {
                    welcome: Box::new(welcome),
                    gap,
                    frames,
                    rest,
                })
            }
            HistoryQuery::Rest(cursor) => {
                let position = cursor.into_position().expect("made by this reader");
                let (frames, rest) = self.read_frames(*position)?;
                Ok(HistoryAnswer::Rest { frames, rest })
            }
        }
    }

    fn select(
        &mut self,
        filter: &MessageFilter,
        end: u64,
        direction: Direction,
        max: usize,
    ) -> Result<(Vec<LinePosition>, bool), HistoryError> {
        match filter.select(&self.log, self.index.as_ref(), end, direction, max) {
            Err(HistoryError::Index(error)) => {
                log::error!("old messages will be found slowly: the index: {error}");
                self.index = None;
                self.status.report_damage();
                filter.select(&self.log, None, end, direction, max)
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
        let direction = if page.after.is_some() {
            Direction::OldestFirst
        } else {
            Direction::NewestFirst
        };
        let filter =
            MessageFilter::conversation(&page.conversation, page.after.unwrap_or(0), before);
        let (mut positions, mut more) = self.select(&filter, end, direction, page.limit.into())?;
        if positions.is_empty() && !page.is_known {
            return Ok(HistoryAnswer::NoSuchUser {
                with: page.with,
                id: page.id,
            });
        }
        let id = page.id.as_deref();
        more |= fit_into_frame(&mut positions, direction, history_room(&page.with, id));
        let lines: Vec<Vec<u8>> = positions
            .iter()
            .map(|position| filter.read(&self.log, position))
            .collect::<Result<_, _>>()?;
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut frame = BytesMut::new();
        encode_history(&page.with, &lines, more, id, &mut frame)
            .expect("the lines were chosen to fit");
        Ok(HistoryAnswer::Page(frame.freeze()))
    }

    /// The next frames of a plan: each line with its newline, as it was delivered first.
    fn read_frames(
        &self,
        mut cursor: ReplayPosition,
    ) -> Result<(Bytes, Option<ReplayCursor>), HistoryError> {
        let mut frames = BytesMut::new();
        while frames.len() < READ_BYTES
            && let Some(position) = cursor.positions.pop()
        {
            let line = cursor.filter.read(&self.log, &position)?;
            frames.put_u32(position.bytes + 1);
            frames.put_slice(&line);
            frames.put_u8(b'\n');
        }
        let rest = (!cursor.positions.is_empty()).then(|| ReplayCursor::new(cursor));
        Ok((frames.freeze(), rest))
    }
}

/// The response if the file was truncated while the server runs.
enum Unreadable {
    Page { id: Option<Id> },
    Missed(Box<Welcome<'static>>),
    Rest,
}

impl Unreadable {
    fn of(request: &HistoryQuery) -> Self {
        match request {
            HistoryQuery::Page { page, .. } => Self::Page {
                id: page.id.clone(),
            },
            HistoryQuery::Missed(arrival) => Self::Missed(Box::new(arrival.welcome.clone())),
            HistoryQuery::Rest(_) => Self::Rest,
        }
    }

    fn response(self) -> HistoryAnswer {
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
fn fit_into_frame(
    positions: &mut Vec<LinePosition>,
    direction: Direction,
    mut room: usize,
) -> bool {
    let mut fits = |position: &LinePosition| {
        let bytes = position.bytes as usize + 1;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    };
    let all = positions.len();
    match direction {
        Direction::OldestFirst => positions.truncate(
            positions
                .iter()
                .take_while(|position| fits(position))
                .count(),
        ),
        Direction::NewestFirst => {
            let kept = positions
                .iter()
                .rev()
                .take_while(|position| fits(position))
                .count();
            positions.drain(..all - kept);
        }
    }
    positions.len() < all
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
