//! Demand to replicas per zone, as a plan does it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use isobar_placement::fleet::{
    Domain, Effort, Fleet, Grid, Origin, Rules, Service, Shape, Site, Weights, Zone, solve,
};

use super::{Setting, View};
use crate::sizes::Sizes;

/// Demands are rounded up to powers of this before they are placed, so that the answers of many
/// plans are one.
const GRID: f64 = 1.02;

/// The name of the one service and of the one shape.
const ONE: &str = "replica";

/// Zones up, by bit.
type Mask = u64;

/// What was placed before, by the zones that are up, the demand on the grid, and whether it is
/// carried without any one of them, too.
type Known = BTreeMap<(Mask, i32, bool), Option<Vec<u32>>>;

/// Placements that all planners of the same zones and service share.
#[derive(Debug, Clone, Default)]
pub(crate) struct Placements(Arc<Mutex<Known>>);

pub(super) struct Placer {
    fleet: Fleet,
    sizes: Sizes,
    survive: bool,
    shared: Placements,
}

impl Placer {
    pub(super) fn new(setting: &Setting<'_>) -> Self {
        let zones = setting.scenario.zones.iter().enumerate();
        let zones: Vec<Zone> = zones.map(zone).collect();
        let sites = zones.iter().map(|zone| Site {
            zone: zone.name.clone(),
            shapes: vec![ONE.to_owned()],
            minimum: 1,
            maximum: None,
            present: None,
        });
        let service = Service {
            name: ONE.to_owned(),
            capacity: *setting.sizes.capacity(),
            origins: Vec::new(),
            sites: sites.collect(),
            rules: Rules::default(),
            weights: Weights::default(),
        };
        Self {
            fleet: Fleet {
                zones,
                services: vec![service],
            },
            sizes: setting.sizes.clone(),
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
            true => self.surviving(mask, grid(demand), grid(reserve)),
            false => self.known(mask, grid(demand), false),
        };
        if let Some(placed) = placed {
            wanted.copy_from_slice(&placed);
        }
    }

    /// What carries the reserve without any one zone mostly carries the demand with all of them;
    /// where it does not, what carries the least greater reserve that does: a replica or so more
    /// than the least that there is, and many plans ask the same.
    fn surviving(&self, mask: Mask, demand: i32, reserve: i32) -> Option<Vec<u32>> {
        let carried =
            |placed: &[u32]| -> f64 { placed.iter().map(|count| self.sizes.rate(*count)).sum() };
        let (mut low, mut high) = (reserve, demand.max(reserve));
        while low < high {
            let middle = low + (high - low).div_euclid(2);
            if carried(&self.known(mask, middle, true)?) >= GRID.powi(demand) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        self.known(mask, low, true)
    }

    fn known(&self, mask: Mask, demand: i32, survive: bool) -> Option<Vec<u32>> {
        let key = (mask, demand, survive);
        // A panic elsewhere leaves whole placements behind.
        let lock = || self.shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&key) {
            return known.clone();
        }
        let counts = self.solved(mask, demand, survive);
        lock().insert(key, counts.clone());
        counts
    }

    /// No zone takes much more than its even share: a fleet that rests on few zones pays for the
    /// loss of each, and the search is shorter.
    fn most(&self, mask: Mask, demand: f64) -> u32 {
        let others = mask.count_ones().saturating_sub(1).max(1);
        let even = self.sizes.size(demand / f64::from(others));
        even + even.div_ceil(8) + 2
    }

    /// The planner's own placement of one service.
    fn solved(&self, mask: Mask, demand: i32, survive: bool) -> Option<Vec<u32>> {
        let mut fleet = self.fleet.clone();
        for (place, zone) in fleet.zones.iter_mut().enumerate() {
            zone.available = mask & (1 << place) != 0;
        }
        let most = self.most(mask, GRID.powi(demand));
        for service in &mut fleet.services {
            for site in &mut service.sites {
                site.maximum = Some(most);
            }
            service.rules.survive = survive.then_some(Domain::Zone);
            service.origins = vec![Origin::anywhere(GRID.powi(demand))];
        }
        let effort = Effort {
            proof: false,
            ..Effort::default()
        };
        let solution = solve(&fleet, effort).ok()?;
        let [service] = &solution.services[..] else {
            return None;
        };
        Some(service.zones.iter().map(|zone| zone.replicas()).collect())
    }
}

/// A zone as the planner sees it. Ties go to the first name, and home comes first.
fn zone((place, zone): (usize, &crate::scenario::Zone)) -> Zone {
    let replica = Shape {
        name: ONE.to_owned(),
        price_micros_per_hour: (zone.price * 1e6).round() as u64,
        spot_micros_per_hour: None,
        watts: 0.0,
        speed: 1.0,
        limit: None,
    };
    Zone {
        name: format!("{place:03} {}", zone.name),
        provider: String::new(),
        region: None,
        jurisdiction: None,
        available: true,
        shapes: vec![replica],
        grid: Grid::default(),
        egress_micros_per_gigabyte: 0,
        round_trips: BTreeMap::new(),
        preemptions_per_hour: 0.0,
    }
}

/// The power of the grid that is not below a demand; demands below one request per second are one.
fn grid(demand: f64) -> i32 {
    (demand.max(1.0).ln() / GRID.ln() - 1e-9).ceil() as i32
}
