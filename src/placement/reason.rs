//! Why a zone runs as many replicas as it does.

use std::fmt;

use super::{MaximumCause, Problem, Survive, micros};

/// One cause of a zone's replicas, with its numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Replicas that carry the zone's share of the demand while all zones are there.
    Demand {
        /// The demand of all zones, in requests per second.
        demand: f64,
        /// The zone's share of it, in requests per second.
        rate: f64,
        /// What each replica of the zone carries, in requests per second.
        rate_per_replica: f64,
        /// How many there are.
        replicas: u32,
    },
    /// Replicas beyond those that let the zones carry the demand without another one.
    Survives {
        /// The other zone whose loss needs the most.
        lost: String,
        /// The demand that must be met then, in requests per second.
        demand: f64,
        /// How many there are.
        extra: u32,
    },
    /// Replicas beyond those that the capacity policy wants at least.
    Minimum {
        /// The least number of the zone.
        minimum: u32,
        /// How many there are beyond the demand.
        extra: u32,
    },
    /// Replicas beyond those that keep another zone within its greatest share.
    Share {
        /// The greatest share.
        share: f64,
        /// How many there are.
        extra: u32,
    },
    /// The zone runs none, because others do for less.
    NotNeeded,
    /// The zone runs none, because it cannot now.
    Unavailable,
    /// The zone runs as many as it may.
    Maximum {
        /// Its greatest number.
        maximum: u32,
        /// What set it.
        cause: MaximumCause,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Demand {
                rate,
                rate_per_replica,
                ..
            } => {
                write!(f, "{rate:.1} req/s at {rate_per_replica:.1} req/s each")
            }
            Self::Survives { lost, extra, .. } => write!(f, "+{extra} to survive loss of {lost}"),
            Self::Minimum { minimum, extra } => write!(f, "+{extra} for the minimum of {minimum}"),
            Self::Share { share, extra } => {
                write!(
                    f,
                    "+{extra} to keep every zone within {:.0} % of replicas",
                    share * 100.0
                )
            }
            Self::NotNeeded => f.write_str("not needed: other zones carry the demand for less"),
            Self::Unavailable => f.write_str("unavailable"),
            Self::Maximum { maximum, cause } => write!(f, "at its maximum of {maximum} ({cause})"),
        }
    }
}

impl Problem<'_> {
    /// The reasons of the zone at `place`, which serves `rate` requests per second.
    pub(super) fn reasons(&self, place: usize, counts: &[u32], rate: f64) -> Vec<Reason> {
        let (zone, replicas) = (self.zones[place], counts[place]);
        if !zone.available {
            return vec![Reason::Unavailable];
        }
        let mut reasons = Vec::new();
        // The share is at most what the zone carries, so the search ends at its replicas.
        let for_demand = (0..replicas).find(|fewer| micros(self.rate(*fewer)) >= micros(rate));
        let for_demand = for_demand.unwrap_or(replicas);
        if for_demand > 0 {
            reasons.push(Reason::Demand {
                demand: self.request.demand,
                rate,
                rate_per_replica: self.rate(replicas) / f64::from(replicas),
                replicas: for_demand,
            });
        }
        if replicas > for_demand {
            reasons.push(self.beyond_demand(place, counts, replicas - for_demand));
        }
        if replicas == 0 {
            reasons.push(Reason::NotNeeded);
        }
        if replicas == zone.maximum {
            reasons.push(Reason::Maximum {
                maximum: zone.maximum,
                cause: zone.maximum_cause,
            });
        }
        reasons
    }

    /// What the last `extra` replicas of a zone are for.
    fn beyond_demand(&self, place: usize, counts: &[u32], extra: u32) -> Reason {
        let zone = self.zones[place];
        let mut lost: Option<usize> = None;
        for other in (0..counts.len()).filter(|other| *other != place) {
            if counts[other] > lost.map_or(0, |lost| counts[lost]) {
                lost = Some(other);
            }
        }
        // With one replica fewer here, would that loss still be survived?
        let fewer = lost.map(|lost| {
            let others = (0..counts.len()).filter(|other| *other != lost && *other != place);
            let others: f64 = others.map(|other| self.rate(counts[other])).sum();
            others + self.rate(counts[place].saturating_sub(1))
        });
        let demand = self.request.demand;
        match (lost, fewer, self.request.max_zone_share) {
            (Some(lost), Some(fewer), _)
                if self.request.survive == Survive::Zone && micros(fewer) < micros(demand) =>
            {
                Reason::Survives {
                    lost: self.zones[lost].name.clone(),
                    demand,
                    extra,
                }
            }
            (_, _, Some(share)) if counts[place] > zone.minimum => Reason::Share { share, extra },
            _ if counts[place] > zone.minimum && self.request.survive == Survive::Zone => {
                let lost = lost.map_or_else(String::new, |lost| self.zones[lost].name.clone());
                Reason::Survives {
                    lost,
                    demand,
                    extra,
                }
            }
            _ => Reason::Minimum {
                minimum: zone.minimum,
                extra,
            },
        }
    }
}
