//! Commands of a pipe that wait until what was typed before them is shown.
//!
//! A command that changes the output (`.t`, `/switch`) waits until all earlier lines are recorded
//! and shown, and the pipe is not read meanwhile. The output of a script then does not depend on
//! its speed.

use std::time::Duration;

use actix::{AsyncContext as _, Context, SpawnHandle};

use super::Session;
use crate::command::TypedCommand;

/// How long the own message may take behind its `ack`: a server sends them together.
const OWN_MESSAGE: Duration = Duration::from_secs(1);

/// A command whose turn has not come, and the timer that looks after it.
#[derive(Debug)]
pub(super) struct DeferredCommand {
    command: TypedCommand,
    timer: SpawnHandle,
}

impl Session {
    /// Whether a command waits.
    pub(super) fn has_to_wait(&self, command: &TypedCommand) -> bool {
        let changes_looks = matches!(
            command,
            TypedCommand::Time
                | TypedCommand::Record(_)
                | TypedCommand::Join(_)
                | TypedCommand::Part(..)
                | TypedCommand::Switch(_)
        );
        changes_looks && !self.person && !self.is_all_shown()
    }

    /// Whether all that was typed is settled, and shown where it was said.
    fn is_all_shown(&self) -> bool {
        self.pending.is_empty() && self.said <= self.seen && self.replay.is_none()
    }

    pub(super) fn hold(&mut self, command: TypedCommand, ctx: &mut Context<Self>) {
        let timer = ctx.run_later(OWN_MESSAGE, Self::on_hold_timeout);
        self.deferred = Some(DeferredCommand { command, timer });
    }

    /// Executes the command if the server takes too long.
    fn on_hold_timeout(&mut self, ctx: &mut Context<Self>) {
        let Some(DeferredCommand { command, .. }) = self.deferred.take() else {
            return;
        };
        if self.pending.is_empty() || self.progress.elapsed() >= self.options.linger {
            self.said = self.seen;
            self.do_held(command, ctx);
        } else {
            self.hold(command, ctx);
        }
    }

    /// Does what was held, if its turn has come.
    pub(super) fn take_up_held(&mut self, ctx: &mut Context<Self>) {
        if self.deferred.is_some()
            && self.is_all_shown()
            && let Some(DeferredCommand { command, timer }) = self.deferred.take()
        {
            ctx.cancel_future(timer);
            self.do_held(command, ctx);
        }
    }

    fn do_held(&mut self, command: TypedCommand, ctx: &mut Context<Self>) {
        // A goodbye cancels the command.
        if self.goodbye.is_none() {
            self.command(command, ctx);
            self.flush(ctx);
            self.ask(ctx);
        }
    }
}
