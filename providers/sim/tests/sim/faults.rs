//! Faults of the cloud, seen by a caller that tries again: things converge, and none is made twice.

use isobar_sdk::provider::Outcome;
use isobar_sdk::{ErrorKind, Known, Value};
use isobar_sim::{Call, Fault, Outage, World};

use crate::bench::{Bench, at, done, endpoint, failed, id, router};

const ZONE: &str = "sim-us-east";

/// Faults that pass by themselves.
fn passing() -> [Fault; 5] {
    [
        Fault::Throttled { after: None },
        Fault::Throttled { after: Some(30) },
        Fault::ServerError,
        Fault::TimeoutBefore,
        Fault::TimeoutAfter,
    ]
}

#[tokio::test]
async fn a_passing_fault_of_any_call_leaves_the_same_cloud_as_none() {
    let calm = live(&[]).await;
    for call in [Call::Create, Call::Update, Call::Read, Call::Delete] {
        for fault in passing() {
            let cloud = live(&[(call, fault.clone())]).await;
            assert_eq!(cloud, calm, "{call:?} {fault:?}");
        }
    }
    let all: Vec<_> = passing()
        .into_iter()
        .map(|fault| (Call::Create, fault))
        .collect();
    assert_eq!(live(&all).await, calm);
}

/// Makes, changes, reads and deletes; the states seen, and the cloud but for its counts of calls.
async fn live(faults: &[(Call, Fault)]) -> (Vec<Known>, World) {
    let bench = Bench::new().await.retried();
    for (nth, (call, fault)) in (1..).zip(faults) {
        bench.cloud.inject(*call, nth, fault.clone()).unwrap();
    }
    let (a, b) = (at("sim_endpoint.a"), at("sim_endpoint.b"));
    let second = endpoint(ZONE, 1).with_field("version", "8".into());
    let made = done(bench.apply(&a, None, &endpoint(ZONE, 2), "a1").await);
    let other = done(bench.apply(&b, None, &second, "b1").await);
    let changed = done(bench.apply(&a, Some(&made), &endpoint(ZONE, 4), "a2").await);
    let seen = bench.read(&a, &changed).await.unwrap().unwrap();
    assert_eq!(bench.delete(&b, &other).await, Outcome::Done(None));
    let mut left = bench.cloud.inventory().unwrap();
    left.calls.clear();
    left.faults.clear();
    (vec![made, other, changed, seen], left)
}

#[tokio::test]
async fn a_lost_answer_is_made_up_for_by_the_same_key_alone() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    bench
        .cloud
        .inject(Call::Create, 1, Fault::TimeoutAfter)
        .unwrap();
    let set = endpoint(ZONE, 2);
    let lost = failed(bench.apply(&a, None, &set, "k").await);
    assert_eq!(lost.kind, ErrorKind::Unavailable);
    let clash = failed(bench.apply(&a, None, &set, "another key").await);
    assert_eq!(clash.kind, ErrorKind::Conflict, "{clash}");
    let state = done(bench.apply(&a, None, &set, "k").await);
    let endpoints = bench.cloud.inventory().unwrap().endpoints;
    assert_eq!(endpoints.keys().collect::<Vec<_>>(), [id(&state)]);
}

#[tokio::test]
async fn a_partial_creation_is_kept_and_healed_by_the_next_plan() {
    let bench = Bench::new().await.retried();
    let a = at("sim_endpoint.a");
    let set = endpoint(ZONE, 3);
    bench
        .cloud
        .inject(Call::Create, 1, Fault::Partial { replicas: 1 })
        .unwrap();
    let Outcome::Partial { state, error } = bench.apply(&a, None, &set, "k1").await else {
        panic!("not partial");
    };
    assert_eq!(error.to_string(), "only 1 of 3 replicas became ready");
    assert_eq!(state.field("status"), Some(&"degraded".into()));
    assert_eq!(bench.read(&a, &state).await, Ok(Some(state.clone())));
    let healed = done(bench.apply(&a, Some(&state), &set, "k2").await);
    assert_eq!(healed.field("ready_replicas"), Some(&Value::from(3_i64)));
    assert_eq!(id(&healed), id(&state));
}

