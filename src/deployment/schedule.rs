//! Replicas over the time to come, zone by zone.
//!
//! A placement is made for the greatest demand of a forecast. At any other time each zone keeps
//! its share: with `N` replicas planned, which carry `r(N)`, it needs for the demand `d` of a slot
//! the least `n` with `r(n) ≥ r(N) · d / peak`. What the placement holds under the loss of a zone
//! it then holds at all times, since what is left shrinks in proportion.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Envelope, Scaling, Schedule, Shift};

use super::policy::CapacitySpec;
use super::size::{Site, ZoneSize};
use crate::capacity::{self, Band, Capacity, CapacityError};
use crate::forecast::Forecast;

/// The level whose demand bounds what a platform may add by itself.
pub const CEILING: f64 = 0.99;

/// What happens to the replicas of a zone between two applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// What its platform does by itself.
    pub scaling: Scaling,
    /// Within which bounds, where nothing else is scheduled.
    pub envelope: Envelope,
    /// What is needed when; `None` where demand is no forecast.
    pub schedule: Option<Schedule>,
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

/// The outlines of all zones with replicas, by name.
///
/// # Errors
/// The capacity cannot be sized for.
pub fn outlines(
    zones: &[(&ZoneSize, &Site, Scaling)],
    (pool, spec): (&Capacity, &CapacitySpec),
    outlook: Option<Outlook<'_>>,
) -> Result<BTreeMap<String, Outline>, CapacityError> {
    let running = zones.iter().filter(|(size, ..)| size.after > 0);
    let outline = |(size, site, scaling): &(&ZoneSize, &Site, Scaling)| {
        let stages = match outlook {
            Some(outlook) => stages(size, (pool, spec), outlook, most(size, site, spec))?,
            None => capacity::Schedule::default(),
        };
        let (_, max) = stages.envelope().unwrap_or((size.after, size.after));
        let outline = Outline {
            scaling: *scaling,
            envelope: Envelope {
                min: size.after,
                max: max.max(size.after),
            },
            schedule: schedule(&stages),
        };
        Ok((size.zone.clone(), outline))
    };
    running.map(outline).collect()
}

/// The stages of one zone: those of a pool of its own that gets its share of the demand.
fn stages(
    size: &ZoneSize,
    (pool, spec): (&Capacity, &CapacitySpec),
    outlook: Outlook<'_>,
    most: Option<u32>,
) -> Result<capacity::Schedule, CapacityError> {
    let share = match outlook.peak > 0.0 {
        true => pool.max_rate(size.after) / outlook.peak,
        false => 0.0,
    };
    let mut forecast = outlook.forecast.clone();
    for value in forecast.quantiles.iter_mut().flatten() {
        // What rounding adds must not ask for one replica more than the peak.
        *value *= share * (1.0 - 1e-9);
    }
    let band = Band {
        level: outlook.level,
        ceiling: CEILING.max(outlook.level),
        least: spec.min_replicas.max(1).min(size.after),
        most,
    };
    capacity::Schedule::of(pool, &forecast, band)
}

/// The most replicas that the zone may have.
fn most(size: &ZoneSize, site: &Site, spec: &CapacitySpec) -> Option<u32> {
    let instance = size.instance.as_deref();
    let limits = &site.spec.limits;
    let named = limits.get(instance.unwrap_or("replica"));
    let quota = instance.and_then(|instance| site.offer(instance)?.quota);
    let bounds = [
        named.or_else(|| limits.get("replica")).copied(),
        quota,
        spec.max_replicas,
    ];
    bounds.into_iter().flatten().min()
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
