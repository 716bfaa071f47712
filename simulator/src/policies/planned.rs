//! The planner: a quantile of the demand to come, sized and placed as in a plan.

mod foresight;
mod placer;
mod tuned;

use isobar_capacity::{Hold, Lead, USUAL_HOLD};

pub use self::foresight::{Foresight, LEVELS};
pub(crate) use self::placer::Placements;
use self::placer::Placer;
pub(crate) use self::tuned::Learned;
use self::tuned::Tuned;
use super::{Kind, Policy, Setting, View};
use crate::scenario::LAG;
use crate::sizes::Sizes;
use crate::trace::{MINUTE, SLOT};

/// The time between two plans.
pub(super) const REPLAN: std::time::Duration = std::time::Duration::from_secs(60);

/// The utilisations above which a guard adds replicas, to choose among.
pub(super) const GUARDS: [f64; 5] = [0.9, 0.8, 0.7, 0.6, 0.5];

/// The guard of a planner that is not tuned, or not yet.
pub(super) const USUAL_GUARD: f64 = 0.8;

pub(super) const PLANNED: Kind = Kind {
    name: "planned",
    about: "the planner, every minute: a quantile of the forecast, tuned to the violation budget",
    build: |setting| tuned(setting, false),
};

pub(super) const PLANNED_GUARD: Kind = Kind {
    name: "planned+guard",
    about: "the planner, and an autoscaler that adds to it, tuned together",
    build: |setting| tuned(setting, true),
};

fn tuned(
    setting: &Setting<'_>,
    guard: bool,
) -> Result<Box<dyn Policy>, isobar_capacity::CapacityError> {
    let foresight = setting.learned.foresight(setting);
    let guards = if guard { &GUARDS[..] } else { &[] };
    Ok(match setting.scenario.level {
        Some(level) => {
            let stance = Stance {
                level: foresight::nearest(level),
                guard: guard.then_some(USUAL_GUARD),
            };
            Box::new(Planned::new(setting, foresight, stance))
        }
        None => Box::new(Tuned::new(setting, &foresight, guards)),
    })
}

/// How careful the planner is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stance {
    /// The level of the demand that is provided for, by place in [`LEVELS`].
    pub level: usize,
    /// The utilisation above which replicas are added at once, where there is a guard.
    pub guard: Option<f64>,
}

/// The lead of an order in a scenario.
pub(super) fn lead(setting: &Setting<'_>) -> Lead {
    Lead {
        startup: setting.scenario.service.performance.startup,
        replan: REPLAN,
        lag: std::time::Duration::from_secs_f64(LAG as f64 * SLOT),
    }
}

/// The planner with one stance, which may be changed.
pub(super) struct Planned {
    foresight: Foresight,
    pub(super) stance: Stance,
    /// The level that must be met without any one zone.
    survive: Option<usize>,
    hold: Hold,
    reserve: Hold,
    guard: Hold,
    sizes: Sizes,
    placer: Placer,
    /// What the last plan asked for: with all zones, and without any one.
    asked: Option<(f64, f64)>,
}

impl Planned {
    pub(super) fn new(setting: &Setting<'_>, foresight: Foresight, stance: Stance) -> Self {
        let startup = setting.scenario.service.performance.startup;
        let hold = || Hold::new(startup + REPLAN, REPLAN, 0.0);
        let slot = std::time::Duration::from_secs_f64(SLOT);
        Self {
            foresight,
            stance,
            survive: setting.scenario.survive.map(foresight::nearest),
            hold: hold(),
            reserve: hold(),
            guard: Hold::new(USUAL_HOLD, slot, 0.0),
            sizes: setting.sizes.clone(),
            placer: Placer::new(setting),
            asked: None,
        }
    }

    /// Plans anew when a minute has become known.
    fn plan(&mut self, view: &View<'_>) -> (f64, f64) {
        let known = view.rates.len();
        if let Some(asked) = self.asked.filter(|_| !known.is_multiple_of(MINUTE)) {
            return asked;
        }
        let minute = (known / MINUTE).saturating_sub(1);
        let at = |level| self.foresight.demand(level, minute).unwrap_or(view.now);
        let (demand, reserve) = (at(self.stance.level), self.survive.map(at));
        let reserve = reserve.map_or(0.0, |reserve| self.reserve.settle(reserve));
        let asked = (self.hold.settle(demand), reserve);
        self.asked = Some(asked);
        asked
    }
}

impl Policy for Planned {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        let (planned, reserve) = self.plan(view);
        let demand = match self.stance.guard {
            Some(target) => {
                let guarded = self.sizes.rate((view.load / target).ceil() as u32);
                planned.max(self.guard.settle(guarded))
            }
            None => planned,
        };
        self.placer.place(view, demand, reserve, wanted);
    }
}
