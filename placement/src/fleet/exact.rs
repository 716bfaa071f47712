//! The exact search, for services whose replicas all carry the same and are lost one zone at a
//! time.

use super::climb::Found;
use super::layout::{Judge, Room};
use super::ready::{Cell, Pick, Table, Task};
use crate::search::{Bounds, Search};
use std::sync::Arc;

/// What the exact search says of a service.
#[derive(Debug)]
pub(super) enum Answer {
    /// The best layout there is.
    Best(Found),
    /// There is none.
    Infeasible,
    /// The service is not of the kind that it is for.
    Unfit,
}

/// Searches exactly, where that is possible.
pub(super) fn search(task: &Task<'_>, room: &Room) -> Answer {
    if !fits(task, room) {
        return Answer::Unfit;
    }
    let Some(table) = task.cells.first().map(|cell| &cell.kinds[0].table) else {
        return Answer::Unfit;
    };
    let Some(picks) = best(task, room, table) else {
        return Answer::Infeasible;
    };
    let score = Judge::new(task, room).score(&picks);
    match score.violation {
        0 => Answer::Best(Found { picks, score }),
        _ => Answer::Unfit,
    }
}

/// The best layout on demand with the kinds that most cells have, as if nothing else counted: a
/// start for the search of services that the exact one does not fit.
pub(super) fn on_demand(task: &Task<'_>, room: &Room) -> Option<Vec<Pick>> {
    if task.domains != 0 && task.domains != task.cells.len() {
        return None;
    }
    let kinds = || task.cells.iter().flat_map(|cell| &cell.kinds);
    let mut tables: Vec<(&Arc<Table>, u32)> = Vec::new();
    for kind in kinds() {
        match tables
            .iter_mut()
            .find(|(table, _)| Arc::ptr_eq(table, &kind.table))
        {
            Some((_, count)) => *count += 1,
            None => tables.push((&kind.table, 1)),
        }
    }
    let most = tables.iter().rev().max_by_key(|(_, count)| *count)?;
    best(task, room, most.0)
}

/// The best layout with kinds of one table.
fn best(task: &Task<'_>, room: &Room, table: &Arc<Table>) -> Option<Vec<Pick>> {
    let largest = table.needed.max(task.widest());
    let rates = &table.rates[..=(largest as usize).min(table.rates.len() - 1)];
    let rows: Vec<Vec<(u64, usize)>> = (0..task.cells.len())
        .map(|place| row((task, room), place, (table, rates.len())))
        .collect();
    let bounds = task.cells.iter().zip(&rows).map(|(cell, row)| Bounds {
        costs: row.iter().map(|(cost, _)| *cost).collect(),
        least: cell.least,
        most: (row.len() as u32).saturating_sub(1),
    });
    let bounds: Vec<Bounds> = bounds.collect();
    if bounds
        .iter()
        .any(|zone| zone.costs.len() <= zone.least as usize)
    {
        return None;
    }
    let whole = &task.cuts[0];
    let search = Search {
        zones: &bounds,
        rates,
        demand: whole.planned,
        failover: (task.domains > 0).then_some(whole.failover),
        share: task.service.rules.max_zone_share,
    };
    let counts = search.best()?;
    let picks = counts.iter().zip(&rows).map(|(count, row)| Pick {
        on_demand: *count,
        spot: 0,
        kind: row[*count as usize].1,
    });
    Some(picks.collect())
}

fn fits(task: &Task<'_>, room: &Room) -> bool {
    let kinds = || task.cells.iter().flat_map(|cell| &cell.kinds);
    let Some(first) = kinds().next() else {
        return false;
    };
    let same = kinds().all(|kind| Arc::ptr_eq(&kind.table, &first.table));
    let alone = task.domains == 0 || task.domains == task.cells.len();
    same && alone
        && kinds().all(|kind| kind.spot.is_none())
        && task.cells.iter().all(|cell| cell.now.spot == 0)
        && task.cuts.len() == 1
        && task.flows.is_none()
        // What survives the loss of a zone runs in two.
        && task.service.rules.min_zones <= 1 + u32::from(task.domains > 0 && task.cuts[0].failover > 0)
        && room.starts.is_none()
}

/// The cheapest cost and the kind of every number of replicas that a cell can run.
fn row(
    (task, room): (&Task<'_>, &Room),
    place: usize,
    (table, longest): (&Arc<Table>, usize),
) -> Vec<(u64, usize)> {
    let cell: &Cell = &task.cells[place];
    let cost = |replicas: u32, kind: usize| {
        let pick = Pick {
            on_demand: replicas,
            spot: 0,
            kind,
        };
        let toll = room.tolls.get(place).and_then(|row| row.get(kind)).copied();
        let toll = toll.unwrap_or(0) * i64::from(replicas);
        (cell.cost(pick) + toll).max(0) as u64
    };
    let row = (0..longest as u32).map_while(|replicas| {
        let fitting = |kind: &usize| {
            let same = replicas == 0 || Arc::ptr_eq(&cell.kinds[*kind].table, table);
            same && room.most[place][*kind] >= replicas
        };
        let kinds = (0..cell.kinds.len()).filter(fitting);
        kinds.map(|kind| (cost(replicas, kind), kind)).min()
    });
    row.collect()
}
