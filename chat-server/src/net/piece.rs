//! Frames that many are given: the same bytes for all, made once for each form that they travel in.

use std::cell::OnceCell;

use bytes::Bytes;

use super::stage::{Shared, Stage};
use super::transport::Transport;
use super::web::socket::text_messages;

/// See the head of this file.
#[derive(Debug)]
pub(super) struct Piece<'s> {
    frames: Bytes,
    people: usize,
    stage: &'s Stage,
    /// As the messages of a WebSocket, and where the kernel takes either form from; once somebody wants them.
    as_messages: OnceCell<Bytes>,
    staged_frames: OnceCell<Shared>,
    staged_messages: OnceCell<Shared>,
}

impl<'s> Piece<'s> {
    /// Of frames, at least one, for so many people.
    pub(super) fn new(frames: Bytes, people: usize, stage: &'s Stage) -> Self {
        debug_assert!(!frames.is_empty());
        Self {
            frames,
            people,
            stage,
            as_messages: OnceCell::new(),
            staged_frames: OnceCell::new(),
            staged_messages: OnceCell::new(),
        }
    }

    /// As it travels there.
    pub(super) fn formed(&self, transport: &Transport) -> Shared {
        let (bytes, staged) = if transport.is_web() {
            let messages = || text_messages(&self.frames);
            (
                self.as_messages.get_or_init(messages),
                &self.staged_messages,
            )
        } else {
            (&self.frames, &self.staged_frames)
        };
        if transport.plain_socket().is_some() {
            let put = || self.stage.put(bytes.clone(), self.people);
            staged.get_or_init(put).clone()
        } else {
            bytes.clone().into()
        }
    }
}
