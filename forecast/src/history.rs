//! The past as the methods see it: a series without gaps, and its seasons in slots.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The longest past that the costly methods learn from: four whole weeks tell the week's pattern,
/// and what is older says little about tomorrow.
const MEMORY_DAYS: usize = 28;

/// A history without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    values: Vec<f64>,
    day: Option<usize>,
    week: Option<usize>,
}

impl History {
    /// The history of the given slots of length `step`; gaps are filled from what came before.
    ///
    /// A gap takes the value of the same slot one day earlier; within the first day it lies on the
    /// line between its neighbours, or repeats the only one it has.
    pub fn new(slots: &[Option<f64>], step: Duration) -> Self {
        let day = period(DAY, step);
        let mut values = Vec::with_capacity(slots.len());
        for (slot, value) in slots.iter().enumerate() {
            let yesterday = day
                .and_then(|day| slot.checked_sub(day))
                .map(|slot| values[slot]);
            values.push(value.or(yesterday).unwrap_or_else(|| between(slots, slot)));
        }
        Self {
            values,
            day,
            week: period(WEEK, step),
        }
    }

    /// The values, oldest first.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The last value, or 0 where there is none.
    pub fn last(&self) -> f64 {
        self.values.last().copied().unwrap_or(0.0)
    }

    /// The number of slots in a day, if it is a whole number and at least 2.
    pub fn day(&self) -> Option<usize> {
        self.day
    }

    /// The number of slots in a week, if it is a whole number and at least 2.
    pub fn week(&self) -> Option<usize> {
        self.week
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
        let history = History::new(&slots, eight_hours);
        assert_eq!(history.values(), [2.0, 2.0, 4.0, 6.0, 2.0, 1.0, 6.0, 2.0]);
        assert_eq!((history.day(), history.week()), (Some(3), Some(21)));
    }

    #[test]
    fn seasons_are_whole_numbers_of_steps() {
        let periods = |seconds| {
            let history = History::new(&[Some(1.0)], Duration::from_secs(seconds));
            (history.day(), history.week())
        };
        assert_eq!(periods(300), (Some(288), Some(2016)));
        assert_eq!(periods(86_400), (None, Some(7)));
        assert_eq!(periods(86_400 * 7), (None, None));
        assert_eq!(periods(420), (None, Some(1440)));
    }
}
