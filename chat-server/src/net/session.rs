//! `Session`: one connection, from the accepted socket to the goodbye. It reads, the dispatcher of its
//! thread writes; it knows nobody else.
//!
//! What it reads it hands to the room as one message per read, and it reads no further while too many
//! of its requests are unanswered, while its client leaves too much unread, or while its client is
//! faster than its message rate. So nobody makes the server hold more than a socket's worth of input.
//!
//! It stops when its client has gone, or when its last words are written; then it says
//! [`room::Leave`], once, whatever the way out.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix::fut::ActorFuture;
use actix::prelude::*;
use chat_proto::codec::{HEADER_BYTES, split_frame};
use chat_proto::{ErrorCode, Event, ProtoError, Words};
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};

use super::connection::{CREDIT, Connection, LINGER, PAGE_COST, Phase, list_cost};
use super::pace::{self, Pace};
use super::places::Permit;
use super::table::Table;
use super::translate::Translator;
use super::transport::Transport;
use crate::chat::SessionId;
use crate::chat::command::{Command, Refusal, Request};
use crate::chat::moderation::ModerationCommand;
use crate::chat::room;
use crate::logging::{Quoted, log_throttled};

/// Reads before the other sessions of the thread have their turn.
const READS_A_TURN: usize = 4;

/// Malformed requests in a row after which the server closes (protocol, 1. Frames).
const MALFORMED_MAX: u8 = 10;

/// What would be a bug, for a test of what becomes of the others then.
#[cfg(test)]
pub(crate) const FAIL: &[u8] = b"fail";

/// See the head of this file.
#[derive(Debug)]
pub struct Session {
    connection: Rc<Connection>,
    table: Rc<Table>,
    /// What was read and not dealt with yet: a frame that is not complete, or frames that have to wait.
    input: Vec<u8>,
    pace: Option<Box<Pace>>,
    /// The client is too fast; goes on after this.
    rest: Option<Pin<Box<Sleep>>>,
    malformed: u8,
    /// Nothing more is taken from the client.
    done: bool,
}

impl Session {
    /// Starts the session of a connection that was accepted, on this thread.
    pub fn open(transport: Transport, peer: SocketAddr, permit: Permit, table: &Rc<Table>) {
        let connection = table.insert(|id| Connection::new(id, peer, transport, permit));
        log::debug!("session {:?}: opened by {peer}", connection.id);
        table.counts.opens(connection.kind());
        let mut session = Self {
            connection,
            table: table.clone(),
            input: Vec::new(),
            pace: Pace::new(&table.limits()).map(Box::new),
            rest: None,
            malformed: 0,
            done: false,
        };
        // What was read together with the request for a WebSocket.
        session.receive(&[]);
        session.start();
    }

