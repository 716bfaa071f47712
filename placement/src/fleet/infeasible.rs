//! Why services cannot be placed, and what would free them.

use super::layout::Room;
use super::problem::Zone;
use super::ready::{Cell, Limits, Task};
use super::rejection::Rejection;
use super::single::Solved;
use super::{Domain, joint};
use crate::error::Shared;
use crate::{PlacementError, Raise};

/// Why a service finds no layout even where it has all limits to itself.
pub(super) fn alone(task: &Task<'_>, zones: &[&Zone]) -> PlacementError {
    let of = Cornered { task, zones };
    of.no_zone()
        .or_else(|| of.no_second_domain())
        .or_else(|| of.minimum_above_maximum())
        .or_else(|| of.too_little())
        .unwrap_or_else(|| of.rules())
}

/// Why services that each could be placed cannot be together: the limits that run out, and to
/// what they would have to be raised so that all run what they would run alone.
pub(super) fn together(
    tasks: &[&Task<'_>],
    alone: &[&Solved],
    limits: &Limits,
    zones: &[&Zone],
) -> PlacementError {
    let mut wanted = vec![0_u32; limits.len()];
    for (task, solved) in tasks.iter().zip(alone) {
        for (limit, taken) in joint::draws(task, &solved.found) {
            wanted[limit] += taken;
        }
    }
    let short = limits
        .iter()
        .zip(wanted)
        .filter(|((.., limit), wanted)| *wanted > limit.most);
    let short = short.map(|((zone, shape, limit), wanted)| Shared {
        zone: zones[*zone].name.clone(),
        shape: shape.clone(),
        most: limit.most,
        cause: limit.cause,
        wanted,
    });
    PlacementError::SharedLimits {
        services: tasks.iter().map(|task| task.service.name.clone()).collect(),
        limits: short.collect(),
    }
}

struct Cornered<'c, 'a> {
    task: &'c Task<'a>,
    zones: &'c [&'a Zone],
}

/// A case that must be carried.
struct Worst {
    lost: Option<String>,
    carried: u64,
    demand: u64,
    /// The origins that it is about, where it is not about all.
    origins: Vec<String>,
}

impl Cornered<'_, '_> {
    fn name(&self, cell: &Cell) -> String {
        self.zones[cell.zone].name.clone()
    }

    fn no_zone(&self) -> Option<PlacementError> {
        if !self.task.cells.is_empty() {
            return None;
        }
        let refused = &self.task.refused;
        if refused
            .iter()
            .all(|(_, rejection)| *rejection == Rejection::Down)
        {
            return Some(PlacementError::NoZone);
        }
        let why = refused
            .iter()
            .map(|(zone, rejection)| (self.zones[*zone].name.clone(), rejection.to_string()));
        Some(PlacementError::NoZonePermitted { why: why.collect() })
    }

    fn no_second_domain(&self) -> Option<PlacementError> {
        let domain = self.task.service.rules.survive?;
        if self.task.domains > 1 {
            return None;
        }
        let only = self
            .task
            .cells
            .first()
            .map(|cell| domain.of(self.zones[cell.zone]));
        Some(match domain {
            Domain::Zone => PlacementError::SurviveNeedsTwoZones { only },
            Domain::Region | Domain::Provider => PlacementError::SurviveNeedsTwo {
                domain,
                only: only.unwrap_or_default(),
            },
        })
    }

    fn minimum_above_maximum(&self) -> Option<PlacementError> {
        self.task.cells.iter().find_map(|cell| {
            let widest = cell.kinds.iter().max_by_key(|kind| kind.most)?;
            (cell.least > widest.most).then(|| PlacementError::MinimumAboveMaximum {
                zone: self.name(cell),
                minimum: cell.least,
                maximum: widest.most,
                cause: widest.cause,
            })
        })
    }

    /// What each cell carries at most where it may run `raised` at least.
    fn most(&self, cell: &Cell, raised: u32) -> u64 {
        let rates = cell.kinds.iter().map(|kind| {
            let useful = kind.table.needed.max(cell.least);
            kind.table.rate(kind.most.max(raised).min(useful))
        });
        rates.max().unwrap_or(0)
    }

