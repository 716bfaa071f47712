//! Why a service runs what it runs where it does.

use super::climb::Found;
use super::layout::{Judge, Room};
use super::problem::Zone;
use super::ready::{Cell, Limits, Pick, Task};
use super::rejection::Rejection;
use super::relaxation::{Constraint, Relaxation};
use super::solution::{Allocation, Allotment, Binding, Gap, Shadow};
use super::{joint, outage};
use crate::{Reason, micros};

/// A service with the layout that is to be explained.
pub(super) struct Explaining<'e, 'a> {
    pub(super) task: &'e Task<'a>,
    /// By name.
    pub(super) zones: &'e [&'a Zone],
    pub(super) limits: &'e Limits,
    /// What all services together leave of the limits.
    pub(super) free: &'e [u32],
    pub(super) found: &'e Found,
}

impl Explaining<'_, '_> {
    pub(super) fn allocation(&self, gap: Gap) -> Allocation {
        let service = self.task.service;
        let flows = self.flows();
        let mut zones: Vec<Allotment> = (0..self.task.cells.len())
            .map(|place| self.allotment(place, flows[place]))
            .collect();
        zones.extend(self.task.refused.iter().map(|(zone, rejection)| Allotment {
            reasons: vec![Reason::Rejected(rejection.clone())],
            rejection: Some(rejection.clone()),
            ..self.nothing(*zone)
        }));
        zones.sort_by(|a, b| a.zone.cmp(&b.zone));
        let sum = |of: fn(&super::Origin) -> f64| service.origins.iter().map(of).sum();
        Allocation {
            service: service.name.clone(),
            demand: sum(|origin| origin.demand),
            failover: sum(|origin| origin.failover),
            cost_micros_per_hour: self.found.score.cost.max(0) as u64,
            gap,
            zones,
            losses: outage::outages(self.task, self.found, self.zones, &self.room()),
        }
    }

    /// What the service could take of the limits if it gave back what it has.
    fn room(&self) -> Room {
        let mut free = self.free.to_vec();
        for (limit, taken) in joint::draws(self.task, self.found) {
            free[limit] += taken;
        }
        let mut room = Room::whole(self.task);
        joint::narrow(&mut room, self.task, &free);
        room
    }

    /// What each cell serves, in requests per second: at the least cost where that differs, and
    /// else in proportion to what it carries.
    fn flows(&self) -> Vec<f64> {
        let cells = self.task.cells.iter().zip(&self.found.picks);
        let rates: Vec<u64> = cells.map(|(cell, pick)| cell.rate(*pick)).collect();
        if let Some(flows) = &self.task.flows {
            let routes = flows.route(&rates);
            let served = |cell: usize| routes.iter().map(|row| row[cell]).sum::<u64>() as f64;
            return (0..rates.len()).map(|cell| served(cell) / 1e6).collect();
        }
        let total: f64 = rates.iter().map(|rate| *rate as f64).sum();
        let demand: f64 = self
            .task
            .service
            .origins
            .iter()
            .map(|origin| origin.demand)
            .sum();
        let share = |rate: u64| {
            if total > 0.0 {
                rate as f64 / total
            } else {
                0.0
            }
        };
        rates.into_iter().map(|rate| share(rate) * demand).collect()
    }

    fn nothing(&self, zone: usize) -> Allotment {
        Allotment {
            zone: self.zones[zone].name.clone(),
            shape: None,
            on_demand: 0,
            spot: 0,
            rate: 0.0,
            capacity: 0.0,
            price_micros_per_hour: 0,
            grams_per_hour: 0.0,
            reasons: Vec::new(),
            rejection: None,
        }
    }

