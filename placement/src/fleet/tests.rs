//! Tests of fleets: against trying everything, against bounds, and by what must always hold.

mod bench;
mod brute;
mod claims;
mod scenario;

use std::collections::BTreeSet;
use std::time::Duration;

use self::scenario::{linear, one, pooling, service, shape};
use super::*;
use crate::{MaximumCause, Reason};

fn solve_default(fleet: &Fleet) -> Solution {
    solve(fleet, Effort::default()).unwrap_or_else(|error| panic!("{error:#?}"))
}

fn counts(allocation: &Allocation) -> Vec<(u32, u32)> {
    let zones = allocation.zones.iter();
    zones.map(|zone| (zone.on_demand, zone.spot)).collect()
}

fn errors(fleet: &Fleet) -> String {
    let errors = solve(fleet, Effort::default()).unwrap_err();
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

#[test]
fn the_cheapest_shape_that_has_room_is_chosen_in_each_zone() {
    let mut fleet = one(linear(), 200.0, &["a", "b"]);
    fleet.zones[0].shapes = vec![shape("small", 3), shape("large", 5)];
    fleet.zones[0].shapes[0].limit = Some(Limit {
        most: 2,
        cause: MaximumCause::Quota,
    });
    fleet.zones[1].shapes = vec![shape("large", 4)];
    fleet.services[0].sites[0].shapes = vec!["small".into(), "large".into()];
    fleet.services[0].sites[1].shapes = vec!["large".into()];
    let solution = solve_default(&fleet);
    let allocation = &solution.services[0];
    assert_eq!(counts(allocation), [(2, 0), (2, 0)]);
    assert_eq!(allocation.zones[0].shape.as_deref(), Some("small"));
    assert_eq!(allocation.gap, Gap::Proven);
    let reasons: Vec<String> = allocation.zones[0]
        .reasons
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        reasons,
        [
            "2 for 100.0 req/s at 50.0 each",
            "at its maximum of 2 (quota)"
        ]
    );
    // A third small one would save the difference to a large one in b.
    let limit = solution
        .shadows
        .iter()
        .find(|shadow| matches!(shadow.binding, Binding::Limit { .. }));
    assert_eq!(limit.map(|shadow| shadow.micros_per_hour), Some(1));
}

#[test]
fn faster_shapes_count_for_more() {
    let mut fleet = one(linear(), 200.0, &["a"]);
    fleet.zones[0].shapes = vec![shape("slow", 30), shape("fast", 50)];
    fleet.zones[0].shapes[1].speed = 2.0;
    fleet.services[0].sites[0].shapes = vec!["slow".into(), "fast".into()];
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(
        (counts(allocation), allocation.zones[0].shape.as_deref()),
        (vec![(2, 0)], Some("fast"))
    );
}

#[test]
fn spot_instances_carry_what_need_not_survive() {
    let mut fleet = one(linear(), 400.0, &["a", "b", "c"]);
    for zone in &mut fleet.zones {
        zone.shapes[0].price_micros_per_hour = 100;
        zone.shapes[0].spot_micros_per_hour = Some(30);
    }
    let rules = &mut fleet.services[0].rules;
    rules.survive = Some(Domain::Zone);
    rules.max_spot_share = 0.6;
    fleet.services[0].origins[0].failover = 200.0;
    let solution = solve_default(&fleet);
    let allocation = &solution.services[0];
    // On demand any two zones must have 4: 2 + 2 + 2; spot instances do the rest.
    let on_demand: u32 = allocation.zones.iter().map(|zone| zone.on_demand).sum();
    let spot: u32 = allocation.zones.iter().map(|zone| zone.spot).sum();
    assert_eq!((on_demand, spot), (6, 2));
    assert!(allocation.losses.iter().all(|loss| loss.shed == 0.0));
    claims::hold(&fleet, &solution);
}

