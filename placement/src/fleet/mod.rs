//! Many services on many zones, placed together: instance types, markets and places at the least
//! cost, with a proof of how good that is and the reasons.
//!
//! Costs are whole millionths of a dollar per hour, rates whole millionths of a request per second,
//! and searches are counted in layouts judged, so that the same fleet, in any order, gives the same
//! placement on every machine.

mod branch;
mod climb;
mod exact;
mod explain;
mod flow;
mod infeasible;
mod joint;
mod layout;
mod levels;
mod outage;
mod problem;
mod ready;
mod rejection;
mod relaxation;
mod seed;
mod single;
mod solution;
mod still;

use std::collections::BTreeMap;

use rayon::prelude::*;

use self::branch::Part;
use self::climb::Found;
use self::joint::{Joint, draws};
use self::layout::Room;
use self::ready::{Bench, Limits, Task};
use self::relaxation::Relaxation;
use self::single::Solved;
use crate::PlacementError;

pub use self::problem::{
    Domain, Fleet, Grid, Limit, Origin, Present, Rules, Service, Shape, Site, Weights, Zone,
};
pub use self::ready::MOST_ORIGINS;
pub use self::rejection::Rejection;
pub use self::solution::{Allocation, Allotment, Binding, Gap, Outage, Shadow, Solution, Unplaced};

/// How long is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The layouts that may be judged for one service at a time, where no exact search fits it.
    pub layouts: u64,
    /// Whether it is also looked for proofs that what was found is good, which takes longer.
    pub proof: bool,
}

impl Default for Effort {
    /// A few milliseconds for each service.
    fn default() -> Self {
        Self {
            layouts: 40_000,
            proof: true,
        }
    }
}

/// Places all services of a fleet.
///
/// The method: services that never want the same last instances are solved one by one, exactly
/// where all their replicas carry the same and zones are lost one at a time, and else greedily and
/// then by local search, with branch and bound over small cases. Services that want the same
/// instances are solved together ([`joint`](self) tolls by the shadow prices of the linear
/// relaxation, repair, and local search over services). The linear relaxation bounds the cost from
/// below. A last pass starts and stops as few replicas as a thousandth of the cost allows.
///
/// # Errors
///
/// Everything that cannot be placed, with what is in the way.
pub fn solve(fleet: &Fleet, effort: Effort) -> Result<Solution, Vec<Unplaced>> {
    let zones = ready::zones(fleet).map_err(|error| vec![of_all(fleet, error)])?;
    let limits = ready::limits(&zones);
    let bench = Bench {
        zones: &zones,
        limits: &limits,
    };
    let mut tasks = tasks(fleet, &bench)?;
    let contested = contested(&tasks, &limits);
    for task in &mut tasks {
        task.prune(&contested);
    }
    // In parallel; what comes out does not depend on that.
    let relaxations: Vec<Option<Relaxation>> = tasks
        .par_iter()
        .map(|task| relaxation::relax(&[task], &limits))
        .collect();
    for (task, relaxation) in tasks.iter_mut().zip(&relaxations) {
        task.floor = relaxation.as_ref().map_or(0, |relaxation| relaxation.bound);
    }
    let alone: Vec<Solved> = tasks.par_iter().map(|task| steady(task, effort)).collect();
    let placing = Placing {
        bench: &bench,
        zones: &zones,
        limits: &limits,
        tasks: &tasks,
        alone: &alone,
        relaxations: &relaxations,
        effort,
    };
    placing.solve()
}

/// An error that is about all services.
fn of_all(fleet: &Fleet, error: PlacementError) -> Unplaced {
    let services = fleet.services.iter().map(|service| service.name.clone());
    Unplaced {
        services: services.collect(),
        error,
    }
}

/// The services ready for the search, by name.
fn tasks<'a>(fleet: &'a Fleet, bench: &Bench<'a>) -> Result<Vec<Task<'a>>, Vec<Unplaced>> {
    let mut services: Vec<&Service> = fleet.services.iter().collect();
    services.sort_by(|a, b| a.name.cmp(&b.name));
    let (mut tasks, mut wrong) = (Vec::new(), Vec::new());
    for service in services {
        match bench.task(service) {
            Ok(task) => tasks.push(task),
            Err(error) => wrong.push(Unplaced {
                services: vec![service.name.clone()],
                error,
            }),
        }
    }
    if wrong.is_empty() {
        Ok(tasks)
    } else {
        Err(wrong)
    }
}

