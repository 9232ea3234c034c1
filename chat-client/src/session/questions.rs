//! Questions to the server whose answers come in pages, and without the `id` of their request: who is
//! there, what was said.

use std::collections::VecDeque;

use actix::Context;
use chat_proto::moderation::BanInfo;
use chat_proto::name::fold;
use chat_proto::{
    Channel, HistoryQuery, MAX_PAGE, Message, Nick, Record, Request, Secret, UsersQuery,
};

use super::{Asked, Session};
use crate::escape::word;
use crate::outstanding::Settled;
use crate::render;
use crate::stdin::Purpose;
use crate::window::fact::Fact;

/// What a request that was sent wants to know, until its answer is complete.
#[derive(Debug)]
pub(super) enum Question {
    /// Who is there.
    Users {
        channel: Channel,
        nicks: Vec<String>,
        purpose: Listing,
    },
    /// What was said, gathered page by page, oldest first.
    History {
        with: String,
        wanted: u16,
        messages: VecDeque<Message<'static>>,
    },
    /// A page for somebody who scrolls up.
    Older { with: String },
    /// What was said in a channel while one was away.
    Missed { with: String },
    /// Which channels there are.
    Channels,
    /// What a channel is about.
    Topic { channel: Channel },
    /// Which bans there are, gathered page by page.
    Bans {
        channel: Option<Channel>,
        bans: Vec<BanInfo<'static>>,
    },
    /// Whether the account is as one wishes; its password from then on.
    Account { keep: Option<Secret<'static>> },
    /// Whether one may enter a channel, and where one was before.
    Join { channel: Channel, before: Channel },
}

/// What a list of people is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// To be shown.
    Show,
    /// To choose one of them.
    Choose,
    /// To complete their names.
    Learn,
}

impl Session {
    /// Asks who is in a channel; the answer goes with the purpose. A list for completion is not
    /// requested while a request for it is open.
    pub(super) fn list(&mut self, channel: Channel, purpose: Listing) {
        let wanted = &channel;
        let is_it = |question: &Question| match question {
            Question::Users {
                channel, purpose, ..
            } => *purpose == Listing::Learn && channel == wanted,
            _ => false,
        };
        let open = self.questions.iter().any(|(_, question)| is_it(question));
        if purpose != Listing::Learn || !open {
            self.ask_users(channel, Vec::new(), purpose);
        }
    }

    /// A question is given up: the server ended each connection instead of an answer.
    pub(super) fn not_answered(&mut self, id: &str) {
        let position = self.questions.iter().position(|(known, _)| known == id);
        let Some((_, question)) = position.and_then(|position| self.questions.remove(position))
        else {
            return;
        };
        let what = match question {
            Question::Users {
                purpose: Listing::Learn,
                ..
            } => return,
            Question::Older { with } => return self.transcript.tell(|| Fact::NoPage { with }),
            Question::Missed { with } => return self.missed(&with, Vec::new(), true),
            Question::Users {
                channel, purpose, ..
            } => {
                self.choosing &= purpose != Listing::Choose;
                format!("who is in {channel}")
            }
            Question::History { with, .. } => format!("the history of {}", word(&with)),
            Question::Channels => "which channels there are".to_owned(),
            Question::Topic { channel } => format!("the topic of {channel}"),
            Question::Bans { .. } => "which bans there are".to_owned(),
            Question::Account { .. } => "whether your account was changed".to_owned(),
            Question::Join { channel, .. } => format!("whether you may enter {channel}"),
        };
        let detail = format!("the server did not say {what}");
        self.refused("no_answer", &detail);
    }

    /// Asks for the page of people behind those that are known.
    fn ask_users(&mut self, channel: Channel, nicks: Vec<String>, purpose: Listing) {
        let request = Request::Users(UsersQuery {
            channel: channel.as_str().into(),
            after: nicks.last().map(|nick| nick.as_str().into()),
            limit: MAX_PAGE,
        });
        if let Some(id) = self.request(request, Settled::Answered) {
            let question = Question::Users {
                channel,
                nicks,
                purpose,
            };
            self.questions.push_back((id, question));
        }
    }

    /// Asks for the page of messages before those that are known.
    pub(super) fn ask_history(
        &mut self,
        with: String,
        wanted: u16,
        messages: VecDeque<Message<'static>>,
    ) {
        let known = u16::try_from(messages.len()).unwrap_or(wanted);
        let request = Request::History(HistoryQuery {
            with: with.as_str().into(),
            before: messages.front().map(|message| message.seq),
            after: None,
            limit: (wanted - known).min(MAX_PAGE),
        });
        if let Some(id) = self.request(request, Settled::Answered) {
            let question = Question::History {
                with,
                wanted,
                messages,
            };
            self.questions.push_back((id, question));
        }
    }

    /// Takes out the question that this answers. Answers bear no `id`, but come in the order of the
    /// questions.
    pub(super) fn answered(
        &mut self,
        is_it: impl Fn(&Question) -> bool,
    ) -> Option<(String, Question)> {
        let position = self
            .questions
            .iter()
            .position(|(_, question)| is_it(question))?;
        self.questions.remove(position)
    }

