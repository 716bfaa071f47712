//! The simulated cloud keeps the laws of the provider contract.

use isobar_sdk::conformance::{Case, Law, Subject, run};
use isobar_sdk::{Known, Path, Value};
use isobar_sim::Cloud;

use crate::bench::{Bench, at, done, endpoint, id, router};

#[tokio::test]
async fn it_keeps_the_laws() {
    let bench = Bench::new().await;
    for version in ["1", "2"] {
        let set = endpoint("sim-us-east", 1).with_field("version", version.into());
        done(
            bench
                .apply(&at("sim_endpoint.fixture"), None, &set, version)
                .await,
        );
    }
    let subject = Subject {
        factory: &*bench.factory,
        configuration: Known::empty(),
        cases: vec![
            endpoint_case(bench.cloud.clone()),
            Case::new(at("sim_endpoint.idle"), endpoint("sim-ap-south", 0))
                .replace(endpoint("sim-eu-central", 0)),
            router_case(bench.cloud.clone()),
        ],
    };
    match run(&subject).await {
        Ok(report) => assert!(report.held.contains_key(&Law::DriftIsSeen), "{report:?}"),
        Err(violation) => panic!("{violation}"),
    }
}

fn endpoint_case(cloud: Cloud) -> Case {
    let first = endpoint("sim-us-east", 3);
    let bad = |name, value| (first.with_field(name, value), Path::attribute(name));
    let [(zone, zone_path), (kind, kind_path), (count, count_path)] = [
        bad("zone", "sim-us-eats".into()),
        bad("instance_type", "g9.none".into()),
        bad("replicas", Value::from(-1_i64)),
    ];
    Case::new(
        at("sim_endpoint.a"),
        first.with_field("image", "i@sha256:0".into()),
    )
    .update(endpoint("sim-us-east", 5).with_field("artifact", "a".into()))
    .replace(endpoint("sim-us-west", 5))
    .invalid(zone, zone_path)
    .invalid(kind, kind_path)
    .invalid(count, count_path)
    .disturb(move |state| {
        let cloud = cloud.clone();
        Box::pin(async move { cloud.kill_replicas(id(&state), 2).unwrap() })
    })
}

fn router_case(cloud: Cloud) -> Case {
    let routes =
        |one: i64, two: i64| router(Value::map([("1", Value::from(one)), ("2", two.into())]));
    let renamed = routes(1, 1).with_field("routes", Value::map([("1", Value::from(0_i64))]));
    Case::new(at("sim_router.a"), routes(100, 0))
        .update(routes(95, 5))
        .invalid(renamed, Path::attribute("routes"))
        .invalid(routes(-1, 1), Path::attribute("routes"))
        .disturb(move |state| {
            let cloud = cloud.clone();
            Box::pin(async move { cloud.delete(id(&state)).unwrap() })
        })
}
