//! Whether values are still distributed as they were: two measures of difference, each with a
//! threshold that knows the sample size and a floor that ignores trifles.

use statrs::distribution::{ChiSquared, ContinuousCDF};

use super::Series;

/// Bins of the stability index: deciles of the reference.
const BINS: usize = 10;
/// Shares of bins count as at least this much, so that an empty bin does not weigh infinitely.
const LEAST_SHARE: f64 = 1e-4;
/// A stability index up to this is no drift, however large the samples (Siddiqi 2006).
pub const LEAST_PSI: f64 = 0.1;
/// A greatest distance of the distributions below this is no drift, either.
pub const LEAST_DISTANCE: f64 = 0.1;
/// The quantile at 99 % of the Kolmogorov distribution (Smirnov 1948).
const KOLMOGOROV_99: f64 = 1.628;
/// The level of the threshold of the stability index.
const LEVEL: f64 = 0.99;
/// Of the features that are said to drift, at most this share does not, on average (Benjamini and
/// Hochberg 1995).
pub const FALSE_SHARE: f64 = 0.05;
/// Values of a window where there are enough.
pub const WINDOW: usize = 1000;
/// So many windows in a row must differ where there are enough values.
pub const WINDOWS: usize = 3;
/// Fewer values are not judged: five for each bin.
pub const FEWEST: usize = 5 * BINS;
/// Neither are values that resemble one another so much that they are worth fewer independent ones.
const LEAST_WORTH: f64 = 10.0;

/// A feature before and now, each in the order in which it was observed; finite numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// The name.
    pub name: String,
    /// What is normal.
    pub reference: Vec<f64>,
    /// What is judged.
    pub current: Vec<f64>,
}

/// How one window differs from the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The population stability index, Σ (q − p) ln(q/p) over the bins of the reference; at least
    /// 0.
    pub psi: f64,
    /// What it must exceed: the quantile at 99 % of its distribution for samples of one
    /// distribution, χ²(B − 1) · (1/n + 1/m) (Yurdakul 2018), or [`LEAST_PSI`].
    pub psi_threshold: f64,
    /// The greatest distance of the distribution functions, from 0 to 1.
    pub distance: f64,
    /// What it must exceed: 1.628 · √((n + m)/(n · m)), or [`LEAST_DISTANCE`].
    pub distance_threshold: f64,
    /// The greater of the chances that samples of one distribution have such an index and such a
    /// distance.
    pub chance: f64,
}

/// What the windows of a feature say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// There are too few values to say anything.
    Unknown,
    /// Distributed as before.
    Steady,
    /// One of the measures is beyond its threshold in every window: worth a look, no alarm.
    Watch,
    /// Both are, in every window, and it is no accident of looking at many features.
    Drift,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Steady => "steady",
            Self::Watch => "watch",
            Self::Drift => "drift",
        }
    }
}

/// What was found out about a feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The name of the feature.
    pub feature: String,
    /// The number of values of the reference.
    pub reference: usize,
    /// The number of current values.
    pub current: usize,
    /// Each window, oldest first; none where nothing can be said.
    pub windows: Vec<Comparison>,
    /// What it means.
    pub verdict: Verdict,
}

/// What findings on the features of one model ask for. Whoever decides on retraining weighs it
/// against the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// Nothing.
    Steady,
    /// A look at these features.
    Watch {
        /// Their names.
        features: Vec<String>,
    },
    /// To consider that the model no longer fits.
    Drift {
        /// The features that drift.
        features: Vec<String>,
        /// Whether all of them did so over [`WINDOWS`] windows of [`WINDOW`] values.
        confirmed: bool,
    },
}

