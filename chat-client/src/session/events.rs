//! Handles what arrives.

use std::time::Instant;

use actix::Context;
use chat_proto::name::fold;
use chat_proto::{Channel, ChannelInfo, ErrorCode, Event, Timestamp};

use super::pending_queries::{ListPurpose, PendingQuery};
use super::pending_requests::CompletionRule;
use super::replay::ReplayProgress;
use super::{Phase, Session};
use crate::exit_status::ExitStatus;
use crate::text::{format, json, moderation};
use crate::tui::event::SessionEvent;

impl Session {
    /// A frame arrived.
    pub(super) fn arrived(&mut self, frame: &[u8], ctx: &mut Context<Self>) {
        self.heard = Instant::now();
        self.pinged = false;
        self.answered = true;
        if self.phase == Phase::Ended {
            return;
        }
        if self.options.json {
            match json::line(frame) {
                Some(line) => self.transcript.object(line),
                None => self
                    .transcript
                    .error("bad_json", "the server sent invalid JSON"),
            }
        }
        match Event::parse(frame) {
            Ok(event) => {
                self.event(event, ctx);
                if self
                    .replay
                    .as_ref()
                    .is_some_and(ReplayProgress::is_too_much)
                {
                    self.replay = None;
                    let detail = "the server sends what was missed without an end";
                    self.transcript.error("too_much", detail);
                    return self.end(ExitStatus::Lost, ctx);
                }
                self.take_up_held(ctx);
            }
            Err(error) => log::warn!("not understood: {error}"),
        }
    }

    fn event(&mut self, event: Event<'static>, ctx: &mut Context<Self>) {
        self.learn(&event);
        match event {
            Event::Welcome(welcome) if self.phase == Phase::Arriving => {
                self.welcome(&welcome, ctx);
            }
            Event::Message(message) => self.message(message),
            Event::Ack {
                id,
                seq: Some(seq),
                time,
            } => self.recorded(&id, seq, time, ctx),
            Event::Users {
                channel,
                users,
                total,
                more,
                ..
            } => {
                let users = users.into_iter().map(Into::into).collect();
                self.users(&channel, users, (total, more), ctx);
            }
            Event::Channels { channels, .. } => self.channels(&channels, ctx),
            Event::History {
                with,
                messages,
                more,
                ..
            } => self.history(&with, messages, more, ctx),
            Event::Ping { id } => {
                self.transcript.tell(|| SessionEvent::Heard);
                self.pong(id.as_deref(), ctx);
            }
            Event::Pong { id } => {
                self.transcript.tell(|| SessionEvent::Heard);
                self.pong_came(id.as_deref());
            }
            Event::Error { code, detail, id } => {
                self.error(code, &detail, id.as_deref(), ctx);
            }
            Event::Bye { reason, .. } => self.bye(&reason, ctx),
            event @ (Event::Joined { .. }
            | Event::Left { .. }
            | Event::Gone { .. }
            | Event::Renamed { .. }
            | Event::Banned(_)
            | Event::Unbanned(_)
            | Event::Muted(_)
            | Event::Unmuted { .. }
            | Event::Topic { .. }) => self.notice(event),
            Event::Bans { bans, more, .. } => self.bans(bans, more, ctx),
            Event::Registered { .. } | Event::Unregistered { .. } => {
                self.account_changed(&event, ctx)
            }
            // Without `seq` nothing is recorded: the event before it says what was done.
            Event::Ack { seq: None, .. } | Event::Welcome(_) | Event::Unknown => {}
        }
    }

    /// A line is recorded under the number `seq`.
    fn recorded(&mut self, id: &str, seq: u64, time: Timestamp, ctx: &mut Context<Self>) {
        self.tell_recorded(id, seq, time);
        self.said = self.said.max(seq);
        if self.pending.settle(id).is_some() {
            self.settled(ctx);
        }
    }

