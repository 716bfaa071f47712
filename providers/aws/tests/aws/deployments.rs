//! Deployments become native resources that SageMaker takes, or are refused with the clause that
//! they do not meet.

use std::collections::BTreeMap;
use std::time::Duration;

use isobar_sdk::deployment::{
    Envelope, Model, Offer, Performance, Placed, Resources, Schedule, Serve, Shift, Wire, Zone,
};
use isobar_sdk::quantity::Micros;
use isobar_sdk::{Known, Native, Path, Value};
use serde_json::json;

use crate::bench::{Bench, IMAGE, REGION, ROLE, at, done, text};

pub(crate) fn placed() -> Placed {
    let settings = Value::object([("execution_role_arn", Value::from(ROLE))]);
    Placed {
        deployment: "digits".into(),
        zone: Zone {
            name: "ireland".into(),
            region: Some(REGION.into()),
            settings,
        },
        model: Model {
            name: "digits".into(),
            version: "7".into(),
            artifact: Some("s3://models/digits/7.tar.gz".into()),
            digest: None,
            image: Some(IMAGE.into()),
            command: Vec::new(),
            environment: BTreeMap::from([("THREADS".to_owned(), "4".into())]),
            serve: Serve {
                port: 8080,
                protocol: "raw".into(),
                health_path: "/ping".into(),
            },
            resources: Resources::default(),
            performance: Performance {
                service_time: Duration::from_millis(80),
                concurrency: 4,
                startup: Duration::from_secs(180),
            },
        },
        replicas: 3,
        spot: 0,
        offer: Some(offer("ml.m5.large")),
        envelope: Envelope::fixed(3),
        schedule: None,
    }
}

pub(crate) fn scheduled() -> Placed {
    let shift = |start: &str, min, max| Shift {
        start: start.parse().unwrap(),
        envelope: Envelope { min, max },
    };
    let schedule = Schedule {
        shifts: vec![
            shift("2099-03-01T06:00:00Z", 2, 4),
            shift("2099-03-01T09:00:00Z", 3, 6),
        ],
        until: "2099-03-02T06:00:00Z".parse().unwrap(),
    };
    Placed {
        envelope: Envelope { min: 3, max: 6 },
        schedule: Some(schedule),
        ..placed()
    }
}

fn offer(instance: &str) -> Offer {
    Offer {
        instance: instance.into(),
        cpu: 2.0,
        memory: 8 << 30,
        gpu: None,
        architecture: None,
        price: Micros(115_000),
        spot: None,
        watts: None,
        quota: None,
    }
}

/// Makes what a deployment becomes, as far as it is not there; what there is then.
pub(crate) async fn make(
    bench: &Bench,
    placed: &Placed,
    there: &BTreeMap<Native, Known>,
) -> BTreeMap<Native, Known> {
    let lowered = bench.provider.target().unwrap().lower(placed).unwrap();
    let deployment = at("deployment.digits[\"ireland\"]");
    let mut states: BTreeMap<Native, Known> = BTreeMap::new();
    for resource in &lowered.resources {
        let missing = resource
            .depends_on
            .iter()
            .find(|native| !states.contains_key(*native));
        assert_eq!(missing, None, "this order needs sorting");
        let values = resource.configuration.iter().map(|(name, wire)| {
            let value = match wire {
                Wire::Value(value) => value.clone(),
                Wire::From(native, path) => states[native].value().get(path).unwrap().clone(),
            };
            (name.as_str(), value)
        });
        let set = Value::object(values);
        let address = deployment.native(resource.native.clone());
        let prior = there.get(&resource.native);
        let planned = bench.plan(&address, prior, &set).await.unwrap();
        assert_eq!(
            planned.replace,
            [],
            "what is made from content is never replaced"
        );
        let state = match prior {
            Some(prior) if planned.after == *prior.value() => prior.clone(),
            prior => done(
                bench
                    .apply(
                        &address,
                        prior,
                        (&set, &format!("{address}/{}", placed.model.version)),
                    )
                    .await,
            ),
        };
        let again = bench.plan(&address, Some(&state), &set).await.unwrap();
        assert_eq!(again.after, *state.value(), "{address} does not settle");
        states.insert(resource.native.clone(), state);
    }
    states
}