#[tokio::test]
async fn an_outage_stops_changes_hides_replicas_and_ends() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    let state = done(bench.apply(&a, None, &endpoint(ZONE, 2), "k").await);
    let now = bench.cloud.inventory().unwrap().clock;
    let outage = Outage {
        from: now + 100,
        until: Some(now + 200),
        reason: "flood".into(),
    };
    bench.cloud.schedule_outage(ZONE, outage).unwrap();
    assert_eq!(bench.read(&a, &state).await, Ok(Some(state.clone())));
    bench.cloud.advance(100).unwrap();
    let down = bench.read(&a, &state).await.unwrap().unwrap();
    assert_eq!(down.field("status"), Some(&"down".into()));
    assert_eq!(down.field("ready_replicas"), Some(&Value::from(0_i64)));
    let refused = failed(bench.apply(&a, Some(&down), &endpoint(ZONE, 3), "k2").await);
    assert_eq!(refused.kind, ErrorKind::Unavailable);
    assert!(
        refused
            .to_string()
            .contains("zone sim-us-east is down since second 280: flood")
    );
    assert_eq!(
        failed(bench.delete(&a, &down).await).kind,
        ErrorKind::Unavailable
    );
    let elsewhere = at("sim_endpoint.b");
    done(
        bench
            .apply(&elsewhere, None, &endpoint("sim-us-west", 2), "k3")
            .await,
    );
    bench.cloud.advance(100).unwrap();
    assert_eq!(bench.read(&a, &down).await, Ok(Some(state)));
}

#[tokio::test]
async fn an_outage_that_begins_during_a_creation_leaves_it_partial() {
    let bench = Bench::new().await;
    let outage = Outage {
        from: 60,
        until: None,
        reason: "fire".into(),
    };
    bench.cloud.schedule_outage(ZONE, outage).unwrap();
    let outcome = bench
        .apply(&at("sim_endpoint.a"), None, &endpoint(ZONE, 2), "k")
        .await;
    let Outcome::Partial { state, error } = outcome else {
        panic!("not partial: {outcome:?}");
    };
    assert_eq!(state.field("status"), Some(&"down".into()));
    assert!(error.to_string().ends_with("fire"), "{error}");
}

#[tokio::test]
async fn a_version_that_gets_requests_is_not_deleted() {
    let bench = Bench::new().await;
    let (old, new, front) = (
        at("sim_endpoint.old"),
        at("sim_endpoint.new"),
        at("sim_router.r"),
    );
    let old_state = done(bench.apply(&old, None, &endpoint(ZONE, 1), "1").await);
    let next = endpoint(ZONE, 1).with_field("version", "8".into());
    done(bench.apply(&new, None, &next, "2").await);
    let to = |routes: Vec<(&'static str, i64)>| {
        router(Value::map(
            routes.into_iter().map(|(v, w)| (v, Value::from(w))),
        ))
    };
    let front_state = done(
        bench
            .apply(&front, None, &to(vec![("7", 90), ("8", 10)]), "3")
            .await,
    );
    let refused = failed(bench.delete(&old, &old_state).await);
    assert_eq!(refused.kind, ErrorKind::Conflict);
    assert!(refused.help.is_some());
    done(
        bench
            .apply(&front, Some(&front_state), &to(vec![("8", 100)]), "4")
            .await,
    );
    assert_eq!(bench.delete(&old, &old_state).await, Outcome::Done(None));
    let nowhere = failed(
        bench
            .apply(&front, Some(&front_state), &to(vec![("7", 1)]), "5")
            .await,
    );
    assert!(
        matches!(&nowhere.kind, ErrorKind::Invalid { path } if path.to_string() == r#"routes["7"]"#),
        "{nowhere:?}"
    );
}
