//! Keep-alive, a lost connection, and its resumption.

use std::time::{Duration, Instant};

use actix::{AsyncContext as _, Context};
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use chat_proto::name::fold;
use chat_proto::{Channel, Envelope, HistoryQuery, LOBBY, MAX_PAGE, Request, Welcome};

use super::account::Proof;
use super::pending_queries::PendingQuery;
use super::replay::ReplayProgress;
use super::{Identity, Phase, Session};
use crate::exit_status::ExitStatus;
use crate::text::wording::count;
use crate::tui::event::SessionEvent;

/// The shortest delay before an attempt to come back, and the longest.
const SHORTEST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// How long a connection lasts before the delays begin anew: a server that accepts a client and
/// closes at once would otherwise be asked twice a second without end.
const LASTED: Duration = Duration::from_secs(30);

/// 0.5 s, doubled each time, and up to as much again by chance, so that the clients of a server
/// that was restarted do not all come at once; never more than [`LONGEST_DELAY`], chance included.
pub(super) fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(SHORTEST_DELAY)
        .with_max_delay(LONGEST_DELAY / 2)
        .with_factor(2.0)
        .without_max_times()
        .with_jitter()
        .build()
}
impl Session {
    /// Handles the loss of the connection.
    pub(super) fn lost(&mut self, ctx: &mut Context<Self>) {
        if self.connection.take().is_none() {
            return;
        }
        if let Some(arrivals) = self.arrivals.take() {
            ctx.cancel_future(arrivals);
        }
        if let Some(watch) = self.watch.take() {
            ctx.cancel_future(watch);
        }
        self.cut_replay();
        if self
            .since
            .take()
            .is_some_and(|since| since.elapsed() >= LASTED)
        {
            self.delays = delays();
        }
        self.queries
            .retain(|(_, question)| !matches!(question, PendingQuery::Missed { .. }));
        match self.phase {
            Phase::Ended => {}
            Phase::Leaving => self.said_goodbye(ctx),
            // The server does not wait for a nickname as long as a person thinks: there will be
            // another connection.
            Phase::Naming => {}
            // It ended while the nickname was on its way.
            Phase::Arriving if std::mem::take(&mut self.reused) => self.connect(ctx),
            Phase::Arriving if self.identity.is_none() => self.lost_for_good(ctx),
            Phase::Here if !self.options.reconnect => self.lost_for_good(ctx),
            Phase::Arriving => self.retry(ctx),
            Phase::Here => {
                self.phase = Phase::Arriving;
                self.choosing = false;
                self.transcript.tell(|| SessionEvent::Away);
                if self.editor {
                    self.transcript
                        .waiting(Some("connection lost; trying again"));
                } else {
                    self.transcript.notice("connection lost; trying again");
                }
                self.retry(ctx);
                self.ask(ctx);
                self.try_to_leave(ctx);
            }
        }
    }

    fn lost_for_good(&mut self, ctx: &mut Context<Self>) {
        self.transcript.waiting(None);
        let mut detail = self.options.server();
        if self.identity.is_none() && !self.answered && self.tls.is_none() {
            detail += ": the server said nothing; if that port has TLS, add --tls, --tls-ca or \
                       --tls-pin";
        }
        self.transcript.error("connection_lost", &detail);
        self.end(ExitStatus::Lost, ctx);
    }

    /// The server answers in TLS, and this connection has none.
    pub(super) fn needs_tls(&mut self, ctx: &mut Context<Self>) {
        self.transcript.waiting(None);
        let server = self.options.server();
        let detail =
            format!("{server}: that port speaks TLS; add --tls, --tls-ca FILE or --tls-pin SHA256");
        self.transcript.error("connection_refused", &detail);
        self.end(ExitStatus::Lost, ctx);
    }

    pub(super) fn retry(&mut self, ctx: &mut Context<Self>) {
        let delay = self.delays.next().unwrap_or(LONGEST_DELAY);
        log::debug!("next attempt in {delay:?}");
        ctx.run_later(delay, |session, ctx| session.connect(ctx));
    }

    /// Pings a silent server, and gives up a dead connection.
    pub(super) fn watch(&mut self, ctx: &mut Context<Self>) {
        let patience = self.options.keep_alive;
        let silence = self.heard.elapsed();
        if self.connection.is_none() {
            return;
        }
        if silence >= patience * 2 {
            log::debug!("no sign of life for {silence:?}");
            return self.lost(ctx);
        }
        if silence >= patience && !self.pinged {
            self.pinged = true;
            self.send_now(&Envelope::new(Request::Ping), ctx);
        }
        let next = if silence >= patience { 2 } else { 1 };
        let check = (self.heard + patience * next).saturating_duration_since(Instant::now());
        self.watch = Some(ctx.run_later(check, Self::watch));
    }

