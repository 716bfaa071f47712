//! Endpoints come to rest, or say in the platform's words why not.

use isobar_sdk::provider::Outcome;
use isobar_sdk::{Error, ErrorKind, Value};
use serde_json::json;

use crate::bench::{Bench, IMAGE, REGION, at, counts, done, endpoint, text};

fn partial(outcome: Outcome) -> (isobar_sdk::Known, Error) {
    match outcome {
        Outcome::Partial { state, error } => (state, error),
        other => panic!("{other:?}"),
    }
}

/// An image that never says that it is well.
async fn sicken(bench: &Bench, images: &[&str]) {
    let conditions = json!({ REGION: { "unhealthy_images": images } });
    bench.admin("PUT", "conditions", conditions).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_keeps_the_instances_that_run() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let second = bench.configuration("second", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let begun = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    let running = |state: &isobar_sdk::Known| state.field("running").cloned();
    assert_eq!(
        running(&begun),
        Some(counts(2)),
        "what the configuration begins with"
    );
    let fixed = endpoint(&first).with_field("instance_counts", counts(7));
    let grown = done(bench.apply(&address, Some(&begun), (&fixed, "2")).await);
    let moved = done(
        bench
            .apply(&address, Some(&grown), (&endpoint(&second), "3"))
            .await,
    );
    assert_eq!(
        running(&moved),
        Some(counts(7)),
        "a release scales nothing in"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_that_is_rolled_back_is_told_and_seen() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let serving = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    sicken(&bench, &[IMAGE]).await;
    let second = bench.configuration("second", "ml.m5.large").await;
    let wish = endpoint(&second);
    let (state, error) = partial(bench.apply(&address, Some(&serving), (&wish, "2")).await);
    assert_eq!(text(&state, "endpoint_config_name"), first);
    assert!(
        error.message.contains(&second) && error.help.is_some(),
        "{error}"
    );
    assert!(
        !error.message.ends_with(&second),
        "there is a reason: {error}"
    );
    let planned = bench.plan(&address, Some(&state), &wish).await.unwrap();
    assert_ne!(planned.after, *state.value(), "the next plan tries again");
    sicken(&bench, &[]).await;
    let healed = done(bench.apply(&address, Some(&state), (&wish, "3")).await);
    assert_eq!(text(&healed, "endpoint_config_name"), second);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_is_replaced_by_the_next_plan() {
    let bench = Bench::new().await;
    sicken(&bench, &[IMAGE]).await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let wish = endpoint(&first);
    let (state, error) = partial(bench.apply(&address, None, (&wish, "1")).await);
    assert!(error.message.contains("failed: "), "{error}");
    let planned = bench.plan(&address, Some(&state), &wish).await.unwrap();
    assert_eq!(planned.replace.len(), 1, "{planned:?}");
    sicken(&bench, &[]).await;
    assert_eq!(bench.delete(&address, state).await, Outcome::Done(None));
    done(bench.apply(&address, None, (&wish, "2")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_made_is_left_alone() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    let again = bench.apply(&address, None, (&endpoint(&first), "2")).await;
    let Outcome::Failed(error) = again else {
        panic!("{again:?}");
    };
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert_eq!(
        error.help.as_deref(),
        Some("import eu-west-1/digits, or choose another name")
    );
}

/// Failures of each call in turn, and a key that is not known.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_makes_nothing_twice() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let rule =
        json!([{ "operation": "CreateEndpoint", "when": { "nth": 1 }, "fault": "reset_after" }]);
    bench.admin("POST", "faults", rule).await;
    let lost = bench.apply(&address, None, (&endpoint(&first), "1")).await;
    let Outcome::Failed(error) = lost else {
        panic!("{lost:?}");
    };
    assert!(error.is_transient(), "{error:?}");
    let state = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    assert_eq!(text(&state, "status"), "InService");
    let made = bench.changes().await;
    assert_eq!(
        made.iter().filter(|name| *name == "CreateEndpoint").count(),
        1,
        "{made:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_told_as_one() {
    let bench = Bench::new().await;
    bench
        .admin("PUT", "quotas", json!({ REGION: { "ml.m5.large": 1 } }))
        .await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let refused = bench
        .apply(
            &at("aws_sagemaker_endpoint.a"),
            None,
            (&endpoint(&first), "1"),
        )
        .await;
    let Outcome::Failed(error) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(error.kind, ErrorKind::Quota, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_by_hand_is_seen_and_healed() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let weights = Value::map([("main", Value::from(1_i64))]);
    let wish = endpoint(&first)
        .with_field("instance_counts", counts(2))
        .with_field("weights", weights);
    let state = done(bench.apply(&address, None, (&wish, "1")).await);
    let other = at("aws_sagemaker_endpoint.by_hand");
    let by_hand = wish
        .with_field("instance_counts", counts(5))
        .with_field("weights", Value::map([("main", Value::from(9_i64))]));
    done(bench.apply(&other, Some(&state), (&by_hand, "2")).await);
    let seen = bench.read(&address, &state).await.unwrap();
    assert_eq!(seen.field("instance_counts"), Some(&counts(5)));
    let healed = done(bench.apply(&address, Some(&seen), (&wish, "3")).await);
    assert_eq!(healed, state);
    assert_eq!(
        bench.delete(&address, healed.clone()).await,
        Outcome::Done(None)
    );
    assert_eq!(bench.read(&address, &healed).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_imported_needs_no_change() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let address = at("aws_sagemaker_endpoint.a");
    let fixed = endpoint(&first).with_field("instance_counts", counts(2));
    let state = done(bench.apply(&address, None, (&fixed, "1")).await);
    let import = bench.provider.import().unwrap();
    let found = import
        .import("aws_sagemaker_endpoint", "digits")
        .await
        .unwrap();
    assert_eq!(
        found.as_ref(),
        Some(&state),
        "the region is that of the provider"
    );
    let target = Value::object([
        ("resource_id", Value::from("endpoint/digits/variant/main")),
        ("min_capacity", 1_i64.into()),
        ("max_capacity", 4_i64.into()),
    ]);
    done(
        bench
            .apply(&at("aws_appautoscaling_target.a"), None, (&target, "1"))
            .await,
    );
    let found = import
        .import("aws_sagemaker_endpoint", "eu-west-1/digits")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        found.field("instance_counts"),
        Some(&Value::NULL),
        "it is scaled"
    );
    assert_eq!(
        import.import("aws_sagemaker_endpoint", "none").await,
        Ok(None)
    );
}

/// Every call that waits meets failures, and a change ends all the same.
#[tokio::test(flavor = "multi_thread")]
async fn failures_that_pass_do_not_end_a_long_wait() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let faults = json!([
        { "operation": "DescribeEndpoint", "when": { "nth": 3 }, "fault": "throttled" },
        { "operation": "DescribeEndpoint", "when": { "nth": 5 }, "fault": "server_error" },
        { "operation": "DescribeEndpoint", "when": { "nth": 7 }, "fault": "reset_before" },
    ]);
    bench.admin("POST", "faults", faults).await;
    let address = at("aws_sagemaker_endpoint.a");
    let state = done(bench.apply(&address, None, (&endpoint(&first), "1")).await);
    assert_eq!(text(&state, "status"), "InService");
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_have_expired_are_told_as_such() {
    let bench = Bench::new().await;
    let fault = json!([{ "when": { "next": 1 }, "fault": "expired" }]);
    bench.admin("POST", "faults", fault).await;
    let import = bench.provider.import().unwrap();
    let error = import
        .import("aws_sagemaker_model", "digits")
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error}");
    assert!(error.help.unwrap().starts_with("get new credentials"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_source_tells_what_is_there() {
    let bench = Bench::new().await;
    let first = bench.configuration("first", "ml.m5.large").await;
    let look_up = |name: &str| isobar_sdk::provider::LookUp {
        address: at("data.aws_sagemaker_endpoint_configuration.a"),
        configuration: isobar_sdk::Known::new(Value::object([
            ("name", Value::from(name)),
            ("region", Value::NULL),
        ]))
        .unwrap(),
    };
    let found = bench.provider.look_up(look_up(&first)).await.unwrap();
    let variants = found
        .field("production_variants")
        .and_then(Value::items)
        .unwrap();
    let instance = variants[0].field("instance_type").and_then(Value::as_str);
    assert_eq!(instance, Some("ml.m5.large"));
    let missing = bench.provider.look_up(look_up("none")).await.unwrap_err();
    assert_eq!(missing.kind, ErrorKind::NotFound);
}
