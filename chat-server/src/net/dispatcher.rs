//! `Dispatcher`: puts what the room releases into the outboxes of its thread's connections, and writes.
//!
//! It is sent each batch once ([`Release`]), however many people there are, and works in two
//! steps: first everything of the batch goes into the outboxes, then each socket that got something is
//! written to, once. Messages that stand side by side in the batch and go to the same channel are one
//! piece for all its members. It never waits for a socket: what a socket does not take stays in the
//! outbox, whose session goes on when there is room. Only when somebody has half of what may wait
//! unread, the batches that follow are kept back (`brake`).
//!
//! It also owns the thread's clock for hello timeouts, pings and last words.

use std::collections::VecDeque;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix::fut::ActorFuture;
use actix::prelude::*;
use bytes::{Bytes, BytesMut};
use chat_proto::codec::encode;
use chat_proto::{ErrorCode, Event, Welcome};

use super::brake::Brake;
use super::connection::{Arrival, Connection, GOODBYE, Phase};
use super::outbox::Job;
use super::table::{Limits, Table};
use crate::chat::batch::{Audience, Effect, Page, Released, Replay, Span};
use crate::chat::room::Release;
use crate::chat::{ChannelKey, SessionId};
use crate::store::history::{Answer, Answered};
use crate::vital::Vital;

/// Other limits hold from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Limit(pub Limits);

/// No session reads any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Deafen;

/// Nobody lags any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct CaughtUp;

/// Everyone is told that the server ends; answered when the last connection has.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Farewell;

/// See the head of this file.
#[derive(Debug)]
pub struct Dispatcher {
    pub(super) table: Rc<Table>,
    /// Those who got something of the present batch.
    dirty: Vec<Rc<Connection>>,
    brake: Brake,
    /// Batches that are kept back; the credit of their senders bounds them.
    kept_back: VecDeque<Arc<Released>>,
    /// The first of them is to be delivered then.
    pause: Option<SpawnHandle>,
    _vital: Vital,
}

/// Messages of one channel, side by side in the batch, that its members have not been given yet.
#[derive(Debug, Clone)]
struct Run {
    channel: ChannelKey,
    frames: Span,
}

impl Dispatcher {
    pub fn new(table: Rc<Table>, vital: Vital) -> Self {
        let brake = Brake::new(table.limits().send_queue_bytes);
        Self {
            table,
            dirty: Vec::new(),
            brake,
            kept_back: VecDeque::new(),
            pause: None,
            _vital: vital,
        }
    }

    /// Delivers what there is, or as much of it as the brake lets through while somebody lags.
    fn go_on(&mut self, ctx: &mut actix::Context<Self>) {
        while let Some(batch) = self.kept_back.front() {
            if self.table.somebody_lags()
                && let Err(wait) = self.brake.admit(batch.frames.len() + batch.events.len())
            {
                self.pause = Some(ctx.run_later(wait, |dispatcher, ctx| {
                    dispatcher.pause = None;
                    dispatcher.go_on(ctx);
                }));
                return;
            }
            if let Some(batch) = self.kept_back.pop_front() {
                self.deliver(&batch);
            }
        }
    }

    fn deliver(&mut self, batch: &Released) {
        let mut recorded = batch.recorded;
        let mut run: Option<Run> = None;
        for effect in &batch.effects {
            match effect {
                Effect::Message {
                    seq,
                    frame,
                    audience,
                    sender,
                    ack,
                } => {
                    recorded = *seq;
                    if let Some((_, ack)) = ack {
                        self.tell(*sender, piece(&batch.events, ack), run.as_ref(), batch);
                    }
                    self.message(frame, *audience, &mut run, batch);
                }
                Effect::Ack { to, event, .. } | Effect::Tell { to, event } => {
                    self.tell(*to, piece(&batch.events, event), run.as_ref(), batch);
                }
                Effect::TellEach { to, event } => to.iter().for_each(|&session| {
                    self.tell(session, piece(&batch.events, event), run.as_ref(), batch);
                }),
                Effect::TellChannel { channel, event } => {
                    self.end_run(&mut run, batch);
                    self.tell_channel(*channel, &piece(&batch.events, event));
                }
                Effect::Welcome {
                    to,
                    welcome,
                    replay,
                } => self.welcome(*to, welcome, replay.as_deref(), recorded),
                Effect::History { to, page } => {
                    self.catch_up(*to, run.as_ref(), batch);
                    self.page(*to, page, recorded);
                }
                Effect::Account {
                    to,
                    nick,
                    last_seq,
                    id,
                } => {
                    self.catch_up(*to, run.as_ref(), batch);
                    self.with_open(*to, |connection, table| {
                        connection.carry_on(nick, *last_seq, id.as_ref(), table);
                    });
                }
                Effect::Subscribe { .. }
                | Effect::Unsubscribe { .. }
                | Effect::Strike { .. }
                | Effect::Close { .. } => {
                    // What was said before goes to who is in the channel before.
                    self.end_run(&mut run, batch);
                    self.change(effect);
                }
                Effect::Answered { session, cost } => self.answered(*session, *cost),
            }
        }
        self.end_run(&mut run, batch);
        self.write();
    }

