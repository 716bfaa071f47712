//! A series on a regular time grid, in which a slot may be empty.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// The most slots that a series may have: at 16 bytes a slot, 80 MB.
pub const MAX_SLOTS: usize = 5_000_000;

/// Demand over time: slot `i` covers the time from `start + i * step` for one `step`.
///
/// Values are rates (requests per second, unless the reader of the series says otherwise), finite
/// and at least 0; `None` is a gap. There is at least one slot, and the first and the last are not
/// gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    start: Timestamp,
    step: Duration,
    values: Vec<Option<f64>>,
    duplicates: usize,
}

/// Why values do not make a [`Series`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SeriesError {
    /// The step is zero.
    #[error("the step is zero; it must be a positive duration such as 5m")]
    ZeroStep,
    /// Every slot is a gap, or there is none.
    #[error("there is no value")]
    Empty,
    /// There are more slots than [`MAX_SLOTS`], or the last lies beyond the calendar.
    #[error(
        "the grid has {slots} slots, more than the {MAX_SLOTS} allowed; use a longer step or a shorter history"
    )]
    TooLong {
        /// The number of slots asked for.
        slots: usize,
    },
    /// A value is negative, infinite or not a number.
    #[error("the value {value} in slot {slot} is not a rate; rates are finite and at least 0")]
    NotARate {
        /// The slot, from 0.
        slot: usize,
        /// The value.
        value: f64,
    },
}

impl Series {
    /// Makes a series of `values` from `start` in steps of `step`; gaps at both ends are cut off.
    ///
    /// # Errors
    ///
    /// See [`SeriesError`].
    pub fn new(
        start: Timestamp,
        step: Duration,
        mut values: Vec<Option<f64>>,
    ) -> Result<Self, SeriesError> {
        if step.is_zero() {
            return Err(SeriesError::ZeroStep);
        }
        for (slot, value) in values.iter().enumerate() {
            if let Some(value) = *value
                && (!value.is_finite() || value < 0.0)
            {
                return Err(SeriesError::NotARate { slot, value });
            }
        }
        let slots = values
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        values.truncate(slots);
        let Some(leading) = values.iter().position(Option::is_some) else {
            return Err(SeriesError::Empty);
        };
        if slots > MAX_SLOTS || offset(start, step, slots).is_none() {
            return Err(SeriesError::TooLong { slots });
        }
        values.drain(..leading);
        let start = offset(start, step, leading).ok_or(SeriesError::TooLong { slots })?;
        Ok(Self {
            start,
            step,
            values,
            duplicates: 0,
        })
    }

    /// The same series, noting how many readings were dropped because a later one took their slot.
    #[must_use]
    pub fn with_duplicates(self, duplicates: usize) -> Self {
        Self { duplicates, ..self }
    }

    /// The start of the first slot.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// The length of a slot.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// The values, one per slot.
    pub fn values(&self) -> &[Option<f64>] {
        &self.values
    }

    /// The end of the last slot: where a forecast begins.
    pub fn end(&self) -> Timestamp {
        offset(self.start, self.step, self.values.len()).unwrap_or(Timestamp::MAX)
    }

    /// The number of slots that hold a value.
    pub fn observations(&self) -> usize {
        self.values.iter().flatten().count()
    }

    /// The number of slots that hold none.
    pub fn gaps(&self) -> usize {
        self.values.len() - self.observations()
    }

    /// How many readings were dropped because a later one took their slot.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// The greatest value.
    pub fn maximum(&self) -> f64 {
        self.values.iter().flatten().copied().fold(0.0, f64::max)
    }

    /// The series without its last `slots` slots (and without a gap before them), if a value is
    /// left: what was known that long ago.
    pub fn before_last(&self, slots: usize) -> Option<Self> {
        let kept = self.values.len().checked_sub(slots)?;
        Self::new(self.start, self.step, self.values[..kept].to_vec()).ok()
    }

    /// The last part of the series, at most `history` long; at least the last slot.
    #[must_use]
    pub fn latest(&self, history: Duration) -> Self {
        let slots = history.as_nanos() / self.step.as_nanos();
        let slots = usize::try_from(slots)
            .unwrap_or(usize::MAX)
            .clamp(1, self.values.len());
        let mut first = self.values.len() - slots;
        // The last slot is a value, so the search ends.
        while self.values[first].is_none() {
            first += 1;
        }
        Self {
            start: offset(self.start, self.step, first).unwrap_or(self.start),
            step: self.step,
            values: self.values[first..].to_vec(),
            duplicates: self.duplicates,
        }
    }

