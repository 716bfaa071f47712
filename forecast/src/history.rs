//! The past as the methods see it: a series without gaps, and its seasons in slots.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use super::Calendar;
use super::features::Lessons;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest past that the costly methods learn from: four whole weeks tell the week's pattern,
/// and what is older says little about tomorrow.
const MEMORY_DAYS: usize = 28;

/// What counts as small, as a share of the mean.
const FLOOR: f64 = 1e-3;

/// A history without gaps.
#[derive(Debug, Clone)]
pub struct History {
    values: Vec<f64>,
    /// The start of the first slot and the length of one, in seconds.
    grid: (f64, f64),
    day: Option<usize>,
    week: Option<usize>,
    /// A season that the calendar does not know.
    other: Option<usize>,
    calendar: Arc<Calendar>,
    floor: f64,
    lessons: OnceLock<Lessons>,
}

impl History {
    /// The history of the given slots of length `step`; gaps are filled from what came before.
    ///
    /// A gap takes the value of the same slot one day earlier; within the first day it lies on the
    /// line between its neighbours, or repeats the only one it has.
    pub fn new(slots: &[Option<f64>], start: Timestamp, step: Duration) -> Self {
        let day = period(DAY, step);
        let mut values = Vec::with_capacity(slots.len());
        for (slot, value) in slots.iter().enumerate() {
            let yesterday = day
                .and_then(|day| slot.checked_sub(day))
                .map(|slot| values[slot]);
            values.push(value.or(yesterday).unwrap_or_else(|| between(slots, slot)));
        }
        let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
        Self {
            grid: (start.as_second() as f64, step.as_secs_f64()),
            day,
            week: period(WEEK, step),
            other: None,
            calendar: Arc::default(),
            floor: if mean > 0.0 { mean * FLOOR } else { 1.0 },
            lessons: OnceLock::new(),
            values,
        }
    }

    /// With what is known of the times to come, and a season that no calendar has.
    #[must_use]
    pub fn with(self, calendar: Arc<Calendar>, other: Option<usize>) -> Self {
        Self {
            calendar,
            other,
            ..self
        }
    }

    /// The length of a slot.
    pub fn step(&self) -> Duration {
        Duration::from_secs_f64(self.grid.1)
    }

    /// The values, oldest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The number of slots in a day, if it is a whole number and at least 2.
    pub fn day(&self) -> Option<usize> {
        self.day
    }

    /// The number of slots in a week, if it is a whole number and at least 2.
    pub fn week(&self) -> Option<usize> {
        self.week
    }

    /// The slots of the season that levels and lags are counted in: the day, with days as steps the
    /// week, or else what was detected; if two of them are known.
    pub fn season(&self) -> Option<usize> {
        let fits = |season: &usize| 2 * season <= self.values.len();
        self.day.or(self.week).or(self.other).filter(fits)
    }

    /// All seasons of which two are known, ascending.
    pub fn seasons(&self) -> Vec<usize> {
        let known = [self.day, self.week, self.other];
        let mut seasons: Vec<usize> = known.into_iter().flatten().collect();
        seasons.retain(|season| 2 * season <= self.recent().len());
        seasons.sort_unstable();
        seasons.dedup();
        seasons
    }

    /// A level that counts as small: a thousandth of the mean.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Adds what is known of a slot, whether it has been or is to come.
    pub fn describe(&self, slot: usize, row: &mut Vec<f64>) {
        let (start, step) = self.grid;
        self.calendar
            .describe(start + slot as f64 * step, step, row);
    }

    /// What learned methods learn from to forecast up to `horizon` slots ahead: made once for all of
    /// them, as long as the horizon is the same.
    pub(super) fn lessons(&self, horizon: usize) -> Cow<'_, Lessons> {
        let kept = self.lessons.get_or_init(|| Lessons::of(self, horizon));
        if kept.horizon == horizon {
            return Cow::Borrowed(kept);
        }
        Cow::Owned(Lessons::of(self, horizon))
    }

    /// The values of the last 28 days, or all where a day is not a whole number of slots.
    pub fn recent(&self) -> &[f64] {
        let memory = self.day.map_or(usize::MAX, |day| day * MEMORY_DAYS);
        &self.values[self.values.len().saturating_sub(memory)..]
    }
}

/// How many steps the season takes, if whole and at least 2.
fn period(season: Duration, step: Duration) -> Option<usize> {
    let (season, step) = (season.as_nanos(), step.as_nanos());
    if step == 0 || !season.is_multiple_of(step) {
        return None;
    }
    usize::try_from(season / step)
        .ok()
        .filter(|slots| *slots >= 2)
}

/// The value of a gap on the line between the nearest observations.
fn between(slots: &[Option<f64>], gap: usize) -> f64 {
    let before = slots[..gap].iter().rposition(Option::is_some);
    let after = slots[gap..]
        .iter()
        .position(Option::is_some)
        .map(|distance| gap + distance);
    let value = |slot: usize| slots[slot].unwrap_or(0.0);
    match (before, after) {
        (Some(before), Some(after)) => {
            let share = (gap - before) as f64 / (after - before) as f64;
            value(before) + share * (value(after) - value(before))
        }
        (Some(only), None) | (None, Some(only)) => value(only),
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_take_yesterdays_value_or_the_line_between_neighbours() {
        let eight_hours = Duration::from_secs(8 * 3600);
        let slots = [
            None,
            Some(2.0),
            None,
            Some(6.0),
            None,
            Some(1.0),
            None,
            None,
        ];
        let history = History::new(&slots, Timestamp::UNIX_EPOCH, eight_hours);
        assert_eq!(history.values(), [2.0, 2.0, 4.0, 6.0, 2.0, 1.0, 6.0, 2.0]);
        assert_eq!((history.day(), history.week()), (Some(3), Some(21)));
    }

    #[test]
    fn seasons_are_whole_numbers_of_steps() {
        let periods = |seconds| {
            let history = History::new(
                &[Some(1.0)],
                Timestamp::UNIX_EPOCH,
                Duration::from_secs(seconds),
            );
            (history.day(), history.week())
        };
        assert_eq!(periods(300), (Some(288), Some(2016)));
        assert_eq!(periods(86_400), (None, Some(7)));
        assert_eq!(periods(86_400 * 7), (None, None));
        assert_eq!(periods(420), (None, Some(1440)));
    }
}
