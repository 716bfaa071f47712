//! Branch and bound over everything that every cell could run: the proof for small cases.

use super::climb::Found;
use super::layout::{Judge, Room};
use super::ready::{Pick, Task};

/// Nodes that are looked at before the proof is given up.
const MOST_NODES: u64 = 20_000;

/// The number of placements, as far as they keep no rule, beyond which no proof is tried.
const MOST_PLACEMENTS: f64 = 1e10;

/// A service with its room and what is known of it.
pub(super) struct Part<'t, 's> {
    pub(super) task: &'t Task<'s>,
    pub(super) room: &'t Room,
    /// No layout of it costs less.
    pub(super) floor: i64,
}

/// Looks for layouts of all parts that together cost less than `known` and keep the limits, each
/// the greatest number of its place. Gives back the best, if there is one, where the search was
/// complete; `None` where it was given up.
pub(super) fn prove(parts: &[Part<'_, '_>], limits: &[u32], known: i64) -> Option<Proof> {
    let choices: Vec<Vec<Vec<Choice>>> = parts
        .iter()
        .map(|part| {
            (0..part.task.cells.len())
                .map(|at| choices(part, at))
                .collect()
        })
        .collect();
    let placements = choices.iter().flatten().map(|cell| cell.len() as f64);
    if placements.product::<f64>() > MOST_PLACEMENTS {
        return None;
    }
    let tails: Vec<Vec<Tail>> = parts
        .iter()
        .zip(&choices)
        .map(|(part, cells)| {
            (0..=cells.len())
                .map(|at| Tail::new(part.task, cells, at))
                .collect()
        })
        .collect();
    let mut after = vec![0_i64; parts.len() + 1];
    for place in (0..parts.len()).rev() {
        after[place] = after[place + 1] + parts[place].floor;
    }
    let mut branch = Branch {
        parts,
        choices: &choices,
        tails: &tails,
        after: &after,
        judges: parts
            .iter()
            .map(|part| Judge::new(part.task, part.room))
            .collect(),
        free: limits.to_vec(),
        picks: parts
            .iter()
            .map(|part| vec![Pick::default(); part.task.cells.len()])
            .collect(),
        bound: known,
        best: None,
        nodes: 0,
    };
    branch.part(0, 0);
    (branch.nodes <= MOST_NODES).then_some(Proof {
        better: branch.best,
    })
}

/// A complete search.
pub(super) struct Proof {
    /// What is better than what was known, if anything is; by part.
    pub(super) better: Option<Vec<Found>>,
}

#[derive(Clone, Copy)]
struct Choice {
    pick: Pick,
    cost: i64,
    rate: u64,
    firm: u64,
}

/// Everything that a cell could run, the cheapest first.
fn choices(part: &Part<'_, '_>, at: usize) -> Vec<Choice> {
    let cell = &part.task.cells[at];
    let mut choices = Vec::new();
    for (kind, offered) in cell.kinds.iter().enumerate() {
        let most = part.room.useful(part.task, (at, kind));
        for replicas in cell.least..=most {
            let spots = if offered.spot.is_some() { replicas } else { 0 };
            for spot in 0..=spots {
                let pick = Pick {
                    on_demand: replicas - spot,
                    spot,
                    kind,
                };
                if replicas == 0 && kind > 0 {
                    continue;
                }
                choices.push(Choice {
                    pick,
                    cost: cell.cost(pick),
                    rate: cell.rate(pick),
                    firm: cell.firm(pick),
                });
            }
        }
    }
    choices.sort_by_key(|choice| (choice.cost, choice.pick));
    choices
}

/// What the cells from one on add at the least cost.
struct Tail {
    least: i64,
    /// Cost per rate and rate, the cheapest first; for all requests, and without one domain each.
    rates: Vec<(f64, u64)>,
    firm: Vec<Vec<(f64, u64)>>,
}

impl Tail {
    fn new(task: &Task<'_>, cells: &[Vec<Choice>], from: usize) -> Self {
        let fill = |of: fn(&Choice) -> u64, lost: Option<usize>| {
            let cells = cells.iter().enumerate().skip(from);
            let left = cells.filter(|(at, _)| Some(task.cells[*at].domain) != lost);
            let mut fill: Vec<(f64, u64)> = left
                .map(|(_, choices)| {
                    let most = choices.iter().map(of).max().unwrap_or(0);
                    let ratios = choices.iter().filter(|choice| of(choice) > 0);
                    let ratios = ratios.map(|choice| choice.cost as f64 / of(choice) as f64);
                    (ratios.fold(f64::INFINITY, f64::min), most)
                })
                .filter(|(_, most)| *most > 0)
                .collect();
            fill.sort_by(|a, b| a.0.total_cmp(&b.0));
            fill
        };
        let least = cells.iter().skip(from).map(|choices| choices.first());
        Self {
            least: least
                .map(|choice| choice.map_or(0, |choice| choice.cost))
                .sum(),
            rates: fill(|choice| choice.rate, None),
            firm: (0..task.domains)
                .map(|lost| fill(|choice| choice.firm, Some(lost)))
                .collect(),
        }
    }

