//! Linear regression on lags and the calendar, one step after the other.

use nalgebra::{DMatrix, DVector};

use super::{Fitted, History, Method, Unfit};

/// Ordinary least squares of the next value on the last ones, those a season ago, and the calendar;
/// further steps rest on the ones forecast before. This is the linear regression that capacity
/// papers compare with; [`LinearMedian`](super::linear_median::LinearMedian) forecasts every slot
/// directly.
pub(super) struct Linear;

/// The last values that are looked at.
const LAGS: usize = 12;
const MEMORY: usize = 3_000;

struct Line {
    lags: Vec<usize>,
    weights: DVector<f64>,
}

impl Method for Linear {
    fn name(&self) -> &'static str {
        "linear_regression"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.values();
        let lags = lags(history);
        let reach = lags.last().copied().unwrap_or(0);
        let rows = values.len().saturating_sub(reach).min(MEMORY);
        let width = row(history, values, &lags, reach).len();
        if rows < 3 * width {
            return Err(Unfit::TooShort {
                needed: reach + 3 * width,
                present: values.len(),
            });
        }
        let first = values.len() - rows;
        let mut matrix = DMatrix::zeros(width, rows);
        for (at, mut column) in (first..).zip(matrix.column_iter_mut()) {
            column.copy_from_slice(&row(history, values, &lags, at));
        }
        let target = DVector::from_column_slice(&values[first..]);
        let mut normal = &matrix * matrix.transpose();
        // Enough for a matrix with equal columns, too little to be felt otherwise.
        (0..width).for_each(|place| normal[(place, place)] *= 1.0 + 1e-9);
        let tiny = 1e-12 * normal.trace() + 1e-12;
        (0..width).for_each(|place| normal[(place, place)] += tiny);
        let solution = normal
            .cholesky()
            .map(|normal| normal.solve(&(&matrix * target)));
        let weights = solution.ok_or_else(|| Unfit::Failed {
            reason: "the lags are not independent".to_owned(),
        })?;
        Ok(Box::new(Line { lags, weights }))
    }
}

/// Ascending: the last values, and the same slot and its neighbours in every season before.
fn lags(history: &History) -> Vec<usize> {
    let seasons = history.seasons().into_iter();
    let around = seasons.flat_map(|season| [season - 1, season, season + 1]);
    let mut lags: Vec<usize> = (1..=LAGS).chain(around).collect();
    lags.retain(|lag| 2 * lag < history.values().len());
    lags.sort_unstable();
    lags.dedup();
    lags
}

fn row(history: &History, values: &[f64], lags: &[usize], at: usize) -> Vec<f64> {
    let mut row = vec![1.0];
    let past = |lag: &usize| at.checked_sub(*lag).and_then(|at| values.get(at));
    row.extend(lags.iter().map(|lag| past(lag).copied().unwrap_or(0.0)));
    history.describe(at, &mut row);
    row
}

impl Fitted for Line {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        let mut values = history.values().to_vec();
        let known = values.len();
        for at in known..known + horizon {
            let features = DVector::from_vec(row(history, &values, &self.lags, at));
            values.push(features.dot(&self.weights).max(0.0));
        }
        values.split_off(known)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_pattern_of_lags_goes_on() {
        let slots: Vec<_> = (0..400)
            .map(|slot| Some(5.0 + f64::from(slot % 24)))
            .collect();
        let history = History::new(
            &slots,
            jiff::Timestamp::UNIX_EPOCH,
            Duration::from_secs(3600),
        );
        let fitted = Linear
            .fit(&history, 24)
            .unwrap_or_else(|error| panic!("{error}"));
        for (step, value) in fitted.point(&history, 24).iter().enumerate() {
            let expected = 5.0 + ((400 + step) % 24) as f64;
            assert!((value - expected).abs() < 0.2, "{step}: {value} {expected}");
        }
    }
}
