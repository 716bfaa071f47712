//! The course of a simulation: events, routes, service, decisions and bills, slot by slot.

use isobar_capacity::{Capacity, CapacityError};

use super::fleet::{Pool, Start};
use super::fluid::Fluid;
use super::policies::{Policy, View, ZoneView};
use super::queue::Queue;
use super::scenario::{LAG, Scenario};
use super::tally::{Tally, Totals};
use super::trace::{HOUR, SLOT, Trace};
use super::waiting::TIMES;

/// How requests are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// As a flow, with queueing formulas within a slot.
    #[default]
    Slot,
    /// One by one.
    Des,
}

/// What a zone has to do in a slot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    /// Requests per second.
    pub(super) rate: f64,
    /// Replicas that are ready.
    pub(super) replicas: u32,
    /// Whether the zone is lost.
    pub(super) lost: bool,
    /// Seconds that a request takes.
    pub(super) service: f64,
}

/// What a zone did in a slot, in requests.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Served {
    pub(super) arrived: f64,
    pub(super) served: f64,
    pub(super) shed: f64,
    /// Too slow or not served at all.
    pub(super) late: f64,
    /// The share of the slots that were busy.
    pub(super) busy: f64,
    /// Still waiting at the end.
    pub(super) queued: f64,
    /// Those that waited longer than each of the times.
    pub(super) longer: [f64; TIMES.len()],
}

impl Served {
    /// All that came, and all that waited, is lost.
    pub(super) fn nothing(arrived: f64, queue: f64) -> Self {
        Self {
            arrived,
            shed: arrived + queue,
            late: arrived,
            longer: [arrived; TIMES.len()],
            ..Self::default()
        }
    }
}

/// The part in which the two engines differ.
pub(super) trait Server {
    /// Serves a zone for one slot.
    fn serve(&mut self, zone: usize, offer: &Offer) -> Served;
}

/// Runs a policy over a trace, from an hour before the end of the warm-up on; that hour does not
/// count.
///
/// # Errors
///
/// When the scenario cannot be sized for.
pub fn run(
    scenario: &Scenario,
    trace: &Trace,
    engine: Engine,
    policy: &mut dyn Policy,
) -> Result<Totals, CapacityError> {
    let capacity = scenario.capacity()?;
    let mut server: Box<dyn Server> = match engine {
        Engine::Slot => Box::new(Fluid::new(scenario, capacity)),
        Engine::Des => Box::new(Queue::new(scenario)),
    };
    let mut world = World::new(scenario, trace, &capacity);
    let begin = scenario.warmup.saturating_sub(HOUR);
    let mut wanted = vec![0; scenario.zones.len()];
    policy.decide(&world.view(begin), &mut wanted);
    world.settle(&wanted, begin);
    for slot in begin..trace.rates.len() {
        world.events(slot);
        world.serve(slot, server.as_mut());
        policy.decide(&world.view(slot + 1), &mut wanted);
        world.order(&wanted, slot + 1, policy.start());
    }
    Ok(world.finish(policy.interventions()))
}

