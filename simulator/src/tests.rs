//! Tests of the engines and policies as a whole.

use std::sync::LazyLock;
use std::time::Duration;

use isobar_capacity::{Performance, Slo};
use proptest::prelude::*;

use super::*;

/// One-slot replicas of 100 ms each, an objective of 300 ms, and so many zones.
fn scenario(zones: usize, startup: u64, variability: f64) -> Scenario {
    let performance = Performance {
        service_time: Duration::from_millis(100),
        service_p95: None,
        concurrency: 1,
        variability,
        startup: Duration::from_secs(startup),
    };
    let zone = |place: usize| Zone {
        name: format!("zone-{place}"),
        price: 1.0,
        round_trip: Duration::from_millis(4 * place as u64),
        intensity: 300.0,
        spot: None,
    };
    Scenario {
        service: Service {
            performance,
            slo: Slo {
                latency: Duration::from_millis(300),
                violations: 0.01,
            },
            watts: 250.0,
        },
        zones: (0..zones).map(zone).collect(),
        survive: (zones > 2).then_some(0.9),
        outages: Vec::new(),
        budget: 0.01,
        level: None,
        warmup: 0,
        seed: 1,
    }
}

/// Days with a wave and a burst now and then.
fn waves(days: usize, mean: f64, seed: u64) -> Trace {
    let mut bursts = Stream::new(seed, Purpose::Noise, 7);
    let value = |bin: usize| {
        let phase = (bin % 288) as f64 / 288.0 * std::f64::consts::TAU;
        let burst = if bursts.share() < 0.01 { 1.6 } else { 1.0 };
        Some((1.5 + phase.sin()) * burst)
    };
    let bins: Vec<_> = (0..288 * days).map(value).collect();
    let trace = Trace::from_bins(&bins, 300.0).unwrap();
    trace.scaled(mean).noisy(0.03, seed)
}

fn run_named(name: &str, scenario: &Scenario, trace: &Trace, engine: Engine) -> Totals {
    let setting = Setting::new(scenario, trace).unwrap();
    let mut policy = (policy(name).unwrap().build)(&setting).unwrap();
    run(&setting, engine, policy.as_mut())
}

/// Always so many replicas in the first zone.
struct Always(u32);

impl Policy for Always {
    fn decide(&mut self, _: &View<'_>, wanted: &mut [u32]) {
        wanted.fill(0);
        wanted[0] = self.0;
    }
}

/// The mean waiting time at a fixed pool, with its standard error over independent days.
fn mean_wait(replicas: u32, rate: f64, variability: f64) -> (f64, f64) {
    let waits: Vec<f64> = (0..20)
        .map(|seed| {
            let scenario = Scenario {
                warmup: HOUR / 4,
                seed,
                ..scenario(1, 60, variability)
            };
            let trace = Trace {
                rates: vec![rate; 2 * HOUR],
            };
            let setting = Setting::new(&scenario, &trace).unwrap();
            let totals = run(&setting, Engine::Des, &mut Always(replicas));
            totals.waited / totals.arrived
        })
        .collect();
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    let squares = waits.iter().map(|wait| (wait - mean).powi(2)).sum::<f64>();
    let count = waits.len() as f64;
    (mean, (squares / (count - 1.0) / count).sqrt())
}

#[test]
fn single_requests_wait_as_in_the_queue_with_exponential_service() {
    for (replicas, rate) in [(1_u32, 6.0), (4, 32.0), (20, 180.0)] {
        let load = rate * 0.1;
        // The mean wait of M/M/c: C(c, a) / (cμ - λ).
        let exact = isobar_capacity::erlang_c(replicas, load) / (f64::from(replicas) * 10.0 - rate);
        let (seen, error) = mean_wait(replicas, rate, 1.0);
        assert!(
            (seen - exact).abs() < 3.0 * error,
            "{replicas}: {seen} ± {error} for {exact}"
        );
    }
}

