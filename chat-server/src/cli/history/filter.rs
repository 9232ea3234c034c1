//! Which messages, and how a time is named.

use std::str::FromStr;

use chat_proto::Message;
use chat_proto::name::fold;
use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, ZonedDateTime};

/// Which messages.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Filter {
    /// Only this channel, e.g. '#lobby'
    #[arg(long)]
    channel: Option<String>,
    /// Only what this person said or was told directly, e.g. ana
    #[arg(long, value_name = "NICK")]
    person: Option<String>,
    /// Only from this time on: 2026-11-23, '2026-11-23 18:00' (local time), 2026-11-23T18:00:00Z, or
    /// how long ago: 2h, 3days
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,
    /// Only before this time, named in the same ways
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,
}

impl Filter {
    pub(super) fn has(&self, message: &Message<'_>) -> bool {
        let is = |name: &str, wanted: &str| fold(name) == fold(wanted);
        let time = message.time.to_jiff();
        self.channel
            .as_ref()
            .is_none_or(|channel| is(&message.to, channel))
            && self
                .person
                .as_ref()
                .is_none_or(|nick| is(&message.from, nick) || is(&message.to, nick))
            && self.since.is_none_or(|Moment(since)| time >= since)
            && self.until.is_none_or(|Moment(until)| time < until)
    }
}

/// A point in time as people name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment(jiff::Timestamp);

impl Moment {
    fn parse(text: &str, now: &ZonedDateTime) -> Option<Self> {
        let zone = || now.time_zone().clone();
        if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            return Some(Self(instant));
        }
        // One that names its zone means that, not the local one.
        if let Ok(zoned) = text.parse::<ZonedDateTime>() {
            return Some(Self(zoned.timestamp()));
        }
        // A date alone is its midnight.
        let local = match text.parse::<DateTime>() {
            Ok(local) => local.to_zoned_datetime(zone()),
            Err(_) => match text.parse::<Date>() {
                Ok(date) => date.to_zoned_datetime(zone()),
                Err(_) => now.checked_sub(text.parse::<Span>().ok()?.abs()),
            },
        };
        Some(Self(local.ok()?.timestamp()))
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let now = ZonedDateTime::now().with_time_zone(TimeZone::system());
        Self::parse(text, &now).ok_or(
            "a time is 2026-11-23, '2026-11-23 18:00', 2026-11-23T18:00:00Z, or how long ago: 2h, 3days",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chat_proto::Timestamp;

    #[test]
    fn times_are_named_as_people_name_them() {
        let zone = TimeZone::fixed(jiff::tz::offset(3));
        let now: jiff::Timestamp = "2026-11-23T18:50:00Z".parse().unwrap();
        let now = now.to_zoned_datetime(zone);
        for (text, want) in [
            ("2026-11-23T18:00:00Z", "2026-11-23T18:00:00Z"),
            ("2026-11-23T18:00:00+01:00", "2026-11-23T17:00:00Z"),
            ("2026-11-23T18:00[+01:00]", "2026-11-23T17:00:00Z"),
            ("2026-11-23", "2026-11-22T21:00:00Z"),
            ("2026-11-23 18:00", "2026-11-23T15:00:00Z"),
            ("2026-11-23T18:00:05", "2026-11-23T15:00:05Z"),
            ("2h", "2026-11-23T16:50:00Z"),
            ("3days", "2026-11-20T18:50:00Z"),
            ("90 minutes", "2026-11-23T17:20:00Z"),
        ] {
            let Moment(time) = Moment::parse(text, &now).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(time, want.parse().unwrap(), "{text}");
        }
        for wrong in ["", "yesterday", "25:00", "2026-13-01", "5"] {
            assert_eq!(Moment::parse(wrong, &now), None, "{wrong}");
        }
    }

    #[test]
    fn filters_go_by_folded_names_and_time() {
        let time = Timestamp::from_millis(1_795_459_800_123);
        let message = Message {
            seq: 1,
            time,
            from: "Ana".into(),
            to: "#Rust".into(),
            text: "x".into(),
            id: None,
        };
        let has = |filter: Filter| filter.has(&message);
        assert!(has(Filter::default()));
        assert!(has(Filter {
            channel: Some("#RUST".into()),
            person: Some("ana".into()),
            ..Filter::default()
        }));
        assert!(!has(Filter {
            channel: Some("#lobby".into()),
            ..Filter::default()
        }));
        assert!(!has(Filter {
            person: Some("luis".into()),
            ..Filter::default()
        }));
        let moment = Some(Moment(time.to_jiff()));
        assert!(has(Filter {
            since: moment,
            ..Filter::default()
        }));
        assert!(!has(Filter {
            until: moment,
            ..Filter::default()
        }));
    }
}
