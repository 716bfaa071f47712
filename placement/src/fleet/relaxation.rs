//! The linear relaxation: what a placement must cost at least, and what each constraint is worth.
//!
//! Replicas may be broken, and a pool of n is credited with n times the best rate per replica of
//! any pool it could be, so no placement costs less. Two things that hold of whole replicas bring
//! the bound closer: pools carry no more apart than they would as one, so there are at least as
//! many replicas as one pool would need; and one of the domains runs at least its part, rounded up,
//! which must be there beside what carries the demand without it. Of the pair of linear programs the dual is
//! solved: its value is the bound, and its variables are the shadow prices.

use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};

use super::problem::Domain;
use super::ready::{Cut, Kind, Limits, Task};
use crate::MaximumCause;

/// What the relaxation says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Relaxation {
    /// The least cost, in millionths of a dollar per hour.
    pub(super) bound: i64,
    /// Constraints that cost something, and what a unit less of each saves, in millionths of a
    /// dollar per hour.
    pub(super) prices: Vec<(Constraint, f64)>,
}

/// A constraint of the relaxation; services and cells by place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Constraint {
    /// A request per second of the demand.
    Demand(usize),
    /// A request per second of the demand in an outage.
    Survive(usize, Domain),
    /// A replica of the most in a cell.
    Most(usize, usize),
    /// A replica of the least in a cell.
    Least(usize, usize),
    /// The greatest share of a cell.
    Share(usize),
    /// The greatest share of spot instances.
    Spot(usize),
    /// An instance of a limit that services share.
    Limit(usize),
    /// What only holds the model together.
    Definition,
}

/// A row Σ a·x ≥ b; columns by place.
struct Row {
    constraint: Constraint,
    terms: Vec<(usize, f64)>,
    least: f64,
    /// What a unit of the row is in units of its constraint.
    scale: f64,
}

/// The model min c·x, A·x ≥ b, x ≥ 0; money is in dollars, rates are in units of a replica.
#[derive(Default)]
struct Model {
    costs: Vec<f64>,
    rows: Vec<Row>,
    /// The columns that draw on each limit.
    draws: Vec<Vec<usize>>,
    /// What an instance of each limit costs beside its price.
    tolls: Vec<i64>,
    level: Option<Level>,
}

/// The relaxation of services that share limits; none where it has no solution.
pub(super) fn relax(tasks: &[&Task<'_>], limits: &Limits) -> Option<Relaxation> {
    let model = Model {
        draws: vec![Vec::new(); limits.len()],
        ..Model::default()
    };
    model.relax(tasks, limits)
}

/// The greatest rate of any domain without spot instances lies between these, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) low: u64,
    pub(super) high: u64,
}

/// The bound of one service without limits on a level, where instances of limits are tolled; none
/// where there is no placement on it.
pub(super) fn on_level(task: &Task<'_>, tolls: &[i64], level: Level) -> Option<i64> {
    let model = Model {
        draws: vec![Vec::new(); most_limit(task)],
        tolls: tolls.to_vec(),
        level: Some(level),
        ..Model::default()
    };
    let relaxation = model.relax(&[task], &Vec::new())?;
    Some(relaxation.bound)
}

/// The places of limits that a service draws on lie below this.
fn most_limit(task: &Task<'_>) -> usize {
    let kinds = task.cells.iter().flat_map(|cell| &cell.kinds);
    let limits = kinds.filter_map(|kind| kind.limit);
    limits.max().map_or(0, |limit| limit + 1)
}

impl Model {
    fn relax(mut self, tasks: &[&Task<'_>], limits: &Limits) -> Option<Relaxation> {
        for (place, task) in tasks.iter().enumerate() {
            self.add(place, task);
        }
        let draws = std::mem::take(&mut self.draws);
        for (place, ((.., limit), columns)) in limits.iter().zip(draws).enumerate() {
            if !columns.is_empty() {
                let terms = columns.into_iter().map(|column| (column, -1.0)).collect();
                let most = f64::from(limit.most);
                self.row(Constraint::Limit(place), terms, (-most, 1.0));
            }
        }
        self.solve()
    }
}

impl Model {
    fn column(&mut self, micros: f64) -> usize {
        self.costs.push(micros / 1e6);
        self.costs.len() - 1
    }

