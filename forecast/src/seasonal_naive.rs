//! The last season, repeated.

use super::{Fitted, History, Method, Unfit};

/// Tomorrow is like yesterday, or next week like last week.
pub(super) struct SeasonalNaive {
    name: &'static str,
    period_name: &'static str,
    period: fn(&History) -> Option<usize>,
}

/// One season of values, which goes round.
pub(super) struct Cycle(pub(super) Vec<f64>);

impl SeasonalNaive {
    pub(super) const DAY: Self = Self {
        name: "seasonal_naive_day",
        period_name: "day",
        period: History::day,
    };
    pub(super) const WEEK: Self = Self {
        name: "seasonal_naive_week",
        period_name: "week",
        period: History::week,
    };
}

impl Method for SeasonalNaive {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let period = (self.period)(history).ok_or(Unfit::NoPeriod {
            period: self.period_name,
        })?;
        let values = history.values();
        let Some(first) = values.len().checked_sub(period) else {
            return Err(Unfit::TooShort {
                needed: period,
                present: values.len(),
            });
        };
        Ok(Box::new(Cycle(values[first..].to_vec())))
    }
}

impl Fitted for Cycle {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        self.0.iter().copied().cycle().take(horizon).collect()
    }
}
