//! Every method on the past: what each forecast from the origins of the folds, and how far off.

use super::anomaly::Anomalies;
use super::folds::{Fold, folds};
use super::history::History;
use super::pool;
use super::season;
use super::series::Series;
use super::{Effort, Fitted, Method, Request, Unfit};

/// Forecasts are at most this many times the greatest value seen, as an exponential trend can run
/// away.
const CAP: f64 = 3.0;

/// A heavy method learns anew at every so-manieth origin.
const RARELY: usize = 4;

/// A heavy method is given up where its errors on the first folds are so many times those of the
/// best light one: weights that small change nothing.
const OUTPACED: f64 = 5.0;

/// What one method, or the combination, forecast: for every fold a path, and the true one.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) method: &'static str,
    pub(super) folds: Vec<Vec<f64>>,
    pub(super) future: Vec<f64>,
}

/// A method's name with its run, or why there is none.
pub(super) type Attempt = (&'static str, Result<Run, Unfit>);

/// What all candidates are tried on.
pub(super) struct Backtest<'a> {
    pub(super) series: &'a Series,
    pub(super) request: &'a Request,
    pub(super) folds: Vec<Fold>,
    pub(super) anomalies: Anomalies,
    /// The season of the values that no calendar knows.
    pub(super) season: Option<usize>,
    histories: Vec<History>,
    present: History,
    cap: f64,
}

impl<'a> Backtest<'a> {
    pub(super) fn new(series: &'a Series, request: &'a Request) -> Self {
        let slots = series.values();
        let (start, step) = (series.start(), series.step());
        let plain = History::new(slots, start, step);
        let anomalies = Anomalies::find(slots, plain.season());
        let cleaned = anomalies.without(slots, plain.season());
        let known: Vec<usize> = [plain.day(), plain.week()].into_iter().flatten().collect();
        let season = season::detect(plain.values(), &known);
        let past = |origin: usize| {
            History::new(&cleaned[..origin], start, step).with(request.calendar.clone(), season)
        };
        let folds = folds(series, request.horizon, &anomalies);
        Self {
            series,
            request,
            histories: folds.iter().map(|fold| past(fold.origin)).collect(),
            present: past(slots.len()),
            folds,
            anomalies,
            season,
            cap: (CAP * series.maximum()).min(f64::MAX),
        }
    }

    /// Every method on every fold, in the order given, and the combination last.
    pub(super) fn attempts(&self, methods: &[&dyn Method]) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = Vec::with_capacity(methods.len() + 1);
        let mut best: Option<Vec<f64>> = None;
        for method in methods {
            let run = self.run(*method, best.as_deref());
            if let Ok(run) = &run
                && method.effort() == Effort::Light
            {
                let errors = self.errors(run);
                let total = |errors: &[f64]| errors.iter().sum::<f64>();
                if best
                    .as_ref()
                    .is_none_or(|best| total(&errors) < total(best))
                {
                    best = Some(errors);
                }
            }
            attempts.push((method.name(), run));
        }
        let pooled = self.combination(&attempts);
        attempts.push((pool::POOL, pooled));
        attempts
    }

    /// One method from the origins of all folds and from now; a heavy one ends early where it
    /// cannot win against errors as `best`, by fold.
    fn run(&self, method: &dyn Method, best: Option<&[f64]>) -> Result<Run, Unfit> {
        let heavy = method.effort() != Effort::Light;
        let best = best.filter(|_| heavy);
        if best.is_some_and(|best| best.iter().all(|error| *error <= 0.0)) {
            return Err(Unfit::NothingToGain);
        }
        let horizon = self.request.horizon;
        let mut learned: Option<Box<dyn Fitted>> = None;
        let mut run = Run {
            method: method.name(),
            folds: Vec::with_capacity(self.folds.len()),
            future: Vec::new(),
        };
        for (place, (fold, history)) in self.folds.iter().zip(&self.histories).enumerate() {
            let steps = fold.actual.len();
            let fitted = match learned.take() {
                Some(fitted) if heavy && place % RARELY != 0 => fitted,
                _ => method.fit(history, steps)?,
            };
            run.folds.push(self.path(&*fitted, history, steps)?);
            learned = Some(fitted);
            if place + 1 == RARELY
                && let Some(best) = best
            {
                outpaced(&self.errors(&run), &best[..=place])?;
            }
        }
        let fitted = method.fit(&self.present, horizon)?;
        run.future = self.path(&*fitted, &self.present, horizon)?;
        Ok(run)
    }

    fn path(
        &self,
        fitted: &dyn Fitted,
        history: &History,
        steps: usize,
    ) -> Result<Vec<f64>, Unfit> {
        let point = fitted.point(history, steps);
        if point.len() != steps || point.iter().any(|value| value.is_nan()) {
            return Err(Unfit::Failed {
                reason: "the fitted model does not predict".to_owned(),
            });
        }
        Ok(point.into_iter().map(|value| self.bounded(value)).collect())
    }

    /// A forecast within what demand can be.
    pub(super) fn bounded(&self, value: f64) -> f64 {
        value.clamp(0.0, self.cap)
    }

    /// The mean absolute error of a run in every fold that it has.
    fn errors(&self, run: &Run) -> Vec<f64> {
        let error = |(fold, path): (&Fold, &Vec<f64>)| {
            let errors = fold
                .known()
                .map(|(step, actual)| (actual - path[step]).abs());
            let (count, sum) = errors.fold((0.0, 0.0), |(n, sum), error| (n + 1.0, sum + error));
            sum / f64::max(count, 1.0)
        };
        self.folds.iter().zip(&run.folds).map(error).collect()
    }

    /// The runs that the combination is made of.
    pub(super) fn members<'b>(&self, attempts: &'b [Attempt]) -> Vec<&'b Run> {
        let runs = attempts.iter().filter_map(|(_, run)| run.as_ref().ok());
        runs.filter(|run| pool::MEMBERS.contains(&run.method))
            .collect()
    }

    /// The combination: in every fold with the weights that the other folds give.
    fn combination(&self, attempts: &[Attempt]) -> Result<Run, Unfit> {
        let members = self.members(attempts);
        if members.len() < pool::FEWEST_MEMBERS {
            let reason = format!("only {} of its members fit", members.len());
            return Err(Unfit::Failed { reason });
        }
        let errors: Vec<Vec<f64>> = members.iter().map(|run| self.errors(run)).collect();
        let weights = |without: Option<usize>| {
            let folds = self.folds.iter().enumerate();
            let only = self.folds.len() == 1;
            let folds = folds.map(|(place, fold)| {
                if without == Some(place) && !only {
                    0.0
                } else {
                    fold.weight
                }
            });
            pool::weights(&errors, &folds.collect::<Vec<f64>>())
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
}

/// Whether errors by fold are far behind the best ones.
fn outpaced(errors: &[f64], best: &[f64]) -> Result<(), Unfit> {
    let (sum, least): (f64, f64) = (errors.iter().sum(), best.iter().sum());
    if sum > OUTPACED * least {
        return Err(Unfit::Outpaced {
            folds: errors.len(),
            times: sum / least,
        });
    }
    Ok(())
}
