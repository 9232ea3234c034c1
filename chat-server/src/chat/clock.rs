//! The room's clock. Times of messages never go back, so it does not either, whoever sets the machine's:
//! while that is behind, it goes on half as fast, until the machine's has caught up. The last message of
//! the history counts as read from it, so a restart is no way back.
//!
//! It follows a jump forward only when that has lasted: a clock that is years ahead for a moment ends no
//! resume window and no sanction, and stamps no message. A clock that is set forward for good is followed
//! after `JUMP_CONFIRMATION`. At the start the machine's clock is believed: nothing else is known.

use std::time::{Duration, Instant, SystemTime};

use chat_proto::Timestamp;

/// The largest jump forward that is followed at once, in milliseconds.
const JUMP_MILLIS: i64 = 10_000;

/// How long a larger one has to last.
const JUMP_CONFIRMATION: Duration = Duration::from_secs(5);

/// See the head of this file.
#[derive(Debug)]
pub struct Clock {
    /// What it said when it last agreed with the machine, or began,
    anchor: Timestamp,
    /// and when that was.
    since: Instant,
    /// It has agreed with the machine once.
    has_agreed: bool,
    /// The machine's clock has been ahead since then.
    ahead_since: Option<Instant>,
}

impl Clock {
    /// A clock that never says less than `last`.
    pub fn new(last: Option<Timestamp>) -> Self {
        Self {
            anchor: last.unwrap_or(Timestamp::from_millis(0)),
            since: Instant::now(),
            has_agreed: false,
            ahead_since: None,
        }
    }

    /// Returns the time. Has to be called every second at least, so that a jump that is over is noticed.
    pub fn now(&mut self) -> Timestamp {
        self.read(SystemTime::now().into(), Instant::now())
    }

    /// Returns the time while the machine's clock says `machine`, at `moment`.
    fn read(&mut self, machine: Timestamp, moment: Instant) -> Timestamp {
        let passed = moment.saturating_duration_since(self.since).as_millis();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let after = |millis| {
            let anchor = self.anchor.as_millis();
            Timestamp::from_millis(anchor.saturating_add(millis))
        };
        let slow = after(passed / 2);
        if machine < slow {
            self.ahead_since = None;
            return slow;
        }
        let expected = after(passed);
        let jump = machine.as_millis().saturating_sub(expected.as_millis());
        if self.has_agreed && jump > JUMP_MILLIS {
            let since = *self.ahead_since.get_or_insert(moment);
            if moment.saturating_duration_since(since) < JUMP_CONFIRMATION {
                return expected;
            }
            log::warn!("the clock was set forward, from {expected} to {machine}");
        }
        *self = Self {
            anchor: machine,
            since: moment,
            has_agreed: true,
            ahead_since: None,
        };
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
            // Years ahead for a third of a second.
            (4_103, 90_000_000_000, 4_503),
            (4_400, 90_000_000_300, 4_800),
            (4_401, 4_801, 4_801),
            // A small step is followed at once, and the way back is slow.
            (4_402, 14_000, 14_000),
            (4_404, 4_804, 14_001),
            (40_000, 40_400, 40_400),
            // Set forward by an hour for good.
            (40_100, 3_640_500, 40_500),
            (44_100, 3_644_500, 44_500),
            (45_100, 3_645_500, 3_645_500),
        ] {
            let moment = begun + Duration::from_millis(passed);
            let said = clock.read(Timestamp::from_millis(machine), moment);
            assert_eq!(said, Timestamp::from_millis(says), "after {passed} ms");
        }
    }
}
