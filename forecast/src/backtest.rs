//! The choice of a method: every method forecasts the past from several origins, and their losses
//! decide.

use super::conformal::{Calibration, Unit};
use super::{Forecast, ForecastError, History, Method, Note, Request, Unfit, pool};
use crate::series::Series;

/// The most origins.
const MOST_FOLDS: usize = 8;

/// A single method is chosen over the combination only with less than this share of its loss. Few
/// folds make one method look good by chance; on recorded series the combination did better than
/// the apparent winner unless that was far ahead, as on patterns that repeat exactly.
pub const CLEARLY_BETTER: f64 = 0.5;

/// Forecasts are at most this many times the greatest value seen, as an exponential trend can run
/// away.
const CAP: f64 = 3.0;

/// How one method did.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its name.
    pub method: &'static str,
    /// Its result.
    pub outcome: Outcome,
}

/// The result of one method in the backtest.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It made the forecast: it had the least loss, or is the combination and none was clearly
    /// better.
    Chosen(Score),
    /// Another one was chosen.
    Beaten(Score),
    /// It could not be used.
    Unfit(Unfit),
}

/// The loss of one method over all folds, each with quantiles calibrated on the other folds.
#[derive(Debug, Clone, PartialEq)]
pub struct Score {
    /// The mean pinball loss over the levels and slots, in the unit of the series (Koenker and
    /// Bassett 1978).
    pub pinball: f64,
    /// The sum of the absolute errors of the median over the sum of the demand; without any demand
    /// 0 where there is no error and else 1.
    pub wape: f64,
    /// For every level the share of values at or below their quantile.
    pub coverage: Vec<f64>,
}

/// One origin: what was known is before it, what came then is `actual`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fold<'a> {
    pub(super) origin: usize,
    pub(super) actual: &'a [Option<f64>],
}

/// Point forecasts of one method: for every fold one, and the true one.
struct Run {
    method: &'static str,
    folds: Vec<Vec<f64>>,
    future: Vec<f64>,
}

/// A method's name with its run, or why there is none.
type Attempt = (&'static str, Result<Run, Unfit>);

/// What all candidates are tried on.
struct Backtest<'a> {
    series: &'a Series,
    request: &'a Request,
    folds: Vec<Fold<'a>>,
    unit: Unit,
    cap: f64,
}

/// The forecast by the best of `methods` or their combination. The request is valid and the series
/// has enough observations.
pub(super) fn select(
    series: &Series,
    request: &Request,
    methods: &[&dyn Method],
) -> Result<Forecast, ForecastError> {
    let slots = series.values();
    let count = series.observations() as f64;
    let mean = slots.iter().flatten().map(|value| value / count).sum();
    let backtest = Backtest {
        series,
        request,
        folds: folds(series, request.horizon),
        unit: Unit::of_mean(mean),
        cap: (CAP * series.maximum()).min(f64::MAX),
    };
    let mut runs = backtest.runs(methods);
    let pooled = backtest.pool(&runs);
    runs.push((pool::POOL, pooled));
    backtest.conclude(runs)
}

/// The folds: up to [`MOST_FOLDS`] origins, evenly spread over the later part of the series with a
/// stride coprime to the day, so that they fall on different times of the day.
///
/// The first lies after 40 % of the series, and after one week or day where that leaves room for
/// several. A quarter of a short series is tested at most.
fn folds(series: &Series, horizon: usize) -> Vec<Fold<'_>> {
    let slots = series.values();
    let tested = horizon.min((slots.len() / 4).max(1));
    let last = slots.len() - tested;
    let seasons = History::new(&[], series.step());
    let fits = |period: &usize| period + MOST_FOLDS <= last;
    let season = [seasons.week(), seasons.day()]
        .into_iter()
        .flatten()
        .find(fits)
        .unwrap_or(2);
    let first = season.max(slots.len() * 2 / 5).min(last);
    let stride = coprime(
        (last - first) / (MOST_FOLDS - 1),
        seasons.day().unwrap_or(1),
    );
    let back = (0..MOST_FOLDS)
        .map(|fold| fold * stride)
        .take_while(|back| first + back <= last);
    let mut folds: Vec<_> = back
        .map(|back| last - back)
        .map(|origin| Fold {
            origin,
            actual: &slots[origin..origin + tested],
        })
        .filter(|fold| fold.actual.iter().any(Option::is_some))
        .collect();
    folds.reverse();
    folds
}

/// The greatest number up to `stride`, at least 1, that shares no factor with `period`.
fn coprime(stride: usize, period: usize) -> usize {
    fn divisor(a: usize, b: usize) -> usize {
        if b == 0 { a } else { divisor(b, a % b) }
    }
    (1..=stride)
        .rev()
        .find(|stride| divisor(*stride, period) == 1)
        .unwrap_or(1)
}

