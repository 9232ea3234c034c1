//! Goodbye, and the end.

use std::time::{Duration, Instant};

use actix::{ActorContext as _, AsyncContext as _, Context};
use chat_proto::{Envelope, Request};

use super::{Goodbye, Phase, Session};
use crate::exit_status::ExitStatus;
use crate::text::wording::count;

/// How long the server's `bye` is waited for. Everything is recorded by then, so nothing is at
/// stake.
const BYE: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn interrupt(&mut self, ctx: &mut Context<Self>) {
        if self.goodbye.is_some() {
            self.end(ExitStatus::Interrupted, ctx);
        } else {
            self.leave(None, ctx);
        }
    }

    /// Says goodbye as soon as all requests are complete.
    pub(super) fn leave(&mut self, reason: Option<String>, ctx: &mut Context<Self>) {
        if self.goodbye.is_some() {
            return;
        }
        self.goodbye = Some(Goodbye { reason });
        self.progress = Instant::now();
        if self.identity.is_none() {
            return self.leave_before_welcome(ctx);
        }
        let waiting = self.pending.unrecorded();
        if self.editor && waiting > 0 {
            let verb = if waiting == 1 { "waits" } else { "wait" };
            let lines = count(waiting, "line");
            let notice = format!("{lines} {verb} to be recorded; Ctrl-C ends at once");
            self.transcript.notice(&notice);
        }
        self.try_to_leave(ctx);
        self.linger(ctx);
    }

    /// Leaves before the welcome: waits a short time for it, to say goodbye.
    fn leave_before_welcome(&mut self, ctx: &mut Context<Self>) {
        if self.phase == Phase::Naming {
            self.no_nickname(ctx);
        } else if self.connection.is_some() {
            ctx.run_later(BYE, |session, ctx| {
                if session.identity.is_none() {
                    session.end(ExitStatus::Interrupted, ctx);
                }
            });
        } else {
            self.end(ExitStatus::Interrupted, ctx);
        }
    }

    pub(super) fn try_to_leave(&mut self, ctx: &mut Context<Self>) {
        let Some(goodbye) = &self.goodbye else {
            return;
        };
        if !self.pending.is_empty() {
            return;
        }
        if self.phase == Phase::Here {
            let reason = goodbye.reason.clone().map(Into::into);
            self.announce_replay();
            self.send_now(&Envelope::new(Request::Quit { reason }), ctx);
            self.phase = Phase::Leaving;
            ctx.run_later(BYE, |session, ctx| session.said_goodbye(ctx));
        } else if self.person && matches!(self.phase, Phase::Arriving | Phase::Naming) {
            // There is no connection to say goodbye to.
            self.end(ExitStatus::Lost, ctx);
        }
    }

    /// Gives up when no request completes for too long.
    pub(super) fn linger(&mut self, ctx: &mut Context<Self>) {
        let left = self.options.linger.saturating_sub(self.progress.elapsed());
        if !left.is_zero() {
            ctx.run_later(left, Self::linger);
        } else if matches!(self.phase, Phase::Here | Phase::Arriving | Phase::Naming) {
            let seconds = self.options.linger.as_secs_f64();
            let detail = format!("goodbye waited {seconds} s for nothing");
            self.transcript.error("no_answer", &detail);
            self.end(ExitStatus::Lost, ctx);
        }
    }

    pub(super) fn said_goodbye(&mut self, ctx: &mut Context<Self>) {
        let failed = self.failed || self.transcript.has_failed();
        let ending = if failed && !self.person {
            ExitStatus::Unrecorded
        } else {
            ExitStatus::Goodbye
        };
        self.end(ending, ctx);
    }

    /// Ends the Session.
    pub(super) fn end(&mut self, ending: ExitStatus, ctx: &mut Context<Self>) {
        if self.phase == Phase::Ended {
            return;
        }
        self.phase = Phase::Ended;
        self.announce_replay();
        let open = self.pending.unrecorded();
        if open > 0 {
            let verb = if open == 1 { "is" } else { "are" };
            let lines = count(open, "line");
            let detail = format!("{lines} {verb} not known to be recorded");
            self.transcript.error("not_recorded", &detail);
        }
        self.transcript.waiting(None);
        self.transcript.end_recording();
        self.connection = None;
        if let Some(done) = self.done.take() {
            // The receiver waits, unless the process is ending already.
            done.send(ending).ok();
        }
        ctx.stop();
    }
}
