//! Why a zone runs as many replicas as it does.

use std::fmt;

use isobar_capacity::Resource;

use super::fleet::Rejection;
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
        /// What each of them carries, in requests per second.
        rate_per_replica: f64,
        /// How many there are.
        replicas: u32,
        /// The resource that bounds what each carries, where waiting time or utilisation do not.
        by: Option<Resource>,
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
    /// Replicas that run already, and whose end would save next to nothing.
    Kept {
        /// How many there are.
        extra: u32,
    },
    /// The zone runs none, for this reason.
    Rejected(Rejection),
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
                replicas,
                by,
                ..
            } => {
                write!(
                    f,
                    "{replicas} for {rate:.1} req/s at {rate_per_replica:.1} each"
                )?;
                match by {
                    Some(resource) => write!(f, ", bounded by {resource}"),
                    None => Ok(()),
                }
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
            Self::Kept { extra } => write!(f, "+{extra} kept, as to move saves next to nothing"),
            Self::Rejected(rejection) => rejection.fmt(f),
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
        let carries = |fewer: &u32| micros(self.rate(*fewer)) >= micros(rate);
        let enough = (0..replicas).find(carries).unwrap_or(replicas);
        let beyond = self.beyond_demand(place, counts, replicas - enough);
        let for_demand = if beyond.is_some() { enough } else { replicas };
        let demand = (for_demand > 0).then(|| Reason::Demand {
            demand: self.request.demand,
            rate,
            rate_per_replica: self.rate(for_demand) / f64::from(for_demand),
            replicas: for_demand,
            by: None,
        });
        let unneeded = (replicas == 0).then_some(Reason::NotNeeded);
        let full = Reason::Maximum {
            maximum: zone.maximum,
            cause: zone.maximum_cause,
        };
        let full = (replicas == zone.maximum).then_some(full);
        [demand, beyond, unneeded, full]
            .into_iter()
            .flatten()
            .collect()
    }

    /// What the last `extra` replicas of a zone are for, if not the demand.
    fn beyond_demand(&self, place: usize, counts: &[u32], extra: u32) -> Option<Reason> {
        if extra == 0 {
            return None;
        }
        let minimum = self.zones[place].minimum;
        let survives = self.largest_other(place, counts).map(|lost| {
            let reason = Reason::Survives {
                lost: self.zones[lost].name.clone(),
                demand: self.request.demand,
                extra,
            };
            (self.one_less_survives(place, lost, counts), reason)
        });
        match (survives, self.request.max_zone_share) {
            (Some((false, reason)), _) => Some(reason),
            _ if counts[place] == minimum => Some(Reason::Minimum { minimum, extra }),
            (_, Some(share)) => Some(Reason::Share { share, extra }),
            (survives, None) => survives.map(|(_, reason)| reason),
        }
    }

    /// Of the other zones the largest, whose loss takes the most, where a loss must be survived.
    fn largest_other(&self, place: usize, counts: &[u32]) -> Option<usize> {
        if self.request.survive == Survive::Nothing {
            return None;
        }
        let others = (0..counts.len()).filter(|other| *other != place && counts[*other] > 0);
        others.max_by_key(|other| (counts[*other], std::cmp::Reverse(*other)))
    }

    /// Whether the loss of `lost` would be survived with one replica fewer at `place`.
    fn one_less_survives(&self, place: usize, lost: usize, counts: &[u32]) -> bool {
        let others = (0..counts.len()).filter(|other| *other != lost && *other != place);
        let others: f64 = others.map(|other| self.rate(counts[other])).sum();
        let left = others + self.rate(counts[place].saturating_sub(1));
        micros(left) >= micros(self.request.demand)
    }
}
