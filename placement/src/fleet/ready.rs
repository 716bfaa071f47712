//! A service made ready for the search: rates of pools, costs of replicas, and who may serve whom.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::flow::Flows;
use super::problem::{Fleet, Limit, Service, Shape, Site, Zone};
use super::rejection::Rejection;
use crate::{MOST_REPLICAS, MaximumCause, PlacementError, micros};
use isobar_capacity::{Capacity, Ceiling, Resource, Target};

/// The most origins that a service may have: what must hold of them is checked for every subset.
pub const MOST_ORIGINS: usize = 8;

/// Round trips count in steps of this many milliseconds, rounded up, so that zones share tables.
const TRAVEL_STEP: u128 = 5;

/// A service ready for the search. Rates are in millionths of a request per second, costs in
/// millionths of a dollar per hour.
#[derive(Debug, Clone)]
pub(super) struct Task<'a> {
    pub(super) service: &'a Service,
    /// The zones that it may use, by name.
    pub(super) cells: Vec<Cell>,
    /// The others, and why.
    pub(super) refused: Vec<(usize, Rejection)>,
    /// What groups of zones must carry; first all of them together.
    pub(super) cuts: Vec<Cut>,
    /// How many domains can be lost; 0 where no loss must be survived.
    pub(super) domains: usize,
    /// What it costs to serve, where that depends on the zone.
    pub(super) flows: Option<Flows>,
    /// No layout costs less.
    pub(super) floor: i64,
}

/// A zone that a service may use.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Its place among the zones by name.
    pub(super) zone: usize,
    pub(super) domain: usize,
    pub(super) least: u32,
    /// What it can run, the cheapest first.
    pub(super) kinds: Vec<Kind>,
    pub(super) now: Now,
    /// Whether it may serve an origin.
    pub(super) serves: Vec<bool>,
}

/// A shape with what it means for one service.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    pub(super) shape: String,
    /// Its place among the limits that services share.
    pub(super) limit: Option<usize>,
    pub(super) most: u32,
    pub(super) cause: MaximumCause,
    pub(super) table: Arc<Table>,
    pub(super) on_demand: i64,
    pub(super) spot: Option<i64>,
    /// What it costs to start one.
    pub(super) start: i64,
}

/// What pools of one kind of replica carry, by their replicas.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) capacity: Capacity,
    pub(super) rates: Vec<u64>,
    /// The replicas that carry all the demand.
    pub(super) needed: u32,
    /// The greatest rate per replica of any pool.
    pub(super) steepest: f64,
}

/// What runs in a zone before anything is placed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Now {
    /// None where any kind is taken for it.
    pub(super) kind: Option<usize>,
    pub(super) on_demand: u32,
    pub(super) spot: u32,
}

/// Zones that must carry something together, because some origins can be served nowhere else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) inside: Vec<bool>,
    pub(super) planned: u64,
    pub(super) failover: u64,
}

/// What one cell runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pick {
    pub(super) on_demand: u32,
    pub(super) spot: u32,
    pub(super) kind: usize,
}

impl Pick {
    pub(super) fn replicas(self) -> u32 {
        self.on_demand + self.spot
    }
}

impl Table {
    fn new(capacity: &Capacity, demand: f64, floor: u32) -> Result<Self, PlacementError> {
        let needed = capacity.size(demand)?.replicas;
        let largest = needed.max(floor);
        if largest > MOST_REPLICAS {
            return Err(PlacementError::TooManyReplicas { needed: largest });
        }
        let rates: Vec<u64> = (0..=largest)
            .map(|replicas| micros(capacity.max_rate(replicas)))
            .collect();
        let slopes = rates.iter().enumerate().skip(1);
        let steepest = slopes
            .map(|(replicas, rate)| *rate as f64 / replicas as f64)
            .fold(0.0, f64::max);
        Ok(Self {
            capacity: *capacity,
            rates,
            needed,
            steepest,
        })
    }

