//! The planner with the level that would have been right of late.

use isobar_capacity::{CapacityError, Trial, cheapest_within};

use super::{Foresight, LEVELS, Planned, Policy, Setting, View};
use crate::engine::{Engine, run};
use crate::scenario::Scenario;
use crate::tally::Day;
use crate::trace::DAY;

/// The level is chosen by what it would have led to in so many days before.
const MEMORY: usize = 7;

/// What is learned from before the first seasons are known does not count: two days.
const APPRENTICESHIP: usize = 2 * DAY;

/// Every level is replayed along with the one that counts; each day takes the cheapest that kept to
/// the budget in the last seven days.
pub(super) struct Tuned {
    planned: Planned,
    /// By level and day.
    replays: Vec<Vec<Day>>,
    /// The slot at which the replays begin to count.
    begin: usize,
    budget: f64,
    day: Option<usize>,
}

impl Tuned {
    pub(super) fn new(
        setting: &Setting<'_>,
        foresight: &Foresight,
        guard: bool,
    ) -> Result<Self, CapacityError> {
        let whole_days = setting.scenario.warmup / DAY * DAY;
        // So that days of replays end where days after the warm-up begin.
        let begin = setting.scenario.warmup - whole_days.saturating_sub(APPRENTICESHIP);
        let scenario = Scenario {
            warmup: begin,
            outages: Vec::new(),
            ..setting.scenario.clone()
        };
        let replay = |level| {
            let mut planned = Planned::new(setting, foresight.clone(), level, guard);
            Ok(run(&scenario, setting.trace, Engine::Slot, &mut planned)?.days)
        };
        let replays = (0..LEVELS.len()).map(replay).collect::<Result<_, _>>()?;
        let middle = super::foresight::nearest(0.95);
        Ok(Self {
            planned: Planned::new(setting, foresight.clone(), middle, guard),
            replays,
            begin,
            budget: setting.scenario.budget,
            day: None,
        })
    }

    /// The level for a day, from the days before it.
    fn level(&self, day: usize) -> Option<usize> {
        let trial = |(level, days): (usize, &Vec<Day>)| {
            let days = &days[day.saturating_sub(MEMORY).min(days.len())..day.min(days.len())];
            let sum = |of: fn(&Day) -> f64| days.iter().map(of).sum::<f64>();
            let arrived = sum(|day| day.arrived);
            (arrived > 0.0).then(|| Trial {
                level: LEVELS[level],
                violations: sum(|day| day.late) / arrived,
                cost: sum(|day| day.cost),
            })
        };
        let trials: Vec<Trial> = self.replays.iter().enumerate().filter_map(trial).collect();
        let chosen = cheapest_within(&trials, self.budget)?;
        Some(super::foresight::nearest(chosen.level))
    }
}

impl Policy for Tuned {
    fn decide(&mut self, view: &View<'_>, wanted: &mut [u32]) {
        let day = view.slot.saturating_sub(self.begin) / DAY;
        if self.day != Some(day) {
            self.day = Some(day);
            if let Some(level) = self.level(day) {
                self.planned.level = level;
            }
        }
        self.planned.decide(view, wanted);
    }
}