impl Backtest<'_> {
    /// Every method on every fold, in the order given.
    fn runs(&self, methods: &[&dyn Method]) -> Vec<Attempt> {
        let slots = self.series.values();
        let past = |origin: usize| History::new(&slots[..origin], self.series.step());
        let histories: Vec<_> = self.folds.iter().map(|fold| past(fold.origin)).collect();
        let present = past(slots.len());
        let run = |method: &dyn Method| {
            let future = self.path(method, &present, self.request.horizon)?;
            let folds = self.folds.iter().zip(&histories);
            let folds = folds.map(|(fold, history)| self.path(method, history, fold.actual.len()));
            Ok(Run {
                method: method.name(),
                folds: folds.collect::<Result<_, _>>()?,
                future,
            })
        };
        methods
            .iter()
            .map(|method| (method.name(), run(*method)))
            .collect()
    }

    fn path(
        &self,
        method: &dyn Method,
        history: &History,
        steps: usize,
    ) -> Result<Vec<f64>, Unfit> {
        let point = method.fit(history)?.point(steps);
        if point.len() != steps || point.iter().any(|value| value.is_nan()) {
            return Err(Unfit::Failed {
                reason: "the fitted model does not predict".to_owned(),
            });
        }
        Ok(point
            .into_iter()
            .map(|value| value.clamp(0.0, self.cap))
            .collect())
    }

    /// The combination: in every fold with the weights that the other folds give.
    fn pool(&self, runs: &[Attempt]) -> Result<Run, Unfit> {
        let fitted = runs.iter().filter_map(|(_, run)| run.as_ref().ok());
        let members: Vec<_> = fitted
            .filter(|run| pool::MEMBERS.contains(&run.method))
            .collect();
        if members.len() < pool::FEWEST_MEMBERS {
            let reason = format!("only {} of its members fit", members.len());
            return Err(Unfit::Failed { reason });
        }
        let losses: Vec<Vec<f64>> = members
            .iter()
            .map(|run| self.absolute_errors(run))
            .collect();
        let weights = |without: Option<usize>| {
            let kept = |losses: &Vec<f64>| {
                let kept = losses
                    .iter()
                    .enumerate()
                    .filter(|(fold, _)| Some(*fold) != without);
                kept.map(|(_, loss)| loss).sum()
            };
            pool::weights(&losses.iter().map(kept).collect::<Vec<f64>>())
        };
        let fold = |fold: usize| {
            let paths: Vec<_> = members
                .iter()
                .map(|run| run.folds[fold].as_slice())
                .collect();
            pool::combine(&paths, &weights(Some(fold)))
        };
        let futures: Vec<_> = members.iter().map(|run| run.future.as_slice()).collect();
        Ok(Run {
            method: pool::POOL,
            folds: (0..self.folds.len()).map(fold).collect(),
            future: pool::combine(&futures, &weights(None)),
        })
    }

    /// The mean absolute error of a run in every fold.
    fn absolute_errors(&self, run: &Run) -> Vec<f64> {
        let error = |(fold, path): (&Fold<'_>, &Vec<f64>)| {
            let known = fold.actual.iter().zip(path);
            let errors =
                known.filter_map(|(actual, point)| actual.map(|actual| (actual - point).abs()));
            let (count, sum) =
                errors.fold((0.0, 0.0), |(count, sum), error| (count + 1.0, sum + error));
            sum / f64::max(count, 1.0)
        };
        self.folds.iter().zip(&run.folds).map(error).collect()
    }

    /// The errors of a run, except those of one fold where there is another.
    fn calibration(&self, run: &Run, without: Option<usize>) -> Calibration {
        let only = self.folds.len() == 1;
        let folds = self.folds.iter().zip(&run.folds).enumerate();
        let kept = folds.filter(move |(fold, _)| only || Some(*fold) != without);
        Calibration::new(
            kept.map(|(_, (fold, path))| (fold, path.as_slice())),
            self.unit,
        )
    }

    fn quantile(&self, calibration: &Calibration, level: f64, step: usize, point: f64) -> f64 {
        calibration
            .quantile(level, step, point)
            .clamp(0.0, self.cap)
    }

    fn score(&self, run: &Run) -> Score {
        let levels = &self.request.levels;
        let mut covered = vec![0.0; levels.len()];
        let (mut count, mut demand, mut error, mut pinball) = (0.0, 0.0, 0.0, 0.0);
        for (place, (fold, path)) in self.folds.iter().zip(&run.folds).enumerate() {
            let calibration = self.calibration(run, Some(place));
            for (step, (actual, point)) in fold.actual.iter().zip(path).enumerate() {
                let Some(actual) = *actual else { continue };
                count += 1.0;
                demand += actual;
                error += (actual - self.quantile(&calibration, 0.5, step, *point)).abs();
                for (level, covered) in levels.iter().zip(&mut covered) {
                    let quantile = self.quantile(&calibration, *level, step, *point);
                    *covered += f64::from(u8::from(actual <= quantile));
                    pinball += f64::max(
                        level * (actual - quantile),
                        (level - 1.0) * (actual - quantile),
                    );
                }
            }
        }
        let wape = match (demand > 0.0, error > 0.0) {
            (true, _) => error / demand,
            (false, true) => 1.0,
            (false, false) => 0.0,
        };
        covered.iter_mut().for_each(|covered| *covered /= count);
        Score {
            pinball: pinball / (count * levels.len() as f64),
            wape,
            coverage: covered,
        }
    }

    /// The forecast by the run of the least loss, and how all did.
    fn conclude(&self, runs: Vec<Attempt>) -> Result<Forecast, ForecastError> {
        let scored: Vec<_> = runs
            .into_iter()
            .map(|(method, run)| (method, run.map(|run| (self.score(&run), run))))
            .collect();
        let mut best: Option<(f64, &Score, &Run)> = None;
        for (score, run) in scored.iter().filter_map(|(_, run)| run.as_ref().ok()) {
            let handicap = if run.method == pool::POOL {
                CLEARLY_BETTER
            } else {
                1.0
            };
            let loss = score.pinball * handicap;
            if best.is_none_or(|(least, _, _)| loss < least) {
                best = Some((loss, score, run));
            }
        }
        let (_, score, run) = best.ok_or(ForecastError::NoMethod)?;
        let outcome = |method, attempt: &Result<(Score, Run), Unfit>| match attempt {
            Err(unfit) => Outcome::Unfit(unfit.clone()),
            Ok((score, _)) if method == run.method => Outcome::Chosen(score.clone()),
            Ok((score, _)) => Outcome::Beaten(score.clone()),
        };
        let candidates = scored
            .iter()
            .map(|(method, attempt)| Candidate {
                method,
                outcome: outcome(*method, attempt),
            })
            .collect();
        let calibration = self.calibration(run, None);
        Ok(Forecast {
            start: self.series.end(),
            step: self.series.step(),
            levels: self.request.levels.clone(),
            quantiles: self.quantiles(run, &calibration),
            method: run.method,
            wape: score.wape,
            coverage: score.coverage.clone(),
            folds: self.folds.len(),
            candidates,
            series_digest: self.series.digest(),
            observations: self.series.observations(),
            gaps: self.series.gaps(),
            notes: self.notes(&calibration),
        })
    }

    fn quantiles(&self, run: &Run, calibration: &Calibration) -> Vec<Vec<f64>> {
        let row = |level: &f64| {
            let points = run.future.iter().enumerate();
            points
                .map(|(step, point)| self.quantile(calibration, *level, step, *point))
                .collect()
        };
        self.request.levels.iter().map(row).collect()
    }

    fn notes(&self, calibration: &Calibration) -> Vec<Note> {
        let mut notes = Vec::new();
        let tried = self
            .folds
            .iter()
            .map(|fold| fold.actual.len())
            .max()
            .unwrap_or(0);
        let horizon = self.request.horizon;
        if tried < horizon {
            notes.push(Note::HorizonBeyondBacktest { tried, horizon });
        }
        if self.folds.len() == 1 {
            notes.push(Note::OneFold);
        }
        let errors = calibration.errors();
        let scarce = |level: &&f64| **level > errors as f64 / (errors + 1) as f64;
        if let Some(level) = self.request.levels.iter().find(scarce) {
            notes.push(Note::FewErrors {
                level: *level,
                errors,
            });
        }
        if self.series.duplicates() > 0 {
            notes.push(Note::Duplicates {
                readings: self.series.duplicates(),
            });
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;

    use super::*;

    fn hourly(slots: usize) -> Series {
        let values = vec![Some(1.0); slots];
        Series::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), values).unwrap()
    }

    fn origins(slots: usize, horizon: usize) -> Vec<usize> {
        folds(&hourly(slots), horizon)
            .iter()
            .map(|fold| fold.origin)
            .collect()
    }

    #[test]
    fn origins_fall_on_different_hours_and_leave_a_week_to_learn_from() {
        let origins = origins(336, 24);
        assert_eq!(origins.len(), MOST_FOLDS);
        assert_eq!(origins.last(), Some(&312));
        assert!(origins[0] >= 168);
        let hours: std::collections::BTreeSet<_> = origins.iter().map(|at| at % 24).collect();
        assert_eq!(hours.len(), MOST_FOLDS);
    }

    #[test]
    fn short_series_are_tested_on_a_quarter() {
        assert_eq!(origins(4, 24), [2, 3]);
        assert_eq!(origins(40, 24).last(), Some(&30));
        let series = hourly(40);
        assert!(
            folds(&series, 24)
                .iter()
                .all(|fold| fold.actual.len() == 10)
        );
    }

    #[test]
    fn strides_share_no_factor_with_the_day() {
        assert_eq!(coprime(24, 24), 23);
        assert_eq!(coprime(10, 24), 7);
        assert_eq!(coprime(0, 24), 1);
        assert_eq!(coprime(12, 1), 12);
    }

    #[test]
    fn folds_without_any_value_are_left_out() {
        let mut values = vec![Some(1.0); 100];
        values[60..99].fill(None);
        let step = Duration::from_secs(3600);
        let series = Series::new(Timestamp::UNIX_EPOCH, step, values).unwrap();
        let folds = folds(&series, 2);
        assert!(
            folds
                .iter()
                .all(|fold| fold.actual.iter().any(Option::is_some))
        );
        assert_eq!(folds.last().map(|fold| fold.origin), Some(98));
    }
}
