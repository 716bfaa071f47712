//! Exponential smoothing of the level and trend, without seasons.

use augurs_core::{Fit as _, Predict as _};
use augurs_ets::{AutoETS, FittedAutoETS};

use super::{Fitted, History, Method, Unfit};

/// Exponential smoothing with additive errors; no trend, a trend, or a damped one, by the corrected
/// Akaike criterion.
///
/// Multiplicative errors are left out: they change the intervals, which the backtest supplies
/// instead, and double the time. Seasons are left out because the library does not have them.
pub(super) struct Ets;

/// What the library can fit at least.
const FEWEST: usize = 12;

/// The values that smoothing learns from: older ones have next to no weight, and only cost time.
const MEMORY: usize = 1_000;

struct Smoothed {
    model: FittedAutoETS,
    scale: f64,
}

impl Method for Ets {
    fn name(&self) -> &'static str {
        "ets"
    }

    fn fit(&self, history: &History) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        if values.len() < FEWEST {
            return Err(Unfit::TooShort {
                needed: FEWEST,
                present: values.len(),
            });
        }
        let (values, scale) = scaled(latest(values));
        let model = search()?.fit(&values).map_err(failed)?;
        Ok(Box::new(Smoothed { model, scale }))
    }
}

/// The search over the three models.
pub(super) fn search() -> Result<AutoETS, Unfit> {
    AutoETS::new(1, "AZN").map_err(failed)
}

/// The values that smoothing learns from.
pub(super) fn latest(values: &[f64]) -> &[f64] {
    &values[values.len().saturating_sub(MEMORY)..]
}

/// The values as multiples of their mean, and the mean: the optimiser's steps and tolerances are
/// absolute, and the decomposition computes in single precision.
pub(super) fn scaled(values: &[f64]) -> (Vec<f64>, f64) {
    let mean = values
        .iter()
        .map(|value| value / values.len() as f64)
        .sum::<f64>();
    let scale = if mean > 0.0 && mean.is_finite() {
        mean
    } else {
        1.0
    };
    (values.iter().map(|value| value / scale).collect(), scale)
}

pub(super) fn failed(error: impl std::fmt::Display) -> Unfit {
    Unfit::Failed {
        reason: error.to_string(),
    }
}

impl Fitted for Smoothed {
    fn point(&self, horizon: usize) -> Vec<f64> {
        let point = self
            .model
            .predict(horizon, None)
            .map(|forecast| forecast.point);
        // What fails to predict is scored as not a number, which the backtest refuses.
        let point = point.unwrap_or_else(|_| vec![f64::NAN; horizon]);
        point.into_iter().map(|value| value * self.scale).collect()
    }
}
