//! What a deployment becomes.

use std::collections::BTreeMap;
use std::time::Duration;

use isobar_sdk::deployment::{
    Envelope, Model, Noun, Performance, Placed, Resources, Serve, Wire, Zone,
};
use isobar_sdk::{ErrorKind, Known, Native, Value};

use crate::bench::Bench;

pub(crate) fn placed() -> Placed {
    Placed {
        deployment: "digits".to_owned(),
        zone: Zone {
            name: "east".to_owned(),
            region: None,
            settings: Value::object([("port", Value::from(8080_i64))]),
        },
        model: Model {
            name: "digits".to_owned(),
            version: "2".to_owned(),
            artifact: Some("model.onnx".to_owned()),
            digest: Some("sha256:00".to_owned()),
            image: None,
            command: Vec::new(),
            environment: BTreeMap::new(),
            serve: Serve {
                port: 8080,
                protocol: "oip-v2".to_owned(),
                health_path: "/ready".to_owned(),
            },
            resources: Resources::default(),
            performance: Performance {
                service_time: Duration::from_millis(5),
                concurrency: 1,
                startup: Duration::from_secs(30),
            },
        },
        replicas: 3,
        spot: 0,
        offer: None,
        envelope: Envelope::fixed(3),
        schedule: None,
    }
}

fn value<'a>(configuration: &'a BTreeMap<String, Wire>, name: &str) -> Option<&'a Value> {
    match configuration.get(name)? {
        Wire::Value(value) => Some(value),
        Wire::From(..) => None,
    }
}

#[tokio::test]
async fn a_deployment_becomes_a_set_and_a_gateway_in_front_of_it() {
    let bench = Bench::new().await;
    let target = bench.provider.target().unwrap();
    let lowered = target.lower(&placed()).unwrap();
    let names: Vec<String> = lowered
        .resources
        .iter()
        .map(|r| r.native.to_string())
        .collect();
    assert_eq!(names, [r#"local_replica_set["2"]"#, "local_gateway"]);
    let [set, gateway] = &lowered.resources[..] else {
        panic!("{names:?}")
    };
    let of_set = |name| value(&set.configuration, name).map(ToString::to_string);
    assert_eq!(of_set("replicas").as_deref(), Some("3"));
    assert_eq!(of_set("startup").as_deref(), Some("60"));
    assert_eq!(of_set("health_path").as_deref(), Some("\"/ready\""));
    assert_eq!(of_set("digest").as_deref(), Some("\"sha256:00\""));
    assert_eq!(of_set("command"), None);
    assert_eq!(set.origins["replicas"].noun, Noun::Capacity);
    let of_gateway = |name| value(&gateway.configuration, name).map(ToString::to_string);
    assert_eq!(of_gateway("port").as_deref(), Some("8080"));
    assert_eq!(of_gateway("routes").as_deref(), Some("{ 2 = 100 }"));
    assert_eq!(gateway.origins["port"].noun, Noun::Zone);
    assert_eq!(gateway.depends_on, std::slice::from_ref(&set.native));
    assert!(matches!(&lowered.url, Some(Wire::From(native, _)) if *native == gateway.native));

    let state = Known::new(Value::object([("replicas", Value::from(3_i64))])).unwrap();
    let gateway = (gateway.native.clone(), Known::empty());
    let resources: BTreeMap<Native, Known> = [(set.native.clone(), state), gateway].into();
    assert_eq!(target.replicas(&resources), 3);
}

#[tokio::test]
async fn a_model_that_cannot_run_here_is_refused_at_its_attribute() {
    let bench = Bench::new().await;
    let target = bench.provider.target().unwrap();
    let mut nothing = placed();
    nothing.model.artifact = None;
    let mut missing = placed();
    missing.model.artifact = Some("no.onnx".to_owned());
    let mut misspelt = placed();
    misspelt.model.serve.protocol = "oipv2".to_owned();
    for (placed, at) in [
        (nothing, "artifact"),
        (missing, "artifact"),
        (misspelt, "serve.protocol"),
    ] {
        let error = target.lower(&placed).unwrap_err();
        let ErrorKind::Invalid { path } = &error.kind else {
            panic!("{error:?}")
        };
        assert_eq!(path.to_string(), at);
        assert!(error.help.is_some(), "{error}");
    }
}
