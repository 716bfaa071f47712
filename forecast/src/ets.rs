//! Exponential smoothing of level, trend and season.

use super::simplex::minimise;
use super::{Fitted, History, Method, Unfit};

/// Exponential smoothing with additive errors (Hyndman, Koehler, Snyder and Grose 2002): without a
/// trend, with one, or with a damped one, each without a season or with that of the day, by the
/// corrected Akaike criterion.
///
/// Multiplicative errors are left out: they change the intervals, which the backtest supplies
/// instead, and their quantiles can grow without bound.
pub(super) struct Ets;

/// The fewest values that smoothing can be fitted to.
pub(super) const FEWEST: usize = 12;
/// The values that smoothing learns from: older ones have next to no weight, and only cost time.
const MEMORY: usize = 1_000;
/// Longer seasons have more starting values than smoothing can tell apart.
const LONGEST_SEASON: usize = 48;
/// How often the errors of the past are computed for one model.
const EVALUATIONS: usize = 90;

impl Method for Ets {
    fn name(&self) -> &'static str {
        "ets"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        if values.len() < FEWEST {
            return Err(Unfit::TooShort {
                needed: FEWEST,
                present: values.len(),
            });
        }
        let latest = latest(values);
        let season = history
            .season()
            .filter(|season| *season <= LONGEST_SEASON && latest.len() >= 3 * season);
        Ok(Box::new(Smoothed::choose(latest, season)))
    }
}

