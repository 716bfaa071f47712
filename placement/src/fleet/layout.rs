//! What a service runs in its cells, and how good that is.

use super::ready::{Pick, Task};

/// The room that a service has: how many of each kind each cell may run, and what a replica of it
/// costs beyond its price, because others want the same instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Room {
    /// By cell and kind.
    pub(super) most: Vec<Vec<u32>>,
    /// By cell and kind; empty where nothing is tolled.
    pub(super) tolls: Vec<Vec<i64>>,
    /// The most replicas that may be started.
    pub(super) starts: Option<u32>,
}

impl Room {
    /// All that the limits allow.
    pub(super) fn whole(task: &Task<'_>) -> Self {
        let cells = task.cells.iter();
        Self {
            most: cells
                .map(|cell| cell.kinds.iter().map(|kind| kind.most).collect())
                .collect(),
            tolls: Vec::new(),
            starts: task.service.rules.max_moves,
        }
    }

    /// The most replicas of a kind that can be of use in a cell.
    pub(super) fn useful(&self, task: &Task<'_>, (cell, kind): (usize, usize)) -> u32 {
        let needed = task.cells[cell].kinds[kind].table.needed;
        self.most[cell][kind].min(needed.max(task.widest()))
    }

    fn toll(&self, cell: usize, pick: Pick) -> i64 {
        let row = self.tolls.get(cell);
        let toll = row.and_then(|row| row.get(pick.kind)).copied();
        toll.unwrap_or(0) * i64::from(pick.replicas())
    }
}

/// How good a layout is; less is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Score {
    /// How much of what must hold does not, in millionths of a request per second.
    pub(super) violation: u64,
    /// In millionths of a dollar per hour.
    pub(super) cost: i64,
    /// Fewer are preferred at the same cost.
    pub(super) replicas: u32,
    /// Evenness is preferred at the same number.
    pub(super) largest: u32,
}

/// Judges layouts of one service in some room; keeps what it needs for that, so that judging
/// takes no memory.
#[derive(Debug)]
pub(super) struct Judge<'t, 's> {
    pub(super) task: &'t Task<'s>,
    pub(super) room: &'t Room,
    /// How many layouts were judged.
    pub(super) steps: u64,
    rates: Vec<u64>,
    firm: Vec<u64>,
    lost: Vec<u64>,
    /// What one replica carries at least, to weigh what is missing in replicas.
    unit: u64,
    floor: i64,
}

impl<'t, 's> Judge<'t, 's> {
    pub(super) fn new(task: &'t Task<'s>, room: &'t Room) -> Self {
        let kinds = task.cells.iter().flat_map(|cell| &cell.kinds);
        let unit = kinds.map(|kind| kind.table.steepest as u64).max();
        Self {
            task,
            room,
            steps: 0,
            rates: vec![0; task.cells.len()],
            firm: vec![0; task.cells.len()],
            lost: vec![0; task.domains],
            unit: unit.unwrap_or(1).max(1),
            floor: task.flows.as_ref().map_or(0, super::flow::Flows::floor),
        }
    }

    /// How good a layout is.
    pub(super) fn score(&mut self, picks: &[Pick]) -> Score {
        self.bounded(picks, i64::MAX)
    }

    /// The same, where a layout that costs more than `bound` need not be known exactly.
    pub(super) fn bounded(&mut self, picks: &[Pick], bound: i64) -> Score {
        self.steps += 1;
        let (mut cost, mut replicas, mut largest) = (0, 0, 0);
        for (place, (cell, pick)) in self.task.cells.iter().zip(picks).enumerate() {
            self.rates[place] = cell.rate(*pick);
            self.firm[place] = match pick.spot {
                0 => self.rates[place],
                _ => cell.firm(*pick),
            };
            cost += cell.cost(*pick) + self.room.toll(place, *pick);
            replicas += pick.replicas();
            largest = largest.max(pick.replicas());
        }
        let violation = self.short() + self.unit * self.broken(picks, (replicas, largest));
        if violation == 0
            && let Some(flows) = &self.task.flows
        {
            cost += match cost.saturating_add(self.floor) <= bound {
                true => flows.cost(&self.rates),
                false => self.floor,
            };
        }
        Score {
            violation,
            cost,
            replicas,
            largest,
        }
    }

    /// The requests per second that are not carried, of all cases that must be survived together.
    fn short(&mut self) -> u64 {
        let mut short = 0;
        for cut in &self.task.cuts {
            let (mut rate, mut firm) = (0, 0);
            self.lost.fill(0);
            for (place, cell) in self.task.cells.iter().enumerate() {
                if cut.inside[place] {
                    rate += self.rates[place];
                    if self.task.domains > 0 {
                        firm += self.firm[place];
                        self.lost[cell.domain] += self.firm[place];
                    }
                }
            }
            short += cut.planned.saturating_sub(rate);
            for lost in &self.lost {
                short += cut.failover.saturating_sub(firm - lost);
            }
        }
        short
    }

    /// The replicas that break a rule.
    fn broken(&self, picks: &[Pick], (replicas, largest): (u32, u32)) -> u64 {
        let rules = &self.task.service.rules;
        let most = self.room.most.iter().zip(picks);
        let beyond = most.map(|(most, pick)| pick.replicas().saturating_sub(most[pick.kind]));
        let mut broken: u64 = beyond.map(u64::from).sum();
        if let Some(share) = rules.max_zone_share {
            // A share such as 0.2 is not exact in binary, and 5 × 0.2 must stay 1.
            let most = (share * f64::from(replicas) + 1e-9) as u32;
            let over = picks
                .iter()
                .map(|pick| pick.replicas().saturating_sub(most));
            broken += match largest > most {
                true => over.map(u64::from).sum::<u64>(),
                false => 0,
            };
        }
        let spot: u32 = picks.iter().map(|pick| pick.spot).sum();
        if spot > 0 {
            let most = (rules.max_spot_share * f64::from(replicas) + 1e-9) as u32;
            broken += u64::from(spot.saturating_sub(most));
        }
        if rules.min_zones > 0 && self.task.cuts[0].planned > 0 {
            let used = picks.iter().filter(|pick| pick.replicas() > 0).count();
            broken += u64::from(rules.min_zones.saturating_sub(used as u32));
        }
        if let Some(most) = self.room.starts {
            let cells = self.task.cells.iter().zip(picks);
            let starts: u32 = cells.map(|(cell, pick)| cell.starts(*pick)).sum();
            broken += u64::from(starts.saturating_sub(most));
        }
        broken
    }
}