    /// A session is in other channels from here on, or comes to its end.
    fn change(&mut self, effect: &Effect) {
        match effect {
            Effect::Subscribe { session, channel } => {
                self.with_open(*session, |member, table| {
                    table.join_channel(member, *channel)
                });
            }
            Effect::Unsubscribe { session, channel } => {
                self.with_open(*session, |member, table| {
                    table.leave_channel(member, *channel)
                });
            }
            Effect::Strike { session } => {
                self.with_open(*session, |connection, table| connection.strike(table));
            }
            Effect::Close { session } => {
                self.with_open(*session, |connection, table| connection.close(table));
            }
            Effect::Message { .. }
            | Effect::Ack { .. }
            | Effect::Tell { .. }
            | Effect::TellEach { .. }
            | Effect::TellChannel { .. }
            | Effect::Welcome { .. }
            | Effect::History { .. }
            | Effect::Account { .. }
            | Effect::Answered { .. } => {}
        }
    }

    /// Writes to everyone who got something.
    fn write(&mut self) {
        for connection in std::mem::take(&mut self.dirty) {
            connection.dirty.set(false);
            connection.given.set(0);
            connection.flush(&self.table);
        }
        self.table.let_the_slowest_go();
    }

    fn tell_channel(&mut self, channel: ChannelKey, event: &Bytes) {
        self.table.for_each_member(channel, |member| {
            give(&mut self.dirty, member, event.clone());
        });
    }

    /// Does something with a connection, if it may still be told something.
    fn with_open(&mut self, session: SessionId, act: impl FnOnce(&Rc<Connection>, &Table)) {
        if let Some(connection) = self.open(session) {
            act(&connection, &self.table);
            touch(&mut self.dirty, &connection);
        }
    }

    fn page(&mut self, to: SessionId, page: &Page, upto: u64) {
        if let Some(connection) = self.open(to) {
            connection.push_job(Job::Page {
                page: Box::new(page.clone()),
                upto,
            });
            touch(&mut self.dirty, &connection);
        }
    }

    fn answered(&mut self, session: SessionId, cost: u32) {
        if let Some(connection) = self.table.get(session) {
            connection
                .unanswered
                .set(connection.unanswered.get() - cost);
            connection.end_waiting_errand();
            touch(&mut self.dirty, &connection);
        }
    }

    fn open(&self, session: SessionId) -> Option<Rc<Connection>> {
        self.table
            .get(session)
            .filter(|connection| connection.is_open())
    }

    fn message(
        &mut self,
        frame: &Span,
        audience: Audience,
        run: &mut Option<Run>,
        batch: &Released,
    ) {
        match audience {
            Audience::Channel(channel) => match run {
                Some(run) if run.channel == channel && run.frames.end == frame.start => {
                    run.frames.end = frame.end
                }
                _ => {
                    self.end_run(run, batch);
                    *run = Some(Run {
                        channel,
                        frames: frame.clone(),
                    });
                }
            },
            Audience::Direct(one, other) => {
                self.tell(one, piece(&batch.frames, frame), run.as_ref(), batch);
                if one != other {
                    self.tell(other, piece(&batch.frames, frame), run.as_ref(), batch);
                }
            }
        }
    }

