//! The exact search for the cheapest replicas per zone.
//!
//! With x replicas a zone carries g(x). If M is the largest x, the loss of any one zone is survived
//! exactly when Σ g(x) ≥ demand + g(M). So for every M the cheapest placement with no zone above M
//! is searched for, zone by zone; partial placements that are no better in any respect than another
//! are dropped, and those that cannot become cheaper than the best known.

use std::cmp::Reverse;

/// What a zone allows.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// What replicas cost, by their number up to the most; never less for more.
    pub(super) costs: Vec<u64>,
    pub(super) least: u32,
    pub(super) most: u32,
}

/// Rates are in millionths of a request per second.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) zones: &'a [Bounds],
    /// The rate that a pool carries, by its replicas; more replicas than listed are never needed.
    pub(super) rates: &'a [u64],
    pub(super) demand: u64,
    /// The demand that must be met without any one zone, if a loss must be survived.
    pub(super) failover: Option<u64>,
    pub(super) share: Option<f64>,
}

/// A placement on the first zones.
#[derive(Debug, Clone)]
struct Partial {
    weight: u128,
    rate: u64,
    replicas: u32,
    counts: Vec<u32>,
}

/// The search with no zone above a given number of replicas.
struct Level<'a> {
    rates: &'a [u64],
    zones: Vec<Span<'a>>,
    rate_wanted: u64,
    replicas_wanted: u32,
    /// For every zone how much a unit of rate weighs at least, and how much it can add.
    gains: Vec<Gain>,
}

/// What a zone allows on a level.
#[derive(Debug, Clone, Copy)]
struct Span<'a> {
    costs: &'a [u64],
    least: u32,
    most: u32,
}

impl Span<'_> {
    /// One weight orders by cost first and by replicas second.
    fn weight(&self, replicas: u32) -> u128 {
        (u128::from(self.costs[replicas as usize]) << 32) + u128::from(replicas)
    }
}

#[derive(Debug, Clone, Copy)]
struct Gain {
    weight_per_rate: f64,
    rate: u64,
}

impl Search<'_> {
    /// The best placement, if there is one.
    pub(super) fn best(&self) -> Option<Vec<u32>> {
        if self.zones.iter().any(|zone| zone.least > zone.most) {
            return None;
        }
        let floor = self.zones.iter().map(|zone| zone.least).max().unwrap_or(0);
        let ceiling = self.zones.iter().map(|zone| zone.most).max().unwrap_or(0);
        // More than carries the whole demand is of no use in any zone.
        let ceiling = ceiling.min(self.rates.len() as u32 - 1).max(floor);
        let mut best: Option<Partial> = None;
        for most in floor..=ceiling {
            let bound = best.as_ref().map_or(u128::MAX, |best| best.weight);
            if let Some(found) = self.level(most).search(bound) {
                best = Some(found);
            }
        }
        best.map(|best| best.counts)
    }

    fn level(&self, most: u32) -> Level<'_> {
        let without = |failover: u64| failover + self.rates[most as usize];
        let zones = self.zones.iter().map(|zone| Span {
            costs: &zone.costs,
            least: zone.least,
            most: zone.most.min(most),
        });
        let zones: Vec<_> = zones.collect();
        let gains = zones.iter().map(|zone| gain(self.rates, zone)).collect();
        // A share such as 0.2 is not exact in binary, and 1 / 0.2 must stay 5.
        let replicas = |share: f64| (f64::from(most) / share - 1e-9).ceil() as u32;
        Level {
            rates: self.rates,
            zones,
            rate_wanted: self.demand.max(self.failover.map_or(0, without)),
            replicas_wanted: self.share.map_or(0, replicas),
            gains,
        }
    }
}

fn gain(rates: &[u64], zone: &Span<'_>) -> Gain {
    let Span { least, most, .. } = *zone;
    let added = |replicas: u32| rates[replicas as usize] - rates[least as usize];
    let weight_per_rate = |replicas: u32| {
        let weight = (zone.weight(replicas) - zone.weight(least)) as f64;
        let added = added(replicas);
        if added > 0 {
            weight / added as f64
        } else {
            f64::INFINITY
        }
    };
    let cheapest = (least + 1..=most)
        .map(weight_per_rate)
        .fold(f64::INFINITY, f64::min);
    Gain {
        weight_per_rate: cheapest,
        rate: added(most),
    }
}

