//! The search of one service where no exact one fits: greedy, then downhill, then kicked about.
//!
//! Its budget is counted in layouts judged and its kicks come from a fixed seed, so that the same
//! input gives the same layout on every machine.

use super::exact;
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
    // Who begins with something has been here before.
    let on_demand = match start {
        None => exact::on_demand(task, room),
        Some(_) => None,
    };
    for start in [start, on_demand.as_deref()].into_iter().flatten() {
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
        let mut near: Vec<Near> = (0..picks.len())
            .map(|place| self.near(place, picks[place]))
            .collect();
        // Where it got better last, so that every cell has its turn.
        let mut from = 0;
        while self.judge.steps < self.budget {
            let Some(change) = self.better(&mut picks, &near, (score, from)) else {
                break;
            };
            for (place, pick) in change {
                picks[place] = pick;
                near[place] = self.near(place, pick);
                from = place;
            }
            score = self.judge.score(&picks);
        }
        Found { picks, score }
    }

    /// The first change of one or two cells that is better.
    fn better(
        &mut self,
        picks: &mut [Pick],
        near: &[Near],
        (score, from): (Score, usize),
    ) -> Option<Vec<(usize, Pick)>> {
        let cells = picks.len();
        let turn = move |step: usize| (from + step) % cells;
        for place in (0..cells).map(turn) {
            let before = picks[place];
            for pick in &near[place].all {
                picks[place] = *pick;
                if self.judge.bounded(picks, score.cost) < score {
                    picks[place] = before;
                    return Some(vec![(place, *pick)]);
                }
            }
            picks[place] = before;
        }
        for first in (0..cells).map(turn) {
            for second in (0..cells).map(turn).filter(|second| *second != first) {
                let found =
                    self.shift(picks, (first, &near[first]), (second, &near[second]), score);
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

    /// Less in one cell and more in another one.
    fn shift(
        &mut self,
        picks: &mut [Pick],
        (first, of_first): (usize, &Near),
        (second, of_second): (usize, &Near),
        score: Score,
    ) -> Option<Vec<(usize, Pick)>> {
        let before = (picks[first], picks[second]);
        let mut found = None;
        let less = of_first.less.iter();
        for (a, b) in less.flat_map(|a| of_second.more.iter().map(move |b| (*a, *b))) {
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

    /// Picks close to one: a few replicas more or less, of another market or kind, none at all.
    fn near(&self, place: usize, pick: Pick) -> Near {
        let cell = &self.judge.task.cells[place];
        let mut near = Near::default();
        let (on_demand, spot) = (i64::from(pick.on_demand), i64::from(pick.spot));
        for (kind, offered) in cell.kinds.iter().enumerate() {
            let picked = |(on_demand, spot)| self.allowed(place, kind, (on_demand, spot));
            let there = |change: &(i64, i64)| picked((on_demand + change.0, spot + change.1));
            if kind == pick.kind || pick.replicas() == 0 {
                near.less.extend(LESS.iter().filter_map(there));
                near.more.extend(MORE.iter().filter_map(there));
            }
            near.all.extend(LESS.iter().chain(&MORE).filter_map(there));
            let least = i64::from(cell.least);
            let whole = [
                (0, 0),
                (least, 0),
                (on_demand + spot, 0),
                (0, on_demand + spot),
                (on_demand, spot),
            ];
            near.all.extend(whole.into_iter().filter_map(picked));
            // As much as now with replicas of another speed.
            let enough = offered
                .table
                .rates
                .partition_point(|known| *known < cell.rate(pick));
            near.all.extend(picked((enough as i64, 0)));
        }
        near.less
            .extend(self.allowed(place, pick.kind, (i64::from(cell.least), 0)));
        for list in [&mut near.all, &mut near.less, &mut near.more] {
            list.retain(|known| *known != pick);
            list.sort_unstable();
            list.dedup();
        }
        near
    }

    /// A pick, if the cell may run it.
    fn allowed(&self, place: usize, kind: usize, (on_demand, spot): (i64, i64)) -> Option<Pick> {
        let cell = &self.judge.task.cells[place];
        let most = self.judge.room.useful(self.judge.task, (place, kind));
        let pick = Pick {
            on_demand: u32::try_from(on_demand).ok()?,
            spot: u32::try_from(spot).ok()?,
            kind,
        };
        let within = (cell.least..=most).contains(&pick.replicas());
        (within && (spot == 0 || cell.kinds[kind].spot.is_some())).then_some(pick)
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

/// Picks close to the one of a cell.
#[derive(Debug, Default)]
struct Near {
    /// To be tried alone.
    all: Vec<Pick>,
    /// With less to carry, to be tried with more elsewhere.
    less: Vec<Pick>,
    more: Vec<Pick>,
}

/// What less is on demand and on spot instances.
const LESS: [(i64, i64); 6] = [(-1, 0), (0, -1), (-1, 1), (-2, 0), (0, -2), (-2, 1)];

/// What more is.
const MORE: [(i64, i64); 6] = [(1, 0), (0, 1), (1, -1), (2, 0), (0, 2), (1, -2)];
