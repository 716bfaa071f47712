//! Where telemetry is ordered: each order is filled once in a run, several at the same time, and
//! where that is allowed with the last good telemetry when the source fails.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use isobar_sources::{
    Bands, Cache, Demand, Extent, Fault, Kept, Kind, Problem, Settings, Source, Window, fetch,
};
use jiff::Timestamp;

use super::{Meaning, Series};

/// The history that is asked for where the configuration does not say: four weeks.
const HISTORY: Duration = Duration::from_secs(28 * 86_400);
/// The step that is asked for where the configuration does not say.
pub(crate) const STEP: Duration = Duration::from_secs(300);
/// How many sources are asked at the same time.
const AT_ONCE: usize = 10;

/// Where telemetry is ordered.
#[derive(Debug, Default)]
pub struct Desk {
    environment: BTreeMap<String, String>,
    cache: Option<Cache>,
    filled: Mutex<BTreeMap<String, Result<Telemetry, TelemetryError>>>,
}

/// Telemetry that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The kind of source.
    pub kind: String,
    /// What it is told by the configuration.
    pub settings: Settings,
    /// What its readings mean.
    pub meaning: Meaning,
    /// The forecast that it makes itself, if it can.
    pub engine: Engine,
    /// Whether the last good telemetry will do where the source fails.
    pub last_good: bool,
    /// The present.
    pub now: Timestamp,
}

/// The forecast that a source is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Engine {
    /// How far ahead.
    pub horizon: Duration,
    /// The levels of the quantiles, ascending.
    pub levels: Vec<f64>,
}

/// What an order was filled with.
#[derive(Debug, Clone, PartialEq)]
pub struct Telemetry {
    /// The series.
    pub series: Series,
    /// The forecast of the source itself, in the unit of the series.
    pub bands: Option<Bands>,
    /// Where it comes from and from when to when, for people; without anything secret.
    pub source: String,
    /// Why it is not what the source tells now.
    pub stale: Option<Stale>,
}

/// Why telemetry is not what its source tells now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// When it was taken.
    pub taken: Timestamp,
    /// Why it was not taken now.
    pub reason: Box<TelemetryError>,
}

/// A source that could not be turned into a series: where, what and the way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}{}: {fault}; {}", fault.line().map(|line| format!(":{line}")).unwrap_or_default(), fault.help())]
pub struct TelemetryError {
    /// Where the readings come from, as the configuration names it.
    pub place: String,
    /// What is wrong.
    pub fault: Fault,
}

impl Desk {
    /// A desk with these variables of the environment, that keeps what was told in a folder.
    #[must_use]
    pub fn new(environment: BTreeMap<String, String>, folder: PathBuf) -> Self {
        Self {
            environment,
            cache: Some(Cache::new(folder)),
            filled: Mutex::default(),
        }
    }

    /// Fills an order, or says how it was filled before.
    ///
    /// # Errors
    /// Why the source gives no series.
    pub fn load(&self, order: &Order) -> Result<Telemetry, TelemetryError> {
        self.load_all(std::slice::from_ref(order));
        let filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        let found = filled.get(&key(order)).cloned();
        found.unwrap_or_else(|| Err(order.failed(Fault::Unavailable { what: "it was not asked".to_owned() })))
    }

    /// Fills those orders that were not filled before, at the same time.
    pub fn load_all(&self, orders: &[Order]) {
        let mut open: BTreeMap<String, &Order> = BTreeMap::new();
        {
            let filled = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
            for order in orders {
                let key = key(order);
                if !filled.contains_key(&key) {
                    open.insert(key, order);
                }
            }
        }
        if open.is_empty() {
            return;
        }
        // A plan is made within a runtime, which must not wait for another one on its threads.
        let filled = std::thread::scope(|scope| {
            let worker = scope.spawn(|| self.fill_all(&open));
            worker.join().unwrap_or_default()
        });
        let mut all = self.filled.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(filled);
    }

