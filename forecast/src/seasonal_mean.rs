//! The mean of the same slot of the last seasons.

use super::seasonal_naive::Cycle;
use super::{Fitted, History, Method, Unfit};

/// A typical day of the last seven, or a typical week of the last four.
pub(super) struct SeasonalMean {
    name: &'static str,
    period_name: &'static str,
    period: fn(&History) -> Option<usize>,
    seasons: usize,
}

impl SeasonalMean {
    pub(super) const DAY: Self = Self {
        name: "seasonal_mean_day",
        period_name: "day",
        period: History::day,
        seasons: 7,
    };
    pub(super) const WEEK: Self = Self {
        name: "seasonal_mean_week",
        period_name: "week",
        period: History::week,
        seasons: 4,
    };
}

impl Method for SeasonalMean {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let period = (self.period)(history).ok_or(Unfit::NoPeriod {
            period: self.period_name,
        })?;
        let values = history.values();
        // Of a single season the mean would be the seasonal naive again.
        let needed = 2 * period;
        if values.len() < needed {
            return Err(Unfit::TooShort {
                needed,
                present: values.len(),
            });
        }
        Ok(Box::new(Cycle(profile(values, period, self.seasons))))
    }
}

/// The mean of each slot over the last whole seasons, at most `seasons`, in the order of the slots
/// to come. There must be at least one season.
pub(super) fn profile(values: &[f64], period: usize, seasons: usize) -> Vec<f64> {
    let seasons = (values.len() / period).min(seasons);
    let recent = &values[values.len() - seasons * period..];
    let slot = |slot: usize| recent.iter().skip(slot).step_by(period).sum::<f64>();
    (0..period).map(|at| slot(at) / seasons as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_the_mean_of_the_last_whole_seasons() {
        let values = [100.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0];
        assert_eq!(profile(&values, 3, 2), [2.5, 3.5, 6.0]);
        assert_eq!(profile(&values, 3, 1), [4.0, 5.0, 9.0]);
        assert_eq!(profile(&values, 3, 9), [2.5, 3.5, 6.0]);
    }
}