#[test]
fn regions_and_providers_are_lost_as_a_whole() {
    let names = ["a", "b", "c", "d"];
    let mut fleet = one(linear(), 200.0, &names);
    for (place, zone) in fleet.zones.iter_mut().enumerate() {
        zone.region = Some(if place < 3 {
            "east".into()
        } else {
            "west".into()
        });
        zone.provider = if place == 1 { "q".into() } else { "p".into() };
    }
    fleet.services[0].rules.survive = Some(Domain::Region);
    let allocation = &solve_default(&fleet).services[0];
    // The regions are p east (a, c), q east (b) and p west (d): 2 in any of them, 6 in all.
    let total: u32 = allocation.zones.iter().map(Allotment::replicas).sum();
    assert_eq!(total, 6);
    assert_eq!(allocation.losses.len(), 3);
    fleet.services[0].rules.survive = Some(Domain::Provider);
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(allocation.zones[1].replicas(), 4);
    assert_eq!(
        allocation
            .losses
            .iter()
            .map(|loss| loss.lost.as_str())
            .collect::<Vec<_>>(),
        ["p", "q"]
    );
    for zone in &mut fleet.zones {
        zone.provider = "p".into();
    }
    assert_eq!(
        errors(&fleet),
        "survive = \"provider\" needs zones of at least two providers, and all available ones are of p; add a zone elsewhere or leave out survive"
    );
}

#[test]
fn a_carbon_price_moves_replicas_to_a_clean_grid() {
    let mut fleet = one(linear(), 200.0, &["coal", "hydro"]);
    for (zone, grams) in fleet.zones.iter_mut().zip([700.0, 20.0]) {
        zone.grid = Grid {
            grams_per_kwh: grams,
            pue: 1.2,
        };
        zone.shapes[0].watts = 500.0;
    }
    fleet.zones[0].shapes[0].price_micros_per_hour = 1_000_000;
    fleet.zones[1].shapes[0].price_micros_per_hour = 1_020_000;
    fleet.services[0].weights.dwell_hours = 0.0;
    assert_eq!(counts(&solve_default(&fleet).services[0]), [(4, 0), (0, 0)]);
    fleet.services[0].weights.carbon_price = 80.0;
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(counts(allocation), [(0, 0), (4, 0)]);
    // 4 × 0.5 kW × 1.2 × 20 g/kWh; the weight is 80 $/t of it.
    assert!((allocation.zones[1].grams_per_hour - 48.0).abs() < 1e-9);
    assert_eq!(allocation.cost_micros_per_hour, 4 * (1_020_000 + 960));
    assert_eq!(
        allocation.zones[0]
            .rejection
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
        Some("not needed: a replica here costs 0.0126 $/h more")
    );
}

#[test]
fn requests_are_served_where_they_come_back_in_time() {
    let mut fleet = one(pooling(), 0.0, &["near", "far"]);
    fleet.services[0].origins = vec![
        Origin {
            name: "eu".into(),
            demand: 50.0,
            failover: 50.0,
        },
        Origin {
            name: "us".into(),
            demand: 30.0,
            failover: 30.0,
        },
    ];
    for (zone, (eu, us)) in fleet.zones.iter_mut().zip([(10, 160), (155, 20)]) {
        zone.round_trips
            .insert("eu".into(), Duration::from_millis(eu));
        zone.round_trips
            .insert("us".into(), Duration::from_millis(us));
    }
    fleet.zones[1].shapes[0].price_micros_per_hour = 1;
    let solution = solve_default(&fleet);
    claims::hold(&fleet, &solution);
    let zones = &solution.services[0].zones;
    // Both come first by the name of the zone: far, then near.
    assert_eq!(zones[0].zone, "far");
    assert!(zones.iter().all(|zone| zone.replicas() > 0), "{zones:?}");
    fleet.services[0].sites.pop();
    let error = errors(&fleet);
    assert!(
        error.contains("the requests from us are within the latency bound of no zone"),
        "{error}"
    );
}

#[test]
fn egress_and_travel_pull_requests_to_where_they_cost_least() {
    let mut fleet = one(linear(), 100.0, &["a", "b"]);
    for zone in &mut fleet.zones {
        zone.shapes[0].price_micros_per_hour = 1_000_000;
    }
    fleet.services[0]
        .sites
        .iter_mut()
        .for_each(|site| site.minimum = 2);
    fleet.zones[0].egress_micros_per_gigabyte = 90_000;
    fleet.services[0].weights.gigabytes_per_request = 0.001;
    fleet.services[0].weights.dwell_hours = 0.0;
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(
        (allocation.zones[0].rate, allocation.zones[1].rate),
        (0.0, 100.0)
    );
    assert_eq!(allocation.cost_micros_per_hour, 4_000_000);
    fleet.zones[1]
        .round_trips
        .insert(String::new(), Duration::from_millis(36));
    fleet.services[0].weights.latency_price = 10.0;
    let allocation = &solve_default(&fleet).services[0];
    // 100 × 0.036 s under way at 10 $/h are dearer than 100 × 3600 × 0.001 GB at 0.09 $: 36 against 32.4.
    assert_eq!(
        (allocation.zones[0].rate, allocation.cost_micros_per_hour),
        (100.0, 36_400_000)
    );
}

