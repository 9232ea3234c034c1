//! Requests of the full screen, and events for it.

use actix::Context;
use chat_proto::{
    Channel, ErrorCode, HistoryQuery, Message, Record, Request, Say, Timestamp, Welcome,
};

use super::Session;
use super::pending_queries::{ListPurpose, PendingQuery};
use super::pending_requests::CompletionRule;
use crate::command;
use crate::prompt::{PromptKind, PromptRequest};
use crate::tui::event::SessionEvent;
use crate::tui::request::AppRequest;

/// Messages of a page.
const PAGE: u16 = 100;

impl Session {
    /// Executes a request of the full screen.
    pub(super) fn app_request(&mut self, request: AppRequest, ctx: &mut Context<Self>) {
        match request {
            AppRequest::Line { to, text } => self.line_for(&to, &text, ctx),
            AppRequest::Input(typed) => self.typed(typed, ctx),
            AppRequest::Again { id, to, text } => self.say_again(id, to, text, ctx),
            AppRequest::Older { with, before } => self.older(with, before, ctx),
            AppRequest::People(channel) => {
                if let Ok(channel) = Channel::new(&channel) {
                    self.list(channel, ListPurpose::Learn);
                    self.flush(ctx);
                }
            }
        }
    }

    /// A line, typed where one looks at the conversation `to`.
    fn line_for(&mut self, to: &str, line: &str, ctx: &mut Context<Self>) {
        if self.goodbye.is_some() {
            return;
        }
        self.location.go(to);
        match command::parse(line) {
            Ok(command) => self.command(command, ctx),
            Err(refusal) => self.refused(refusal.code, &refusal.detail),
        }
        if self.location.to() != to {
            let here = self.location.to().to_owned();
            self.transcript.tell(|| SessionEvent::Here(here));
        }
        self.flush(ctx);
    }

    /// With the `id` that it had: should it be recorded after all, it is not recorded twice.
    fn say_again(&mut self, id: String, to: String, text: String, ctx: &mut Context<Self>) {
        let say = Request::Say(Say {
            to: Some(to.as_str().into()),
            text: text.as_str().into(),
            from: None,
        });
        if self
            .request_as(id.clone(), say, CompletionRule::Acked)
            .is_some()
        {
            self.transcript
                .tell(|| SessionEvent::Waiting { id, to, text });
        }
        self.flush(ctx);
    }

    fn older(&mut self, with: String, before: Option<u64>, ctx: &mut Context<Self>) {
        let request = Request::History(HistoryQuery {
            with: with.as_str().into(),
            before,
            after: None,
            limit: PAGE,
        });
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            self.queries.push_back((id, PendingQuery::Older { with }));
        }
        self.flush(ctx);
    }

    /// Asks a person for something other than a line of the conversation.
    pub(super) fn ask_person(&self, prompt: String, purpose: PromptKind) {
        match self.transcript.tui() {
            Some(tui) => tui.tell(SessionEvent::Asked { prompt, purpose }),
            None => self.stdin.do_send(PromptRequest { prompt, purpose }),
        }
    }

    /// The last message that was seen under that nick by the end of an earlier run.
    pub(super) fn remembered(&self, nick: Option<&str>) -> Option<u64> {
        self.remembered.as_ref()?.seen(nick?)
    }

    /// Shows a message. One that is not fresh was missed during a disconnection.
    pub(super) fn show(&mut self, message: Message<'static>, fresh: bool) {
        self.transcript.message(&message, self.location.channel());
        self.transcript
            .tell(|| SessionEvent::Message { message, fresh });
    }

    pub(super) fn tell_welcome(&self, welcome: &Welcome<'_>) {
        self.transcript.tell(|| SessionEvent::Welcomed {
            nick: welcome.nick.as_ref().to_owned(),
            joined: welcome
                .joined
                .iter()
                .map(|name| name.as_ref().to_owned())
                .collect(),
            seen: self.seen,
            last: welcome.seq,
            clock: welcome.time,
        });
    }

    pub(super) fn tell_recorded(&self, id: &str, seq: u64, time: Timestamp) {
        let id = id.to_owned();
        self.transcript
            .tell(|| SessionEvent::Recorded { id, seq, time });
    }

    /// Tells that a line is not recorded, if the error is about one that is shown.
    pub(super) fn tell_failed(&self, code: ErrorCode, detail: &str, id: Option<&str>) -> bool {
        let said = id.filter(|id| self.pending.is_said(id));
        let (Some(tui), Some(id)) = (self.transcript.tui(), said) else {
            return false;
        };
        tui.tell(SessionEvent::Failed {
            id: id.to_owned(),
            reason: self.transcript.sentence(&code.to_string(), detail),
        });
        true
    }

    pub(super) fn tell_parted(&self, channel: &str) {
        let channel = channel.to_owned();
        self.transcript.tell(|| SessionEvent::Parted(channel));
    }

    pub(super) fn tell_page(&self, with: String, records: Vec<Record<'static>>, more: bool) {
        let messages = records
            .into_iter()
            .map(|Record::Message(message)| message)
            .collect();
        self.transcript.tell(|| SessionEvent::Page {
            with,
            messages,
            more,
        });
    }
}