    /// Handles the welcome after a reconnection.
    pub(super) fn come_back(
        &mut self,
        before: &Identity,
        welcome: &Welcome<'_>,
        ctx: &mut Context<Self>,
    ) {
        // An id is known again where the same user says it: back by token, or in by password.
        let same_user = welcome.resumed || self.proof == Proof::Password;
        if !same_user || fold(&before.nick) != fold(&welcome.nick) {
            let unknown = self.pending.give_up_sent();
            if !unknown.is_empty() {
                let (lines, old) = (count(unknown.len(), "line"), &before.nick);
                let detail = format!("{lines} that {old} said may be recorded or not");
                self.refused("not_recorded", &detail);
            }
            for id in unknown {
                let reason = format!("sent as {}: the server may have recorded it", before.nick);
                self.transcript.tell(|| SessionEvent::Failed { id, reason });
            }
        }
        for id in self.pending.resend() {
            self.not_answered(&id);
        }
        // A history that was begun anew counts from 1 again.
        self.seen = self.seen.min(welcome.seq);
        self.said = self.said.min(welcome.seq);
        self.tell_welcome(welcome);
        let pages = self.join_again(welcome, ctx);
        self.expect_replay(welcome, pages, ctx);
    }

    /// What was missed is on its way: with it so many pages of history.
    pub(super) fn expect_replay(
        &mut self,
        welcome: &Welcome<'_>,
        pages: usize,
        ctx: &mut Context<Self>,
    ) {
        let barrier = self.next_id();
        let mut ping = Envelope::new(Request::Ping);
        ping.id = Some(barrier.as_str().into());
        self.send_now(&ping, ctx);
        self.replay = Some(ReplayProgress::new(
            self.seen,
            welcome.seq,
            barrier,
            pages,
            welcome.gap,
        ));
        if welcome.seq == self.seen {
            self.announce_replay();
        } else {
            self.wait_for_replay(None, ctx);
        }
    }

    /// Enters the channels again that the server has forgotten one was in, and asks what was said
    /// there, which it does not send again by itself; returns how many pages are to come.
    fn join_again(&mut self, welcome: &Welcome<'_>, ctx: &mut Context<Self>) -> usize {
        let inside: Vec<Channel> = welcome
            .joined
            .iter()
            .filter_map(|name| Channel::new(name).ok())
            .collect();
        let mut pages = 0;
        for channel in self.location.joined().to_vec() {
            let name = channel.as_str();
            if inside.contains(&channel) || name == LOBBY || self.is_to_be_joined(&channel) {
                continue;
            }
            let join = Request::Join {
                channel: name.into(),
            };
            self.send_now(&Envelope::new(join), ctx);
            // With --json every object is printed, and this answer is not one of the user's.
            if self.options.json || self.seen == welcome.seq {
                continue;
            }
            let history = Request::History(HistoryQuery {
                with: name.into(),
                before: None,
                after: Some(self.seen),
                limit: MAX_PAGE,
            });
            let id = self.next_id();
            let mut envelope = Envelope::new(history);
            envelope.id = Some(id.as_str().into());
            self.send_now(&envelope, ctx);
            let with = name.to_owned();
            // In front: it is asked before all that waits to be sent.
            self.queries
                .insert(pages, (id, PendingQuery::Missed { with }));
            pages += 1;
        }
        pages
    }

    /// Whether a wish to enter that channel waits to be sent.
    fn is_to_be_joined(&self, wanted: &Channel) -> bool {
        self.queries.iter().any(|(id, question)| {
            matches!(question, PendingQuery::Join { channel, .. } if *channel == *wanted)
                && self.pending.waits_to_be_sent(id)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_never_end() {
        let bases = [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0];
        for (delay, base) in delays().zip(bases) {
            let seconds = delay.as_secs_f64();
            assert!(
                (base..=base * 2.0).contains(&seconds),
                "{seconds} s for {base} s"
            );
        }
        assert!(delays().take(1000).all(|delay| delay <= LONGEST_DELAY));
        assert_eq!(delays().take(1000).count(), 1000);
    }
}