impl Comparison {
    /// Compares two samples that are worth `sizes` independent values. Neither is empty.
    fn of(reference: &Sample, current: &Sample) -> Self {
        let scale = 1.0 / reference.worth + 1.0 / current.worth;
        let (psi, bins) = stability(&reference.sorted, &current.sorted);
        let distance = distance(&reference.sorted, &current.sorted);
        let chi = ChiSquared::new((bins - 1).max(1) as f64).ok();
        let quantile = chi.map_or(f64::INFINITY, |chi| chi.inverse_cdf(LEVEL));
        let index_chance = chi.map_or(1.0, |chi| chi.sf(psi / scale));
        Self {
            psi,
            psi_threshold: LEAST_PSI.max(quantile * scale),
            distance,
            distance_threshold: LEAST_DISTANCE.max(KOLMOGOROV_99 * scale.sqrt()),
            chance: index_chance.max(kolmogorov(distance / scale.sqrt())),
        }
    }

    /// Whether the stability index is beyond its threshold.
    #[must_use]
    pub fn index_moved(&self) -> bool {
        self.psi > self.psi_threshold
    }

    /// Whether the distance of the distributions is beyond its threshold.
    #[must_use]
    pub fn distance_moved(&self) -> bool {
        self.distance > self.distance_threshold
    }
}

/// Values in order of size, and how many independent ones they are worth.
struct Sample {
    sorted: Vec<f64>,
    worth: f64,
}

impl Sample {
    fn new(values: &[f64], worth: f64) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        Self { sorted, worth }
    }

    fn independent(values: &[f64]) -> Self {
        Self::new(values, values.len() as f64)
    }

    fn suffices(&self) -> bool {
        self.sorted.len() >= FEWEST && self.worth >= LEAST_WORTH
    }
}

/// A place between values: those from `value` on are behind it, or only greater ones.
struct Cut {
    value: f64,
    inclusive: bool,
}

impl Cut {
    /// How many of the sorted values lie before it.
    fn before(&self, sorted: &[f64]) -> usize {
        sorted.partition_point(|value| match self.inclusive {
            true => *value < self.value,
            false => *value <= self.value,
        })
    }
}

/// The deciles of a sorted reference. A value that fills a whole bin gets one of its own, so that
/// what moves to either side of it is seen.
fn cuts(reference: &[f64]) -> Vec<Cut> {
    let mut values: Vec<f64> = (1..BINS)
        .map(|decile| reference[(decile * reference.len() / BINS).min(reference.len() - 1)])
        .collect();
    values.dedup();
    let mut cuts = Vec::new();
    for value in values {
        let before = |inclusive| Cut { value, inclusive }.before(reference);
        let fills = (before(false) - before(true)) * BINS >= reference.len();
        if fills {
            cuts.push(Cut {
                value,
                inclusive: true,
            });
        }
        cuts.push(Cut {
            value,
            inclusive: false,
        });
    }
    cuts
}

/// The shares of the bins between the cuts.
fn shares(sorted: &[f64], cuts: &[Cut]) -> Vec<f64> {
    let ends = cuts.iter().map(|cut| cut.before(sorted));
    let ends: Vec<_> = ends.chain([sorted.len()]).collect();
    let starts = std::iter::once(0).chain(ends.iter().copied());
    let counts = starts.zip(&ends).map(|(start, end)| end - start);
    counts
        .map(|count| count as f64 / sorted.len() as f64)
        .collect()
}

/// The stability index and the number of bins.
fn stability(reference: &[f64], current: &[f64]) -> (f64, usize) {
    let cuts = cuts(reference);
    let pairs = shares(reference, &cuts)
        .into_iter()
        .zip(shares(current, &cuts));
    let terms = pairs.map(|(before, now)| {
        let (before, now) = (before.max(LEAST_SHARE), now.max(LEAST_SHARE));
        (now - before) * (now / before).ln()
    });
    (terms.sum(), cuts.len() + 1)
}

/// The greatest distance of two empirical distribution functions.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut left, mut right, mut greatest) = (0, 0, 0.0_f64);
    while left < a.len() && right < b.len() {
        let value = a[left].min(b[right]);
        while left < a.len() && a[left] <= value {
            left += 1;
        }
        while right < b.len() && b[right] <= value {
            right += 1;
        }
        let apart = left as f64 / a.len() as f64 - right as f64 / b.len() as f64;
        greatest = greatest.max(apart.abs());
    }
    greatest
}

