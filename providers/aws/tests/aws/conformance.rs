//! The provider keeps the laws of the provider contract, on both servers.

use isobar_sdk::conformance::{Case, Law, Subject, run};
use isobar_sdk::{Path, Value};
use serde_json::json;

use crate::bench::{Bench, ROLE, at, configuration, counts, done, endpoint, model};
use crate::deployments::placed;

const FIXTURE: &str = "endpoint/fixture/variant/main";
const OTHER: &str = "endpoint/other/variant/main";

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_laws_on_the_simulator() {
    let bench = Bench::new().await;
    check(&bench, true).await;
    let left = bench.admin("GET", "state", json!(null)).await;
    let region = &left["regions"]["eu-west-1"];
    let names = |kind: &str| {
        region[kind]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(names("endpoints"), ["fixture", "other"], "{region}");
    assert_eq!(names("models"), ["first", "second"]);
}

/// Without moves, which moto does not have.
#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_laws_on_moto() {
    if let Some(bench) = Bench::moto("it_keeps_the_laws_on_moto").await {
        check(&bench, false).await;
    }
}

async fn check(bench: &Bench, moves: bool) {
    let first = bench.configuration("first", "ml.m5.large").await;
    let second = bench.configuration("second", "ml.m5.large").await;
    for name in ["fixture", "other"] {
        let address = at(&format!("aws_sagemaker_endpoint.{name}"));
        let set = endpoint(&first).with_field("name", name.into());
        done(bench.apply(&address, None, (&set, name)).await);
    }
    let fixed = at("aws_appautoscaling_target.fixture");
    done(
        bench
            .apply(&fixed, None, (&target(FIXTURE, 1, 4), "fixed"))
            .await,
    );
    let whole = endpoint(&first).with_field("instance_counts", counts(3));
    let live = Case::new(at("aws_sagemaker_endpoint.a"), whole.clone());
    let live = match moves {
        true => live.update(endpoint(&second).with_field("instance_counts", counts(4))),
        false => live.update(whole.with_field("instance_counts", counts(4))),
    };
    let cases = vec![
        model_case(),
        configuration_case(&first),
        live,
        target_case(),
        policy_case(),
        action_case(),
    ];
    let subject = Subject {
        factory: &bench.factory,
        configuration: bench.settings(),
        cases,
        placed: vec![placed(), crate::deployments::scheduled()],
    };
    match run(&subject).await {
        Ok(report) => assert!(
            report.held.contains_key(&Law::ImportSeesResult),
            "{report:?}"
        ),
        Err(violation) => panic!("{violation}"),
    }
}

fn model_case() -> Case {
    let first = model();
    let tagged = first.with_field("tags", Value::map([("team", Value::from("search"))]));
    let bad =
        |name: &str, value: &str| (first.with_field(name, value.into()), Path::attribute(name));
    let [
        (image, of_image),
        (files, of_files),
        (role, of_role),
        (name, of_name),
    ] = [
        bad("image", "1.dkr.ecr.us-east-1.amazonaws.com/digits"),
        bad("artifact", "gs://models/digits/"),
        bad("execution_role_arn", "models"),
        bad("name", "digits_7"),
    ];
    Case::new(at("aws_sagemaker_model.a"), first.clone())
        .update(tagged)
        .replace(first.with_field("artifact", "s3://models/digits/8/".into()))
        .invalid(image, of_image)
        .invalid(files, of_files)
        .invalid(role, of_role)
        .invalid(name, of_name)
}

fn configuration_case(model: &str) -> Case {
    let first = configuration(model, "ml.m5.large");
    let other = configuration(model, "m5.large");
    let tags = Value::map([("team", Value::from("search"))]);
    let path = || Path::attribute("production_variants");
    Case::new(at("aws_sagemaker_endpoint_configuration.a"), first.clone())
        .update(first.with_field("tags", tags))
        .replace(configuration(model, "ml.m5.xlarge"))
        .invalid(other, path())
        .invalid(
            Value::object([("production_variants", Value::list(vec![]))]),
            path(),
        )
}

fn target(resource: &str, min: i64, max: i64) -> Value {
    Value::object([
        ("resource_id", Value::from(resource)),
        ("min_capacity", min.into()),
        ("max_capacity", max.into()),
    ])
}

fn target_case() -> Case {
    let max = Path::attribute("max_capacity");
    let resource = target(OTHER, 1, 2).with_field("resource_id", ROLE.into());
    Case::new(at("aws_appautoscaling_target.a"), target(OTHER, 1, 4))
        .update(target(OTHER, 2, 6))
        .invalid(target(OTHER, 3, 2), max)
        .invalid(target(OTHER, 0, 2), Path::attribute("min_capacity"))
        .invalid(resource, Path::attribute("resource_id"))
}

fn policy_case() -> Case {
    let policy = |value: i64| {
        Value::object([
            ("resource_id", Value::from(FIXTURE)),
            ("name", "busy".into()),
            ("target_value", value.into()),
            ("scale_in_cooldown", Value::from(600_i64)),
        ])
    };
    let metric = policy(1).with_field("predefined_metric_type", "Load".into());
    Case::new(at("aws_appautoscaling_policy.a"), policy(100))
        .update(policy(200))
        .replace(policy(200).with_field("name", "busier".into()))
        .invalid(policy(0), Path::attribute("target_value"))
        .invalid(metric, Path::attribute("predefined_metric_type"))
}

fn action_case() -> Case {
    let action = |schedule: &str, min: i64| {
        Value::object([
            ("resource_id", Value::from(FIXTURE)),
            ("name", "morning".into()),
            ("schedule", schedule.into()),
            ("min_capacity", min.into()),
            ("max_capacity", 4_i64.into()),
        ])
    };
    let once = "at(2099-03-01T06:00:00)";
    Case::new(at("aws_appautoscaling_scheduled_action.a"), action(once, 2))
        .update(action("cron(0 6 * * ? *)", 3))
        .invalid(action("at six", 1), Path::attribute("schedule"))
}
