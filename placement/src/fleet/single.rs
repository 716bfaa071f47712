//! One service in the room that it has: exactly where that is possible, else as well as can be.

use super::branch::{self, Part};
use super::climb::{self, Found};
use super::exact::{self, Answer};
use super::layout::Room;
use super::ready::Task;

/// A layout and what is known about how good it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Solved {
    pub(super) found: Found,
    /// No layout costs less; the tolls of the room included.
    pub(super) bound: i64,
}

impl Solved {
    fn proven(found: Found) -> Self {
        let bound = found.score.cost;
        Self { found, bound }
    }
}

/// The best layout that was found; one with a violation where there is none in this room. The
/// search may judge `budget` layouts.
pub(super) fn solve(
    task: &Task<'_>,
    room: &Room,
    start: Option<&[super::ready::Pick]>,
    budget: u64,
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
    let bound = task.floor;
    let goal = bound.saturating_add(bound / GOOD_ENOUGH);
    let (found, _) = climb::search(task, room, start, (budget, goal));
    if found.score.violation > 0 || !room.tolls.is_empty() {
        return Solved { found, bound };
    }
    let part = Part {
        task,
        room,
        floor: bound,
    };
    match branch::prove(&[part], &[], found.score.cost) {
        Some(proof) => {
            let better = proof.better.and_then(|mut better| better.pop());
            Solved::proven(better.unwrap_or(found))
        }
        None => Solved { found, bound },
    }
}

/// A layout within this part of the bound is not searched further.
const GOOD_ENOUGH: i64 = 2_000;
