//! A closer bound for services that survive a loss: by how much a single domain carries.
//!
//! If the greatest domain carries little, all of them are small, and small pools carry little per
//! replica; if it carries much, as much must be there beside it. The linear relaxation sees neither
//! by itself. So the rates of the greatest domain are cut into ranges, each with a relaxation of its
//! own; the least of them is a bound, and the range with it is halved as long as that helps.

use super::ready::Task;
use super::relaxation::{Level, on_level};

/// The relaxations that are solved for one bound.
const MOST_RANGES: usize = 14;

/// A bound of a service, at least `known`; one of `enough` is not improved.
pub(super) fn bound(task: &Task<'_>, (known, enough): (i64, i64)) -> i64 {
    refine(task, &[], enough).map_or(known, |bound| bound.max(known))
}

/// A bound of a service under tolls, at most `cost`.
pub(super) fn tolled(task: &Task<'_>, tolls: &[i64], cost: i64) -> i64 {
    let whole = Level {
        low: 0,
        high: u64::MAX,
    };
    let loose = || on_level(task, tolls, whole).unwrap_or(0);
    refine(task, tolls, cost).unwrap_or_else(loose).min(cost)
}

/// None where no loss must be survived.
fn refine(task: &Task<'_>, tolls: &[i64], enough: i64) -> Option<i64> {
    if task.domains < 2 || task.cuts[0].failover == 0 {
        return None;
    }
    let least = task.cuts[0].failover / task.domains as u64;
    let tables = task.cells.iter().flat_map(|cell| &cell.kinds);
    let most = tables.filter_map(|kind| kind.table.rates.last()).max()?;
    // A domain may have several cells; beyond all of them there is nothing.
    let most = most.saturating_mul(task.cells.len() as u64);
    let mut ranges = Vec::new();
    let mut low = least;
    while low < most {
        let high = low.saturating_mul(2).max(low + 1).min(most);
        ranges.push(valued(task, tolls, Level { low, high }));
        low = high;
    }
    let mut solved = ranges.len();
    loop {
        let (place, (bound, level)) = ranges
            .iter()
            .copied()
            .enumerate()
            .min_by_key(|(place, (bound, _))| (*bound, *place))?;
        let middle = level.low + (level.high - level.low) / 2;
        if bound >= enough || solved >= MOST_RANGES + 2 || level.high - level.low < 2 {
            return Some(bound.min(i64::MAX - 1));
        }
        let halves = [
            Level {
                high: middle,
                ..level
            },
            Level {
                low: middle,
                ..level
            },
        ];
        solved += 2;
        ranges[place] = valued(task, tolls, halves[0]);
        ranges.push(valued(task, tolls, halves[1]));
    }
}

fn valued(task: &Task<'_>, tolls: &[i64], level: Level) -> (i64, Level) {
    (on_level(task, tolls, level).unwrap_or(i64::MAX), level)
}
