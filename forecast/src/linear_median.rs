//! Linear regression to the median on lags, levels and the calendar.

use nalgebra::{DMatrix, DVector};

use super::features::{Design, Features};
use super::{Effort, Fitted, History, Method, Unfit};

/// The least absolute errors of a linear model of the direct features, by iteratively reweighted
/// least squares (Schlossmacher 1973) with a small ridge.
pub(super) struct LinearMedian;

const ROUNDS: usize = 8;
const RIDGE: f64 = 0.2;
/// Standardised features are kept within this many deviations when forecasting.
const REACH: f64 = 6.0;
const MOST_ROWS: usize = 1_500;
/// The fewest rows to learn from.
const FEWEST_ROWS: usize = 150;

struct Line {
    means: Vec<f64>,
    deviations: Vec<f64>,
    weights: DVector<f64>,
}

impl Method for LinearMedian {
    fn name(&self) -> &'static str {
        "linear_median"
    }

    fn effort(&self) -> Effort {
        Effort::Heavy
    }

    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let lessons = history.lessons(horizon);
        lessons.at_least(FEWEST_ROWS, history)?;
        let line = Line::fit(&lessons.design).ok_or_else(|| Unfit::Failed {
            reason: "the features are not independent".to_owned(),
        })?;
        Ok(Box::new(line))
    }
}

impl Line {
    fn fit(design: &Design) -> Option<Self> {
        let moments: Vec<(f64, f64)> = design.columns.iter().map(|c| moments(c)).collect();
        let mut line = Self {
            means: moments.iter().map(|m| m.0).collect(),
            deviations: moments.iter().map(|m| m.1).collect(),
            weights: DVector::zeros(0),
        };
        let rows = design.targets.len();
        let every = rows.div_ceil(MOST_ROWS);
        let kept: Vec<usize> = (0..rows).step_by(every).collect();
        let width = design.columns.len() + 1 + LEVELS;
        let mut matrix = DMatrix::zeros(width, kept.len());
        for (mut column, row) in matrix.column_iter_mut().zip(&kept) {
            column.copy_from(&line.row(design, *row));
        }
        let target = DVector::from_iterator(kept.len(), kept.iter().map(|r| design.targets[*r]));
        let mut weights = solve(&matrix, &(&matrix * &target), |_| 1.0, 5.0)?;
        let spread = moments_of(&target).1;
        let mut least = 0.05 * spread + 1e-6;
        for _ in 0..ROUNDS {
            let errors = &target - matrix.tr_mul(&weights);
            let inverse: Vec<f64> = errors.iter().map(|e| 0.5 / e.abs().max(least)).collect();
            let mut right = DVector::zeros(width);
            for (row, column) in matrix.column_iter().enumerate() {
                right.axpy(inverse[row] * target[row], &column, 1.0);
            }
            weights = solve(&matrix, &right, |row| inverse[row], RIDGE)?;
            least = (least * 0.8).max(1e-4);
        }
        line.weights = weights;
        Some(line)
    }

    /// One, the standardised features, and the levels once more in proportion to the distance.
    fn row(&self, design: &Design, row: usize) -> DVector<f64> {
        let columns = design.columns.iter().zip(&self.means).zip(&self.deviations);
        let standard: Vec<f64> = columns
            .map(|((column, mean), deviation)| {
                ((column[row] - mean) / deviation).clamp(-REACH, REACH)
            })
            .collect();
        let distance = standard.get(design.distance).copied().unwrap_or(0.0);
        let levels = standard[..LEVELS].iter().map(|level| level * distance);
        let all = std::iter::once(1.0)
            .chain(standard.iter().copied())
            .chain(levels);
        DVector::from_vec(all.collect())
    }
}

const LEVELS: usize = 8;

fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, square.sqrt() + 1e-9)
}

fn moments_of(values: &DVector<f64>) -> (f64, f64) {
    moments(values.as_slice())
}

fn solve(
    matrix: &DMatrix<f64>,
    right: &DVector<f64>,
    weight: impl Fn(usize) -> f64,
    ridge: f64,
) -> Option<DVector<f64>> {
    let mut scaled = matrix.clone();
    for (row, mut column) in scaled.column_iter_mut().enumerate() {
        column *= weight(row);
    }
    let mut normal = &scaled * matrix.transpose();
    for place in 1..normal.nrows() {
        normal[(place, place)] += ridge;
    }
    normal[(0, 0)] += 1e-9;
    Some(normal.cholesky()?.solve(right))
}

impl Fitted for Line {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        let design = Features::new(history, horizon).future();
        (0..horizon)
            .map(|row| self.row(&design, row).dot(&self.weights) * design.scales[row])
            .collect()
    }
}
