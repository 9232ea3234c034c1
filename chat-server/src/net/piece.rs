//! Frames that many are given: the same bytes for all, made once for each form that they travel in.

use std::cell::OnceCell;

use bytes::Bytes;

use super::stage::{Shared, Stage};
use super::transport::Kind;
use super::web::socket::text_messages;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    frames: Bytes,
    people: usize,
    stage: &'s Stage,
    /// As TCP takes them, and as the messages of a WebSocket; once somebody wants them.
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

    /// As it travels there.
    pub(super) fn formed(&self, kind: Kind) -> Shared {
        let put = |bytes| self.stage.put(bytes, self.people);
        match kind {
            Kind::Tls => self.frames.clone().into(),
            Kind::Tcp => {
                let frames = || put(self.frames.clone());
                self.as_frames.get_or_init(frames).clone()
            }
            Kind::Web => {
                let messages = || put(text_messages(&self.frames));
                self.as_messages.get_or_init(messages).clone()
            }
        }
    }
}
