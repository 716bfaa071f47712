//! What scales a variant is taken off for a change of its instances, and put back as it was.

use isobar_sdk::Value;
use serde_json::json;

use crate::bench::{Bench, REGION, at, done, endpoint, text};

const VARIANT: &str = "endpoint/digits/variant/main";

#[tokio::test(flavor = "multi_thread")]
async fn another_instance_type_takes_the_scaler_off_and_puts_it_back() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let second = bench.configuration("second", "ml.m5.xlarge").await;
    let address = at("aws_sagemaker_endpoint.a");
    let serving = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    let scaled = |name: &str, more: Vec<(&str, Value)>| {
        let base = Value::object([("resource_id", Value::from(VARIANT))]);
        let set = more
            .into_iter()
            .fold(base, |set, (name, value)| set.with_field(name, value));
        (at(name), set)
    };
    let bounds = || {
        vec![
            ("min_capacity", Value::from(1_i64)),
            ("max_capacity", 4_i64.into()),
        ]
    };
    let mut morning = bounds();
    morning.extend([
        ("name", "morning".into()),
        ("schedule", "cron(0 6 * * ? *)".into()),
    ]);
    let mut parts = vec![
        scaled("aws_appautoscaling_target.a", bounds()),
        scaled(
            "aws_appautoscaling_policy.a",
            vec![("name", "busy".into()), ("target_value", 100_i64.into())],
        ),
        scaled("aws_appautoscaling_scheduled_action.a", morning),
    ];
    let mut states = Vec::new();
    for (address, set) in &parts {
        states.push(done(bench.apply(address, None, (set, "1")).await));
    }
    // More than a page of them.
    for hour in 0..60 {
        let name = format!("hour{hour}");
        let when = format!("cron({} {} * * ? *)", hour % 60, hour % 24);
        let named = vec![("name", name.as_str().into()), ("schedule", when.into())];
        let address = format!("aws_appautoscaling_scheduled_action.{name}");
        let (address, set) = scaled(&address, bounds().into_iter().chain(named).collect());
        states.push(done(bench.apply(&address, None, (&set, "1")).await));
        parts.push((address, set));
    }
    let moved = done(
        bench
            .apply(&address, Some(&serving), (&endpoint(&second), "2"))
            .await,
    );
    assert_eq!(text(&moved, "endpoint_config_name"), second);
    for ((address, _), state) in parts.iter().zip(&states) {
        let seen = bench.read(address, state).await.unwrap();
        assert_eq!(seen, *state, "{address}");
    }
    let changes = bench.changes().await;
    let at = |name: &str| changes.iter().rposition(|change| change == name).unwrap();
    assert!(
        at("DeregisterScalableTarget") < at("UpdateEndpoint"),
        "{changes:?}"
    );
    assert!(
        at("UpdateEndpoint") < at("RegisterScalableTarget"),
        "{changes:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_instance_type_leaves_the_scaler_alone() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let second = bench.configuration("second", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let serving = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    let target = Value::object([
        ("resource_id", Value::from(VARIANT)),
        ("min_capacity", 1_i64.into()),
        ("max_capacity", 4_i64.into()),
    ]);
    done(
        bench
            .apply(&at("aws_appautoscaling_target.a"), None, (&target, "1"))
            .await,
    );
    done(
        bench
            .apply(&address, Some(&serving), (&endpoint(&second), "2"))
            .await,
    );
    let changes = bench.changes().await;
    assert!(
        !changes
            .iter()
            .any(|change| change == "DeregisterScalableTarget"),
        "{changes:?}"
    );
    let state = bench.admin("GET", "state", json!(null)).await;
    assert!(
        state["regions"][REGION]["targets"]
            .to_string()
            .contains("max"),
        "{state}"
    );
}