    pub(super) fn settle_answered(&mut self, id: &str, ctx: &mut Context<Self>) {
        self.outstanding.settle(id);
        self.flush(ctx);
        self.settled(ctx);
    }

    pub(super) fn users(
        &mut self,
        name: &str,
        users: Vec<String>,
        (total, more): (usize, bool),
        ctx: &mut Context<Self>,
    ) {
        let asked_for = |question: &Question| matches!(question, Question::Users { channel, .. } if channel.folded() == &*fold(name));
        let Some((id, question)) = self.answered(asked_for) else {
            return;
        };
        let Question::Users {
            channel,
            mut nicks,
            purpose,
        } = question
        else {
            return;
        };
        let more = more && !users.is_empty() && purpose != Listing::Learn;
        nicks.extend(users);
        if more {
            self.ask_users(channel, nicks, purpose);
        } else {
            match purpose {
                Listing::Show => self.show_notice(&render::users(name, &nicks)),
                Listing::Choose => {
                    nicks.retain(|nick| !self.place.is_me(nick));
                    self.choose(nicks, ctx);
                }
                Listing::Learn => self.transcript.tell(|| Fact::People {
                    channel: name.to_owned(),
                    nicks,
                    total,
                }),
            }
        }
        self.settle_answered(&id, ctx);
    }

    pub(super) fn history(
        &mut self,
        name: &str,
        records: Vec<Record<'static>>,
        more: bool,
        ctx: &mut Context<Self>,
    ) {
        let asked_for = |question: &Question| match question {
            Question::History { with, .. }
            | Question::Older { with }
            | Question::Missed { with } => fold(with) == fold(name),
            Question::Users { .. }
            | Question::Channels
            | Question::Topic { .. }
            | Question::Bans { .. }
            | Question::Account { .. }
            | Question::Join { .. } => false,
        };
        let Some((id, question)) = self.answered(asked_for) else {
            return;
        };
        let (with, wanted, mut messages) = match question {
            Question::History {
                with,
                wanted,
                messages,
            } => (with, wanted, messages),
            Question::Older { with } => {
                self.tell_page(with, records, more);
                return self.settle_answered(&id, ctx);
            }
            _ => return self.missed(name, records, more),
        };
        let more = more && !records.is_empty();
        for Record::Message(message) in records.into_iter().rev() {
            messages.push_front(message);
        }
        // A page is bounded by the size of a frame too, so it may be shorter than asked for.
        if more && messages.len() < usize::from(wanted) {
            self.ask_history(with, wanted, messages);
        } else if self.transcript.window().is_some() {
            // They are where they belong; without a word nothing would seem to have happened.
            let notice = match messages.len() {
                0 => "no messages".to_owned(),
                1 => "the last message is above".to_owned(),
                count => format!("the last {count} messages are above"),
            };
            let records = messages.into_iter().map(Record::Message).collect();
            self.tell_page(with, records, more);
            self.show_notice(&notice);
        } else {
            let with = crate::escape::word(&with);
            let header = match messages.len() {
                1 => format!("the last message of {with}:"),
                shown => format!("the last {shown} messages of {with}:"),
            };
            self.show_notice(&header);
            for message in &messages {
                self.transcript.past(message, self.place.channel());
            }
            self.show_notice("end of the history");
        }
        self.settle_answered(&id, ctx);
    }

    /// What was said in a channel that was entered again.
    pub(super) fn missed(&mut self, with: &str, records: Vec<Record<'static>>, more: bool) {
        if let Some(replay) = &mut self.replay {
            let messages = records.into_iter().map(|Record::Message(message)| message);
            replay.page(with, messages, more);
            self.replay_grew();
        }
    }

    /// Asks for one of `people`.
    fn choose(&mut self, people: Vec<String>, ctx: &mut Context<Self>) {
        if !std::mem::replace(&mut self.choosing, false) {
            return;
        }
        if people.is_empty() {
            self.transcript.notice("nobody else is here");
            return self.ask(ctx);
        }
        if let Some(window) = self.transcript.window() {
            return window.tell(Fact::Choose(people));
        }
        for line in render::choices(&people) {
            self.transcript.notice(&line);
        }
        self.asked = Asked::Choice(people);
        let prompt = "Number or nick (Enter for nobody): ".to_owned();
        self.ask_person(prompt, Purpose::Choice);
    }

    pub(super) fn chosen(&mut self, line: &str, people: &[String]) {
        if line.is_empty() {
            return;
        }
        let number: Option<usize> = line.parse().ok();
        let person = match number {
            Some(number) => number.checked_sub(1).and_then(|index| people.get(index)),
            None => people.iter().find(|nick| fold(nick) == fold(line)),
        };
        match person.map(|nick| Nick::new(nick)) {
            Some(Ok(nick)) => self.place.set_query(Some(nick)),
            _ => self.refused("no_such_user", "nobody of that number or nick is listed"),
        }
    }
}