/// The mean wait of M/D/c, exactly: the number present a service time later is what came since and
/// what was beyond the slots before, which makes a Markov chain (Crommelin 1932); its stationary
/// distribution by iteration, then Little's law.
fn constant_service(slots: usize, rate: f64) -> f64 {
    const MOST: usize = 400;
    let load = rate * 0.1;
    let mut arrivals = vec![(-load).exp()];
    for count in 1..MOST {
        arrivals.push(arrivals[count - 1] * load / count as f64);
    }
    let mut present = vec![0.0; MOST];
    present[0] = 1.0;
    for _ in 0..4_000 {
        let mut beyond = vec![0.0; MOST];
        for (count, chance) in present.iter().enumerate() {
            beyond[count.saturating_sub(slots)] += chance;
        }
        let mut next = vec![0.0; MOST];
        for (left, chance) in beyond
            .iter()
            .enumerate()
            .filter(|(_, chance)| **chance > 1e-18)
        {
            for (came, more) in arrivals.iter().take(MOST - left).enumerate() {
                next[left + came] += chance * more;
            }
        }
        present = next;
    }
    let waiting = |(count, chance): (usize, &f64)| count.saturating_sub(slots) as f64 * chance;
    present.iter().enumerate().map(waiting).sum::<f64>() / rate
}

#[test]
fn single_requests_wait_as_in_the_queue_with_constant_service() {
    // M/D/1 has a closed form, which checks the chain: ρ / (2μ(1 - ρ)).
    let closed = 0.6 / (2.0 * 10.0 * 0.4);
    assert!((constant_service(1, 6.0) - closed).abs() < 1e-6);
    for (replicas, rate) in [(1_u32, 6.0), (4, 34.0), (12, 110.0)] {
        let exact = constant_service(replicas as usize, rate);
        let (seen, error) = mean_wait(replicas, rate, 0.0);
        assert!(
            (seen - exact).abs() < 3.0 * error,
            "{replicas}: {seen} ± {error} for {exact}"
        );
    }
}

#[test]
fn the_slot_engine_agrees_with_single_requests() {
    for (name, zones, startup) in [
        ("hpa", 1, 60),
        ("hpa", 1, 180),
        ("planned", 1, 180),
        ("planned", 4, 60),
    ] {
        let scenario = Scenario {
            warmup: 3 * DAY,
            ..scenario(zones, startup, 1.0)
        };
        let trace = waves(4, 120.0, 5);
        let slot = run_named(name, &scenario, &trace, Engine::Slot);
        let des = run_named(name, &scenario, &trace, Engine::Des);
        let violations = slot.violations() - des.violations();
        let cost = slot.cost / des.cost - 1.0;
        assert!(
            violations.abs() < 0.01,
            "{name}: {} and {}",
            slot.violations(),
            des.violations()
        );
        assert!(cost.abs() < 0.01, "{name}: {} and {}", slot.cost, des.cost);
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let trace = waves(3, 80.0, 2);
    for engine in [Engine::Slot, Engine::Des] {
        for kind in &POLICIES {
            let scenario = Scenario {
                warmup: 2 * DAY,
                outages: random_outages(2 * DAY..3 * DAY, 3, 60.0, 10, 4),
                ..scenario(3, 60, 1.0)
            };
            let totals = || run_named(kind.name, &scenario, &trace, engine);
            let (one, other) = (totals(), totals());
            assert_eq!(one, other, "{}", kind.name);
            assert!(one.arrived > 0.0 && one.cost > 0.0, "{}", kind.name);
        }
    }
}

#[test]
fn a_plan_survives_a_zone_and_a_fixed_fleet_at_home_does_not() {
    let trace = waves(4, 200.0, 3);
    let begin = 3 * DAY;
    let at = |scenario: &Scenario| Scenario {
        warmup: begin,
        outages: vec![outage_at_peak(&trace, begin, 0, 30)],
        ..scenario.clone()
    };
    let zones = scenario(6, 180, 1.0);
    let none = run_named("none", &at(&zones), &trace, Engine::Slot);
    let planned = run_named("planned", &at(&zones), &trace, Engine::Slot);
    // A quarter of an hour until a person acts, and the start.
    assert!(
        none.downtime > 15.0 && none.downtime < 25.0,
        "{}",
        none.downtime
    );
    assert_eq!(none.interventions, 2);
    // Half a minute until it is noticed, and what the peak is above the level of the reserve.
    assert!(
        planned.downtime < none.downtime / 2.0,
        "{}",
        planned.downtime
    );
    assert_eq!(planned.interventions, 0);
}

#[test]
fn the_oracle_is_cheaper_than_all_who_keep_the_objective() {
    let trace = waves(5, 200.0, 6);
    let scenario = Scenario {
        warmup: 3 * DAY,
        ..scenario(1, 180, 1.0)
    };
    let oracle = run_named("oracle", &scenario, &trace, Engine::Slot);
    assert!(oracle.violations() < 0.01, "{}", oracle.violations());
    for kind in POLICIES.iter().filter(|kind| kind.name != "oracle") {
        let totals = run_named(kind.name, &scenario, &trace, Engine::Slot);
        let kept = totals.violations() <= oracle.violations();
        assert!(!kept || totals.cost > oracle.cost, "{}", kind.name);
    }
}

#[test]
fn spot_replicas_are_cheaper_and_are_taken_away() {
    let trace = waves(2, 200.0, 6);
    let with = |spot| {
        let mut scenario = Scenario {
            warmup: DAY,
            ..scenario(1, 60, 1.0)
        };
        scenario.zones[0].spot = spot;
        run_named("static-peak", &scenario, &trace, Engine::Slot)
    };
    let (without, stable) = (
        with(None),
        with(Some(Spot {
            share: 0.5,
            price: 0.3,
            preemptions: 0.0,
        })),
    );
    assert!((stable.cost / without.cost - 0.65).abs() < 1e-9);
    let shaky = with(Some(Spot {
        share: 0.5,
        price: 0.3,
        preemptions: 1.0,
    }));
    assert!(
        shaky.launches > 100 && shaky.late > stable.late,
        "{}",
        shaky.launches
    );
}

/// For each number of zones from 1 what all scenarios with so many of them share.
static SHARED: LazyLock<Vec<Setting<'static>>> = LazyLock::new(|| {
    let trace = Box::leak(Box::new(Trace {
        rates: vec![60.0; 4],
    }));
    let setting = |zones| Setting::new(Box::leak(Box::new(scenario(zones, 60, 1.0))), trace);
    (1..5).map(|zones| setting(zones).unwrap()).collect()
});

