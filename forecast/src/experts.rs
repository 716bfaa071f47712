//! A mix of simple forecasters in logarithms, kept up to date with every observation.

mod residuals;

use std::time::Duration;

use self::residuals::Residuals;
use super::{Effort, Fitted, History, Method, Unfit};

/// How fast a deviation from the season fades, per minute; 0 keeps to the season.
const FADES: [f64; 4] = [0.999, 0.98, 0.9, 0.0];

/// Days, and weeks, that a seasonal mean is taken over.
const SEASONS: [usize; 2] = [7, 4];

/// The expectations.
const BASES: usize = 2 * FADES.len() + 4;

/// How the errors of an expectation are told: as they are, in proportion to what chance does to
/// counts, and in proportion to the last ones.
const SCALES: usize = 3;

/// One expert for each expectation and scale.
const ALL: usize = BASES * SCALES;

/// The share of the newest error in the mean of the last ones, per minute.
const NEWEST: f64 = 1.0 / 60.0;

/// Errors are told in tenths of the mean of the last ones, so that they are about as large as
/// logarithms are.
const TENTHS: f64 = 10.0;

/// How much a loss counts one minute later.
const LOSS_FADES: f64 = 0.9995;

/// How sharply worse experts lose weight: exp(-SHARPNESS (loss / least loss - 1)).
const SHARPNESS: f64 = 20.0;

/// The step of the adaptive level, and its bounds (Gibbs and Candès, NeurIPS 2021).
const ADAPTS: f64 = 0.005;
const MISS_RANGE: (f64, f64) = (0.0003, 0.5);

/// The slots that are forecast together: `length` of them, the first `lead` slots after the last
/// observation (1 is the next one). What is forecast is their greatest value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ahead {
    /// From the last observation to the first slot.
    pub lead: usize,
    /// How many slots.
    pub length: usize,
}

/// The mix, which learns with every observation.
///
/// Each expert expects the logarithm of the greatest value of the slots ahead; its quantile is
/// that expectation plus the quantile of its last errors (three days in minutes), which are told in
/// one of three scales. Experts are weighted by their pinball loss so far, which fades; the level
/// that is asked of them follows how often the mix was exceeded (adaptive conformal inference).
/// Expectations: the mean of the same slots of the last days, and of the last weeks, plus the
/// present deviation from it, which fades at one of several paces; the last value; the mean of the
/// last three and of the last thirty; the trend of the last ten, damped. Scales: none; the inverse
/// root of what is expected, as counts of independent events deviate; the mean of the last errors,
/// since unrest is followed by unrest.
#[derive(Debug, Clone)]
pub struct Experts {
    ahead: Ahead,
    floor: f64,
    /// How much a minute is of a slot, for what is stated per minute.
    minutes: f64,
    periods: [Option<usize>; 2],
    logs: Vec<f64>,
    /// By slot: the greatest logarithm of the `length` slots from there on.
    maxima: Vec<f64>,
    deviations: [Vec<f64>; 2],
    average: f64,
    /// The mean of all logarithms, which scales are told against.
    middle: f64,
    /// The mean size of the last errors of every expectation.
    unrest: [f64; BASES],
    residuals: Vec<Residuals>,
    mixes: Vec<Mix>,
    /// What was expected at the last origins, newest last, in a ring over `lead + length`.
    expected: Vec<[Option<Expected>; BASES]>,
}

/// What an expectation says, and the scales of its errors.
#[derive(Debug, Clone, Copy)]
struct Expected {
    log: f64,
    scales: [f64; SCALES],
}

/// The mix at one level.
#[derive(Debug, Clone)]
struct Mix {
    level: f64,
    /// The share that may exceed the quantile that is asked of the experts.
    miss: f64,
    losses: [f64; ALL],
    /// As `expected`: the quantiles of the experts, and that of the mix.
    quantiles: Vec<([Option<f64>; ALL], Option<f64>)>,
    now: Option<f64>,
}

impl Experts {
    /// Nothing observed yet, in slots of `step`. Values below `floor` count as `floor`, which must
    /// be more than 0.
    #[must_use]
    pub fn new(step: Duration, ahead: Ahead, floor: f64, levels: &[f64]) -> Self {
        let ahead = Ahead {
            lead: ahead.lead.max(1),
            length: ahead.length.max(1),
        };
        let ring = ahead.lead + ahead.length;
        let slots = |seconds: f64| {
            let slots = seconds / step.as_secs_f64();
            (slots >= 2.0 && slots.fract() == 0.0).then_some(slots as usize)
        };
        let mix = |level: &f64| Mix {
            level: *level,
            miss: 1.0 - level,
            losses: [0.0; ALL],
            quantiles: vec![([None; ALL], None); ring],
            now: None,
        };
        let memory = (3.0 * 86_400.0 / step.as_secs_f64()).clamp(100.0, 4320.0);
        Self {
            ahead,
            floor,
            minutes: step.as_secs_f64() / 60.0,
            periods: [slots(86_400.0), slots(7.0 * 86_400.0)],
            logs: Vec::new(),
            maxima: Vec::new(),
            deviations: [Vec::new(), Vec::new()],
            average: 0.0,
            middle: 0.0,
            unrest: [0.1; BASES],
            residuals: vec![Residuals::new(memory as usize); ALL],
            mixes: levels.iter().map(mix).collect(),
            expected: vec![[None; BASES]; ring],
        }
    }

