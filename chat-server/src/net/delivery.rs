//! What one batch means for the outboxes of a thread, and the writing that follows.
//!
//! First everything of the batch goes into the outboxes, then each socket that got something is written
//! to, once. Messages that stand side by side in the batch and go to the same channel are one piece for all its
//! members.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use chat_proto::codec::encode;
use chat_proto::{Event, Welcome};

use super::connection::{Connection, Phase};
use super::outbox::Job;
use super::piece::Piece;
use super::table::Table;
use crate::chat::batch::CommittedBatch;
use crate::chat::effect::{Audience, ByteRange, Effect, Page, Replay};
use crate::chat::history_query::ResumeRequest;
use crate::chat::{ChannelKey, SessionId};

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Delivery {
    table: Rc<Table>,
    /// Those who got something of the present batch.
    dirty: Vec<Rc<Connection>>,
}

/// Messages of one channel, side by side in the batch, that its members have not been given yet.
#[derive(Debug, Clone)]
struct Run {
    channel: ChannelKey,
    frames: ByteRange,
    messages: u64,
}

impl Delivery {
    pub(super) fn new(table: Rc<Table>) -> Self {
        Self {
            table,
            dirty: Vec::new(),
        }
    }

    pub(super) fn deliver(&mut self, batch: &CommittedBatch) {
        let mut recorded = batch.recorded;
        let mut run: Option<Run> = None;
        for effect in &batch.effects {
            match effect {
                Effect::Messages {
                    last_seq,
                    count,
                    frames,
                    audience,
                    sender,
                    ..
                } => {
                    recorded = *last_seq;
                    self.messages(frames, *count, *sender, *audience, &mut run, batch);
                }
                Effect::Ack { to, event, .. } | Effect::Tell { to, event } => {
                    self.tell(*to, piece(&batch.events, event), run.as_ref(), batch);
                }
                Effect::TellEach { to, event } => to.iter().for_each(|&session| {
                    self.tell(session, piece(&batch.events, event), run.as_ref(), batch);
                }),
                Effect::TellChannel { channel, event } => {
                    self.end_run(&mut run, batch);
                    self.tell_channel(*channel, piece(&batch.events, event));
                }
                Effect::Welcome {
                    to,
                    nick,
                    welcome,
                    replay,
                } => self.welcome(*to, nick, welcome, replay.as_deref(), recorded),
                Effect::History { to, page } => {
                    self.catch_up(*to, run.as_ref(), batch);
                    self.page(*to, page, recorded);
                }
                Effect::Account { to, .. } => {
                    self.catch_up(*to, run.as_ref(), batch);
                    self.change(effect);
                }
                Effect::Subscribe { .. }
                | Effect::Unsubscribe { .. }
                | Effect::AuthFailure { .. }
                | Effect::BanNetwork { .. }
                | Effect::UnbanNetwork { .. }
                | Effect::Close { .. } => {
                    // What was said before goes to who is in the channel before.
                    self.end_run(&mut run, batch);
                    self.change(effect);
                }
                Effect::CreditReturned { session, cost } => self.answered(*session, *cost),
            }
        }
        self.end_run(&mut run, batch);
        self.write();
    }

    /// A session is in other channels from here on, goes on or comes to its end, or nobody comes in from
    /// somewhere.
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
            Effect::AuthFailure { session } => {
                self.with_open(*session, |connection, table| connection.strike(table));
            }
            Effect::Close { session } => {
                self.with_open(*session, |connection, table| connection.close(table));
            }
            Effect::Account { to, applicant } => {
                self.with_open(*to, |connection, table| {
                    connection.carry_on(applicant, table)
                });
            }
            Effect::BanNetwork { network, ban } => self.table.barred.bar(*network, (**ban).clone()),
            Effect::UnbanNetwork { network } => self.table.barred.lift(*network),
            Effect::Messages { .. }
            | Effect::Ack { .. }
            | Effect::Tell { .. }
            | Effect::TellEach { .. }
            | Effect::TellChannel { .. }
            | Effect::Welcome { .. }
            | Effect::History { .. }
            | Effect::CreditReturned { .. } => {}
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

