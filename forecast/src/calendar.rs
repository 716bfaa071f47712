//! What is known of times to come: the time zone, holidays, and events.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What the learned methods know of a time, whenever it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calendar {
    /// Where days and weeks begin and end; UTC where none is given. With daylight saving the hours
    /// that people keep stay the same.
    pub zone: Option<TimeZone>,
    /// Days that are unlike their weekday.
    pub holidays: BTreeSet<Date>,
    /// Known causes of demand.
    pub events: Vec<Event>,
}

/// Something that changes demand while it lasts: a launch, a deployment, a model that is retrained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// When it begins (for the first time).
    pub at: Timestamp,
    /// How long it lasts.
    pub lasts: Duration,
    /// How often it comes again, before and after; `None` for once.
    pub every: Option<Duration>,
}

impl Event {
    /// Whether it is on at some time of the slot that begins at `time` and lasts for `step`.
    #[must_use]
    pub fn is_on(&self, time: Timestamp, step: Duration) -> bool {
        let since = time.duration_since(self.at).as_secs_f64();
        let (lasts, step) = (self.lasts.as_secs_f64(), step.as_secs_f64());
        let since = match self.every.map(|every| every.as_secs_f64()) {
            // From the begin of the time that lies around the slot; it may come again within.
            Some(every) if every > 0.0 => {
                let since = since.rem_euclid(every);
                if since + step > every {
                    since - every
                } else {
                    since
                }
            }
            _ => since,
        };
        since < lasts && since + step > 0.0
    }
}

impl Calendar {
    /// How many numbers [`describe`](Self::describe) adds.
    #[cfg(test)]
    pub(super) fn width(&self) -> usize {
        6 + usize::from(!self.holidays.is_empty()) + self.events.len()
    }

    /// Adds what is known of the slot that begins at `seconds` behind the epoch: the time of day as
    /// two harmonics and in hours, the weekday from Monday, whether it is a holiday, and for every
    /// event whether it is on.
    pub(super) fn describe(&self, seconds: f64, step: f64, row: &mut Vec<f64>) {
        let utc = seconds.floor() as i64;
        let time = Timestamp::from_second(utc).unwrap_or_default();
        let offset = self
            .zone
            .as_ref()
            .map_or(0, |zone| zone.to_offset(time).seconds());
        let day = (seconds + f64::from(offset)) / 86_400.0;
        let share = day.rem_euclid(1.0);
        let turn = share * std::f64::consts::TAU;
        row.extend([
            turn.sin(),
            turn.cos(),
            (2.0 * turn).sin(),
            (2.0 * turn).cos(),
        ]);
        // The epoch was a Thursday.
        row.extend([share * 24.0, (day.floor() + 3.0).rem_euclid(7.0)]);
        if !self.holidays.is_empty() {
            let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
            let today = time.to_zoned(zone).date();
            row.push(f64::from(u8::from(self.holidays.contains(&today))));
        }
        let step = Duration::try_from_secs_f64(step).unwrap_or_default();
        let on = self.events.iter().map(|event| event.is_on(time, step));
        row.extend(on.map(|on| f64::from(u8::from(on))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn events_come_again() {
        let event = Event {
            name: "retraining".to_owned(),
            at: time("2026-01-05T02:00:00Z"),
            lasts: 2 * HOUR,
            every: Some(24 * HOUR),
        };
        assert!(event.is_on(time("2026-01-05T03:00:00Z"), HOUR));
        assert!(event.is_on(time("2026-02-01T02:00:00Z"), HOUR));
        assert!(event.is_on(time("2025-12-24T03:59:00Z"), HOUR));
        assert!(!event.is_on(time("2026-02-01T04:00:00Z"), HOUR));
        // A slot that ends within it.
        assert!(event.is_on(time("2026-02-01T01:30:00Z"), HOUR));
        let once = Event {
            every: None,
            ..event
        };
        assert!(once.is_on(time("2026-01-05T03:00:00Z"), HOUR));
        assert!(!once.is_on(time("2026-01-06T03:00:00Z"), HOUR));
    }

    #[test]
    fn the_time_of_day_is_that_of_the_zone() {
        let mut calendar = Calendar {
            zone: Some(TimeZone::get("Europe/Berlin").unwrap()),
            ..Calendar::default()
        };
        calendar.holidays.insert(Date::constant(2026, 12, 25));
        let describe = |text: &str| {
            let mut row = Vec::new();
            calendar.describe(time(text).as_second() as f64, 3600.0, &mut row);
            assert_eq!(row.len(), calendar.width());
            (row[4].round(), row[5], row[6])
        };
        // Nine in the morning, before and after the clocks change on 29 March 2026; a Monday.
        assert_eq!(describe("2026-03-23T08:00:00Z"), (9.0, 0.0, 0.0));
        assert_eq!(describe("2026-03-30T07:00:00Z"), (9.0, 0.0, 0.0));
        // Past midnight there, Christmas has begun.
        assert_eq!(describe("2026-12-24T23:30:00Z").2, 1.0);
    }
}