    /// Gives one session an event, behind what it has not been given yet of the run.
    fn tell(&mut self, session: SessionId, event: Bytes, run: Option<&Run>, batch: &Released) {
        self.catch_up(session, run, batch);
        if let Some(connection) = self.table.get(session) {
            give(&mut self.dirty, &connection, event);
        }
    }

    fn catch_up(&mut self, session: SessionId, run: Option<&Run>, batch: &Released) {
        let Some(run) = run else { return };
        let Some(connection) = self.table.get(session) else {
            return;
        };
        let is_member = connection
            .places
            .borrow()
            .iter()
            .any(|&(channel, _)| channel == run.channel);
        if is_member {
            give_run(&mut self.dirty, &connection, run, batch);
            connection.given.set(run.frames.end);
        }
    }

    /// Gives every member what it has not been given yet of the run.
    fn end_run(&mut self, run: &mut Option<Run>, batch: &Released) {
        if let Some(run) = run.take() {
            self.table.for_each_member(run.channel, |member| {
                give_run(&mut self.dirty, member, &run, batch)
            });
        }
    }

    fn welcome(
        &mut self,
        to: SessionId,
        welcome: &Welcome<'static>,
        replay: Option<&Replay>,
        recorded: u64,
    ) {
        let Some(connection) = self.open(to) else {
            return;
        };
        connection.phase.set(Phase::Joined { pinged: false });
        // Fails where it was welcomed before, with the same nick.
        connection.nick.set(welcome.nick.as_ref().into()).ok();
        self.table
            .set_timer(&connection, self.table.limits().idle_timeout);
        log::debug!("session {to:?}: is welcomed as {}", welcome.nick);
        let welcome = Welcome {
            seq: recorded,
            ..welcome.clone()
        };
        match replay {
            Some(replay) if replay.after < recorded => {
                let arrival = Arrival {
                    welcome,
                    replay: replay.clone(),
                };
                connection.push_job(Job::Welcome(Box::new(arrival)));
            }
            _ => connection.push(frame(&Event::Welcome(Box::new(welcome)))),
        }
        touch(&mut self.dirty, &connection);
    }

    /// The time of a connection has come.
    fn time_is_up(&self, connection: &Connection) {
        let limits = self.table.limits();
        match connection.phase.get() {
            // What is being answered may be a hello; it is looked at again soon, and nothing is added to
            // it, or who always has something under way would stay for good.
            Phase::Greeting if connection.unanswered.get() > 0 || connection.has_errand() => {
                connection.late.set(true);
                self.table
                    .set_timer(connection, limits.hello_timeout.min(GOODBYE) / 10);
            }
            Phase::Greeting => {
                connection.refuse(
                    ErrorCode::HelloTimeout,
                    "no hello came in time",
                    &self.table,
                );
            }
            Phase::Joined { pinged } => {
                let silence = connection.heard.get().elapsed();
                let left = limits.idle_timeout.saturating_sub(silence);
                if pinged && silence >= limits.idle_timeout * 2 {
                    connection.reason.set("timed out");
                    connection.refuse(
                        ErrorCode::IdleTimeout,
                        "nothing came for too long",
                        &self.table,
                    );
                } else if !left.is_zero() {
                    connection.phase.set(Phase::Joined { pinged: false });
                    self.table.set_timer(connection, left);
                } else {
                    connection.phase.set(Phase::Joined { pinged: true });
                    connection.push_event(&Event::Ping { id: None });
                    self.table.set_timer(
                        connection,
                        (limits.idle_timeout * 2).saturating_sub(silence),
                    );
                }
            }
            Phase::Closing => connection.break_off(),
            Phase::Broken => {}
        }
        connection.flush(&self.table);
    }
}

fn piece(buffer: &Bytes, span: &Span) -> Bytes {
    let Range { start, end } = *span;
    buffer.slice(start as usize..end as usize)
}

fn frame(event: &Event<'_>) -> Bytes {
    let mut frame = BytesMut::new();
    encode(event, &mut frame).expect("the configuration keeps a welcome within a frame");
    frame.freeze()
}

fn give_run(
    dirty: &mut Vec<Rc<Connection>>,
    connection: &Rc<Connection>,
    run: &Run,
    batch: &Released,
) {
    let start = run.frames.start.max(connection.given.get());
    if start < run.frames.end {
        give(
            dirty,
            connection,
            piece(&batch.frames, &(start..run.frames.end)),
        );
    }
}