/// The chance that a variable of the Kolmogorov distribution exceeds `value`: 2 Σ (−1)^(k−1)
/// exp(−2k²x²).
fn kolmogorov(value: f64) -> f64 {
    // The series does not converge near 0, where the chance is 1 to within 1e-9.
    if value < 0.2 {
        return 1.0;
    }
    let term = |k: i32| {
        let size = (-2.0 * f64::from(k * k) * value * value).exp();
        if k % 2 == 1 { size } else { -size }
    };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}

/// Judges the features of one model together.
///
/// The last [`WINDOWS`] windows of [`WINDOW`] or more current values must all differ; of fewer
/// values those windows that they fill, and fewer than [`WINDOW`] values are one window. Values
/// count as independent of one another.
#[must_use]
pub fn findings(features: &[Feature]) -> Vec<Finding> {
    let mut found: Vec<_> = features.iter().map(finding).collect();
    discover(&mut found);
    found
}

fn finding(feature: &Feature) -> Finding {
    let reference = Sample::independent(&feature.reference);
    let count = (feature.current.len() / WINDOW).clamp(1, WINDOWS);
    let size = feature.current.len().div_ceil(count).max(1);
    let samples = feature.current.rchunks(size).rev();
    let samples: Vec<_> = samples.map(Sample::independent).collect();
    judge(&feature.name, &reference, &samples)
}

/// A finding for one feature alone.
fn judge(name: &str, reference: &Sample, windows: &[Sample]) -> Finding {
    let sufficient = reference.suffices() && !windows.is_empty();
    let sufficient = sufficient && windows.iter().all(Sample::suffices);
    let compared: Vec<_> = match sufficient {
        true => windows
            .iter()
            .map(|window| Comparison::of(reference, window))
            .collect(),
        false => Vec::new(),
    };
    let index = compared.iter().all(Comparison::index_moved);
    let distance = compared.iter().all(Comparison::distance_moved);
    let verdict = match (sufficient, index, distance) {
        (false, ..) => Verdict::Unknown,
        (_, true, true) => Verdict::Drift,
        (_, false, false) => Verdict::Steady,
        _ => Verdict::Watch,
    };
    Finding {
        feature: name.to_owned(),
        reference: reference.sorted.len(),
        current: windows.iter().map(|window| window.sorted.len()).sum(),
        windows: compared,
        verdict,
    }
}

/// Takes back drift that may be an accident of looking at many features, by the procedure of
/// Benjamini and Hochberg over all that were judged.
fn discover(findings: &mut [Finding]) {
    let chance = |finding: &Finding| {
        let chances = finding.windows.iter().map(|window| window.chance);
        chances.fold(0.0, f64::max)
    };
    let judged = findings
        .iter()
        .filter(|one| one.verdict != Verdict::Unknown);
    let mut chances: Vec<_> = judged.map(chance).collect();
    chances.sort_by(f64::total_cmp);
    let allowed = |rank: usize| FALSE_SHARE * (rank + 1) as f64 / chances.len() as f64;
    let ranked = chances.iter().enumerate();
    let mut passing = ranked.filter(|(rank, chance)| **chance <= allowed(*rank));
    let limit = passing.next_back().map_or(-1.0, |(_, chance)| *chance);
    for finding in findings {
        if finding.verdict == Verdict::Drift && chance(finding) > limit {
            finding.verdict = Verdict::Watch;
        }
    }
}

impl Finding {
    /// Whether it rests on as many windows as an alarm should.
    #[must_use]
    pub fn confirmed(&self) -> bool {
        self.windows.len() >= WINDOWS
    }
}

