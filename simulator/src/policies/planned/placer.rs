//! Demand to replicas per zone, as a plan does it.

use std::collections::BTreeMap;

use isobar_capacity::Capacity;
use isobar_placement::{MOST_REPLICAS, MaximumCause, Request, Survive, Zone, place};

use super::{Setting, View};
use crate::sizes::Sizes;

/// Demands are rounded up to powers of this before they are placed, so that the answers of many
/// plans are one.
const GRID: f64 = 1.01;

/// Zones up, by bit.
type Mask = u64;

pub(super) struct Placer {
    capacity: Capacity,
    sizes: Sizes,
    zones: Vec<Zone>,
    survive: bool,
    known: BTreeMap<(Mask, i32, bool), Option<Vec<u32>>>,
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
            known: BTreeMap::new(),
        }
    }

    /// Replicas that carry `demand` with all zones that are up, and `reserve` without any one of
    /// them; while a zone is lost, no further loss is provided for. Where there is no placement,
    /// what was wanted stays.
    pub(super) fn place(&mut self, view: &View<'_>, demand: f64, reserve: f64, wanted: &mut [u32]) {
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
    fn surviving(&mut self, mask: Mask, demand: f64, reserve: f64) -> Option<Vec<u32>> {
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

    fn known(&mut self, mask: Mask, step: i32, survive: bool) -> Option<Vec<u32>> {
        if let Some(known) = self.known.get(&(mask, step, survive)) {
            return known.clone();
        }
        let zones = self.zones.iter().enumerate();
        let zones = zones.map(|(place, zone)| Zone {
            available: mask & (1 << place) != 0,
            ..zone.clone()
        });
        let request = Request {
            demand: GRID.powi(step),
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
        self.known.insert((mask, step, survive), counts.clone());
        counts
    }
}

/// The power of the grid that is not below a demand; demands below one request per second are one.
fn grid(demand: f64) -> i32 {
    (demand.max(1.0).ln() / GRID.ln() - 1e-9).ceil() as i32
}
