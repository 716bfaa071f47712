//! The search of one service where no exact one fits: greedy, then downhill, then kicked about.
//!
//! Its budget is counted in layouts judged and its kicks come from a fixed seed, so that the same
//! input gives the same layout on every machine.

use super::layout::{Judge, Room, Score};
use super::ready::{Pick, Task};
use super::seed::Seed;

/// A layout with its score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) picks: Vec<Pick>,
    pub(super) score: Score,
}

/// Searches for `budget` judgements; from `start` where there is something to begin with. Ends
/// early at a layout that costs no more than `goal`.
pub(super) fn search(
    task: &Task<'_>,
    room: &Room,
    start: Option<&[Pick]>,
    (budget, goal): (u64, i64),
) -> (Found, u64) {
    let mut climb = Climb {
        judge: Judge::new(task, room),
        budget,
        seed: Seed::of(&task.service.name),
    };
    let mut best = climb.descend(climb_from(task, room, None));
    if let Some(start) = start {
        let other = climb.descend(climb_from(task, room, Some(start)));
        best = best.min_by_score(other);
    }
    let mut here = best.clone();
    let cells = task.cells.len();
    while cells > 0 && climb.judge.steps < budget && !best.reaches(goal) {
        let kicked = climb.kick(&here.picks);
        let there = climb.descend(kicked);
        // A step to the side leaves a plateau; a step up does not pay.
        if there.score <= here.score {
            here = there;
        }
        if here.score < best.score {
            best = here.clone();
        } else if climb.seed.below(8) == 0 {
            here = best.clone();
        }
    }
    (best, climb.judge.steps)
}

impl Found {
    fn min_by_score(self, other: Self) -> Self {
        match other.score < self.score {
            true => other,
            false => self,
        }
    }

    fn reaches(&self, goal: i64) -> bool {
        self.score.violation == 0 && self.score.cost <= goal
    }
}

/// The least that the cells must run, or a given layout cut down to the room.
fn climb_from(task: &Task<'_>, room: &Room, start: Option<&[Pick]>) -> Vec<Pick> {
    let cells = task.cells.iter().enumerate();
    cells
        .map(|(place, cell)| {
            let given = start.map(|start| start[place]).unwrap_or_default();
            fit(task, room, place, given).unwrap_or(Pick {
                on_demand: cell.least,
                ..Pick::default()
            })
        })
        .collect()
}

/// A pick within the room of its cell, the least of it at least; none where the kind has no room.
fn fit(task: &Task<'_>, room: &Room, place: usize, pick: Pick) -> Option<Pick> {
    let cell = &task.cells[place];
    let kinds = || (0..cell.kinds.len()).filter(|kind| room.most[place][*kind] >= cell.least);
    let kind = match kinds().any(|kind| kind == pick.kind) {
        true => pick.kind,
        false => kinds().next()?,
    };
    let most = room.most[place][kind];
    let spot = match cell.kinds[kind].spot {
        Some(_) => pick.spot.min(most),
        None => 0,
    };
    let on_demand = pick.on_demand.min(most - spot);
    let missing = cell.least.saturating_sub(on_demand + spot);
    Some(Pick {
        on_demand: on_demand + missing,
        spot,
        kind,
    })
}

struct Climb<'t, 's> {
    judge: Judge<'t, 's>,
    budget: u64,
    seed: Seed,
}

impl Climb<'_, '_> {
    /// Fills up until everything holds, then goes downhill.
    fn descend(&mut self, mut picks: Vec<Pick>) -> Found {
        self.fill(&mut picks);
        let mut score = self.judge.score(&picks);
        let mut near: Vec<Vec<Pick>> = (0..picks.len())
            .map(|place| self.near(place, picks[place]))
            .collect();
        while self.judge.steps < self.budget {
            let Some(change) = self.better(&mut picks, &near, score) else {
                break;
            };
            for (place, pick) in change {
                picks[place] = pick;
                near[place] = self.near(place, pick);
            }
            score = self.judge.score(&picks);
        }
        Found { picks, score }
    }

    /// The first change of one or two cells that is better.
    fn better(
        &mut self,
        picks: &mut [Pick],
        near: &[Vec<Pick>],
        score: Score,
    ) -> Option<Vec<(usize, Pick)>> {
        for place in 0..picks.len() {
            let before = picks[place];
            for pick in &near[place] {
                picks[place] = *pick;
                if self.judge.bounded(picks, score.cost) < score {
                    picks[place] = before;
                    return Some(vec![(place, *pick)]);
                }
            }
            picks[place] = before;
        }
        for first in 0..picks.len() {
            for second in first + 1..picks.len() {
                let found = self.pair(picks, (first, &near[first]), (second, &near[second]), score);
                if found.is_some() {
                    return found;
                }
            }
            if self.judge.steps >= self.budget {
                return None;
            }
        }
        None
    }

    fn pair(
        &mut self,
        picks: &mut [Pick],
        (first, of_first): (usize, &[Pick]),
        (second, of_second): (usize, &[Pick]),
        score: Score,
    ) -> Option<Vec<(usize, Pick)>> {
        let before = (picks[first], picks[second]);
        let mut found = None;
        let all = of_first
            .iter()
            .flat_map(|a| of_second.iter().map(move |b| (*a, *b)));
        for (a, b) in all {
            // Less in both was tried one by one, more in both only costs.
            let grows = |pick: Pick, was: Pick| pick.replicas() > was.replicas();
            if grows(a, before.0) && grows(b, before.1) && score.violation == 0 {
                continue;
            }
            (picks[first], picks[second]) = (a, b);
            if self.judge.bounded(picks, score.cost) < score {
                found = Some(vec![(first, a), (second, b)]);
                break;
            }
        }
        (picks[first], picks[second]) = before;
        found
    }

