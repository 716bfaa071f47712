//! Times as RFC 3339 writes them, with the offset that they were written with.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// A time with its offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    time: Timestamp,
    offset: Offset,
}

impl Moment {
    /// A time seen from an offset.
    pub(super) const fn at(time: Timestamp, offset: Offset) -> Self {
        Self { time, offset }
    }

    /// Reads `2006-01-02T15:04:05Z`, with digits behind the seconds and an offset if there are.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        strict(text).ok_or_else(|| {
            format!("{text:?} is not a time such as \"2026-01-31T12:00:00Z\" (RFC 3339)")
        })
    }

    /// The time some duration later.
    pub(super) fn add(self, duration: SignedDuration) -> Result<Self, String> {
        let time = self
            .time
            .checked_add(duration)
            .map_err(|_| "the time is out of range".to_owned())?;
        Ok(Self { time, ..self })
    }

    /// What a clock and a calendar show.
    pub(super) fn civil(&self) -> DateTime {
        self.offset.to_datetime(self.time)
    }

    /// The offset in minutes.
    pub(super) fn minutes(&self) -> i32 {
        self.offset.seconds() / 60
    }

    /// The offset as `+02:00`, with this between hours and minutes.
    pub(super) fn zone(&self, separator: &str) -> String {
        let minutes = self.minutes();
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.abs();
        format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
    }
}

fn strict(text: &str) -> Option<Moment> {
    let (date, rest) = text.split_at_checked(10)?;
    let rest = rest.strip_prefix('T')?;
    let (clock, rest) = rest.split_at_checked(8)?;
    let numbers = |text: &str, between: char, widths: [usize; 3]| {
        let mut parts = text.split(between);
        let mut number = |width: usize| {
            let part = parts.next()?;
            let digits = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse::<i16>().ok())?
        };
        Some([number(widths[0])?, number(widths[1])?, number(widths[2])?])
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let (nanoseconds, zone) = match rest.strip_prefix('.') {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            let (digits, zone) = rest.split_at(end);
            let padded = format!("{digits:0<9}");
            let digits = (!digits.is_empty()).then(|| padded[..9].parse::<i32>().ok())??;
            (digits, zone)
        }
        None => (0, rest),
    };
    let small = |value: i16| i8::try_from(value).ok();
    let (month, day) = (small(month)?, small(day)?);
    let (hour, minute, second) = (small(hour)?, small(minute)?, small(second)?);
    if second > 59 {
        return None;
    }
    let civil = DateTime::new(year, month, day, hour, minute, second, nanoseconds).ok()?;
    let offset = offset(zone)?;
    let time = offset.to_timestamp(civil).ok()?;
    Some(Moment { time, offset })
}

fn offset(text: &str) -> Option<Offset> {
    if text == "Z" {
        return Some(Offset::UTC);
    }
    let (sign, rest) = text.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str, most: i32| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.then(|| text.parse::<i32>().ok())??;
        (number <= most).then_some(number)
    };
    let seconds = number(hours, 24)? * 3600 + number(minutes, 59)? * 60;
    let seconds = match sign {
        "+" => seconds,
        "-" => -seconds,
        _ => return None,
    };
    Offset::from_seconds(seconds).ok()
}

impl fmt::Display for Moment {
    /// To the second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let civil = self.civil();
        let zone = if self.offset.is_zero() {
            "Z".to_owned()
        } else {
            self.zone(":")
        };
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{zone}",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        )
    }
}

impl PartialOrd for Moment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Moment {
    /// The earlier first, wherever they were written; then by offset, so that equal is the same.
    fn cmp(&self, other: &Self) -> Ordering {
        self.time.cmp(&other.time)
    }
}
