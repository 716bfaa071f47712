//! Tests of the module as a whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proptest::prelude::*;

use super::*;

fn performance(milliseconds: u64, concurrency: u32) -> Performance {
    Performance {
        service_time: Duration::from_millis(milliseconds),
        service_p95: None,
        concurrency,
        variability: 1.0,
        startup: Duration::from_secs(180),
    }
}

fn slo(milliseconds: u64, violations: f64) -> Target {
    Target::Latency(Slo {
        latency: Duration::from_millis(milliseconds),
        violations,
    })
}

fn capacity(performance: Performance, target: Target) -> Capacity {
    Capacity::new(performance, Arrivals::default(), target).unwrap()
}

/// One slot in closed form: P(W > t) = ρ·exp(-(μ-λ)t), so the greatest rate solves it for ε.
#[test]
fn one_slot_carries_what_the_closed_form_says() {
    let capacity = capacity(performance(100, 1), slo(600, 0.05));
    let rate = capacity.max_rate(1);
    let (rho, wait) = (rate * 0.1, 0.5);
    let exceeds = rho * f64::exp(-(10.0 - rate) * wait);
    assert!((exceeds - 0.05).abs() < 1e-6, "{exceeds}");
}

#[test]
fn a_demand_has_the_least_pool_that_meets_the_objective() {
    let capacity = capacity(performance(80, 4), slo(300, 0.01));
    let sizing = capacity.size(412.0).unwrap();
    assert!((sizing.offered_load - 32.96).abs() < 1e-9);
    assert_eq!(sizing.slots, sizing.replicas * 4);
    let Basis::Latency {
        wait,
        violations,
        p_wait_exceeds,
    } = sizing.basis
    else {
        panic!("{sizing:?}");
    };
    assert_eq!(wait, Duration::from_millis(220));
    assert!(p_wait_exceeds <= violations);
    let fewer = sizing.slots - 4;
    let slo = Slo {
        latency: Duration::from_millis(300),
        violations: 0.01,
    };
    let p_with_fewer = capacity.p_wait_exceeds(fewer, sizing.offered_load, slo);
    assert!(p_with_fewer > violations, "{p_with_fewer}");
    assert_eq!(sizing.replicas, 9);
    assert!((sizing.utilisation - 32.96 / 36.0).abs() < 1e-12);
}

#[test]
fn without_an_objective_slots_are_busy_for_the_target_share() {
    let capacity = capacity(performance(100, 2), Target::default());
    assert_eq!(capacity.size(140.0).map(|sizing| sizing.replicas), Ok(10));
    assert_eq!(capacity.size(140.1).map(|sizing| sizing.replicas), Ok(11));
    assert_eq!(capacity.max_rate(10), 140.0);
}

#[test]
fn no_demand_needs_no_replica() {
    for target in [Target::default(), slo(300, 0.01)] {
        let sizing = capacity(performance(80, 4), target).size(0.0).unwrap();
        assert_eq!(
            (sizing.replicas, sizing.slots, sizing.utilisation),
            (0, 0, 0.0)
        );
        assert!(sizing.rate_per_replica > 0.0);
    }
}

#[test]
fn settings_out_of_reach_are_refused_with_their_numbers() {
    let new = |performance, target| Capacity::new(performance, Arrivals::default(), target);
    let error = new(performance(400, 1), slo(300, 0.01)).unwrap_err();
    let (service, latency) = (Duration::from_millis(400), Duration::from_millis(300));
    assert_eq!(error, CapacityError::ImpossibleSlo { service, latency });
    let text = error.to_string();
    assert!(text.contains("400ms") && text.contains("300ms"), "{text}");
    let slow_tail = Performance {
        service_p95: Some(latency),
        ..performance(80, 1)
    };
    assert!(matches!(
        new(slow_tail, slo(300, 0.01)),
        Err(CapacityError::ImpossibleSlo { .. })
    ));
    for refused in [
        new(performance(0, 1), Target::default()),
        new(performance(80, 0), Target::default()),
        new(performance(80, 1), Target::Utilisation(1.0)),
        new(performance(80, 1), slo(300, 0.0)),
        new(
            Performance {
                variability: f64::NAN,
                ..performance(80, 1)
            },
            Target::default(),
        ),
    ] {
        assert!(
            matches!(refused, Err(CapacityError::OutOfRange { .. })),
            "{refused:?}"
        );
    }
    let capacity = capacity(performance(80, 4), Target::default());
    assert!(matches!(
        capacity.size(-1.0),
        Err(CapacityError::OutOfRange { .. })
    ));
    assert!(matches!(
        capacity.size(f64::NAN),
        Err(CapacityError::OutOfRange { .. })
    ));
    assert!(matches!(
        capacity.size(1e12),
        Err(CapacityError::TooMuch { .. })
    ));
}