    fn fill_all(&self, open: &BTreeMap<String, &Order>) -> Vec<(String, Result<Telemetry, TelemetryError>)> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let fault = |order: &Order| order.failed(Fault::Unavailable { what: error.to_string() });
                let told = open.iter().map(|(key, order)| (key.clone(), Err(fault(order))));
                return told.collect();
            }
        };
        let filled = futures::stream::iter(open)
            .map(|(key, order)| async move { (key.clone(), self.fill(order).await) })
            .buffer_unordered(AT_ONCE);
        runtime.block_on(filled.collect())
    }

    async fn fill(&self, order: &Order) -> Result<Telemetry, TelemetryError> {
        let settings = Settings {
            environment: self.environment.clone(),
            ..order.settings.clone()
        };
        let opened = Kind::named(&order.kind).map(|kind| (kind, kind.open(&settings)));
        let (kind, source) = match opened {
            Some((kind, Ok(source))) => (kind, source),
            Some((_, Err(problem))) => return Err(order.failed(unopened(&problem))),
            None => return Err(order.failed(Fault::Unavailable { what: "there is no such source".to_owned() })),
        };
        let identity = settings.identity(kind);
        let fresh = self.fresh(order, &*source, &identity).await;
        let fault = match fresh {
            Ok(telemetry) => return Ok(telemetry),
            Err(fault) => fault,
        };
        let reason = TelemetryError { place: source.place(), fault };
        let kept = self.cache.as_ref().filter(|_| order.last_good);
        let kept = kept.and_then(|cache| cache.get(&identity));
        match kept.and_then(|kept| order.recall(&*source, kept)) {
            Some((taken, telemetry)) => Ok(Telemetry {
                stale: Some(Stale { taken, reason: Box::new(reason) }),
                ..telemetry
            }),
            None => Err(reason),
        }
    }

    async fn fresh(&self, order: &Order, source: &dyn Source, identity: &str) -> Result<Telemetry, Fault> {
        let demand = Demand {
            window: order.window(),
            now: order.now,
            identity: identity.to_owned(),
        };
        let cache = self.cache.as_ref();
        let fetched = fetch(source, &demand, cache).await?;
        let kept = fetched.kept();
        let mut telemetry = order.telemetry(source, fetched.readings)?;
        if let Some(bands) = order.bands(source, &telemetry.series).await {
            let per = order.meaning_of(source).per.map_or(1.0, |per| per.as_secs_f64());
            telemetry.bands = Some(divided(bands?, per));
        }
        let remember = source.extent() == Extent::Windows || order.last_good;
        if let Some(cache) = cache.filter(|_| remember) {
            // What cannot be kept is asked for again: slower, not wrong.
            let _ = cache.put(identity, &telemetry.source, &kept);
        }
        Ok(telemetry)
    }
}

/// A name for all that an order says, secrets included: it is never shown or kept.
fn key(order: &Order) -> String {
    let values = serde_json::json!(order.settings.values);
    format!("{order:?} {values} {}", order.settings.folder.display())
}

fn unopened(problem: &Problem) -> Fault {
    let help = match problem {
        Problem::Missing { help, .. } | Problem::Wrong { help, .. } => help.clone(),
        Problem::NotBuilt { feature, .. } => format!("build isobar with --features {feature}"),
    };
    Fault::Question {
        what: problem.to_string(),
        help,
    }
}

fn divided(mut bands: Bands, per: f64) -> Bands {
    for value in bands.quantiles.iter_mut().flatten() {
        *value /= per;
    }
    bands
}

impl Order {
    fn failed(&self, fault: Fault) -> TelemetryError {
        TelemetryError {
            place: self.kind.clone(),
            fault,
        }
    }

    fn window(&self) -> Window {
        let history = self.meaning.history.unwrap_or(HISTORY);
        Window::ending(self.now, self.settings.step, history)
    }

    /// What the readings of this source mean.
    fn meaning_of(&self, source: &dyn Source) -> Meaning {
        let mut meaning = self.meaning;
        if source.keeps_step() {
            meaning.step = Some(self.settings.step);
        }
        if source.counts_steps() && !meaning.counter {
            meaning.per = meaning.per.or(Some(self.settings.step));
        }
        meaning
    }

    fn telemetry(&self, source: &dyn Source, readings: Vec<isobar_sources::Reading>) -> Result<Telemetry, Fault> {
        if readings.iter().all(|reading| reading.value.is_none()) && source.extent() == Extent::Windows {
            let window = self.window();
            return Err(Fault::Unusable {
                line: None,
                what: format!("there is no value from {} to {}", window.from, window.until),
                help: "check the names in the query, and that `history` reaches back to when something was measured".to_owned(),
            });
        }
        let series = self.meaning_of(source).series(readings)?;
        let place = source.place();
        let source = match source.extent() {
            Extent::Whole => format!("{} {place}", self.kind),
            Extent::Windows => format!(
                "{} {place}, {} to {}",
                self.kind,
                series.start().strftime("%Y-%m-%d %H:%M"),
                series.end().strftime("%Y-%m-%d %H:%M UTC")
            ),
        };
        Ok(Telemetry {
            series,
            bands: None,
            source,
            stale: None,
        })
    }

    /// What was kept, where it is a series.
    fn recall(&self, source: &dyn Source, kept: Kept) -> Option<(Timestamp, Telemetry)> {
        let telemetry = self.telemetry(source, kept.readings).ok()?;
        Some((kept.taken, telemetry))
    }

