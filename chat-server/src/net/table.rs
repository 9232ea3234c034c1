//! The connections of a thread, by session and by channel, and what they all need.

use std::cell::{Cell, OnceCell, RefCell, RefMut};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix::prelude::*;
use slab::Slab;
use tokio::sync::oneshot;
use tokio_util::time::{DelayQueue, delay_queue};

use super::barred::Barred;
use super::connection::Connection;
use super::counts::Counts;
use super::dispatcher::CaughtUp;
use super::stage::Stage;
use crate::chat::room::ChatRoom;
use crate::chat::{ChannelKey, SessionId};
use crate::config::Config;
use crate::store::history::Readers;
use crate::store::{accounts, history};

/// Bytes that one read takes from a socket, into a buffer that all sessions of a thread share.
const SCRATCH_BYTES: usize = 64 * 1024;

/// What of the configuration the sessions go by.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub hello_timeout: Duration,
    pub idle_timeout: Duration,
    pub text_bytes: usize,
    pub send_queue_bytes: usize,
    /// What may wait for all of this thread together.
    pub send_queues_bytes: usize,
    /// 0: no limit.
    pub rate_per_second: u32,
    pub rate_burst: u32,
}

impl From<&Config> for Limits {
    fn from(config: &Config) -> Self {
        let limits = &config.limits;
        let count = |count: usize| u32::try_from(count).expect("the configuration bounds it");
        Self {
            hello_timeout: limits.hello_timeout.get(),
            idle_timeout: limits.idle_timeout.get(),
            text_bytes: limits.text_bytes.get(),
            send_queue_bytes: limits.send_queue_bytes.get(),
            send_queues_bytes: limits.send_queues_bytes.get() / config.workers.get(),
            rate_per_second: count(limits.rate_per_second.get()),
            rate_burst: count(limits.rate_burst.get()),
        }
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct Table {
    /// Which thread it is of.
    thread: u8,
    limits: Cell<Limits>,
    pub(super) counts: Arc<Counts>,
    /// Told when none does any more.
    pub(super) caught_up: OnceCell<Recipient<CaughtUp>>,
    pub room: Addr<ChatRoom>,
    history: Readers,
    /// Whom the history answers: the dispatcher of this thread, from its start on.
    pub(super) answers: OnceCell<Recipient<history::Answer>>,
    pub(super) accounts: accounts::AuthService,
    pub(super) barred: Barred,
    /// The same for the accounts.
    pub(super) outcomes: OnceCell<Recipient<accounts::AuthReply>>,
    /// No session reads any more: the server ends.
    pub deaf: Cell<bool>,
    scratch: RefCell<Box<[u8]>>,
    connections: RefCell<Slab<Rc<Connection>>>,
    /// Who gets the messages of a channel.
    members: RefCell<Vec<Vec<Rc<Connection>>>>,
    /// Number of lagging members, by channel.
    lagging_members: RefCell<Vec<u32>>,
    /// The last lagging member of a channel has caught up or left, which the dispatcher has to learn.
    lag_cleared: Cell<bool>,
    timers: RefCell<DelayQueue<SessionId>>,
    generation: Cell<u32>,
    pub(super) stage: Stage,
    /// Told when the last connection has ended.
    emptied: RefCell<Option<oneshot::Sender<()>>>,
}

impl Table {
    /// The table of a thread.
    pub fn new(
        thread: u8,
        limits: Limits,
        counts: Arc<Counts>,
        room: Addr<ChatRoom>,
        history: Readers,
        accounts: accounts::AuthService,
        barred: Barred,
    ) -> Self {
        Self {
            thread,
            limits: Cell::new(limits),
            counts,
            caught_up: OnceCell::new(),
            room,
            history,
            answers: OnceCell::new(),
            accounts,
            barred,
            outcomes: OnceCell::new(),
            deaf: Cell::new(false),
            scratch: RefCell::new(vec![0; SCRATCH_BYTES].into()),
            connections: RefCell::default(),
            members: RefCell::default(),
            lagging_members: RefCell::default(),
            lag_cleared: Cell::new(false),
            timers: RefCell::default(),
            generation: Cell::new(0),
            stage: Stage::default(),
            emptied: RefCell::default(),
        }
    }

    pub fn limits(&self) -> Limits {
        self.limits.get()
    }

    /// Other limits, from now on.
    pub fn limit(&self, limits: Limits) {
        self.limits.set(limits);
    }

    /// What waits for a connection was so much, and is so much now.
    pub(super) fn count_waiting(&self, before: usize, now: usize) {
        let waiting = &self.counts.waiting_bytes;
        waiting.set(waiting.get() + now as u64 - before as u64);
    }

    /// Updates the counts of lagging connections, in total and by channel.
    pub(super) fn count_lagging(&self, connection: &Connection, before: bool, now: bool) {
        if before == now {
            return;
        }
        for &(channel, _) in &*connection.places.borrow() {
            self.count_lagging_member(channel, now);
        }
        let lagging = &self.counts.lagging;
        lagging.set(lagging.get() + u64::from(now) - u64::from(before));
        if (self.lag_cleared.take() || !self.somebody_lags())
            && let Some(dispatcher) = self.caught_up.get()
        {
            dispatcher.do_send(CaughtUp);
        }
    }

    pub(super) fn somebody_lags(&self) -> bool {
        self.counts.lagging.get() > 0
    }

    fn count_lagging_member(&self, channel: ChannelKey, lags: bool) {
        let mut lagging = self.lagging_members.borrow_mut();
        let index = channel as usize;
        if lagging.len() <= index {
            lagging.resize(index + 1, 0);
        }
        lagging[index] = lagging[index] + u32::from(lags) - u32::from(!lags);
        if lagging[index] == 0 {
            self.lag_cleared.set(true);
        }
    }

    /// Returns whether the channel has a lagging member.
    pub(super) fn lags_in(&self, channel: ChannelKey) -> bool {
        let lagging = self.lagging_members.borrow();
        lagging
            .get(channel as usize)
            .is_some_and(|&count| count > 0)
    }

    /// Returns whether the connection of this session is lagging.
    pub(super) fn lags(&self, session: SessionId) -> bool {
        self.get(session)
            .is_some_and(|connection| connection.lags())
    }

    /// While more waits than this thread may hold, those for whom most waits are let go.
    pub(super) fn let_the_slowest_go(&self) {
        while self.counts.waiting_bytes.get() > self.limits().send_queues_bytes as u64 {
            let connections = self.connections.borrow();
            let open = connections.iter().map(|(_, connection)| connection);
            let slowest = open
                .filter(|connection| connection.is_open())
                .max_by_key(|connection| connection.counted_bytes())
                .cloned();
            drop(connections);
            let Some(slowest) = slowest.filter(|slowest| slowest.counted_bytes() > 0) else {
                return;
            };
            slowest.let_go(self);
            slowest.flush(self);
        }
    }

    /// The buffer for one read; nobody holds it longer than that.
    pub fn scratch(&self) -> RefMut<'_, Box<[u8]>> {
        self.scratch.borrow_mut()
    }

    /// Has the history read something; the dispatcher gets the answer.
    pub(super) fn read_history(&self, connection: &Connection, what: history::HistoryRequest) {
        let reply = self
            .answers
            .get()
            .expect("the dispatcher starts before the sessions")
            .clone();
        let read = history::Read {
            session: connection.id,
            request: what,
            reply,
        };
        self.history.ask(connection.peer.ip(), read);
    }

    /// Drops what the history is to read for a session that does not get the answer.
    pub(super) fn cancel_read(&self, session: SessionId) {
        self.history.cancel(session);
    }

    /// Serves what the history reads for a closing session after what it reads for others.
    pub(super) fn read_history_last(&self, session: SessionId) {
        self.history.put_last(session);
    }

    /// Has something done about an account for whoever is at `address`; the dispatcher gets the answer.
    ///
    /// # Errors
    /// Nothing is done.
    pub(super) fn ask_accounts(
        &self,
        session: SessionId,
        address: IpAddr,
        act: accounts::AuthRequest,
    ) -> Result<(), accounts::AuthRejection> {
        let reply = self
            .outcomes
            .get()
            .expect("the dispatcher starts before the sessions")
            .clone();
        self.accounts.ask(session, address, act, reply)
    }

    /// Makes a connection known; `make` is told its id.
    pub fn insert(&self, make: impl FnOnce(SessionId) -> Connection) -> Rc<Connection> {
        let mut connections = self.connections.borrow_mut();
        let place = connections.vacant_entry();
        self.generation.set(self.generation.get().wrapping_add(1));
        let session = SessionId::new(self.thread, place.key(), self.generation.get())
            .expect("the configuration allows 10,000,000 connections, fewer than 2^24");
        let connection = Rc::new(make(session));
        place.insert(connection.clone());
        drop(connections);
        self.set_timer(&connection, self.limits().hello_timeout);
        connection
    }

    pub fn get(&self, session: SessionId) -> Option<Rc<Connection>> {
        let connections = self.connections.borrow();
        connections
            .get(session.place())
            .filter(|connection| connection.id == session)
            .cloned()
    }

    pub fn all(&self) -> Vec<Rc<Connection>> {
        self.connections
            .borrow()
            .iter()
            .map(|(_, connection)| connection.clone())
            .collect()
    }

    /// Done when there is no connection.
    pub fn emptied(&self) -> oneshot::Receiver<()> {
        let (emptied, wait) = oneshot::channel();
        *self.emptied.borrow_mut() = Some(emptied);
        self.look_whether_empty();
        wait
    }

    fn look_whether_empty(&self) {
        if self.connections.borrow().is_empty()
            && let Some(emptied) = self.emptied.take()
        {
            // Whoever waited may have given up.
            emptied.send(()).ok();
        }
    }

    /// Forgets a connection that has ended.
    pub fn remove(&self, connection: &Connection) {
        self.leave_channels(connection);
        connection.count_out(self);
        if connection.is_reading_history() {
            self.cancel_read(connection.id);
        }
        if let Some(key) = connection.timer.take() {
            self.timers.borrow_mut().remove(&key);
        }
        self.connections.borrow_mut().remove(connection.id.place());
        self.look_whether_empty();
    }

    /// `time` from now, and not earlier, [`Table::poll_timers`] gives the session.
    pub fn set_timer(&self, connection: &Connection, time: Duration) {
        let mut timers = self.timers.borrow_mut();
        match connection.timer.get() {
            Some(key) => timers.reset(&key, time),
            None => connection
                .timer
                .set(Some(timers.insert(connection.id, time))),
        }
    }

    /// The next connection whose time has come; its timer has to be set again.
    pub fn poll_timers(&self, cx: &mut Context<'_>) -> Poll<Rc<Connection>> {
        loop {
            // Bound first: the queue must be free again when the connection is dealt with.
            let expired: Poll<Option<delay_queue::Expired<SessionId>>> =
                self.timers.borrow_mut().poll_expired(cx);
            match expired {
                Poll::Ready(Some(expired)) => {
                    if let Some(connection) = self.get(expired.into_inner()) {
                        connection.timer.set(None);
                        return Poll::Ready(connection);
                    }
                }
                // An empty queue wakes whoever asked last when there is a timer again.
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }

    pub fn join_channel(&self, connection: &Rc<Connection>, channel: ChannelKey) {
        let mut members = self.members.borrow_mut();
        let index = channel as usize;
        if members.len() <= index {
            members.resize_with(index + 1, Vec::new);
        }
        let place =
            u32::try_from(members[index].len()).expect("memory ends before 2^32 connections");
        members[index].push(connection.clone());
        connection.places.borrow_mut().push((channel, place));
        if connection.lags() {
            self.count_lagging_member(channel, true);
        }
    }

    pub fn leave_channel(&self, connection: &Connection, channel: ChannelKey) {
        let mut places = connection.places.borrow_mut();
        let Some(at) = places.iter().position(|&(other, _)| other == channel) else {
            return;
        };
        let (_, place) = places.swap_remove(at);
        drop(places);
        if connection.lags() {
            self.count_lagging_member(channel, false);
        }
        let members = &mut self.members.borrow_mut()[channel as usize];
        members.swap_remove(place as usize);
        if let Some(moved) = members.get(place as usize) {
            let mut places = moved.places.borrow_mut();
            if let Some(entry) = places.iter_mut().find(|(other, _)| *other == channel) {
                entry.1 = place;
            }
        }
        if members.is_empty() {
            *members = Vec::new();
        }
    }

    pub fn leave_channels(&self, connection: &Connection) {
        loop {
            let last = connection.places.borrow().last().copied();
            let Some((channel, _)) = last else { return };
            self.leave_channel(connection, channel);
        }
    }

    /// How many get the messages of a channel.
    pub fn members(&self, channel: ChannelKey) -> usize {
        let members = self.members.borrow();
        members.get(channel as usize).map_or(0, Vec::len)
    }

    /// Does something with everyone who gets the messages of `channel`.
    pub fn for_each_member(&self, channel: ChannelKey, mut act: impl FnMut(&Rc<Connection>)) {
        if let Some(members) = self.members.borrow().get(channel as usize) {
            members.iter().for_each(&mut act);
        }
    }
}