    pub(super) fn rate(&self, replicas: u32) -> u64 {
        let known = self.rates.get(replicas as usize).or(self.rates.last());
        known.copied().unwrap_or(0)
    }
}

impl Kind {
    /// What a pick of this kind costs, without starting anything.
    fn price(&self, pick: Pick) -> i64 {
        let spot = self.spot.unwrap_or(self.on_demand);
        i64::from(pick.on_demand) * self.on_demand + i64::from(pick.spot) * spot
    }
}

impl Cell {
    /// The replicas that a pick starts.
    pub(super) fn starts(&self, pick: Pick) -> u32 {
        let now = self.now;
        if now.kind.is_some_and(|kind| kind != pick.kind) {
            return pick.replicas();
        }
        pick.on_demand.saturating_sub(now.on_demand) + pick.spot.saturating_sub(now.spot)
    }

    /// The replicas that a pick starts or stops.
    pub(super) fn moves(&self, pick: Pick) -> u32 {
        let now = self.now;
        if now.kind.is_some_and(|kind| kind != pick.kind) {
            return pick.replicas() + now.on_demand + now.spot;
        }
        pick.on_demand.abs_diff(now.on_demand) + pick.spot.abs_diff(now.spot)
    }

    pub(super) fn cost(&self, pick: Pick) -> i64 {
        let kind = &self.kinds[pick.kind];
        kind.price(pick) + i64::from(self.starts(pick)) * kind.start
    }

    pub(super) fn rate(&self, pick: Pick) -> u64 {
        self.kinds[pick.kind].table.rate(pick.replicas())
    }

    /// What is left of the rate without spot instances.
    pub(super) fn firm(&self, pick: Pick) -> u64 {
        self.kinds[pick.kind].table.rate(pick.on_demand)
    }

    /// The pick of what runs now, if the kinds still allow it.
    pub(super) fn present(&self) -> Option<Pick> {
        let Now {
            kind,
            on_demand,
            spot,
        } = self.now;
        let pick = Pick {
            kind: kind.unwrap_or(0),
            on_demand,
            spot,
        };
        let known = self.kinds.get(pick.kind)?;
        let allowed = pick.replicas() <= known.most && pick.replicas() >= self.least;
        (allowed && (spot == 0 || known.spot.is_some())).then_some(pick)
    }
}

/// The limits that services share: the zone, the shape and the number, by both.
pub(super) type Limits = Vec<(usize, String, Limit)>;

/// Makes services ready; `zones` are those of the fleet by name.
pub(super) struct Bench<'a> {
    pub(super) zones: &'a [&'a Zone],
    pub(super) limits: &'a Limits,
}

/// The limits of a fleet, by zone and shape.
pub(super) fn limits(zones: &[&Zone]) -> Limits {
    let mut limits = Vec::new();
    for (place, zone) in zones.iter().enumerate() {
        for shape in &zone.shapes {
            limits.extend(shape.limit.map(|limit| (place, shape.name.clone(), limit)));
        }
    }
    limits.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    limits
}

/// The zones of a fleet by name.
pub(super) fn zones(fleet: &Fleet) -> Result<Vec<&Zone>, PlacementError> {
    let mut zones: Vec<&Zone> = fleet.zones.iter().collect();
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    match zones.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(PlacementError::DuplicateZone {
            zone: pair[0].name.clone(),
        }),
        None => Ok(zones),
    }
}

