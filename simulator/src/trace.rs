//! Demand over time, in slots of 15 seconds.

use super::stream::{Purpose, Stream};

/// The length of a slot, in seconds.
pub const SLOT: f64 = 15.0;

/// Slots in a minute.
pub const MINUTE: usize = 4;

/// Slots in an hour.
pub const HOUR: usize = 60 * MINUTE;

/// Slots in a day.
pub const DAY: usize = 24 * HOUR;

/// How much of the noise's deviation is left a minute later.
const NOISE_FADES: f64 = 0.5;

/// The requests per second of every slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Requests per second, by slot.
    pub rates: Vec<f64>,
}

/// Why there is no trace.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TraceError {
    /// There are fewer than two values.
    #[error("a trace needs at least two values; give a longer one")]
    TooShort,
    /// The step is no whole number of slots.
    #[error("the step of a trace is {seconds} s; it must be a multiple of {SLOT} s")]
    Step {
        /// The step.
        seconds: f64,
    },
    /// A value is negative or not a number.
    #[error("value {place} of the trace is {value}; it must be a number of at least 0")]
    Value {
        /// Which, from 1.
        place: usize,
        /// What it is.
        value: f64,
    },
    /// There is no demand at all.
    #[error("the trace has no demand; give one with a value above 0")]
    Nothing,
}

impl Trace {
    /// The trace of values on a regular grid of `step` seconds: straight lines between the middles
    /// of the bins, gaps included, so that a bin of an hour says nothing about its minutes.
    ///
    /// # Errors
    ///
    /// See [`TraceError`].
    pub fn from_bins(values: &[Option<f64>], step: f64) -> Result<Self, TraceError> {
        let per_bin = (step / SLOT).round();
        if per_bin < 1.0 || (per_bin * SLOT - step).abs() > 1e-6 {
            return Err(TraceError::Step { seconds: step });
        }
        let known = values.iter().enumerate();
        let known: Vec<(f64, f64)> = known
            .filter_map(|(bin, value)| Some(((bin as f64 + 0.5) * per_bin, (*value)?)))
            .collect();
        let bad = known
            .iter()
            .position(|(_, value)| !(value.is_finite() && *value >= 0.0));
        if let Some(place) = bad {
            let value = known[place].1;
            return Err(TraceError::Value {
                place: place + 1,
                value,
            });
        }
        if known.len() < 2 {
            return Err(TraceError::TooShort);
        }
        let mut next = 1;
        let rate = |slot: usize| {
            let at = slot as f64 + 0.5;
            while next + 1 < known.len() && known[next].0 < at {
                next += 1;
            }
            let ((before, low), (after, high)) = (known[next - 1], known[next]);
            let share = ((at - before) / (after - before)).clamp(0.0, 1.0);
            low + share * (high - low)
        };
        Self::checked((0..values.len() * per_bin as usize).map(rate).collect())
    }

