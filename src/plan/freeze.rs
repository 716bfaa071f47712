//! A forecast as a plan keeps it.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::forecast::Forecast;
use crate::telemetry::{Series, offset};

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
    /// The values right before the start, one for each step and no more than are forecast; the last
    /// one is that before the first slot. Empty where the telemetry is of another grid.
    pub history: Vec<Option<f64>>,
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
        (source, series): (String, &Series),
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
            history: history(forecast, series),
            notes,
            expires,
        }
    }

    /// The start of a slot.
    #[must_use]
    pub fn slot_start(&self, slot: usize) -> Timestamp {
        offset(self.start, self.step, slot).unwrap_or(Timestamp::MAX)
    }

    /// The end of the last slot.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        self.slot_start(self.quantiles.first().map_or(0, Vec::len))
    }

    /// The values before the start, each with the start of its slot.
    #[must_use]
    pub fn past(&self) -> Vec<(Timestamp, Option<f64>)> {
        let values = self.history.iter().rev().zip(1_u32..);
        let step = SignedDuration::try_from(self.step).unwrap_or(SignedDuration::MAX);
        let at = |slot| {
            self.start
                .checked_sub(step.checked_mul(i32::try_from(slot).ok()?)?)
                .ok()
        };
        let mut past: Vec<_> = values
            .filter_map(|(value, slot)| Some((at(slot)?, *value)))
            .collect();
        past.reverse();
        past
    }

    /// The greatest value at a place among the levels, and when it is first reached.
    #[must_use]
    pub fn peak(&self, place: usize) -> Option<(Timestamp, f64)> {
        let values = self.quantiles.get(place)?.iter().enumerate();
        let (slot, value) = values.rev().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        Some((self.slot_start(slot), *value))
    }
}

/// The end of the series, as long as the forecast.
fn history(forecast: &Forecast, series: &Series) -> Vec<Option<f64>> {
    if series.step() != forecast.step || series.end() != forecast.start {
        return Vec::new();
    }
    let horizon = forecast.quantiles.first().map_or(0, Vec::len);
    let values = series.values();
    values[values.len().saturating_sub(horizon)..].to_vec()
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