fn give(dirty: &mut Vec<Rc<Connection>>, connection: &Rc<Connection>, frames: Bytes) {
    connection.push(frames);
    touch(dirty, connection);
}

fn touch(dirty: &mut Vec<Rc<Connection>>, connection: &Rc<Connection>) {
    if !connection.dirty.replace(true) {
        dirty.push(connection.clone());
    }
}

impl Actor for Dispatcher {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.table
            .answers
            .set(ctx.address().recipient())
            .expect("a thread has one dispatcher");
        self.table
            .caught_up
            .set(ctx.address().recipient())
            .expect("a thread has one dispatcher");
        self.table
            .outcomes
            .set(ctx.address().recipient())
            .expect("as above");
        ctx.spawn(Clock);
    }
}

impl Handler<Release> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Release(batch): Release, ctx: &mut Self::Context) {
        self.kept_back.push_back(batch);
        if self.pause.is_none() {
            self.go_on(ctx);
        }
    }
}

impl Handler<CaughtUp> for Dispatcher {
    type Result = ();

    fn handle(&mut self, CaughtUp: CaughtUp, ctx: &mut Self::Context) {
        if let Some(pause) = self.pause.take() {
            ctx.cancel_future(pause);
            self.go_on(ctx);
        }
    }
}

impl Handler<Answer> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Answer { session, answered }: Answer, _: &mut Self::Context) {
        let Some(connection) = self.table.get(session) else {
            return;
        };
        match answered {
            Ok(Answered::Page(page)) => connection.answered(page, None),
            Ok(Answered::Missed {
                mut welcome,
                gap,
                frames,
                rest,
            }) => {
                welcome.gap = gap;
                let mut bytes = BytesMut::from(&frame(&Event::Welcome(welcome))[..]);
                bytes.extend_from_slice(&frames);
                connection.answered(bytes.freeze(), rest.map(Job::Rest));
            }
            Ok(Answered::Rest { frames, rest }) => connection.answered(frames, rest.map(Job::Rest)),
            Ok(Answered::NoSuchUser { with, id }) => {
                let detail =
                    format!("nobody of the nick {with} is here, or has ever spoken with you");
                let id = id.as_deref().map(Into::into);
                let refusal = Event::Error {
                    code: ErrorCode::NoSuchUser,
                    detail: detail.into(),
                    id,
                };
                connection.answered(frame(&refusal), None);
            }
            Err(error) => {
                log::error!("session {session:?} cannot be shown its history: {error}");
                connection.answered(Bytes::new(), None);
                connection.refuse(
                    ErrorCode::Internal,
                    "the history cannot be read",
                    &self.table,
                );
            }
        }
        connection.flush(&self.table);
    }
}

impl Handler<Limit> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Limit(limits): Limit, _: &mut Self::Context) {
        self.table.limit(limits);
    }
}

impl Handler<Deafen> for Dispatcher {
    type Result = ();

    fn handle(&mut self, Deafen: Deafen, _: &mut Self::Context) {
        self.table.deaf.set(true);
    }
}

impl Handler<Farewell> for Dispatcher {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Farewell: Farewell, _: &mut Self::Context) -> Self::Result {
        // Nobody is waited for any more, but that they read what there is.
        for batch in std::mem::take(&mut self.kept_back) {
            self.deliver(&batch);
        }
        for connection in self.table.all() {
            let reason = "the server ends; it may be back soon";
            connection.push_event(&Event::Error {
                code: ErrorCode::ShuttingDown,
                detail: reason.into(),
                id: None,
            });
            connection.push_event(&Event::Bye {
                reason: "shutting_down".into(),
            });
            connection.reason.set("the server ended");
            connection.close(&self.table);
            connection.flush(&self.table);
        }
        let wait = self.table.emptied();
        Box::pin(async move {
            // An error means that the table has gone, and everyone with it.
            wait.await.ok();
        })
    }
}

/// Deals with timers as they expire.
struct Clock;

impl ActorFuture<Dispatcher> for Clock {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        dispatcher: &mut Dispatcher,
        _: &mut actix::Context<Dispatcher>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        while let Poll::Ready(connection) = dispatcher.table.poll_timers(cx) {
            dispatcher.time_is_up(&connection);
        }
        Poll::Pending
    }
}
