//! A forecast as a plan keeps it.

use std::time::Duration;

use jiff::Timestamp;

use crate::forecast::Forecast;

/// A forecast with what it was made from and how long a plan may rest on it.
#[derive(Debug, Clone, PartialEq)]
pub struct FrozenForecast {
    /// The kind of source and where it is, such as `csv telemetry.csv`.
    pub source: String,
    /// SHA-256 of the series.
    pub series_digest: String,
    /// How many values the series has.
    pub observations: usize,
    /// How many are missing.
    pub gaps: usize,
    /// The method that was chosen.
    pub method: String,
    /// Its weighted absolute percentage error in the backtest, as a share.
    pub wape: f64,
    /// How many origins the backtest forecast from.
    pub folds: usize,
    /// The start of the first slot.
    pub start: Timestamp,
    /// The length of a slot.
    pub step: Duration,
    /// The levels of the quantiles.
    pub levels: Vec<f64>,
    /// For every level the quantile in every slot.
    pub quantiles: Vec<Vec<f64>>,
    /// What weakens the forecast.
    pub notes: Vec<String>,
    /// When a plan may no longer rest on it.
    pub expires: Timestamp,
}

impl FrozenForecast {
    /// Freezes a forecast.
    #[must_use]
    pub fn new(forecast: &Forecast, source: String, expires: Timestamp) -> Self {
        Self {
            source,
            series_digest: forecast.series_digest.clone(),
            observations: forecast.observations,
            gaps: forecast.gaps,
            method: forecast.method.to_owned(),
            wape: forecast.wape,
            folds: forecast.folds,
            start: forecast.start,
            step: forecast.step,
            levels: forecast.levels.clone(),
            quantiles: forecast.quantiles.clone(),
            notes: forecast.notes.iter().map(ToString::to_string).collect(),
            expires,
        }
    }
}
