//! `users`, `channels` and `history`. The size of a page is bounded by the request and the frame.

use std::borrow::Cow;
use std::ops::Bound;
use std::sync::Arc;

use chat_proto::codec::json_string_bytes;
use chat_proto::{ChannelInfo, Event, MAX_FRAME_BYTES, Nick};

use super::Registry;
use super::types::{CommandResult, UserKey, lookup};
use crate::chat::SessionId;
use crate::chat::batch::Batch;
use crate::chat::command::Refusal;
use crate::chat::effect::{Conversation, Page};
use crate::chat::token::Id;

/// The space for a list: a frame, less the fields around the list (types, field names, a
/// channel of at most 64 characters of at most 4 bytes, numbers, an id of at most 64 bytes that are
/// each escaped by 6).
pub(super) const LIST_BYTES: usize = MAX_FRAME_BYTES - 1024;

/// The length of `{"name":,"users":,"topic":},` with the largest number.
const CHANNEL_ENTRY_BYTES: usize = 50;

impl Registry {
    pub(super) fn page_of_users(
        &self,
        session: SessionId,
        id: Option<&Id>,
        channel: &str,
        after: Option<Box<str>>,
        limit: u16,
        out: &mut Batch,
    ) -> CommandResult {
        let state = &self.channels[self.channels.find(channel)?];
        let start = match &after {
            Some(after) => Bound::Excluded(lookup(after)),
            None => Bound::Unbounded,
        };
        let start = (start.as_ref().map(|after| &**after), Bound::Unbounded);
        let mut behind = state
            .members
            .range::<str, _>(start)
            .map(|(_, &user)| self.users[user].nick.as_str());
        let mut room_left = LIST_BYTES;
        let mut users: Vec<Cow<'_, str>> = Vec::new();
        let mut more = false;
        for nick in behind.by_ref() {
            let bytes = json_string_bytes(nick) + 1;
            if users.len() == usize::from(limit) || bytes > room_left {
                more = true;
                break;
            }
            room_left -= bytes;
            users.push(nick.into());
        }
        let channel = state.channel.as_str().into();
        out.tell(
            session,
            &Event::Users {
                channel,
                users,
                total: state.members.len(),
                more,
                id: id.map(|id| id.as_str().into()),
            },
        );
        Ok(())
    }

    pub(super) fn list_channels(
        &self,
        session: SessionId,
        id: Option<&Id>,
        out: &mut Batch,
    ) -> CommandResult {
        let mut room_left = LIST_BYTES;
        let with_topic = |(folded, info): (&str, ChannelInfo<'static>)| ChannelInfo {
            topic: self
                .moderation
                .ownership
                .topic(folded)
                .map(|topic| topic.text.to_string().into()),
            ..info
        };
        let channels = self
            .channels
            .largest()
            .map(with_topic)
            .take_while(|info| {
                let topic = info.topic.as_deref().map_or(0, json_string_bytes);
                let bytes = json_string_bytes(&info.name) + topic + CHANNEL_ENTRY_BYTES;
                let fits = bytes <= room_left;
                room_left = room_left.saturating_sub(bytes);
                fits
            })
            .collect();
        let id = id.map(|id| id.as_str().into());
        out.tell(session, &Event::Channels { channels, id });
        Ok(())
    }

    /// Returns the page of history that a request describes.
    pub(super) fn page_of_history(
        &self,
        user: UserKey,
        with: &str,
        before: Option<u64>,
        after: Option<u64>,
        limit: u16,
        id: Option<Id>,
    ) -> Result<Page, Refusal> {
        let page = |conversation, with, is_known| Page {
            conversation,
            with,
            before,
            after,
            limit,
            is_known,
            id,
        };
        if with.starts_with('#') {
            let key = self.channels.find(with)?;
            if !self.users[user].is_in(key) {
                return Err(self.not_in(key));
            }
            let channel = self.channels.name(key);
            return Ok(page(
                Conversation::Channel(channel.folded_arc()),
                channel.as_str().into(),
                true,
            ));
        }
        let folded = lookup(with);
        let here = self.users.find(&folded);
        let here = here
            .map(|other| self.users[other].nick.clone())
            .or_else(|| {
                let away = self.accounts.get(&folded);
                away.map(|account| account.nick.clone())
            });
        let is_known = here.is_some() || before.is_some() || after.is_some();
        let other = match here {
            Some(nick) => nick,
            None => Nick::new(with).map_err(|error| {
                Refusal::new(chat_proto::ErrorCode::NoSuchUser, error.to_string())
            })?,
        };
        let with: Arc<str> = other.as_str().into();
        let conversation = Conversation::Direct {
            held: self.users[user].tenures(),
            other: other.folded_arc(),
        };
        Ok(page(conversation, with, is_known))
    }
}
