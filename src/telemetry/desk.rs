//! Where telemetry is ordered: each order is filled once in a run, several at the same time, and
//! where that is allowed with the last good telemetry when the source fails.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use futures::StreamExt as _;
use isobar_sources::{Bands, Cache, Demand, Extent, Fault, Kind, Problem, Settings, Source, fetch};

use isobar_forecast::{Forecast, ForecastError, Request};

use super::memo::Memo;
use super::{Order, Series, Stale, Telemetry, TelemetryError};

/// How many sources are asked at the same time.
const AT_ONCE: usize = 10;

/// Where telemetry is ordered.
#[derive(Debug, Default)]
pub struct Desk {
    environment: BTreeMap<String, String>,
    cache: Option<Cache>,
    memo: Option<Memo>,
    filled: Mutex<BTreeMap<String, Result<Telemetry, TelemetryError>>>,
}

impl Desk {
    /// A desk with these variables of the environment, that keeps what was told in a folder.
    #[must_use]
    pub fn new(environment: BTreeMap<String, String>, folder: PathBuf) -> Self {
        Self {
            environment,
            memo: Some(Memo::new(folder.clone())),
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
        found.unwrap_or_else(|| {
            Err(order.failed(Fault::Unavailable {
                what: "it was not asked".to_owned(),
            }))
        })
    }

    /// Forecasts a series, or says what was forecast before.
    ///
    /// # Errors
    /// Why there is no forecast.
    pub fn forecast(&self, series: &Series, request: &Request) -> Result<Forecast, ForecastError> {
        match &self.memo {
            Some(memo) => memo.forecast(series, request),
            None => isobar_forecast::forecast(series, request),
        }
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

    fn fill_all(
        &self,
        open: &BTreeMap<String, &Order>,
    ) -> Vec<(String, Result<Telemetry, TelemetryError>)> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => {
                let fault = |order: &Order| {
                    order.failed(Fault::Unavailable {
                        what: error.to_string(),
                    })
                };
                let told = open
                    .iter()
                    .map(|(key, order)| (key.clone(), Err(fault(order))));
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
            None => {
                return Err(order.failed(Fault::Unavailable {
                    what: "there is no such source".to_owned(),
                }));
            }
        };
        let identity = settings.identity(kind);
        let fresh = self.fresh(order, &*source, &identity).await;
        let fault = match fresh {
            Ok(telemetry) => return Ok(telemetry),
            Err(fault) => fault,
        };
        let reason = TelemetryError {
            place: source.place(),
            fault,
        };
        let kept = self.cache.as_ref().filter(|_| order.last_good);
        let kept = kept.and_then(|cache| cache.get(&identity));
        match kept.and_then(|kept| order.recall(&*source, kept)) {
            Some((taken, telemetry)) => Ok(Telemetry {
                stale: Some(Stale {
                    taken,
                    reason: Box::new(reason),
                }),
                ..telemetry
            }),
            None => Err(reason),
        }
    }

    async fn fresh(
        &self,
        order: &Order,
        source: &dyn Source,
        identity: &str,
    ) -> Result<Telemetry, Fault> {
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
            let per = order
                .meaning_of(source)
                .per
                .map_or(1.0, |per| per.as_secs_f64());
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

#[cfg(test)]
mod tests;
