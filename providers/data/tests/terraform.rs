//! `isobar_data` plans and applies as `terraform_data` does.
//!
//! `testdata/terraform-1.11.json` holds what Terraform 1.11.4 showed (`terraform plan`,
//! `terraform show -json`, `terraform apply`) for `terraform_data` with the configuration of each
//! case, in the exact JSON form of the SDK; `ID` stands for the id that was there before, or that
//! came to be.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where its case does not hold"
)]

use isobar_sdk::conformance::broken_promise;
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation, Outcome, PlanChange};
use isobar_sdk::schema::{Body, OnChange};
use isobar_sdk::{Address, Factory, Known, Provider, Value, json};
use serde_json::Value as Json;

const CASES: &str = include_str!("../testdata/terraform-1.11.json");

fn value(case: &Json, name: &str) -> Value {
    json::decode_exact(&case[name]).unwrap()
}

/// Plans as an engine does: what must be replaced is planned again as new.
async fn plan(
    (provider, body): (&dyn Provider, &Body),
    prior: Option<&Known>,
    configuration: &Value,
) -> (Vec<&'static str>, Value) {
    let propose = async |prior: Option<&Known>| {
        let request = PlanChange {
            address: Address::new("isobar_data", "x"),
            prior: prior.cloned(),
            configuration: configuration.clone(),
            proposed: body.propose(prior.map(Known::value), configuration),
        };
        provider.plan(request).await.unwrap().after
    };
    let after = propose(prior).await;
    let Some(prior) = prior else {
        return (vec!["create"], after);
    };
    let replaced = body.attributes.iter().any(|(name, attribute)| {
        attribute.on_change == OnChange::Replace && after.field(name) != prior.field(name)
    });
    if replaced {
        (vec!["delete", "create"], propose(None).await)
    } else if after == *prior.value() {
        (vec!["no-op"], after)
    } else {
        (vec!["update"], after)
    }
}

async fn check(case: &Json) {
    let name = &case["name"];
    let factory = isobar_data::factory();
    let provider = factory.configure(&Known::empty()).await.unwrap();
    let target = (&*provider, &factory.schema().resources["isobar_data"].body);
    let prior = (!case["before"].is_null()).then(|| Known::new(value(case, "before")).unwrap());

    let (actions, planned) = plan(target, prior.as_ref(), &value(case, "configuration")).await;
    assert_eq!(serde_json::json!(actions), case["actions"], "{name}");
    assert_eq!(planned, value(case, "planned"), "{name}");

    let resolved = if case.get("resolved").is_some() {
        "resolved"
    } else {
        "configuration"
    };
    let (_, later) = plan(target, prior.as_ref(), &value(case, resolved)).await;
    assert_eq!(broken_promise(&planned, &later), None, "{name}");
    let operation = match prior {
        Some(prior) if actions == ["update"] => Operation::Update {
            prior,
            planned: later,
        },
        Some(_) if actions == ["no-op"] => return,
        _ => Operation::Create { planned: later },
    };
    let created = matches!(operation, Operation::Create { .. });
    let request = Apply {
        address: Address::new("isobar_data", "x"),
        operation,
        configuration: Value::NULL,
        key: IdempotencyKey::new(name.to_string()),
    };
    let Outcome::Done(Some(applied)) = provider.apply(request).await else {
        panic!("{name}: not applied");
    };
    assert_eq!(
        applied.field("id") == Some(&"ID".into()),
        !created,
        "{name}"
    );
    let applied = applied.value().with_field("id", "ID".into());
    assert_eq!(applied, value(case, "applied"), "{name}");
}

#[tokio::test]
async fn it_plans_and_applies_as_terraform_data_does() {
    let cases: Vec<Json> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 19);
    for case in &cases {
        check(case).await;
    }
}
