//! The provider keeps the laws of the provider contract, with real processes.

use isobar_sdk::conformance::{Case, Law, Subject, run};
use isobar_sdk::{Address, Known, Path, Value, json};
use serde_json::json;

use crate::bench::{Bench, fixture, instances, kill, number};
use crate::target::placed;

fn set(zone: &str, version: &str, replicas: i64) -> Value {
    let program = fixture();
    let command = [program.to_str().unwrap(), "serve", "--port", "{port}"];
    json::decode_any(&json!({
        "name": "digits", "zone": zone, "version": version, "command": command,
        "replicas": replicas, "startup": 20,
    }))
}

fn gateway(zone: &str, one: i64, two: i64) -> Value {
    json::decode_any(&json!({
        "name": "digits", "zone": zone, "protocol": "raw", "routes": { "1": one, "2": two },
    }))
}

fn at(address: &str) -> Address {
    address.parse().unwrap()
}

fn set_case() -> Case {
    let first = set("east", "1", 2);
    let bad = first.with_field("replicas", Value::from(-1_i64));
    Case::new(at("local_replica_set.it"), first)
        .update(set("east", "1", 3))
        .replace(set("east", "2", 1))
        .invalid(bad, Path::attribute("replicas"))
        .disturb(|state| {
            Box::pin(async move {
                let (_, victim) = instances(&state).into_iter().next().unwrap();
                kill(victim);
            })
        })
}

fn gateway_case() -> Case {
    Case::new(at("local_gateway.it"), gateway("behind", 100, 0))
        .update(gateway("behind", 95, 5))
        .replace(gateway("elsewhere", 100, 0))
        .invalid(gateway("behind", -1, 1), Path::attribute("routes"))
        .disturb(|state| {
            Box::pin(async move { kill(u32::try_from(number(&state, "pid")).unwrap()) })
        })
}

#[tokio::test]
async fn it_keeps_the_laws() {
    let bench = Bench::new().await;
    for version in ["1", "2"] {
        bench
            .made("local_replica_set", None, &set("behind", version, 1))
            .await;
    }
    let configuration = bench
        .factory
        .schema()
        .configuration
        .propose(None, &Value::NULL);
    let subject = Subject {
        factory: &*bench.factory,
        configuration: Known::new(configuration).unwrap(),
        cases: vec![set_case(), gateway_case()],
        placed: vec![placed()],
    };
    match run(&subject).await {
        Ok(report) => assert!(report.held.contains_key(&Law::DriftIsSeen), "{report:?}"),
        Err(violation) => panic!("{violation}"),
    }
    // Of all that the suite made nothing is left but what it was given.
    assert_eq!(bench.processes().len(), 2);
}
