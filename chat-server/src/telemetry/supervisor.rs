//! Noticing that an actor has failed without which there is no server.
//!
//! A panic ends one actor alone. For a session that is what one wants; a server whose room or recorder
//! has gone would look alive and do nothing, so it ends, and whoever supervises it starts it again.

use tokio::sync::mpsc;

/// Where it is told whose [`FailureGuard`] was dropped.
pub type Failures = mpsc::UnboundedReceiver<&'static str>;

/// Makes [`FailureGuard`]s.
#[derive(Debug, Clone)]
pub struct FailureMonitor(mpsc::UnboundedSender<&'static str>);

/// Held by an actor that is to be missed.
#[derive(Debug)]
pub struct FailureGuard {
    who: &'static str,
    watch: FailureMonitor,
}

impl FailureMonitor {
    pub fn new() -> (Self, Failures) {
        let (tell, told) = mpsc::unbounded_channel();
        (Self(tell), told)
    }

    pub fn over(&self, who: &'static str) -> FailureGuard {
        let watch = self.clone();
        FailureGuard { who, watch }
    }
}

impl Drop for FailureGuard {
    fn drop(&mut self) {
        // Nobody listens any more when the server ends as it should.
        self.watch.0.send(self.who).ok();
    }
}