    /// The case in which the most is missing with every cell full.
    fn worst(&self, raised: u32) -> Worst {
        let task = self.task;
        let mut cases = Vec::new();
        for (number, cut) in task.cuts.iter().enumerate() {
            let carried = |lost: Option<usize>| -> u64 {
                let cells = task
                    .cells
                    .iter()
                    .enumerate()
                    .filter(|(place, cell)| cut.inside[*place] && lost != Some(cell.domain));
                cells.map(|(_, cell)| self.most(cell, raised)).sum()
            };
            let origins = match number {
                0 => Vec::new(),
                _ => self.origins(&cut.inside),
            };
            cases.push(Worst {
                lost: None,
                carried: carried(None),
                demand: cut.planned,
                origins: origins.clone(),
            });
            cases.extend((0..task.domains).map(|lost| Worst {
                lost: Some(self.domain(lost)),
                carried: carried(Some(lost)),
                demand: cut.failover,
                origins: origins.clone(),
            }));
        }
        let missing = |case: &Worst| case.demand.saturating_sub(case.carried);
        // What is missing anyway comes before what is missing in an outage.
        let anyway = cases
            .iter()
            .position(|case| case.lost.is_none() && missing(case) > 0);
        let worst = anyway.or_else(|| {
            let by = |place: &usize| (missing(&cases[*place]), std::cmp::Reverse(*place));
            (0..cases.len()).max_by_key(by)
        });
        cases.swap_remove(worst.unwrap_or(0))
    }

    fn domain(&self, number: usize) -> String {
        let cell = self.task.cells.iter().find(|cell| cell.domain == number);
        let domain = self.task.service.rules.survive.zip(cell);
        domain.map_or_else(String::new, |(domain, cell)| {
            domain.of(self.zones[cell.zone])
        })
    }

    /// The origins that are served by these cells only.
    fn origins(&self, inside: &[bool]) -> Vec<String> {
        let origins = self.task.service.origins.iter().enumerate();
        let within = origins.filter(|(number, _)| {
            let mut cells = self.task.cells.iter().zip(inside);
            cells.all(|(cell, inside)| *inside || !cell.serves[*number])
        });
        within.map(|(_, origin)| origin.name.clone()).collect()
    }

    fn too_little(&self) -> Option<PlacementError> {
        let worst = self.worst(0);
        if worst.carried >= worst.demand {
            return None;
        }
        let kinds = || self.task.cells.iter().flat_map(|cell| &cell.kinds);
        let needed = kinds().map(|kind| kind.table.needed).max().unwrap_or(0);
        let enough = |to: u32| {
            let worst = self.worst(to);
            worst.carried >= worst.demand
        };
        if !enough(needed) {
            return Some(PlacementError::OutOfReach {
                origins: worst.origins,
                lost: worst.lost,
            });
        }
        let (mut short, mut to) = (0, needed);
        while to - short > 1 {
            let middle = short + (to - short) / 2;
            if enough(middle) {
                to = middle;
            } else {
                short = middle;
            }
        }
        let raise = self.task.cells.iter().filter_map(|cell| {
            let widest = cell.kinds.iter().max_by_key(|kind| kind.most)?;
            (widest.most < to).then(|| Raise {
                zone: self.name(cell),
                maximum: widest.most,
                cause: widest.cause,
            })
        });
        Some(PlacementError::TooFewReplicas {
            lost: worst.lost,
            carried: worst.carried as f64 / 1e6,
            demand: worst.demand as f64 / 1e6,
            raise: raise.collect(),
            to,
        })
    }

    /// The zones carry the demand, but not within the rules.
    fn rules(&self) -> PlacementError {
        let rules = &self.task.service.rules;
        let room = Room::whole(self.task);
        let open = room
            .most
            .iter()
            .filter(|cell| cell.iter().any(|most| *most > 0))
            .count();
        if (open as u32) < rules.min_zones {
            return PlacementError::TooFewZones {
                wanted: rules.min_zones,
                zones: open,
            };
        }
        PlacementError::ShareTooSmall {
            share: rules.max_zone_share.unwrap_or(1.0),
            zones: self.task.cells.len(),
        }
    }
}
