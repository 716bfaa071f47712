//! Services that want the same instances, solved together.
//!
//! Each service is solved with the shadow prices of the limits as tolls, which also gives a bound
//! (Lagrange; Geoffrion 1974); what then goes beyond a limit is given up one service after the
//! other; at last single services and pairs of them are solved anew in what the others leave, for
//! as long as that gets better.

use super::Effort;
use rayon::prelude::*;

use super::climb::Found;
use super::layout::{Judge, Room};
use super::levels;
use super::ready::{Limits, Task};
use super::relaxation::{Constraint, Relaxation};
use super::seed::Seed;
use super::single::{self, Solved};

/// The rounds in which services that found no room are moved to the front.
const MOST_ORDERS: usize = 24;

/// Services that may draw on the same limits.
pub(super) struct Joint<'t, 's> {
    pub(super) tasks: &'t [&'t Task<'s>],
    pub(super) limits: &'t Limits,
    /// What each of them would run alone.
    pub(super) alone: &'t [Solved],
    /// For each service and round.
    pub(super) effort: Effort,
}

/// What was found for all of them.
pub(super) struct Together {
    pub(super) found: Vec<Found>,
    /// No placement costs less.
    pub(super) bound: i64,
}

impl Joint<'_, '_> {
    /// The best placement found; the service that there is no room for where there is none.
    pub(super) fn solve(&self, relaxation: &Relaxation) -> Result<Together, usize> {
        let mut tolls = vec![0_i64; self.limits.len()];
        for (constraint, micros) in &relaxation.prices {
            if let Constraint::Limit(limit) = constraint {
                tolls[*limit] = micros.round() as i64;
            }
        }
        let tolled: Vec<Solved> = (0..self.tasks.len())
            .into_par_iter()
            .map(|place| self.tolled(place, &tolls, None))
            .collect();
        let bound = self.bound(&tolled, &tolls).max(relaxation.bound);
        let bound = bound.max(self.alone.iter().map(|solved| solved.bound).sum());
        let mut found = self.fit(&tolled, &tolls)?;
        self.improve(&mut found, &tolls, bound);
        Ok(Together { found, bound })
    }

    /// What the tolled services cost together, less what the limits give back.
    fn bound(&self, tolled: &[Solved], tolls: &[i64]) -> i64 {
        let given = self.limits.iter().zip(tolls);
        let given = given.map(|((.., limit), toll)| toll.saturating_mul(i64::from(limit.most)));
        tolled.iter().map(|solved| solved.bound).sum::<i64>() - given.sum::<i64>()
    }

    fn tolled(&self, place: usize, tolls: &[i64], free: Option<&[u32]>) -> Solved {
        let task = self.tasks[place];
        let mut room = Room::whole(task);
        room.tolls = self.by_kind(task, |limit| tolls[limit], 0);
        if let Some(free) = free {
            narrow(&mut room, task, free);
        }
        let start = self.alone[place].found.picks.as_slice();
        let mut solved = single::solve(task, &room, Some(start), self.effort);
        if solved.bound == i64::MIN && free.is_none() {
            solved.bound = levels::tolled(task, tolls, solved.found.score.cost);
        }
        solved
    }

    fn by_kind<T: Copy>(&self, task: &Task<'_>, of: impl Fn(usize) -> T, none: T) -> Vec<Vec<T>> {
        let cells = task.cells.iter();
        let kinds = cells.map(|cell| {
            let kinds = cell.kinds.iter().map(|kind| kind.limit.map_or(none, &of));
            kinds.collect()
        });
        kinds.collect()
    }

    /// Layouts that keep the limits. Services take what they would have under the tolls where that
    /// is left, and else what is; one that finds no room goes first the next time.
    fn fit(&self, tolled: &[Solved], tolls: &[i64]) -> Result<Vec<Found>, usize> {
        let mut order: Vec<usize> = (0..self.tasks.len()).collect();
        order.sort_by_key(|place| {
            (
                std::cmp::Reverse(tolled[*place].found.score.replicas),
                *place,
            )
        });
        let mut last = 0;
        for _ in 0..MOST_ORDERS {
            let mut free = self.free();
            let mut found: Vec<Option<Found>> = vec![None; self.tasks.len()];
            let mut stuck = None;
            for place in &order {
                let task = self.tasks[*place];
                let wanted = &tolled[*place].found;
                let solved = match wanted.score.violation == 0 && fits(task, wanted, &free) {
                    true => wanted.clone(),
                    false => self.tolled(*place, tolls, Some(&free)).found,
                };
                if solved.score.violation > 0 {
                    stuck = Some(*place);
                    break;
                }
                take(task, &solved, &mut free);
                found[*place] = Some(self.plain(*place, solved));
            }
            let Some(place) = stuck else {
                return Ok(found.into_iter().flatten().collect());
            };
            last = place;
            let at = order.iter().position(|known| *known == place).unwrap_or(0);
            if at == 0 {
                return Err(place);
            }
            order.remove(at);
            order.insert(0, place);
        }
        Err(last)
    }

