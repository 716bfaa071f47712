//! Demand over zones: how many replicas each zone runs, at the least cost, and why.

mod error;
pub mod fleet;
mod reason;
mod search;

use std::fmt;

use self::search::{Bounds, Search};
use isobar_capacity::Capacity;

pub use self::error::{PlacementError, Raise, Shared};
pub use self::reason::Reason;

/// The most replicas in one zone that are searched for.
pub const MOST_REPLICAS: u32 = 2_000;

/// A zone that may run replicas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// Its name, unique among the zones.
    pub name: String,
    /// The price of a replica, in millionths of a currency unit per hour.
    pub price_micros_per_hour: u64,
    /// The replicas that it runs at least, while it is available.
    pub minimum: u32,
    /// The replicas that it runs at most.
    pub maximum: u32,
    /// What set the maximum.
    pub maximum_cause: MaximumCause,
    /// Whether it can run replicas now.
    pub available: bool,
}

impl Zone {
    /// The price of some replicas, in millionths per hour.
    fn price(&self, replicas: u32) -> u64 {
        self.price_micros_per_hour
            .saturating_mul(u64::from(replicas))
    }
}

/// The setting behind a zone's maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MaximumCause {
    /// The capacity policy.
    MaxReplicas,
    /// The limits of the zone in the configuration.
    Limits,
    /// The quota that the provider reports.
    Quota,
}

impl fmt::Display for MaximumCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MaxReplicas => "max_replicas",
            Self::Limits => "limits",
            Self::Quota => "quota",
        })
    }
}

/// The loss that demand must be met under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survive {
    /// None.
    Nothing,
    /// That of any one zone.
    Zone,
}

/// What to place.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The demand of all zones together, in requests per second.
    pub demand: f64,
    /// The zones, in any order.
    pub zones: Vec<Zone>,
    /// What must not matter.
    pub survive: Survive,
    /// The greatest share of the replicas that one zone may run, above 0 and at most 1.
    pub max_zone_share: Option<f64>,
}

/// Replicas per zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// The demand that was placed, in requests per second.
    pub demand: f64,
    /// Every zone asked about, by name.
    pub zones: Vec<ZonePlan>,
    /// For every zone with replicas, by name: what is left without it.
    pub n_minus_one: Vec<Loss>,
    /// What surviving the loss of a zone adds to the cost, in millionths per hour; 0 where it is
    /// not asked for. None where without survival there would be no placement.
    pub survival_micros_per_hour: Option<u64>,
}

/// What one zone runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ZonePlan {
    /// The zone.
    pub name: String,
    /// Its replicas.
    pub replicas: u32,
    /// The share of the demand that it serves while all zones are there, in proportion to its
    /// capacity.
    pub share: f64,
    /// That share, in requests per second.
    pub rate: f64,
    /// The demand that it can carry within the target, in requests per second.
    pub capacity: f64,
    /// The price of its replicas, in millionths per hour.
    pub price_micros_per_hour: u64,
    /// Why it runs so many: what they are for in order, then what stopped it from running more.
    pub reasons: Vec<Reason>,
}

/// The loss of a zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Loss {
    /// The lost zone.
    pub zone: String,
    /// What the others can carry, in requests per second.
    pub remaining_capacity: f64,
    /// The demand beyond that, in requests per second.
    pub shed: f64,
    /// What replicas elsewhere that carry it would cost, in millionths per hour; none where nothing
    /// is shed, or where it is not known.
    pub close_micros_per_hour: Option<u64>,
}

impl Placement {
    /// The price of all replicas, in millionths per hour.
    pub fn price_micros_per_hour(&self) -> u64 {
        self.zones.iter().fold(0, |sum, zone| {
            sum.saturating_add(zone.price_micros_per_hour)
        })
    }
}

/// Places `request` on zones that are sized by `capacity`, each zone a pool behind its own gateway.
///
/// The placement meets the demand, under any loss asked for, at the least price; of those it has
/// the fewest replicas, then the smallest greatest zone, then the most capacity, then the most in
/// the zones that come first by name. It is exact, and the same for zones in any order.
///
/// # Errors
///
/// When a setting is out of range or no placement meets the demand; the error names what is in the
/// way.
pub fn place(capacity: &Capacity, request: &Request) -> Result<Placement, PlacementError> {
    let mut zones: Vec<&Zone> = request.zones.iter().collect();
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    let problem = Problem::new(capacity, request, zones)?;
    let counts = problem
        .solve(request.survive)
        .ok_or_else(|| problem.infeasible())?;
    let price = |counts: &[u32]| -> u64 {
        let zones = problem.zones.iter().zip(counts);
        zones.fold(0, |sum, (zone, count)| {
            sum.saturating_add(zone.price(*count))
        })
    };
    let survival = match request.survive {
        Survive::Nothing => Some(0),
        Survive::Zone => problem
            .solve(Survive::Nothing)
            .map(|without| price(&counts).saturating_sub(price(&without))),
    };
    Ok(problem.placement(&counts, survival))
}