/// Which limits could run out, because the services together could use more.
fn contested(tasks: &[Task<'_>], limits: &Limits) -> Vec<bool> {
    let mut wanted = vec![0_u64; limits.len()];
    let mut services = vec![0; limits.len()];
    for task in tasks {
        for kind in task.cells.iter().flat_map(|cell| &cell.kinds) {
            if let Some(limit) = kind.limit {
                let useful = kind.most.min(kind.table.needed.max(task.widest()));
                wanted[limit] += u64::from(useful);
                services[limit] += 1;
            }
        }
    }
    let limits = limits.iter().zip(wanted.into_iter().zip(services));
    limits
        .map(|((.., limit), (wanted, services))| services > 1 && wanted > u64::from(limit.most))
        .collect()
}

/// One service with as few starts as it may make, or more where that is not enough.
fn steady(task: &Task<'_>, effort: Effort) -> Solved {
    let room = Room::whole(task);
    let solved = single::solve(task, &room, None, effort);
    if solved.found.score.violation == 0 || room.starts.is_none() {
        return solved;
    }
    let room = Room {
        starts: None,
        ..room
    };
    single::solve(task, &room, None, effort)
}

/// Services that are solved together, and what came out.
struct Group {
    /// Their places.
    members: Vec<usize>,
    found: Vec<Found>,
    /// For each of them.
    gaps: Vec<Gap>,
    relaxation: Option<Relaxation>,
}

struct Placing<'p, 'a> {
    bench: &'p Bench<'a>,
    zones: &'p [&'a Zone],
    limits: &'p Limits,
    tasks: &'p [Task<'a>],
    alone: &'p [Solved],
    relaxations: &'p [Option<Relaxation>],
    effort: Effort,
}

