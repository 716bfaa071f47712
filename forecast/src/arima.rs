//! Autoregression and moving averages of differences, with a season.

use nalgebra::{DMatrix, DVector};

use super::{Fitted, History, Method, Unfit};

/// A seasonal ARIMA model (Box and Jenkins 1970) whose orders are chosen by the corrected Akaike
/// criterion, stepwise from small ones (Hyndman and Khandakar 2008). Coefficients come from the two
/// regressions of Hannan and Rissanen (1982): a long autoregression gives the shocks, and the values
/// are regressed on past values and past shocks.
pub(super) struct Arima;

/// The most values that it learns from.
const MEMORY: usize = 1_344;
/// The longest season that is modelled by lags; longer ones are left to the differences.
const LONGEST_SEASON: usize = 200;

impl Method for Arima {
    fn name(&self) -> &'static str {
        "arima"
    }

    fn fit(&self, history: &History, _: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let values = history.recent();
        let values = &values[values.len().saturating_sub(MEMORY)..];
        let season = history
            .season()
            .filter(|season| *season <= LONGEST_SEASON && values.len() >= 4 * season);
        let needed = 40;
        if values.len() < needed {
            return Err(Unfit::TooShort {
                needed,
                present: values.len(),
            });
        }
        let model = Model::choose(values, season).ok_or_else(|| Unfit::Failed {
            reason: "the values do not vary".to_owned(),
        })?;
        Ok(Box::new(model))
    }
}

/// Which lags there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) p: usize,
    pub(super) q: usize,
    pub(super) seasonal_p: usize,
    pub(super) seasonal_q: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Model {
    /// Lag and coefficient.
    ar: Vec<(usize, f64)>,
    ma: Vec<(usize, f64)>,
    constant: f64,
    /// The differences that were taken, in order, each by a lag.
    differences: Vec<usize>,
    /// The values before and after each difference.
    levels: Vec<Vec<f64>>,
    shocks: Vec<f64>,
    criterion: f64,
}

impl Model {
    pub(super) fn choose(values: &[f64], season: Option<usize>) -> Option<Self> {
        let mut levels = vec![values.to_vec()];
        let mut differences = Vec::new();
        if let Some(season) = season
            && seasonal_strength(values, season) > 0.64
        {
            levels.push(difference(values, season));
            differences.push(season);
        }
        let last = levels.last().map_or(values, |last| last);
        if wanders(last) {
            let again = difference(last, 1);
            levels.push(again);
            differences.push(1);
        }
        let work = levels.last()?.clone();
        let spread = work.iter().map(|v| v * v).sum::<f64>();
        if spread <= 1e-12 {
            return None;
        }
        let long = shocks_of_long_autoregression(&work, season)?;
        let seasonal = usize::from(season.is_some());
        let fit = |order: Order| Self::fit(&work, &long, order, season, differences.is_empty());
        let mut best: Option<(Order, Self)> = None;
        let mut tried: Vec<Order> = Vec::new();
        let mut open: Vec<Order> = [(2, 2), (1, 0), (0, 1), (0, 0), (3, 0)]
            .iter()
            .map(|(p, q)| Order {
                p: *p,
                q: *q,
                seasonal_p: seasonal,
                seasonal_q: seasonal,
            })
            .collect();
        while !open.is_empty() {
            let mut better = false;
            for order in std::mem::take(&mut open) {
                if tried.contains(&order) {
                    continue;
                }
                tried.push(order);
                if let Some(model) = fit(order)
                    && best
                        .as_ref()
                        .is_none_or(|(_, best)| model.criterion < best.criterion)
                {
                    best = Some((order, model));
                    better = true;
                }
            }
            if let Some((order, _)) = best.as_ref().filter(|_| better) {
                open = neighbours(*order, seasonal);
            }
        }
        let (_, mut model) = best?;
        model.levels = levels;
        model.differences = differences;
        Some(model)
    }

