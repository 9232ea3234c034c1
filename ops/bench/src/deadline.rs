//! Every wait of the bench ends: at its own deadline, or when somebody pressed Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::error::{BenchError, Doing, Result};

static INTERRUPTED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From here on the first SIGINT or SIGTERM makes every wait end with `Interrupted`, so that servers are
/// stopped and directories removed; the second one ends the process at once.
///
/// # Errors
/// When the handlers cannot be installed.
pub(crate) fn watch_signals() -> Result<()> {
    let flag = INTERRUPTED.get_or_init(Arc::default);
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(flag))
            .doing("signal handler")?;
        signal_hook::flag::register(signal, Arc::clone(flag)).doing("signal handler")?;
    }
    Ok(())
}

/// The moment at which a wait is given up.
#[derive(Debug)]
pub(crate) struct Deadline {
    what: String,
    begun: Instant,
    within: Duration,
}

impl Deadline {
    pub(crate) fn after(within: Duration, what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            begun: Instant::now(),
            within,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// # Errors
    /// When the time is over, or the bench was told to stop.
    pub(crate) fn check(&self) -> Result<()> {
        check_interrupted()?;
        if self.elapsed() < self.within {
            return Ok(());
        }
        Err(BenchError::Deadline {
            what: self.what.clone(),
            after: self.within,
        })
    }
}

/// # Errors
/// When the bench was told to stop.
pub(crate) fn check_interrupted() -> Result<()> {
    match INTERRUPTED.get() {
        Some(flag) if flag.load(Ordering::Relaxed) => Err(BenchError::Interrupted),
        _ => Ok(()),
    }
}
