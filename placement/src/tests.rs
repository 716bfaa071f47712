//! Tests of the module as a whole.

use std::cmp::Reverse;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use isobar_capacity::{Arrivals, Performance, Slo, Target};

/// Replicas of 10 slots of 140 ms: 50 requests per second each at a utilisation of 0.7.
fn linear() -> Capacity {
    let performance = Performance {
        service_time: Duration::from_millis(140),
        service_p95: None,
        concurrency: 10,
        variability: 1.0,
        startup: Duration::from_secs(60),
    };
    Capacity::new(performance, Arrivals::default(), Target::Utilisation(0.7)).unwrap()
}

/// Single slots with a latency objective: a large pool carries more per replica.
fn pooling() -> Capacity {
    let performance = Performance {
        service_time: Duration::from_millis(100),
        service_p95: None,
        concurrency: 1,
        variability: 1.0,
        startup: Duration::from_secs(60),
    };
    let slo = Slo {
        latency: Duration::from_millis(250),
        violations: 0.02,
    };
    Capacity::new(performance, Arrivals::default(), Target::Latency(slo)).unwrap()
}

fn zone(name: &str, price: u64) -> Zone {
    Zone {
        name: name.to_owned(),
        price_micros_per_hour: price,
        minimum: 0,
        maximum: 100,
        maximum_cause: MaximumCause::MaxReplicas,
        available: true,
    }
}

fn request(demand: f64, zones: Vec<Zone>) -> Request {
    Request {
        demand,
        zones,
        survive: Survive::Nothing,
        max_zone_share: None,
    }
}

fn counts(placement: &Placement) -> Vec<u32> {
    placement.zones.iter().map(|zone| zone.replicas).collect()
}

