//! `ChatRoom`: the actor that orders all effects, and commits them in groups.
//!
//! It owns the [`Registry`] (the rules), the batch under construction and the batch that is being
//! recorded. Sessions send [`Requests`] and [`Leave`]. The room sends [`Append`] to the recorder
//! and, after the answer, [`Release`] to the dispatcher of each thread. Changes of persistent state
//! go to the state writer with [`Persist`]; a batch that announces them waits for the answer for a
//! short time (`commit`).
//!
//! While a batch is being recorded the next one is built: group commit without a timer. The queue
//! is bounded by the sessions: each has a limited number of unanswered requests and stops reading
//! its socket beyond it (see `net::connection::Credit`).
//!
//! The room never uses a socket or a file, and never blocks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use bytes::Bytes;
use chat_proto::Words;
use tokio::sync::oneshot;

use super::SessionId;
use super::accounts::AccountChange;
use super::batch::{Batch, CommittedBatch, SenderRun};
use super::clock::Clock;
use super::command::Request;
use super::commit::{PERSIST_TIMEOUT, PendingBatch, PersistenceProgress};
use super::effect::Effect;
use super::registry::{Registry, Settings};
use super::room_metrics::RoomMetrics;
use super::state_change::{Changes, StateChange};
use super::token::Token;
use crate::telemetry::supervisor::FailureGuard;

/// How long a stopping server waits for the last changes of persistent state.
const LAST_CHANGES: Duration = Duration::from_secs(1);

/// How often the clock is read and sanctions expire while no request arrives.
const TICK: Duration = Duration::from_secs(1);

/// The requests of one read of a socket.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Requests {
    pub session: SessionId,
    pub requests: Vec<Request>,
    /// The texts of the requests.
    pub words: Words,
    /// The credit that is returned when they are answered.
    pub cost: u32,
}

/// The connection of a session has ended. Repeating it has no effect.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Leave {
    pub session: SessionId,
    /// The reason for the other users.
    pub reason: &'static str,
}

/// Changes of the accounts.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AccountChanges(pub Vec<AccountChange>);

/// To the state writer: persist these changes, then answer with [`Persisted`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Persist(pub Vec<StateChange>);

/// The changes of the last [`Persist`] are persisted.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Persisted;

/// To the recorder: note beside the history, before this is answered, the message behind which the kept
/// state may be out of date. `None`: it is up to date.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct NoteLag(pub Option<u64>);

/// Whether persistent state cannot be written. Moderation is rejected meanwhile.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ReadOnly(pub bool);

/// Replaces the settings.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Configure(pub Settings);

/// Process what has arrived and accept no more. Answered when everything is recorded and released.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Finish;

/// To the recorder: append these frames, each a length and a line, then answer with [`Appended`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Append {
    pub frames: Bytes,
    /// The number of the first message.
    pub first_seq: u64,
    /// The senders and targets of the messages, to avoid parsing them.
    pub talks: Vec<SenderRun>,
}

/// From the recorder: whether the last [`Append`] is recorded, completely or not at all.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Appended {
    pub recorded: bool,
}

/// To the dispatcher of each thread: deliver this batch.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Release(pub Arc<CommittedBatch>);

/// Commits when the mailbox is empty.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Commit;

/// Disconnects the next users of a mass removal, between the requests of other users.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct ContinueRemovals;

/// The actors that persist messages and state.
#[derive(Debug)]
pub struct Storage {
    pub recorder: Recipient<Append>,
    pub state_writer: Recipient<Persist>,
    pub lag: Recipient<NoteLag>,
}

/// The state of the room.
#[derive(Debug)]
pub struct ChatRoom {
    registry: Registry,
    clock: Clock,
    storage: Storage,
    /// One for each thread.
    dispatchers: Vec<Recipient<Release>>,
    persistence: PersistenceProgress,
    building: Batch,
    /// Full batches, to be recorded next.
    full: VecDeque<Batch>,
    /// The batch that is being recorded.
    pending: Option<PendingBatch>,
    /// The number of the last recorded message.
    recorded: u64,
    commit_is_due: bool,
    /// Whether the server is stopping.
    is_stopping: bool,
    /// Whether [`ContinueRemovals`] is scheduled.
    removal_is_due: bool,
    /// Answers [`Finish`].
    finishing: Option<oneshot::Sender<()>>,
    /// Whether the last changes have exceeded their time.
    stop_waiting: bool,
    metrics: Arc<RoomMetrics>,
    _vital: FailureGuard,
}

impl ChatRoom {
    /// Creates a room whose history ends with the last message of the registry.
    pub fn new(
        registry: Registry,
        clock: Clock,
        storage: Storage,
        dispatchers: Vec<Recipient<Release>>,
        metrics: Arc<RoomMetrics>,
        vital: FailureGuard,
    ) -> Self {
        Self {
            recorded: registry.last_seq(),
            registry,
            clock,
            storage,
            dispatchers,
            persistence: PersistenceProgress::default(),
            building: Batch::default(),
            full: VecDeque::new(),
            pending: None,
            commit_is_due: false,
            is_stopping: false,
            removal_is_due: false,
            finishing: None,
            stop_waiting: false,
            metrics,
            _vital: vital,
        }
    }

