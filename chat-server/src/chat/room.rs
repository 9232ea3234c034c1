//! `ChatRoom`: the one actor that decides who is told what, and in which order.
//!
//! It owns the [`Registry`] (every decision), the batch that is being gathered and the one that is
//! being recorded. Sessions send it [`Requests`] and [`Leave`]; it has messages recorded by whoever
//! takes [`Append`], and hands what is recorded, in order, to all who take [`Release`]. What has changed of
//! who may come back goes to whoever takes [`Persist`]; a batch in which somebody came or went waits for that
//! a moment (`underway`), so that who is told to be in a channel is in it after a crash too.
//!
//! While a batch is being recorded the next one is gathered: group commit without a timer. What waits
//! here is bounded by its sessions: each has only so many requests unanswered (see
//! `net::connection::Credit`) and does not read its socket beyond that.
//!
//! It never touches a socket or a file and never waits.

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
use crate::vital::Vital;

/// How long a server that ends waits for the last changes to be kept.
const LAST_CHANGES: Duration = Duration::from_secs(1);

/// How often the clock is read and what has ended is looked for, while no request comes.
const TICK: Duration = Duration::from_secs(1);

/// What one read of a socket held.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Requests {
    pub session: SessionId,
    pub requests: Vec<Request>,
    /// What is said in them.
    pub words: Words,
    /// The credit that they take until they are answered.
    pub cost: u32,
}

/// The connection of a session has ended. Harmless to say twice.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Leave {
    pub session: SessionId,
    /// What the others are told.
    pub reason: &'static str,
}

/// Which nicks are protected has changed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct AccountChanges(pub Vec<AccountChange>);

/// To whoever keeps who may come back: keep this, then answer with [`Persisted`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Persist(pub Vec<StateChange>);

/// The last [`Persist`] is kept.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Persisted;

/// To the recorder: note beside the history, before this is answered, the message behind which the kept
/// state may be out of date. `None`: it is up to date.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct NoteLag(pub Option<u64>);

/// Whether persistent state cannot be kept: what operators and founders decide is refused
/// meanwhile.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ReadOnly(pub bool);

/// Other settings hold from now on.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Configure(pub Settings);

/// Deal with what has come, take nothing more; answered when all of it is recorded and released.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Finish;

/// To the recorder: append these frames, each a length and a line, then answer with [`Appended`].
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Append {
    pub frames: Bytes,
    /// The number of the first of them.
    pub first_seq: u64,
    /// Who says what is in them, so that it need not be looked for there.
    pub talks: Vec<SenderRun>,
}

/// From the recorder: whether the last [`Append`] is recorded, all of it, or nothing of it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Appended {
    pub recorded: bool,
}

/// To the dispatcher of each thread: all of it is recorded, let everyone know.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Release(pub Arc<CommittedBatch>);

/// What has come is to be recorded or released, now that the mailbox is empty.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Commit;

/// Users are still to be put out: some of them are now, and others' requests come between.
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

/// See the head of this file.
#[derive(Debug)]
pub struct ChatRoom {
    registry: Registry,
    clock: Clock,
    storage: Storage,
    /// One of each thread.
    dispatchers: Vec<Recipient<Release>>,
    persistence: PersistenceProgress,
    building: Batch,
    /// Gathered, full, and next to be recorded.
    full: VecDeque<Batch>,
    /// With the recorder.
    pending: Option<PendingBatch>,
    /// The last message that is recorded.
    recorded: u64,
    commit_is_due: bool,
    /// The server ends,
    is_stopping: bool,
    /// Whether [`ContinueRemovals`] is on its way.
    removal_is_due: bool,
    /// and whoever ends it waits for what is here.
    finishing: Option<oneshot::Sender<()>>,
    /// The last changes cannot be kept in time.
    stop_waiting: bool,
    metrics: Arc<RoomMetrics>,
    _vital: Vital,
}

impl ChatRoom {
    /// A room whose history ends with the last message of the registry.
    pub fn new(
        registry: Registry,
        clock: Clock,
        storage: Storage,
        dispatchers: Vec<Recipient<Release>>,
        metrics: Arc<RoomMetrics>,
        vital: Vital,
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

    /// Sees to it that what was gathered goes on its way once the mailbox is empty.
    fn schedule_commit(&mut self, ctx: &mut Context<Self>) {
        self.close_if_full();
        if self.registry.has_pending_removals() && !self.removal_is_due {
            self.removal_is_due = true;
            ctx.notify(ContinueRemovals);
        }
        if !self.full.is_empty() {
            self.commit(ctx);
        }
        self.count();
        if !self.commit_is_due && self.pending.is_none() {
            self.commit_is_due = true;
            ctx.notify(Commit);
        }
    }

    /// Begins a new batch where the one being gathered has enough.
    fn close_if_full(&mut self) {
        self.building.begin(Instant::now);
        if self.building.is_full(self.registry.batch_bytes()) {
            let full = self.close_batch();
            self.full.push_back(full);
        }
    }

    /// Takes the batch that is being gathered, with what has changed in it.
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

    fn count(&self) {
        let waiting = self.full.iter().chain([&self.building]);
        let gathered: usize = waiting.map(Batch::messages).sum();
        self.metrics.gathered.set(gathered as u64);
    }

    /// Has changes kept, as soon as nothing is being kept; `needs` counts them.
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

    /// Hands on what is gathered, until there is nothing or something has to be waited for.
    fn commit(&mut self, ctx: &mut Context<Self>) {
        loop {
            match self.pending.take() {
                Some(recording) if self.persistence.is_ready(&recording) => {
                    self.release(recording.batch, recording.frames);
                }
                Some(recording) => {
                    self.pending = Some(recording);
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
            // Whoever waited may have given up.
            finished.send(()).ok();
        }
    }

    /// Sends a batch to the recorder. Its changes are kept meanwhile if all their numbers are recorded.
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
        self.count();
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

    /// Sees to it that nothing waits long for the changes up to `needs`.
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
            .take_refused()
            .into_iter()
            .for_each(|code| metrics.refusals.add(code));
        metrics.recording.set(0);
        self.count_users();
        let last = batch.last_seq().unwrap_or(self.recorded);
        let released = Arc::new(batch.release(frames, self.recorded));
        self.recorded = last;
        for dispatcher in &self.dispatchers {
            dispatcher.do_send(Release(released.clone()));
        }
    }

    /// Nothing of the batch in the recorder's hands was recorded, so nothing that was by_number behind
    /// it can be either; who said it is told, and may say it again.
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
        // Who leaves with_reason the server ends is missed by nobody, and may come back as long as if it had been killed.
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
        if let Some(mut recording) = self.pending.take() {
            recording.recorded = true;
            if !recorded {
                self.fail(&mut recording);
            }
            self.persist_changes_of(&mut recording.batch, ctx);
            self.pending = Some(recording);
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
            // An error means that the room has ended: there is nothing to wait for.
            wait.await.ok();
        })
    }
}

/// What would be a bug, for a test of what becomes of the server then.
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