fn texts(zone: &ZonePlan) -> Vec<String> {
    zone.reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn the_cheapest_zone_serves_alone_where_nothing_must_be_survived() {
    let zones = vec![zone("virginia", 3), zone("frankfurt", 2)];
    let placement = place(&linear(), &request(412.0, zones)).unwrap();
    assert_eq!(placement.zones[0].name, "frankfurt");
    assert_eq!(counts(&placement), [9, 0]);
    assert_eq!(placement.price_micros_per_hour(), 18);
    assert_eq!(
        texts(&placement.zones[0]),
        ["9 for 412.0 req/s at 50.0 each"]
    );
    assert_eq!(placement.zones[1].reasons, [Reason::NotNeeded]);
    let [loss] = placement.n_minus_one.as_slice() else {
        panic!("{placement:?}")
    };
    assert_eq!(
        (loss.zone.as_str(), loss.remaining_capacity, loss.shed),
        ("frankfurt", 0.0, 412.0)
    );
}

#[test]
fn the_loss_of_any_zone_is_survived() {
    let zones = vec![zone("virginia", 3), zone("frankfurt", 2), zone("ohio", 3)];
    let request = Request {
        survive: Survive::Zone,
        ..request(412.0, zones)
    };
    let placement = place(&linear(), &request).unwrap();
    // Any two must have 9: 5 + 5 + 4 is the fewest. The cheapest zone has one of the fives, and of
    // the others the first by name.
    assert_eq!(counts(&placement), [5, 5, 4]);
    assert!(placement.n_minus_one.iter().all(|loss| loss.shed == 0.0));
    assert_eq!(placement.survival_micros_per_hour, Some(5 * 2 + 9 * 3 - 18));
    assert_eq!(
        texts(&placement.zones[0]),
        [
            "3 for 147.1 req/s at 50.0 each",
            "+2 to survive loss of ohio"
        ]
    );
}

#[test]
fn ties_are_broken_by_evenness_then_name() {
    let zones = || vec![zone("c", 0), zone("a", 0), zone("b", 0)];
    let placement = place(&linear(), &request(200.0, zones())).unwrap();
    assert_eq!(counts(&placement), [2, 2, 0]);
    let mut turned = zones();
    turned.reverse();
    assert_eq!(place(&linear(), &request(200.0, turned)), Ok(placement));
}

#[test]
fn no_demand_leaves_the_minima() {
    let mut zones = vec![zone("a", 1), zone("b", 1)];
    zones[1].minimum = 2;
    let placement = place(&linear(), &request(0.0, zones)).unwrap();
    assert_eq!(counts(&placement), [0, 2]);
    assert_eq!(
        placement.zones[1].reasons,
        [Reason::Minimum {
            minimum: 2,
            extra: 2
        }]
    );
    assert!(placement.n_minus_one.iter().all(|loss| loss.shed == 0.0));
}

#[test]
fn what_is_unavailable_runs_nothing_and_what_is_full_says_so() {
    let mut zones = vec![zone("a", 1), zone("b", 2), zone("c", 3)];
    zones[0].available = false;
    zones[0].minimum = 1;
    zones[1].maximum = 3;
    zones[1].maximum_cause = MaximumCause::Quota;
    let placement = place(&linear(), &request(412.0, zones)).unwrap();
    assert_eq!(counts(&placement), [0, 3, 6]);
    assert_eq!(placement.zones[0].reasons, [Reason::Unavailable]);
    let full = Reason::Maximum {
        maximum: 3,
        cause: MaximumCause::Quota,
    };
    assert_eq!(placement.zones[1].reasons.last(), Some(&full));
}

#[test]
fn no_zone_has_more_than_its_share() {
    let zones = vec![zone("a", 1), zone("b", 2), zone("c", 9)];
    let request = Request {
        max_zone_share: Some(0.5),
        ..request(412.0, zones)
    };
    let placement = place(&linear(), &request).unwrap();
    assert_eq!(counts(&placement), [5, 5, 0]);
    let last = placement.zones[1].reasons.last();
    assert_eq!(
        last,
        Some(&Reason::Demand {
            demand: 412.0,
            rate: 206.0,
            rate_per_replica: 50.0,
            replicas: 5,
            by: None,
        })
    );
}

#[test]
fn what_cannot_be_placed_says_what_would_help() {
    let survive = |zones| Request {
        survive: Survive::Zone,
        ..request(412.0, zones)
    };
    let error = |request: &Request| place(&linear(), request).unwrap_err().to_string();
    let mut zones = vec![zone("frankfurt", 1), zone("virginia", 1)];
    zones[0].maximum = 3;
    assert_eq!(
        error(&survive(zones.clone())),
        "with virginia lost only 150.0 of 412.0 req/s are carried, limited by max_replicas 3 in frankfurt; raise it to 9 or add a zone"
    );
    zones[1].maximum = 4;
    zones[1].maximum_cause = MaximumCause::Limits;
    assert_eq!(
        error(&request(412.0, zones.clone())),
        "only 350.0 of 412.0 req/s are carried, limited by max_replicas 3 in frankfurt, limits 4 in virginia; raise each to 5 or add a zone"
    );
    zones[1].available = false;
    assert!(error(&survive(zones.clone())).contains("there is only frankfurt"));
    zones[0].available = false;
    assert!(error(&request(412.0, zones.clone())).contains("no zone is available"));
    zones[0].available = true;
    zones[0].minimum = 4;
    assert!(
        error(&request(1.0, zones.clone())).contains("at least 4 replicas, but its maximum is 3")
    );
    let thirds = vec![zone("a", 1), zone("b", 1), zone("c", 1)];
    let share = |share| Request {
        max_zone_share: Some(share),
        ..request(412.0, thirds.clone())
    };
    assert!(error(&share(0.3)).contains("within 30 % of the replicas with 3 available zones"));
    assert!(error(&share(0.0)).contains("must be above 0"));
    let twice = vec![zone("a", 1), zone("a", 1)];
    assert!(error(&request(1.0, twice)).contains("listed twice"));
    assert!(error(&request(1e6, thirds.clone())).contains("raise each to 6667"));
    let mut unlimited = thirds.clone();
    unlimited[0].maximum = u32::MAX;
    assert!(error(&request(1e6, unlimited)).contains("more than the 2000"));
    assert!(error(&request(f64::NAN, thirds)).contains("demand is NaN"));
}

#[test]
fn the_raise_that_an_error_names_is_enough_and_the_least() {
    let mut zones = vec![zone("a", 1), zone("b", 2), zone("c", 3)];
    for zone in &mut zones {
        zone.maximum = 2;
    }
    let mut request = Request {
        survive: Survive::Zone,
        ..request(150.0, zones)
    };
    let error = place(&pooling(), &request).unwrap_err();
    let PlacementError::TooFewReplicas { raise, to, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(raise.len(), 3);
    for (maximum, fits) in [(to - 1, false), (to, true)] {
        for zone in &mut request.zones {
            zone.maximum = maximum;
        }
        assert_eq!(place(&pooling(), &request).is_ok(), fits, "{maximum}");
    }
}

/// The order in which placements are preferred: price, replicas, greatest zone, rate, names.
type Key = (u64, u32, u32, Reverse<u64>, Reverse<Vec<u32>>);

/// The best of all placements, by trying each.
fn brute_force(capacity: &Capacity, request: &Request) -> Option<Vec<u32>> {
    let mut zones: Vec<&Zone> = request.zones.iter().collect();
    zones.sort_by(|a, b| a.name.cmp(&b.name));
    let needed = capacity.size(request.demand).unwrap().replicas;
    let minimum = zones.iter().map(|zone| zone.minimum).max().unwrap();
    let rates: Vec<u64> = (0..=needed.max(minimum))
        .map(|count| micros(capacity.max_rate(count)))
        .collect();
    let mut all: Vec<Vec<u32>> = vec![Vec::new()];
    for zone in &zones {
        let most = if zone.available {
            zone.maximum.min(rates.len() as u32 - 1)
        } else {
            0
        };
        let least = if zone.available { zone.minimum } else { 0 };
        let extended = all
            .iter()
            .flat_map(|counts| (least..=most).map(|count| [counts.as_slice(), &[count]].concat()));
        all = extended.collect();
    }
    let key = |counts: Vec<u32>| -> Option<Key> {
        let rate = |count: &u32| rates[*count as usize];
        let total: u64 = counts.iter().map(rate).sum();
        let largest = counts.iter().copied().max().unwrap();
        let replicas: u32 = counts.iter().sum();
        let lost = match request.survive {
            Survive::Nothing => 0,
            Survive::Zone => counts.iter().map(rate).max().unwrap(),
        };
        let share = request.max_zone_share.unwrap_or(1.0);
        let within = f64::from(largest) <= share * f64::from(replicas) + 1e-9;
        let price = zones.iter().zip(&counts);
        let price = price
            .map(|(zone, count)| zone.price_micros_per_hour * u64::from(*count))
            .sum();
        let met = total - lost >= micros(request.demand) && within;
        met.then_some((price, replicas, largest, Reverse(total), Reverse(counts)))
    };
    let available = zones.iter().filter(|zone| zone.available).count();
    if request.survive == Survive::Zone && available < 2 {
        return None;
    }
    all.into_iter().filter_map(key).min().map(|key| key.4.0)
}

fn any_request() -> impl Strategy<Value = Request> {
    let zone = (0u64..5, 0u32..3, 0u32..7, prop::bool::weighted(0.9));
    let zones = prop::collection::vec(zone, 1..5);
    let share = prop::option::weighted(0.4, prop::sample::select(vec![0.2, 0.34, 0.5, 0.6, 1.0]));
    (zones, 0.0..150.0f64, any::<bool>(), share).prop_map(|(zones, demand, survive, share)| {
        let zones =
            zones
                .into_iter()
                .enumerate()
                .map(|(place, (price, minimum, maximum, available))| {
                    let name = format!("zone-{}", (place * 3) % 5);
                    Zone {
                        minimum,
                        maximum,
                        available,
                        ..self::zone(&name, price)
                    }
                });
        let survive = if survive {
            Survive::Zone
        } else {
            Survive::Nothing
        };
        Request {
            demand,
            zones: zones.collect(),
            survive,
            max_zone_share: share,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_search_finds_what_trying_everything_finds(request in any_request(), pools in any::<bool>()) {
        let capacity = if pools { pooling() } else { linear() };
        let placed = place(&capacity, &request);
        let expected = brute_force(&capacity, &request);
        match &placed {
            Ok(placement) => {
                prop_assert_eq!(Some(counts(placement)), expected);
                let explained = placement.zones.iter().all(|zone| !zone.reasons.is_empty());
                prop_assert!(explained);
                for zone in &placement.zones {
                    let parts = zone.reasons.iter().map(|reason| match reason {
                        Reason::Demand { replicas, .. } => *replicas,
                        Reason::Survives { extra, .. }
                        | Reason::Minimum { extra, .. }
                        | Reason::Kept { extra }
                        | Reason::Share { extra, .. } => *extra,
                        Reason::NotNeeded
                        | Reason::Rejected(_)
                        | Reason::Unavailable
                        | Reason::Maximum { .. } => 0,
                    });
                    prop_assert_eq!(parts.sum::<u32>(), zone.replicas);
                }
                if request.survive == Survive::Zone {
                    prop_assert!(placement.n_minus_one.iter().all(|loss| loss.shed == 0.0));
                }
            }
            Err(error) => {
                prop_assert_eq!(expected, None, "{}", error);
                prop_assert!(!error.to_string().contains("limited by ;"), "{}", error);
            }
        }
    }
}

/// Twelve zones of twelve prices: the size that a plan must take in its stride.
#[test]
fn twelve_zones_are_placed() {
    let zones = (0..12).map(|place| {
        let price = 1_000_000 + u64::from(place * 7919 % 13) * 37_123;
        Zone {
            minimum: place % 2,
            maximum: 8 + place,
            ..zone(&format!("zone-{place:02}"), price)
        }
    });
    let request = Request {
        survive: Survive::Zone,
        max_zone_share: Some(0.5),
        ..request(600.0, zones.collect())
    };
    let begin = std::time::Instant::now();
    let placement = place(&pooling(), &request).unwrap();
    println!("{:?} {:?}", begin.elapsed(), counts(&placement));
    assert!(placement.n_minus_one.iter().all(|loss| loss.shed == 0.0));
}
