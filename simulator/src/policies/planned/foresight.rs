//! What the forecast said at every minute of a trace.

use std::sync::Arc;
use std::time::Duration;

use isobar_forecast::Experts;

use super::{Setting, lead};
use crate::trace::Trace;

/// The levels that the planner chooses among.
pub const LEVELS: [f64; 9] = [0.5, 0.7, 0.8, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999];

/// The place of the level nearest to this one.
pub(super) fn nearest(level: f64) -> usize {
    let distance = |place: &usize| (LEVELS[*place] - level).abs();
    let places = 0..LEVELS.len();
    let nearest = places.min_by(|a, b| distance(a).total_cmp(&distance(b)));
    nearest.unwrap_or(0)
}

/// The quantiles of the demand that an order covers, by minute of the order: each made from the
/// minutes before it and from nothing else, so that it is what a planner would have had then.
#[derive(Debug, Clone)]
pub struct Foresight(Arc<Vec<[f32; LEVELS.len()]>>);

impl Foresight {
    /// Forecasts the demand of the setting from every minute of it.
    #[must_use]
    pub fn new(setting: &Setting<'_>) -> Self {
        let minute = Duration::from_secs(60);
        // A tenth of what one replica carries is as good as nothing.
        let performance = &setting.scenario.service.performance;
        let full = f64::from(performance.concurrency) / performance.service_time.as_secs_f64();
        let floor = full / 10.0;
        let ahead = lead(setting).ahead(minute);
        let mut experts = Experts::new(minute, ahead, floor, &LEVELS);
        let forecast = |value: f64| {
            experts.observe(value);
            std::array::from_fn(|level| experts.quantile(level).unwrap_or(f64::NAN) as f32)
        };
        let minutes = Trace::minutes(&setting.measured);
        Self(Arc::new(minutes.into_iter().map(forecast).collect()))
    }

    /// The demand at the level of this place in [`LEVELS`] that an order after `minute` covers;
    /// none before anything was learned. Demand of a level is at least that of every lower one.
    #[must_use]
    pub fn demand(&self, level: usize, minute: usize) -> Option<f64> {
        let quantiles = self.0.get(minute)?.get(..=level)?;
        let greatest = quantiles.iter().copied().fold(f32::NAN, f32::max);
        (!greatest.is_nan()).then(|| f64::from(greatest))
    }
}
