//! The whole simulated cloud and its clock.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Moment;
use super::bucket::Bucket;
use super::fault::{Fault, Rule};
use super::region::Region;

/// How long operations take, in seconds of simulated time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delays {
    /// From the order of an endpoint until it serves or has failed.
    pub create: u32,
    /// From the order of another configuration until its instances run or have failed, before any
    /// time of waiting that the order itself asks for.
    pub update: u32,
    /// Until other counts are there.
    pub scale: u32,
    /// Until other weights hold.
    pub weigh: u32,
    /// From the end of a failed update until the old configuration is whole again.
    pub roll_back: u32,
    /// Until an endpoint is gone.
    pub delete: u32,
}

impl Default for Delays {
    /// Plausible, not measured.
    fn default() -> Self {
        Self {
            create: 240,
            update: 300,
            scale: 180,
            weigh: 30,
            roll_back: 120,
            delete: 60,
        }
    }
}

/// All there is. Every map is sorted, so that the same operations give the same bytes.
#[derive(Debug, Clone, Serialize)]
pub struct World {
    /// The time of day.
    pub clock: Timestamp,
    /// Decides what is left to chance.
    pub seed: u64,
    /// How long operations take.
    pub delays: Delays,
    /// By name; a region is there once it was spoken to.
    pub regions: BTreeMap<String, Region>,
    /// Rules by which calls are spoiled; the first that hits decides.
    pub faults: Vec<Rule>,
    /// Limits on calls by operation; `*` is for all that have none of their own.
    pub limits: BTreeMap<String, Bucket>,
    /// How often each operation was asked for.
    pub calls: BTreeMap<String, u64>,
}

impl World {
    /// An empty cloud.
    #[must_use]
    pub fn new(start: Timestamp, seed: u64) -> Self {
        Self {
            clock: start,
            seed,
            delays: Delays::default(),
            regions: BTreeMap::new(),
            faults: Vec::new(),
            limits: BTreeMap::new(),
            calls: BTreeMap::new(),
        }
    }

    /// Lets time pass until `to`, and everything happen that falls into it, in order of time, then
    /// of region and name. Time does not run backwards.
    pub fn advance(&mut self, to: Timestamp) {
        loop {
            let due = self
                .regions
                .values()
                .filter_map(|region| region.due(self.clock));
            match due.min() {
                Some(at) if at <= to => {
                    self.clock = self.clock.max(at);
                    let moment = self.moment();
                    for region in self.regions.values_mut() {
                        region.step(&moment);
                    }
                }
                Some(_) | None => break,
            }
        }
        self.clock = self.clock.max(to);
    }

    /// The region, and what its operations need to know.
    pub fn at(&mut self, region: &str) -> (&mut Region, Moment) {
        let moment = self.moment();
        let region = self.regions.entry(region.to_owned()).or_default();
        (region, moment)
    }

    /// Counts a call, and says what becomes of it; `None` is the usual course.
    pub fn admit(&mut self, operation: &str) -> Option<Fault> {
        *self.calls.entry(operation.to_owned()).or_default() += 1;
        let (seed, now) = (self.seed, self.clock);
        let mut hit = None;
        for (index, rule) in self.faults.iter_mut().enumerate() {
            hit = rule.meet(operation, seed, index);
            if hit.is_some() {
                break;
            }
        }
        let own = self.limits.contains_key(operation);
        let bucket = self.limits.get_mut(if own { operation } else { "*" });
        let throttled = bucket.is_some_and(|bucket| !bucket.take(now));
        hit.or(throttled.then_some(Fault::Throttled))
    }

    const fn moment(&self) -> Moment {
        Moment {
            now: self.clock,
            delays: self.delays,
        }
    }
}