impl Task<'_> {
    /// The greatest least number of any cell: what the others must be able to keep up with where
    /// there is a greatest share.
    pub(super) fn widest(&self) -> u32 {
        self.cells.iter().map(|cell| cell.least).max().unwrap_or(0)
    }

    /// Drops kinds that another one of the same cell is never worse than; limits that are
    /// `contested` may run out.
    pub(super) fn prune(&mut self, contested: &[bool]) {
        let widest = self.widest();
        for cell in &mut self.cells {
            let kept = cell.now.kind;
            let useful = |kind: &Kind| kind.most.min(kind.table.needed.max(widest));
            let beats = |one: &Kind, other: &Kind| {
                let certain = one.limit.is_none_or(|limit| !contested[limit]);
                let spot = other
                    .spot
                    .is_none_or(|dear| one.spot.is_some_and(|price| price <= dear));
                let cheap = one.on_demand <= other.on_demand && one.start <= other.start;
                let same = Arc::ptr_eq(&one.table, &other.table);
                certain && spot && cheap && same && useful(one) >= useful(other)
            };
            let beaten = |place: usize| {
                let mut before = cell.kinds.iter().take(place);
                Some(place) != kept && before.any(|one| beats(one, &cell.kinds[place]))
            };
            let stays: Vec<bool> = (0..cell.kinds.len()).map(|place| !beaten(place)).collect();
            cell.now.kind = kept.map(|kept| match stays.get(kept) {
                Some(_) => stays.iter().take(kept).filter(|stays| **stays).count(),
                None => usize::MAX,
            });
            let mut stays = stays.into_iter();
            cell.kinds.retain(|_| stays.next().unwrap_or(true));
        }
    }
}

impl<'a> Bench<'a> {
    /// A service ready for the search.
    pub(super) fn task(&self, service: &'a Service) -> Result<Task<'a>, PlacementError> {
        check(service)?;
        let mut sites: Vec<(usize, &Site)> = Vec::new();
        for site in &service.sites {
            let place = self
                .zones
                .binary_search_by(|zone| zone.name.as_str().cmp(&site.zone));
            let place = place.map_err(|_| PlacementError::UnknownZone {
                zone: site.zone.clone(),
            })?;
            sites.push((place, site));
        }
        sites.sort_by_key(|(place, _)| *place);
        if let Some(pair) = sites.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            let zone = pair[0].1.zone.clone();
            return Err(PlacementError::DuplicateZone { zone });
        }
        let mut task = Task {
            service,
            cells: Vec::new(),
            refused: Vec::new(),
            cuts: Vec::new(),
            domains: 0,
            flows: None,
            floor: 0,
        };
        let mut tables = Tables::default();
        for (place, site) in sites {
            match self.cell(service, (place, site), &mut tables)? {
                Ok(cell) => task.cells.push(cell),
                Err(rejection) => task.refused.push((place, rejection)),
            }
        }
        self.domains(&mut task);
        task.cuts = cuts(service, &task.cells);
        task.flows = Flows::of(service, self.zones, &task.cells);
        Ok(task)
    }

    /// What a service can run in a zone, or why it cannot.
    fn cell(
        &self,
        service: &Service,
        (place, site): (usize, &Site),
        tables: &mut Tables,
    ) -> Result<Result<Cell, Rejection>, PlacementError> {
        let zone = self.zones[place];
        if let Some(rejection) = Rejection::of(service, zone) {
            return Ok(Err(rejection));
        }
        let (serves, travel) = reach(service, zone);
        if !serves.contains(&true) && !service.origins.is_empty() {
            return Ok(Err(Rejection::too_far(service, zone)));
        }
        let mut kinds = Vec::new();
        let mut slow = None;
        let offered = zone.shapes.iter();
        for shape in offered.filter(|shape| site.shapes.contains(&shape.name)) {
            match service.capacity.elsewhere(shape.speed, travel) {
                Ok(capacity) => {
                    let ceiling = site.ceilings.get(&shape.name).copied();
                    let capacity = capacity.under(ceiling);
                    let key = Key::of(shape.speed, travel, ceiling);
                    let table = tables.get(service, key, &capacity)?;
                    kinds.push(self.kind(service, (place, site), shape, table));
                }
                Err(error) => slow = Some(error),
            }
        }
        if kinds.is_empty() {
            let nothing = match zone.shapes.is_empty() {
                true => Rejection::NothingSold,
                false => Rejection::NoInstance,
            };
            let rejection = slow.map_or(nothing, |error| Rejection::TooSlow {
                why: error.to_string(),
            });
            return Ok(Err(rejection));
        }
        kinds.sort_by(|a, b| (a.on_demand, &a.shape).cmp(&(b.on_demand, &b.shape)));
        let now = now(site, &kinds);
        Ok(Ok(Cell {
            zone: place,
            domain: 0,
            least: site.minimum,
            kinds,
            now,
            serves,
        }))
    }

