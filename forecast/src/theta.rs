//! The theta method: half the trend, and exponential smoothing of the rest.

use super::seasonal_mean::profile;
use super::{Fitted, History, Method, Unfit};

/// The theta method of Assimakopoulos and Nikolopoulos (2000), which is simple exponential
/// smoothing with a drift of half the slope of the linear trend (Hyndman and Billah 2003), on
/// values from which the season is divided out.
pub(super) struct Theta;

struct Drifting {
    level: f64,
    /// Per slot, and how much of it is there after `n` slots.
    drift: f64,
    smoothing: f64,
    length: usize,
    /// Factors of the slots to come, around 1.
    season: Vec<f64>,
}

const FEWEST: usize = 8;

impl Method for Theta {
    fn name(&self) -> &'static str {
        "theta"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        if values.len() < FEWEST {
            return Err(Unfit::TooShort {
                needed: FEWEST,
                present: values.len(),
            });
        }
        let season = factors(history, values);
        // Counted from the end, as the factors are in the order of the slots to come.
        let phase = season.len() - values.len() % season.len();
        let plain: Vec<f64> = values
            .iter()
            .enumerate()
            .map(|(slot, value)| value / season[(phase + slot) % season.len()])
            .collect();
        let (smoothing, level) = smooth(&plain);
        Ok(Box::new(Drifting {
            level,
            drift: slope(&plain) / 2.0,
            smoothing,
            length: plain.len(),
            season,
        }))
    }
}

/// The typical course of a season over its mean; a single 1 where none is known.
fn factors(history: &History, values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let week = history.week().filter(|week| values.len() >= 3 * week);
    let period = week.or(history.season());
    let Some(period) = period.filter(|_| mean > 0.0) else {
        return vec![1.0];
    };
    let seasons = if week.is_some() { 4 } else { 7 };
    let typical = profile(values, period, seasons);
    let mean = typical.iter().sum::<f64>() / period as f64;
    if mean <= 0.0 {
        return vec![1.0];
    }
    // A slot that is almost always 0 would make its values infinite.
    typical
        .iter()
        .map(|value| (value / mean).max(0.05))
        .collect()
}

/// The smoothing that would have told the next value best, and the level that it leads to.
fn smooth(values: &[f64]) -> (f64, f64) {
    let run = |alpha: f64| {
        let mut level = values[0];
        let mut loss = 0.0;
        for value in &values[1..] {
            let error = value - level;
            loss += error * error;
            level += alpha * error;
        }
        (loss, level)
    };
    // The loss has one valley in practice: a grid, then halves around its best.
    let mut best = (f64::INFINITY, 0.1, values[0]);
    let mut step = 0.1;
    let mut candidates: Vec<f64> = (1..10).map(|tenth| f64::from(tenth) / 10.0).collect();
    for _ in 0..5 {
        for alpha in &candidates {
            let (loss, level) = run(*alpha);
            if loss < best.0 {
                best = (loss, *alpha, level);
            }
        }
        step /= 2.0;
        candidates = [best.1 - step, best.1 + step]
            .into_iter()
            .filter(|alpha| (0.005..=0.999).contains(alpha))
            .collect();
    }
    (best.1, best.2)
}

/// The slope of the least squares line through the values.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let products: f64 = values
        .iter()
        .enumerate()
        .map(|(slot, value)| (slot as f64 - middle) * value)
        .sum();
    products / (count * (count * count - 1.0) / 12.0)
}

impl Fitted for Drifting {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        // The drift that smoothing lags behind (Hyndman and Billah 2003, equation 8).
        let faded = (1.0 - self.smoothing).powf(self.length as f64);
        let lag = (1.0 - faded) / self.smoothing;
        let value = |step: usize| {
            let plain = self.level + self.drift * (step as f64 + lag);
            plain * self.season[step % self.season.len()]
        };
        (0..horizon).map(value).collect()
    }
}
