//! What is on its way: requests, the window, and the next line of the keyboard.

use std::time::{Duration, Instant};

use actix::{ActorFutureExt as _, AsyncContext as _, Context, WrapFuture as _};
use bytes::Bytes;
use chat_proto::{Envelope, Request};

use super::pending_requests::CompletionRule;
use super::{Asked, Phase, Session};
use crate::net::connection::frame;
use crate::prompt::{PromptKind, PromptRequest};

impl Session {
    /// Returns a unique `id`: 32 hexadecimal digits of this run, and a number.
    pub(super) fn next_id(&mut self) -> String {
        self.ids += 1;
        format!("{}-{}", self.run, self.ids)
    }

    /// Takes a request to be sent as soon as may be; returns its `id`.
    pub(super) fn request(
        &mut self,
        request: Request<'_>,
        settled: CompletionRule,
    ) -> Option<String> {
        let id = self.next_id();
        self.request_as(id, request, settled)
    }

    /// The same under an `id` that is known already.
    pub(super) fn request_as(
        &mut self,
        id: String,
        request: Request<'_>,
        settled: CompletionRule,
    ) -> Option<String> {
        let envelope = Envelope {
            request,
            id: Some(id.as_str().into()),
        };
        match frame(&envelope) {
            Ok(bytes) => {
                self.pending.push(Some(id.clone()), bytes, settled);
                Some(id)
            }
            Err(error) => {
                self.refused("text_too_long", &error.to_string());
                None
            }
        }
    }

    /// Sends what waits, if one is in.
    pub(super) fn flush(&mut self, ctx: &mut Context<Self>) {
        if self.phase != Phase::Here {
            return;
        }
        for frame in self.pending.take_unsent() {
            self.send(frame, ctx);
        }
    }

    /// Hands a frame to the connection, if there is one.
    pub(super) fn send(&mut self, frame: Bytes, ctx: &mut Context<Self>) {
        if let Some(link) = &self.connection
            && let Err(stuck) = link.send(frame)
        {
            // Not from within what wants to send: the loss is dealt with when that is done.
            log::debug!("{stuck}");
            ctx.run_later(Duration::ZERO, |session, ctx| session.lost(ctx));
        }
    }

    /// Sends a request that nothing waits for.
    pub(super) fn send_now(&mut self, request: &Envelope<'_>, ctx: &mut Context<Self>) {
        match frame(request) {
            Ok(bytes) => self.send(bytes, ctx),
            Err(error) => self.transcript.error("bad_request", &error.to_string()),
        }
    }

    /// The answer to the server's own ping.
    pub(super) fn pong(&mut self, id: Option<&str>, ctx: &mut Context<Self>) {
        let mut pong = Envelope::new(Request::Pong);
        pong.id = id.map(Into::into);
        match frame(&pong) {
            Ok(bytes) => self.send(bytes, ctx),
            Err(error) => log::debug!("a ping of the server cannot be answered: {error}"),
        }
    }

    /// A line is declined and not sent, or not recorded.
    pub(super) fn refused(&mut self, code: &str, detail: &str) {
        self.transcript.error(code, detail);
        self.failed = true;
    }

    /// Asks for the next line, if there is room for it and nothing was asked for yet.
    pub(super) fn ask(&mut self, ctx: &mut Context<Self>) {
        // In the full screen a line can be typed at any time.
        let asked = self.asked != Asked::Nothing
            || self.choosing
            || self.asks_for_a_channel()
            || self.deferred.is_some()
            || self.transcript.tui().is_some();
        if asked || self.phase == Phase::Ended || self.identity.is_none() {
            return;
        }
        // An editor is open to the end, for Ctrl-C and so that its printer is at work.
        if !self.editor && (self.goodbye.is_some() || !self.pending.has_room()) {
            return;
        }
        self.asked = Asked::Line;
        let prompt = match self.goodbye {
            Some(_) => String::new(),
            None => self.location.prompt(),
        };
        let next = PromptRequest {
            prompt,
            purpose: PromptKind::Chat,
        };
        match &self.connection {
            Some(link) if !self.editor => {
                let room = link.room().into_actor(self);
                ctx.spawn(room.map(move |(), session, _| session.stdin.do_send(next)));
            }
            _ => self.stdin.do_send(next),
        }
    }

    /// Something is settled: there may be room for more, or it may have been the last.
    pub(super) fn settled(&mut self, ctx: &mut Context<Self>) {
        self.progress = Instant::now();
        self.ask(ctx);
        self.try_to_leave(ctx);
    }
}
