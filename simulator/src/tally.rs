//! What came of a simulation: sums by day, and the measures made of them.

use super::engine::{Offer, Served};
use super::fleet::{Bill, Pool};
use super::scenario::Scenario;
use super::trace::{DAY, SLOT};
use super::waiting::TIMES;

/// A slot in which fewer than this share of requests are served counts as downtime.
const UP: f64 = 0.95;

/// Sums of one day after the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Day {
    /// Requests that came.
    pub arrived: f64,
    /// Requests that were too slow or not served.
    pub late: f64,
    /// What replicas cost.
    pub cost: f64,
    /// Minutes in which fewer than 95 % of requests were served.
    pub downtime: f64,
}

/// Sums of a whole simulation, without the warm-up.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Totals {
    /// By day.
    pub days: Vec<Day>,
    /// Hours that count.
    pub hours: f64,
    /// Requests that came.
    pub arrived: f64,
    /// Requests that were served.
    pub served: f64,
    /// Requests that were turned away or lost.
    pub shed: f64,
    /// Requests that waited when it began.
    pub queued_before: f64,
    /// Requests that still wait.
    pub queued: f64,
    /// Requests that were too slow or not served.
    pub late: f64,
    /// Seconds that requests waited, where each is simulated by itself.
    pub waited: f64,
    /// Those of them that were late while replicas of their zone were starting.
    pub cold_hits: f64,
    /// What replicas cost.
    pub cost: f64,
    /// Replica-hours.
    pub replica_hours: f64,
    /// Replicas ordered.
    pub launches: u32,
    /// Minutes in which fewer than 95 % of requests were served.
    pub downtime: f64,
    /// Kilograms of CO2 equivalent.
    pub carbon: f64,
    /// Things that a person did.
    pub interventions: u32,
    /// Seconds within which 95 % of requests were answered, by mean service time.
    pub response_p95: f64,
    /// Replica-hours beyond the offered load, and missing to it.
    pub idle_hours: f64,
    /// Erlang-hours of load beyond the replicas.
    pub missing_hours: f64,
    /// The share of slots with less capacity than load.
    pub overloaded: f64,
    /// Ready replicas by hour, for a chart: the mean of each.
    pub replicas: Vec<f64>,
}

impl Totals {
    /// The share of requests that were too slow or not served.
    #[must_use]
    pub fn violations(&self) -> f64 {
        if self.arrived > 0.0 {
            self.late / self.arrived
        } else {
            0.0
        }
    }

    /// The share of requests that were not served.
    #[must_use]
    pub fn dropped(&self) -> f64 {
        if self.arrived > 0.0 {
            self.shed / self.arrived
        } else {
            0.0
        }
    }

    /// The cost of a month of 730 hours.
    #[must_use]
    pub fn monthly(&self) -> f64 {
        if self.hours > 0.0 {
            self.cost / self.hours * 730.0
        } else {
            0.0
        }
    }

    /// The mean number of replicas, those that start included.
    #[must_use]
    pub fn mean_replicas(&self) -> f64 {
        if self.hours > 0.0 {
            self.replica_hours / self.hours
        } else {
            0.0
        }
    }

    /// How far the books are from balance: what came is served, turned away or waits.
    #[must_use]
    pub fn imbalance(&self) -> f64 {
        let came = self.queued_before + self.arrived;
        (came - self.served - self.shed - self.queued).abs() / came.max(1.0)
    }
}

/// The sums as they grow.
#[derive(Debug)]
pub(super) struct Tally {
    totals: Totals,
    warmup: usize,
    service: f64,
    concurrency: f64,
    watts: f64,
    intensities: Vec<f64>,
    trips: Vec<f64>,
    /// The bills at the end of the slot before.
    billed: Vec<Bill>,
    ready: Vec<u32>,
    slot: Served,
    ready_now: f64,
    trip: f64,
    longer: [f64; TIMES.len()],
}

