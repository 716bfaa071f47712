//! Whatever a request holds, it is answered, and a refusal changes nothing.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Aws, Key, Request, Service, shape};
use crate::engine::World;

/// Values that are near to what some member may hold, and some that are near to nothing.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..5_i64).prop_map(Value::from),
        prop::sample::select(vec![-1.5, 0.8, 1e300]).prop_map(Value::from),
        prop::sample::select(TEXTS.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let members = prop::sample::select(MEMBERS.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(members, inner, 0..5).prop_map(|map| {
                let members = map
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

const TEXTS: [&str; 16] = [
    "",
    "m",
    "c",
    "e",
    "blue",
    "ml.m5.large",
    "sagemaker",
    "endpoint/e/variant/blue",
    "sagemaker:variant:DesiredInstanceCount",
    "arn:aws:sagemaker:us-east-1:123456789012:model/m",
    "at(2030-01-01T00:00:00)",
    "rate(1 hour)",
    "cron(0 0 * * ? *)",
    "TargetTrackingScaling",
    "Europe/Berlin",
    "ü/\u{0}",
];

const MEMBERS: [&str; 20] = [
    "Image",
    "ModelDataUrl",
    "VariantName",
    "ModelName",
    "InstanceType",
    "InitialInstanceCount",
    "InitialVariantWeight",
    "ServerlessConfig",
    "DesiredWeight",
    "DesiredInstanceCount",
    "Key",
    "Value",
    "TargetValue",
    "PredefinedMetricSpecification",
    "PredefinedMetricType",
    "MinCapacity",
    "MaxCapacity",
    "BlueGreenUpdatePolicy",
    "TrafficRoutingConfiguration",
    "Alarms",
];

/// A call of a service with members that it has.
fn call() -> impl Strategy<Value = (Service, &'static str, Value)> {
    let services = [Service::SageMaker, Service::Autoscaling, Service::Quotas];
    let all = services.into_iter().flat_map(|service| {
        let shapes = shape::shapes(service).iter();
        shapes.map(move |(name, required, optional)| (service, *name, *required, *optional))
    });
    let one = prop::sample::select(all.collect::<Vec<_>>());
    one.prop_flat_map(|(service, name, required, optional)| {
        let members = required.iter().chain(optional).copied();
        let values: Vec<_> = members
            .map(|member| {
                (
                    Just(member),
                    member_value(member, required.contains(&member)),
                )
            })
            .collect();
        values.prop_map(move |values| {
            let given = values.into_iter();
            let given = given.filter_map(|(member, value)| Some((member.to_owned(), value?)));
            (service, name, Value::Object(given.collect::<Map<_, _>>()))
        })
    })
}

/// Mostly what the member may hold, and mostly there where it must be.
fn member_value(member: &'static str, required: bool) -> impl Strategy<Value = Option<Value>> {
    let some = prop_oneof![
        9 => prop::sample::select(usual(member)),
        1 => value(),
    ];
    prop::option::weighted(if required { 0.97 } else { 0.3 }, some)
}

fn usual(member: &str) -> Vec<Value> {
    let variant = |name: &str, count: u32, weight: f64| {
        json!({
            "VariantName": name, "ModelName": "m", "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count, "InitialVariantWeight": weight,
        })
    };
    let arn = |name: &str| Value::from(format!("arn:aws:sagemaker:us-east-1:123456789012:{name}"));
    match member {
        "ModelName" => vec!["m".into(), "m2".into()],
        "EndpointConfigName" => vec!["c".into(), "c2".into()],
        "EndpointName" => vec!["e".into(), "e2".into()],
        "PrimaryContainer" => vec![json!({ "Image": "i:2" }), json!({ "Image": "h/i:2" })],
        "ProductionVariants" => vec![
            json!([variant("blue", 1, 1.0)]),
            json!([variant("blue", 1, 0.0), variant("green", 3, 0.3)]),
            json!([["blue", "m", 1, "ml.m5.large", 1, null]]),
        ],
        "ShadowProductionVariants" => vec![json!([variant("shadow", 1, 1.0)])],
        "DesiredWeightsAndCapacities" => vec![
            json!([{ "VariantName": "blue", "DesiredWeight": 3 }]),
            json!([{ "VariantName": "blue", "DesiredInstanceCount": 3 }]),
        ],
        "ResourceArn" => vec![arn("model/m"), arn("endpoint/e"), arn("endpoint-config/c")],
        "Tags" => vec![json!([{ "Key": "a", "Value": "b" }]), json!({ "a": "b" })],
        "TagKeys" => vec![json!(["a"])],
        "ServiceNamespace" | "ServiceCode" => vec!["sagemaker".into()],
        "ResourceId" => vec!["endpoint/e/variant/blue".into()],
        "ScalableDimension" => vec!["sagemaker:variant:DesiredInstanceCount".into()],
        other => usual_of_rules(other),
    }
}

fn usual_of_rules(member: &str) -> Vec<Value> {
    match member {
        "PolicyName" | "ScheduledActionName" => vec!["p".into()],
        "PolicyType" => vec!["TargetTrackingScaling".into()],
        "TargetTrackingScalingPolicyConfiguration" => vec![json!({
            "TargetValue": 70, "PredefinedMetricSpecification":
            { "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance" },
        })],
        "Schedule" => TEXTS[10..13]
            .iter()
            .map(|text| Value::from(*text))
            .collect(),
        "ScalableTargetAction" => vec![json!({ "MinCapacity": 2 }), json!({ "MaxCapacity": 1 })],
        "MinCapacity" | "MaxCapacity" | "MaxResults" => vec![1.into(), 2.into(), 60.into()],
        "StartTime" | "EndTime" | "CreationTimeAfter" => vec![1_893_456_000.into(), 0.into()],
        _ => vec![true.into(), json!({}), json!([])],
    }
}

fn aws() -> Aws {
    Aws {
        account: "123456789012".to_owned(),
        keys: BTreeMap::new(),
        contract: None,
    }
}

fn take(
    world: &mut World,
    (service, operation): (Service, &str),
    body: &Value,
) -> Result<Value, super::answer::Failure> {
    let body = body.to_string().into_bytes();
    aws().carry_out(world, (service, operation, None), "us-east-1", &body)
}

/// A model, a configuration, an endpoint in service, and a target with rules.
fn world() -> World {
    let mut world = World::new("2029-12-31T00:00:00Z".parse().unwrap(), 0);
    let variant = json!({
        "VariantName": "blue", "ModelName": "m", "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 2,
    });
    let count = json!({
        "ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/blue",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1, "MaxCapacity": 4,
    });
    for (service, operation, body) in [
        (
            Service::SageMaker,
            "CreateModel",
            json!({ "ModelName": "m", "PrimaryContainer": { "Image": "i:1" } }),
        ),
        (
            Service::SageMaker,
            "CreateEndpointConfig",
            json!({ "EndpointConfigName": "c", "ProductionVariants": [variant] }),
        ),
        (
            Service::SageMaker,
            "CreateEndpoint",
            json!({ "EndpointName": "e", "EndpointConfigName": "c" }),
        ),
        (Service::Autoscaling, "RegisterScalableTarget", count),
    ] {
        take(&mut world, (service, operation), &body).unwrap();
        world.advance(world.clock + jiff::SignedDuration::from_mins(10));
    }
    world
}

/// Something that is near to an authorization header.
fn authorization() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        "test/20300101/us-east-1/sagemaker/aws4_request",
        "/",
        "-",
        ", ",
        "SignedHeaders=",
        "host;x-amz-date",
        ";",
        "Signature=",
        "0",
        "ü",
    ]);
    prop::collection::vec(part, 0..14).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn nobody_gets_in_by_chance(
        authorization in authorization(),
        date in prop::sample::select(vec!["", "2030", "20300101T000000Z", "20309999T000000Z"]),
        host in prop::sample::select(vec!["", "127.0.0.1:1", "[::1", "a b"]),
        target in prop::sample::select(vec!["/", "/?a=b", "*", "//"]),
    ) {
        let key = Key { secret: "test".to_owned(), token: None, expired: false };
        let aws = Aws { keys: BTreeMap::from([("test".to_owned(), key)]), ..aws() };
        let headers = [
            ("authorization", authorization.as_str()),
            ("host", host),
            ("x-amz-date", date),
            ("x-amz-target", "SageMaker.ListModels"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let request = Request {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: headers.to_vec(),
            body: b"{}".to_vec(),
        };
        let (answer, exchange) = aws.answer(&mut world(), &request);
        prop_assert_eq!((answer.status, exchange.region.as_str()), (403, ""));
    }

    #[test]
    fn any_request_is_answered(calls in prop::collection::vec((call(), 0..400_i64), 1..12)) {
        let mut world = world();
        for ((service, operation, body), seconds) in calls {
            let before = serde_json::to_string(&world).unwrap();
            if take(&mut world, (service, operation), &body).is_err() {
                prop_assert_eq!(before, serde_json::to_string(&world).unwrap());
            }
            world.advance(world.clock + jiff::SignedDuration::from_secs(seconds));
        }
    }
}