    /// Adds what lessens the violation most for its cost, until there is none or nothing helps.
    fn fill(&mut self, picks: &mut [Pick]) {
        let mut score = self.judge.score(picks);
        while score.violation > 0 {
            let mut best: Option<(f64, usize, Pick, Score)> = None;
            for place in 0..picks.len() {
                let before = picks[place];
                for pick in self.more(place, before) {
                    picks[place] = pick;
                    let there = self.judge.score(picks);
                    if there.violation >= score.violation {
                        continue;
                    }
                    let gain = (score.violation - there.violation) as f64;
                    let price = (there.cost - score.cost).max(1) as f64;
                    let rank = gain / price;
                    if best.as_ref().is_none_or(|(known, ..)| rank > *known) {
                        best = Some((rank, place, pick, there));
                    }
                }
                picks[place] = before;
            }
            let Some((_, place, pick, there)) = best else {
                return;
            };
            picks[place] = pick;
            score = there;
        }
    }

    /// Picks with more replicas than one: one more, two, four and so on.
    fn more(&self, place: usize, pick: Pick) -> Vec<Pick> {
        let cell = &self.judge.task.cells[place];
        let mut more = Vec::new();
        for kind in 0..cell.kinds.len() {
            if kind != pick.kind && pick.replicas() > cell.least {
                continue;
            }
            let most = self.judge.room.useful(self.judge.task, (place, kind));
            let mut step = 1;
            let base = Pick { kind, ..pick };
            while base.replicas() < most {
                let added = step.min(most - base.replicas());
                more.push(Pick {
                    on_demand: base.on_demand + added,
                    ..base
                });
                if cell.kinds[kind].spot.is_some() {
                    more.push(Pick {
                        spot: base.spot + added,
                        ..base
                    });
                }
                if added < step || base.replicas() + added == most {
                    break;
                }
                step *= 2;
            }
            // One that must run some may run them on demand where spot does not count.
            if pick.spot > 0 && kind == pick.kind {
                more.push(Pick {
                    on_demand: pick.on_demand + 1,
                    spot: pick.spot - 1,
                    kind,
                });
            }
        }
        more
    }

    /// Picks close to one: one replica more or less, of another market or kind, none at all.
    fn near(&self, place: usize, pick: Pick) -> Vec<Pick> {
        let cell = &self.judge.task.cells[place];
        let mut near = Vec::new();
        for (kind, offered) in cell.kinds.iter().enumerate() {
            let most = self.judge.room.useful(self.judge.task, (place, kind));
            let mut push = |on_demand: i64, spot: i64| {
                let (Ok(on_demand), Ok(spot)) = (u32::try_from(on_demand), u32::try_from(spot))
                else {
                    return;
                };
                let there = Pick {
                    on_demand,
                    spot,
                    kind,
                };
                let within = (cell.least..=most).contains(&there.replicas());
                if within && there != pick && (spot == 0 || offered.spot.is_some()) {
                    near.push(there);
                }
            };
            let (on_demand, spot) = (i64::from(pick.on_demand), i64::from(pick.spot));
            for (more, spare) in CLOSE {
                push(on_demand + more, spot + spare);
            }
            push(0, 0);
            push(i64::from(cell.least), 0);
            push(on_demand + spot, 0);
            push(0, on_demand + spot);
            if kind != pick.kind {
                push(on_demand, spot);
                // As much as now with replicas of another speed.
                let rate = cell.rate(pick);
                let rates = &offered.table.rates;
                push(rates.partition_point(|known| *known < rate) as i64, 0);
            }
        }
        near.sort_unstable();
        near.dedup();
        near
    }

    /// A layout with one to three cells set at random.
    fn kick(&mut self, picks: &[Pick]) -> Vec<Pick> {
        let mut picks = picks.to_vec();
        let task = self.judge.task;
        let cells = task.cells.len() as u64;
        for _ in 0..=self.seed.below(3) {
            let place = self.seed.below(cells) as usize;
            let cell = &task.cells[place];
            let kind = self.seed.below(cell.kinds.len() as u64) as usize;
            let most = self.judge.room.useful(task, (place, kind));
            if most < cell.least {
                continue;
            }
            let near = picks[place].replicas().saturating_add(3).min(most);
            let most = if self.seed.below(2) == 0 { near } else { most };
            let span = u64::from(most.max(cell.least) - cell.least);
            let replicas = cell.least + self.seed.below(span + 1) as u32;
            let spot = match cell.kinds[kind].spot {
                Some(_) => self.seed.below(u64::from(replicas) + 1) as u32,
                None => 0,
            };
            picks[place] = Pick {
                on_demand: replicas - spot,
                spot,
                kind,
            };
        }
        picks
    }
}

/// What a near pick adds on demand and on spot instances.
const CLOSE: [(i64, i64); 12] = [
    (-1, 0),
    (1, 0),
    (0, -1),
    (0, 1),
    (-1, 1),
    (1, -1),
    (-2, 0),
    (2, 0),
    (0, -2),
    (0, 2),
    (-1, 2),
    (1, -2),
];
