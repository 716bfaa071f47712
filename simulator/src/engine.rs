//! The course of a simulation: events, routes, service, decisions and bills, slot by slot.

use super::fleet::{Pool, Start};
use super::fluid::Fluid;
use super::policies::{Policy, Setting, View, ZoneView};
use super::queue::Queue;
use super::scenario::{LAG, Scenario};
use super::sizes::Sizes;
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
    /// Seconds of waiting of those that began to be served; only single requests tell.
    pub(super) waited: f64,
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
#[must_use]
pub fn run(setting: &Setting<'_>, engine: Engine, policy: &mut dyn Policy) -> Totals {
    let Setting {
        scenario,
        trace,
        measured,
        sizes,
        ..
    } = setting;
    let mut server: Box<dyn Server> = match engine {
        Engine::Slot => Box::new(Fluid::new(scenario, sizes)),
        Engine::Des => Box::new(Queue::new(scenario)),
    };
    let mut world = World::new(scenario, trace, (measured, sizes));
    let begin = scenario.warmup.saturating_sub(HOUR);
    let mut wanted = vec![0; scenario.zones.len()];
    world.look();
    policy.decide(&world.view(begin), &mut wanted);
    world.settle(&wanted, begin);
    for slot in begin..trace.rates.len() {
        world.events(slot);
        world.serve(slot, server.as_mut());
        world.look();
        policy.decide(&world.view(slot + 1), &mut wanted);
        world.order(&wanted, slot + 1, policy.start());
    }
    world.finish(policy.interventions())
}

/// Everything that changes.
struct World<'a> {
    scenario: &'a Scenario,
    trace: &'a Trace,
    /// The rates as they are measured.
    rates: &'a [f64],
    service: f64,
    pools: Vec<Pool>,
    /// What each zone did, of the last slots: the newest last.
    measured: Vec<[f64; LAG + 1]>,
    /// Whether each zone is there, as far as has been noticed.
    seen_up: Vec<bool>,
    /// What policies may know of the zones.
    seen: Vec<ZoneView>,
    /// The share of the demand of every zone.
    routes: Vec<f64>,
    /// A zone takes as much traffic as its pool carries.
    sizes: &'a Sizes,
    tally: Tally,
}

impl<'a> World<'a> {
    fn new(
        scenario: &'a Scenario,
        trace: &'a Trace,
        (rates, sizes): (&'a [f64], &'a Sizes),
    ) -> Self {
        let zones = scenario.zones.iter().enumerate();
        Self {
            scenario,
            trace,
            rates,
            service: scenario.service.performance.service_time.as_secs_f64(),
            pools: zones
                .map(|(place, zone)| Pool::new(scenario, zone, place))
                .collect(),
            measured: vec![[0.0; LAG + 1]; scenario.zones.len()],
            seen_up: vec![true; scenario.zones.len()],
            seen: Vec::new(),
            routes: vec![0.0; scenario.zones.len()],
            sizes,
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
    fn route(&mut self) {
        for zone in 0..self.pools.len() {
            let up = self.seen_up[zone];
            self.routes[zone] = if up {
                self.sizes.rate(self.routed(zone))
            } else {
                0.0
            };
        }
        let sum: f64 = self.routes.iter().sum();
        if sum > 0.0 {
            self.routes.iter_mut().for_each(|route| *route /= sum);
        } else if let Some(home) = self.routes.first_mut() {
            *home = 1.0;
        }
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

    fn serve(&mut self, slot: usize, server: &mut dyn Server) {
        self.route();
        let rate = self.trace.rates[slot];
        self.tally.begin(slot);
        for (zone, share) in self.routes.iter().enumerate() {
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

    /// Takes down what policies may know of the zones.
    fn look(&mut self) {
        self.seen.clear();
        for (zone, pool) in self.pools.iter().enumerate() {
            self.seen.push(ZoneView {
                ready: pool.ready(),
                starting: pool.starting(),
                up: self.seen_up[zone],
                busy: self.measured[zone][0],
            });
        }
    }

    /// What a policy may know before `slot` begins.
    fn view(&self, slot: usize) -> View<'_> {
        let rates = &self.rates[..slot.saturating_sub(LAG)];
        let concurrency = f64::from(self.scenario.service.performance.concurrency);
        // Before anything was measured, as at the start of a short trace, what comes first.
        let now = rates.last().or(self.rates.first()).copied().unwrap_or(0.0);
        View {
            slot,
            rates,
            now,
            load: now * self.service / concurrency,
            zones: &self.seen,
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