impl Level<'_> {
    /// The lightest placement, below `bound`; of equally light ones that of the highest rate, then
    /// that with the most in the first zones.
    fn search(&self, bound: u128) -> Option<Partial> {
        let mut partials = vec![Partial {
            weight: 0,
            rate: 0,
            replicas: 0,
            counts: Vec::new(),
        }];
        let most = self
            .greedy()
            .map_or(u128::MAX, |greedy| greedy + 1)
            .min(bound);
        for place in 0..self.zones.len() {
            let rest = Rest::new(self, place + 1);
            let mut next = Vec::new();
            for partial in &partials {
                self.extend(partial, place, &mut next);
            }
            next.retain(|partial| rest.allows(self, partial, most));
            partials = self.undominated(next);
        }
        let done = |partial: &Partial| {
            partial.rate >= self.rate_wanted && partial.replicas >= self.replicas_wanted
        };
        let key = |partial: &Partial| {
            (
                partial.weight,
                Reverse(partial.rate),
                Reverse(partial.counts.clone()),
            )
        };
        partials
            .into_iter()
            .filter(done)
            .filter(|partial| partial.weight < bound)
            .min_by_key(key)
    }

    fn extend(&self, partial: &Partial, place: usize, into: &mut Vec<Partial>) {
        let zone = self.zones[place];
        for count in zone.least..=zone.most {
            let mut counts = partial.counts.clone();
            counts.push(count);
            into.push(Partial {
                weight: partial.weight + zone.weight(count),
                rate: partial.rate + self.rates[count as usize],
                replicas: partial.replicas + count,
                counts,
            });
        }
    }

    /// Drops what another partial placement of as many replicas (as far as they are wanted) beats
    /// in weight or rate and reaches in the other.
    fn undominated(&self, mut partials: Vec<Partial>) -> Vec<Partial> {
        let wanted = |partial: &Partial| partial.replicas.min(self.replicas_wanted);
        partials.sort_by(|a, b| {
            wanted(a)
                .cmp(&wanted(b))
                .then(a.weight.cmp(&b.weight))
                .then(b.rate.cmp(&a.rate))
                .then_with(|| b.counts.cmp(&a.counts))
        });
        let mut kept: Vec<Partial> = Vec::new();
        for partial in partials {
            let beaten = kept
                .last()
                .is_some_and(|last| wanted(last) == wanted(&partial) && last.rate >= partial.rate);
            if !beaten {
                kept.push(partial);
            }
        }
        kept
    }

    /// The weight of a placement that fills the zones of the cheapest rate first, if that suffices.
    fn greedy(&self) -> Option<u128> {
        let mut counts: Vec<u32> = self.zones.iter().map(|zone| zone.least).collect();
        let mut order: Vec<_> = (0..self.zones.len()).collect();
        order.sort_by(|a, b| {
            self.gains[*a]
                .weight_per_rate
                .total_cmp(&self.gains[*b].weight_per_rate)
        });
        let met = |counts: &[u32]| {
            let rate: u64 = counts.iter().map(|count| self.rates[*count as usize]).sum();
            rate >= self.rate_wanted && counts.iter().sum::<u32>() >= self.replicas_wanted
        };
        for place in order {
            while !met(&counts) && counts[place] < self.zones[place].most {
                counts[place] += 1;
            }
        }
        let weights = self.zones.iter().zip(&counts);
        met(&counts).then(|| weights.map(|(zone, count)| zone.weight(*count)).sum())
    }
}

/// What the zones from a place on must weigh at least.
struct Rest {
    least_weight: u128,
    least_rate: u64,
    most_replicas: u32,
    /// By weight per rate.
    gains: Vec<Gain>,
}

impl Rest {
    fn new(level: &Level<'_>, from: usize) -> Self {
        let zones = &level.zones[from..];
        let mut gains = level.gains[from..].to_vec();
        gains.sort_by(|a, b| a.weight_per_rate.total_cmp(&b.weight_per_rate));
        Self {
            least_weight: zones.iter().map(|zone| zone.weight(zone.least)).sum(),
            least_rate: zones
                .iter()
                .map(|zone| level.rates[zone.least as usize])
                .sum(),
            most_replicas: zones.iter().map(|zone| zone.most).sum(),
            gains,
        }
    }

    /// Whether the partial placement can still be completed with less than `bound`: the rest of the
    /// rate is filled as if every zone gave its cheapest rate in any amount.
    fn allows(&self, level: &Level<'_>, partial: &Partial, bound: u128) -> bool {
        let mut missing = level
            .rate_wanted
            .saturating_sub(partial.rate + self.least_rate);
        let mut weight = 0.0;
        for gain in &self.gains {
            let filled = missing.min(gain.rate);
            if filled > 0 {
                weight += filled as f64 * gain.weight_per_rate;
                missing -= filled;
            }
        }
        // The sum is rounded; a millionth of a millionth keeps it a lower bound.
        let least = partial.weight + self.least_weight + (weight * (1.0 - 1e-12)) as u128;
        missing == 0
            && partial.replicas + self.most_replicas >= level.replicas_wanted
            && least < bound
    }
}
