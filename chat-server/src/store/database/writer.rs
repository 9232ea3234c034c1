//! `StateWriter`: persists resumable sessions, sanctions and channel owners across a restart.
//!
//! The room sends one batch of changes at a time ([`Persist`]) and does not wait long for the answer.
//! While the file cannot be written, the writer retries the batch and the room collects further
//! changes. It runs on its own thread, because its calls block.

use std::time::Duration;

use actix::prelude::*;

use super::Database;
use crate::chat::room::{ChatRoom, Persist, Persisted, ReadOnly};
use crate::chat::state_change::StateChange;
use crate::error::DatabaseError;
use crate::telemetry::health::{Health, HealthIssue};
use crate::telemetry::supervisor::FailureGuard;

/// How long to wait before what could not be written is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// The actor that writes state changes to the database.
#[derive(Debug)]
pub struct StateWriter {
    database: Database,
    room: Addr<ChatRoom>,
    /// The file cannot be written: said once, until it can.
    failing: bool,
    health: Health,
    /// Without it no restart would be survived.
    _vital: FailureGuard,
}

impl StateWriter {
    /// Keeps them in the file of `database`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(
        database: Database,
        room: Addr<ChatRoom>,
        health: Health,
        vital: FailureGuard,
    ) -> Result<Self, DatabaseError> {
        database.set_synchronous_normal()?;
        Ok(Self {
            database,
            room,
            failing: false,
            health,
            _vital: vital,
        })
    }

    fn keep(&mut self, changes: Vec<StateChange>, ctx: &mut Context<Self>) {
        let kept = self.database.keep(&changes);
        self.health.set(HealthIssue::Tokens, kept.is_err());
        match kept {
            Ok(()) => {
                if std::mem::take(&mut self.failing) {
                    self.room.do_send(ReadOnly(false));
                }
                self.room.do_send(Persisted);
            }
            Err(error) => {
                if matches!(error, DatabaseError::Displaced { .. }) {
                    // Sooner than the keeper of the accounts notices.
                    self.health.set(HealthIssue::Displaced, true);
                    self.room.do_send(ReadOnly(true));
                }
                if !std::mem::replace(&mut self.failing, true) {
                    log::error!("who may come back cannot be kept for a restart: {error}");
                }
                ctx.run_later(AGAIN, |tokens, ctx| tokens.keep(changes, ctx));
            }
        }
    }
}

impl Actor for StateWriter {
    type Context = Context<Self>;
}

impl Handler<Persist> for StateWriter {
    type Result = ();

    fn handle(&mut self, Persist(changes): Persist, ctx: &mut Self::Context) {
        self.keep(changes, ctx);
    }
}
