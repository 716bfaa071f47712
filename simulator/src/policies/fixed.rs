//! A fixed number of replicas, from the demand of the warm-up.

use isobar_capacity::CapacityError;

use super::{Kind, Policy, Setting, View, spread};
use crate::trace::{DAY, Trace};

pub(super) const STATIC_PEAK: Kind = Kind {
    name: "static-peak",
    about: "a fixed number, for the greatest minute of the warm-up",
    build: |setting| build(setting, 1.0),
};

pub(super) const STATIC_P99: Kind = Kind {
    name: "static-p99",
    about: "a fixed number, for all but 1 % of the minutes of the warm-up",
    build: |setting| build(setting, 0.99),
};

struct Fixed(u32);

fn build(setting: &Setting<'_>, share: f64) -> Result<Box<dyn Policy>, CapacityError> {
    Ok(Box::new(Fixed(replicas(setting, share)?)))
}

/// The replicas for this share of the minutes of the warm-up, or of the first day where there is
/// none: by the greatest rate of each minute.
pub(super) fn replicas(setting: &Setting<'_>, share: f64) -> Result<u32, CapacityError> {
    let slots = match setting.scenario.warmup {
        0 => DAY.min(setting.measured.len()),
        warmup => warmup.min(setting.measured.len()),
    };
    let mut minutes = Trace::minutes(&setting.measured[..slots]);
    minutes.sort_by(f64::total_cmp);
    let rank = (minutes.len() as f64 * share).ceil() as usize;
    let demand = minutes.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
    Ok(setting.sizes.capacity().size(demand)?.replicas.max(1))
}

impl Policy for Fixed {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        spread(view, self.0, wanted);
    }
}