    /// Schedules a commit for when the mailbox is empty.
    fn schedule_commit(&mut self, ctx: &mut Context<Self>) {
        self.close_if_full();
        if self.registry.has_pending_removals() && !self.removal_is_due {
            self.removal_is_due = true;
            ctx.notify(ContinueRemovals);
        }
        if !self.full.is_empty() {
            self.commit(ctx);
        }
        self.count_messages();
        if !self.commit_is_due && self.pending.is_none() {
            self.commit_is_due = true;
            ctx.notify(Commit);
        }
    }

    /// Starts a new batch if the current one is full.
    fn close_if_full(&mut self) {
        self.building.begin(Instant::now);
        if self.building.is_full(self.registry.batch_bytes()) {
            let full = self.close_batch();
            self.full.push_back(full);
        }
    }

    /// Takes the current batch, with the pending changes.
    fn close_batch(&mut self) -> Batch {
        let mut batch = self.building.take();
        batch.changes = self.registry.take_changes();
        batch.needs = self.registry.change_count();
        batch
    }

    fn count_users(&self) {
        self.metrics.users.set(self.registry.users() as u64);
        self.metrics.channels.set(self.registry.channels() as u64);
    }

    fn count_messages(&self) {
        let waiting = self.full.iter().chain([&self.building]);
        let queued: usize = waiting.map(Batch::messages).sum();
        self.metrics.gathered.set(queued as u64);
    }

    /// Persists changes when the writer is free; `needs` counts them.
    fn persist(&mut self, changes: Changes, needs: u64, ctx: &mut Context<Self>) {
        self.persistence.add(changes, needs);
        self.persist_next();
        self.watch_persistence(needs, ctx);
    }

    fn persist_next(&mut self) {
        if let Some(changes) = self.persistence.next() {
            self.storage.state_writer.do_send(Persist(changes));
        }
    }

    /// Records and releases batches until none is left or one must wait.
    fn commit(&mut self, ctx: &mut Context<Self>) {
        loop {
            match self.pending.take() {
                Some(pending) if self.persistence.is_ready(&pending) => {
                    self.release(pending.batch, pending.frames);
                }
                Some(pending) => {
                    self.pending = Some(pending);
                    return;
                }
                None => match self.full.pop_front() {
                    Some(batch) => self.record(batch, ctx),
                    None if self.building.is_empty() && !self.registry.has_changes() => break,
                    None => {
                        let batch = self.close_batch();
                        self.record(batch, ctx);
                    }
                },
            }
        }
        if (!self.persistence.busy || self.stop_waiting)
            && let Some(finished) = self.finishing.take()
        {
            // The receiver may have given up.
            finished.send(()).ok();
        }
    }

    /// Sends a batch to the recorder. Its changes are persisted meanwhile if all their numbers are
    /// recorded.
    fn record(&mut self, mut batch: Batch, ctx: &mut Context<Self>) {
        let frames = batch.frames();
        let last = batch.last_seq();
        if let Some(last) = last {
            self.storage.recorder.do_send(Append {
                frames: frames.clone(),
                first_seq: last + 1 - batch.messages() as u64,
                talks: batch.take_talks(),
            });
        }
        self.metrics.recording.set(batch.messages() as u64);
        self.count_messages();
        if batch.changes.newest() <= self.recorded {
            self.persist_changes_of(&mut batch, ctx);
        }
        self.pending = Some(PendingBatch {
            batch,
            frames,
            recorded: last.is_none(),
        });
    }

    fn persist_changes_of(&mut self, batch: &mut Batch, ctx: &mut Context<Self>) {
        let changes = std::mem::take(&mut batch.changes);
        self.persist(changes, batch.needs, ctx);
    }

    /// Starts the timeout for the changes up to `needs`.
    fn watch_persistence(&mut self, needs: u64, ctx: &mut Context<Self>) {
        if self.persistence.covers(needs) || self.persistence.watched {
            return;
        }
        self.persistence.watched = true;
        ctx.run_later(PERSIST_TIMEOUT, move |room, ctx| {
            room.persistence.watched = false;
            if !room.persistence.covers(needs) {
                room.go_on_without(needs, ctx);
            } else if let Some(next) = room.pending.as_ref()
                && next.batch.changes.is_empty()
            {
                let needs = next.batch.needs;
                room.watch_persistence(needs, ctx);
            }
        });
    }

    /// Stops waiting for the changes up to `needs`. The recorder notes it first: after a restart the kept
    /// tokens would not tell who has left a nick since.
    fn go_on_without(&mut self, needs: u64, ctx: &mut Context<Self>) {
        if std::mem::replace(&mut self.persistence.lag_is_noted, true) {
            self.persistence.late = true;
            self.commit(ctx);
            return;
        }
        let noted = self.storage.lag.send(NoteLag(Some(self.recorded)));
        ctx.spawn(noted.into_actor(self).map(move |_, room, ctx| {
            room.persistence.late = !room.persistence.covers(needs);
            room.commit(ctx);
        }));
    }

