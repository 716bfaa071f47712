//! What was placed, how good that is, and why.

use std::fmt;

use super::problem::Domain;
use super::rejection::Rejection;
use crate::{PlacementError, Reason};

/// A placement of a fleet.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Every service, by name.
    pub services: Vec<Allocation>,
    /// What the constraints cost that cost something, the dearest first.
    pub shadows: Vec<Shadow>,
}

/// Where a service runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Allocation {
    /// Its name.
    pub service: String,
    /// The demand of all origins, in requests per second.
    pub demand: f64,
    /// The demand in an outage, in requests per second.
    pub failover: f64,
    /// What was weighed, in millionths of a dollar per hour: prices and everything that the
    /// weights make dollars of.
    pub cost_micros_per_hour: u64,
    /// How much of the cost a better placement could save at most.
    pub gap: Gap,
    /// Every zone asked about, by name.
    pub zones: Vec<Allotment>,
    /// For everything with replicas that can be lost at once, by name: what is left without it.
    pub losses: Vec<Outage>,
}

/// How far a placement may be from the best one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gap {
    /// It is the best one.
    Proven,
    /// It costs at most this part more than the best one, such as 0.02; services that share limits
    /// have it in common.
    Within(f64),
}

impl Gap {
    pub(super) fn of(cost: i64, bound: i64) -> Self {
        let over = cost.saturating_sub(bound);
        match over <= 0 {
            true => Self::Proven,
            // A bound of nothing proves nothing, and what costs so little needs no proof.
            false => Self::Within(over as f64 / bound.max(1) as f64),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proven => f.write_str("optimal"),
            Self::Within(part) => {
                // Rounded up, so that it stays true.
                let percent = (part * 1000.0).ceil() / 10.0;
                write!(f, "within {percent:.1} % of optimal")
            }
        }
    }
}

/// What a service runs in a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Allotment {
    /// The zone.
    pub zone: String,
    /// The shape; none where nothing runs.
    pub shape: Option<String>,
    /// Replicas on demand.
    pub on_demand: u32,
    /// Replicas on spot instances.
    pub spot: u32,
    /// What it serves while everything works, in requests per second.
    pub rate: f64,
    /// What it can carry within the target, in requests per second.
    pub capacity: f64,
    /// The price of its replicas, in millionths of a dollar per hour.
    pub price_micros_per_hour: u64,
    /// What its replicas emit, in grams of CO₂ equivalent per hour.
    pub grams_per_hour: f64,
    /// Why it runs so many: what they are for in order, then what stopped it from running more.
    pub reasons: Vec<Reason>,
    /// Why it runs none, where it does.
    pub rejection: Option<Rejection>,
}

impl Allotment {
    /// All its replicas.
    #[must_use]
    pub const fn replicas(&self) -> u32 {
        self.on_demand + self.spot
    }
}

/// The loss of a zone, region or provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// What is lost.
    pub domain: Domain,
    /// Its name.
    pub lost: String,
    /// What the others can carry without spot instances, in requests per second.
    pub remaining_capacity: f64,
    /// The part of the failover demand that nobody carries, in requests per second.
    pub shed: f64,
    /// What replicas elsewhere that carry it would cost, in millionths of a dollar per hour; none
    /// where nothing is shed or where there is no room for them.
    pub close_micros_per_hour: Option<u64>,
}

/// What a constraint costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadow {
    /// The constraint.
    pub binding: Binding,
    /// What a unit less of it would save by the linear relaxation, in millionths of a dollar per
    /// hour.
    pub micros_per_hour: u64,
}

/// A constraint that costs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binding {
    /// A request per second of the demand of a service.
    Demand {
        /// The service.
        service: String,
    },
    /// A request per second of its demand in an outage.
    Survive {
        /// The service.
        service: String,
        /// What is lost.
        domain: Domain,
    },
    /// A replica that a zone must run.
    Minimum {
        /// The service.
        service: String,
        /// The zone.
        zone: String,
    },
    /// A replica that a zone may not run.
    Maximum {
        /// The service.
        service: String,
        /// The zone.
        zone: String,
    },
    /// The greatest share of a zone; a replica beyond it.
    Share {
        /// The service.
        service: String,
    },
    /// The greatest share of spot instances; a replica beyond it.
    Spot {
        /// The service.
        service: String,
    },
    /// An instance beyond what a zone has of a shape.
    Limit {
        /// The zone.
        zone: String,
        /// The shape.
        shape: String,
    },
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demand { service } => write!(f, "1 req/s of the demand of {service}"),
            Self::Survive { service, domain } => {
                write!(
                    f,
                    "1 req/s less for {service} to survive the loss of a {}",
                    domain.word()
                )
            }
            Self::Minimum { service, zone } => write!(f, "1 replica less in {zone} for {service}"),
            Self::Maximum { service, zone } => write!(f, "1 replica more in {zone} for {service}"),
            Self::Share { service } => {
                write!(
                    f,
                    "1 replica of {service} beyond the greatest share of a zone"
                )
            }
            Self::Spot { service } => {
                write!(
                    f,
                    "1 replica of {service} beyond the greatest share of spot instances"
                )
            }
            Self::Limit { zone, shape } => write!(f, "1 more {shape} in {zone}"),
        }
    }
}

/// Why services cannot be placed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct Unplaced {
    /// The services that it is about, by name.
    pub services: Vec<String>,
    /// What is in the way, and what would free it.
    pub error: PlacementError,
}