impl Placing<'_, '_> {
    fn solve(&self) -> Result<Solution, Vec<Unplaced>> {
        let mut wrong = Vec::new();
        for (task, alone) in self.tasks.iter().zip(self.alone) {
            if alone.found.score.violation > 0 {
                wrong.push(Unplaced {
                    services: vec![task.service.name.clone()],
                    error: infeasible::alone(task, self.zones),
                });
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut groups = Vec::new();
        for members in self.groups() {
            match self.group(members) {
                Ok(group) => groups.push(group),
                Err(error) => wrong.push(error),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(self.explain(&self.settle(groups)))
    }

    /// Services that share a limit which does not suffice for what each of them would run alone,
    /// and those that could be pushed aside by them.
    fn groups(&self) -> Vec<Vec<usize>> {
        let contested = contested(self.tasks, self.limits);
        let mut of_limit: BTreeMap<usize, usize> = BTreeMap::new();
        let mut group: Vec<usize> = (0..self.tasks.len()).collect();
        for (place, task) in self.tasks.iter().enumerate() {
            for kind in task.cells.iter().flat_map(|cell| &cell.kinds) {
                let Some(limit) = kind.limit.filter(|limit| contested[*limit]) else {
                    continue;
                };
                let other = *of_limit.entry(limit).or_insert(place);
                let (from, to) = (group[place], group[other]);
                if from != to {
                    let (low, high) = (from.min(to), from.max(to));
                    group
                        .iter_mut()
                        .filter(|known| **known == high)
                        .for_each(|known| *known = low);
                }
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (place, group) in group.into_iter().enumerate() {
            groups.entry(group).or_default().push(place);
        }
        groups.into_values().collect()
    }

    fn group(&self, members: Vec<usize>) -> Result<Group, Unplaced> {
        let alone = || members.iter().map(|place| &self.alone[*place]);
        if self.fit(&members) {
            let gaps = alone().map(|solved| Gap::of(solved.found.score.cost, solved.bound));
            return Ok(Group {
                found: alone().map(|solved| solved.found.clone()).collect(),
                gaps: gaps.collect(),
                relaxation: match members.as_slice() {
                    [only] => self.relaxations[*only].clone(),
                    _ => None,
                },
                members,
            });
        }
        let tasks: Vec<&Task<'_>> = members.iter().map(|place| &self.tasks[*place]).collect();
        let unplaced = || Unplaced {
            services: tasks.iter().map(|task| task.service.name.clone()).collect(),
            error: infeasible::together(
                &tasks,
                &alone().collect::<Vec<_>>(),
                self.limits,
                self.zones,
            ),
        };
        let relaxation = relaxation::relax(&tasks, self.limits).ok_or_else(unplaced)?;
        let alone: Vec<Solved> = alone().cloned().collect();
        let joint = Joint {
            tasks: &tasks,
            limits: self.limits,
            alone: &alone,
            effort: Effort {
                layouts: self.effort.layouts / 8,
                ..self.effort
            },
        };
        let together = joint.solve(&relaxation);
        let together = together.map_err(|_| unplaced())?;
        let (found, bound) = self.prove(&tasks, &alone, (together.found, together.bound));
        let cost = found.iter().map(|found| found.score.cost).sum();
        Ok(Group {
            gaps: vec![Gap::of(cost, bound); members.len()],
            found,
            relaxation: Some(relaxation),
            members,
        })
    }

    /// Whether what services would run alone keeps the limits together.
    fn fit(&self, members: &[usize]) -> bool {
        let mut used = vec![0_u64; self.limits.len()];
        for place in members {
            for (limit, taken) in draws(&self.tasks[*place], &self.alone[*place].found) {
                used[limit] += u64::from(taken);
            }
        }
        let mut limits = self.limits.iter().zip(used);
        limits.all(|((.., limit), used)| used <= u64::from(limit.most))
    }

    /// Tries to prove a joint placement or to find a better one.
    fn prove(
        &self,
        tasks: &[&Task<'_>],
        alone: &[Solved],
        (found, bound): (Vec<Found>, i64),
    ) -> (Vec<Found>, i64) {
        let cost = found.iter().map(|found| found.score.cost).sum();
        if !self.effort.proof {
            return (found, bound);
        }
        let rooms: Vec<Room> = tasks.iter().map(|task| Room::whole(task)).collect();
        let parts = tasks.iter().zip(&rooms).zip(alone);
        let parts: Vec<Part<'_, '_>> = parts
            .map(|((task, room), alone)| Part {
                task,
                room,
                floor: alone.bound,
            })
            .collect();
        let limits: Vec<u32> = self.limits.iter().map(|(.., limit)| limit.most).collect();
        match branch::prove(&parts, &limits, cost) {
            Some(proof) => {
                let found = proof.better.unwrap_or(found);
                let cost = found.iter().map(|found| found.score.cost).sum();
                (found, cost)
            }
            None => (found, bound),
        }
    }

    /// The second pass over all services, each in what the others leave.
    fn settle(&self, mut groups: Vec<Group>) -> Vec<Group> {
        let mut free: Vec<u32> = self.limits.iter().map(|(.., limit)| limit.most).collect();
        let all = groups
            .iter()
            .flat_map(|group| group.members.iter().zip(&group.found));
        for (place, found) in all {
            for (limit, taken) in draws(&self.tasks[*place], found) {
                free[limit] = free[limit].saturating_sub(taken);
            }
        }
        for group in &mut groups {
            for (place, found) in group.members.iter().zip(&mut group.found) {
                let task = &self.tasks[*place];
                for (limit, taken) in draws(task, found) {
                    free[limit] += taken;
                }
                let mut room = Room::whole(task);
                room.starts = None;
                joint::narrow(&mut room, task, &free);
                *found = match still::present(task, &room) {
                    Some(present) if self.holds(task, &present, &free) => present,
                    _ => still::settle(task, &room, found.clone()),
                };
                for (limit, taken) in draws(task, found) {
                    free[limit] = free[limit].saturating_sub(taken);
                }
            }
        }
        groups
    }

    /// Whether what runs is left as it is: a placement of more demand would cost no less.
    fn holds(&self, task: &Task<'_>, present: &Found, free: &[u32]) -> bool {
        let band = task.service.rules.band;
        if band <= 0.0 {
            return false;
        }
        let mut service = task.service.clone();
        for origin in &mut service.origins {
            origin.demand *= 1.0 + band;
            origin.failover *= 1.0 + band;
        }
        let Ok(mut more) = self.bench.task(&service) else {
            return true;
        };
        more.prune(&contested(self.tasks, self.limits));
        let relaxation = relaxation::relax(&[&more], self.limits);
        more.floor = relaxation.map_or(0, |relaxation| relaxation.bound);
        let mut room = Room::whole(&more);
        room.starts = None;
        joint::narrow(&mut room, &more, free);
        let other = single::solve(&more, &room, None, self.effort).found.score;
        other.violation > 0 || present.score.cost <= other.cost
    }

    fn explain(&self, groups: &[Group]) -> Solution {
        let mut free: Vec<u32> = self.limits.iter().map(|(.., limit)| limit.most).collect();
        for group in groups {
            for (place, found) in group.members.iter().zip(&group.found) {
                for (limit, taken) in draws(&self.tasks[*place], found) {
                    free[limit] = free[limit].saturating_sub(taken);
                }
            }
        }
        let mut services = Vec::new();
        let mut shadows = Vec::new();
        for group in groups {
            if let Some(relaxation) = &group.relaxation {
                let tasks: Vec<_> = group
                    .members
                    .iter()
                    .map(|place| &self.tasks[*place])
                    .collect();
                shadows.extend(explain::shadows(
                    relaxation,
                    &tasks,
                    self.limits,
                    self.zones,
                ));
            }
            let members = group.members.iter().zip(&group.found).zip(&group.gaps);
            for ((place, found), gap) in members {
                let of = explain::Explaining {
                    task: &self.tasks[*place],
                    zones: self.zones,
                    limits: self.limits,
                    free: &free,
                    found,
                };
                services.push(of.allocation(*gap));
            }
        }
        services.sort_by(|a, b| a.service.cmp(&b.service));
        shadows.sort_by(|a: &Shadow, b| {
            let key = |shadow: &Shadow| {
                (
                    std::cmp::Reverse(shadow.micros_per_hour),
                    shadow.binding.to_string(),
                )
            };
            key(a).cmp(&key(b))
        });
        Solution { services, shadows }
    }
}

#[cfg(test)]
mod tests;
