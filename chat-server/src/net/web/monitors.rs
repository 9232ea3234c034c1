//! Connections to `listen.metrics`. They do not count towards the connection limits. A new
//! connection evicts the oldest silent connection at the limit, or the oldest connection if none is
//! silent.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::task::JoinHandle;

use super::stream::HttpConnection;

/// Limit of each thread. Exceeds the connections that one turn accepts, so that each is polled
/// before eviction.
const MONITORS_MAX: usize = 128;

/// Open connections, the oldest first.
#[derive(Debug, Default)]
pub(super) struct MonitorConnections(RefCell<VecDeque<Monitor>>);

#[derive(Debug)]
struct Monitor {
    connection: Rc<HttpConnection>,
    serving: JoinHandle<()>,
}

impl MonitorConnections {
    /// Adds a connection and evicts another at the limit.
    pub(super) fn add(&self, connection: Rc<HttpConnection>, serving: JoinHandle<()>) {
        let mut monitors = self.0.borrow_mut();
        monitors.retain(|monitor| !monitor.serving.is_finished());
        if monitors.len() >= MONITORS_MAX {
            let silent = monitors
                .iter()
                .position(|monitor| monitor.connection.is_silent());
            if let Some(monitor) = monitors.remove(silent.unwrap_or(0)) {
                log::debug!("{}: evicted by a new connection", monitor.connection.peer);
                monitor.serving.abort();
            }
        }
        monitors.push_back(Monitor {
            connection,
            serving,
        });
    }
}
