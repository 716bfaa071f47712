//! Quantiles around point forecasts, from the errors that the same method made in the backtest.
//!
//! Split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei et al. 2018): the quantile at
//! level p is the point plus the ⌈(n+1)p⌉-th smallest of n past errors. It assumes that coming
//! errors are exchangeable with past ones, and no distribution. Errors are divided by the square
//! root of the point forecast, as the noise of counted arrivals grows with the root of their rate.

use super::backtest::Fold;

/// How many errors a bucket of horizons must have before the horizon is split.
const ERRORS_PER_BUCKET: usize = 250;

/// The most buckets that the horizon is split into.
const MOST_BUCKETS: usize = 4;

/// The unit of an error at a given point forecast.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    floor: f64,
}

impl Unit {
    /// The unit for a series of this mean. Points below 5 % of the mean count as that much, so that
    /// quiet hours neither blow up errors nor promise certainty.
    pub(super) fn of_mean(mean: f64) -> Self {
        Self {
            floor: if mean > 0.0 { 0.05 * mean } else { 1.0 },
        }
    }

    fn at(self, point: f64) -> f64 {
        point.max(self.floor).sqrt()
    }
}

/// The errors of one method, in units and ascending, by how far ahead they were made.
#[derive(Debug, Clone)]
pub(super) struct Calibration {
    buckets: Vec<Vec<f64>>,
    steps_per_bucket: usize,
    unit: Unit,
}

impl Calibration {
    /// Collects the errors of `paths`, the point forecasts of the same folds.
    pub(super) fn new<'a>(
        folds: impl Iterator<Item = (&'a Fold<'a>, &'a [f64])> + Clone,
        unit: Unit,
    ) -> Self {
        let errors: usize = folds
            .clone()
            .map(|(fold, _)| fold.actual.iter().flatten().count())
            .sum();
        let steps = folds
            .clone()
            .map(|(fold, _)| fold.actual.len())
            .max()
            .unwrap_or(0)
            .max(1);
        let wanted = (errors / ERRORS_PER_BUCKET).clamp(1, MOST_BUCKETS);
        let steps_per_bucket = steps.div_ceil(wanted);
        let mut buckets = vec![Vec::new(); steps.div_ceil(steps_per_bucket)];
        for (fold, path) in folds {
            for (step, (actual, point)) in fold.actual.iter().zip(path).enumerate() {
                if let Some(actual) = actual {
                    buckets[step / steps_per_bucket].push((actual - point) / unit.at(*point));
                }
            }
        }
        // Gaps may leave a bucket without errors; it then takes those of the one before or after.
        buckets.retain(|bucket| !bucket.is_empty());
        buckets
            .iter_mut()
            .for_each(|bucket| bucket.sort_by(f64::total_cmp));
        Self {
            buckets,
            steps_per_bucket,
            unit,
        }
    }

    /// The fewest errors that a quantile rests on.
    pub(super) fn errors(&self) -> usize {
        self.buckets.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// The quantile at `level` of the demand `step` steps after the first, where `point` is
    /// expected. Beyond the horizon of the backtest the errors of its last steps count.
    pub(super) fn quantile(&self, level: f64, step: usize, point: f64) -> f64 {
        let bucket = (step / self.steps_per_bucket).min(self.buckets.len().saturating_sub(1));
        let Some(errors) = self.buckets.get(bucket) else {
            return point;
        };
        let rank = ((errors.len() + 1) as f64 * level).ceil() as usize;
        point + errors[rank.clamp(1, errors.len()) - 1] * self.unit.at(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_ranks_of_past_errors() {
        let actual: Vec<_> = (1..=99)
            .map(|error| Some(4.0 + 2.0 * f64::from(error)))
            .collect();
        let folds = [Fold {
            origin: 0,
            actual: &actual,
        }];
        let path = vec![4.0; 99];
        let pairs = folds.iter().map(|fold| (fold, path.as_slice()));
        let calibration = Calibration::new(pairs, Unit::of_mean(1.0));
        assert_eq!(calibration.errors(), 99);
        // The errors are 1..=99 units, and a unit at 9 is 3.
        assert_eq!(calibration.quantile(0.5, 0, 9.0), 9.0 + 50.0 * 3.0);
        assert_eq!(calibration.quantile(0.9, 500, 9.0), 9.0 + 90.0 * 3.0);
        assert_eq!(calibration.quantile(0.999, 0, 9.0), 9.0 + 99.0 * 3.0);
    }

    #[test]
    fn with_many_errors_later_steps_have_their_own() {
        let near = vec![Some(1.0); 300];
        let far = vec![Some(101.0); 300];
        let actual = [near, far].concat();
        let folds = [Fold {
            origin: 0,
            actual: &actual,
        }];
        let path = vec![1.0; 600];
        let pairs = folds.iter().map(|fold| (fold, path.as_slice()));
        let calibration = Calibration::new(pairs, Unit::of_mean(1.0));
        assert_eq!(calibration.quantile(0.9, 0, 1.0), 1.0);
        assert_eq!(calibration.quantile(0.9, 599, 1.0), 101.0);
    }

    #[test]
    fn gaps_teach_nothing() {
        let actual = [None, Some(3.0), None];
        let folds = [Fold {
            origin: 0,
            actual: &actual,
        }];
        let path = vec![1.0; 3];
        let pairs = folds.iter().map(|fold| (fold, path.as_slice()));
        let calibration = Calibration::new(pairs, Unit::of_mean(1.0));
        assert_eq!(calibration.errors(), 1);
        assert_eq!(calibration.quantile(0.5, 0, 1.0), 3.0);
    }
}