fn any_scenario() -> impl Strategy<Value = (Scenario, Trace, usize)> {
    let shape = (1usize..5, 10u64..400, any::<u64>());
    let demand = (prop::collection::vec(0.0..60.0f64, 3..8), 0.5..0.999f64);
    let faults = (0usize..POLICIES.len(), 0usize..3, 0.0..3.0f64);
    (shape, demand, faults).prop_map(|((zones, startup, seed), (bins, level), faults)| {
        let (kind, outages, preemptions) = faults;
        let mut bins: Vec<_> = bins.into_iter().map(Some).collect();
        bins[0] = Some(1.0);
        let trace = Trace::from_bins(&bins, 300.0).unwrap().noisy(0.1, seed);
        let slots = trace.rates.len();
        let mut scenario = scenario(zones, startup, 1.0);
        scenario.seed = seed;
        scenario.level = Some(level);
        scenario.warmup = slots / 2;
        scenario.outages = (0..outages)
            .map(|place| Outage {
                zone: place % zones,
                begin: slots / 2 + 7 * place,
                end: slots / 2 + 7 * place + 9,
            })
            .collect();
        scenario.zones[0].spot = Some(Spot {
            share: 0.4,
            price: 0.3,
            preemptions,
        });
        (scenario, trace, kind)
    })
}

/// Whether what came in went out, and what was paid was billed.
fn balances(
    (scenario, trace, kind): &(Scenario, Trace, usize),
    engine: Engine,
) -> Result<(), TestCaseError> {
    let setting = SHARED[scenario.zones.len() - 1].with(scenario, trace);
    let mut policy = (POLICIES[*kind].build)(&setting).unwrap();
    let totals = run(&setting, engine, policy.as_mut());
    prop_assert!(totals.imbalance() < 1e-9, "{totals:?}");
    prop_assert!(totals.cost.is_finite() && totals.cost >= 0.0);
    // Who waited when it began may be late or lost, too.
    let most = (totals.arrived + totals.queued_before) * (1.0 + 1e-9);
    prop_assert!((0.0..=most).contains(&totals.late), "{totals:?}");
    let lost = totals.shed - totals.queued_before;
    prop_assert!(lost <= totals.late * (1.0 + 1e-9) + 1e-6, "{totals:?}");
    let days = totals.days.iter().map(|day| day.cost).sum::<f64>();
    prop_assert!((days - totals.cost).abs() <= 1e-9 * totals.cost.max(1.0));
    Ok(())
}

// Two tests, so that they run at the same time.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    #[test]
    fn books_balance_in_any_scenario(any in any_scenario()) {
        balances(&any, Engine::Slot)?;
    }

    #[test]
    fn books_balance_request_by_request(any in any_scenario()) {
        balances(&any, Engine::Des)?;
    }
}