    /// How many values were observed.
    #[must_use]
    pub fn observations(&self) -> usize {
        self.logs.len()
    }

    /// Takes the value of the next slot.
    pub fn observe(&mut self, value: f64) {
        let log = value.max(self.floor).ln();
        self.logs.push(log);
        let last = self.logs.len() - 1;
        if let Some(first) = (last + 1).checked_sub(self.ahead.length) {
            let greatest = self.logs[first..].iter().copied();
            self.maxima.push(greatest.fold(f64::MIN, f64::max));
        }
        for (place, period) in self.periods.into_iter().enumerate() {
            let usual = seasonal(&self.logs, period, SEASONS[place], last);
            self.deviations[place].push(usual.map_or(f64::NAN, |usual| log - usual));
        }
        self.average = if last == 0 {
            log
        } else {
            self.average + (log - self.average) / 30.0
        };
        self.middle += (log - self.middle) / (last + 1) as f64;
        self.learn();
        self.expect();
    }

    /// The quantile at the level of this place in the list of levels; none before anything was
    /// learned.
    #[must_use]
    pub fn quantile(&self, level: usize) -> Option<f64> {
        self.mixes.get(level)?.now.map(f64::exp)
    }

    /// Compares what was expected with what has become known with the last observation.
    fn learn(&mut self) {
        let Ahead { lead, length } = self.ahead;
        let last = self.logs.len() - 1;
        let Some(origin) = (last + 1).checked_sub(lead + length) else {
            return;
        };
        let actual = self.maxima[last + 1 - length];
        let place = origin % self.expected.len();
        let newest = (NEWEST * self.minutes).min(0.5);
        for (base, expected) in self.expected[place].iter().enumerate() {
            let Some(Expected { log, scales }) = expected else {
                continue;
            };
            let error = actual - log;
            for (scale, by) in scales.iter().enumerate() {
                self.residuals[base * SCALES + scale].add(error / by);
            }
            self.unrest[base] += newest * (error.abs() - self.unrest[base]);
        }
        let fade = LOSS_FADES.powf(self.minutes);
        for mix in &mut self.mixes {
            mix.learn(place, actual, fade);
        }
    }

    fn expect(&mut self) {
        let scaled = |(base, log): (usize, Option<f64>)| {
            let rooted = |log: f64| ((self.middle - log) / 2.0).exp();
            let unrest = TENTHS * self.unrest[base].max(1e-3);
            log.map(|log| Expected {
                log,
                scales: [1.0, rooted(log), unrest],
            })
        };
        let mut expected = [None; BASES];
        let expectations = self.expectations().into_iter().enumerate().map(scaled);
        expected
            .iter_mut()
            .zip(expectations)
            .for_each(|(into, from)| *into = from);
        let ring = self.expected.len();
        let place = (self.logs.len() - 1) % ring;
        for mix in &mut self.mixes {
            mix.ask(place, &expected, &self.residuals);
        }
        self.expected[place] = expected;
    }

    /// The expectation of every expert that has enough to go by.
    fn expectations(&self) -> [Option<f64>; BASES] {
        let mut all = [None; BASES];
        let Ahead { lead, length } = self.ahead;
        let last = self.logs.len() - 1;
        for (place, period) in self.periods.into_iter().enumerate() {
            // A single week is no season of weeks.
            let fewest = [1, 2][place];
            let Some(period) = period.filter(|p| self.logs.len() >= fewest * p + 3) else {
                continue;
            };
            let Some(usual) = seasonal(&self.maxima, Some(period), SEASONS[place], last + lead)
            else {
                continue;
            };
            let recent = &self.deviations[place][last.saturating_sub(2)..];
            let known: Vec<f64> = recent.iter().copied().filter(|d| d.is_finite()).collect();
            let deviation = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let middle = (lead + (length - 1) / 2) as f64 * self.minutes;
            for (fade, into) in FADES.iter().zip(&mut all[place * FADES.len()..]) {
                *into = Some(usual + fade.powf(middle) * deviation);
            }
        }
        let rest = &mut all[2 * FADES.len()..];
        let tail = |count: usize| &self.logs[self.logs.len().saturating_sub(count)..];
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        rest[0] = self.logs.last().copied();
        rest[1] = Some(mean(tail(3)));
        rest[2] = Some(self.average);
        rest[3] = Some(mean(tail(3)) + slope(tail(10)) * damped(lead + length));
        all
    }
}