    fn allotment(&self, place: usize, rate: f64) -> Allotment {
        let cell = &self.task.cells[place];
        let pick = self.found.picks[place];
        if pick.replicas() == 0 {
            let rejection = self.rejection(place);
            return Allotment {
                reasons: vec![Reason::Rejected(rejection.clone())],
                rejection: Some(rejection),
                ..self.nothing(cell.zone)
            };
        }
        let zone = self.zones[cell.zone];
        let name = &cell.kinds[pick.kind].shape;
        let shape = zone.shapes.iter().find(|shape| shape.name == *name);
        let price = shape.map_or(0, |shape| {
            let spot = shape
                .spot_micros_per_hour
                .unwrap_or(shape.price_micros_per_hour);
            let on_demand = shape
                .price_micros_per_hour
                .saturating_mul(u64::from(pick.on_demand));
            on_demand.saturating_add(spot.saturating_mul(u64::from(pick.spot)))
        });
        let kilowatts = shape.map_or(0.0, |shape| shape.watts / 1000.0) * zone.grid.pue;
        Allotment {
            shape: Some(name.clone()),
            on_demand: pick.on_demand,
            spot: pick.spot,
            rate,
            capacity: cell.rate(pick) as f64 / 1e6,
            price_micros_per_hour: price,
            grams_per_hour: kilowatts * zone.grid.grams_per_kwh * f64::from(pick.replicas()),
            reasons: self.reasons(place, rate),
            ..self.nothing(cell.zone)
        }
    }

    fn reasons(&self, place: usize, rate: f64) -> Vec<Reason> {
        let (cell, pick) = (&self.task.cells[place], self.found.picks[place]);
        let kind = &cell.kinds[pick.kind];
        let replicas = pick.replicas();
        let rates = &kind.table.rates;
        let enough = rates.partition_point(|known| *known < micros(rate)) as u32;
        let enough = enough.min(replicas);
        let beyond = match replicas - enough {
            0 => None,
            extra => self.beyond_demand(place, extra),
        };
        let for_demand = if beyond.is_some() { enough } else { replicas };
        let service = self.task.service;
        let demand = (for_demand > 0).then(|| Reason::Demand {
            demand: service.origins.iter().map(|origin| origin.demand).sum(),
            rate,
            rate_per_replica: kind.table.rate(for_demand) as f64 / 1e6 / f64::from(for_demand),
            replicas: for_demand,
            by: kind
                .table
                .capacity
                .deciding(for_demand)
                .map(|ceiling| ceiling.resource),
        });
        let full = Reason::Maximum {
            maximum: kind.most,
            cause: kind.cause,
        };
        let full = (replicas == kind.most).then_some(full);
        [demand, beyond, full].into_iter().flatten().collect()
    }

    /// What the last `extra` replicas of a cell are for, if not the demand.
    fn beyond_demand(&self, place: usize, extra: u32) -> Option<Reason> {
        let cell = &self.task.cells[place];
        let survives = self.largest_other(place).map(|lost| {
            let reason = Reason::Survives {
                lost: self.name(lost),
                demand: self.task.cuts[0].failover as f64 / 1e6,
                extra,
            };
            (self.one_less_survives(place, lost), reason)
        });
        let minimum = cell.least;
        match (survives, self.task.service.rules.max_zone_share) {
            (Some((false, reason)), _) => Some(reason),
            _ if self.found.picks[place].replicas() == minimum => {
                Some(Reason::Minimum { minimum, extra })
            }
            _ if self.one_less_holds(place) => Some(Reason::Kept { extra }),
            (_, Some(share)) => Some(Reason::Share { share, extra }),
            (survives, None) => survives.map(|(_, reason)| reason),
        }
    }

    fn name(&self, domain: usize) -> String {
        let cell = self.task.cells.iter().find(|cell| cell.domain == domain);
        let kind = self.task.service.rules.survive;
        let named = cell.zip(kind);
        named.map_or_else(String::new, |(cell, kind)| kind.of(self.zones[cell.zone]))
    }

    /// What each domain carries without spot instances.
    fn firm(&self) -> Vec<u64> {
        let mut firm = vec![0; self.task.domains];
        for (cell, pick) in self.task.cells.iter().zip(&self.found.picks) {
            if let Some(sum) = firm.get_mut(cell.domain) {
                *sum += cell.firm(*pick);
            }
        }
        firm
    }

    /// Of the other domains the one whose loss takes the most.
    fn largest_other(&self, place: usize) -> Option<usize> {
        let firm = self.firm();
        let here = self.task.cells[place].domain;
        let others = (0..firm.len()).filter(|other| *other != here && firm[*other] > 0);
        others.max_by_key(|other| (firm[*other], std::cmp::Reverse(*other)))
    }

