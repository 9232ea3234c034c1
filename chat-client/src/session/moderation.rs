//! Executes moderation commands: in the lobby for the server, elsewhere for the channel.

use actix::Context;
use chat_proto::moderation::{Ban, BanInfo, BansQuery, Kick, Mute, Target, Unban};
use chat_proto::{Channel, LOBBY, MAX_PAGE, Request};

use super::Session;
use super::pending_queries::{MAX_LIST_BYTES, PageBudget, PendingQuery};
use super::pending_requests::CompletionRule;
use crate::command::moderation::{BanOptions, ModerationAction};
use crate::text::moderation;

impl Session {
    pub(super) fn act(&mut self, act: ModerationAction) {
        let here = self
            .here()
            .map(|channel| channel.as_str().to_owned().into());
        let request = match act {
            ModerationAction::Kick(nick, reason) => Request::Kick(Kick {
                nick: nick.as_str().to_owned().into(),
                channel: here,
                reason: reason.map(Into::into),
            }),
            ModerationAction::Ban(target, BanOptions { seconds, reason }) => Request::Ban(Ban {
                target,
                channel: here,
                seconds,
                reason: reason.map(Into::into),
            }),
            ModerationAction::Unban(target) => Request::Unban(Unban {
                target,
                channel: here,
            }),
            ModerationAction::Mute(nick, BanOptions { seconds, reason }) => Request::Mute(Mute {
                nick: nick.as_str().to_owned().into(),
                seconds,
                reason: reason.map(Into::into),
            }),
            ModerationAction::Unmute(nick) => Request::Unmute {
                nick: nick.as_str().to_owned().into(),
            },
            ModerationAction::SetTopic(topic) => Request::Topic {
                channel: self.location.channel().as_str().to_owned().into(),
                topic: topic.into(),
            },
            ModerationAction::Bans => {
                return self.ask_bans(self.here(), Vec::new(), PageBudget::new(MAX_LIST_BYTES));
            }
            ModerationAction::ShowTopic => return self.ask_topic(),
        };
        self.request(request, CompletionRule::Sent);
    }

    /// The channel that one is in, if it is not the lobby.
    fn here(&self) -> Option<Channel> {
        let channel = self.location.channel();
        (channel.folded() != LOBBY).then(|| channel.clone())
    }

    /// Asks for the page of bans behind those that are known.
    fn ask_bans(
        &mut self,
        channel: Option<Channel>,
        bans: Vec<BanInfo<'static>>,
        gathered: PageBudget,
    ) {
        let request = Request::Bans(BansQuery {
            channel: channel.as_ref().map(|channel| channel.as_str().into()),
            after: bans.last().map(|ban| ban.number),
            limit: MAX_PAGE,
        });
        if let Some(id) = self.request(request, CompletionRule::Answered) {
            let question = PendingQuery::Bans {
                channel,
                bans,
                gathered,
            };
            self.queries.push_back((id, question));
        }
    }

    /// A page of bans came.
    pub(super) fn bans(
        &mut self,
        page: Vec<BanInfo<'static>>,
        more: bool,
        ctx: &mut Context<Self>,
    ) {
        let is_it = |question: &PendingQuery| matches!(question, PendingQuery::Bans { .. });
        let Some((id, question)) = self.answered(is_it) else {
            return;
        };
        let PendingQuery::Bans {
            channel,
            mut bans,
            mut gathered,
        } = question
        else {
            return;
        };
        let more = more && !page.is_empty();
        let ends = page.last().map(|ban| ban.number) > bans.last().map(|ban| ban.number);
        let fits = gathered.takes(page.iter().map(size)) && (ends || !more);
        if !fits {
            return self.too_much(&id, ctx);
        }
        bans.extend(page);
        if more {
            self.ask_bans(channel, bans, gathered);
        } else {
            for line in moderation::bans(&bans, self.transcript.zone()) {
                self.show_notice(&line);
            }
        }
        self.settle_answered(&id, ctx);
    }

    fn ask_topic(&mut self) {
        if let Some(id) = self.request(Request::Channels, CompletionRule::Answered) {
            let channel = self.location.channel().clone();
            self.queries
                .push_back((id, PendingQuery::Topic { channel }));
        }
    }
}

/// Returns about how much memory a ban takes.
fn size(ban: &BanInfo<'_>) -> usize {
    let (by, reason) = (ban.by.as_ref(), ban.reason.as_ref());
    let texts = [ban.channel.as_ref(), by, reason];
    let texts = texts.into_iter().flatten().map(|text| text.len());
    let (Target::Nick(name) | Target::Account(name) | Target::Address(name)) = &ban.target;
    256 + name.len() + texts.sum::<usize>()
}
