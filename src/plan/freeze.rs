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
    /// Its weighted absolute percentage error in the backtest, as a share; none where it was not
    /// measured.
    pub wape: Option<f64>,
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
    /// Freezes a forecast; `now` tells whether the telemetry it rests on is old.
    #[must_use]
    pub fn new(
        forecast: &Forecast,
        source: String,
        (now, expires): (Timestamp, Timestamp),
    ) -> Self {
        let mut notes: Vec<String> = forecast.notes.iter().map(ToString::to_string).collect();
        notes.extend(old_telemetry(forecast, now));
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
            notes,
            expires,
        }
    }
}

/// Says so where all that is forecast is over already.
fn old_telemetry(forecast: &Forecast, now: Timestamp) -> Option<String> {
    let age = now.duration_since(forecast.start);
    (now > forecast.end()).then(|| {
        format!(
            "the telemetry ends {} days ago, at {}; the forecast is for the time behind that, not for now",
            age.as_hours() / 24,
            forecast.start.strftime("%Y-%m-%d %H:%M UTC")
        )
    })
}