    /// Whether the loss of a domain would be survived with one replica fewer in a cell.
    fn one_less_survives(&self, place: usize, lost: usize) -> bool {
        let cells = self.task.cells.iter().zip(&self.found.picks).enumerate();
        let left = cells.filter(|(_, (cell, _))| cell.domain != lost);
        let left = left.map(|(at, (cell, pick))| match at == place {
            true => cell.firm(less(*pick)),
            false => cell.firm(*pick),
        });
        left.sum::<u64>() >= self.task.cuts[0].failover
    }

    /// Whether everything would hold with one replica fewer in a cell.
    fn one_less_holds(&self, place: usize) -> bool {
        let room = Room::whole(self.task);
        let mut picks = self.found.picks.clone();
        picks[place] = less(picks[place]);
        Judge::new(self.task, &room).score(&picks).violation == 0
    }

    /// Why a cell runs nothing.
    fn rejection(&self, place: usize) -> Rejection {
        let cell = &self.task.cells[place];
        if let Some(full) = Rejection::full(&cell.kinds) {
            return full;
        }
        let room = self.room();
        if room.most[place].iter().all(|most| *most == 0) {
            let limit = cell.kinds.iter().find_map(|kind| kind.limit);
            if let Some((_, shape, limit)) = limit.and_then(|limit| self.limits.get(limit)) {
                return Rejection::Taken {
                    shape: shape.clone(),
                    most: limit.most,
                };
            }
        }
        Rejection::Dearer {
            micros_per_hour: self.dearer(place, &room),
        }
    }

    /// What the layout would cost more with a replica in a cell, and one fewer in another one where
    /// that is possible then.
    fn dearer(&self, place: usize, room: &Room) -> Option<u64> {
        let cell: &Cell = &self.task.cells[place];
        let mut judge = Judge::new(self.task, room);
        let mut least = None;
        for (kind, offered) in cell.kinds.iter().enumerate() {
            let markets = [(1, 0), (0, u32::from(offered.spot.is_some()))];
            for (on_demand, spot) in markets {
                let mut picks = self.found.picks.clone();
                picks[place] = Pick {
                    on_demand,
                    spot,
                    kind,
                };
                if on_demand + spot == 0 || room.most[place][kind] == 0 {
                    continue;
                }
                let mut costs = vec![judge.score(&picks)];
                for other in (0..picks.len()).filter(|other| *other != place) {
                    let kept = picks[other];
                    if kept.replicas() > self.task.cells[other].least {
                        picks[other] = less(kept);
                        costs.push(judge.score(&picks));
                        picks[other] = kept;
                    }
                }
                let held = costs.iter().filter(|score| score.violation == 0);
                least = held.map(|score| score.cost).chain(least).min();
            }
        }
        least.map(|cost| cost.saturating_sub(self.found.score.cost).max(0) as u64)
    }
}

/// One replica fewer, one on demand if there is one.
fn less(pick: Pick) -> Pick {
    match pick.on_demand {
        0 => Pick {
            spot: pick.spot.saturating_sub(1),
            ..pick
        },
        some => Pick {
            on_demand: some - 1,
            ..pick
        },
    }
}

/// The constraints that cost something, with names.
pub(super) fn shadows(
    relaxation: &Relaxation,
    tasks: &[&Task<'_>],
    limits: &Limits,
    zones: &[&Zone],
) -> Vec<Shadow> {
    let service = |place: usize| tasks[place].service.name.clone();
    let zone = |place: usize, cell: usize| zones[tasks[place].cells[cell].zone].name.clone();
    let named = relaxation.prices.iter().filter_map(|(constraint, micros)| {
        let binding = match *constraint {
            Constraint::Demand(place) => Binding::Demand {
                service: service(place),
            },
            Constraint::Survive(place, domain) => Binding::Survive {
                service: service(place),
                domain,
            },
            Constraint::Least(place, cell) => Binding::Minimum {
                service: service(place),
                zone: zone(place, cell),
            },
            Constraint::Most(place, cell) => Binding::Maximum {
                service: service(place),
                zone: zone(place, cell),
            },
            Constraint::Share(place) => Binding::Share {
                service: service(place),
            },
            Constraint::Spot(place) => Binding::Spot {
                service: service(place),
            },
            Constraint::Limit(limit) => Binding::Limit {
                zone: zones[limits[limit].0].name.clone(),
                shape: limits[limit].1.clone(),
            },
            Constraint::Definition => return None,
        };
        Some(Shadow {
            binding,
            micros_per_hour: micros.round() as u64,
        })
    });
    named.collect()
}
