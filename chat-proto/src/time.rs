//! Times in the format of the protocol (PROTOCOL.md, 1.6 Times and sequence numbers).

use std::cell::RefCell;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A time in milliseconds since 1970-01-01 UTC, encoded by RFC 3339: `2026-11-23T18:50:00.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The maximum of `jiff`, within the four-digit years of RFC 3339: `9999-12-30T22:00:00.000Z`.
    const LAST: i64 = 253_402_207_200_000;

    /// Creates a time from milliseconds since 1970-01-01 UTC, clamped to the years 1970 to 9999.
    pub const fn from_millis(millis: i64) -> Self {
        let held = if millis < 0 { 0 } else { millis };
        Self(if held > Self::LAST { Self::LAST } else { held })
    }

    /// Returns the milliseconds since 1970-01-01 UTC.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// Calls `act` with the encoded time.
    pub(crate) fn with_text<R>(self, act: impl FnOnce(&str) -> R) -> R {
        thread_local! {
            /// The last encoded time; a busy server stamps many messages within a millisecond.
            static LAST: RefCell<(Timestamp, String)> =
                const { RefCell::new((Timestamp(-1), String::new())) };
        }
        LAST.with_borrow_mut(|(time, text)| {
            if *time != self {
                *time = self;
                *text = self.to_string();
            }
            act(text)
        })
    }

    /// Converts the time to `jiff`, for time zones and formats.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0)
            .expect("the constructor keeps the years 1970 to 9999")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_millis(time.as_millisecond())
    }
}

impl From<std::time::SystemTime> for Timestamp {
    fn from(time: std::time::SystemTime) -> Self {
        let since = time
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.to_jiff())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_text(|text| serializer.serialize_str(text))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Rfc3339;
        impl de::Visitor<'_> for Rfc3339 {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an RFC 3339 time such as 2026-11-23T18:50:00.123Z")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Timestamp, E> {
                value
                    .parse::<jiff::Timestamp>()
                    .map(Timestamp::from)
                    .map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Rfc3339)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_with_milliseconds_in_utc() {
        for (millis, want) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_795_459_800_123, "2026-11-23T18:50:00.123Z"),
            (1_795_459_800_100, "2026-11-23T18:50:00.100Z"),
            (-5, "1970-01-01T00:00:00.000Z"),
            (i64::MAX, "9999-12-30T22:00:00.000Z"),
        ] {
            assert_eq!(Timestamp::from_millis(millis).to_string(), want);
        }
    }

    #[test]
    fn is_read_back() {
        let time: Timestamp = serde_json::from_str("\"2026-11-23T20:50:00.123+02:00\"").unwrap();
        assert_eq!(time, Timestamp::from_millis(1_795_459_800_123));
        assert!(serde_json::from_str::<Timestamp>("\"yesterday\"").is_err());
    }
}