impl Mix {
    fn learn(&mut self, place: usize, actual: f64, fade: f64) {
        let (quantiles, mixed) = &self.quantiles[place];
        // In demand, since that is what is paid for.
        let pinball = |quantile: f64| {
            let error = actual.exp() - quantile.exp();
            error.max(0.0) * self.level + (-error).max(0.0) * (1.0 - self.level)
        };
        let losses = quantiles.map(|quantile| quantile.map(pinball));
        let present = losses.iter().flatten();
        let Some(worst) = present.copied().reduce(f64::max) else {
            return;
        };
        for (total, loss) in self.losses.iter_mut().zip(losses) {
            // One that cannot speak yet counts as the worst of those that did.
            *total = *total * fade + loss.unwrap_or(worst);
        }
        if let Some(mixed) = mixed {
            let missed = f64::from(u8::from(actual > *mixed));
            let step = ADAPTS * ((1.0 - self.level) - missed);
            self.miss = (self.miss + step).clamp(MISS_RANGE.0, MISS_RANGE.1);
        }
    }

    fn ask(&mut self, place: usize, expected: &[Option<Expected>; BASES], residuals: &[Residuals]) {
        let mut quantiles = [None; ALL];
        for (expert, (quantile, residuals)) in quantiles.iter_mut().zip(residuals).enumerate() {
            let Some(Expected { log, scales }) = expected[expert / SCALES] else {
                continue;
            };
            let residual = residuals.quantile(1.0 - self.miss);
            *quantile = residual.map(|residual| log + scales[expert % SCALES] * residual);
        }
        let speaking = quantiles.iter().zip(&self.losses);
        let speaking = speaking.filter_map(|(quantile, loss)| Some(((*quantile)?, *loss)));
        let least = speaking
            .clone()
            .map(|(_, loss)| loss)
            .fold(f64::INFINITY, f64::min);
        let (mut sum, mut weights) = (0.0, 0.0);
        for (quantile, loss) in speaking {
            let behind = if least > 0.0 { loss / least - 1.0 } else { 0.0 };
            let weight = (-SHARPNESS * behind).exp();
            sum += weight * quantile;
            weights += weight;
        }
        self.now = (weights > 0.0).then(|| sum / weights);
        self.quantiles[place] = (quantiles, self.now);
    }
}

/// The mean of the values one to `most` periods before `slot`, as far as they are known.
fn seasonal(values: &[f64], period: Option<usize>, most: usize, slot: usize) -> Option<f64> {
    let period = period?;
    let (mut sum, mut count) = (0.0, 0.0);
    for season in 1..=most {
        let Some(place) = slot.checked_sub(season * period) else {
            break;
        };
        if let Some(value) = values.get(place) {
            sum += value;
            count += 1.0;
        }
    }
    (count > 0.0).then(|| sum / count)
}

/// The slope of the least-squares line.
fn slope(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let (mut products, mut squares) = (0.0, 0.0);
    for (place, value) in values.iter().enumerate() {
        let distance = place as f64 - middle;
        products += distance * value;
        squares += distance * distance;
    }
    if squares > 0.0 {
        products / squares
    } else {
        0.0
    }
}

/// The steps of a trend that loses a tenth with each: 0.9 + 0.9² + … .
fn damped(steps: usize) -> f64 {
    9.0 * (1.0 - 0.9_f64.powi(i32::try_from(steps).unwrap_or(i32::MAX)))
}

/// The mix as one of the methods: its median, slot by slot.
pub(super) struct Mixed;

struct Medians(Vec<f64>);

impl Method for Mixed {
    fn name(&self) -> &'static str {
        "experts"
    }

    fn effort(&self) -> Effort {
        Effort::OnRequest
    }

    fn fit(&self, history: &History, horizon: usize) -> Result<Box<dyn Fitted>, Unfit> {
        let present = history.values().len();
        let needed = horizon + 2;
        if present < needed {
            return Err(Unfit::TooShort { needed, present });
        }
        Ok(Box::new(Medians(medians(history, horizon))))
    }
}

/// One mix for each distance, each fed with the whole history.
fn medians(history: &History, horizon: usize) -> Vec<f64> {
    let median = |lead: usize| {
        let ahead = Ahead { lead, length: 1 };
        let mut experts = Experts::new(history.step(), ahead, history.floor(), &[0.5]);
        history
            .values()
            .iter()
            .for_each(|value| experts.observe(*value));
        experts.quantile(0).unwrap_or(f64::NAN)
    };
    (1..=horizon).map(median).collect()
}

impl Fitted for Medians {
    fn point(&self, history: &History, horizon: usize) -> Vec<f64> {
        if horizon <= self.0.len() {
            return self.0[..horizon].to_vec();
        }
        medians(history, horizon)
    }
}

#[cfg(test)]
mod tests;
