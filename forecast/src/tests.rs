//! Tests of the module as a whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn series(step: Duration, values: Vec<Option<f64>>) -> Series {
    Series::new(
        "2024-01-01T00:00:00Z".parse::<Timestamp>().unwrap(),
        step,
        values,
    )
    .unwrap()
}

/// Hourly demand of `days` days with a daily swing and a quiet Sunday.
fn daily(days: usize, level: f64) -> Series {
    let value = |hour: usize| {
        let swing = (hour as f64 / 24.0 * std::f64::consts::TAU).sin();
        let week = if hour / 24 % 7 == 6 { 0.4 } else { 1.0 };
        Some(level * week * (1.0 + 0.5 * swing))
    };
    series(HOUR, (0..days * 24).map(value).collect())
}

fn assert_sound(forecast: &Forecast, series: &Series, horizon: usize) {
    assert_eq!(forecast.quantiles.len(), forecast.levels.len());
    let cap = 3.0 * series.maximum();
    for (slot, median) in forecast.quantiles[0].iter().enumerate() {
        let mut before = 0.0;
        for row in &forecast.quantiles {
            assert_eq!(row.len(), horizon);
            assert!(
                row[slot].is_finite() && row[slot] >= before && row[slot] <= cap,
                "{slot}"
            );
            before = row[slot];
        }
        assert!(median.is_finite());
    }
    assert!(
        forecast
            .wape
            .is_some_and(|wape| wape.is_finite() && wape >= 0.0)
    );
    let usual = METHODS
        .iter()
        .filter(|method| method.effort() != Effort::OnRequest);
    assert_eq!(forecast.candidates.len(), usual.count() + 1);
    let chosen: Vec<_> = forecast
        .candidates
        .iter()
        .filter(|candidate| matches!(candidate.outcome, Outcome::Chosen(_)))
        .map(|candidate| candidate.method)
        .collect();
    assert_eq!(chosen, [forecast.method]);
}

#[test]
fn a_weekly_pattern_is_learned() {
    let series = daily(28, 100.0);
    let forecast = forecast(&series, &Request::steps(24)).unwrap();
    assert_sound(&forecast, &series, 24);
    assert!(
        forecast.wape.is_some_and(|wape| wape < 0.01),
        "{forecast:?}"
    );
    let peak = forecast.peak(0.95).unwrap();
    assert_eq!(peak.at.to_string(), "2024-01-29T06:00:00Z");
    assert!((peak.value - 150.0).abs() < 1.5, "{peak:?}");
    assert_eq!(forecast.end().to_string(), "2024-01-30T00:00:00Z");
    assert_eq!(forecast.at(0.7), None);
}

#[test]
fn twice_the_demand_is_twice_the_forecast() {
    let request = Request::steps(24);
    let once = forecast(&daily(10, 100.0), &request).unwrap();
    let twice = forecast(&daily(10, 200.0), &request).unwrap();
    let (once, twice) = (
        once.peak(0.95).unwrap().value,
        twice.peak(0.95).unwrap().value,
    );
    assert!((twice / once - 2.0).abs() < 1e-3, "{once} {twice}");
}

#[test]
fn constant_zero_and_short_series_have_forecasts() {
    for (length, value) in [
        (4, 7.0),
        (4, 0.0),
        (19, 7.0),
        (30, 7.0),
        (500, 7.0),
        (500, 0.0),
    ] {
        let series = series(HOUR, vec![Some(value); length]);
        let forecast = forecast(&series, &Request::steps(24)).unwrap();
        assert_sound(&forecast, &series, 24);
        for quantile in forecast.quantiles.iter().flatten() {
            assert!(
                (quantile - value).abs() <= 1e-6 * value,
                "{length} {value} {quantile}"
            );
        }
        assert_eq!(
            forecast.notes.is_empty(),
            length == 500,
            "{:?}",
            forecast.notes
        );
    }
}

