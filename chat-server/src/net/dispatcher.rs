//! `Dispatcher`: puts what the room releases into the outboxes of its thread's connections, and writes.
//!
//! It is sent each batch once ([`Release`]), however many people there are, and never waits for a
//! socket: what a socket does not take stays in the outbox, whose session goes on when there is
//! room. Only when a connection uses more than half of its send queue, batches with messages for it
//! are delayed, and later batches queue behind them (`brake`).
//!
//! It also owns the thread's clock for hello timeouts, pings and last words (`clock`).

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use bytes::{Bytes, BytesMut};
use chat_proto::{ErrorCode, Event};
use prometheus::Histogram;

use super::brake::Brake;
use super::clock::Clock;
use super::delivery::{Delivery, frame};
use super::outbox::Job;
use super::table::{Limits, Table};
use crate::chat::batch::CommittedBatch;
use crate::chat::effect::{Audience, Effect};
use crate::chat::history_query::{HistoryAnswer, HistoryResponse};
use crate::chat::room::Release;
use crate::logging::log_throttled;
use crate::telemetry::supervisor::FailureGuard;

/// Other limits hold from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Limit(pub Limits);

/// No session reads any more.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Deafen;

/// No connection lags any more, or none in some channel.
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
    delivery: Delivery,
    brake: Brake,
    /// Delayed batches with their arrival times; the credit of the senders bounds them.
    kept_back: VecDeque<(Instant, Arc<CommittedBatch>)>,
    /// The first of them is to be delivered then.
    pause: Option<SpawnHandle>,
    /// Told how long each batch took.
    latency: Histogram,
    _vital: FailureGuard,
}

impl Dispatcher {
    pub fn new(table: Rc<Table>, latency: Histogram, vital: FailureGuard) -> Self {
        let brake = Brake::new(table.limits().send_queue_bytes);
        Self {
            delivery: Delivery::new(table.clone()),
            table,
            brake,
            kept_back: VecDeque::new(),
            pause: None,
            latency,
            _vital: vital,
        }
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    /// Delivers what there is, or as much of it as the brake lets through while somebody lags.
    fn go_on(&mut self, ctx: &mut actix::Context<Self>) {
        while let Some((since, batch)) = self.kept_back.front() {
            let bytes = self.bytes_to_lagging(batch);
            if bytes > 0
                && let Err(wait) = self.brake.admit(bytes, since.elapsed())
            {
                self.count();
                self.pause = Some(ctx.run_later(wait, |dispatcher, ctx| {
                    dispatcher.pause = None;
                    dispatcher.go_on(ctx);
                }));
                return;
            }
            if let Some((_, batch)) = self.kept_back.pop_front() {
                self.deliver(&batch);
            }
        }
        self.count();
    }

    /// Returns the bytes of messages to lagging connections. Answers do not count: each is bounded
    /// by the credit of its own session.
    fn bytes_to_lagging(&self, batch: &CommittedBatch) -> usize {
        if !self.table.somebody_lags() {
            return 0;
        }
        let messages = batch.effects.iter().filter_map(|effect| match effect {
            Effect::Messages {
                frames,
                audience,
                sender,
                ..
            } => Some((frames, *audience, *sender)),
            _ => None,
        });
        messages
            .filter(|&(_, audience, sender)| match audience {
                Audience::Channel(channel) => self.table.lags_in(channel),
                Audience::Direct(other) => self.table.lags(sender) || self.table.lags(other),
            })
            .map(|(frames, ..)| frames.len())
            .sum()
    }

    fn deliver(&mut self, batch: &CommittedBatch) {
        self.delivery.deliver(batch);
        if let Some(since) = batch.since.filter(|_| !batch.frames.is_empty()) {
            self.latency.observe(since.elapsed().as_secs_f64());
        }
    }

    fn count(&self) {
        self.table.counts.kept_back.set(self.kept_back.len() as u64);
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
        self.kept_back.push_back((Instant::now(), batch));
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

impl Handler<HistoryResponse> for Dispatcher {
    type Result = ();

    fn handle(
        &mut self,
        HistoryResponse { session, answer }: HistoryResponse,
        _: &mut Self::Context,
    ) {
        let Some(connection) = self.table.get(session) else {
            return;
        };
        match answer {
            Ok(HistoryAnswer::Page(page)) => connection.answered(page, None),
            Ok(HistoryAnswer::Missed {
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
            Ok(HistoryAnswer::Rest { frames, rest }) => {
                connection.answered(frames, rest.map(Job::Rest))
            }
            Ok(HistoryAnswer::NoSuchUser { with, id }) => {
                let detail =
                    format!("nobody of the nick {with} is here, or has ever spoken with you");
                let id = id.as_deref().map(Into::into);
                let refusal = Event::Error {
                    code: ErrorCode::NoSuchUser,
                    detail: detail.into(),
                    id,
                };
                self.table.counts.refuses(ErrorCode::NoSuchUser);
                connection.answered(frame(&refusal), None);
            }
            Ok(HistoryAnswer::Unreadable { id }) => {
                let refusal = Event::Error {
                    code: ErrorCode::NotRecorded,
                    detail: "the history cannot be read now".into(),
                    id: id.as_deref().map(Into::into),
                };
                self.table.counts.refuses(ErrorCode::NotRecorded);
                connection.answered(frame(&refusal), None);
            }
            // The client comes back by itself, and its welcome has a gap then.
            Ok(HistoryAnswer::BrokenOff) => connection.break_off(),
            Err(error) => {
                log_throttled!(
                    error,
                    "sessions without their history",
                    "session {session:?} cannot be shown its history: {error}"
                );
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
        self.brake = Brake::new(limits.send_queue_bytes);
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
        for (_, batch) in std::mem::take(&mut self.kept_back) {
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
                id: None,
            });
            self.table.counts.refuses(ErrorCode::ShuttingDown);
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
