//! What the cloud refuses, and how it says so.

use isobar_sdk::ErrorKind;

use crate::bench::{Bench, at, done, endpoint, failed};

#[tokio::test]
async fn a_quota_is_counted_by_zone_and_instance_type_and_the_error_has_the_numbers() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    let state = done(
        bench
            .apply(&a, None, &endpoint("sim-us-east", 12), "1")
            .await,
    );
    let second = endpoint("sim-us-east", 5).with_field("version", "8".into());
    let refused = failed(bench.apply(&at("sim_endpoint.b"), None, &second, "2").await);
    assert_eq!(refused.kind, ErrorKind::Quota);
    assert_eq!(
        refused.to_string(),
        "5 replicas need 5 g1.a10g in sim-us-east, but only 4 of the quota of 16 are free"
    );
    assert_eq!(
        refused.help.as_deref(),
        Some(
            "raise zones.sim-us-east.offers.g1.a10g.quota in the cloud file to 17, or set a limit on the zone"
        )
    );
    // A zone of its own has a quota of its own, and an update frees what it had.
    done(
        bench
            .apply(
                &at("sim_endpoint.c"),
                None,
                &endpoint("sim-us-west", 16),
                "3",
            )
            .await,
    );
    done(
        bench
            .apply(&a, Some(&state), &endpoint("sim-us-east", 16), "4")
            .await,
    );
    let over = bench
        .apply(&a, Some(&state), &endpoint("sim-us-east", 17), "5")
        .await;
    assert_eq!(failed(over).kind, ErrorKind::Quota);
}

#[tokio::test]
async fn names_that_mean_nothing_are_refused_in_the_plan() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    let set = endpoint("sim-us-eats", 1);
    let error = bench.plan(&a, None, &set).await.unwrap_err();
    assert_eq!(error.to_string(), r#"sim has no zone "sim-us-eats""#);
    assert_eq!(
        error.help.as_deref(),
        Some(r#"did you mean "sim-us-east"?"#)
    );
    let set = endpoint("sim-us-east", 1).with_field("instance_type", "x".into());
    let error = bench.plan(&a, None, &set).await.unwrap_err();
    assert_eq!(
        error.help.as_deref(),
        Some("it sells c1.large, c1.small, g1.a100, g1.a10g")
    );
    assert!(!bench.cloud.path().exists(), "a plan has made the file");
}

#[tokio::test]
async fn what_is_gone_cannot_be_updated() {
    let bench = Bench::new().await;
    let a = at("sim_endpoint.a");
    let state = done(
        bench
            .apply(&a, None, &endpoint("sim-us-east", 1), "1")
            .await,
    );
    bench.cloud.delete(crate::bench::id(&state)).unwrap();
    assert_eq!(bench.read(&a, &state).await, Ok(None));
    let gone = bench
        .apply(&a, Some(&state), &endpoint("sim-us-east", 2), "2")
        .await;
    assert_eq!(failed(gone).kind, ErrorKind::NotFound);
}
