//! Frames that many are given: the same bytes for all, made once for each form that they travel in.

use std::cell::OnceCell;

use bytes::Bytes;

use super::stage::{Shared, Stage};
use super::web::socket::text_messages;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    frames: Bytes,
    people: usize,
    stage: &'s Stage,
    /// As who speaks frames is sent them, and as the messages of a WebSocket; once somebody wants them.
    as_frames: OnceCell<Shared>,
    as_messages: OnceCell<Shared>,
}

impl<'s> Piece<'s> {
    /// Of frames, at least one, for so many people.
    pub(super) fn new(frames: Bytes, people: usize, stage: &'s Stage) -> Self {
        debug_assert!(!frames.is_empty());
        Self {
            frames,
            people,
            stage,
            as_frames: OnceCell::new(),
            as_messages: OnceCell::new(),
        }
    }

    /// For a WebSocket, or for who speaks frames.
    pub(super) fn formed(&self, for_web: bool) -> Shared {
        let put = |bytes| self.stage.put(bytes, self.people);
        let formed = if for_web {
            let messages = || put(text_messages(&self.frames));
            self.as_messages.get_or_init(messages)
        } else {
            self.as_frames.get_or_init(|| put(self.frames.clone()))
        };
        formed.clone()
    }
}