    /// The trace of single requests, by the seconds at which they came, in order.
    ///
    /// # Errors
    ///
    /// See [`TraceError`].
    pub fn from_requests(times: &[f64]) -> Result<Self, TraceError> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return Err(TraceError::TooShort);
        };
        let mut rates = vec![0.0; ((last - first) / SLOT).max(0.0) as usize + 1];
        for (place, time) in times.iter().enumerate() {
            let slot = (time - first) / SLOT;
            match rates.get_mut(slot as usize) {
                Some(rate) if slot >= 0.0 => *rate += 1.0 / SLOT,
                _ => {
                    return Err(TraceError::Value {
                        place: place + 1,
                        value: *time,
                    });
                }
            }
        }
        Self::checked(rates)
    }

    fn checked(rates: Vec<f64>) -> Result<Self, TraceError> {
        if rates.iter().all(|rate| *rate <= 0.0) {
            return Err(TraceError::Nothing);
        }
        Ok(Self { rates })
    }

    /// The same trace with this mean, in requests per second.
    #[must_use]
    pub fn scaled(mut self, mean: f64) -> Self {
        let factor = mean / (self.rates.iter().sum::<f64>() / self.rates.len() as f64);
        self.rates.iter_mut().for_each(|rate| *rate *= factor);
        self
    }

    /// The same trace, every rate times a random factor of mean 1 and about this deviation, which is
    /// half forgotten after a minute: what bins of minutes and hours do not show.
    #[must_use]
    pub fn noisy(mut self, deviation: f64, seed: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Noise, 0);
        let keep = NOISE_FADES.powf(1.0 / MINUTE as f64);
        let fresh = deviation * (1.0 - keep * keep).sqrt();
        let mut noise = deviation * stream.normal();
        for rate in &mut self.rates {
            *rate *= (noise - deviation * deviation / 2.0).exp();
            noise = keep * noise + fresh * stream.normal();
        }
        self
    }

    /// The rates as counts of requests tell them: with the deviation of independent arrivals, about
    /// normal.
    #[must_use]
    pub fn measured(&self, seed: u64) -> Vec<f64> {
        let mut stream = Stream::new(seed, Purpose::Measures, 0);
        let count = |rate: &f64| (rate + (rate / SLOT).sqrt() * stream.normal()).max(0.0);
        self.rates.iter().map(count).collect()
    }

    /// The greatest rate of every whole minute.
    #[must_use]
    pub fn minutes(rates: &[f64]) -> Vec<f64> {
        let minutes = rates.chunks_exact(MINUTE);
        minutes
            .map(|minute| minute.iter().copied().fold(0.0, f64::max))
            .collect()
    }

    /// The slot of the greatest rate from `begin` on; the first of several.
    #[must_use]
    pub fn peak(&self, begin: usize) -> usize {
        let slots = self.rates.iter().enumerate().skip(begin);
        let greatest = slots.max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)));
        greatest.map_or(begin, |(slot, _)| slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_become_lines_between_their_middles() {
        let trace = Trace::from_bins(&[Some(2.0), None, Some(10.0)], 60.0).unwrap();
        assert_eq!(trace.rates.len(), 12);
        assert_eq!(trace.rates[..2], [2.0, 2.0]);
        assert_eq!(trace.rates[2..5], [2.5, 3.5, 4.5]);
        assert_eq!(trace.rates[11], 10.0);
        let mean = trace.scaled(300.0).rates.iter().sum::<f64>() / 12.0;
        assert!((mean - 300.0).abs() < 1e-9);
    }

    #[test]
    fn requests_are_counted_by_slot() {
        let trace = Trace::from_requests(&[100.0, 101.0, 114.9, 131.0]).unwrap();
        assert_eq!(trace.rates, [0.2, 0.0, 1.0 / 15.0]);
        assert_eq!(trace.peak(0), 0);
        assert_eq!(trace.peak(1), 2);
        assert!(Trace::from_requests(&[5.0, 4.0]).is_err());
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        let refused = |values: &[Option<f64>], step| Trace::from_bins(values, step).unwrap_err();
        assert_eq!(refused(&[Some(1.0)], 60.0), TraceError::TooShort);
        assert_eq!(refused(&[Some(0.0), Some(0.0)], 60.0), TraceError::Nothing);
        assert_eq!(refused(&[], 40.0), TraceError::Step { seconds: 40.0 });
        assert_eq!(
            refused(&[Some(1.0), Some(-1.0)], 60.0),
            TraceError::Value {
                place: 2,
                value: -1.0
            }
        );
        assert_eq!(Trace::from_requests(&[]), Err(TraceError::TooShort));
    }

    #[test]
    fn noise_has_its_deviation_and_keeps_the_mean() {
        let flat = Trace {
            rates: vec![100.0; 200_000],
        };
        let noisy = flat.noisy(0.05, 1).rates;
        let mean = noisy.iter().sum::<f64>() / noisy.len() as f64;
        let variance = noisy.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>();
        let deviation = (variance / noisy.len() as f64).sqrt();
        assert!(
            (mean - 100.0).abs() < 0.2 && (deviation - 5.0).abs() < 0.2,
            "{mean} {deviation}"
        );
    }
}