fn of_kind<'s>(states: &'s BTreeMap<Native, Known>, kind: &str) -> Vec<&'s Known> {
    states
        .iter()
        .filter(|(native, _)| &*native.kind == kind)
        .map(|(_, state)| state)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_serves_scales_and_gets_new_versions() {
    let bench = Bench::new().await;
    let target = bench.provider.target().unwrap();
    let first = make(&bench, &placed(), &BTreeMap::new()).await;
    assert_eq!(target.replicas(&first), 3);
    assert_eq!(target.instance(&first).as_deref(), Some("ml.m5.large"));
    let more = Placed {
        replicas: 5,
        envelope: Envelope::fixed(5),
        ..placed()
    };
    let scaled = make(&bench, &more, &first).await;
    assert_eq!(target.replicas(&scaled), 5);
    assert_eq!(scaled.len(), first.len(), "a count is no content");
    let mut release = more.clone();
    release.model.version = "8".into();
    let released = make(&bench, &release, &scaled).await;
    assert_eq!(target.replicas(&released), 5);
    let serves = of_kind(&released, "aws_sagemaker_endpoint")[0];
    let made = of_kind(&released, "aws_sagemaker_endpoint_configuration")[0];
    assert_eq!(text(serves, "endpoint_config_name"), text(made, "name"));
    assert!(text(made, "name").starts_with("digits-8-"), "{made:?}");
    let state = bench.admin("GET", "state", json!(null)).await;
    let region = &state["regions"][REGION];
    assert_eq!(
        region["configurations"].as_object().unwrap().len(),
        2,
        "the old one stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_deployment_is_scaled_by_the_platform() {
    let bench = Bench::new().await;
    let states = make(&bench, &scheduled(), &BTreeMap::new()).await;
    let endpoint = of_kind(&states, "aws_sagemaker_endpoint")[0];
    assert_eq!(endpoint.field("instance_counts"), Some(&Value::NULL));
    let policy = of_kind(&states, "aws_appautoscaling_policy")[0];
    // 4 at a time, 80 ms each, seven tenths of it.
    assert_eq!(policy.field("target_value"), Some(&Value::from(2100_i64)));
    let actions = of_kind(&states, "aws_appautoscaling_scheduled_action");
    let times: Vec<String> = actions
        .iter()
        .map(|action| text(action, "schedule"))
        .collect();
    assert_eq!(
        times,
        ["at(2099-03-01T06:00:00)", "at(2099-03-01T09:00:00)"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_breaks_the_contract_is_refused_with_the_clause() {
    let bench = Bench::new().await;
    let target = bench.provider.target().unwrap();
    type Change = fn(&mut Placed);
    let cases: [(&str, Change); 10] = [
        ("serve.port", |p| p.model.serve.port = 8000),
        ("serve.health_path", |p| {
            p.model.serve.health_path = "/v2/health/ready".into();
        }),
        ("image", |p| p.model.image = None),
        ("image", |p| p.zone.region = Some("us-east-1".into())),
        ("command", |p| p.model.command = vec!["serve".into()]),
        ("artifact", |p| p.model.artifact = Some("model/".into())),
        ("performance.startup", |p| {
            p.model.performance.startup = Duration::from_secs(4000);
        }),
        ("performance.service_time", |p| {
            p.model.performance.service_time = Duration::from_secs(60);
        }),
        ("execution_role_arn", |p| p.zone.settings = Value::NULL),
        ("environment", |p| {
            p.model.environment.insert("TOKEN".into(), Value::unknown());
        }),
    ];
    for (path, change) in cases {
        let mut placed = placed();
        change(&mut placed);
        let error = target.lower(&placed).unwrap_err();
        let isobar_sdk::ErrorKind::Invalid { path: blamed } = &error.kind else {
            panic!("{error:?}");
        };
        assert_eq!(blamed.to_string(), path, "{error}");
        assert!(error.help.is_some(), "{error}");
    }
    let mut portable = placed();
    portable.model.serve.health_path = "/v2/health/ready".into();
    portable.zone.settings = portable
        .zone
        .settings
        .with_field("answers_ping", true.into());
    assert!(target.lower(&portable).is_ok());
    let lowered = target.lower(&placed()).unwrap();
    let url = Wire::From(
        Native {
            kind: "aws_sagemaker_endpoint".into(),
            key: None,
        },
        Path::attribute("url"),
    );
    assert_eq!(lowered.url, Some(url));
}
