//! A schedule is followed by the clock of the cloud.

use isobar_sdk::deployment::{Envelope, Schedule, Shift};
use isobar_sdk::{Known, Value};
use isobar_sim::ZoneState;

use crate::bench::{Bench, at, done, endpoint, failed};

/// Two replicas in the night and five by day.
pub(crate) fn day() -> Schedule {
    let shift = |start: &str, min| Shift {
        start: start.parse().unwrap(),
        envelope: Envelope { min, max: min + 1 },
    };
    Schedule {
        shifts: vec![
            shift("2026-03-01T00:00:00Z", 2),
            shift("2026-03-01T06:00:00Z", 5),
        ],
        until: "2026-03-02T00:00:00Z".parse().unwrap(),
    }
}

/// The configuration of a schedule of one shift.
pub(crate) fn schedule(version: &str, start: &str) -> Value {
    let shift = Value::object([
        ("start", Value::from(start)),
        ("min", 2_i64.into()),
        ("max", 4_i64.into()),
    ]);
    Value::object([
        ("name", Value::from("reranker")),
        ("zone", "sim-us-east".into()),
        ("version", version.into()),
        ("shifts", Value::list(vec![shift])),
        ("until", "2026-03-02T00:00:00Z".into()),
    ])
}

async fn running(bench: &Bench, prior: &Known) -> Option<u64> {
    let now = bench.read(&at("sim_schedule.a"), prior).await.unwrap();
    now?.field("replicas")?.as_number()?.as_u64()
}

#[tokio::test]
async fn as_many_run_as_the_shift_asks_for() {
    let bench = Bench::new().await;
    let address = at("sim_schedule.a");
    let set = schedule("7", "2026-03-01T06:00:00Z");
    let alone = bench.apply(&address, None, &set, "alone").await;
    assert!(failed(alone).to_string().contains("no endpoint"));
    let ordered = endpoint("sim-us-east", 5);
    let ordered = bench
        .apply(&at("sim_endpoint.a"), None, &ordered, "e")
        .await;
    let ordered = done(ordered);
    let made = done(bench.apply(&address, None, &set, "s").await);
    let mut seen = Vec::new();
    for hour in [
        "2026-03-01T05:59:59Z",
        "2026-03-01T06:00:00Z",
        "2026-03-02T00:00:00Z",
    ] {
        bench.cloud.set_time(hour.parse().unwrap()).unwrap();
        seen.push(running(&bench, &made).await);
    }
    assert_eq!(seen, [Some(5), Some(2), Some(5)]);
    bench
        .cloud
        .set_time("2026-03-01T12:00:00Z".parse().unwrap())
        .unwrap();
    let flood = ZoneState::Down("flood".into());
    bench.cloud.set_zone("sim-us-east", flood).unwrap();
    assert_eq!(running(&bench, &made).await, Some(0));
    let order = bench.read(&at("sim_endpoint.a"), &ordered).await.unwrap();
    assert_eq!(order.unwrap().field("replicas"), Some(&5_i64.into()));
}

#[tokio::test]
async fn a_new_schedule_changes_what_runs_and_the_same_one_does_not() {
    let bench = Bench::new().await;
    let address = at("sim_schedule.a");
    let ordered = endpoint("sim-us-east", 5);
    done(
        bench
            .apply(&at("sim_endpoint.a"), None, &ordered, "e")
            .await,
    );
    let set = schedule("7", "2026-03-01T06:00:00Z");
    let made = done(bench.apply(&address, None, &set, "s").await);
    let same = bench.plan(&address, Some(&made), &set).await.unwrap();
    assert_eq!(same, *made.value());
    let later = schedule("7", "2026-03-01T08:00:00Z");
    let changed = bench.plan(&address, Some(&made), &later).await.unwrap();
    assert!(changed.field("replicas").unwrap().is_unknown());
}