    fn channels(&mut self, channels: &[ChannelInfo<'_>], ctx: &mut Context<Self>) {
        let is_it = |question: &PendingQuery| {
            matches!(
                question,
                PendingQuery::Channels | PendingQuery::Topic { .. }
            )
        };
        if let Some((id, question)) = self.answered(is_it) {
            let shown = match question {
                PendingQuery::Topic { channel } => topic_of(&channel, channels),
                _ => format::channels(channels),
            };
            self.show_notice(&shown);
            self.settle_answered(&id, ctx);
        }
    }

    /// Collects names for completion.
    fn learn(&mut self, event: &Event<'_>) {
        match event {
            Event::Message(message) => self.names.nick(&message.from),
            Event::Joined { nick, channel, .. } => {
                self.names.nick(nick);
                self.names.channel(channel);
            }
            Event::Gone { nick, .. } => self.names.gone(nick),
            Event::Renamed { nick, to, .. } => {
                self.names.gone(nick);
                self.names.nick(to);
            }
            Event::Users { users, .. } => users.iter().for_each(|nick| self.names.nick(nick)),
            Event::Channels { channels, .. } => channels
                .iter()
                .for_each(|channel| self.names.channel(&channel.name)),
            Event::Welcome(_)
            | Event::Ack { .. }
            | Event::Left { .. }
            | Event::History { .. }
            | Event::Ping { .. }
            | Event::Pong { .. }
            | Event::Error { .. }
            | Event::Bye { .. }
            | Event::Registered { .. }
            | Event::Unregistered { .. }
            | Event::Banned(_)
            | Event::Unbanned(_)
            | Event::Bans { .. }
            | Event::Muted(_)
            | Event::Unmuted { .. }
            | Event::Topic { .. }
            | Event::Unknown => {}
        }
    }

    fn notice(&mut self, event: Event<'static>) {
        match &event {
            Event::Joined { channel, nick, .. } if self.location.is_me(nick) => {
                self.entered(channel);
            }
            Event::Left { channel, nick, .. } if self.location.is_me(nick) => {
                if let Ok(channel) = Channel::new(channel) {
                    self.location.leave(&channel);
                    self.tell_parted(channel.as_str());
                }
            }
            Event::Renamed { nick, to, .. } => {
                if self.location.renamed(nick, to)
                    && let Some(identity) = &mut self.identity
                {
                    identity.nick = to.clone().into_owned();
                }
            }
            _ => {}
        }
        let is_presence = matches!(
            event,
            Event::Joined { .. } | Event::Left { .. } | Event::Gone { .. } | Event::Renamed { .. }
        );
        let told = format::notice(&event);
        if let Some(tui) = self.transcript.tui() {
            if is_presence && !self.is_put_out(&event) {
                return tui.tell(SessionEvent::Presence(event));
            }
            if let (Event::Topic { channel, topic, .. }, Some((text, time))) = (&event, &told) {
                return tui.tell(SessionEvent::Topic {
                    channel: channel.as_ref().to_owned(),
                    topic: topic.as_ref().to_owned(),
                    text: text.clone(),
                    time: *time,
                });
            }
        }
        if let Some((text, time)) = told
            && !self.options.json
        {
            self.transcript.notice_at(&text, time);
        }
    }

    /// Returns whether the user was kicked from a channel, whose conversation is closed.
    fn is_put_out(&self, event: &Event<'_>) -> bool {
        matches!(event, Event::Left { nick, by: Some(_), .. } if self.location.is_me(nick))
    }

    /// Handles the own join of a channel.
    fn entered(&mut self, channel: &str) {
        if let Ok(entered) = Channel::new(channel) {
            self.location.add(&entered);
            self.answered(|question| {
                matches!(question, PendingQuery::Join { channel, .. } if *channel == entered)
            });
        }
    }

    /// A notice of what an object says: with `--json` that itself was shown.
    pub(super) fn show_notice(&self, text: &str) {
        if !self.options.json {
            self.transcript.notice(text);
        }
    }

    fn error(&mut self, code: ErrorCode, detail: &str, id: Option<&str>, ctx: &mut Context<Self>) {
        let refuses_hello = matches!(
            code,
            ErrorCode::NickTaken | ErrorCode::NickInvalid | ErrorCode::AuthFailed
        );
        if self.phase == Phase::Arriving && refuses_hello {
            let detail = self.why(code, detail);
            if code == ErrorCode::AuthFailed && self.prove(detail, ctx) {
                return;
            }
            return self.nick_refused(&code.to_string(), detail, ctx);
        }
        let question = id.and_then(|id| {
            let position = self.queries.iter().position(|(known, _)| known == id)?;
            self.queries.remove(position)
        });
        let question = question.map(|(_, question)| question);
        let silent = match &question {
            Some(PendingQuery::Users { purpose, .. }) => *purpose == ListPurpose::Learn,
            Some(PendingQuery::Older { .. } | PendingQuery::Missed { .. }) => true,
            _ => false,
        };
        if let Some(PendingQuery::Join { channel, .. }) = &question {
            // First, as the error is read where one is then.
            self.tell_parted(channel.as_str());
        }
        let told = self.tell_failed(code, detail, id);
        let detail = match &question {
            Some(PendingQuery::Exists { .. }) if code == ErrorCode::NoSuchChannel => {
                &format!("{detail}; --create makes it")
            }
            _ => detail,
        };
        if !silent && !told && !self.options.json {
            self.transcript.error(&code.to_string(), detail);
        }
        self.question_failed(question);
        if self.options.task.is_some() && id.is_some() && !silent {
            self.failed = true;
            // What was to come next was meant for where one is not.
            self.leave(None, ctx);
        }
        if matches!(
            code,
            ErrorCode::BadVersion
                | ErrorCode::Replaced
                | ErrorCode::Kicked
                | ErrorCode::Banned
                | ErrorCode::SignedOut
        ) {
            // A reconnection would fail again, disconnect the newer session, evade a ban, or need a
            // password that is not known.
            return self.end(ExitStatus::Lost, ctx);
        }
        if let Some(settled) = id.and_then(|id| self.pending.settle(id)) {
            self.failed |= settled == CompletionRule::Acked;
            self.settled(ctx);
        }
    }

    /// Does what follows from an error in answer to a question.
    fn question_failed(&mut self, question: Option<PendingQuery>) {
        match question {
            Some(PendingQuery::Join { channel, before }) => self.not_entered(&channel, &before),
            Some(PendingQuery::Users {
                purpose: ListPurpose::Choose | ListPurpose::Arrive,
                ..
            }) => self.choosing = false,
            Some(PendingQuery::Older { with }) => {
                self.transcript.tell(|| SessionEvent::NoPage { with })
            }
            Some(PendingQuery::Missed { with }) => self.missed(&with, Vec::new(), true),
            Some(PendingQuery::Account { .. }) => self.failed = true,
            _ => {}
        }
    }

    /// Handles a rejected join: the previous channel is the current one.
    fn not_entered(&mut self, channel: &Channel, before: &Channel) {
        let was_there = self.location.channel() == channel;
        self.location.leave(channel);
        if was_there && self.location.switch(before) {
            self.show_notice(&format!("you are in {before}"));
        }
    }

    fn bye(&mut self, reason: &str, ctx: &mut Context<Self>) {
        if self.phase == Phase::Leaving {
            return self.said_goodbye(ctx);
        }
        let shown = self.transcript.reason(reason);
        self.show_notice(&format!("the server says goodbye ({shown})"));
        if reason == "replaced" {
            return self.end(ExitStatus::Lost, ctx);
        }
        self.lost(ctx);
    }
}

fn topic_of(channel: &Channel, channels: &[ChannelInfo<'_>]) -> String {
    let mut named = channels
        .iter()
        .filter(|info| fold(&info.name) == channel.folded());
    let topic = named.next().and_then(|info| info.topic.as_deref());
    moderation::about(channel.as_str(), topic, None)
}
