//! What a typed line does.

use std::time::Duration;

use actix::{AsyncContext as _, Context};
use chat_proto::{Channel, MAX_FRAME_BYTES, MAX_ID_BYTES, Nick, Request, Say};
use serde_json::Value;

use super::account::PasswordAction;
use super::pending_queries::{ListPurpose, PendingQuery};
use super::pending_requests::CompletionRule;
use super::{Asked, Phase, Session};
use crate::command::help::HELP;
use crate::command::{self, InputError, TypedCommand};
use crate::tui::event::SessionEvent;

/// How long a list to choose from is waited for before the prompt comes back.
const LIST: Duration = Duration::from_secs(5);

impl Session {
    /// A line was typed, in answer to what was asked.
    pub(super) fn line(&mut self, asked: Asked, line: &str, ctx: &mut Context<Self>) {
        match asked {
            Asked::Nickname => self.nickname(line, ctx),
            // The line editor stays open while one leaves; what is typed then is not meant for
            // anyone.
            _ if self.goodbye.is_some() => {}
            Asked::Password(asking) => self.password(asking, line, ctx),
            Asked::Choice(people) => self.chosen(line.trim(), &people),
            Asked::Arrival(people) => self.arrived_with(line, people, ctx),
            // The full screen sends an answer to a question that has ended: perhaps a password.
            Asked::Nothing if self.transcript.tui().is_some() => {}
            Asked::Line | Asked::Nothing
                if self.options.json && line.trim_start().starts_with('{') =>
            {
                if let Err(refusal) = self.object(line, ctx) {
                    self.refused(refusal.code, &refusal.detail);
                }
                self.flush(ctx);
            }
            Asked::Line | Asked::Nothing => {
                match command::parse(line) {
                    Ok(command) if self.has_to_wait(&command) => self.hold(command, ctx),
                    Ok(command) => self.command(command, ctx),
                    Err(refusal) => self.refused(refusal.code, &refusal.detail),
                }
                self.flush(ctx);
            }
        }
    }

    /// Does what a line asks for.
    pub(super) fn command(&mut self, command: TypedCommand, ctx: &mut Context<Self>) {
        match command {
            TypedCommand::Nothing => {}
            TypedCommand::Say(text) => self.say(self.location.to().to_owned(), &text),
            TypedCommand::Tell(nick, text) => self.say(nick.as_str().to_owned(), &text),
            TypedCommand::Help => self.help(),
            TypedCommand::List(channel) => {
                let channel = channel.unwrap_or_else(|| self.location.channel().clone());
                self.list(channel, ListPurpose::Show);
            }
            TypedCommand::Time => self.transcript.toggle_times(),
            TypedCommand::Record(path) => self.transcript.record(path.as_deref()),
            TypedCommand::Quit(reason) => self.leave(reason, ctx),
            TypedCommand::Query(nick) => self.query(nick, ctx),
            TypedCommand::Join(channel) => self.join(channel),
            TypedCommand::JoinExisting(channel) => self.join_existing(channel),
            TypedCommand::Part(channel, reason) => self.part(channel, reason),
            TypedCommand::Switch(channel) => {
                if !self.location.switch(&channel) {
                    let detail = format!("you are not in {channel}; /join {channel} enters it");
                    self.refused("not_in_channel", &detail);
                }
            }
            TypedCommand::Channels => {
                if let Some(id) = self.request(Request::Channels, CompletionRule::Answered) {
                    self.queries.push_back((id, PendingQuery::Channels));
                }
            }
            TypedCommand::Nick(nick) => self.rename(nick, ctx),
            TypedCommand::Register => self.account(PasswordAction::Register, ctx),
            TypedCommand::Password => self.account(PasswordAction::Change, ctx),
            TypedCommand::Unregister => self.account(PasswordAction::Unregister, ctx),
            TypedCommand::History(wanted) => {
                let with = self.location.to().to_owned();
                self.ask_history(with, wanted);
            }
            TypedCommand::Moderation(act) => self.act(act),
            TypedCommand::Mute(_) | TypedCommand::Unmute(_) => {
                let detail = "that is a command of the full screen, and nothing was sent";
                self.refused("not_here", detail);
            }
            TypedCommand::Search(_) | TypedCommand::Close => {
                let detail = "line mode has one conversation for all; nothing was sent";
                self.refused("not_here", detail);
            }
        }
    }

