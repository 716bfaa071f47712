//! A state and its outputs.

use std::collections::BTreeMap;

use isobar_sdk::Address;
use serde_json::{Value as Json, json};

use super::VERSION;
use super::modules::modules;
use super::resource::{output, resource};
use crate::state::{Held, Instance, OutputValue, State, Status};

/// A state as `terraform show -json` prints one, with sensitive values null.
#[must_use]
pub fn state(state: &State) -> Json {
    let resources = state.instances.iter();
    let resources = resources.map(|(address, found)| (address, instance(address, found)));
    let deposed = state.deposed.iter().map(|((address, key), found)| {
        let mut object = instance(address, found);
        object["deposed_key"] = key.to_string().into();
        (address, object)
    });
    json!({
        "format_version": "1.0",
        "isobar_version": VERSION,
        "values": {
            "outputs": outputs(&state.outputs, Secrets::Hidden),
            "root_module": modules(resources.chain(deposed)),
        },
    })
}

/// One resource instance as it stands in a state.
#[must_use]
pub fn instance(address: &Address, instance: &Instance) -> Json {
    let Instance {
        provider,
        schema_version,
        attributes,
        dependencies,
        status,
        life: _,
    } = instance;
    let mut object = resource(address, (provider, *schema_version), attributes.value());
    if !dependencies.is_empty() {
        let dependencies: Vec<String> = dependencies.iter().map(ToString::to_string).collect();
        object.insert("depends_on".to_owned(), dependencies.into());
    }
    if *status == Status::Tainted {
        object.insert("tainted".to_owned(), true.into());
    }
    Json::Object(object)
}

/// Whether sensitive values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are, because the user asked for the outputs as such.
    Shown,
    /// They are null.
    Hidden,
}

/// Who holds the locks of which workspaces.
#[must_use]
pub fn locks(held: &[(String, Held)]) -> Json {
    let one = |(workspace, held): &(String, Held)| {
        let by = &held.holder;
        serde_json::json!({
            "workspace": workspace,
            "id": by.id,
            "operation": by.operation,
            "who": by.who,
            "pid": by.pid,
            "since": by.since,
            "renewed": held.renewed,
        })
    };
    held.iter().map(one).collect()
}

/// Outputs as `terraform output -json` prints them.
#[must_use]
pub fn outputs(outputs: &BTreeMap<String, OutputValue>, secrets: Secrets) -> Json {
    let one = |value: &isobar_sdk::Value| {
        let mut document = output(value);
        if secrets == Secrets::Shown {
            document["value"] = isobar_sdk::json::encode(value);
        }
        document
    };
    outputs
        .iter()
        .map(|(name, value)| (name.clone(), one(value.value.value())))
        .collect()
}
