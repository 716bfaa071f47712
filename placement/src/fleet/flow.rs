//! What it costs to serve requests where that depends on the zone: egress and the way there.

use super::problem::{Service, Zone};
use super::ready::Cell;
use crate::micros;

/// The costs of serving origins from cells, in millionths of a dollar per hour for a request per
/// second.
#[derive(Debug, Clone)]
pub(super) struct Flows {
    /// By origin and cell; none where the cell may not serve it.
    pub(super) costs: Vec<Vec<Option<f64>>>,
    /// In millionths of a request per second.
    pub(super) demands: Vec<u64>,
    /// Cells by cost, where there is one origin.
    order: Vec<usize>,
}

impl Flows {
    /// The costs of a service; none where every zone serves at the same cost.
    pub(super) fn of(service: &Service, zones: &[&Zone], cells: &[Cell]) -> Option<Self> {
        let weights = &service.weights;
        let cost = |origin: usize, cell: &Cell| {
            let zone = zones[cell.zone];
            let egress = zone.egress_micros_per_gigabyte as f64;
            let trip = zone.round_trips.get(&service.origins[origin].name);
            let travel = trip.map_or(0.0, std::time::Duration::as_secs_f64);
            let way = travel * weights.latency_price * 1e6;
            let out = 3600.0 * weights.gigabytes_per_request * egress;
            cell.serves[origin].then_some(way + out)
        };
        let costs: Vec<Vec<Option<f64>>> = (0..service.origins.len())
            .map(|origin| cells.iter().map(|cell| cost(origin, cell)).collect())
            .collect();
        let same = |row: &Vec<Option<f64>>| row.iter().all(|cost| *cost == Some(0.0));
        if costs.iter().all(same) {
            return None;
        }
        let mut order: Vec<usize> = (0..cells.len()).collect();
        if let [only] = costs.as_slice() {
            let key = |cell: &usize| only[*cell].unwrap_or(f64::INFINITY);
            order.sort_by(|a, b| key(a).total_cmp(&key(b)).then(a.cmp(b)));
        }
        Some(Self {
            costs,
            demands: service.origins.iter().map(|o| micros(o.demand)).collect(),
            order,
        })
    }

    /// The least that serving can cost.
    pub(super) fn floor(&self) -> i64 {
        let rows = self.costs.iter().zip(&self.demands);
        let least = rows.map(|(row, demand)| {
            let cheapest = row.iter().flatten().copied().fold(f64::INFINITY, f64::min);
            if *demand == 0 {
                0.0
            } else {
                cheapest * *demand as f64 / 1e6
            }
        });
        let sum: f64 = least.sum();
        if sum.is_finite() {
            sum.floor() as i64
        } else {
            0
        }
    }

    /// The least cost of serving everything from cells of these rates, which suffice.
    pub(super) fn cost(&self, rates: &[u64]) -> i64 {
        if let ([row], [demand]) = (self.costs.as_slice(), self.demands.as_slice()) {
            let (mut left, mut sum) = (*demand, 0.0);
            for cell in &self.order {
                let taken = left.min(rates[*cell]);
                if let (Some(cost), true) = (row[*cell], taken > 0) {
                    sum += cost * taken as f64 / 1e6;
                    left -= taken;
                }
            }
            return sum.round() as i64;
        }
        let flows = self.route(rates);
        let mut sum = 0.0;
        for (row, flow) in self.costs.iter().zip(&flows) {
            for (cost, rate) in row.iter().zip(flow) {
                sum += cost.unwrap_or(0.0) * *rate as f64 / 1e6;
            }
        }
        sum.round() as i64
    }

    /// The flows of least cost by origin and cell: the transport problem by successive cheapest
    /// augmenting paths (Ford and Fulkerson 1962).
    pub(super) fn route(&self, rates: &[u64]) -> Vec<Vec<u64>> {
        let mut flows = vec![vec![0; rates.len()]; self.demands.len()];
        let mut left = self.demands.clone();
        let mut free = rates.to_vec();
        while let Some(path) = self.path(&flows, &left, &free) {
            let (first, last) = (path.first().copied(), path.last().copied());
            let (Some((origin, _)), Some((_, cell))) = (first, last) else {
                break;
            };
            let back = path.windows(2).map(|pair| flows[pair[1].0][pair[0].1]);
            let amount = back.fold(left[origin].min(free[cell]), u64::min);
            for (place, (origin, cell)) in path.iter().enumerate() {
                if place > 0 {
                    flows[*origin][path[place - 1].1] -= amount;
                }
                flows[*origin][*cell] += amount;
            }
            left[origin] -= amount;
            free[cell] -= amount;
        }
        flows
    }

    /// The cheapest way to serve more: pairs of an origin and the cell that takes of it; each but
    /// the first origin gives up at the cell before.
    fn path(&self, flows: &[Vec<u64>], left: &[u64], free: &[u64]) -> Option<Vec<(usize, usize)>> {
        let cells = free.len();
        let mut origin_cost: Vec<f64> = left
            .iter()
            .map(|left| if *left > 0 { 0.0 } else { f64::INFINITY })
            .collect();
        let mut cell_cost = vec![f64::INFINITY; cells];
        let mut cell_from = vec![usize::MAX; cells];
        let mut origin_from = vec![usize::MAX; left.len()];
        // Bellman and Ford: no path is longer than there are origins.
        for _ in 0..=left.len() {
            let mut shorter = false;
            for (origin, row) in self.costs.iter().enumerate() {
                for (cell, cost) in row.iter().enumerate() {
                    let Some(cost) = cost else { continue };
                    if origin_cost[origin] + cost < cell_cost[cell] - 1e-9 {
                        cell_cost[cell] = origin_cost[origin] + cost;
                        cell_from[cell] = origin;
                        shorter = true;
                    }
                }
            }
            for (origin, row) in self.costs.iter().enumerate() {
                for (cell, cost) in row.iter().enumerate() {
                    let Some(cost) = cost else { continue };
                    let given_up = flows[origin][cell] > 0;
                    if given_up && cell_cost[cell] - cost < origin_cost[origin] - 1e-9 {
                        origin_cost[origin] = cell_cost[cell] - cost;
                        origin_from[origin] = cell;
                        shorter = true;
                    }
                }
            }
            if !shorter {
                break;
            }
        }
        let open = (0..cells).filter(|cell| free[*cell] > 0 && cell_cost[*cell].is_finite());
        let mut cell = open.min_by(|a, b| cell_cost[*a].total_cmp(&cell_cost[*b]))?;
        let mut path = Vec::new();
        while path.len() <= left.len() {
            let origin = cell_from[cell];
            path.push((origin, cell));
            cell = origin_from[origin];
            if cell == usize::MAX {
                path.reverse();
                return Some(path);
            }
        }
        None
    }
}
