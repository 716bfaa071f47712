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

/// A placement on the first zones: one on the zones before, and the replicas of the last.
#[derive(Debug, Clone, Copy)]
struct Partial {
    weight: u128,
    rate: u64,
    replicas: u32,
    /// The place of the one it extends among those of the zones before.
    before: u32,
    count: u32,
    /// Its place when all of its zones are ordered by their counts, the most in the first zones
    /// first.
    rank: u32,
}

impl Partial {
    const NONE: Self = Self {
        weight: 0,
        rate: 0,
        replicas: 0,
        before: 0,
        count: 0,
        rank: 0,
    };
}

/// The best placement of a level.
#[derive(Debug)]
struct Whole {
    weight: u128,
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
        // The most promising first, so that the others are soon ruled out.
        let mut levels: Vec<(u128, u32, Level<'_>)> = (floor..=ceiling)
            .filter_map(|most| {
                let level = self.level(most);
                let least = Rest::new(&level, 0).least(&level, &Partial::NONE)?;
                Some((least, most, level))
            })
            .collect();
        levels.sort_by_key(|(least, most, _)| (*least, *most));
        let mut best: Option<(u32, Whole)> = None;
        for (least, most, level) in levels {
            // Of equally light ones that with the smallest greatest zone.
            let bound = best.as_ref().map_or(u128::MAX, |(greatest, best)| {
                best.weight + u128::from(most < *greatest)
            });
            if least >= bound {
                continue;
            }
            if let Some(found) = level.search(bound) {
                best = Some((most, found));
            }
        }
        best.map(|(_, best)| best.counts)
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
    fn search(&self, bound: u128) -> Option<Whole> {
        let most = self
            .greedy()
            .map_or(u128::MAX, |greedy| greedy + 1)
            .min(bound);
        let mut layers = vec![vec![Partial::NONE]];
        for place in 0..self.zones.len() {
            let next = self.extended(&layers[place], place, most);
            layers.push(self.undominated(next, &layers[place]));
        }
        let done = |partial: &&Partial| {
            partial.rate >= self.rate_wanted
                && partial.replicas >= self.replicas_wanted
                && partial.weight < bound
        };
        let key = |partial: &&Partial| (partial.weight, Reverse(partial.rate), partial.rank);
        let last = layers.last()?.iter().filter(done).min_by_key(key)?;
        Some(Whole {
            weight: last.weight,
            counts: counts(&layers, *last),
        })
    }

    /// Every placement on one zone more that can still be completed with less than `most`.
    fn extended(&self, partials: &[Partial], place: usize, most: u128) -> Vec<Partial> {
        let zone = self.zones[place];
        let rest = Rest::new(self, place + 1);
        let mut next = Vec::new();
        for (before, partial) in partials.iter().enumerate() {
            let extended = (zone.least..=zone.most).map(|count| Partial {
                weight: partial.weight + zone.weight(count),
                rate: partial.rate + self.rates[count as usize],
                replicas: partial.replicas + count,
                before: before as u32,
                count,
                rank: 0,
            });
            next.extend(extended.filter(|partial| rest.allows(self, partial, most)));
        }
        next
    }

    /// Drops what another partial placement of as many replicas (as far as they are wanted) beats
    /// in weight or rate and reaches in the other; ranks the others.
    fn undominated(&self, mut partials: Vec<Partial>, before: &[Partial]) -> Vec<Partial> {
        let wanted = |partial: &Partial| partial.replicas.min(self.replicas_wanted);
        let order = |partial: &Partial| {
            let before = before.get(partial.before as usize);
            (
                before.map_or(0, |before| before.rank),
                Reverse(partial.count),
            )
        };
        partials.sort_unstable_by_key(|partial| {
            (
                wanted(partial),
                partial.weight,
                Reverse(partial.rate),
                order(partial),
            )
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
        let mut ranked: Vec<usize> = (0..kept.len()).collect();
        ranked.sort_unstable_by_key(|place| order(&kept[*place]));
        for (rank, place) in ranked.into_iter().enumerate() {
            kept[place].rank = rank as u32;
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

/// The replicas of every zone of a placement on all zones; `layers` holds what was kept for none,
/// one, two and more of them.
fn counts(layers: &[Vec<Partial>], last: Partial) -> Vec<u32> {
    let mut partial = last;
    let mut counts = Vec::new();
    for layer in layers.iter().rev().skip(1) {
        counts.push(partial.count);
        partial = layer[partial.before as usize];
    }
    counts.reverse();
    counts
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

    /// What the partial placement weighs at least once it is completed; none where it cannot be. The
    /// rest of the rate is filled as if every zone gave its cheapest rate in any amount.
    fn least(&self, level: &Level<'_>, partial: &Partial) -> Option<u128> {
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
        let enough = missing == 0 && partial.replicas + self.most_replicas >= level.replicas_wanted;
        // The sum is rounded; a millionth of a millionth keeps it a lower bound.
        let weight = (weight * (1.0 - 1e-12)) as u128;
        enough.then(|| partial.weight + self.least_weight + weight)
    }

    /// Whether it can be completed with less than `bound`.
    fn allows(&self, level: &Level<'_>, partial: &Partial, bound: u128) -> bool {
        self.least(level, partial)
            .is_some_and(|least| least < bound)
    }
}
