//! The choice of a method by its loss in the backtest, and the forecast that it makes.

use serde::{Deserialize, Serialize};

use super::backtest::{Attempt, Backtest, Run};
use super::conformal::{Calibration, Tried};
use super::quantiles::Mark;
use super::{Forecast, ForecastError, Method, Name, Note, Request, Unfit, named, pool};
use crate::series::Series;

/// A single method is chosen over the combination only with less than this share of its loss. Few
/// folds make one method look good by chance; on recorded series the combination did better than
/// the apparent winner unless that was far ahead, as on patterns that repeat exactly.
pub const CLEARLY_BETTER: f64 = 0.5;

/// How one method did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name.
    #[serde(deserialize_with = "named")]
    pub method: Name,
    /// Its result.
    pub outcome: Outcome,
}

/// The result of one method in the backtest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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

/// The forecast by the best of `methods` or their combination. The request is valid and the series
/// has enough observations.
pub(super) fn select(
    series: &Series,
    request: &Request,
    methods: &[&dyn Method],
) -> Result<Forecast, ForecastError> {
    let backtest = Backtest::new(series, request);
    let attempts = backtest.attempts(methods);
    Selection::new(&backtest, &attempts).conclude(attempts)
}

/// A backtest with how far its methods are apart.
struct Selection<'a> {
    backtest: &'a Backtest<'a>,
    /// By fold, and then of the future.
    spreads: Vec<Vec<f64>>,
    future: Vec<f64>,
}

impl<'a> Selection<'a> {
    fn new(backtest: &'a Backtest<'a>, attempts: &[Attempt]) -> Self {
        let members = backtest.members(attempts);
        let spread = |path: &dyn Fn(&Run) -> Vec<f64>, steps: usize| {
            let paths: Vec<Vec<f64>> = members.iter().map(|run| path(run)).collect();
            let paths: Vec<&[f64]> = paths.iter().map(Vec::as_slice).collect();
            let mut spread = pool::spread(&paths);
            spread.resize(steps, 0.0);
            spread
        };
        let folds = backtest.folds.iter().enumerate();
        Self {
            spreads: folds
                .map(|(place, fold)| spread(&|run| run.folds[place].clone(), fold.actual.len()))
                .collect(),
            future: spread(&|run| run.future.clone(), backtest.request.horizon),
            backtest,
        }
    }

    /// What a run was tried on, except one fold where there is another.
    fn calibration(&self, run: &Run, without: Option<usize>) -> Calibration {
        let folds = &self.backtest.folds;
        let only = folds.len() == 1;
        let kept = (0..folds.len()).filter(move |place| only || Some(*place) != without);
        Calibration::new(kept.map(|place| Tried {
            fold: &folds[place],
            path: &run.folds[place],
            spread: &self.spreads[place],
        }))
    }

    fn score(&self, run: &Run) -> Score {
        let levels = &self.backtest.request.levels;
        let mut covered = vec![0.0; levels.len()];
        let (mut count, mut demand, mut error, mut pinball) = (0.0, 0.0, 0.0, 0.0);
        for (place, fold) in self.backtest.folds.iter().enumerate() {
            let calibration = self.calibration(run, Some(place));
            let ranks: Vec<f64> = levels
                .iter()
                .map(|level| calibration.rank(*level))
                .collect();
            for (step, actual) in fold.known() {
                let (point, spread) = (run.folds[place][step], self.spreads[place][step]);
                count += 1.0;
                demand += actual;
                error += (actual - point).abs();
                for ((level, rank), covered) in levels.iter().zip(&ranks).zip(&mut covered) {
                    let quantile = calibration.quantile(*rank, point, spread);
                    let beyond = actual - self.backtest.bounded(quantile);
                    *covered += f64::from(u8::from(beyond <= 0.0));
                    pinball += f64::max(level * beyond, (level - 1.0) * beyond);
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
    fn conclude(&self, attempts: Vec<Attempt>) -> Result<Forecast, ForecastError> {
        let scored: Vec<_> = attempts
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
        let series = self.backtest.series;
        Ok(Forecast {
            start: series.end(),
            step: series.step(),
            levels: self.backtest.request.levels.clone(),
            quantiles: self.quantiles(run, &calibration),
            method: run.method,
            wape: Some(score.wape),
            coverage: score.coverage.clone(),
            folds: self.backtest.folds.len(),
            candidates,
            series_digest: series.digest(),
            observations: series.observations(),
            gaps: series.gaps(),
            notes: self.notes(&calibration),
        })
    }

    fn quantiles(&self, run: &Run, calibration: &Calibration) -> Vec<Vec<f64>> {
        let row = |level: &f64| {
            let rank = calibration.rank(*level);
            let points = run.future.iter().zip(&self.future);
            points
                .map(|(point, spread)| calibration.quantile(rank, *point, *spread))
                .map(|quantile| self.backtest.bounded(quantile))
                .collect()
        };
        self.backtest.request.levels.iter().map(row).collect()
    }

    fn notes(&self, calibration: &Calibration) -> Vec<Note> {
        let mut notes = Vec::new();
        let backtest = self.backtest;
        let folds = backtest.folds.iter();
        let tried = folds.map(|fold| fold.actual.len()).max().unwrap_or(0);
        let horizon = backtest.request.horizon;
        if tried < horizon {
            notes.push(Note::HorizonBeyondBacktest { tried, horizon });
        }
        if backtest.folds.len() == 1 {
            notes.push(Note::OneFold);
        }
        let errors = calibration.errors();
        let scarce = |level: &&f64| **level > errors as f64 / (errors + 1) as f64;
        if let Some(level) = backtest.request.levels.iter().find(scarce) {
            notes.push(Note::FewErrors {
                level: *level,
                errors,
            });
        }
        let series = backtest.series;
        if series.duplicates() > 0 {
            notes.push(Note::Duplicates {
                readings: series.duplicates(),
            });
        }
        let mark = |slots: &std::ops::Range<usize>| Mark {
            slots: slots.len(),
            at: crate::offset(series.start(), series.step(), slots.start).unwrap_or_default(),
        };
        let anomalies = &backtest.anomalies;
        let marks = |found: &[std::ops::Range<usize>]| found.iter().map(mark).collect::<Vec<_>>();
        if !anomalies.outages.is_empty() {
            notes.push(Note::Outages(marks(&anomalies.outages)));
        }
        if !anomalies.bursts.is_empty() {
            notes.push(Note::Bursts(marks(&anomalies.bursts)));
        }
        if let Some(shift) = anomalies.shift {
            notes.push(Note::Shift(mark(&(shift..shift + 1)).at));
        }
        if let Some(season) = backtest.season {
            notes.push(Note::Season { slots: season });
        }
        notes
    }
}
