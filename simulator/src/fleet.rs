//! The replicas of every zone: started, ready, given up, lost and billed.

use super::scenario::{STARTUP_SPREAD, Scenario, Spot, Zone};
use super::stream::{Purpose, Stream};
use super::trace::SLOT;

/// A replica is billed for a minute at least.
const FEWEST_SLOTS: usize = 4;

/// A replica that is not ready yet.
#[derive(Debug, Clone, Copy)]
struct Starting {
    ordered: usize,
    ready: usize,
}

/// The replicas of a zone.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    price: f64,
    spot: Option<Spot>,
    /// By slot of the order, oldest first.
    ready: Vec<usize>,
    starting: Vec<Starting>,
    pub(super) down: bool,
    startups: Stream,
    preemptions: Stream,
    median_startup: f64,
    bill: Bill,
}

/// What a zone has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bill {
    /// Money.
    pub(super) cost: f64,
    /// Hours of replicas, from order to end.
    pub(super) hours: f64,
    /// Orders.
    pub(super) launches: u32,
}

impl Pool {
    pub(super) fn new(scenario: &Scenario, zone: &Zone, place: usize) -> Self {
        let stream = |purpose| Stream::new(scenario.seed, purpose, place as u64);
        Self {
            price: zone.price,
            spot: zone.spot,
            ready: Vec::new(),
            starting: Vec::new(),
            down: false,
            startups: stream(Purpose::Startups),
            preemptions: stream(Purpose::Preemptions),
            median_startup: scenario.startup(),
            bill: Bill::default(),
        }
    }

    pub(super) fn ready(&self) -> u32 {
        u32::try_from(self.ready.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn starting(&self) -> u32 {
        u32::try_from(self.starting.len()).unwrap_or(u32::MAX)
    }

    /// Makes replicas ready whose time has come.
    pub(super) fn mature(&mut self, now: usize) {
        let mut place = 0;
        while let Some(starting) = self.starting.get(place) {
            if starting.ready <= now {
                self.ready.push(starting.ordered);
                self.starting.remove(place);
            } else {
                place += 1;
            }
        }
    }

    /// Orders or gives up replicas until there are `target`, those that start included. Those that
    /// start are given up first, the latest order first.
    pub(super) fn set(&mut self, target: u32, now: usize, start: Start) {
        let target = if self.down { 0 } else { target as usize };
        while self.ready.len() + self.starting.len() > target {
            let newest = self.starting.pop().map(|starting| starting.ordered);
            if let Some(ordered) = newest.or_else(|| self.ready.pop()) {
                self.end(ordered, now);
            }
        }
        while self.ready.len() + self.starting.len() < target {
            self.launch(now, start);
        }
    }

    fn launch(&mut self, now: usize, start: Start) {
        self.bill.launches += 1;
        match start {
            Start::Cold => {
                let spread = (STARTUP_SPREAD * self.startups.normal()).exp();
                let slots = (self.median_startup * spread).ceil() as usize;
                self.starting.push(Starting {
                    ordered: now,
                    ready: now + slots,
                });
            }
            Start::Foreseen => {
                // Ordered early enough, and billed from then on.
                let hours = self.median_startup * SLOT / 3600.0;
                self.bill.hours += hours;
                self.bill.cost += hours * self.hourly();
                self.ready.push(now);
            }
        }
    }

    fn end(&mut self, ordered: usize, now: usize) {
        let short = FEWEST_SLOTS.saturating_sub(now - ordered);
        self.charge(short as f64);
    }

    /// The price of a replica-hour, on average over both kinds.
    fn hourly(&self) -> f64 {
        self.spot.map_or(self.price, |spot| {
            self.price + spot.share * (spot.price - self.price)
        })
    }

    fn charge(&mut self, replica_slots: f64) {
        let hours = replica_slots * SLOT / 3600.0;
        self.bill.hours += hours;
        self.bill.cost += hours * self.hourly();
    }

    /// Bills one slot of all replicas.
    pub(super) fn bill_slot(&mut self) {
        self.charge((self.ready.len() + self.starting.len()) as f64);
    }

    /// Takes spot replicas away by chance.
    pub(super) fn preempt(&mut self) {
        let Some(spot) = self.spot else {
            return;
        };
        let on_spot = (self.ready.len() as f64 * spot.share).floor() as u32;
        let chance = 1.0 - (-spot.preemptions * SLOT / 3600.0).exp();
        for _ in 0..self.preemptions.binomial(on_spot, chance) {
            self.ready.pop();
        }
    }

    /// Loses everything.
    pub(super) fn fail(&mut self) {
        self.down = true;
        self.ready.clear();
        self.starting.clear();
    }

    pub(super) fn bill(&self) -> Bill {
        self.bill
    }
}

/// How replicas start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// They take their time.
    Cold,
    /// They are ready at once, because their need was known in advance; the time is billed.
    Foreseen,
}