    fn release(&mut self, mut batch: Batch, frames: Bytes) {
        let metrics = &self.metrics;
        batch
            .take_rejected()
            .into_iter()
            .for_each(|code| metrics.refusals.add(code));
        metrics.recording.set(0);
        self.count_users();
        let last = batch.last_seq().unwrap_or(self.recorded);
        let committed = Arc::new(batch.release(frames, self.recorded));
        self.recorded = last;
        for dispatcher in &self.dispatchers {
            dispatcher.do_send(Release(committed.clone()));
        }
    }

    /// Rejects the batch that could not be recorded and all later ones, whose numbers depend on it.
    fn fail(&mut self, pending: &mut PendingBatch) {
        pending.frames = Bytes::new();
        let later = self.full.iter_mut().chain([&mut self.building]);
        let failed = std::iter::once(&mut pending.batch).chain(later);
        self.registry.rewind(self.recorded + 1, failed);
    }
}

impl Actor for ChatRoom {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.count_users();
        ctx.run_interval(TICK, |room, ctx| {
            let now = room.clock.now();
            room.registry.tick(now, &mut room.building);
            if !room.building.is_empty() {
                room.schedule_commit(ctx);
            }
        });
    }
}

impl Handler<Requests> for ChatRoom {
    type Result = ();

    fn handle(
        &mut self,
        Requests {
            session,
            requests,
            words,
            cost,
        }: Requests,
        ctx: &mut Self::Context,
    ) {
        let now = self.clock.now();
        for request in requests {
            self.registry
                .handle(session, request, &words, now, &mut self.building);
            self.close_if_full();
        }
        self.building.push(Effect::CreditReturned { session, cost });
        self.schedule_commit(ctx);
    }
}

impl Handler<Leave> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Leave { session, reason }: Leave, ctx: &mut Self::Context) {
        // A session that ends with the server is announced to no other user, and can be resumed
        // like after a crash.
        if !self.is_stopping {
            let now = self.clock.now();
            self.registry
                .leave(session, reason, now, &mut self.building);
            self.schedule_commit(ctx);
        }
    }
}

impl Handler<AccountChanges> for ChatRoom {
    type Result = ();

    fn handle(&mut self, AccountChanges(changes): AccountChanges, ctx: &mut Self::Context) {
        for change in changes {
            let new_token = Token::random();
            self.registry
                .account_changed(change, new_token, &mut self.building);
        }
        self.schedule_commit(ctx);
    }
}

impl Handler<Persisted> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Persisted: Persisted, ctx: &mut Self::Context) {
        self.persistence.complete();
        self.persist_next();
        if !self.persistence.busy && std::mem::take(&mut self.persistence.lag_is_noted) {
            self.storage.lag.do_send(NoteLag(None));
        }
        if self.pending.is_some() || self.finishing.is_some() {
            self.commit(ctx);
        }
    }
}

impl Handler<ReadOnly> for ChatRoom {
    type Result = ();

    fn handle(&mut self, ReadOnly(read_only): ReadOnly, _: &mut Self::Context) {
        self.registry.set_read_only(read_only);
    }
}

impl Handler<ContinueRemovals> for ChatRoom {
    type Result = ();

    fn handle(&mut self, ContinueRemovals: ContinueRemovals, ctx: &mut Self::Context) {
        self.removal_is_due = false;
        self.registry.disconnect_some(&mut self.building);
        self.schedule_commit(ctx);
    }
}

impl Handler<Commit> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Commit: Commit, ctx: &mut Self::Context) {
        self.commit_is_due = false;
        self.commit(ctx);
    }
}

impl Handler<Appended> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Appended { recorded }: Appended, ctx: &mut Self::Context) {
        if let Some(mut pending) = self.pending.take() {
            pending.recorded = true;
            if !recorded {
                self.fail(&mut pending);
            }
            self.persist_changes_of(&mut pending.batch, ctx);
            self.pending = Some(pending);
        }
        self.commit(ctx);
    }
}

impl Handler<Configure> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Configure(settings): Configure, ctx: &mut Self::Context) {
        let now = self.clock.now();
        self.registry.configure(settings, now);
        self.schedule_commit(ctx);
    }
}

impl Handler<Finish> for ChatRoom {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Finish: Finish, ctx: &mut Self::Context) -> Self::Result {
        let (finished, wait) = oneshot::channel();
        self.is_stopping = true;
        while self.registry.has_pending_removals() {
            self.registry.disconnect_some(&mut self.building);
        }
        self.finishing = Some(finished);
        self.commit_is_due = true;
        ctx.notify(Commit);
        ctx.run_later(LAST_CHANGES, |room, ctx| {
            room.stop_waiting = true;
            room.commit(ctx);
        });
        Box::pin(async move {
            // An error means that the room has ended, which leaves nothing to wait for.
            wait.await.ok();
        })
    }
}

/// Makes the room panic, for a test of the failure of an actor.
#[cfg(test)]
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Fail;

#[cfg(test)]
impl Handler<Fail> for ChatRoom {
    type Result = ();

    fn handle(&mut self, Fail: Fail, _: &mut Self::Context) {
        panic!("as a test wants it");
    }
}

#[cfg(test)]
mod tests;