    /// The least cost of as much; none where there is not so much.
    fn cost(fill: &[(f64, u64)], mut wanted: u64) -> Option<i64> {
        let mut cost = 0.0;
        for (ratio, most) in fill {
            let taken = wanted.min(*most);
            cost += ratio * taken as f64;
            wanted -= taken;
            if wanted == 0 {
                break;
            }
        }
        (wanted == 0).then_some((cost * (1.0 - 1e-12)).floor() as i64)
    }
}

struct Branch<'b, 't, 's> {
    parts: &'b [Part<'t, 's>],
    choices: &'b [Vec<Vec<Choice>>],
    tails: &'b [Vec<Tail>],
    /// What the parts from one on cost at least.
    after: &'b [i64],
    judges: Vec<Judge<'t, 's>>,
    free: Vec<u32>,
    picks: Vec<Vec<Pick>>,
    bound: i64,
    best: Option<Vec<Found>>,
    nodes: u64,
}

/// What the decided cells of a part give.
#[derive(Clone)]
struct Partial {
    cost: i64,
    rate: u64,
    firm: u64,
    lost: Vec<u64>,
}

impl Branch<'_, '_, '_> {
    /// Decides the parts from one on, where those before cost `spent`.
    fn part(&mut self, place: usize, spent: i64) {
        if place == self.parts.len() {
            self.bound = spent;
            let scores = self.judges.iter_mut().zip(&self.picks);
            let scores = scores.map(|(judge, picks)| Found {
                picks: picks.clone(),
                score: judge.score(picks),
            });
            self.best = Some(scores.collect());
            return;
        }
        let partial = Partial {
            cost: 0,
            rate: 0,
            firm: 0,
            lost: vec![0; self.parts[place].task.domains],
        };
        self.cell((place, 0), spent, &partial);
    }

    fn cell(&mut self, (place, at): (usize, usize), spent: i64, partial: &Partial) {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return;
        }
        let part = &self.parts[place];
        if at == part.task.cells.len() {
            let score = self.judges[place].score(&self.picks[place]);
            let total = spent + score.cost;
            if score.violation == 0 && total + self.after[place + 1] < self.bound {
                self.part(place + 1, total);
            }
            return;
        }
        let cell = &part.task.cells[at];
        let choices = self.choices;
        for choice in &choices[place][at] {
            let limit = cell.kinds[choice.pick.kind].limit;
            let taken = choice.pick.replicas();
            // The room of the part stands for limits that are not shared here.
            let free = limit.and_then(|limit| self.free.get(limit)).copied();
            if free.is_some_and(|free| free < taken) {
                continue;
            }
            let mut next = partial.clone();
            next.cost += choice.cost;
            next.rate += choice.rate;
            next.firm += choice.firm;
            if let Some(lost) = next.lost.get_mut(cell.domain) {
                *lost += choice.firm;
            }
            let Some(rest) = self.rest((place, at + 1), &next) else {
                continue;
            };
            if spent + next.cost + rest + self.after[place + 1] >= self.bound {
                continue;
            }
            self.picks[place][at] = choice.pick;
            let left = |free: &mut u32| *free = free.saturating_sub(taken);
            limit.and_then(|limit| self.free.get_mut(limit)).map(left);
            self.cell((place, at + 1), spent, &next);
            if let (Some(slot), Some(free)) = (limit.and_then(|l| self.free.get_mut(l)), free) {
                *slot = free;
            }
        }
    }

    /// What the undecided cells of a part cost at least; none where they do not suffice.
    fn rest(&self, (place, at): (usize, usize), partial: &Partial) -> Option<i64> {
        let task = self.parts[place].task;
        let tail = &self.tails[place][at];
        let whole = &task.cuts[0];
        let mut rest = tail.least;
        let missing = whole.planned.saturating_sub(partial.rate);
        rest = rest.max(Tail::cost(&tail.rates, missing)?);
        for (fill, lost) in tail.firm.iter().zip(&partial.lost) {
            let missing = whole.failover.saturating_sub(partial.firm - lost);
            rest = rest.max(Tail::cost(fill, missing)?);
        }
        Some(rest + task.flows.as_ref().map_or(0, super::flow::Flows::floor))
    }
}
