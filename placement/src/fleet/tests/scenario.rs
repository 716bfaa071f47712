//! Fleets to try: by hand, and at random from a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::seed::Seed;
use super::super::*;
use crate::MaximumCause;
use isobar_capacity::{Arrivals, Capacity, Ceiling, Performance, Resource, Slo, Target};

/// Replicas of 50 requests per second each, that take a minute to start.
pub(super) fn linear() -> Capacity {
    capacity(140, 10, Target::Utilisation(0.7))
}

/// Single slots with a latency objective: a large pool carries more per replica.
pub(super) fn pooling() -> Capacity {
    let slo = Slo {
        latency: Duration::from_millis(250),
        violations: 0.02,
    };
    capacity(100, 1, Target::Latency(slo))
}

pub(super) fn capacity(service: u64, concurrency: u32, target: Target) -> Capacity {
    let performance = Performance {
        service_time: Duration::from_millis(service),
        service_p95: None,
        concurrency,
        variability: 1.0,
        startup: Duration::from_secs(60),
    };
    Capacity::new(performance, Arrivals::default(), target).unwrap()
}

pub(super) fn shape(name: &str, price: u64) -> Shape {
    Shape {
        name: name.to_owned(),
        price_micros_per_hour: price,
        spot_micros_per_hour: None,
        watts: 0.0,
        speed: 1.0,
        limit: None,
    }
}

pub(super) fn zone(name: &str) -> Zone {
    Zone {
        name: name.to_owned(),
        provider: "p".to_owned(),
        region: None,
        jurisdiction: None,
        available: true,
        shapes: vec![shape("m", 2)],
        grid: Grid::default(),
        egress_micros_per_gigabyte: 0,
        round_trips: BTreeMap::new(),
        preemptions_per_hour: 0.0,
    }
}

pub(super) fn site(zone: &str) -> Site {
    Site {
        zone: zone.to_owned(),
        shapes: vec!["m".to_owned()],
        ceilings: BTreeMap::new(),
        minimum: 0,
        maximum: None,
        present: None,
    }
}

pub(super) fn service(name: &str, capacity: Capacity, demand: f64, zones: &[&str]) -> Service {
    Service {
        name: name.to_owned(),
        capacity,
        origins: vec![Origin::anywhere(demand)],
        sites: zones.iter().map(|zone| site(zone)).collect(),
        rules: Rules::default(),
        weights: Weights::default(),
    }
}

/// One service `m` on zones that sell `m`.
pub(super) fn one(capacity: Capacity, demand: f64, zones: &[&str]) -> Fleet {
    Fleet {
        zones: zones.iter().map(|name| zone(name)).collect(),
        services: vec![service("m", capacity, demand, zones)],
    }
}

/// How large a random fleet is.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) zones: u64,
    pub(super) services: u64,
    /// The most replicas of a service in a zone.
    pub(super) replicas: u64,
    /// Whether spot instances, several shapes, origins and the like are there.
    pub(super) rich: bool,
}

/// A random fleet.
pub(super) fn random(number: u64, size: Size) -> Fleet {
    let mut seed = Seed::of(&format!("fleet {number}"));
    let zones: Vec<Zone> = (0..size.zones)
        .map(|place| any_zone(&mut seed, place, size))
        .collect();
    let services = (0..size.services).map(|place| any_service(&mut seed, place, &zones, size));
    Fleet {
        services: services.collect(),
        zones: zones.clone(),
    }
}

fn one_in(seed: &mut Seed, count: u64) -> bool {
    seed.below(count) == 0
}

