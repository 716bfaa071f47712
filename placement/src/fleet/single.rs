//! One service in the room that it has: exactly where that is possible, else as well as can be.

use super::Effort;
use super::branch::{self, Part};
use super::climb::{self, Found};
use super::exact::{self, Answer};
use super::layout::Room;
use super::levels;
use super::ready::Task;

/// A layout and what is known about how good it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Solved {
    pub(super) found: Found,
    /// No layout costs less, the tolls of the room included; the least number where nothing is
    /// known of them.
    pub(super) bound: i64,
}

impl Solved {
    fn proven(found: Found) -> Self {
        let bound = found.score.cost;
        Self { found, bound }
    }
}

/// The best layout that was found; one with a violation where there is none in this room.
pub(super) fn solve(
    task: &Task<'_>,
    room: &Room,
    start: Option<&[super::ready::Pick]>,
    effort: Effort,
) -> Solved {
    match exact::search(task, room) {
        Answer::Best(found) => return Solved::proven(found),
        // What is missing is told from the fullest layout.
        Answer::Infeasible => {
            let (found, _) = climb::search(task, room, start, (0, i64::MIN));
            return Solved { found, bound: 0 };
        }
        Answer::Unfit => {}
    }
    let bound = match room.tolls.is_empty() {
        true => task.floor,
        false => i64::MIN,
    };
    let goal = bound.saturating_add(bound.max(0) / GOOD_ENOUGH);
    let (found, _) = climb::search(task, room, start, (effort.layouts, goal));
    // What is solved anew in what others leave is not proven by itself.
    let whole = effort.proof && *room == Room::whole(task);
    if found.score.violation > 0 || !whole {
        return Solved { found, bound };
    }
    let bound = match found.score.cost <= goal {
        true => bound,
        false => levels::bound(task, (bound, goal_of(found.score.cost))),
    };
    let part = Part {
        task,
        room,
        floor: bound,
    };
    if found.score.cost <= bound {
        return Solved::proven(found);
    }
    match branch::prove(&[part], &[], found.score.cost) {
        Some(proof) => {
            let better = proof.better.and_then(|mut better| better.pop());
            Solved::proven(better.unwrap_or(found))
        }
        None => Solved { found, bound },
    }
}

/// The bound from which on a layout of this cost is not looked into further.
fn goal_of(cost: i64) -> i64 {
    cost.saturating_sub(cost / GOOD_ENOUGH)
}

/// A layout within this part of the bound is not searched further.
pub(super) const GOOD_ENOUGH: i64 = 2_000;
