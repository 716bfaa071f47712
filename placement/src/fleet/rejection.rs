//! Why a zone runs nothing of a service.

use std::fmt;
use std::time::Duration;

use super::problem::{Service, Zone};
use super::ready::Kind;
use crate::MaximumCause;
use isobar_capacity::Target;

/// The reason for which a zone runs no replicas.
#[derive(Debug, Clone, PartialEq)]
pub enum Rejection {
    /// It cannot run any now.
    Down,
    /// It is not where the service may run.
    Residency {
        /// Where it is, if that is known.
        jurisdiction: Option<String>,
    },
    /// Requests would come back too late.
    Latency {
        /// Where the nearest requests come from.
        origin: String,
        /// Their round trip.
        round_trip: Duration,
        /// The time that serving takes.
        service: Duration,
        /// The bound.
        bound: Duration,
    },
    /// It sells nothing that a replica fits on.
    NoInstance,
    /// Nothing is known to be sold there.
    NothingSold,
    /// What it sells cannot keep the latency objective.
    TooSlow {
        /// Why not.
        why: String,
    },
    /// None may be run there.
    Quota {
        /// The setting.
        cause: MaximumCause,
    },
    /// Other services run all that there is.
    Taken {
        /// The shape that is cheapest of those that fit.
        shape: String,
        /// How many there are.
        most: u32,
    },
    /// Others do it for less.
    Dearer {
        /// What the placement would cost more with a replica there, in millionths of a dollar per
        /// hour; none where the other rules leave no room for one.
        micros_per_hour: Option<u64>,
    },
}

impl Rejection {
    /// What keeps a service out of a zone before any number is looked at.
    pub(super) fn of(service: &Service, zone: &Zone) -> Option<Self> {
        if !zone.available {
            return Some(Self::Down);
        }
        let permitted = service.rules.residency.as_ref().is_none_or(|permitted| {
            let known = zone.jurisdiction.as_ref();
            known.is_some_and(|jurisdiction| permitted.contains(jurisdiction))
        });
        (!permitted).then(|| Self::Residency {
            jurisdiction: zone.jurisdiction.clone(),
        })
    }

    pub(super) fn too_far(service: &Service, zone: &Zone) -> Self {
        let performance = service.capacity.performance();
        let bound = match service.capacity.target() {
            Target::Latency(slo) => slo.latency,
            Target::Utilisation(_) => Duration::MAX,
        };
        let trips = service.origins.iter().map(|origin| {
            let trip = zone.round_trips.get(&origin.name).copied();
            (trip.unwrap_or_default(), origin.name.clone())
        });
        let (round_trip, origin) = trips.min().unwrap_or_default();
        Self::Latency {
            origin,
            round_trip,
            service: performance.service_p95.unwrap_or(performance.service_time),
            bound,
        }
    }

    /// The setting that leaves no room, where a zone may run none.
    pub(super) fn full(kinds: &[Kind]) -> Option<Self> {
        let most = kinds.iter().max_by_key(|kind| kind.most)?;
        (most.most == 0).then_some(Self::Quota { cause: most.cause })
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("unavailable"),
            Self::Residency { jurisdiction: None } => f.write_str(
                "not permitted: its jurisdiction is not known, and residency is restricted",
            ),
            Self::Residency {
                jurisdiction: Some(place),
            } => write!(f, "not permitted: {place} is not in the residency"),
            Self::Latency {
                origin,
                round_trip,
                service,
                bound,
            } => {
                let place = if origin.is_empty() {
                    "requests"
                } else {
                    origin
                };
                write!(
                    f,
                    "too far: {} ms from {place} and {} ms of service are not below {} ms",
                    round_trip.as_millis(),
                    service.as_millis(),
                    bound.as_millis()
                )
            }
            Self::NothingSold => f.write_str(
                "nothing is known to be sold there: set a price in the zone, or an offer",
            ),
            Self::NoInstance => f.write_str("sells no instance that a replica fits on"),
            Self::TooSlow { why } => write!(f, "too slow: {why}"),
            Self::Quota { cause } => write!(f, "may run none ({cause} 0)"),
            Self::Taken { shape, most } => {
                write!(f, "no {shape} left: other deployments run all {most}")
            }
            Self::Dearer {
                micros_per_hour: Some(micros),
            } => write!(
                f,
                "not needed: a replica here costs {} $/h more",
                dollars(*micros)
            ),
            Self::Dearer {
                micros_per_hour: None,
            } => f.write_str("not needed: the others leave no room for a replica here"),
        }
    }
}

/// Dollars with as many decimals as are needed, at least two and at most four.
fn dollars(micros: u64) -> String {
    let text = format!("{:.4}", micros as f64 / 1e6);
    let trimmed = text.trim_end_matches('0');
    let decimals = trimmed.len() - trimmed.find('.').map_or(trimmed.len(), |dot| dot + 1);
    match decimals {
        0 | 1 => format!("{:.2}", micros as f64 / 1e6),
        _ => trimmed.to_owned(),
    }
}
