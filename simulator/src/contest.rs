//! Policies over many seeds, side by side, with how sure the difference is.

use isobar_capacity::CapacityError;

use super::engine::{Engine, run};
use super::policies::{Kind, Setting, swept_hpa};
use super::scenario::Scenario;
use super::stream::{Purpose, Stream};
use super::tally::{Day, Totals};
use super::trace::Trace;

/// The targets of utilisation that autoscalers are swept over.
pub const SWEEP: [f64; 10] = [0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8];

/// Samples of a bootstrap.
const SAMPLES: usize = 1_000;

/// Who takes part.
#[derive(Clone, Copy)]
pub enum Entrant {
    /// A policy of the table.
    Policy(&'static Kind),
    /// An autoscaler with this target.
    Hpa(f64),
}

impl Entrant {
    /// Its name in reports.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Policy(kind) => kind.name.to_owned(),
            Self::Hpa(target) => format!("hpa {target:.2}"),
        }
    }

    /// What comes of it.
    ///
    /// # Errors
    ///
    /// When there can be no such policy.
    pub fn run(&self, setting: &Setting<'_>, engine: Engine) -> Result<Totals, CapacityError> {
        let mut policy = match self {
            Self::Policy(kind) => (kind.build)(setting)?,
            Self::Hpa(target) => swept_hpa(*target),
        };
        Ok(run(setting, engine, policy.as_mut()))
    }
}

/// What is to be run: a scenario whose seed is set, and the demand before noise.
#[derive(Clone)]
pub struct Contest {
    /// The scenario; each run sets its seed.
    pub scenario: Scenario,
    /// The demand without noise.
    pub trace: Trace,
    /// The deviation of the noise.
    pub noise: f64,
    /// Who takes part.
    pub entrants: Vec<Entrant>,
    /// How requests are served.
    pub engine: Engine,
}

impl Contest {
    /// What all seeds share.
    ///
    /// # Errors
    ///
    /// As [`Setting::new`].
    pub fn setting(&self) -> Result<Setting<'_>, CapacityError> {
        Setting::new(&self.scenario, &self.trace)
    }

    /// All entrants with one seed, in their order.
    ///
    /// # Errors
    ///
    /// When one of the policies cannot be made.
    pub fn with_seed(&self, shared: &Setting<'_>, seed: u64) -> Result<Vec<Totals>, CapacityError> {
        let scenario = Scenario {
            seed,
            ..self.scenario.clone()
        };
        let trace = self.trace.clone().noisy(self.noise, seed);
        let setting = shared.with(&scenario, &trace);
        let entrants = self.entrants.iter();
        entrants
            .map(|entrant| entrant.run(&setting, self.engine))
            .collect()
    }
}

/// A mean over seeds of a measure.
#[must_use]
pub fn mean(runs: &[Totals], of: impl Fn(&Totals) -> f64) -> f64 {
    runs.iter().map(of).sum::<f64>() / runs.len().max(1) as f64
}

/// The share of requests of all runs that were late.
#[must_use]
pub fn violations(runs: &[Totals]) -> f64 {
    let arrived = mean(runs, |run| run.arrived);
    if arrived > 0.0 {
        mean(runs, |run| run.late) / arrived
    } else {
        0.0
    }
}

/// A ratio, and the bounds that 95 % of samples of days lie within.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// The ratio.
    pub ratio: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

/// Which sum of a day is compared.
pub type Sum = fn(&Day) -> f64;

/// The ratio of a sum of one policy to that of another, over all runs; its bounds by drawing days
/// with replacement, the same for both and for all seeds. None where the other has nothing.
#[must_use]
pub fn ratio(one: &[Totals], other: &[Totals], of: Sum) -> Option<Ratio> {
    let days = |runs: &[Totals]| -> Vec<f64> {
        let most = runs.iter().map(|run| run.days.len()).max().unwrap_or(0);
        let day = |day: usize| {
            runs.iter()
                .filter_map(|run| run.days.get(day))
                .map(of)
                .sum()
        };
        (0..most).map(day).collect()
    };
    let (one, other) = (days(one), days(other));
    let total: f64 = other.iter().sum();
    if total <= 0.0 || one.len() != other.len() {
        return None;
    }
    let mut stream = Stream::new(0, Purpose::Bootstrap, 0);
    let mut sample = || {
        let (mut above, mut below) = (0.0, 0.0);
        for _ in 0..one.len() {
            let day = stream.below(one.len());
            above += one[day];
            below += other[day];
        }
        if below > 0.0 {
            above / below
        } else {
            f64::INFINITY
        }
    };
    let mut samples: Vec<f64> = (0..SAMPLES).map(|_| sample()).collect();
    samples.sort_by(f64::total_cmp);
    Some(Ratio {
        ratio: one.iter().sum::<f64>() / total,
        low: samples[SAMPLES / 40],
        high: samples[SAMPLES - 1 - SAMPLES / 40],
    })
}

/// What the swept autoscalers cost where they have the same violations, on the line between the two
/// nearest ones by the logarithm of violations. Fewer violations than any of them has cost at least
/// what the most careful one costs; more cost what the least careful one does. `sweep` is violations
/// and cost, the most careful first.
#[must_use]
pub fn matched(violations: f64, sweep: &[(f64, f64)]) -> Option<f64> {
    const NONE: f64 = 1e-7;
    let first = sweep.first()?;
    let mut before = *first;
    if violations <= before.0 {
        return Some(before.1);
    }
    for next in sweep {
        if violations <= next.0 && next.0 > before.0 {
            let [at, low, high] = [violations, before.0, next.0].map(|share| share.max(NONE).ln());
            let share = if high > low {
                (at - low) / (high - low)
            } else {
                1.0
            };
            return Some(before.1 + share.clamp(0.0, 1.0) * (next.1 - before.1));
        }
        before = *next;
    }
    Some(before.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_matched_between_the_nearest_violations() {
        let sweep = [(0.0001, 60.0), (0.001, 50.0), (0.1, 30.0)];
        assert_eq!(matched(0.00001, &sweep), Some(60.0));
        assert_eq!(matched(0.001, &sweep), Some(50.0));
        let between = matched(0.01, &sweep).unwrap();
        assert!((between - 40.0).abs() < 1e-9, "{between}");
        assert_eq!(matched(0.5, &sweep), Some(30.0));
        assert_eq!(matched(0.5, &[]), None);
    }

    #[test]
    fn a_ratio_lies_within_its_bounds() {
        let run = |costs: &[f64]| Totals {
            days: costs
                .iter()
                .map(|cost| Day {
                    cost: *cost,
                    ..Day::default()
                })
                .collect(),
            ..Totals::default()
        };
        let cost: Sum = |day| day.cost;
        let (one, other) = (run(&[1.0, 3.0, 2.0]), run(&[4.0, 4.0, 4.0]));
        let found = ratio(
            std::slice::from_ref(&one),
            std::slice::from_ref(&other),
            cost,
        )
        .unwrap();
        assert_eq!((found.ratio, found.low, found.high), (0.5, 0.25, 0.75));
        assert_eq!(ratio(&[one], &[run(&[0.0, 0.0, 0.0])], cost), None);
    }
}