    fn kind(
        &self,
        service: &Service,
        (place, site): (usize, &Site),
        shape: &Shape,
        table: Arc<Table>,
    ) -> Kind {
        let zone = self.zones[place];
        let maxima = [
            site.maximum.map(|most| (most, MaximumCause::MaxReplicas)),
            shape.limit.map(|limit| (limit.most, limit.cause)),
        ];
        let binding = maxima.into_iter().flatten().min();
        let (most, cause) = binding.unwrap_or((MOST_REPLICAS, MaximumCause::MaxReplicas));
        let performance = service.capacity.performance();
        let startup = performance.startup.as_secs_f64();
        let weights = &service.weights;
        let kilowatts = shape.watts / 1000.0 * zone.grid.pue;
        let carbon = kilowatts * zone.grid.grams_per_kwh * weights.carbon_price;
        let per_second = f64::from(performance.concurrency) * shape.speed
            / performance.service_time.as_secs_f64();
        let lost = zone.preemptions_per_hour * startup * per_second;
        let risk = lost * weights.violation_price * 1e6;
        let price = shape.price_micros_per_hour as f64;
        let start = match weights.dwell_hours > 0.0 {
            true => price * startup / 3600.0 / weights.dwell_hours,
            false => 0.0,
        };
        let spot = |price: u64| (price as f64 + carbon + risk).round() as i64;
        let allowed = service.rules.max_spot_share > 0.0;
        Kind {
            shape: shape.name.clone(),
            limit: self
                .limits
                .binary_search_by(|(zone, name, _)| (*zone, name).cmp(&(place, &shape.name)))
                .ok(),
            most,
            cause,
            table,
            on_demand: (price + carbon).round() as i64,
            spot: shape.spot_micros_per_hour.filter(|_| allowed).map(spot),
            start: start.round() as i64,
        }
    }

    /// Numbers what can be lost at once.
    fn domains(&self, task: &mut Task<'_>) {
        let Some(domain) = task.service.rules.survive else {
            return;
        };
        let mut known = BTreeMap::new();
        for cell in &mut task.cells {
            let next = known.len();
            let name = domain.of(self.zones[cell.zone]);
            cell.domain = *known.entry(name).or_insert(next);
        }
        task.domains = known.len();
    }
}

/// What tables differ by: speed, travel and ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    speed: u64,
    travel: Duration,
    ceiling: Option<(Resource, u64)>,
}

impl Key {
    fn of(speed: f64, travel: Duration, ceiling: Option<Ceiling>) -> Self {
        Self {
            speed: speed.to_bits(),
            travel,
            ceiling: ceiling.map(|ceiling| (ceiling.resource, ceiling.rate.to_bits())),
        }
    }
}

#[derive(Debug, Default)]
struct Tables(BTreeMap<Key, Arc<Table>>);

impl Tables {
    fn get(
        &mut self,
        service: &Service,
        key: Key,
        capacity: &Capacity,
    ) -> Result<Arc<Table>, PlacementError> {
        if let Some(table) = self.0.get(&key) {
            return Ok(Arc::clone(table));
        }
        let floor = service.sites.iter().map(|site| site.minimum).max();
        let present = service
            .sites
            .iter()
            .filter_map(|site| site.present.as_ref());
        let present = present.map(|now| now.on_demand + now.spot).max();
        let floor = floor
            .unwrap_or(0)
            .max(present.unwrap_or(0).min(MOST_REPLICAS));
        let demand = service.origins.iter().map(|origin| origin.demand);
        let table = Arc::new(Table::new(capacity, demand.sum(), floor)?);
        self.0.insert(key, Arc::clone(&table));
        Ok(table)
    }
}

