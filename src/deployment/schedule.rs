//! Replicas over the time to come, zone by zone.
//!
//! A placement is made for the greatest demand of a forecast. At any other time each zone keeps
//! its share: with `N` replicas planned, which carry `r(N)`, it needs for the demand `d` of a slot
//! the least `n` with `r(n) ≥ r(N) · d / peak`, and enough of its share of every other need. What
//! the placement holds under the loss of a zone
//! it then holds at all times, since what is left shrinks in proportion.

use std::collections::BTreeMap;

use isobar_sdk::Path;
use isobar_sdk::deployment::{Envelope, Scaling, Schedule, Shift};

use super::fleet::{REPLICA, Taken, limit};
use super::resource::{ceilings, needs};
use super::size::{Inputs, Site, ZoneSize};
use super::spec::Wrong;
use crate::capacity::{self, Band, Capacity, Load};
use crate::forecast::Forecast;

/// The level whose demand bounds what a platform may add by itself.
pub const CEILING: f64 = 0.99;

/// What happens to the replicas of a zone between two applies.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// What its platform does by itself.
    pub scaling: Scaling,
    /// Within which bounds, where nothing else is scheduled.
    pub envelope: Envelope,
    /// What is needed when; `None` where demand is no forecast.
    pub schedule: Option<Schedule>,
    /// What the least replicas of each of its shifts carry, in requests per second.
    pub rates: Vec<f64>,
}

/// A forecast that replicas were sized for.
#[derive(Debug, Clone, Copy)]
pub struct Outlook<'a> {
    /// The forecast, with the level of the plan and [`CEILING`].
    pub forecast: &'a Forecast,
    /// The level that was planned for.
    pub level: f64,
    /// Its peak.
    pub peak: f64,
}

/// What a deployment does over time, in the zones that it was placed in.
#[derive(Debug, Clone, Copy)]
pub struct Horizon<'a> {
    /// What it was sized from.
    pub inputs: &'a Inputs<'a>,
    /// What the replicas of a zone do, where nothing but requests bounds them.
    pub pool: &'a Capacity,
    /// The forecast of its requests, where demand is one.
    pub outlook: Option<Outlook<'a>>,
    /// The forecasts of what else it needs, in the order of the needs.
    pub loads: &'a [&'a Forecast],
    /// What all deployments run, this one included.
    pub taken: &'a Taken,
}

impl Horizon<'_> {
    /// The outlines of all zones with replicas, by name.
    ///
    /// # Errors
    /// The capacity cannot be sized for.
    pub fn outlines(
        &self,
        zones: &[(&ZoneSize, &Site, Scaling)],
    ) -> Result<BTreeMap<String, Outline>, Wrong> {
        let running = zones.iter().filter(|(size, ..)| size.after > 0);
        let outline = |(size, site, scaling): &(&ZoneSize, &Site, Scaling)| {
            let pool = self.pool_of(size, site)?;
            let stages = match self.outlook {
                Some(outlook) => self.stages((size, site), &pool, outlook)?,
                None => capacity::Schedule::default(),
            };
            let counts = stages.stages.iter().map(|stage| stage.min);
            let (_, max) = stages.envelope().unwrap_or((size.after, size.after));
            let outline = Outline {
                scaling: *scaling,
                envelope: Envelope {
                    min: size.after,
                    max: max.max(size.after),
                },
                rates: counts.map(|count| pool.max_rate(count)).collect(),
                schedule: schedule(&stages),
            };
            Ok((size.zone.clone(), outline))
        };
        running.map(outline).collect()
    }

    /// What the replicas of one zone do, with all that bounds them.
    fn pool_of(&self, size: &ZoneSize, site: &Site) -> Result<Capacity, Wrong> {
        let instance = size.instance.as_deref().unwrap_or(REPLICA);
        let ceilings = ceilings(self.inputs, site, &[instance])?;
        Ok(self.pool.under(ceilings.get(instance).copied()))
    }

    /// The stages of one zone: those of a pool of its own that gets its share of the demand and of
    /// all needs.
    fn stages(
        &self,
        (size, site): (&ZoneSize, &Site),
        held: &Capacity,
        outlook: Outlook<'_>,
    ) -> Result<capacity::Schedule, Wrong> {
        let instance = size.instance.as_deref().unwrap_or(REPLICA);
        let needs = needs(self.inputs, site, instance)?;
        let share = match outlook.peak > 0.0 {
            true => held.max_rate(size.after) / outlook.peak,
            false => 0.0,
        };
        // What rounding adds must not ask for one replica more than the peak.
        let share = share * (1.0 - 1e-9);
        let mut forecast = outlook.forecast.clone();
        for value in forecast.quantiles.iter_mut().flatten() {
            *value *= share;
        }
        let loads = self.inputs.needs.iter().zip(needs).zip(self.loads);
        let loads: Vec<Load<'_>> = loads
            .map(|((told, need), forecast)| told.load(forecast, share, need.per_replica))
            .collect();
        let spec = self.inputs.capacity;
        let band = Band {
            level: outlook.level,
            ceiling: CEILING.max(outlook.level),
            least: spec.min_replicas.max(1).min(size.after),
            most: self.most(size, site),
            still: spec.rules.band,
        };
        capacity::Schedule::of(self.pool, &forecast, band, &loads).map_err(|error| Wrong {
            path: Path::attribute("capacity"),
            reason: error.to_string(),
        })
    }

    /// The most replicas that the zone may have: what its limits leave beside what other
    /// deployments run there.
    fn most(&self, size: &ZoneSize, site: &Site) -> Option<u32> {
        let instance = size.instance.as_deref().unwrap_or(REPLICA);
        let key = (size.zone.clone(), instance.to_owned());
        let taken = self.taken.get(&key).copied().unwrap_or(0);
        let others = taken.saturating_sub(size.after);
        let left = limit(site, instance).map(|limit| limit.most.saturating_sub(others));
        left.into_iter()
            .chain(self.inputs.capacity.max_replicas)
            .min()
    }
}

fn schedule(stages: &capacity::Schedule) -> Option<Schedule> {
    let shifts = stages.stages.iter().map(|stage| Shift {
        start: stage.order_by,
        envelope: Envelope {
            min: stage.min,
            max: stage.max,
        },
    });
    Some(Schedule {
        shifts: shifts.collect(),
        until: stages.end?,
    })
}
