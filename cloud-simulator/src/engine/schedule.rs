//! Times at which something happens again and again, or once.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

use super::scaling::shift;

/// When.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Once.
    At(Timestamp),
    /// So many seconds after another, from the start on.
    Every(i64),
    /// By minute, hour, day of the month, month, day of the week (1 is Sunday) and year.
    Cron(Box<Cron>),
}

impl Schedule {
    /// A cron expression of six fields, from minutes to years, as clouds have them.
    ///
    /// # Errors
    /// It is none; the text says why.
    pub fn cron(text: &str) -> Result<Self, String> {
        let parser = CronParser::builder()
            .seconds(Seconds::Required)
            .year(Year::Required)
            .alternative_weekdays(true)
            .build();
        // The crate has years only after seconds.
        let cron = parser
            .parse(&format!("0 {text}"))
            .map_err(|error| error.to_string())?;
        Ok(Self::Cron(Box::new(cron)))
    }
}

/// A schedule between two times.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    schedule: Schedule,
    zone: TimeZone,
    ends: Option<Timestamp>,
    next: Option<Timestamp>,
}

impl Timed {
    /// A schedule from `starts` on, but nothing of it at or before `now`.
    #[must_use]
    pub fn new(
        schedule: Schedule,
        zone: TimeZone,
        (starts, ends): (Option<Timestamp>, Option<Timestamp>),
        now: Timestamp,
    ) -> Self {
        let mut timed = Self {
            schedule,
            zone,
            ends,
            next: None,
        };
        // The start itself counts, as does the end.
        let after = starts.map_or(now, |starts| now.max(shift(starts, -1)));
        timed.next = match &timed.schedule {
            Schedule::Every(seconds) => {
                let first = starts.unwrap_or_else(|| shift(now, *seconds));
                let missed = after.duration_since(first).as_secs();
                let missed = if missed < 0 {
                    0
                } else {
                    missed / seconds.max(&1) + 1
                };
                Some(shift(first, missed * seconds))
            }
            Schedule::At(_) | Schedule::Cron(_) => timed.following(after),
        };
        timed.expire();
        timed
    }

    /// When it happens next; `None` if it does not happen any more.
    #[must_use]
    pub const fn next(&self) -> Option<Timestamp> {
        self.next
    }

    /// Goes on from the next time to the one after it.
    pub(super) fn pass(&mut self) {
        self.next = self.next.and_then(|last| self.following(last));
        self.expire();
    }

    fn expire(&mut self) {
        let ends = self.ends;
        self.next = self
            .next
            .filter(|next| ends.is_none_or(|ends| *next <= ends));
    }

    fn following(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.schedule {
            Schedule::At(time) => (*time > after).then_some(*time),
            Schedule::Every(seconds) => Some(shift(after, (*seconds).max(1))),
            Schedule::Cron(cron) => {
                let local = after.to_zoned(self.zone.clone());
                let next = cron.find_next_occurrence(&local, false).ok()?;
                Some(next.timestamp())
            }
        }
    }
}

impl Serialize for Timed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.next.serialize(serializer)
    }
}