    fn tell_channel(&mut self, channel: ChannelKey, event: Bytes) {
        let event = Piece::new(event, self.table.members(channel), &self.table.stage);
        self.table.for_each_member(channel, |member| {
            member.push_piece(&event);
            touch(&mut self.dirty, member);
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

    fn messages(
        &mut self,
        frames: &ByteRange,
        count: u32,
        sender: SessionId,
        audience: Audience,
        run: &mut Option<Run>,
        batch: &CommittedBatch,
    ) {
        let messages = u64::from(count);
        match audience {
            Audience::Channel(channel) => match run {
                Some(run) if run.channel == channel && run.frames.end == frames.start => {
                    run.frames.end = frames.end;
                    run.messages += messages;
                }
                _ => {
                    self.end_run(run, batch);
                    *run = Some(Run {
                        channel,
                        frames: frames.clone(),
                        messages,
                    });
                }
            },
            Audience::Direct(other) => {
                let both = [sender, other];
                let ends = if sender == other { &both[..1] } else { &both };
                self.table
                    .counts
                    .deliveries
                    .add(ends.len() as u64 * messages);
                for &end in ends {
                    self.tell(end, piece(&batch.frames, frames), run.as_ref(), batch);
                }
            }
        }
    }

    /// Gives one session an event, behind what it has not been given yet of the run.
    fn tell(
        &mut self,
        session: SessionId,
        event: Bytes,
        run: Option<&Run>,
        batch: &CommittedBatch,
    ) {
        self.catch_up(session, run, batch);
        if let Some(connection) = self.table.get(session) {
            give(&mut self.dirty, &connection, event);
        }
    }

    fn catch_up(&mut self, session: SessionId, run: Option<&Run>, batch: &CommittedBatch) {
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
            give_rest(&mut self.dirty, &connection, run, batch);
            connection.given.set(run.frames.end);
        }
    }

    /// Gives every member what it has not been given yet of the run.
    fn end_run(&mut self, run: &mut Option<Run>, batch: &CommittedBatch) {
        if let Some(run) = run.take() {
            let members = self.table.members(run.channel);
            let frames = piece(&batch.frames, &run.frames);
            let whole = Piece::new(frames, members, &self.table.stage);
            self.table.for_each_member(run.channel, |member| {
                if member.given.get() <= run.frames.start {
                    member.push_piece(&whole);
                    touch(&mut self.dirty, member);
                } else {
                    give_rest(&mut self.dirty, member, &run, batch);
                }
            });
            self.table
                .counts
                .deliveries
                .add(members as u64 * run.messages);
        }
    }

    fn welcome(
        &mut self,
        to: SessionId,
        nick: &Arc<str>,
        welcome: &Welcome<'static>,
        replay: Option<&Replay>,
        recorded: u64,
    ) {
        let Some(connection) = self.open(to) else {
            return;
        };
        self.table.counts.logins.add(1);
        connection.phase.set(Phase::Joined { pinged: false });
        // Fails where it was welcomed before, with the same nick.
        connection.nick.set(nick.clone()).ok();
        self.table
            .set_timer(&connection, self.table.limits().idle_timeout);
        log::debug!("session {to:?}: is welcomed as {}", welcome.nick);
        let welcome = Welcome {
            seq: recorded,
            ..welcome.clone()
        };
        match replay {
            Some(replay) if replay.after < recorded => {
                let arrival = ResumeRequest {
                    welcome,
                    replay: replay.clone(),
                };
                connection.push_job(Job::Welcome(Box::new(arrival)));
            }
            _ => connection.push(frame(&Event::Welcome(Box::new(welcome)))),
        }
        touch(&mut self.dirty, &connection);
    }
}

fn piece(buffer: &Bytes, span: &ByteRange) -> Bytes {
    let Range { start, end } = *span;
    buffer.slice(start as usize..end as usize)
}

pub(super) fn frame(event: &Event<'_>) -> Bytes {
    let mut frame = BytesMut::new();
    encode(event, &mut frame).expect(
        "names and texts of legal length fit into a frame, as the configuration bounds a welcome",
    );
    frame.freeze()
}

/// Gives one member what it has not been given yet of the run.
fn give_rest(
    dirty: &mut Vec<Rc<Connection>>,
    connection: &Rc<Connection>,
    run: &Run,
    batch: &CommittedBatch,
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
