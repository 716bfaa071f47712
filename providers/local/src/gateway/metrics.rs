//! What a gateway counts.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::pool::Replica;

/// Upper bounds in seconds: from a cache hit to a long generation.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    version: String,
    code: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByVersion {
    version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByState {
    version: String,
    state: &'static str,
}

/// Counters since the gateway began.
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    duration: Family<ByVersion, Histogram>,
    retries: Counter,
    replicas: Family<ByState, Gauge>,
    in_flight: Family<ByVersion, Gauge>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("isobar_gateway"),
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            retries: Counter::default(),
            replicas: Family::default(),
            in_flight: Family::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("requests", "Requests answered", self.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "Time from the request to the head of its answer",
            Unit::Seconds,
            self.duration.clone(),
        );
        registry.register(
            "retries",
            "Requests sent to another replica because the first one failed",
            self.retries.clone(),
        );
        registry.register("replicas", "Replicas by state", self.replicas.clone());
        registry.register("in_flight", "Requests under way", self.in_flight.clone());
        self
    }

    /// A request was answered; `version` is empty where no replica could take it.
    pub(super) fn answered(&self, version: &str, code: u16, after: Duration) {
        let version = version.to_owned();
        let by_version = ByVersion {
            version: version.clone(),
        };
        self.requests
            .get_or_create(&Answered { version, code })
            .inc();
        self.duration
            .get_or_create(&by_version)
            .observe(after.as_secs_f64());
    }

    /// A request is sent to another replica.
    pub(super) fn retried(&self) {
        self.retries.inc();
    }

    /// Everything in the OpenMetrics text format, with `replicas` as they are now.
    pub(super) fn text<'a>(&self, replicas: impl Iterator<Item = &'a Replica>) -> Option<String> {
        self.replicas.clear();
        self.in_flight.clear();
        for replica in replicas {
            let version = || replica.version.clone();
            let state = if replica.is_ready() { "ready" } else { "down" };
            self.replicas
                .get_or_create(&ByState {
                    version: version(),
                    state,
                })
                .inc();
            let under_way = i64::try_from(replica.in_flight()).unwrap_or(i64::MAX);
            self.in_flight
                .get_or_create(&ByVersion { version: version() })
                .inc_by(under_way);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }
}
