//! What is left when a zone, region or provider is lost.

use std::collections::BTreeMap;

use super::climb::{self, Found};
use super::layout::Room;
use super::problem::{Domain, Rules, Zone};
use super::ready::Task;
use super::solution::Outage;
use crate::fleet::exact::{self, Answer};

/// Every loss of something that runs replicas, by name; zones where nothing is said about losses.
pub(super) fn outages(task: &Task<'_>, found: &Found, zones: &[&Zone], room: &Room) -> Vec<Outage> {
    let domain = task.service.rules.survive.unwrap_or(Domain::Zone);
    let mut members: BTreeMap<String, Vec<bool>> = BTreeMap::new();
    for (place, (cell, pick)) in task.cells.iter().zip(&found.picks).enumerate() {
        if pick.replicas() > 0 {
            let name = domain.of(zones[cell.zone]);
            let inside = members
                .entry(name)
                .or_insert_with(|| vec![false; task.cells.len()]);
            inside[place] = true;
        }
    }
    let outage = |(lost, gone): (String, Vec<bool>)| {
        let left = |inside: &[bool]| -> u64 {
            let cells = task.cells.iter().zip(&found.picks).enumerate();
            let left = cells.filter(|(place, _)| inside[*place] && !gone[*place]);
            left.map(|(_, (cell, pick))| cell.firm(*pick)).sum()
        };
        let short = task
            .cuts
            .iter()
            .map(|cut| cut.failover.saturating_sub(left(&cut.inside)));
        let shed = short.max().unwrap_or(0);
        Outage {
            domain,
            lost,
            remaining_capacity: left(&task.cuts[0].inside) as f64 / 1e6,
            shed: shed as f64 / 1e6,
            close_micros_per_hour: (shed > 0)
                .then(|| close(task, found, room, &gone))
                .flatten(),
        }
    };
    members.into_iter().map(outage).collect()
}

/// What it costs to let the cells that are not gone carry the failover demand, beside what they
/// run.
fn close(task: &Task<'_>, found: &Found, room: &Room, gone: &[bool]) -> Option<u64> {
    let stays = |place: &usize| !gone[*place];
    let places: Vec<usize> = (0..task.cells.len()).filter(stays).collect();
    let service = super::Service {
        rules: Rules::default(),
        ..task.service.clone()
    };
    let mut rest = Task {
        service: &service,
        cells: places
            .iter()
            .map(|place| task.cells[*place].clone())
            .collect(),
        refused: Vec::new(),
        cuts: task.cuts.clone(),
        domains: 0,
        flows: None,
        floor: 0,
    };
    for cut in &mut rest.cuts {
        cut.planned = cut.failover;
        cut.inside = places.iter().map(|place| cut.inside[*place]).collect();
    }
    let mut before = 0;
    let mut open = Room {
        most: places
            .iter()
            .map(|place| room.most[*place].clone())
            .collect(),
        tolls: Vec::new(),
        starts: None,
    };
    for (at, place) in places.iter().enumerate() {
        let pick = found.picks[*place];
        let (cell, most) = (&mut rest.cells[at], &mut open.most[at]);
        cell.least = pick.on_demand;
        before += cell.cost(super::ready::Pick { spot: 0, ..pick });
        // What runs there is added to, not replaced.
        for (kind, most) in most.iter_mut().enumerate() {
            if pick.on_demand > 0 && kind != pick.kind {
                *most = 0;
            }
        }
        for kind in &mut cell.kinds {
            kind.spot = None;
        }
    }
    let best = match exact::search(&rest, &open) {
        Answer::Best(best) => best,
        Answer::Infeasible => return None,
        Answer::Unfit => climb::search(&rest, &open, None, (2_000, i64::MIN)).0,
    };
    let cost = best.score.cost.saturating_sub(before).max(0) as u64;
    (best.score.violation == 0).then_some(cost)
}
