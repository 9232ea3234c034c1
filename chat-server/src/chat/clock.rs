//! The clock of the room, which never goes back. While the system clock is behind, it runs at half
//! speed until the system clock has caught up. It starts after the last message of the history.
//!
//! It follows a forward jump only after `JUMP_CONFIRMATION`: a system clock that is wrong for a
//! moment ends no resume window and no sanction, and dates no message. At the start the system
//! clock is trusted, because nothing else is known.

use std::time::{Duration, Instant, SystemTime};

use chat_proto::Timestamp;

/// The largest forward jump that is followed at once, in milliseconds.
const JUMP_MILLIS: i64 = 10_000;

/// How long a larger jump must persist.
const JUMP_CONFIRMATION: Duration = Duration::from_secs(5);

/// A monotonic clock that follows the system clock.
#[derive(Debug)]
pub struct Clock {
    /// The time when it last agreed with the system clock, or started.
    anchor: Timestamp,
    /// The moment of `anchor`.
    since: Instant,
    /// Whether it has agreed with the system clock once.
    has_agreed: bool,
    /// Since when the system clock has been ahead.
    ahead_since: Option<Instant>,
}

impl Clock {
    /// Creates a clock that never returns less than `last`.
    pub fn new(last: Option<Timestamp>) -> Self {
        Self {
            anchor: last.unwrap_or(Timestamp::from_millis(0)),
            since: Instant::now(),
            has_agreed: false,
            ahead_since: None,
        }
    }

    /// Returns the time. Must be called at least every second, to notice the end of a jump.
    pub fn now(&mut self) -> Timestamp {
        self.read(SystemTime::now().into(), Instant::now())
    }

    /// Returns the time, given the system clock and the monotonic time.
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
        // Milliseconds since the start, the system clock, the expected time.
        for (passed, machine, says) in [
            (0, 400, 1_000),
            (10, 410, 1_005),
            (2_000, 2_400, 2_400),
            (2_100, 2_500, 2_500),
            // Set back by an hour.
            (2_101, -3_597_499, 2_500),
            (2_102, -3_597_498, 2_501),
            (4_102, -3_595_498, 3_501),
            // Wrong by years for a third of a second.
            (4_103, 90_000_000_000, 4_503),
            (4_400, 90_000_000_300, 4_800),
            (4_401, 4_801, 4_801),
            // A small step is followed at once, and the way back takes double time.
            (4_402, 14_000, 14_000),
            (4_404, 4_804, 14_001),
            (40_000, 40_400, 40_400),
            // Set forward by an hour permanently.
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