fn any_zone(seed: &mut Seed, place: u64, size: Size) -> Zone {
    let shapes = if size.rich { 1 + seed.below(2) } else { 1 };
    let shapes = (0..shapes).map(|number| {
        let price = 1_000_000 + seed.below(1_500_000);
        Shape {
            spot_micros_per_hour: (size.rich && one_in(seed, 2))
                .then(|| price * (30 + seed.below(40)) / 100),
            watts: seed.below(400) as f64,
            speed: if number > 0 && one_in(seed, 2) {
                1.5
            } else {
                1.0
            },
            limit: one_in(seed, 2).then(|| Limit {
                most: (1 + seed.below(2 * size.replicas)) as u32,
                cause: MaximumCause::Limits,
            }),
            ..shape(&format!("m{number}"), price)
        }
    });
    let shapes = shapes.collect();
    Zone {
        provider: format!("p{}", seed.below(3)),
        region: (!one_in(seed, 5)).then(|| format!("r{}", seed.below(4))),
        jurisdiction: Some(if one_in(seed, 3) {
            "US".into()
        } else {
            "EU".into()
        }),
        available: !one_in(seed, 12),
        shapes,
        grid: Grid {
            grams_per_kwh: seed.below(800) as f64,
            pue: 1.0 + seed.below(50) as f64 / 100.0,
        },
        egress_micros_per_gigabyte: if size.rich { seed.below(120_000) } else { 0 },
        round_trips: [
            ("eu".to_owned(), Duration::from_millis(seed.below(180))),
            ("us".to_owned(), Duration::from_millis(seed.below(180))),
        ]
        .into(),
        preemptions_per_hour: seed.below(100) as f64 / 1000.0,
        ..zone(&format!("z{place:02}"))
    }
}

fn any_service(seed: &mut Seed, place: u64, zones: &[Zone], size: Size) -> Service {
    let latency = one_in(seed, 2);
    let capacity = if latency { pooling() } else { linear() };
    let per_replica = if latency { 6.0 } else { 50.0 };
    let most = (size.replicas * size.zones) as f64 * per_replica / size.services as f64;
    let demand = most * (seed.below(700) as f64 / 1000.0);
    let origin = |name: &str, part: f64| Origin {
        name: name.to_owned(),
        demand: demand * part,
        failover: demand * part * 0.8,
    };
    let origins = match size.rich && one_in(seed, 3) {
        true => vec![origin("eu", 0.6), origin("us", 0.4)],
        false => vec![origin("", 1.0)],
    };
    // Every third service of a rich fleet runs out of memory on the smaller of its shapes.
    let ceiling = Ceiling {
        resource: Resource::Memory,
        rate: 0.8 * per_replica,
    };
    let scarce = |zone: &Zone| match (size.rich && place % 3 == 1, zone.shapes.first()) {
        (true, Some(shape)) => [(shape.name.clone(), ceiling)].into(),
        _ => BTreeMap::new(),
    };
    let sites = zones.iter().map(|zone| Site {
        ceilings: scarce(zone),
        shapes: zone.shapes.iter().map(|shape| shape.name.clone()).collect(),
        minimum: if one_in(seed, 8) { 1 } else { 0 },
        maximum: Some(size.replicas as u32),
        present: one_in(seed, 3).then(|| Present {
            shape: zone.shapes.first().map(|shape| shape.name.clone()),
            on_demand: seed.below(size.replicas + 1) as u32,
            spot: 0,
        }),
        ..site(&zone.name)
    });
    let sites = sites.collect();
    let survive = [
        None,
        None,
        Some(Domain::Zone),
        Some(Domain::Zone),
        Some(Domain::Region),
        Some(Domain::Provider),
    ];
    Service {
        origins,
        sites,
        rules: Rules {
            survive: survive[seed.below(6) as usize],
            residency: one_in(seed, 5).then(|| BTreeSet::from(["EU".to_owned()])),
            max_zone_share: one_in(seed, 4).then_some(0.6),
            min_zones: if one_in(seed, 5) { 2 } else { 0 },
            max_spot_share: if size.rich {
                seed.below(3) as f64 * 0.4
            } else {
                0.0
            },
            max_moves: None,
            band: 0.0,
        },
        weights: Weights {
            carbon_price: if one_in(seed, 2) { 100.0 } else { 0.0 },
            latency_price: if size.rich && one_in(seed, 3) {
                2.0
            } else {
                0.0
            },
            violation_price: 0.000_1,
            gigabytes_per_request: if size.rich && one_in(seed, 3) {
                0.000_1
            } else {
                0.0
            },
            dwell_hours: seed.below(2) as f64,
        },
        ..service(&format!("s{place:02}"), capacity, 0.0, &[])
    }
}
