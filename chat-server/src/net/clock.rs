//! The clock of a thread: hello timeouts, pings, silence that is too long, last words.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix::fut::ActorFuture;
use chat_proto::{ErrorCode, Event};

use super::connection::{Connection, GOODBYE, Phase};
use super::dispatcher::Dispatcher;
use super::table::Table;

/// The time of a connection has come.
fn time_is_up(connection: &Connection, table: &Table) {
    let limits = table.limits();
    match connection.phase.get() {
        // What is being answered may be a hello; it is looked at again soon, and nothing is added to
        // it, or who always has something under way would stay for good.
        Phase::Greeting if connection.unanswered.get() > 0 || connection.has_errand() => {
            connection.late.set(true);
            table.set_timer(connection, limits.hello_timeout.min(GOODBYE) / 10);
        }
        Phase::Greeting => {
            connection.refuse(ErrorCode::HelloTimeout, "no hello came in time", table);
        }
        Phase::Joined { pinged } => {
            let silence = connection.heard.get().elapsed();
            let left = limits.idle_timeout.saturating_sub(silence);
            if pinged && silence >= limits.idle_timeout * 2 {
                connection.reason.set("timed out");
                connection.refuse(ErrorCode::IdleTimeout, "nothing came for too long", table);
            } else if !left.is_zero() {
                connection.phase.set(Phase::Joined { pinged: false });
                table.set_timer(connection, left);
            } else {
                connection.phase.set(Phase::Joined { pinged: true });
                connection.push_event(&Event::Ping { id: None });
                table.set_timer(
                    connection,
                    (limits.idle_timeout * 2).saturating_sub(silence),
                );
            }
        }
        Phase::Closing => connection.break_off(),
        Phase::Broken => {}
    }
    connection.flush(table);
}

/// Deals with timers as they expire.
pub(super) struct Clock;

impl ActorFuture<Dispatcher> for Clock {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        dispatcher: &mut Dispatcher,
        _: &mut actix::Context<Dispatcher>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let table = dispatcher.table();
        while let Poll::Ready(connection) = table.poll_timers(cx) {
            time_is_up(&connection, table);
        }
        Poll::Pending
    }
}
