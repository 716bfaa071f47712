//! What the server counts and times, in the OpenMetrics text format that Prometheus reads.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Media type of [`Metrics::render`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the duration histogram, in seconds: 100 microseconds to 30 s, the default time limit.
const DURATION_BOUNDS: [f64; 16] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    10.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModelLabels {
    model: String,
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    model: String,
    version: String,
    code: u16,
}

/// The metrics of one server, which serves one version of one model.
pub(crate) struct Metrics {
    registry: Registry,
    labels: ModelLabels,
    requests: Family<RequestLabels, Counter>,
    durations: Histogram,
    in_flight: Gauge,
    load: Gauge<f64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new(model: &str, version: &str) -> Self {
        let labels = ModelLabels {
            model: model.to_owned(),
            version: version.to_owned(),
        };
        let requests = Family::<RequestLabels, Counter>::default();
        let durations = Family::<ModelLabels, Histogram>::new_with_constructor(|| {
            Histogram::new(DURATION_BOUNDS)
        });
        let in_flight = Family::<ModelLabels, Gauge>::default();
        let load = Family::<ModelLabels, Gauge<f64, AtomicU64>>::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);

        let mut registry = Registry::with_prefix("isobar_serve");
        registry.register(
            "requests",
            "Inference requests, by HTTP status code",
            requests.clone(),
        );
        registry.register_with_unit(
            "request_duration",
            "Time from the head of an inference request to its answer",
            Unit::Seconds,
            durations.clone(),
        );
        registry.register(
            "requests_in_flight",
            "Inference requests not yet answered",
            in_flight.clone(),
        );
        registry.register_with_unit(
            "model_load",
            "Time until the model was ready",
            Unit::Seconds,
            load.clone(),
        );
        registry.register("build", "The server's build", build);

        Self {
            durations: durations.get_or_create_owned(&labels),
            in_flight: in_flight.get_or_create_owned(&labels),
            load: load.get_or_create_owned(&labels),
            registry,
            labels,
            requests,
        }
    }

    /// Counts a request as in flight until the answer's code is known or it is dropped.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight {
            metrics: self,
            begun: Instant::now(),
        }
    }

    pub(crate) fn loaded(&self, after: Duration) {
        self.load.set(after.as_secs_f64());
    }

    /// All metrics as text of [`MEDIA_TYPE`].
    pub(crate) fn render(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A request on its way through the server.
pub(crate) struct InFlight<'a> {
    metrics: &'a Metrics,
    begun: Instant,
}

impl InFlight<'_> {
    pub(crate) fn answered(self, code: u16) {
        let ModelLabels { model, version } = self.metrics.labels.clone();
        self.metrics
            .requests
            .get_or_create(&RequestLabels {
                model,
                version,
                code,
            })
            .inc();
        self.metrics
            .durations
            .observe(self.begun.elapsed().as_secs_f64());
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
    }
}