#[test]
fn where_a_model_may_not_run_it_does_not_at_any_price() {
    let mut fleet = one(linear(), 200.0, &["a", "b", "c"]);
    fleet.zones[0].jurisdiction = Some("US".into());
    fleet.zones[1].jurisdiction = Some("EU".into());
    fleet.zones[1].shapes[0].price_micros_per_hour = 1_000_000_000;
    fleet.services[0].rules.residency = Some(BTreeSet::from(["EU".into()]));
    fleet.services[0].sites[0].minimum = 1;
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(counts(allocation), [(0, 0), (4, 0), (0, 0)]);
    let why: Vec<String> = allocation
        .zones
        .iter()
        .filter_map(|zone| zone.rejection.as_ref())
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        why,
        [
            "not permitted: US is not in the residency",
            "not permitted: its jurisdiction is not known, and residency is restricted"
        ]
    );
}

#[test]
fn services_share_limits() {
    let mut fleet = one(linear(), 200.0, &["a", "b"]);
    for (zone, price) in fleet.zones.iter_mut().zip([1, 5]) {
        zone.shapes[0].price_micros_per_hour = price;
        zone.shapes[0].limit = Some(Limit {
            most: 6,
            cause: MaximumCause::Limits,
        });
    }
    // The other service has nowhere else to go.
    let mut other = service("other", linear(), 150.0, &["a"]);
    fleet.services.push(other.clone());
    let solution = solve_default(&fleet);
    assert_eq!(counts(&solution.services[0]), [(3, 0), (1, 0)]);
    assert_eq!(counts(&solution.services[1]), [(3, 0)]);
    assert!(
        solution
            .services
            .iter()
            .all(|service| service.gap == Gap::Proven)
    );
    let shadow = Shadow {
        binding: Binding::Limit {
            zone: "a".into(),
            shape: "m".into(),
        },
        micros_per_hour: 4,
    };
    assert!(solution.shadows.contains(&shadow), "{:?}", solution.shadows);
    other.origins[0].demand = 300.0;
    fleet.services[1] = other;
    fleet.zones.pop();
    fleet.services[0].sites.pop();
    assert_eq!(
        errors(&fleet),
        "m, other do not fit together: of m in a there are 6 (limits) and 10 are wanted; raise that, or let one of them use other zones or instances"
    );
}

#[test]
fn what_runs_is_left_alone_where_moving_saves_next_to_nothing() {
    let mut fleet = one(linear(), 200.0, &["a", "b"]);
    fleet.zones[0].shapes[0].price_micros_per_hour = 1_000_000;
    fleet.zones[1].shapes[0].price_micros_per_hour = 1_000_500;
    fleet.services[0].weights.dwell_hours = 0.0;
    fleet.services[0].sites[1].present = Some(Present {
        shape: Some("m".into()),
        on_demand: 4,
        spot: 0,
    });
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(counts(allocation), [(0, 0), (4, 0)]);
    // Where it saves more, it is moved, unless the start costs more than it saves.
    fleet.zones[1].shapes[0].price_micros_per_hour = 1_010_000;
    assert_eq!(counts(&solve_default(&fleet).services[0]), [(4, 0), (0, 0)]);
    fleet.services[0].weights.dwell_hours = 1.0;
    assert_eq!(counts(&solve_default(&fleet).services[0]), [(0, 0), (4, 0)]);
}

#[test]
fn few_replicas_are_started_at_once_unless_more_must_be() {
    let mut fleet = one(linear(), 400.0, &["a", "b"]);
    fleet.zones[0].shapes[0].price_micros_per_hour = 10;
    fleet.zones[1].shapes[0].price_micros_per_hour = 90;
    fleet.services[0].weights.dwell_hours = 0.0;
    fleet.services[0].sites[1].present = Some(Present {
        shape: None,
        on_demand: 8,
        spot: 0,
    });
    fleet.services[0].rules.max_moves = Some(3);
    assert_eq!(counts(&solve_default(&fleet).services[0]), [(3, 0), (5, 0)]);
    fleet.services[0].origins[0].demand = 800.0;
    assert_eq!(
        counts(&solve_default(&fleet).services[0]),
        [(16, 0), (0, 0)]
    );
}

