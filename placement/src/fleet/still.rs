//! The second pass: as few moves as a thousandth of the cost allows.

use super::climb::Found;
use super::layout::{Judge, Room};
use super::ready::{Pick, Task};

/// The part of the cost that keeping still may take.
const WORTH: i64 = 1_000;

/// A layout that costs hardly more than the one found and starts and stops fewer replicas.
pub(super) fn settle(task: &Task<'_>, room: &Room, found: Found) -> Found {
    let now = |cell: &super::ready::Cell| cell.now.on_demand + cell.now.spot;
    if task.cells.iter().all(|cell| now(cell) == 0) {
        return found;
    }
    let mut settling = Settling {
        most: found.score.cost.saturating_add(found.score.cost / WORTH),
        judge: Judge::new(task, room),
        best: found,
    };
    if let Some(present) = task.cells.iter().map(super::ready::Cell::present).collect() {
        settling.offer(present);
    }
    while settling.closer() {}
    settling.best
}

/// What runs now, where something does and everything holds with it.
pub(super) fn present(task: &Task<'_>, room: &Room) -> Option<Found> {
    let picks: Vec<Pick> = task
        .cells
        .iter()
        .map(super::ready::Cell::present)
        .collect::<Option<_>>()?;
    if picks.iter().all(|pick| pick.replicas() == 0) {
        return None;
    }
    let score = Judge::new(task, room).score(&picks);
    (score.violation == 0).then_some(Found { picks, score })
}

struct Settling<'t, 's> {
    judge: Judge<'t, 's>,
    most: i64,
    best: Found,
}

impl Settling<'_, '_> {
    fn moves(&self, picks: &[Pick]) -> u32 {
        let cells = self.judge.task.cells.iter().zip(picks);
        cells.map(|(cell, pick)| cell.moves(*pick)).sum()
    }

    /// Takes a layout if it moves less, or the same for less.
    fn offer(&mut self, picks: Vec<Pick>) -> bool {
        let within = |(most, pick): (&Vec<u32>, &Pick)| pick.replicas() <= most[pick.kind];
        if !self.judge.room.most.iter().zip(&picks).all(within) {
            return false;
        }
        let moves = self.moves(&picks);
        if moves > self.moves(&self.best.picks) {
            return false;
        }
        let score = self.judge.bounded(&picks, self.most);
        let less = (moves, score) < (self.moves(&self.best.picks), self.best.score);
        let taken = less && score.violation == 0 && score.cost <= self.most;
        if taken {
            self.best = Found { picks, score };
        }
        taken
    }

    /// Puts one cell back to what it runs now, or two of them a step closer.
    fn closer(&mut self) -> bool {
        let cells = self.best.picks.len();
        for place in 0..cells {
            for pick in self.steps(place) {
                let mut picks = self.best.picks.clone();
                picks[place] = pick;
                if self.offer(picks) {
                    return true;
                }
            }
        }
        for first in 0..cells {
            for second in first + 1..cells {
                let pairs = self.steps(first).into_iter();
                let of_second = self.steps(second);
                for (one, other) in pairs.flat_map(|a| of_second.iter().map(move |b| (a, *b))) {
                    let mut picks = self.best.picks.clone();
                    (picks[first], picks[second]) = (one, other);
                    if self.offer(picks) {
                        return true;
                    }
                }
            }
        }
        false
    }

    /// What a cell could run that is closer to what it runs now.
    fn steps(&self, place: usize) -> Vec<Pick> {
        let cell = &self.judge.task.cells[place];
        let here = self.best.picks[place];
        let Some(now) = cell.present() else {
            return Vec::new();
        };
        if now.kind != here.kind {
            return vec![now];
        }
        let toward = |from: u32, to: u32| match from.cmp(&to) {
            std::cmp::Ordering::Less => from + 1,
            std::cmp::Ordering::Equal => from,
            std::cmp::Ordering::Greater => from - 1,
        };
        let closer = Pick {
            on_demand: toward(here.on_demand, now.on_demand),
            spot: toward(here.spot, now.spot),
            kind: here.kind,
        };
        let mut steps = vec![now, closer];
        steps.retain(|pick| *pick != here && pick.replicas() >= cell.least);
        steps
    }
}