    fn row(
        &mut self,
        constraint: Constraint,
        terms: Vec<(usize, f64)>,
        (least, scale): (f64, f64),
    ) {
        self.rows.push(Row {
            constraint,
            terms,
            least,
            scale,
        });
    }

    fn add(&mut self, place: usize, task: &Task<'_>) {
        let unit = task
            .cells
            .iter()
            .flat_map(|cell| &cell.kinds)
            .map(|kind| steepest(task, kind))
            .fold(1.0, f64::max);
        let mut columns = Columns::default();
        for (at, cell) in task.cells.iter().enumerate() {
            for number in 0..cell.kinds.len() {
                self.kind((place, task), (at, number), unit, &mut columns);
            }
        }
        self.demand((place, task), unit, &columns);
        self.rules((place, task), &columns);
        self.flows(task, unit, &columns);
    }

    /// The columns of a kind in a cell, and what holds of them alone.
    fn kind(
        &mut self,
        (place, task): (usize, &Task<'_>),
        (at, number): (usize, usize),
        unit: f64,
        columns: &mut Columns,
    ) {
        let cell = &task.cells[at];
        let kind = &cell.kinds[number];
        let kept = match cell.now.kind {
            Some(known) if known != number => 0,
            _ => cell.now.on_demand + cell.now.spot,
        };
        let spread = kept > 0 && kind.start > 0;
        let start = if spread { 0.0 } else { kind.start as f64 };
        let toll = kind.limit.and_then(|limit| self.tolls.get(limit)).copied();
        let start = start + toll.unwrap_or(0) as f64;
        let mut of_kind = vec![self.column(kind.on_demand as f64 + start)];
        of_kind.extend(kind.spot.map(|price| self.column(price as f64 + start)));
        if spread {
            let started = self.column(kind.start as f64);
            let mut terms = vec![(started, 1.0)];
            terms.extend(of_kind.iter().map(|column| (*column, -1.0)));
            self.row(Constraint::Definition, terms, (-f64::from(kept), 1.0));
        }
        if kind.most < kind.table.needed && kind.cause == MaximumCause::MaxReplicas {
            let terms = of_kind.iter().map(|column| (*column, -1.0)).collect();
            let most = f64::from(kind.most);
            self.row(Constraint::Most(place, at), terms, (-most, 1.0));
        }
        if let Some(limit) = kind.limit {
            self.draws[limit].extend(&of_kind);
        }
        let slope = steepest(task, kind) / unit;
        let firm = self.level.map_or(slope, |level| {
            let most = kind.table.rates.partition_point(|rate| *rate <= level.high);
            let most = (most as u32).saturating_sub(1);
            let terms = vec![(of_kind[0], -1.0)];
            self.row(Constraint::Definition, terms, (-f64::from(most), 1.0));
            best_slope(kind, most) / unit
        });
        for (spot, column) in of_kind.into_iter().enumerate() {
            columns.0.push(Column {
                column,
                cell: at,
                spot: spot == 1,
                slope,
                firm,
            });
        }
    }

    fn demand(&mut self, (place, task): (usize, &Task<'_>), unit: f64, columns: &Columns) {
        let domain = task.service.rules.survive.unwrap_or(Domain::Zone);
        let scale = unit / 1e6;
        for cut in &task.cuts {
            self.whole((place, task), (cut, domain), columns);
            let terms = columns.of(|column| cut.inside[column.cell]);
            let terms = terms.map(|column| (column.column, column.slope)).collect();
            let wanted = cut.planned as f64 / unit;
            self.row(Constraint::Demand(place), terms, (wanted, scale));
            for lost in 0..task.domains {
                let terms = columns.of(|column| {
                    let left = task.cells[column.cell].domain != lost;
                    left && !column.spot && cut.inside[column.cell]
                });
                let terms = terms.map(|column| (column.column, column.firm)).collect();
                let wanted = cut.failover as f64 / unit;
                self.row(Constraint::Survive(place, domain), terms, (wanted, scale));
            }
        }
        if let Some(level) = self.level {
            let whole = &task.cuts[0];
            let firm = columns.of(|column| !column.spot);
            let terms = firm.map(|column| (column.column, column.firm)).collect();
            let wanted = (whole.failover + level.low) as f64 / unit;
            self.row(Constraint::Definition, terms, (wanted, 1.0));
        }
    }

    /// What whole replicas must number at least.
    fn whole(
        &mut self,
        (place, task): (usize, &Task<'_>),
        (cut, domain): (&Cut, Domain),
        columns: &Columns,
    ) {
        let within = |column: &Column| cut.inside[column.cell];
        let fewest = |rate: u64| fewest(task, cut, rate);
        let mut row = |constraint, which: &dyn Fn(&Column) -> bool, replicas: u32, rate: u64| {
            if replicas > 0 {
                let terms = columns
                    .of(which)
                    .map(|column| (column.column, 1.0))
                    .collect();
                let scale = rate as f64 / 1e6 / f64::from(replicas);
                self.row(constraint, terms, (f64::from(replicas), scale));
            }
        };
        let planned = fewest(cut.planned);
        row(Constraint::Demand(place), &within, planned, cut.planned);
        if task.domains < 2 {
            return;
        }
        let needed = fewest(cut.failover);
        for lost in 0..task.domains {
            let left = |c: &Column| within(c) && !c.spot && task.cells[c.cell].domain != lost;
            row(
                Constraint::Survive(place, domain),
                &left,
                needed,
                cut.failover,
            );
        }
        let firm = |column: &Column| within(column) && !column.spot;
        let spread = |total: u32| total - total.div_ceil(task.domains as u32);
        // Two for each are enough for two domains, and for more of them less is.
        let total = (needed..=needed.saturating_mul(2)).find(|total| spread(*total) >= needed);
        if let Some(total) = total {
            row(
                Constraint::Survive(place, domain),
                &firm,
                total,
                cut.failover,
            );
        }
    }

    fn rules(&mut self, (place, task): (usize, &Task<'_>), columns: &Columns) {
        for (at, cell) in task.cells.iter().enumerate() {
            let here = || columns.of(|column| column.cell == at);
            if cell.least > 0 {
                let terms = here().map(|column| (column.column, 1.0)).collect();
                let least = f64::from(cell.least);
                self.row(Constraint::Least(place, at), terms, (least, 1.0));
            }
            if let Some(share) = task.service.rules.max_zone_share {
                let part = |column: &Column| match column.cell == at {
                    true => share - 1.0,
                    false => share,
                };
                let terms = columns.of(|_| true).map(|c| (c.column, part(c))).collect();
                self.row(Constraint::Share(place), terms, (0.0, 1.0));
            }
        }
        if columns.of(|column| column.spot).next().is_some() {
            let share = task.service.rules.max_spot_share;
            let part = |column: &Column| if column.spot { share - 1.0 } else { share };
            let terms = columns.of(|_| true).map(|c| (c.column, part(c))).collect();
            self.row(Constraint::Spot(place), terms, (0.0, 1.0));
        }
    }

    fn flows(&mut self, task: &Task<'_>, unit: f64, columns: &Columns) {
        let Some(flows) = &task.flows else {
            return;
        };
        let mut taken: Vec<Vec<usize>> = vec![Vec::new(); task.cells.len()];
        for (costs, demand) in flows.costs.iter().zip(&flows.demands) {
            let mut terms = Vec::new();
            for (at, cost) in costs.iter().enumerate() {
                if let Some(cost) = cost {
                    let column = self.column(cost * unit / 1e6);
                    taken[at].push(column);
                    terms.push((column, 1.0));
                }
            }
            self.row(Constraint::Definition, terms, (*demand as f64 / unit, 1.0));
        }
        for (at, taken) in taken.into_iter().enumerate() {
            let here = columns.of(|column| column.cell == at);
            let mut terms: Vec<(usize, f64)> = here.map(|c| (c.column, c.slope)).collect();
            terms.extend(taken.into_iter().map(|column| (column, -1.0)));
            self.row(Constraint::Definition, terms, (0.0, 1.0));
        }
    }

    /// Solves max b·y, Aᵀ·y ≤ c, y ≥ 0.
    fn solve(self) -> Option<Relaxation> {
        let mut dual = Problem::new(OptimizationDirection::Maximize);
        let mut limits: Vec<Vec<(Variable, f64)>> = vec![Vec::new(); self.costs.len()];
        let mut prices = Vec::new();
        for row in &self.rows {
            let price = dual.add_var(row.least, (0.0, f64::INFINITY));
            prices.push(price);
            for (column, factor) in &row.terms {
                if *factor != 0.0 {
                    limits[*column].push((price, *factor));
                }
            }
        }
        for (terms, cost) in limits.iter().zip(&self.costs) {
            dual.add_constraint(terms.as_slice(), ComparisonOp::Le, *cost);
        }
        let solution = dual.solve().ok()?.into_solution().ok()?;
        let value = solution.objective() * 1e6;
        // The solver keeps constraints to 1e-7; a millionth keeps the value a bound.
        let bound = (value * (1.0 - 1e-6)).floor() as i64;
        let worth = self.rows.iter().zip(&prices).filter_map(|(row, price)| {
            let micros = solution.var_value(*price) * 1e6 / row.scale;
            (micros > 0.5 && row.constraint != Constraint::Definition)
                .then_some((row.constraint, micros))
        });
        let mut prices: Vec<(Constraint, f64)> = Vec::new();
        for (constraint, micros) in worth {
            match prices.iter_mut().find(|(known, _)| *known == constraint) {
                Some((_, sum)) => *sum += micros,
                None => prices.push((constraint, micros)),
            }
        }
        Some(Relaxation { bound, prices })
    }
}

/// The columns of a service.
#[derive(Default)]
struct Columns(Vec<Column>);

struct Column {
    column: usize,
    cell: usize,
    spot: bool,
    /// What a replica carries at most, in units.
    slope: f64,
    /// The same on the level.
    firm: f64,
}

impl Columns {
    fn of<'a>(&'a self, which: impl Fn(&Column) -> bool + 'a) -> impl Iterator<Item = &'a Column> {
        self.0.iter().filter(move |column| which(column))
    }
}

/// The fewest replicas that carry a rate, as one pool of the best kind within a cut.
fn fewest(task: &Task<'_>, cut: &Cut, rate: u64) -> u32 {
    let inside = task
        .cells
        .iter()
        .zip(&cut.inside)
        .filter(|(_, inside)| **inside);
    let kinds = inside.flat_map(|(cell, _)| &cell.kinds);
    let enough = |kind: &Kind| {
        let rates = &kind.table.rates;
        let enough = rates.partition_point(|known| *known < rate);
        // A table that ends before tells nothing.
        if enough < rates.len() {
            enough as u32
        } else {
            0
        }
    };
    kinds.map(enough).min().unwrap_or(0)
}

/// The greatest rate per replica of any pool that can be of use.
fn steepest(task: &Task<'_>, kind: &Kind) -> f64 {
    best_slope(kind, kind.most.min(kind.table.needed.max(task.widest())))
}

/// The greatest rate per replica of pools up to a size.
fn best_slope(kind: &Kind, most: u32) -> f64 {
    let rates = kind
        .table
        .rates
        .iter()
        .take(most as usize + 1)
        .enumerate()
        .skip(1);
    let slopes = rates.map(|(replicas, rate)| *rate as f64 / replicas as f64);
    slopes.fold(0.0, f64::max)
}
