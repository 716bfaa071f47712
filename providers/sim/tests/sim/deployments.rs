//! Deployments become endpoints and routers that the cloud accepts.

use std::collections::BTreeMap;
use std::time::Duration;

use isobar_sdk::deployment::{
    Envelope, Form, Listing, Lowered, Market, Model, NativeResource, Offer, Performance, Placed,
    Resources, Serve, Wire, Zone,
};
use isobar_sdk::quantity::Micros;
use isobar_sdk::{Address, Error, ErrorKind, Known, Value};
use isobar_sim::{Call, ZoneState};

use crate::bench::{Bench, at, done, endpoint};

pub(crate) fn placed(region: Option<&str>, settings: Value, resources: Resources) -> Placed {
    Placed {
        deployment: "reranker".into(),
        zone: Zone {
            name: "virginia".into(),
            region: region.map(str::to_owned),
            settings,
        },
        model: Model {
            name: "reranker".into(),
            version: "7".into(),
            artifact: Some("s3://models/reranker".into()),
            digest: Some("sha256:ab".into()),
            image: None,
            command: Vec::new(),
            environment: BTreeMap::new(),
            serve: Serve {
                port: 8080,
                protocol: "oip-v2".into(),
                health_path: "/v2/health/ready".into(),
            },
            resources,
            performance: Performance {
                service_time: Duration::from_millis(80),
                concurrency: 4,
                startup: Duration::from_secs(180),
            },
        },
        replicas: 3,
        spot: 0,
        offer: Some(Offer {
            instance: "g1.a10g".into(),
            cpu: 8.0,
            memory: 32 << 30,
            gpu: Some(("a10g".into(), 1)),
            architecture: None,
            price: Micros(1_210_000),
            spot: None,
            watts: None,
            quota: Some(16),
        }),
        envelope: Envelope::fixed(3),
        schedule: None,
    }
}

pub(crate) fn a10g() -> Resources {
    Resources {
        cpu: Some(4.0),
        memory: Some(16 << 30),
        gpu: Some(("a10g".into(), 1)),
        ..Resources::default()
    }
}

fn lower(bench: &Bench, placed: &Placed) -> Result<Lowered, Error> {
    bench.provider.target().unwrap().lower(placed)
}

fn set(resource: &NativeResource) -> Value {
    let values = resource
        .configuration
        .iter()
        .map(|(name, wire)| match wire {
            Wire::Value(value) => (name.as_str(), value.clone()),
            Wire::From(..) => panic!("{name} comes from elsewhere"),
        });
    Value::object(values)
}

#[tokio::test]
async fn what_is_lowered_can_be_applied_and_counted() {
    let bench = Bench::new().await;
    let placed = placed(Some("sim-us-east"), Value::NULL, a10g());
    let lowered = lower(&bench, &placed).unwrap();
    let deployment = at("deployment.reranker[\"virginia\"]");
    let mut states = BTreeMap::new();
    for resource in &lowered.resources {
        let missing = resource
            .depends_on
            .iter()
            .find(|native| !states.contains_key(*native));
        assert_eq!(missing, None, "this order needs sorting");
        let address: Address = deployment.native(resource.native.clone());
        let state = done(
            bench
                .apply(&address, None, &set(resource), &address.to_string())
                .await,
        );
        states.insert(resource.native.clone(), state);
    }
    assert_eq!(bench.provider.target().unwrap().replicas(&states), 3);
    let Some(Wire::From(native, path)) = lowered.url else {
        panic!("no url");
    };
    let url = states[&native].value().get(&path).unwrap();
    assert_eq!(
        url.as_str(),
        Some("https://reranker.sim-us-east.sim.invalid")
    );
    let endpoint = &lowered.resources[0];
    assert_eq!(endpoint.native.to_string(), "sim_endpoint[\"7\"]");
    let artifact = set(endpoint).field("artifact").cloned();
    assert_eq!(artifact, Some("s3://models/reranker@sha256:ab".into()));
}

async fn sold(bench: &Bench, region: &str, settings: Value) -> Result<Market, Error> {
    let zone = placed(Some(region), settings, a10g()).zone;
    bench.provider.offers().unwrap().offers(&zone).await
}