/// Which origins a zone may serve, and the greatest round trip among them.
pub(super) fn reach(service: &Service, zone: &Zone) -> (Vec<bool>, Duration) {
    let Target::Latency(slo) = service.capacity.target() else {
        return (vec![true; service.origins.len()], Duration::ZERO);
    };
    let performance = service.capacity.performance();
    let serving = performance.service_p95.unwrap_or(performance.service_time);
    let mut greatest = Duration::ZERO;
    let mut serves = Vec::new();
    for origin in &service.origins {
        let trip = zone
            .round_trips
            .get(&origin.name)
            .copied()
            .unwrap_or_default();
        let near = trip + serving < slo.latency;
        if near {
            greatest = greatest.max(trip);
        }
        serves.push(near);
    }
    let steps = greatest.as_millis().div_ceil(TRAVEL_STEP) * TRAVEL_STEP;
    let rounded = Duration::from_millis(u64::try_from(steps).unwrap_or(u64::MAX));
    // Rounding up must not take the last of the time.
    let travel = match rounded + serving < slo.latency {
        true => rounded,
        false => greatest,
    };
    (serves, travel)
}

fn now(site: &Site, kinds: &[Kind]) -> Now {
    let Some(present) = &site.present else {
        return Now::default();
    };
    let known = present.shape.as_ref();
    let kind = known.map(|name| {
        let kind = kinds.iter().position(|kind| kind.shape == *name);
        // What is not sold any more is no kind that could be kept.
        kind.unwrap_or(usize::MAX)
    });
    Now {
        kind,
        on_demand: present.on_demand,
        spot: present.spot,
    }
}

/// What must hold, by the theorem of Hall: the demand of every set of origins is carried by the
/// zones that may serve any of them (as the transport of goods is possible where every set of
/// customers is within reach of enough of them).
fn cuts(service: &Service, cells: &[Cell]) -> Vec<Cut> {
    let all = vec![true; cells.len()];
    let total = |of: fn(&super::problem::Origin) -> f64| {
        micros(service.origins.iter().map(of).sum::<f64>())
    };
    let mut cuts = vec![Cut {
        inside: all,
        planned: total(|origin| origin.demand),
        failover: total(|origin| origin.failover),
    }];
    let everywhere = |origin: usize| cells.iter().all(|cell| cell.serves[origin]);
    if (0..service.origins.len()).all(everywhere) {
        return cuts;
    }
    for set in 1_u32..1 << service.origins.len() {
        let within = |origin: &usize| set >> origin & 1 == 1;
        let origins: Vec<usize> = (0..service.origins.len()).filter(within).collect();
        let inside = |cell: &Cell| origins.iter().any(|origin| cell.serves[*origin]);
        let sum = |of: fn(&super::problem::Origin) -> f64| {
            micros(
                origins
                    .iter()
                    .map(|o| of(&service.origins[*o]))
                    .sum::<f64>(),
            )
        };
        let cut = Cut {
            inside: cells.iter().map(inside).collect(),
            planned: sum(|origin| origin.demand),
            failover: sum(|origin| origin.failover),
        };
        match cuts.iter_mut().find(|known| known.inside == cut.inside) {
            Some(known) => {
                known.planned = known.planned.max(cut.planned);
                known.failover = known.failover.max(cut.failover);
            }
            None => cuts.push(cut),
        }
    }
    cuts
}

fn check(service: &Service) -> Result<(), PlacementError> {
    let rules = &service.rules;
    if let Some(share) = rules.max_zone_share
        && !(share > 0.0 && share <= 1.0)
    {
        return Err(PlacementError::ShareOutOfRange { share });
    }
    if !(0.0..=1.0).contains(&rules.max_spot_share) {
        let share = rules.max_spot_share;
        return Err(PlacementError::SpotShareOutOfRange { share });
    }
    if service.origins.len() > MOST_ORIGINS {
        let origins = service.origins.len();
        return Err(PlacementError::TooManyOrigins { origins });
    }
    for origin in &service.origins {
        service.capacity.size(origin.demand)?;
        service.capacity.size(origin.failover)?;
    }
    Ok(())
}