    fn fit(
        work: &[f64],
        long: &[f64],
        order: Order,
        season: Option<usize>,
        with_constant: bool,
    ) -> Option<Self> {
        let ar = lags(order.p, order.seasonal_p, season);
        let ma = lags(order.q, order.seasonal_q, season);
        let reach = ar.iter().chain(&ma).copied().max().unwrap_or(0);
        let first = reach + long_order(work.len(), season).min(work.len() / 4);
        let rows = work.len().checked_sub(first).filter(|rows| *rows >= 20)?;
        let width = ar.len() + ma.len() + usize::from(with_constant);
        let mut model = Self {
            ar: Vec::new(),
            ma: Vec::new(),
            constant: 0.0,
            differences: Vec::new(),
            levels: Vec::new(),
            shocks: Vec::new(),
            criterion: f64::INFINITY,
        };
        if width > 0 {
            let mut matrix = DMatrix::zeros(width, rows);
            for (row, mut column) in matrix.column_iter_mut().enumerate() {
                let at = first + row;
                let past = ar.iter().map(|lag| work[at - lag]);
                let shocks = ma.iter().map(|lag| long[at - lag]);
                let one = with_constant.then_some(1.0);
                for (cell, value) in column.iter_mut().zip(past.chain(shocks).chain(one)) {
                    *cell = value;
                }
            }
            let target = DVector::from_column_slice(&work[first..]);
            let mut normal = &matrix * matrix.transpose();
            let ridge = 1e-8 * normal.trace() / width as f64;
            (0..width).for_each(|place| normal[(place, place)] += ridge + 1e-300);
            let solution = normal.cholesky()?.solve(&(&matrix * target));
            let (past, rest) = solution.as_slice().split_at(ar.len());
            model.ar = ar.iter().copied().zip(past.iter().copied()).collect();
            model.ma = ma.iter().copied().zip(rest.iter().copied()).collect();
            model.constant = if with_constant {
                solution[width - 1]
            } else {
                0.0
            };
        }
        model.shocks = model.shocks_of(work);
        let sum: f64 = model.shocks[first..]
            .iter()
            .map(|shock| shock * shock)
            .sum();
        let count = rows as f64;
        let free = width as f64 + 1.0;
        if !sum.is_finite() || count <= free + 2.0 {
            return None;
        }
        // The corrected Akaike criterion of normal shocks.
        model.criterion = count * (sum / count).max(1e-300).ln()
            + 2.0 * free
            + 2.0 * free * (free + 1.0) / (count - free - 1.0);
        model.criterion.is_finite().then_some(model)
    }

    fn shocks_of(&self, work: &[f64]) -> Vec<f64> {
        let mut shocks = Vec::with_capacity(work.len());
        for at in 0..work.len() {
            let expected = self.expect(at, work, &shocks);
            shocks.push(work[at] - expected);
        }
        shocks
    }

    fn expect(&self, at: usize, work: &[f64], shocks: &[f64]) -> f64 {
        let past = |values: &[f64], lag: usize| {
            at.checked_sub(lag)
                .and_then(|at| values.get(at))
                .copied()
                .unwrap_or(0.0)
        };
        let ar: f64 = self.ar.iter().map(|(lag, c)| c * past(work, *lag)).sum();
        let ma: f64 = self.ma.iter().map(|(lag, c)| c * past(shocks, *lag)).sum();
        self.constant + ar + ma
    }

    pub(super) fn predict(&self, horizon: usize) -> Vec<f64> {
        let mut work = self.levels.last().cloned().unwrap_or_default();
        let known = work.len();
        for at in known..known + horizon {
            let next = self.expect(at, &work, &self.shocks);
            work.push(next);
        }
        let mut path = work.split_off(known);
        for (lag, before) in self.differences.iter().zip(&self.levels).rev() {
            for step in 0..horizon {
                path[step] += match step.checked_sub(*lag) {
                    Some(earlier) => path[earlier],
                    None => before[before.len() + step - lag],
                };
            }
        }
        path
    }
}

fn neighbours(order: Order, seasonal: usize) -> Vec<Order> {
    let mut found = Vec::new();
    for (p, q, seasonal_p, seasonal_q) in [
        (1, 0, 0, 0),
        (-1, 0, 0, 0),
        (0, 1, 0, 0),
        (0, -1, 0, 0),
        (1, 1, 0, 0),
        (-1, -1, 0, 0),
        (0, 0, 1, 0),
        (0, 0, -1, 0),
        (0, 0, 0, 1),
        (0, 0, 0, -1),
    ] {
        let step = |value: usize, by: isize, most: usize| {
            value.checked_add_signed(by).filter(|value| *value <= most)
        };
        if let (Some(p), Some(q), Some(seasonal_p), Some(seasonal_q)) = (
            step(order.p, p, 4),
            step(order.q, q, 4),
            step(order.seasonal_p, seasonal_p, 2 * seasonal),
            step(order.seasonal_q, seasonal_q, seasonal),
        ) {
            found.push(Order {
                p,
                q,
                seasonal_p,
                seasonal_q,
            });
        }
    }
    found
}

