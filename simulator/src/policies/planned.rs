//! The planner: a quantile of the demand to come, sized and placed as in a plan.

mod foresight;
mod placer;
mod tuned;

use isobar_capacity::{Hold, Lead, USUAL_HOLD};

pub use self::foresight::{Foresight, LEVELS};
use self::placer::Placer;
use self::tuned::Tuned;
use super::{Kind, Policy, Setting, View};
use crate::scenario::LAG;
use crate::sizes::Sizes;
use crate::trace::{MINUTE, SLOT};

/// The time between two plans.
pub(super) const REPLAN: std::time::Duration = std::time::Duration::from_secs(60);

/// The utilisation above which the guard adds replicas.
const GUARD: f64 = 0.8;

pub(super) const PLANNED: Kind = Kind {
    name: "planned",
    about: "the planner, every minute: a quantile of the forecast, tuned to the violation budget",
    build: |setting| tuned(setting, false),
};

pub(super) const PLANNED_GUARD: Kind = Kind {
    name: "planned+guard",
    about: "the planner, and an autoscaler at 80 % busy that adds to it",
    build: |setting| tuned(setting, true),
};

fn tuned(
    setting: &Setting<'_>,
    guard: bool,
) -> Result<Box<dyn Policy>, isobar_capacity::CapacityError> {
    let foresight = Foresight::new(setting);
    if let Some(level) = setting.scenario.level {
        let level = foresight::nearest(level);
        return Ok(Box::new(Planned::new(setting, foresight, level, guard)));
    }
    Ok(Box::new(Tuned::new(setting, &foresight, guard)?))
}

/// The lead of an order in a scenario.
pub(super) fn lead(setting: &Setting<'_>) -> Lead {
    Lead {
        startup: setting.scenario.service.performance.startup,
        replan: REPLAN,
        lag: std::time::Duration::from_secs_f64(LAG as f64 * SLOT),
    }
}

/// The planner at one level, which may be changed.
pub(super) struct Planned {
    foresight: Foresight,
    pub(super) level: usize,
    /// The level that must be met without any one zone.
    survive: Option<usize>,
    hold: Hold,
    reserve: Hold,
    guard: Option<Hold>,
    sizes: Sizes,
    placer: Placer,
    /// What the last plan asked for: with all zones, and without any one.
    asked: (f64, f64),
}

impl Planned {
    pub(super) fn new(
        setting: &Setting<'_>,
        foresight: Foresight,
        level: usize,
        guard: bool,
    ) -> Self {
        let startup = setting.scenario.service.performance.startup;
        let time = Hold::time(startup, REPLAN, USUAL_HOLD);
        let slot = std::time::Duration::from_secs_f64(SLOT);
        Self {
            foresight,
            level,
            survive: setting.scenario.survive.map(foresight::nearest),
            hold: Hold::new(time, REPLAN, 0.0),
            reserve: Hold::new(time, REPLAN, 0.0),
            guard: guard.then(|| Hold::new(USUAL_HOLD, slot, 0.0)),
            sizes: setting.sizes.clone(),
            placer: Placer::new(setting),
            asked: (0.0, 0.0),
        }
    }

    /// The demand that keeps the busy share at the guard's target.
    fn guarded(&self, view: &View<'_>) -> f64 {
        self.sizes.rate((view.load / GUARD).ceil() as u32)
    }
}

impl Policy for Planned {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        let known = view.rates.len();
        if known.is_multiple_of(MINUTE) || self.asked == (0.0, 0.0) {
            let minute = (known / MINUTE).saturating_sub(1);
            let now = view.rates.last().copied().unwrap_or(0.0);
            let at = |level| self.foresight.demand(level, minute).unwrap_or(now);
            let (demand, reserve) = (at(self.level), self.survive.map(at));
            self.asked = (
                self.hold.settle(demand),
                reserve.map_or(0.0, |reserve| self.reserve.settle(reserve)),
            );
        } else if self.guard.is_none() && view.zones.iter().all(|zone| zone.up) {
            return;
        }
        let (mut demand, reserve) = self.asked;
        if self.guard.is_some() {
            let guarded = self.guarded(view);
            if let Some(hold) = &mut self.guard {
                demand = demand.max(hold.settle(guarded));
            }
        }
        self.placer.place(view, demand, reserve, wanted);
    }
}