/// Everything that changes.
struct World<'a> {
    scenario: &'a Scenario,
    trace: &'a Trace,
    service: f64,
    pools: Vec<Pool>,
    /// What each zone did, of the last slots: the newest last.
    measured: Vec<[f64; LAG + 1]>,
    /// Since when a zone is down or up again, as routers will see after the lag.
    seen_up: Vec<bool>,
    /// How much traffic a pool of so many replicas takes.
    weights: Vec<f64>,
    capacity: Capacity,
    tally: Tally,
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, trace: &'a Trace, capacity: &Capacity) -> Self {
        let zones = scenario.zones.iter().enumerate();
        Self {
            scenario,
            trace,
            service: scenario.service.performance.service_time.as_secs_f64(),
            pools: zones
                .map(|(place, zone)| Pool::new(scenario, zone, place))
                .collect(),
            measured: vec![[0.0; LAG + 1]; scenario.zones.len()],
            seen_up: vec![true; scenario.zones.len()],
            weights: Vec::new(),
            capacity: *capacity,
            tally: Tally::new(scenario),
        }
    }

    /// The first replicas are there at once, and free.
    fn settle(&mut self, wanted: &[u32], now: usize) {
        for (pool, wanted) in self.pools.iter_mut().zip(wanted) {
            pool.set(*wanted, now, Start::Cold);
            pool.mature(usize::MAX);
        }
    }

    fn events(&mut self, slot: usize) {
        for outage in &self.scenario.outages {
            let Some(pool) = self.pools.get_mut(outage.zone) else {
                continue;
            };
            if outage.begin == slot {
                pool.fail();
            } else if outage.end == slot {
                pool.down = false;
            }
            if slot == outage.begin + LAG {
                self.seen_up[outage.zone] = false;
            } else if slot == outage.end + LAG {
                self.seen_up[outage.zone] = true;
            }
        }
        for pool in &mut self.pools {
            pool.preempt();
            pool.mature(slot);
        }
    }

    /// The share of the demand of every zone: as much as its replicas carry of what those of all
    /// zones that are not seen to be down carry; all of it at home where there is none.
    fn routes(&mut self) -> Vec<f64> {
        let weights: Vec<f64> = (0..self.pools.len())
            .map(|zone| match self.seen_up[zone] {
                true => self.weight(self.routed(zone)),
                false => 0.0,
            })
            .collect();
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            return weights.iter().map(|weight| weight / sum).collect();
        }
        let mut home = vec![0.0; weights.len()];
        home[0] = 1.0;
        home
    }

    /// The replicas that routers count on: a zone that failed just now still gets its traffic.
    fn routed(&self, zone: usize) -> u32 {
        let pool = &self.pools[zone];
        if pool.down {
            self.tally.last_ready(zone)
        } else {
            pool.ready()
        }
    }

    fn weight(&mut self, replicas: u32) -> f64 {
        while self.weights.len() <= replicas as usize {
            let next = u32::try_from(self.weights.len()).unwrap_or(u32::MAX);
            self.weights.push(self.capacity.max_rate(next));
        }
        self.weights[replicas as usize]
    }

    fn serve(&mut self, slot: usize, server: &mut dyn Server) {
        let routes = self.routes();
        let rate = self.trace.rates[slot];
        self.tally.begin(slot);
        for (zone, share) in routes.into_iter().enumerate() {
            let pool = &mut self.pools[zone];
            let offer = Offer {
                rate: rate * share,
                replicas: pool.ready(),
                lost: pool.down,
                service: self.service,
            };
            let served = server.serve(zone, &offer);
            self.measured[zone].rotate_left(1);
            self.measured[zone][LAG] = served.busy;
            self.tally.add(zone, &offer, &served, pool.starting());
            pool.bill_slot();
        }
        self.tally.end(slot, &self.pools);
    }

    /// What a policy may know before `slot` begins.
    fn view(&self, slot: usize) -> View<'_> {
        let zones = self.pools.iter().enumerate();
        let rates = &self.trace.rates[..slot.saturating_sub(LAG)];
        let concurrency = f64::from(self.scenario.service.performance.concurrency);
        View {
            slot,
            rates,
            load: rates.last().copied().unwrap_or(0.0) * self.service / concurrency,
            zones: zones
                .map(|(zone, pool)| ZoneView {
                    ready: pool.ready(),
                    starting: pool.starting(),
                    up: self.seen_up[zone],
                    busy: self.measured[zone][0],
                })
                .collect(),
        }
    }

    fn order(&mut self, wanted: &[u32], slot: usize, start: Start) {
        for (pool, wanted) in self.pools.iter_mut().zip(wanted) {
            pool.set(*wanted, slot, start);
        }
    }

    fn finish(self, interventions: u32) -> Totals {
        self.tally.finish(interventions, SLOT)
    }
}