fn lags(short: usize, seasonal: usize, season: Option<usize>) -> Vec<usize> {
    let season = season.unwrap_or(0);
    (1..=short)
        .chain((1..=seasonal).map(|times| times * season))
        .collect()
}

fn difference(values: &[f64], lag: usize) -> Vec<f64> {
    values
        .iter()
        .skip(lag)
        .zip(values)
        .map(|(now, then)| now - then)
        .collect()
}

/// How much of the variation a typical season explains: 1 − Var(rest) / Var(values − trend)
/// (Wang, Smith and Hyndman 2006), with the mean of a season as the trend.
fn seasonal_strength(values: &[f64], season: usize) -> f64 {
    let seasons = values.len() / season;
    let recent = &values[values.len() - seasons * season..];
    let mut plain = Vec::with_capacity(recent.len());
    for chunk in recent.chunks_exact(season) {
        let mean = chunk.iter().sum::<f64>() / season as f64;
        plain.extend(chunk.iter().map(|value| value - mean));
    }
    let profile = super::seasonal_mean::profile(&plain, season, seasons);
    let whole: f64 = plain.iter().map(|value| value * value).sum();
    let rest: f64 = plain
        .iter()
        .zip(profile.iter().cycle())
        .map(|(value, typical)| (value - typical).powi(2))
        .sum();
    if whole > 0.0 { 1.0 - rest / whole } else { 0.0 }
}

/// Whether the values have no level that they come back to: the test of Kwiatkowski, Phillips,
/// Schmidt and Shin (1992) at 5 %.
fn wanders(values: &[f64]) -> bool {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let errors: Vec<f64> = values.iter().map(|value| value - mean).collect();
    let mut sum = 0.0;
    let squares: f64 = errors
        .iter()
        .map(|error| {
            sum += error;
            sum * sum
        })
        .sum();
    let window = (3.0 * count.sqrt() / 13.0) as usize;
    let autocovariance = |lag: usize| -> f64 {
        let pairs = errors.iter().zip(&errors[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / count
    };
    let long: f64 = (1..=window)
        .map(|lag| 2.0 * (1.0 - lag as f64 / (window as f64 + 1.0)) * autocovariance(lag))
        .sum();
    let variance = autocovariance(0) + long;
    variance > 0.0 && squares / (count * count * variance) > 0.463
}

fn long_order(count: usize, season: Option<usize>) -> usize {
    let short = (10.0 * (count as f64).log10()) as usize;
    season
        .map_or(short, |season| (season + 4).max(short))
        .min(count / 4)
}

/// What a long autoregression does not explain.
fn shocks_of_long_autoregression(work: &[f64], season: Option<usize>) -> Option<Vec<f64>> {
    let order = long_order(work.len(), season);
    // Short lags and those around the season: the ones between say little and cost much.
    let near = |lag: &usize| *lag <= 12 || season.is_some_and(|season| lag.abs_diff(season) <= 2);
    let lags: Vec<usize> = (1..=order).filter(near).collect();
    let rows = work.len().checked_sub(order)?;
    let matrix = DMatrix::from_fn(lags.len(), rows, |lag, row| work[order + row - lags[lag]]);
    let target = DVector::from_column_slice(&work[order..]);
    let mut normal = &matrix * matrix.transpose();
    let ridge = 1e-6 * normal.trace() / lags.len() as f64 + 1e-300;
    (0..lags.len()).for_each(|place| normal[(place, place)] += ridge);
    let solution = normal.cholesky()?.solve(&(&matrix * &target));
    let rest = target - matrix.tr_mul(&solution);
    let mut shocks = vec![0.0; order];
    shocks.extend(rest.iter());
    Some(shocks)
}

impl Fitted for Model {
    fn point(&self, _: &History, horizon: usize) -> Vec<f64> {
        self.predict(horizon)
    }
}
