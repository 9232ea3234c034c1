//! The room's clock. Times of messages never go back, so it does not either, whoever sets the machine's:
//! while that is behind, it goes on half as fast, until the machine's has caught up. The last message of
//! the history counts as read from it, so a restart is no way back.
//!
//! What is to end after a time (a window to come back, a sanction) goes by it too: late at most by as much
//! again as there was left, and early only where the machine's clock was set forward.

use std::time::{Instant, SystemTime};

use chat_proto::Timestamp;

/// See the head of this file.
#[derive(Debug)]
pub struct Clock {
    /// What it said when it last agreed with the machine, or began,
    anchor: Timestamp,
    /// and when that was.
    since: Instant,
}

impl Clock {
    /// A clock that never says less than `last`.
    pub fn new(last: Option<Timestamp>) -> Self {
        Self {
            anchor: last.unwrap_or(Timestamp::from_millis(0)),
            since: Instant::now(),
        }
    }

    pub fn now(&mut self) -> Timestamp {
        self.read(SystemTime::now().into(), Instant::now())
    }

    /// What it says while the machine's clock says `machine`, at `moment`.
    fn read(&mut self, machine: Timestamp, moment: Instant) -> Timestamp {
        let passed = moment.saturating_duration_since(self.since).as_millis() / 2;
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let slow = Timestamp::from_millis(self.anchor.as_millis().saturating_add(passed));
        if machine < slow {
            return slow;
        }
        self.anchor = machine;
        self.since = moment;
        machine
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_follows_the_machine_forward_and_never_back() {
        let mut clock = Clock::new(Some(Timestamp::from_millis(1_000)));
        let begun = clock.since;
        // Milliseconds that have passed, what the machine says, what the clock does.
        for (passed, machine, says) in [
            (0, 400, 1_000),
            (10, 410, 1_005),
            (2_000, 2_400, 2_400),
            (2_100, 2_500, 2_500),
            // Set back by an hour.
            (2_101, -3_597_499, 2_500),
            (2_102, -3_597_498, 2_501),
            (4_102, -3_595_498, 3_501),
            // Set forward, and right again.
            (4_103, 90_000, 90_000),
            (4_104, 4_504, 90_000),
            (175_103, 175_503, 175_503),
        ] {
            let moment = begun + Duration::from_millis(passed);
            let said = clock.read(Timestamp::from_millis(machine), moment);
            assert_eq!(said, Timestamp::from_millis(says), "after {passed} ms");
        }
    }
}