    fn free(&self) -> Vec<u32> {
        self.limits.iter().map(|(.., limit)| limit.most).collect()
    }

    /// A layout scored without tolls.
    fn plain(&self, place: usize, found: Found) -> Found {
        let room = Room::whole(self.tasks[place]);
        let score = Judge::new(self.tasks[place], &room).score(&found.picks);
        Found { score, ..found }
    }

    /// Solves services and pairs of them anew, until that does not help or the bound is close.
    fn improve(&self, found: &mut [Found], tolls: &[i64], bound: i64) {
        let close = |found: &[Found]| {
            let cost: i64 = found.iter().map(|found| found.score.cost).sum();
            cost.saturating_sub(bound) <= bound / single::GOOD_ENOUGH
        };
        let mut free = self.free();
        for (task, found) in self.tasks.iter().zip(found.iter()) {
            take(task, found, &mut free);
        }
        for _ in 0..4 {
            if close(found) {
                return;
            }
            let mut better = false;
            for place in 0..self.tasks.len() {
                better |= self.again(found, &mut free, place);
            }
            if !better {
                break;
            }
        }
        let mut seed = Seed::of("pairs");
        let count = self.tasks.len() as u64;
        for _ in 0..(4 * count).min(64) {
            let (first, second) = (seed.below(count) as usize, seed.below(count) as usize);
            if close(found) {
                return;
            }
            if first != second && self.meet(first, second) {
                self.pair(found, &mut free, (first, second), tolls);
            }
        }
    }

    /// Solves one service anew in what the others leave.
    fn again(&self, found: &mut [Found], free: &mut [u32], place: usize) -> bool {
        let task = self.tasks[place];
        give(task, &found[place], free);
        let mut room = Room::whole(task);
        narrow(&mut room, task, free);
        let solved = single::solve(task, &room, Some(&found[place].picks), self.effort);
        let better = solved.found.score < found[place].score;
        if better {
            found[place] = solved.found;
        }
        take(task, &found[place], free);
        better
    }

    /// Whether two services draw on the same limit.
    fn meet(&self, first: usize, second: usize) -> bool {
        let limits = |place: usize| {
            let kinds = self.tasks[place].cells.iter().flat_map(|cell| &cell.kinds);
            kinds.filter_map(|kind| kind.limit)
        };
        limits(first).any(|limit| limits(second).any(|other| other == limit))
    }

    /// Takes two services out and puts them back, the first one with tolls.
    fn pair(
        &self,
        found: &mut [Found],
        free: &mut Vec<u32>,
        (first, second): (usize, usize),
        tolls: &[i64],
    ) {
        let cost = |found: &[Found]| found[first].score.cost + found[second].score.cost;
        let kept = (found[first].clone(), found[second].clone(), free.clone());
        let before = cost(found);
        give(self.tasks[first], &found[first], free);
        give(self.tasks[second], &found[second], free);
        let one = self.tolled(first, tolls, Some(free)).found;
        if one.score.violation == 0 {
            take(self.tasks[first], &one, free);
            found[first] = self.plain(first, one);
            let task = self.tasks[second];
            let mut room = Room::whole(task);
            narrow(&mut room, task, free);
            let start = self.alone[second].found.picks.as_slice();
            let other = single::solve(task, &room, Some(start), self.effort).found;
            if other.score.violation == 0 {
                take(task, &other, free);
                found[second] = other;
                self.again(found, free, first);
                if cost(found) < before {
                    return;
                }
            }
        }
        (found[first], found[second], *free) = kept;
    }
}

/// Leaves a service no more room than is free.
pub(super) fn narrow(room: &mut Room, task: &Task<'_>, free: &[u32]) {
    for (most, cell) in room.most.iter_mut().zip(&task.cells) {
        for (most, kind) in most.iter_mut().zip(&cell.kinds) {
            *most = kind.limit.map_or(*most, |limit| (*most).min(free[limit]));
        }
    }
}

/// The limits that a layout draws on, and how much.
pub(super) fn draws(task: &Task<'_>, found: &Found) -> Vec<(usize, u32)> {
    let cells = task.cells.iter().zip(&found.picks);
    let draws = cells.filter_map(|(cell, pick)| {
        let limit = cell.kinds[pick.kind].limit?;
        (pick.replicas() > 0).then_some((limit, pick.replicas()))
    });
    draws.collect()
}

fn fits(task: &Task<'_>, found: &Found, free: &[u32]) -> bool {
    let mut draws = draws(task, found).into_iter();
    draws.all(|(limit, taken)| taken <= free[limit])
}

fn take(task: &Task<'_>, found: &Found, free: &mut [u32]) {
    for (limit, taken) in draws(task, found) {
        free[limit] = free[limit].saturating_sub(taken);
    }
}

fn give(task: &Task<'_>, found: &Found, free: &mut [u32]) {
    for (limit, taken) in draws(task, found) {
        free[limit] += taken;
    }
}