    fn say(&mut self, to: String, text: &str) {
        let say = Request::Say(Say {
            to: Some(to.as_str().into()),
            text: text.into(),
            from: None,
        });
        let id = self.request(say, CompletionRule::Acked);
        if let (Some(tui), Some(id)) = (self.transcript.tui(), id) {
            let text = text.to_owned();
            return tui.tell(SessionEvent::Waiting { id, to, text });
        }
        if self.editor && self.phase != Phase::Here {
            // It was taken back from the screen, and comes back only when it is recorded.
            let text = crate::text::escape::lines(text);
            self.transcript.notice(&format!("not sent yet: {text}"));
        }
    }

    fn help(&self) {
        let width = HELP.iter().map(|(typed, _)| typed.len()).max().unwrap_or(0);
        for (typed, does) in HELP {
            self.transcript.notice(&format!("{typed:width$}  {does}"));
        }
    }

    pub(super) fn join(&mut self, channel: Channel) {
        let request = Request::Join {
            channel: channel.as_str().into(),
        };
        if let Some(id) = self.request(request, CompletionRule::Sent) {
            let before = self.location.enter(channel.clone());
            let question = PendingQuery::Join { channel, before };
            self.queries.push_back((id, question));
        }
    }

    fn part(&mut self, channel: Option<Channel>, reason: Option<String>) {
        let channel = channel.unwrap_or_else(|| self.location.channel().clone());
        let request = Request::Part {
            channel: channel.as_str().into(),
            reason: reason.map(Into::into),
        };
        if self.request(request, CompletionRule::Sent).is_some() {
            self.location.leave(&channel);
            self.tell_parted(channel.as_str());
        }
    }

    fn rename(&mut self, nick: Nick, ctx: &mut Context<Self>) {
        if self.phase == Phase::Naming {
            return self.try_nick(nick.as_str().to_owned(), ctx);
        }
        let nick = nick.as_str().into();
        self.request(Request::Nick { nick }, CompletionRule::Sent);
    }

    /// `/query`: with a name starts a conversation; without one ends it, or offers a choice.
    fn query(&mut self, nick: Option<Nick>, ctx: &mut Context<Self>) {
        let closes = self.location.query().is_some() && self.transcript.tui().is_none();
        if nick.is_some() || closes {
            self.location.set_query(nick);
        } else if !self.person {
            self.refused(
                "usage",
                "/query NICK; a name can be left out at a terminal only",
            );
        } else if self.phase != Phase::Here {
            self.refused(
                "not_connected",
                "the list of users is not available; /query NICK",
            );
        } else {
            self.choosing = true;
            self.list(self.location.channel().clone(), ListPurpose::Choose);
            self.wait_for_list(ctx);
        }
    }

    /// The prompt comes back without a list, if none arrives.
    pub(super) fn wait_for_list(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(LIST, |session, ctx| {
            session.choosing = false;
            session.ask(ctx);
        });
    }

    /// `--json`: a request of the protocol, sent as it is, but for a `say`: without an `id` it is
    /// given one, so that it is known when it is recorded, and with an illegal one it is refused
    /// here.
    fn object(&mut self, line: &str, ctx: &mut Context<Self>) -> Result<(), InputError> {
        let Ok(Value::Object(mut object)) = serde_json::from_str(line) else {
            let detail = "the line is not a JSON object; it is not sent";
            return Err(InputError::new("bad_json", detail));
        };
        let kind = object.get("type").and_then(Value::as_str);
        if kind == Some("quit") {
            let reason = object.get("reason").and_then(Value::as_str);
            self.leave(reason.map(str::to_owned), ctx);
            return Ok(());
        }
        let is_say = kind == Some("say");
        if is_say && object.get("id").is_none_or(Value::is_null) {
            object.insert("id".to_owned(), self.next_id().into());
        }
        let id = object.get("id").and_then(Value::as_str).map(str::to_owned);
        let is_legal = |id: &String| (1..=MAX_ID_BYTES).contains(&id.len());
        if is_say && !id.as_ref().is_some_and(is_legal) {
            // The server's no would not tell which line it is for, and the line would be sent again
            // for ever.
            let detail = format!("an id is a string of 1 to {MAX_ID_BYTES} bytes; it is not sent");
            return Err(InputError::new("bad_request", detail));
        }
        let settled = if is_say {
            CompletionRule::Acked
        } else {
            CompletionRule::Sent
        };
        let mut bytes = bytes::BytesMut::new();
        chat_proto::codec::encode(&object, &mut bytes).map_err(|_| {
            let detail = format!("a request has at most {MAX_FRAME_BYTES} bytes; it is not sent");
            InputError::new("text_too_long", detail)
        })?;
        self.pending.push(id, bytes.freeze(), settled);
        Ok(())
    }
}