/// The values that smoothing learns from.
pub(super) fn latest(values: &[f64]) -> &[f64] {
    &values[values.len().saturating_sub(MEMORY)..]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trend {
    None,
    Full,
    Damped,
}

/// A fitted model: its state behind the last value.
#[derive(Debug, Clone)]
pub(super) struct Smoothed {
    level: f64,
    slope: f64,
    damping: f64,
    /// Of the slots to come; empty without a season.
    season: Vec<f64>,
}

/// How fast each part of the state follows.
#[derive(Debug, Clone, Copy)]
struct Rates {
    level: f64,
    slope: f64,
    damping: f64,
    season: f64,
}

impl Rates {
    /// From numbers without bounds: shares by the logistic function, in the usual region.
    fn new(trend: Trend, seasonal: bool, free: &[f64]) -> Self {
        let share = |at: usize| 1.0 / (1.0 + (-free.get(at).copied().unwrap_or(0.0)).exp());
        let level = share(0).clamp(1e-4, 0.9999);
        let slope = if trend == Trend::None {
            0.0
        } else {
            level * share(1)
        };
        let damping = match trend {
            Trend::None => 0.0,
            Trend::Full => 1.0,
            Trend::Damped => 0.8 + 0.18 * share(2),
        };
        let last = match trend {
            Trend::None => 1,
            Trend::Full => 2,
            Trend::Damped => 3,
        };
        let season = if seasonal {
            (1.0 - level) * share(last)
        } else {
            0.0
        };
        Self {
            level,
            slope,
            damping,
            season,
        }
    }
}

impl Smoothed {
    /// The best of the models for `values`, of which there are at least [`FEWEST`].
    pub(super) fn choose(values: &[f64], season: Option<usize>) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for period in [None, season]
            .into_iter()
            .take(1 + usize::from(season.is_some()))
        {
            for trend in [Trend::None, Trend::Full, Trend::Damped] {
                let (criterion, model) = Self::fit(values, period, trend);
                if best.as_ref().is_none_or(|(least, _)| criterion < *least) {
                    best = Some((criterion, model));
                }
            }
        }
        best.map_or_else(
            || Self::start(values, None, Trend::None),
            |(_, model)| model,
        )
    }

    fn fit(values: &[f64], period: Option<usize>, trend: Trend) -> (f64, Self) {
        let start = Self::start(values, period, trend);
        let parts = match trend {
            Trend::None => 1,
            Trend::Full => 2,
            Trend::Damped => 3,
        };
        let free = [0.0, -2.0, 1.0];
        let mut first = free[..parts].to_vec();
        if period.is_some() {
            first.push(-1.5);
        }
        let rates = |free: &[f64]| Rates::new(trend, period.is_some(), free);
        let found = minimise(&first, 1.0, EVALUATIONS, |free| {
            start.clone().follow(values, rates(free))
        });
        let mut model = start;
        let rates = rates(&found);
        let loss = model.follow(values, rates);
        model.damping = rates.damping;
        let count = values.len() as f64;
        let states = 1 + usize::from(trend != Trend::None) + period.unwrap_or(0);
        let parameters = (first.len() + states + 1) as f64;
        if count <= parameters + 2.0 {
            return (f64::INFINITY, model);
        }
        let correction = 2.0 * parameters * (parameters + 1.0) / (count - parameters - 1.0);
        let criterion = count * loss.max(1e-300).ln() + 2.0 * parameters + correction;
        (criterion, model)
    }

    /// The state before the first value: level and slope of the first part, the mean season of the
    /// first three.
    fn start(values: &[f64], period: Option<usize>, trend: Trend) -> Self {
        let head = period.map_or(10, |period| 2 * period).min(values.len());
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
        let (early, late) = values[..head].split_at(head / 2);
        let slope = (mean(late) - mean(early)) / (head as f64 / 2.0).max(1.0);
        let season = period.map_or_else(Vec::new, |period| {
            let seasons = (values.len() / period).min(3);
            let chunks = values.chunks_exact(period).take(seasons);
            let mut season = vec![0.0; period];
            for chunk in chunks {
                let level = mean(chunk);
                for (sum, value) in season.iter_mut().zip(chunk) {
                    *sum += (value - level) / seasons as f64;
                }
            }
            season
        });
        let first = if season.is_empty() {
            values[0]
        } else {
            mean(early)
        };
        Self {
            level: first,
            slope: if trend == Trend::None { 0.0 } else { slope },
            damping: 1.0,
            season,
        }
    }

    /// Follows the values, and says the mean squared error on the way.
    fn follow(&mut self, values: &[f64], rates: Rates) -> f64 {
        let period = self.season.len();
        let mut at = 0;
        let mut sum = 0.0;
        for value in values {
            let trend = rates.damping * self.slope;
            let season = if period > 0 { self.season[at] } else { 0.0 };
            let error = value - (self.level + trend + season);
            sum += error * error;
            self.level += trend + rates.level * error;
            self.slope = trend + rates.slope * error;
            if period > 0 {
                self.season[at] = season + rates.season * error;
                at = (at + 1) % period;
            }
        }
        self.season.rotate_left(at);
        sum / values.len() as f64
    }

    /// The values that follow.
    pub(super) fn ahead(&self, horizon: usize) -> Vec<f64> {
        let mut factor = 1.0;
        let mut sum = 0.0;
        let seasons = self.season.iter().copied().cycle();
        let mut seasons = seasons.chain(std::iter::repeat(0.0));
        (0..horizon)
            .map(|_| {
                factor *= self.damping;
                sum += factor;
                self.level + sum * self.slope + seasons.next().unwrap_or(0.0)
            })
            .collect()
    }
}

impl Fitted for Smoothed {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        self.ahead(horizon)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: &[f64], expected: &[f64], within: f64) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() <= within, "{found} {expected}");
        }
    }

    #[test]
    fn a_line_goes_on() {
        let values: Vec<f64> = (0..60).map(|at| 5.0 + 2.0 * f64::from(at)).collect();
        near(
            &Smoothed::choose(&values, None).ahead(3),
            &[125.0, 127.0, 129.0],
            0.5,
        );
    }

    #[test]
    fn a_season_goes_on() {
        let course = [1.0, 4.0, 9.0, 2.0];
        let values: Vec<f64> = (0..82).map(|at| course[at % 4]).collect();
        let ahead = Smoothed::choose(&values, Some(4)).ahead(4);
        near(&ahead, &[9.0, 2.0, 1.0, 4.0], 0.05);
    }

    #[test]
    fn a_constant_stays() {
        near(
            &Smoothed::choose(&[7.0; 30], None).ahead(2),
            &[7.0, 7.0],
            1e-9,
        );
    }
}
