//! What is to be placed: services, and the zones that they share.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::MaximumCause;
use isobar_capacity::{Capacity, Ceiling};

/// Services and the zones that they share.
#[derive(Debug, Clone, PartialEq)]
pub struct Fleet {
    /// The zones, in any order.
    pub zones: Vec<Zone>,
    /// The services, in any order.
    pub services: Vec<Service>,
}

/// A place that sells instances.
#[derive(Debug, Clone, PartialEq)]
pub struct Zone {
    /// Its name, unique among the zones.
    pub name: String,
    /// Who runs it.
    pub provider: String,
    /// The region it is part of; a zone without one is a region of its own.
    pub region: Option<String>,
    /// Under whose law it is, such as `EU`.
    pub jurisdiction: Option<String>,
    /// Whether it can run replicas now.
    pub available: bool,
    /// What it sells.
    pub shapes: Vec<Shape>,
    /// Where its electricity comes from.
    pub grid: Grid,
    /// The price of traffic to the outside, in millionths of a dollar per gigabyte.
    pub egress_micros_per_gigabyte: u64,
    /// The time there and back, by the name of the origin of requests.
    pub round_trips: BTreeMap<String, Duration>,
    /// How often a spot instance is taken away, per hour.
    pub preemptions_per_hour: f64,
}

/// The electricity of a zone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// What a kilowatt-hour emits, in grams of CO₂ equivalent.
    pub grams_per_kwh: f64,
    /// The power that the building takes per power that the machines take.
    pub pue: f64,
}

impl Default for Grid {
    /// One that emits nothing.
    fn default() -> Self {
        Self {
            grams_per_kwh: 0.0,
            pue: 1.0,
        }
    }
}

/// An instance type as a zone sells it; one instance runs one replica.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its name, unique within the zone.
    pub name: String,
    /// The price on demand, in millionths of a dollar per hour.
    pub price_micros_per_hour: u64,
    /// The price of a spot instance, where they are sold.
    pub spot_micros_per_hour: Option<u64>,
    /// What it draws under load, in watts.
    pub watts: f64,
    /// How many times as fast as measured it serves.
    pub speed: f64,
    /// The most instances of all services together, on demand and spot.
    pub limit: Option<Limit>,
}

/// A greatest number, and the setting behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// The number.
    pub most: u32,
    /// The setting.
    pub cause: MaximumCause,
}

/// A model version that serves requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name, unique among the services.
    pub name: String,
    /// What a pool of its replicas carries.
    pub capacity: Capacity,
    /// Where requests come from; each name once.
    pub origins: Vec<Origin>,
    /// Where it may run.
    pub sites: Vec<Site>,
    /// What must hold.
    pub rules: Rules,
    /// What counts beside the price.
    pub weights: Weights,
}

/// Requests from one place.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The name that the round trips of zones go by.
    pub name: String,
    /// The demand to carry while everything works, in requests per second.
    pub demand: f64,
    /// The demand to carry during an outage, in requests per second. Outages and tails of the
    /// demand rarely meet, so this may be a lower quantile.
    pub failover: f64,
}

impl Origin {
    /// Requests from nowhere in particular, as many in an outage as otherwise.
    pub fn anywhere(demand: f64) -> Self {
        Self {
            name: String::new(),
            demand,
            failover: demand,
        }
    }
}

/// A zone as one service sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The name of the zone.
    pub zone: String,
    /// The names of the shapes that a replica fits on.
    pub shapes: Vec<String>,
    /// By shape, what a replica on it serves at most for want of a resource; no such bound for
    /// those that are not listed.
    pub ceilings: BTreeMap<String, Ceiling>,
    /// The replicas that it runs at least, while the zone is available and permitted.
    pub minimum: u32,
    /// The replicas that it runs at most.
    pub maximum: Option<u32>,
    /// What it runs now.
    pub present: Option<Present>,
}

/// What a service runs in a zone now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The shape; none where it is not known, so that any is taken for it.
    pub shape: Option<String>,
    /// Replicas on demand.
    pub on_demand: u32,
    /// Replicas on spot instances.
    pub spot: u32,
}

/// What must hold of a placement.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// The loss under which the failover demand must be met without spot instances.
    pub survive: Option<Domain>,
    /// The jurisdictions that it may run in; all where none are given.
    pub residency: Option<BTreeSet<String>>,
    /// The greatest share of the replicas that one zone may run, above 0 and at most 1.
    pub max_zone_share: Option<f64>,
    /// The fewest zones that run replicas, where there is demand.
    pub min_zones: u32,
    /// The greatest share of replicas on spot instances, from 0 to 1.
    pub max_spot_share: f64,
    /// The most replicas that may be started, unless the demand is not met with so few.
    pub max_moves: Option<u32>,
    /// How still what runs is kept: it is left as it is, where it holds, unless a placement of this
    /// part more demand than there is would still cost less. So a demand that goes up and down
    /// within the band starts and stops nothing.
    pub band: f64,
}

impl Default for Rules {
    /// Nothing but the demand must be met, on demand.
    fn default() -> Self {
        Self {
            survive: None,
            residency: None,
            max_zone_share: None,
            min_zones: 0,
            max_spot_share: 0.0,
            max_moves: None,
            band: 0.0,
        }
    }
}

/// What is lost at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Domain {
    /// One zone.
    Zone,
    /// All zones of one region of one provider.
    Region,
    /// All zones of one provider.
    Provider,
}

impl Domain {
    /// The word for it in a configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Zone => "zone",
            Self::Region => "region",
            Self::Provider => "provider",
        }
    }

    /// What of this kind a zone belongs to, as people call it.
    #[must_use]
    pub fn of(self, zone: &Zone) -> String {
        match (self, &zone.region) {
            (Self::Provider, _) => zone.provider.clone(),
            (Self::Region, Some(region)) => format!("{} {region}", zone.provider),
            (Self::Zone, _) | (Self::Region, None) => zone.name.clone(),
        }
    }
}

/// What counts beside the price of instances; everything becomes dollars per hour.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Dollars per tonne of CO₂ equivalent.
    pub carbon_price: f64,
    /// Dollars per hour that requests spend on their way: 100 requests per second that travel 36 ms
    /// each are 3.6 requests under way at any time, and so 3.6 hours in an hour.
    pub latency_price: f64,
    /// Dollars per request that is not served in time because a spot instance was taken away.
    pub violation_price: f64,
    /// What goes out per request, in gigabytes.
    pub gigabytes_per_request: f64,
    /// The hours over which what it costs to start a replica is spread; starting costs the price
    /// of the time until the replica serves.
    pub dwell_hours: f64,
}

impl Default for Weights {
    /// Only prices count, those of starting replicas spread over an hour.
    fn default() -> Self {
        Self {
            carbon_price: 0.0,
            latency_price: 0.0,
            violation_price: 0.0,
            gigabytes_per_request: 0.0,
            dwell_hours: 1.0,
        }
    }
}
