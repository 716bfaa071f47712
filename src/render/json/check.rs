//! What became of conditions, in Terraform's shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::plan::{CheckStatus, Checked, Name, Node};

/// `checks` of a plan.
pub(super) fn check((node, instances): (&Node, &BTreeMap<String, Checked>)) -> Json {
    let worst = instances.values().map(|checked| checked.status).max();
    let instances: Vec<Json> = instances.iter().map(instance).collect();
    json!({
        "address": address(node),
        "status": worst.unwrap_or(CheckStatus::Pass).word(),
        "instances": instances,
    })
}

fn address(node: &Node) -> Json {
    let mut object = Map::new();
    let mut put = |name: &str, value: Json| object.insert(name.to_owned(), value);
    if !node.module.is_empty() {
        let module: Vec<String> = node
            .module
            .iter()
            .map(|name| format!("module.{name}"))
            .collect();
        put("module", module.join(".").into());
    }
    let (kind, name) = match &node.name {
        Name::Block(kind, name) => {
            put("mode", "managed".into());
            put("type", (&**kind).into());
            ("resource", name)
        }
        Name::Data(kind, name) => {
            put("mode", "data".into());
            put("type", (&**kind).into());
            ("resource", name)
        }
        Name::Output(name) => ("output_value", name),
        Name::Check(name) => ("check", name),
        Name::Variable(name) | Name::Validation(name) | Name::Local(name) | Name::Call(name) => {
            ("var", name)
        }
    };
    put("kind", kind.into());
    put("name", (&**name).into());
    let display = match &node.name {
        Name::Validation(name) => Name::Variable(name.clone())
            .within(&node.module)
            .to_string(),
        _ => node.to_string(),
    };
    put("to_display", display.into());
    Json::Object(object)
}

fn instance((name, checked): (&String, &Checked)) -> Json {
    let problems: Vec<Json> = checked
        .problems
        .iter()
        .map(|message| json!({ "message": message }))
        .collect();
    let mut object = json!({ "address": { "to_display": name }, "status": checked.status.word() });
    if let (false, Some(object)) = (problems.is_empty(), object.as_object_mut()) {
        object.insert("problems".to_owned(), problems.into());
    }
    object
}
