//! Frames that many are given: the same bytes for all, made once for each form that they travel in.

use std::cell::OnceCell;

use bytes::Bytes;

use super::web::socket::text_messages;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Piece {
    frames: Bytes,
    /// The same as the messages of a WebSocket, once somebody wants them.
    messages: OnceCell<Bytes>,
}

impl Piece {
    /// Of frames, at least one.
    pub(super) fn new(frames: Bytes) -> Self {
        debug_assert!(!frames.is_empty());
        Self {
            frames,
            messages: OnceCell::new(),
        }
    }

    /// For a WebSocket, or for who speaks frames.
    pub(super) fn formed(&self, for_web: bool) -> Bytes {
        if for_web {
            let messages = || text_messages(&self.frames);
            self.messages.get_or_init(messages).clone()
        } else {
            self.frames.clone()
        }
    }
}