#[tokio::test]
async fn a_replica_runs_on_what_was_chosen_for_it() {
    let bench = Bench::new().await;
    let chosen = |settings, offer| {
        let placed = Placed {
            offer,
            ..placed(Some("sim-us-east"), settings, a10g())
        };
        let lowered = lower(&bench, &placed)?;
        Ok(set(&lowered.resources[0]).field("instance_type").cloned())
    };
    let Ok(Market::Open(offers)) = sold(&bench, "sim-us-east", Value::NULL).await else {
        panic!("the zone is down");
    };
    let large = offers.iter().find(|offer| offer.instance == "c1.large");
    assert_eq!(
        chosen(Value::NULL, large.cloned()),
        Ok(Some("c1.large".into()))
    );
    let blamed = |error: Error| match error.kind {
        ErrorKind::Invalid { path } => path.to_string(),
        other => panic!("{other:?}"),
    };
    let error = chosen(Value::NULL, None).unwrap_err();
    assert_eq!(blamed(error), "resources");
    for region in [None, Some("nowhere")] {
        let error = lower(&bench, &placed(region, Value::NULL, a10g())).unwrap_err();
        assert_eq!(blamed(error), "region");
    }
}

#[tokio::test]
async fn a_zone_that_takes_one_instance_type_sells_no_other() {
    let bench = Bench::new().await;
    let only = |name: &str| Value::object([("instance_type", Value::from(name))]);
    let Ok(Market::Open(offers)) = sold(&bench, "sim-us-east", only("c1.large")).await else {
        panic!("the zone is down");
    };
    let names: Vec<_> = offers.iter().map(|offer| offer.instance.as_str()).collect();
    assert_eq!(names, ["c1.large"]);
    let error = sold(&bench, "sim-us-east", only("c9")).await.unwrap_err();
    assert!(
        matches!(error.kind, ErrorKind::Invalid { path } if path.to_string() == "instance_type")
    );
}

#[tokio::test]
async fn a_zone_of_a_real_cloud_sells_what_the_catalogue_lists() {
    let bench = Bench::new().await;
    let listed = Listing {
        cloud: "aws".into(),
        region: "eu-central-1".into(),
        form: Form::Machine,
        only: None,
        quotas: BTreeMap::new(),
    };
    let market = async |settings| sold(&bench, "aws/eu-central-1", settings).await.unwrap();
    assert_eq!(market(Value::NULL).await, Market::Listed(listed.clone()));
    let managed = Value::object([("managed", true.into())]);
    let form = Form::Managed;
    assert_eq!(
        market(managed).await,
        Market::Listed(Listing {
            form,
            ..listed.clone()
        })
    );
    let flood = ZoneState::Down("flood".into());
    bench.cloud.set_zone("aws/eu-central-1", flood).unwrap();
    assert!(matches!(market(Value::NULL).await, Market::Down(_)));
    bench
        .cloud
        .set_zone("aws/eu-central-1", ZoneState::Up)
        .unwrap();
    assert_eq!(market(Value::NULL).await, Market::Listed(listed));
    let set = endpoint("aws/eu-central-1", 2).with_field("instance_type", "g5.xlarge".into());
    let made = done(bench.apply(&at("sim_endpoint.a"), None, &set, "a").await);
    assert_eq!(made.field("ready_replicas"), Some(&2_i64.into()));
}

#[tokio::test]
async fn a_zone_sells_its_offers_while_it_works() {
    let bench = Bench::new().await;
    let zone = placed(Some("sim-eu-central"), Value::NULL, a10g()).zone;
    let market = async || {
        bench
            .provider
            .offers()
            .unwrap()
            .offers(&zone)
            .await
            .unwrap()
    };
    let Market::Open(offers) = market().await else {
        panic!("the zone is down");
    };
    let shown: Vec<_> = offers
        .iter()
        .map(|offer| format!("{} {} {:?}", offer.instance, offer.price, offer.quota))
        .collect();
    assert_eq!(
        shown,
        [
            "c1.large 0.4408 Some(40)",
            "c1.small 0.0928 Some(100)",
            "g1.a100 4.2572 Some(4)",
            "g1.a10g 1.4036 Some(16)"
        ]
    );
    assert!(!bench.cloud.path().exists(), "a look has made the file");
    bench
        .cloud
        .set_zone("sim-eu-central", ZoneState::Down("fire".into()))
        .unwrap();
    let down = "zone sim-eu-central is down since second 0: fire";
    assert_eq!(market().await, Market::Down(down.into()));
    bench
        .cloud
        .set_zone("sim-eu-central", ZoneState::Up)
        .unwrap();
    assert_eq!(market().await, Market::Open(offers));
    assert_eq!(bench.cloud.inventory().unwrap().calls[&Call::Offers], 2);
    let known: Option<Known> = None;
    let import = bench.provider.import().unwrap();
    assert_eq!(import.import("sim_endpoint", "ep-none").await, Ok(known));
}
