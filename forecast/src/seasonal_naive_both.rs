//! The last day, changed from day to day as the last week was.

use super::seasonal_naive::Cycle;
use super::{Fitted, History, Method, Unfit};

/// Tomorrow is like yesterday, but for what the weekday makes of it: the same slot of the last day,
/// times the mean of its weekday a week ago over the mean of the last day's weekday a week ago.
///
/// With y the values, D the slots of a day, W those of a week, n the last slot and m(i) the mean of
/// the day that ends in slot i, slot n + h of day d (from 1) is forecast as
/// y\[n + h − dD\] · m(n − W + dD) / m(n − W). It follows the level as the day does and knows
/// the weekend as the week does.
pub(super) struct SeasonalNaiveBoth;

/// A weekday changes demand by this factor at most, and by its inverse at least.
const MOST: f64 = 5.0;

impl Method for SeasonalNaiveBoth {
    fn name(&self) -> &'static str {
        "seasonal_naive_both"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let day = history.day().ok_or(Unfit::NoPeriod { period: "day" })?;
        let week = history.week().ok_or(Unfit::NoPeriod { period: "week" })?;
        let values = history.values();
        let needed = week + day;
        let Some(first) = values.len().checked_sub(needed) else {
            return Err(Unfit::TooShort {
                needed,
                present: values.len(),
            });
        };
        let days: Vec<f64> = values[first..].chunks(day).map(mean).collect();
        let (then, later) = days.split_first().unwrap_or((&0.0, &[]));
        let yesterday = &values[values.len() - day..];
        let next = later.iter().flat_map(|level| {
            let change = change(*then, *level);
            yesterday.iter().map(move |value| value * change)
        });
        Ok(Box::new(Cycle(next.collect())))
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The factor from one level to another; none where there was nothing to change from.
fn change(before: f64, after: f64) -> f64 {
    if before > 0.0 {
        (after / before).clamp(1.0 / MOST, MOST)
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    /// Eight-hour slots with a course over the day and a level for every day.
    fn history(levels: &[f64]) -> History {
        let course = [1.0, 4.0, 1.0];
        let slots: Vec<_> = levels
            .iter()
            .flat_map(|level| course.map(|share| Some(share * level)))
            .collect();
        let eight_hours = Duration::from_secs(8 * 3600);
        History::new(&slots, Timestamp::UNIX_EPOCH, eight_hours)
    }

    fn point(levels: &[f64], horizon: usize) -> Vec<f64> {
        let history = history(levels);
        let fitted = SeasonalNaiveBoth.fit(&history, horizon).unwrap();
        fitted.point(&history, horizon)
    }

    #[test]
    fn the_weekend_comes_from_the_week_and_the_level_from_the_day() {
        // A Friday and its week of 10, a weekend of half of it, and a level that has doubled since.
        let levels = [10.0, 5.0, 5.0, 20.0, 20.0, 20.0, 20.0, 20.0];
        assert_eq!(point(&levels, 6), [10.0, 40.0, 10.0, 10.0, 40.0, 10.0]);
    }

    #[test]
    fn a_week_that_was_idle_changes_nothing_and_a_burst_of_it_little() {
        let idle = [0.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0, 7.0];
        assert_eq!(point(&idle, 3), [7.0, 28.0, 7.0]);
        let burst = [1.0, 1000.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0];
        assert_eq!(point(&burst, 3), [10.0, 40.0, 10.0]);
    }

    #[test]
    fn a_week_and_a_day_are_needed() {
        let seven = history(&[1.0; 7]);
        let unfit = SeasonalNaiveBoth.fit(&seven, 3).err();
        let (needed, present) = (24, 21);
        assert_eq!(unfit, Some(Unfit::TooShort { needed, present }));
    }
}