impl Signal {
    /// What findings ask for.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let with = |verdict| findings.iter().filter(move |one| one.verdict == verdict);
        let names = |verdict| {
            with(verdict)
                .map(|one| one.feature.clone())
                .collect::<Vec<_>>()
        };
        let (drifting, watched) = (names(Verdict::Drift), names(Verdict::Watch));
        if !drifting.is_empty() {
            return Self::Drift {
                features: drifting,
                confirmed: with(Verdict::Drift).all(Finding::confirmed),
            };
        }
        match watched.is_empty() {
            true => Self::Steady,
            false => Self::Watch { features: watched },
        }
    }
}

/// Days that a recent window and its reference span, longest first.
const SPANS: [(usize, usize); 2] = [(7, 4), (1, 6)];
const DAY_NANOS: u128 = 24 * 60 * 60 * 1_000_000_000;

/// The recent part of a series against earlier times of the same season.
#[derive(Debug, Clone, PartialEq)]
pub struct Recent {
    /// How many days are judged.
    pub days: usize,
    /// How many such spans before them are the reference.
    pub spans: usize,
    /// What was found.
    pub finding: Finding,
}

/// Compares the last week of a series with up to four weeks before it, or else the last day with
/// up to six days; `None` where neither leaves two spans of reference or enough values.
///
/// Of the reference only the slots are taken that the recent part holds, each as often: what
/// recurs every week (or day) is no drift. Values of a series resemble those before them, so a
/// sample is worth less than its size: n · (1 − r)/(1 + r) for the correlation r of deviations from
/// the mean of the same slot with those before them (Bayley and Hammersley 1946).
#[must_use]
pub fn recent(series: &Series) -> Option<Recent> {
    let step = series.step().as_nanos();
    SPANS.into_iter().find_map(|(days, most)| {
        let span = days as u128 * DAY_NANOS;
        if !span.is_multiple_of(step) {
            return None;
        }
        let season = usize::try_from(span / step).ok()?;
        let spans = (series.values().len() / season).checked_sub(1)?.min(most);
        let finding = matched(series.values(), season, spans)?;
        (finding.verdict != Verdict::Unknown).then_some(Recent {
            days,
            spans,
            finding,
        })
    })
}

/// The last `season` slots against the `spans` seasons before them.
fn matched(values: &[Option<f64>], season: usize, spans: usize) -> Option<Finding> {
    let start = values.len().checked_sub(season)?;
    if spans < 2 {
        return None;
    }
    let present: Vec<usize> = (start..values.len())
        .filter(|slot| values[*slot].is_some())
        .collect();
    let past = |slot: usize| (1..=spans).filter_map(move |back| values[slot - back * season]);
    let usual = |slot: usize| {
        let (count, sum) = past(slot).fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
        (count > 0.0).then(|| sum / count)
    };
    let matched: Vec<usize> = present
        .into_iter()
        .filter(|slot| usual(*slot).is_some())
        .collect();
    let current: Vec<f64> = matched.iter().filter_map(|slot| values[*slot]).collect();
    let reference: Vec<f64> = matched.iter().flat_map(|slot| past(*slot)).collect();
    let deviations: Vec<f64> = (1..=spans)
        .rev()
        .flat_map(|back| matched.iter().map(move |slot| (back, *slot)))
        .filter_map(|(back, slot)| Some(values[slot - back * season]? - usual(slot)?))
        .collect();
    let share = independent_share(&deviations);
    let worth = |values: &[f64]| values.len() as f64 * share;
    let window = Sample::new(&current, worth(&current));
    let reference = Sample::new(&reference, worth(&reference));
    Some(judge("demand", &reference, &[window]))
}

/// How many independent values each one is worth.
fn independent_share(deviations: &[f64]) -> f64 {
    let square: f64 = deviations.iter().map(|one| one * one).sum();
    let product: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
    if square <= 0.0 {
        return 1.0;
    }
    let correlation = (product / square).clamp(0.0, 0.99);
    (1.0 - correlation) / (1.0 + correlation)
}

#[cfg(test)]
mod tests;
