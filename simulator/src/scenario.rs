//! What is simulated: a service in zones, and what goes wrong.

use std::time::Duration;

use isobar_capacity::{Arrivals, Capacity, CapacityError, Performance, Slo, Target};

use super::stream::{Purpose, Stream};
use super::trace::{DAY, MINUTE, SLOT, Trace};

/// How old the newest measurement is when a policy decides, in slots: half a minute. The loss of a
/// zone is noticed as late.
pub const LAG: usize = 2;

/// How far startup times spread: the deviation of their logarithm.
pub const STARTUP_SPREAD: f64 = 0.3;

/// What runs, how fast and how well it must serve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// What one replica does; `startup` is the median.
    pub performance: Performance,
    /// The objective, from the user's arrival to the answer.
    pub slo: Slo,
    /// The mean draw of one replica, in watts.
    pub watts: f64,
}

/// A zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Its name.
    pub name: String,
    /// The price of a replica-hour on demand.
    pub price: f64,
    /// The round trip between users and the zone.
    pub round_trip: Duration,
    /// Grams of CO2 equivalent for a kilowatt-hour.
    pub intensity: f64,
    /// The part of the replicas that runs on spot capacity, where there is any.
    pub spot: Option<Spot>,
}

/// Spot capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// The share of the replicas.
    pub share: f64,
    /// The price of a replica-hour.
    pub price: f64,
    /// How often an hour a replica is taken away.
    pub preemptions: f64,
}

/// The loss of a zone, with all its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outage {
    /// The zone, by place.
    pub zone: usize,
    /// The first slot.
    pub begin: usize,
    /// The first slot after it.
    pub end: usize,
}

/// Everything but the demand.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// What runs.
    pub service: Service,
    /// Where; the home zone comes first.
    pub zones: Vec<Zone>,
    /// The level of the demand that must be met without any one zone; `None` where the loss of one
    /// need not be survived.
    pub survive: Option<f64>,
    /// What goes wrong.
    pub outages: Vec<Outage>,
    /// The share of requests that a planner may let be too slow: what it tunes its quantile to.
    pub budget: f64,
    /// The level of the demand that a planner provides for, where it is not tuned.
    pub level: Option<f64>,
    /// The first slot that counts; what comes before is for learning.
    pub warmup: usize,
    /// The seed of every chance.
    pub seed: u64,
}

impl Scenario {
    /// How replicas are sized for users of all zones: the longest round trip counts.
    ///
    /// # Errors
    ///
    /// When the objective is out of reach, or a setting out of range.
    pub fn capacity(&self) -> Result<Capacity, CapacityError> {
        let trips = self.zones.iter().map(|zone| zone.round_trip);
        let slo = Slo {
            latency: self
                .service
                .slo
                .latency
                .saturating_sub(trips.max().unwrap_or_default()),
            ..self.service.slo
        };
        Capacity::new(
            self.service.performance,
            Arrivals::default(),
            Target::Latency(slo),
        )
    }

    /// How long a request in a zone may wait for a slot.
    pub(super) fn slack(&self, zone: &Zone) -> Duration {
        let performance = &self.service.performance;
        let service = performance.service_p95.unwrap_or(performance.service_time);
        let spent = zone.round_trip + service;
        self.service.slo.latency.saturating_sub(spent)
    }

    /// The median startup, in slots.
    pub(super) fn startup(&self) -> f64 {
        self.service.performance.startup.as_secs_f64() / SLOT
    }
}

/// The loss of a zone for this long around the greatest demand after `begin`: the worst time.
#[must_use]
pub fn outage_at_peak(trace: &Trace, begin: usize, zone: usize, minutes: usize) -> Outage {
    let slots = minutes * MINUTE;
    // The peak lies in the middle, but both the warm-up and the end are kept free.
    let latest = trace.rates.len().saturating_sub(slots + 1);
    let middle = trace.peak(begin + MINUTE).saturating_sub(slots / 2);
    let begin = middle.clamp(begin.min(latest), latest);
    Outage {
        zone,
        begin,
        end: begin + slots,
    }
}

/// Losses at random times: `per_month` of them in 30 days on average, each for this long.
#[must_use]
pub fn random_outages(
    slots: std::ops::Range<usize>,
    zones: usize,
    per_month: f64,
    minutes: usize,
    seed: u64,
) -> Vec<Outage> {
    let mut stream = Stream::new(seed, Purpose::Outages, 0);
    let mean = 30.0 * DAY as f64 / per_month;
    let (mut at, mut found) = (slots.start as f64, Vec::new());
    loop {
        at += mean * stream.exponential();
        let zone = stream.below(zones);
        if at.is_nan() || at >= slots.end as f64 {
            return found;
        }
        let begin = at as usize;
        found.push(Outage {
            zone,
            begin,
            end: begin + minutes * MINUTE,
        });
        at += (minutes * MINUTE) as f64;
    }
}