impl Tally {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let zones = scenario.zones.iter();
        let performance = &scenario.service.performance;
        Self {
            totals: Totals::default(),
            warmup: scenario.warmup,
            service: performance.service_time.as_secs_f64(),
            concurrency: f64::from(performance.concurrency),
            watts: scenario.service.watts,
            intensities: zones.clone().map(|zone| zone.intensity).collect(),
            trips: zones.map(|zone| zone.round_trip.as_secs_f64()).collect(),
            billed: vec![Bill::default(); scenario.zones.len()],
            ready: vec![0; scenario.zones.len()],
            slot: Served::default(),
            ready_now: 0.0,
            trip: 0.0,
            longer: [0.0; TIMES.len()],
        }
    }

    /// The replicas that were ready in a zone before it failed.
    pub(super) fn last_ready(&self, zone: usize) -> u32 {
        self.ready[zone]
    }

    pub(super) fn begin(&mut self, slot: usize) {
        if slot == self.warmup {
            self.totals.queued_before = self.slot.queued;
        }
        self.slot = Served::default();
        self.ready_now = 0.0;
    }

    pub(super) fn add(&mut self, zone: usize, offer: &Offer, served: &Served, starting: u32) {
        if !offer.lost {
            self.ready[zone] = offer.replicas;
        }
        self.ready_now += f64::from(offer.replicas);
        let sum = &mut self.slot;
        sum.arrived += served.arrived;
        sum.served += served.served;
        sum.shed += served.shed;
        sum.late += served.late;
        sum.waited += served.waited;
        sum.queued += served.queued;
        for (sum, longer) in sum.longer.iter_mut().zip(served.longer) {
            *sum += longer;
        }
        self.trip = served.arrived.mul_add(self.trips[zone], self.trip);
        if starting > 0 {
            // Kept in a field that has no meaning for all zones together.
            sum.busy += served.late;
        }
    }

    pub(super) fn end(&mut self, slot: usize, pools: &[Pool]) {
        let (mut cost, mut hours, mut launches, mut carbon) = (0.0, 0.0, 0, 0.0);
        for (zone, pool) in pools.iter().enumerate() {
            let (bill, before) = (pool.bill(), self.billed[zone]);
            cost += bill.cost - before.cost;
            hours += bill.hours - before.hours;
            launches += bill.launches - before.launches;
            let kilowatt_hours = (bill.hours - before.hours) * self.watts / 1e3;
            carbon += kilowatt_hours * self.intensities[zone] / 1e3;
            self.billed[zone] = bill;
        }
        let Some(counted) = slot.checked_sub(self.warmup) else {
            self.trip = 0.0;
            return;
        };
        let totals = &mut self.totals;
        let sum = &self.slot;
        totals.cost += cost;
        totals.replica_hours += hours;
        totals.launches += launches;
        totals.carbon += carbon;
        totals.hours += SLOT / 3600.0;
        totals.arrived += sum.arrived;
        totals.served += sum.served;
        totals.shed += sum.shed;
        totals.late += sum.late;
        totals.waited += sum.waited;
        totals.queued = sum.queued;
        totals.cold_hits += sum.busy;
        for (total, longer) in self.longer.iter_mut().zip(sum.longer) {
            *total += longer;
        }
        let load = sum.arrived / SLOT * self.service / self.concurrency;
        totals.idle_hours += (self.ready_now - load).max(0.0) * SLOT / 3600.0;
        totals.missing_hours += (load - self.ready_now).max(0.0) * SLOT / 3600.0;
        totals.overloaded += f64::from(u8::from(load > self.ready_now));
        let down = sum.arrived - sum.shed < UP * sum.arrived;
        let downtime = if down { SLOT / 60.0 } else { 0.0 };
        totals.downtime += downtime;
        let day = counted / DAY;
        if totals.days.len() <= day {
            totals.days.push(Day::default());
        }
        if let Some(day) = totals.days.last_mut() {
            day.arrived += sum.arrived;
            day.late += sum.late;
            day.cost += cost;
            day.downtime += downtime;
        }
        let hour = counted * SLOT as usize / 3600;
        if totals.replicas.len() <= hour {
            totals.replicas.push(0.0);
        }
        if let Some(mean) = totals.replicas.last_mut() {
            *mean += self.ready_now * SLOT / 3600.0;
        }
    }

    pub(super) fn finish(mut self, interventions: u32, slot: f64) -> Totals {
        let arrived = self.totals.arrived;
        self.totals.interventions = interventions;
        self.totals.overloaded /= (self.totals.hours * 3600.0 / slot).max(1.0);
        let wait = percentile(&self.longer, arrived, 0.95);
        let trip = if arrived > 0.0 {
            self.trip / arrived
        } else {
            0.0
        };
        self.totals.response_p95 = wait + trip + self.service;
        self.totals
    }
}

/// The waiting time within which this share of requests is served, on the line between the times
/// that are counted.
fn percentile(longer: &[f64; TIMES.len()], arrived: f64, share: f64) -> f64 {
    let allowed = (1.0 - share) * arrived;
    let mut before: Option<(f64, f64)> = None;
    for (count, time) in longer.iter().zip(TIMES) {
        let time = time as f64 / 1e3;
        if *count <= allowed {
            let Some((more, earlier)) = before else {
                return time;
            };
            let part = if more > *count {
                (more - allowed) / (more - count)
            } else {
                1.0
            };
            return earlier + part * (time - earlier);
        }
        before = Some((*count, time));
    }
    before.map_or(0.0, |(_, time)| time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_lies_between_the_times_that_are_counted() {
        let mut longer = [0.0; TIMES.len()];
        assert_eq!(percentile(&longer, 100.0, 0.95), 0.0);
        longer[0] = 50.0;
        longer[1] = 10.0;
        let between = percentile(&longer, 100.0, 0.95);
        assert!((between - 0.0075).abs() < 1e-12, "{between}");
        longer = [100.0; TIMES.len()];
        assert_eq!(percentile(&longer, 100.0, 0.95), 5.0);
    }
}