#[test]
fn what_cannot_be_forecast_says_what_it_needs() {
    let short = series(HOUR, vec![Some(1.0), None, None, Some(1.0), Some(2.0)]);
    let error = forecast(&short, &Request::steps(24)).unwrap_err();
    assert_eq!(
        error,
        ForecastError::TooFewObservations {
            present: 3,
            needed: 4
        }
    );
    let series = daily(3, 1.0);
    let error = forecast(&series, &Request::steps(0)).unwrap_err();
    assert_eq!(error, ForecastError::Horizon { steps: 0 });
    for levels in [
        vec![],
        vec![0.0],
        vec![1.0],
        vec![0.9, 0.5],
        vec![0.5, 0.5],
        vec![f64::NAN],
    ] {
        let mut request = Request::steps(1);
        request.levels = levels;
        assert!(matches!(
            forecast(&series, &request),
            Err(ForecastError::Levels { .. })
        ));
    }
}

#[test]
fn equal_input_gives_equal_bits() {
    let mut values = daily(9, 50.0).values().to_vec();
    for (slot, value) in values.iter_mut().enumerate().skip(1) {
        if slot % 17 == 0 {
            *value = None;
        }
    }
    let series = series(HOUR, values);
    let bits = || {
        let forecast = forecast(&series, &Request::steps(30)).unwrap();
        let quantiles = forecast
            .quantiles
            .iter()
            .flatten()
            .map(|value| value.to_bits());
        (quantiles.collect::<Vec<_>>(), forecast)
    };
    assert_eq!(bits(), bits());
}

/// Slots of a series that no one would draw: gaps, zeros, spikes, plateaus.
fn slot() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        3 => (0.0..100.0f64).prop_map(Some),
        2 => Just(Some(0.0)),
        2 => Just(Some(42.0)),
        2 => Just(None),
        1 => (0.0..1e12f64).prop_map(Some),
        1 => (0.0..1e-12f64).prop_map(Some),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_series_is_too_strange(
        values in prop::collection::vec(slot(), 4..260),
        step in prop::sample::select(vec![420, 3600, 7200, 21_600, 86_400]),
        horizon in 1usize..60,
    ) {
        let present = values.iter().flatten().count();
        prop_assume!(present > 0);
        let series = series(Duration::from_secs(step), values);
        match forecast(&series, &Request::steps(horizon)) {
            Ok(forecast) => assert_sound(&forecast, &series, horizon),
            Err(error) => {
                let needed = FEWEST_OBSERVATIONS;
                prop_assert_eq!(error, ForecastError::TooFewObservations { present, needed });
            }
        }
    }
}

/// The series of `data/public` below the folder that `ISOBAR_TEST_DATA` names, if it does.
#[expect(
    clippy::disallowed_methods,
    reason = "where large test data lies is told by the environment"
)]
fn public_files() -> Vec<PathBuf> {
    let Ok(root) = std::env::var("ISOBAR_TEST_DATA") else {
        return Vec::new();
    };
    let folder = Path::new(&root).join("data/public");
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    assert!(!paths.is_empty(), "{folder:?} holds no series");
    paths
}

/// A file of the columns `timestamp,value` on a grid that its name ends with: `web_1h.csv`.
fn load(path: &Path) -> Series {
    let name = path.file_stem().unwrap().to_str().unwrap();
    let step: jiff::SignedDuration = name.rsplit('_').next().unwrap().parse().unwrap();
    let step = Duration::try_from(step).unwrap();
    let mut values: Vec<Option<f64>> = Vec::new();
    let mut start = None;
    for row in ::csv::Reader::from_path(path).unwrap().records() {
        let row = row.unwrap();
        let at: Timestamp = row[0].parse().unwrap();
        let start = *start.get_or_insert(at);
        let slot = at.duration_since(start).as_nanos() / step.as_nanos() as i128;
        values.resize(values.len().max(slot as usize + 1), None);
        values[slot as usize] = row[1].parse().ok();
    }
    Series::new(start.unwrap(), step, values).unwrap()
}

#[test]
fn recorded_series_have_forecasts() {
    for path in public_files() {
        let series = load(&path).latest(7 * 24 * HOUR);
        let horizon = (6 * HOUR).as_nanos() / series.step().as_nanos();
        let forecast = forecast(&series, &Request::steps(horizon as usize)).unwrap();
        assert_sound(&forecast, &series, horizon as usize);
    }
}

/// The losses of one way to forecast on one series, summed over origins and slots.
#[derive(Default)]
struct Losses {
    slots: f64,
    demand: f64,
    error: f64,
    pinball: f64,
    covered: [f64; 4],
    seconds: f64,
    methods: BTreeSet<&'static str>,
}

