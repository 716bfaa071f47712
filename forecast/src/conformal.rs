//! Quantiles around point forecasts, from the errors that the same method made in the backtest.
//!
//! Conformal prediction with weights (Vovk, Gammerman and Shafer 2005; Barber, Candès, Ramdas and
//! Tibshirani 2023): the quantile at level p is the point plus the error that a share of p of the
//! past errors, recent ones counting more, does not exceed. It assumes no distribution. Errors are
//! counted in units (Lei et al. 2018): the mean error, and how far the methods are apart at the slot,
//! so that quantiles widen where methods disagree.

use super::folds::Fold;

/// How much the disagreement of the methods counts beside the mean error.
const DISAGREEMENT: f64 = 0.7;

/// Errors of the coming fold are wider than those that the weights were chosen on, by this over the
/// number of folds: measured on recorded series, so that 95 % are covered where 95 % should be.
const WIDENING: f64 = 0.8;

/// The errors of one method, in units and ascending, with their weights.
#[derive(Debug, Clone)]
pub(super) struct Calibration {
    errors: Vec<(f64, f64)>,
    weight: f64,
    /// The mean absolute error.
    base: f64,
    widening: f64,
}

/// What one method forecast from an origin: its path, and how far all methods were apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried<'a> {
    pub(super) fold: &'a Fold,
    pub(super) path: &'a [f64],
    pub(super) spread: &'a [f64],
}

impl Calibration {
    /// Collects the errors of what was tried.
    pub(super) fn new<'a>(tried: impl Iterator<Item = Tried<'a>> + Clone) -> Self {
        let (mut count, mut sum, mut folds) = (0.0, 0.0, 0.0);
        for trial in tried.clone() {
            folds += 1.0;
            for (step, actual) in trial.fold.known() {
                count += trial.fold.weight;
                sum += trial.fold.weight * (actual - trial.path[step]).abs();
            }
        }
        let mut calibration = Self {
            errors: Vec::new(),
            weight: 0.0,
            base: if count > 0.0 { sum / count } else { 0.0 },
            widening: 1.0 + WIDENING / f64::max(folds, 1.0),
        };
        for trial in tried {
            for (step, actual) in trial.fold.known() {
                let error = actual - trial.path[step];
                let unit = calibration.unit(trial.spread[step]);
                let error = if unit > 0.0 { error / unit } else { 0.0 };
                calibration.errors.push((error, trial.fold.weight));
                calibration.weight += trial.fold.weight;
            }
        }
        calibration
            .errors
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        calibration
    }

    fn unit(&self, spread: f64) -> f64 {
        self.base + DISAGREEMENT * spread
    }

    /// How many errors there are.
    pub(super) fn errors(&self) -> usize {
        self.errors.len()
    }

    /// The error, in units, that a share of `level` of the errors does not exceed.
    pub(super) fn rank(&self, level: f64) -> f64 {
        let wanted = level * self.weight;
        let mut sum = 0.0;
        let crossing = self.errors.iter().find(|(_, weight)| {
            sum += weight;
            sum >= wanted
        });
        let (error, _) = crossing.or(self.errors.last()).copied().unwrap_or_default();
        // The point is the median: what is above it is no less, and what is below no more.
        let side = if level > 0.5 {
            error.max(0.0)
        } else if level < 0.5 {
            error.min(0.0)
        } else {
            0.0
        };
        side * self.widening
    }

    /// The quantile of the [rank](Self::rank) where `point` is expected and the methods are `spread`
    /// apart.
    pub(super) fn quantile(&self, rank: f64, point: f64, spread: f64) -> f64 {
        point + rank * self.unit(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(actual: Vec<Option<f64>>, weight: f64) -> Fold {
        Fold {
            origin: 0,
            actual,
            weight,
        }
    }

    fn calibrated(folds: &[Fold], path: &[f64], spread: &[f64]) -> Calibration {
        Calibration::new(folds.iter().map(|fold| Tried { fold, path, spread }))
    }

    #[test]
    fn quantiles_are_ranks_of_past_errors() {
        let actual = (1..=100)
            .map(|error| Some(4.0 + f64::from(error)))
            .collect();
        let calibration = calibrated(&[fold(actual, 1.0)], &[4.0; 100], &[0.0; 100]);
        assert_eq!(calibration.errors(), 100);
        let at = |level: f64| calibration.quantile(calibration.rank(level), 9.0, 0.0);
        // One fold widens by 0.8.
        assert!((at(0.9) - (9.0 + 90.0 * 1.8)).abs() < 1e-9, "{}", at(0.9));
        assert!((at(0.999) - (9.0 + 100.0 * 1.8)).abs() < 1e-9);
        assert_eq!(at(0.5), 9.0);
        // All errors lie above, so that nothing below the point was seen.
        assert_eq!(at(0.1), 9.0);
    }

    #[test]
    fn quantiles_widen_where_methods_disagree() {
        let actual = vec![Some(3.0), Some(5.0), Some(3.0), Some(5.0)];
        let calibration = calibrated(&[fold(actual, 1.0)], &[4.0; 4], &[0.0; 4]);
        let rank = calibration.rank(0.9);
        let (near, far) = (
            calibration.quantile(rank, 4.0, 0.0),
            calibration.quantile(rank, 4.0, 10.0),
        );
        assert!(
            (near - 5.8).abs() < 1e-9 && (far - (4.0 + 1.8 * 8.0)).abs() < 1e-9,
            "{near} {far}"
        );
    }

    #[test]
    fn recent_errors_count_more() {
        let folds = [
            fold(vec![Some(100.0); 10], 0.01),
            fold(vec![Some(2.0); 10], 1.0),
        ];
        let calibration = calibrated(&folds, &[1.0; 10], &[0.0; 10]);
        let quantile = calibration.quantile(calibration.rank(0.95), 1.0, 0.0);
        assert!((quantile - (1.0 + 1.4)).abs() < 1e-9, "{quantile}");
    }

    #[test]
    fn gaps_teach_nothing() {
        let calibration = calibrated(
            &[fold(vec![None, Some(3.0), None], 1.0)],
            &[1.0; 3],
            &[0.0; 3],
        );
        assert_eq!(calibration.errors(), 1);
    }
}
