//! `History`: reads pages and replays, on its own threads.
//!
//! A dispatcher sends a [`Read`] when the session is ready to write the answer. Each session
//! therefore has at most one read in progress, and an answer never exceeds the send queue of a
//! socket. A replay is planned once (the positions of its lines) and read in parts as the socket
//! accepts them. Reads never pass the recorded end, and a damaged line is an error that names it.

pub(in crate::store) mod filter;
mod queue;
mod request;

use std::net::IpAddr;
use std::sync::Arc;

use actix::prelude::*;
use bytes::{BufMut, Bytes, BytesMut};
use chat_proto::Welcome;
use chat_proto::codec::{encode_history, history_room};

use crate::address::network_of;
use crate::chat::SessionId;
use crate::chat::batch::Page;
use crate::chat::command::Id;
use crate::error::HistoryError;
use crate::net::connection::Arrival;
use crate::store::index::{self, Index, IndexStatus};
use crate::store::log::{Direction, LinePosition, Log, RecordedEnd};
use filter::MessageFilter;
use queue::{Class, ReadQueue};
pub use request::{Answer, HistoryRequest, HistoryResponse, Read, ReplayCursor};

/// How much of what was missed is read at once.
const READ_BYTES: usize = 64 * 1024;

/// Sessions ask here. Clones share the queue and its threads.
#[derive(Debug, Clone)]
pub struct Readers {
    queue: Arc<ReadQueue<Read>>,
    threads: Addr<History>,
}

impl Readers {
    /// Starts the threads; `reader` makes the reader of each.
    pub fn start(reader: impl Fn(Arc<ReadQueue<Read>>) -> History + Send + Sync + 'static) -> Self {
        let queue = Arc::<ReadQueue<Read>>::default();
        let shared = queue.clone();
        let threads = SyncArbiter::start(queue::READERS, move || reader(shared.clone()));
        Self { queue, threads }
    }

    /// Queues the read of a session at `address`. The session has no other one.
    pub fn ask(&self, address: IpAddr, read: Read) {
        let class = match read.request {
            HistoryRequest::Page { .. } | HistoryRequest::Rest(_) => Class::Short,
            HistoryRequest::Missed(_) => Class::Long,
        };
        let network = network_of(address);
        if self.queue.push(network, read.session, class, read) {
            self.threads.do_send(Turn);
        }
    }

    /// Serves the read of a closing session, if it waits, when no others do.
    pub fn put_last(&self, session: SessionId) {
        self.queue.put_last(session);
    }

    /// Drops the read of a session that has ended, if it waits.
    pub fn cancel(&self, session: SessionId) {
        self.queue.remove(session);
    }
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
    queue: Arc<ReadQueue<Read>>,
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
        queue: Arc<ReadQueue<Read>>,
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
    fn answer(&mut self, request: HistoryRequest) -> Result<HistoryResponse, HistoryError> {
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

    fn read(&mut self, request: HistoryRequest, end: u64) -> Result<HistoryResponse, HistoryError> {
        match request {
            HistoryRequest::Page { page, upto } => self.read_page(end, *page, upto),
            HistoryRequest::Missed(arrival) => {
                let Arrival { welcome, replay } = *arrival;
                let filter = MessageFilter::missed(&replay, welcome.seq + 1);
                let (mut positions, gap) =
                    self.select(&filter, end, Direction::NewestFirst, replay.max)?;
                positions.reverse();
                let (frames, rest) = self.read_frames(ReplayCursor { filter, positions })?;
                Ok(HistoryResponse::Missed {
                    welcome: Box::new(welcome),
                    gap,
                    frames,
                    rest,
                })
            }
            HistoryRequest::Rest(cursor) => {
                let (frames, rest) = self.read_frames(*cursor)?;
                Ok(HistoryResponse::Rest { frames, rest })
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
    ) -> Result<HistoryResponse, HistoryError> {
        let before = page.before.unwrap_or(u64::MAX).min(upto + 1);
        let direction = if page.after.is_some() {
            Direction::OldestFirst
        } else {
            Direction::NewestFirst
        };
        let filter =
            MessageFilter::conversation(&page.conversation, page.after.unwrap_or(0), before);
        let (mut positions, mut more) = self.select(&filter, end, direction, page.limit.into())?;
        if positions.is_empty() && !page.somebody {
            return Ok(HistoryResponse::NoSuchUser {
                with: page.with,
                id: page.id,
            });
        }
        more |= fit_into_frame(&mut positions, direction, &page.with);
        let lines: Vec<Vec<u8>> = positions
            .iter()
            .map(|position| filter.read(&self.log, position))
            .collect::<Result<_, _>>()?;
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut frame = BytesMut::new();
        encode_history(&page.with, &lines, more, &mut frame).expect("the lines were chosen to fit");
        Ok(HistoryResponse::Page(frame.freeze()))
    }

    /// The next frames of a plan: each line with its newline, as it was delivered first.
    fn read_frames(
        &self,
        mut cursor: ReplayCursor,
    ) -> Result<(Bytes, Option<Box<ReplayCursor>>), HistoryError> {
        let mut frames = BytesMut::new();
        while frames.len() < READ_BYTES
            && let Some(position) = cursor.positions.pop()
        {
            let line = cursor.filter.read(&self.log, &position)?;
            frames.put_u32(position.bytes + 1);
            frames.put_slice(&line);
            frames.put_u8(b'\n');
        }
        let rest = (!cursor.positions.is_empty()).then(|| Box::new(cursor));
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
    fn of(request: &HistoryRequest) -> Self {
        match request {
            HistoryRequest::Page { page, .. } => Self::Page {
                id: page.id.clone(),
            },
            HistoryRequest::Missed(arrival) => Self::Missed(Box::new(arrival.welcome.clone())),
            HistoryRequest::Rest(_) => Self::Rest,
        }
    }

    fn response(self) -> HistoryResponse {
        match self {
            Self::Page { id } => HistoryResponse::Unreadable { id },
            Self::Missed(welcome) => HistoryResponse::Missed {
                welcome,
                gap: true,
                frames: Bytes::new(),
                rest: None,
            },
            Self::Rest => HistoryResponse::BrokenOff,
        }
    }
}

/// Leaves out what does not fit into one frame, at the far end; true if something did not.
fn fit_into_frame(positions: &mut Vec<LinePosition>, direction: Direction, with: &str) -> bool {
    let mut room = history_room(with);
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
            let Read {
                session,
                request,
                reply,
            } = read;
            let response = self.answer(request);
            reply.do_send(Answer { session, response });
        }
    }
}