impl Losses {
    fn add(&mut self, forecast: &Forecast, slot: usize, actual: f64) {
        self.slots += 1.0;
        self.demand += actual;
        self.methods.insert(forecast.method);
        for (place, (level, row)) in LEVELS.iter().zip(&forecast.quantiles).enumerate() {
            let beyond = actual - row[slot];
            self.pinball += f64::max(level * beyond, (level - 1.0) * beyond);
            self.covered[place] += f64::from(u8::from(beyond <= 0.0));
        }
        self.error += (actual - forecast.quantiles[0][slot]).abs();
    }

    fn accuracy(&self) -> f64 {
        (1.0 - self.error / self.demand).max(0.0)
    }
}

/// The horizon and four origins of a series: hourly a day ahead, finer ones six hours ahead, and
/// those of less than four days two hours ahead; strides are not whole days.
fn protocol(series: &Series) -> (usize, Vec<usize>) {
    let day = ((24 * HOUR).as_nanos() / series.step().as_nanos()) as usize;
    let slots = series.values().len();
    let (horizon, first, origins, longest) = match slots / day {
        _ if day == 24 => (24, 192, 8, 125),
        0..4 => (day / 12, slots / 2, 6, slots),
        _ => (day / 4, day * 7 / 2, 6, day + day * 155 / 1440),
    };
    let last = slots - horizon;
    let stride = longest.min((last - first) / (origins - 1));
    (
        horizon,
        (0..origins / 2)
            .map(|back| last - 2 * back * stride)
            .collect(),
    )
}

fn try_out(series: &Series, methods: &Competitors) -> Losses {
    let (horizon, origins) = protocol(series);
    let mut losses = Losses::default();
    for origin in &origins {
        let known = series.before_last(series.values().len() - origin).unwrap();
        let skipped = origin - known.values().len();
        let begin = std::time::Instant::now();
        let mut request = Request::steps(horizon + skipped);
        request.methods = methods.clone();
        let forecast = forecast(&known, &request).unwrap();
        losses.seconds += begin.elapsed().as_secs_f64() / origins.len() as f64;
        for (slot, actual) in series.values()[*origin..origin + horizon]
            .iter()
            .enumerate()
        {
            if let Some(actual) = actual {
                losses.add(&forecast, skipped + slot, *actual);
            }
        }
    }
    losses
}

/// Forecasts from origins whose future is held back and prints the losses, beside those of the
/// daily seasonal naive (of the last value on series of a day or two) with quantiles of the same
/// kind. Run with `--release --ignored --nocapture` and `ISOBAR_TEST_DATA` set.
#[test]
#[ignore = "prints a report; minutes without optimisation"]
fn report_on_recorded_series() {
    let (mut count, mut accuracy, mut naive_accuracy) = (0.0, 0.0, 0.0);
    let (mut log_ratio, mut covered) = (0.0, [0.0; 4]);
    println!("series,accuracy,naive,pinball ratio,cov90,cov95,cov99,seconds,methods");
    for path in public_files() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let series = load(&path);
        let all = try_out(&series, &Competitors::Usual);
        let short = series.step() * series.values().len() as u32 <= 48 * HOUR;
        let naive = if short { "naive" } else { "seasonal_naive_day" };
        let naive = try_out(&series, &Competitors::Named([naive.to_owned()].into()));
        let ratio = all.pinball / naive.pinball;
        let coverage = all.covered.map(|covered| covered / all.slots);
        println!(
            "{name},{:.3},{:.3},{ratio:.3},{:.3},{:.3},{:.3},{:.2},{}",
            all.accuracy(),
            naive.accuracy(),
            coverage[1],
            coverage[2],
            coverage[3],
            all.seconds,
            all.methods.iter().copied().collect::<Vec<_>>().join(" ")
        );
        count += 1.0;
        accuracy += all.accuracy();
        naive_accuracy += naive.accuracy();
        log_ratio += ratio.ln();
        covered
            .iter_mut()
            .zip(coverage)
            .for_each(|(sum, share)| *sum += share);
    }
    println!(
        "{count} series: accuracy {:.3} (naive {:.3}), geometric mean of pinball ratios {:.3}, coverage {:.3?}",
        accuracy / count,
        naive_accuracy / count,
        f64::exp(log_ratio / count),
        covered.map(|sum| sum / count)
    );
}