#[test]
fn outages_tell_what_is_shed_and_what_it_would_cost_not_to() {
    let mut fleet = one(linear(), 400.0, &["a", "b"]);
    fleet.zones[0].shapes[0].price_micros_per_hour = 10;
    fleet.zones[1].shapes[0].price_micros_per_hour = 30;
    let allocation = &solve_default(&fleet).services[0];
    let [outage] = allocation.losses.as_slice() else {
        panic!("{allocation:?}")
    };
    assert_eq!((outage.lost.as_str(), outage.shed), ("a", 400.0));
    // Eight in b; starting each of them takes a minute at its price.
    assert_eq!(outage.close_micros_per_hour, Some(8 * 30 + 8));
}

#[test]
fn no_demand_leaves_the_minima() {
    let mut fleet = one(pooling(), 0.0, &["a", "b"]);
    fleet.services[0].rules.survive = Some(Domain::Zone);
    fleet.services[0].rules.min_zones = 2;
    assert_eq!(counts(&solve_default(&fleet).services[0]), [(0, 0), (0, 0)]);
    fleet.services[0].sites[1].minimum = 2;
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(counts(allocation), [(0, 0), (2, 0)]);
    assert_eq!(
        allocation.zones[1].reasons,
        [Reason::Minimum {
            minimum: 2,
            extra: 2
        }]
    );
}

#[test]
fn what_cannot_be_placed_says_what_would_help() {
    let mut fleet = one(linear(), 412.0, &["frankfurt", "virginia"]);
    for zone in &mut fleet.zones {
        zone.shapes[0].limit = Some(Limit {
            most: 0,
            cause: MaximumCause::Quota,
        });
    }
    assert_eq!(
        errors(&fleet),
        "only 0.0 of 412.0 req/s are carried, limited by quota 0 in frankfurt, quota 0 in virginia; raise each to 5 or add a zone"
    );
    fleet.services[0].sites[0].minimum = 1;
    assert!(errors(&fleet).contains("must run at least 1 replicas, but its maximum is 0 (quota)"));
    fleet.zones[0].shapes.clear();
    fleet.services[0].sites[1].shapes.clear();
    assert_eq!(
        errors(&fleet),
        "no zone can run it: frankfurt: nothing is known to be sold there: set a price in the zone, or an offer; virginia: sells no instance that a replica fits on; add a zone that can, or lift what rules one out"
    );
    for zone in &mut fleet.zones {
        zone.available = false;
    }
    assert_eq!(
        errors(&fleet),
        "no zone is available; add a zone or wait until one is"
    );
    let mut fleet = one(linear(), 412.0, &["a", "b"]);
    fleet.services[0].rules.min_zones = 3;
    assert!(errors(&fleet).contains("at least 3 zones must run replicas, and 2 can"));
    fleet.services[0].rules.min_zones = 0;
    fleet.services[0].rules.max_zone_share = Some(0.3);
    assert!(errors(&fleet).contains("within 30 % of the replicas with 2 available zones"));
    fleet.services[0].rules.max_spot_share = 1.5;
    fleet.services[0].rules.max_zone_share = None;
    assert!(errors(&fleet).contains("from 0 to 1"));
    fleet.services[0].rules.max_spot_share = 0.0;
    fleet.services[0].sites[0].zone = "nowhere".into();
    assert!(errors(&fleet).contains("no zone nowhere"));
}

#[test]
fn a_zone_too_far_for_the_latency_is_told() {
    let mut fleet = one(pooling(), 10.0, &["a", "b"]);
    fleet.zones[0]
        .round_trips
        .insert(String::new(), Duration::from_millis(180));
    let allocation = &solve_default(&fleet).services[0];
    assert_eq!(
        allocation.zones[0]
            .rejection
            .as_ref()
            .map(ToString::to_string)
            .as_deref(),
        Some("too far: 180 ms from requests and 100 ms of service are not below 250 ms")
    );
    fleet.zones[1].shapes[0].speed = 0.3;
    let error = errors(&fleet);
    assert!(
        error.contains("b: too slow: the service time 333"),
        "{error}"
    );
}