/// A request that passed the first checks, with the rates that pools of each size carry.
struct Problem<'a> {
    capacity: &'a Capacity,
    request: &'a Request,
    /// By name.
    zones: Vec<&'a Zone>,
    /// The replicas that carry all the demand in one zone.
    needed: u32,
    /// The rate that a pool carries, by its replicas: up to those that a zone may run and need.
    rates: Vec<f64>,
}

impl<'a> Problem<'a> {
    fn new(
        capacity: &'a Capacity,
        request: &'a Request,
        zones: Vec<&'a Zone>,
    ) -> Result<Self, PlacementError> {
        if let Some(share) = request.max_zone_share
            && !(share > 0.0 && share <= 1.0)
        {
            return Err(PlacementError::ShareOutOfRange { share });
        }
        if let Some(pair) = zones.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(PlacementError::DuplicateZone {
                zone: pair[0].name.clone(),
            });
        }
        let needed = capacity.size(request.demand)?.replicas;
        let greatest = |bound: fn(&Zone) -> u32| {
            let available = zones.iter().filter(|zone| zone.available);
            available.map(|zone| bound(zone)).max().unwrap_or(0)
        };
        let largest = needed
            .min(greatest(|zone| zone.maximum))
            .max(greatest(|zone| zone.minimum));
        if largest > MOST_REPLICAS {
            return Err(PlacementError::TooManyReplicas { needed: largest });
        }
        let mut problem = Self {
            capacity,
            request,
            zones,
            needed,
            rates: Vec::new(),
        };
        problem.rates = (0..=largest)
            .map(|replicas| problem.rate(replicas))
            .collect();
        Ok(problem)
    }

    fn available(&self) -> impl Iterator<Item = &'a Zone> {
        self.zones.iter().copied().filter(|zone| zone.available)
    }

    /// The rate that `replicas` carry, in whole millionths, so that sums compare as those of the
    /// search do.
    fn rate(&self, replicas: u32) -> f64 {
        let known = self.rates.get(replicas as usize).copied();
        known.unwrap_or_else(|| micros(self.capacity.max_rate(replicas)) as f64 / 1e6)
    }

    /// The replicas of every zone, if demand can be met.
    fn solve(&self, survive: Survive) -> Option<Vec<u32>> {
        let available = self.available().count();
        if survive == Survive::Zone && available < 2 {
            return None;
        }
        let largest = self.rates.len().saturating_sub(1) as u32;
        let bounds = |zone: &&Zone| Bounds {
            costs: (0..=largest).map(|count| zone.price(count)).collect(),
            least: if zone.available { zone.minimum } else { 0 },
            most: if zone.available { zone.maximum } else { 0 },
        };
        let zones: Vec<_> = self.zones.iter().map(bounds).collect();
        let rates: Vec<_> = self.rates.iter().map(|rate| micros(*rate)).collect();
        let search = Search {
            zones: &zones,
            rates: &rates,
            demand: micros(self.request.demand),
            failover: match survive {
                Survive::Nothing => None,
                Survive::Zone => Some(micros(self.request.demand)),
            },
            share: self.request.max_zone_share,
        };
        search.best()
    }

    fn placement(&self, counts: &[u32], survival: Option<u64>) -> Placement {
        let demand = self.request.demand;
        let total: f64 = counts.iter().map(|count| self.rate(*count)).sum();
        let plan = |(place, (zone, count)): (usize, (&&Zone, &u32))| {
            let capacity = self.rate(*count);
            let share = if total > 0.0 { capacity / total } else { 0.0 };
            ZonePlan {
                name: zone.name.clone(),
                replicas: *count,
                share,
                rate: share * demand,
                capacity,
                price_micros_per_hour: zone.price(*count),
                reasons: self.reasons(place, counts, share * demand),
            }
        };
        let loss = |(zone, count): (&&Zone, &u32)| {
            let remaining_capacity = total - self.rate(*count);
            // What rounding to millionths leaves is no loss.
            let shed = if micros(demand) > micros(remaining_capacity) {
                demand - remaining_capacity
            } else {
                0.0
            };
            Loss {
                zone: zone.name.clone(),
                remaining_capacity,
                shed,
                close_micros_per_hour: None,
            }
        };
        let pairs = || self.zones.iter().zip(counts);
        Placement {
            demand,
            zones: pairs().enumerate().map(plan).collect(),
            n_minus_one: pairs().filter(|(_, count)| **count > 0).map(loss).collect(),
            survival_micros_per_hour: survival,
        }
    }
}

/// Rates are compared in millionths of a request per second, so that sums do not depend on their
/// order. More than a billion requests per second count as a billion, so that sums do not overflow.
fn micros(rate: f64) -> u64 {
    (rate.min(1e9) * 1e6).round() as u64
}

#[cfg(test)]
mod tests;