    async fn bands(&self, source: &dyn Source, series: &Series) -> Option<Result<Bands, Fault>> {
        let steps = self.engine.horizon.as_secs_f64() / series.step().as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a ratio of durations; a float beyond usize saturates and is refused as too long"
        )]
        let horizon = (steps.ceil() as usize).max(1);
        let bands = source.forecast(self.window(), horizon, &self.engine.levels)?;
        Some(bands.await)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    fn cases() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/telemetry")
    }

    fn order(folder: &Path, path: &str) -> Order {
        Order {
            kind: "csv".to_owned(),
            settings: Settings {
                values: [("path".to_owned(), path.into())].into(),
                folder: folder.to_owned(),
                ..Settings::default()
            },
            meaning: Meaning {
                step: None,
                per: None,
                history: None,
                counter: false,
                aggregate: None,
            },
            engine: Engine {
                horizon: Duration::from_secs(3600),
                levels: vec![0.5],
            },
            last_good: false,
            now: "2026-11-21T09:00:00Z".parse().unwrap(),
        }
    }

    fn load(order: &Order) -> Result<Series, TelemetryError> {
        Desk::default().load(order).map(|telemetry| telemetry.series)
    }

    /// One line a slot: the time and the value, or `-` for a gap.
    fn listing(series: &Series) -> String {
        let mut text = format!(
            "step {:?} duplicates {}\n",
            series.step(),
            series.duplicates()
        );
        for (slot, value) in series.values().iter().enumerate() {
            let at = crate::telemetry::offset(series.start(), series.step(), slot).unwrap();
            let value = value.map_or("-".to_owned(), |value| value.to_string());
            text += &format!("{at} {value}\n");
        }
        text
    }

    /// Every folder below `testdata/telemetry` holds `input.csv` and what it must give:
    /// `expected.txt`, the slots, or `error.txt`, the message.
    #[test]
    fn files_give_the_series_or_the_error_beside_them() {
        let mut names: Vec<_> = fs::read_dir(cases())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        assert!(names.len() >= 10, "the cases are missing");
        for case in names {
            let (file, actual) = match load(&order(&case, "input.csv")) {
                Ok(series) => ("expected.txt", listing(&series)),
                Err(error) => ("error.txt", format!("{error}\n")),
            };
            let expected = fs::read_to_string(case.join(file)).unwrap_or_default();
            assert_eq!(actual, expected, "{}", case.join(file).display());
        }
    }

    #[test]
    fn counts_become_rates_and_only_the_history_is_kept() {
        let mut order = order(&cases(), "plain/input.csv");
        let whole = load(&order).unwrap();
        order.meaning.per = Some(Duration::from_secs(300));
        order.meaning.history = Some(whole.step() * 2);
        let series = load(&order).unwrap();
        let slots = whole.values().len();
        let expected: Vec<_> = whole.values()[slots - 2..]
            .iter()
            .map(|value| value.map(|value| value / 300.0))
            .collect();
        assert_eq!(series.values(), expected);
        assert_eq!(series.end(), whole.end());
    }

    #[test]
    fn a_step_may_be_finer_than_the_rows_but_not_coarser() {
        let mut order = order(&cases(), "plain/input.csv");
        let step = load(&order).unwrap().step();
        order.meaning.step = Some(step / 2);
        assert!(load(&order).unwrap().gaps() > 0);
        order.meaning.step = Some(step * 2);
        let error = load(&order).unwrap_err();
        assert!(error.to_string().contains("off the grid"), "{error}");
        order.meaning.step = Some(Duration::ZERO);
        assert!(load(&order).unwrap_err().to_string().contains("zero"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load(&order(&cases(), "none.csv")).unwrap_err();
        assert_eq!(error.fault.line(), None);
        let text = error.to_string();
        assert!(text.starts_with("none.csv: cannot open the file"), "{text}");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused_with_their_line() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("bytes.csv"),
            b"timestamp,value\n2024-01-01T00:00:00Z,1\n\xff\xfe,2\n",
        )
        .unwrap();
        let error = load(&order(folder.path(), "bytes.csv")).unwrap_err();
        assert_eq!(error.fault.line(), Some(3));
    }

    #[test]
    fn the_last_good_telemetry_serves_only_where_that_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.csv");
        fs::copy(cases().join("plain/input.csv"), &file).unwrap();
        let desk = || Desk::new(BTreeMap::new(), folder.path().join("kept"));
        let strict = order(folder.path(), "input.csv");
        let lenient = Order {
            last_good: true,
            ..strict.clone()
        };
        let good = desk().load(&lenient).unwrap();
        assert_eq!(good.stale, None);
        fs::write(&file, "timestamp,value\n2024-01-01T00:00:00Z,many\n").unwrap();
        assert!(desk().load(&strict).is_err());
        let old = desk().load(&lenient).unwrap();
        assert_eq!(old.series.digest(), good.series.digest());
        let stale = old.stale.unwrap();
        assert_eq!(stale.taken, lenient.now);
        assert!(stale.reason.to_string().contains("\"many\" is not a number"));
        // What was told to another question is no answer to this one.
        let mut other = order(folder.path(), "./input.csv");
        other.last_good = true;
        assert!(desk().load(&other).is_err());
    }

    #[test]
    fn an_order_is_filled_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("input.csv");
        fs::copy(cases().join("plain/input.csv"), &file).unwrap();
        let desk = Desk::default();
        let order = order(folder.path(), "input.csv");
        let first = desk.load(&order).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(desk.load(&order).unwrap(), first);
    }
}