    /// SHA-256, in hexadecimal, of the start and step in nanoseconds and every slot: equal exactly
    /// when the grid and the values are equal.
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.start.as_nanosecond().to_be_bytes());
        hash.update(self.step.as_nanos().to_be_bytes());
        for value in &self.values {
            match value {
                // Adding zero turns -0 into +0, which compares equal.
                Some(value) => hash.update((value + 0.0).to_bits().to_be_bytes()),
                // No slot holds NaN, so its bits can stand for a gap.
                None => hash.update(f64::NAN.to_bits().to_be_bytes()),
            }
        }
        hash.finalize()
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

/// The time `slots` steps after `start`, unless it lies beyond the calendar.
#[must_use]
pub fn offset(start: Timestamp, step: Duration, slots: usize) -> Option<Timestamp> {
    let slots = u32::try_from(slots).ok()?;
    let span = SignedDuration::try_from(step.checked_mul(slots)?).ok()?;
    start.checked_add(span).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn start() -> Timestamp {
        "2024-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn gaps_at_both_ends_are_cut_off() {
        let values = vec![None, Some(1.0), None, Some(2.0), None];
        let series = Series::new(start(), HOUR, values).unwrap();
        assert_eq!(series.start().to_string(), "2024-01-01T01:00:00Z");
        assert_eq!(series.end().to_string(), "2024-01-01T04:00:00Z");
        assert_eq!((series.observations(), series.gaps()), (2, 1));
    }

    #[test]
    fn what_is_not_a_series_of_rates_is_refused() {
        let new = |values| Series::new(start(), HOUR, values);
        assert_eq!(new(vec![]), Err(SeriesError::Empty));
        assert_eq!(new(vec![None]), Err(SeriesError::Empty));
        assert_eq!(
            new(vec![Some(1.0), Some(-1.0)]),
            Err(SeriesError::NotARate {
                slot: 1,
                value: -1.0
            })
        );
        assert!(matches!(
            new(vec![Some(f64::NAN)]),
            Err(SeriesError::NotARate { slot: 0, .. })
        ));
        assert_eq!(
            Series::new(start(), Duration::ZERO, vec![Some(1.0)]),
            Err(SeriesError::ZeroStep)
        );
        let far = Duration::from_secs(u64::MAX / 2);
        let values = vec![Some(1.0), Some(1.0)];
        assert_eq!(
            Series::new(start(), far, values),
            Err(SeriesError::TooLong { slots: 2 })
        );
    }

    #[test]
    fn the_digest_tells_every_difference() {
        let series = |start: Timestamp, step, values| Series::new(start, step, values).unwrap();
        let one = series(start(), HOUR, vec![Some(1.0), None, Some(0.0)]);
        let same = series(start(), HOUR, vec![Some(1.0), None, Some(-0.0), None]);
        assert_eq!(one.digest(), same.digest());
        let others = [
            series(start(), HOUR, vec![Some(1.0), Some(0.0), Some(0.0)]),
            series(start(), HOUR, vec![Some(1.0), None, Some(1e-300)]),
            series(start(), HOUR * 2, vec![Some(1.0), None, Some(0.0)]),
            series(one.end(), HOUR, vec![Some(1.0), None, Some(0.0)]),
        ];
        for other in others {
            assert_ne!(one.digest(), other.digest(), "{other:?}");
        }
        assert_eq!(one.digest().len(), 64);
    }

    #[test]
    fn the_latest_part_begins_with_a_value() {
        let values = vec![Some(1.0), Some(2.0), None, Some(4.0)];
        let series = Series::new(start(), HOUR, values).unwrap();
        let latest = series.latest(HOUR * 2);
        assert_eq!(latest.values(), [Some(4.0)]);
        assert_eq!(latest.end(), series.end());
        assert_eq!(series.latest(HOUR * 100), series);
        assert_eq!(series.latest(Duration::ZERO).values(), [Some(4.0)]);
        assert_eq!(
            series.before_last(1).unwrap().values(),
            [Some(1.0), Some(2.0)]
        );
        assert_eq!(series.before_last(4), None);
    }
}