#[test]
fn a_hundred_thousand_slots_are_sized() {
    let capacity = capacity(performance(100, 8), slo(150, 0.01));
    let sizing = capacity.size(1e6).unwrap();
    assert!(
        sizing.slots > 100_000 && sizing.slots < 101_500,
        "{sizing:?}"
    );
}

/// A stream of numbers in (0, 1], the same in every run (SplitMix64, Steele et al. 2014).
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + f64::EPSILON / 2.0
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * self.uniform().ln()
    }
}

/// The share of `customers` that wait longer than `wait`, first come first served, in nanoseconds.
fn simulate(slots: u32, rate: f64, wait: f64, service: impl Fn(&mut Draws) -> f64) -> f64 {
    const CUSTOMERS: u32 = 400_000;
    let (mut arrivals, mut services) = (Draws(1), Draws(2));
    let mut free: BinaryHeap<Reverse<u64>> = (0..slots).map(|_| Reverse(0)).collect();
    let (mut now, mut late) = (0.0, 0);
    for _ in 0..CUSTOMERS {
        now += arrivals.exponential(1e9 / rate);
        let Reverse(earliest) = free.pop().unwrap();
        let begin = now.max(earliest as f64);
        late += u32::from(begin - now > wait * 1e9);
        free.push(Reverse((begin + service(&mut services) * 1e9) as u64));
    }
    f64::from(late) / f64::from(CUSTOMERS)
}

#[test]
fn a_simulated_queue_waits_as_the_formula_says() {
    for (slots, utilisation, wait) in [(1, 0.7, 0.2), (4, 0.8, 0.1), (20, 0.9, 0.05)] {
        let load = f64::from(slots) * utilisation;
        let expected = erlang::p_wait_exceeds(slots, load, wait / 0.1, 1.0);
        let seen = simulate(slots, load / 0.1, wait, |draws| draws.exponential(0.1));
        assert!(
            (seen - expected).abs() < 0.08 * expected,
            "{slots}: {seen} for {expected}"
        );
    }
}

#[test]
fn a_sized_pool_keeps_its_objective_in_simulation() {
    for (variability, service) in [
        (
            1.0,
            (|draws: &mut Draws| draws.exponential(0.08)) as fn(&mut Draws) -> f64,
        ),
        (0.0, |_: &mut Draws| 0.08),
    ] {
        let performance = Performance {
            variability,
            ..performance(80, 4)
        };
        let sizing = capacity(performance, slo(300, 0.01)).size(412.0).unwrap();
        let seen = simulate(sizing.slots, 412.0, 0.22, service);
        assert!(seen <= 0.012, "{variability}: {seen} with {sizing:?}");
        let fewer = simulate(sizing.slots - 4, 412.0, 0.22, service);
        assert!(fewer > 0.01, "{variability}: {fewer} with one replica less");
    }
}

fn any_capacity() -> impl Strategy<Value = Capacity> {
    let target = prop_oneof![
        (10u64..2000, 1e-4..0.5f64).prop_map(|(wait, violations)| (wait, Some(violations), 0.5)),
        (0.05..0.98f64).prop_map(|utilisation| (0, None, utilisation)),
    ];
    (1u64..2000, 1u32..40, 0.0..4.0f64, 0.0..4.0f64, target).prop_map(
        |(service, concurrency, services, arrivals, (wait, violations, utilisation))| {
            let target = match violations {
                Some(violations) => slo(service + wait, violations),
                None => Target::Utilisation(utilisation),
            };
            let performance = Performance {
                variability: services,
                ..performance(service, concurrency)
            };
            Capacity::new(
                performance,
                Arrivals {
                    variability: arrivals,
                },
                target,
            )
            .unwrap()
        },
    )
}

proptest! {
    #[test]
    fn more_demand_never_needs_fewer(capacity in any_capacity(), demand in 0.0..500.0f64, more in 1.0..2.0f64) {
        let (less, more) = (capacity.size(demand).unwrap(), capacity.size(demand * more).unwrap());
        prop_assert!(less.replicas <= more.replicas);
        prop_assert!(less.utilisation < 1.0);
    }

    #[test]
    fn the_greatest_rate_is_the_inverse_of_the_size(capacity in any_capacity(), replicas in 1u32..60) {
        let rate = capacity.max_rate(replicas);
        prop_assert!(rate < capacity.max_rate(replicas + 1));
        prop_assert_eq!(capacity.size(rate).unwrap().replicas, replicas);
        prop_assert!(capacity.size(rate * (1.0 + 1e-5)).unwrap().replicas > replicas);
    }

    #[test]
    fn a_size_is_enough_and_the_least(capacity in any_capacity(), demand in 0.01..500.0f64) {
        let sizing = capacity.size(demand).unwrap();
        prop_assert!(capacity.carries(sizing.replicas, demand));
        prop_assert!(!capacity.carries(sizing.replicas - 1, demand));
    }
}
