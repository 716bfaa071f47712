//! The planner with the stance that would have been right of late.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use isobar_capacity::{Trial, cheapest_within};

use super::{Foresight, LEVELS, Planned, Policy, Setting, Stance, USUAL_GUARD, View};
use crate::engine::{Engine, run};
use crate::scenario::Scenario;
use crate::tally::Day;
use crate::trace::DAY;

/// The stance is chosen by what it would have led to in so many days before, as far as they are known.
const MEMORY: usize = 28;

/// What is learned from before the first seasons are known does not count: two days.
const APPRENTICESHIP: usize = 2 * DAY;

/// What each stance would have led to, by day.
type Replays = Arc<Vec<(Stance, Vec<Day>)>>;

/// What planners of one service and demand learned, whatever goes wrong later: the forecasts, and
/// for so many guards the replays.
#[derive(Debug, Clone, Default)]
pub(crate) struct Learned {
    foresight: Arc<OnceLock<Foresight>>,
    replays: Arc<Mutex<BTreeMap<usize, Replays>>>,
}

impl Learned {
    pub(super) fn foresight(&self, setting: &Setting<'_>) -> Foresight {
        self.foresight
            .get_or_init(|| Foresight::new(setting))
            .clone()
    }

    fn replays(&self, guards: usize, replay: impl FnOnce() -> Replays) -> Replays {
        // A panic elsewhere leaves whole replays behind.
        let mut known = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(guards).or_insert_with(replay).clone()
    }
}

/// Every stance is replayed along with the one that counts; each day takes the cheapest that kept to
/// the budget in the last four weeks, so that a calm week does not make it forget the last burst.
pub(super) struct Tuned {
    planned: Planned,
    replays: Replays,
    /// The slot at which the replays begin to count.
    begin: usize,
    budget: f64,
    day: Option<usize>,
}

impl Tuned {
    /// Tunes the level, and with it the guard, among these and none.
    pub(super) fn new(setting: &Setting<'_>, foresight: &Foresight, guards: &[f64]) -> Self {
        let whole_days = setting.scenario.warmup / DAY * DAY;
        // So that days of replays end where days after the warm-up begin.
        let begin = setting.scenario.warmup - whole_days.saturating_sub(APPRENTICESHIP);
        let scenario = Scenario {
            warmup: begin,
            outages: Vec::new(),
            ..setting.scenario.clone()
        };
        let replayed = setting.amid(&scenario);
        let replay_one = |stance: Stance| {
            let mut planned = Planned::new(&replayed, foresight.clone(), stance);
            (stance, run(&replayed, Engine::Slot, &mut planned).days)
        };
        let replay = || Arc::new(stances(guards).into_iter().map(replay_one).collect());
        let replays = setting.learned.replays(guards.len(), replay);
        let middle = Stance {
            level: super::foresight::nearest(0.95),
            guard: (!guards.is_empty()).then_some(USUAL_GUARD),
        };
        Self {
            planned: Planned::new(setting, foresight.clone(), middle),
            replays,
            begin,
            budget: setting.scenario.budget,
            day: None,
        }
    }

    /// The stance for a day, from the days before it.
    fn stance(&self, day: usize) -> Option<Stance> {
        let trial = |(place, (_, days)): (usize, &(Stance, Vec<Day>))| {
            let days = &days[day.saturating_sub(MEMORY).min(days.len())..day.min(days.len())];
            let sum = |of: fn(&Day) -> f64| days.iter().map(of).sum::<f64>();
            let arrived = sum(|day| day.arrived);
            (arrived > 0.0).then(|| Trial {
                of: place,
                violations: sum(|day| day.late) / arrived,
                cost: sum(|day| day.cost),
            })
        };
        let trials: Vec<_> = self.replays.iter().enumerate().filter_map(trial).collect();
        let chosen = cheapest_within(&trials, self.budget)?;
        Some(self.replays.get(chosen.of)?.0)
    }
}

/// Every level without a guard, and the upper ones with each: below, a guard decides alone.
fn stances(guards: &[f64]) -> Vec<Stance> {
    let alone = (0..LEVELS.len()).map(|level| Stance { level, guard: None });
    let guarded = guards.iter().flat_map(|guard| {
        let levels = super::foresight::nearest(0.9)..LEVELS.len();
        levels.map(|level| Stance {
            level,
            guard: Some(*guard),
        })
    });
    alone.chain(guarded).collect()
}

impl Policy for Tuned {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        let day = view.slot.saturating_sub(self.begin) / DAY;
        if self.day != Some(day) {
            self.day = Some(day);
            if let Some(stance) = self.stance(day) {
                self.planned.stance = stance;
            }
        }
        self.planned.decide(view, wanted);
    }
}