    /// Does what can be done now; ready when the session is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.watch(cx.waker());
        self.connection.poll_blocked(cx, &self.table);
        match self.connection.phase.get() {
            Phase::Greeting | Phase::Joined { .. } => self.poll_requests(cx),
            Phase::Closing => self.poll_goodbye(cx),
            Phase::Broken => Poll::Ready(()),
        }
    }

    fn poll_requests(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS_A_TURN {
            if self.done || self.table.deaf.get() {
                return Poll::Pending;
            }
            ready!(self.poll_rest(cx));
            if !self
                .connection
                .may_read(self.table.limits().send_queue_bytes)
            {
                return Poll::Pending;
            }
            // Answered, and not closed for it: it was no `quit` of somebody who is in.
            self.connection.quitting.set(false);
            // First what had to wait; only then is there room for more.
            if self.has_frame() {
                let input = std::mem::take(&mut self.input);
                self.take(&input);
                continue;
            }
            match ready!(self.poll_read(cx)) {
                Ok(0) => {
                    self.done = true;
                    let request = Request {
                        id: None,
                        command: Command::InputClosed,
                    };
                    self.hand_on(vec![request], Words::default(), 1);
                }
                Ok(_) => {}
                Err(error) => {
                    if !super::connection::is_ordinary(&error) {
                        let error = error.to_string();
                        let why = Quoted::text(&error);
                        log::debug!("session {:?}: cannot be read: {why}", self.connection.id);
                    }
                    return Poll::Ready(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(cx));
            self.rest = None;
        }
        Poll::Ready(())
    }

    /// Reads once and deals with what is complete; 0 if nothing more comes.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.connection.is_over() {
            return Poll::Ready(Ok(0));
        }
        let table = self.table.clone();
        let mut scratch = table.scratch();
        let mut buffer = ReadBuf::new(&mut scratch);
        ready!(self.connection.poll_read(cx, &mut buffer))?;
        let read = buffer.filled();
        table.counts.received_bytes.add(read.len() as u64);
        self.receive(read);
        Poll::Ready(Ok(read.len()))
    }

    /// Deals with what has been read.
    fn receive(&mut self, read: &[u8]) {
        match self.connection.receive(read) {
            None => self.take_more(read),
            Some(received) => {
                if !received.replies.is_empty() {
                    self.connection.flush(&self.table);
                }
                self.take_more(&received.frames);
            }
        }
    }

    /// Deals with frames behind those that are here.
    fn take_more(&mut self, frames: &[u8]) {
        if self.input.is_empty() {
            self.take(frames);
        } else {
            let mut input = std::mem::take(&mut self.input);
            input.extend_from_slice(frames);
            self.take(&input);
        }
    }

    /// Whether the input has something that can be dealt with.
    fn has_frame(&self) -> bool {
        !matches!(split_frame(&self.input), Ok(None))
    }

    /// Hands on the requests in `input` that are complete, as far as pace and credit allow, and keeps
    /// the rest: an idle session holds no buffer.
    fn take(&mut self, input: &[u8]) {
        let now = Instant::now();
        self.connection.heard.set(now);
        pace::read_at(now);
        let budget = CREDIT.saturating_sub(self.connection.unanswered.get());
        let (text_bytes, origin) = (self.table.limits().text_bytes, self.connection.peer.ip());
        let mut translator = Translator::new(text_bytes, origin.into(), input.len());
        let (mut requests, mut cost, mut taken) = (Vec::new(), 0, 0);
        while !self.done
            && cost < budget
            && !self.connection.has_errand()
            && !self.connection.quitting.get()
        {
            let frame = match split_frame(&input[taken..]) {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    self.done = true;
                    requests.push(bad_frame(&error));
                    break;
                }
            };
            if let Some(Err(wait)) = self.pace.as_ref().map(|pace| pace.admit()) {
                self.rest = Some(Box::pin(sleep(wait)));
                break;
            }
            #[cfg(test)]
            assert_ne!(frame, FAIL, "as a test wants it");
            taken += HEADER_BYTES + frame.len();
            if requests.is_empty() {
                // As many as there are if they are all of a size, as a busy sender's are.
                let frames = input.len() / (HEADER_BYTES + frame.len());
                requests.reserve(frames.min(budget as usize) + 1);
            }
            if translator.take_plain_say(frame, &mut requests) {
                cost += 1;
                self.malformed = 0;
                continue;
            }
            cost += self.take_other(frame, &mut translator, &mut requests);
        }
        if !self.done {
            self.input = input[taken..].to_vec();
        }
        self.hand_on(requests, translator.into_words(), cost);
    }

    /// Deals with a frame that is no plain `say`, and returns how much of the credit it takes.
    fn take_other(
        &mut self,
        frame: &[u8],
        translator: &mut Translator,
        requests: &mut Vec<Request>,
    ) -> u32 {
        let (request, malformed, wish) = translator.translate(frame);
        let request = match wish {
            None => Some(request),
            Some(wish) => self.connection.begin_errand(wish, request, &self.table),
        };
        let mut cost = 0;
        if let Some(request) = request {
            cost = cost_of(&request.command, self.table.limits().send_queue_bytes);
            self.done = ends(&request.command);
            let quits = matches!(request.command, Command::Quit { .. });
            self.connection.quitting.set(quits);
            requests.push(request);
        }
        self.malformed = if malformed { self.malformed + 1 } else { 0 };
        if self.malformed == MALFORMED_MAX {
            self.done = true;
            let command = Command::Disconnect {
                reason: "too many malformed requests",
            };
            requests.push(Request { id: None, command });
        }
        cost
    }

    fn hand_on(&self, requests: Vec<Request>, words: Words, cost: u32) {
        if requests.is_empty() {
            return;
        }
        let connection = &self.connection;
        connection
            .requests
            .set(connection.requests.get() + requests.len() as u64);
        connection
            .unanswered
            .set(connection.unanswered.get() + cost);
        self.table.room.do_send(room::Requests {
            session: connection.id,
            requests,
            words,
            cost,
        });
    }

    /// Waits until the last words are written and the client has closed too, or its time is over.
    fn poll_goodbye(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.connection.has_waiting() {
            return Poll::Pending;
        }
        if self.connection.shut_down(cx) {
            self.table.set_timer(&self.connection, LINGER);
        }
        for _ in 0..READS_A_TURN {
            let mut scratch = self.table.scratch();
            let mut ignored = ReadBuf::new(&mut scratch);
            let read = ready!(self.connection.poll_read(cx, &mut ignored));
            if read.is_err() || ignored.filled().is_empty() {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn bad_frame(error: &ProtoError) -> Request {
    Request {
        id: None,
        command: Command::Reject(Refusal::new(ErrorCode::BadFrame, error.to_string())),
    }
}

/// How much of a session's credit a request takes.
fn cost_of(command: &Command, send_queue_bytes: usize) -> u32 {
    match command {
        Command::Users { .. } | Command::Channels => list_cost(send_queue_bytes),
        Command::Moderate(act) if matches!(**act, ModerationCommand::Bans { .. }) => {
            list_cost(send_queue_bytes)
        }
        Command::History { .. } => PAGE_COST,
        _ => 1,
    }
}

/// Whether nothing of what follows is dealt with.
fn ends(command: &Command) -> bool {
    match command {
        Command::Disconnect { .. } | Command::InputClosed => true,
        Command::Reject(refusal) => refusal.closes(),
        _ => false,
    }
}

impl Actor for Session {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.spawn(Life);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        let connection = &self.connection;
        if connection.is_open() {
            // Its socket is broken, or the session is: a fault that is told where it still can be.
            connection.push_event(&Event::Error {
                code: ErrorCode::Internal,
                detail: "a fault of the server".into(),
                id: None,
            });
            connection.flush(&self.table);
        }
        self.table.counts.closes(connection.kind());
        // The connection lives on while a delivery points to it; its place does not.
        drop(connection.permit.take());
        self.table.room.do_send(room::Leave {
            session: connection.id,
            reason: connection.reason.get(),
        });
        self.table.remove(connection);
        // Who that was is said at debug: nothing that anybody typed is above it.
        let line = format_args!(
            "{} as {}, {} s, {} requests, {}",
            connection.peer,
            connection.nick.get().map_or("nobody", |_| "somebody"),
            connection.opened.elapsed().as_secs(),
            connection.requests.get(),
            connection.reason.get(),
        );
        let SessionId { slot, generation } = connection.id;
        if connection.nick.get().is_some() {
            log::info!("session {slot}.{generation}: {line}");
        } else {
            log_throttled!(
                info,
                "connections without a welcome",
                "session {slot}.{generation}: {line}"
            );
        }
    }
}

/// Polls the session until it is over.
struct Life;

impl ActorFuture<Session> for Life {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        session: &mut Session,
        ctx: &mut actix::Context<Session>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        ready!(session.poll(cx));
        ctx.stop();
        Poll::Ready(())
    }
}
