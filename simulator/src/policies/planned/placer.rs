//! Demand to replicas per zone, as a plan does it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use isobar_capacity::Capacity;
use isobar_placement::{MOST_REPLICAS, MaximumCause, Request, Survive, Zone, place};

use super::{Setting, View};
use crate::sizes::Sizes;

/// Demands are rounded up to powers of this before they are placed, so that the answers of many
/// plans are one.
const GRID: f64 = 1.02;

/// More replicas in each zone than this are spread evenly.
const LARGE: u32 = 16;

/// Zones up, by bit.
type Mask = u64;

/// What was placed before, by the zones that are up, the demand on the grid, and whether the loss of
/// a zone is survived.
type Known = BTreeMap<(Mask, i32, bool), Option<Vec<u32>>>;

/// Placements that all planners of the same zones and service share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placements(Arc<Mutex<Known>>);

pub(super) struct Placer {
    capacity: Capacity,
    sizes: Sizes,
    zones: Vec<Zone>,
    survive: bool,
    shared: Placements,
}

impl Placer {
    pub(super) fn new(setting: &Setting<'_>) -> Self {
        let zone = |(place, zone): (usize, &crate::scenario::Zone)| Zone {
            // Ties go to the first name, and home comes first.
            name: format!("{place:03} {}", zone.name),
            price_micros_per_hour: (zone.price * 1e6).round() as u64,
            minimum: 1,
            maximum: MOST_REPLICAS,
            maximum_cause: MaximumCause::Limits,
            available: true,
        };
        let zones = &setting.scenario.zones;
        Self {
            capacity: *setting.sizes.capacity(),
            sizes: setting.sizes.clone(),
            zones: zones.iter().enumerate().map(zone).collect(),
            survive: setting.scenario.survive.is_some(),
            shared: setting.placements.clone(),
        }
    }

    /// Replicas that carry `demand` with all zones that are up, and `reserve` without any one of
    /// them; while a zone is lost, no further loss is provided for. Where there is no placement,
    /// what was wanted stays.
    pub(super) fn place(&self, view: &View<'_>, demand: f64, reserve: f64, wanted: &mut [u32]) {
        if let [only] = wanted {
            let up = view.zones.first().is_some_and(|zone| zone.up);
            *only = if up {
                self.sizes.size(demand).max(1)
            } else {
                0
            };
            return;
        }
        let up = view.zones.iter().enumerate().filter(|(_, zone)| zone.up);
        let mask = up.fold(0, |mask, (place, _)| mask | 1 << place);
        let whole = view.zones.iter().all(|zone| zone.up);
        let placed = match whole && self.survive {
            true => self.surviving(mask, demand, reserve),
            false => self.known(mask, grid(demand), false),
        };
        if let Some(placed) = placed {
            wanted.copy_from_slice(&placed);
        }
    }

    /// The placement for the least demand from `reserve` on that, provided for without any one
    /// zone, lets all zones together carry `demand`.
    fn surviving(&self, mask: Mask, demand: f64, reserve: f64) -> Option<Vec<u32>> {
        let (mut low, mut high) = (grid(reserve), grid(demand.max(reserve)));
        while low < high {
            let middle = low + (high - low).div_euclid(2);
            let placed = self.known(mask, middle, true)?;
            let carried: f64 = placed.iter().map(|count| self.sizes.rate(*count)).sum();
            if carried >= demand {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        self.known(mask, low, true)
    }

    /// No zone takes much more than its even share: a fleet that rests on few zones pays for the
    /// loss of each, and the search is shorter.
    fn most(&self, mask: Mask, demand: f64) -> u32 {
        let zones = f64::from(mask.count_ones().saturating_sub(1).max(1));
        let even = self.sizes.size(demand / zones);
        (even + even.div_ceil(8) + 2).min(MOST_REPLICAS)
    }

    /// The even spread, where zones cost the same and each needs many replicas: no other is cheaper
    /// by more than a replica or so for each zone, and the exact search takes long for large pools.
    fn even(&self, mask: Mask, demand: f64) -> Option<Vec<u32>> {
        let same = self
            .zones
            .windows(2)
            .all(|pair| pair[0].price_micros_per_hour == pair[1].price_micros_per_hour);
        let others = f64::from(mask.count_ones().saturating_sub(1).max(1));
        let count = self.sizes.size(demand / others);
        let spread = (0..self.zones.len()).map(|place| {
            let up = mask & (1 << place) != 0;
            if up { count } else { 0 }
        });
        (same && count > LARGE).then(|| spread.collect())
    }

    fn known(&self, mask: Mask, step: i32, survive: bool) -> Option<Vec<u32>> {
        let key = (mask, step, survive);
        // A panic elsewhere leaves whole placements behind.
        let lock = || self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let demand = GRID.powi(step);
        if let Some(even) = self.even(mask, demand).filter(|_| survive) {
            return Some(even);
        }
        let zones = self.zones.iter().enumerate();
        let zones = zones.map(|(place, zone)| Zone {
            available: mask & (1 << place) != 0,
            maximum: self.most(mask, demand),
            ..zone.clone()
        });
        let request = Request {
            demand,
            zones: zones.collect(),
            survive: if survive {
                Survive::Zone
            } else {
                Survive::Nothing
            },
            max_zone_share: None,
        };
        let placed = place(&self.capacity, &request).ok();
        let counts = placed.map(|placed| placed.zones.iter().map(|zone| zone.replicas).collect());
        lock().insert(key, counts.clone());
        counts
    }
}

/// The power of the grid that is not below a demand; demands below one request per second are one.
fn grid(demand: f64) -> i32 {
    (demand.max(1.0).ln() / GRID.ln() - 1e-9).ceil() as i32
}
