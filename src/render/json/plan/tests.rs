//! Tests of the module as a whole.

use insta::assert_snapshot;
use isobar_sdk::address::Key;
use serde_json::{Value as Json, json};

use super::plan;
use crate::render::json::{Secrets, outputs, state};
use crate::render::sample::{self, SECRET, known};
use crate::state::{Instance, OutputValue, State, Status};

fn pretty(json: &Json) -> String {
    serde_json::to_string_pretty(json).unwrap()
}

fn change_of<'a>(plan: &'a Json, address: &str) -> &'a Json {
    let changes = plan["resource_changes"].as_array().unwrap();
    changes
        .iter()
        .find(|change| change["address"] == address)
        .unwrap()
}

#[test]
fn a_plan_follows_terraform_and_says_more() {
    let mut sample = sample::heal();
    if let Some(forecast) = sample.forecasts.get_mut("reranker") {
        forecast
            .quantiles
            .iter_mut()
            .for_each(|line| line.truncate(2));
    }
    assert_snapshot!(pretty(&plan(&sample)));
}

#[test]
fn a_replacement_has_both_actions_and_its_paths() {
    let json = plan(&sample::replace());
    let document = change_of(&json, "isobar_data.document");
    let change = &document["change"];
    assert_eq!(document["action_reason"], "replace_because_cannot_update");
    assert_eq!(change["actions"], json!(["delete", "create"]));
    assert_eq!(change["replace_paths"], json!([["model"]]));
    assert_eq!(change["after_unknown"]["id"], true);
    assert!(change["after"].get("id").is_none());
}

#[test]
fn a_native_resource_says_where_it_belongs() {
    let json = plan(&sample::replace());
    let address = r#"deployment.reranker["tokyo"].sim_endpoint["1"]"#;
    let native = change_of(&json, address);
    for (name, value) in [
        ("type", "sim_endpoint"),
        ("name", "reranker"),
        ("index", "tokyo"),
        ("deployment", "reranker"),
        ("native_key", "1"),
        ("action_reason", "delete_because_not_deployed"),
    ] {
        assert_eq!(native[name], value, "{name}");
    }
    assert_eq!(native["change"]["after"], Json::Null);
}

#[test]
fn sensitive_values_are_null_and_marked() {
    let json = plan(&sample::secret());
    let change = &change_of(&json, "isobar_data.created")["change"];
    assert_eq!(change["after"]["password"], Json::Null);
    assert_eq!(
        change["after"]["nested"],
        json!({ "token": null, "user": "y" })
    );
    assert_eq!(
        change["after_sensitive"],
        json!({ "list": [true, false], "nested": { "token": true }, "password": true, "whole": true })
    );
    assert_eq!(json["output_changes"]["password"]["after_sensitive"], true);
    assert!(!pretty(&json).contains(SECRET));
}

fn stored() -> State {
    let mut state = State::new("4c1f".to_owned());
    for (address, planned) in sample::secret().changes {
        let Some(before) = planned.change.before() else {
            continue;
        };
        let instance = Instance {
            provider: planned.provider.clone(),
            schema_version: 1,
            attributes: before.clone(),
            dependencies: vec![sample::data("other")],
            status: Status::Tainted,
            life: crate::state::Life::default(),
        };
        state
            .instances
            .insert(address.instance(Some(Key::Number(0))), instance);
    }
    for (name, value) in [
        ("open", "there".into()),
        ("shut", isobar_sdk::Value::from(SECRET).sensitive()),
    ] {
        let value = OutputValue {
            value: known(value),
        };
        state.outputs.insert(name.to_owned(), value);
    }
    state
}

#[test]
fn a_state_follows_terraform() {
    let mut stored = stored();
    assert!(!pretty(&state(&stored)).contains(SECRET));
    stored
        .instances
        .retain(|address, _| &*address.name == "kept");
    assert_snapshot!(pretty(&state(&stored)));
}

#[test]
fn outputs_have_types() {
    assert_eq!(
        outputs(&stored().outputs, Secrets::Hidden),
        json!({
            "open": { "sensitive": false, "type": "string", "value": "there" },
            "shut": { "sensitive": true, "type": "string", "value": null },
        })
    );
}
