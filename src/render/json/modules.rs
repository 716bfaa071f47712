//! Resources under the modules that they stand in.

use std::collections::BTreeMap;

use isobar_sdk::Address;
use isobar_sdk::address::ModuleStep;
use serde_json::{Value as Json, json};

use super::resource::{Object, module};

/// A module with those below it.
#[derive(Default)]
struct Module<'a> {
    resources: Vec<Json>,
    children: BTreeMap<&'a ModuleStep, Self>,
    /// An address in it, whose first steps lead to it.
    example: Option<(&'a Address, usize)>,
}

/// The root module with its resources and, below it, all modules that have any.
pub(super) fn modules<'a>(resources: impl IntoIterator<Item = (&'a Address, Json)>) -> Json {
    let mut root = Module::default();
    for (address, resource) in resources {
        let mut around = &mut root;
        for (position, step) in address.module.iter().enumerate() {
            around = around.children.entry(step).or_default();
            around.example = Some((address, position + 1));
        }
        around.resources.push(resource);
    }
    json_of(root)
}

fn json_of(found: Module<'_>) -> Json {
    let mut object = Object::new();
    if let Some((address, length)) = found.example {
        let around = Address {
            module: address.module.iter().take(length).cloned().collect(),
            ..address.clone()
        };
        object.insert("address".to_owned(), module(&around).into());
    }
    object.insert("resources".to_owned(), json!(found.resources));
    if !found.children.is_empty() {
        let children: Vec<Json> = found.children.into_values().map(json_of).collect();
        object.insert("child_modules".to_owned(), children.into());
    }
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use isobar_sdk::Address;
    use serde_json::json;

    use super::modules;

    #[test]
    fn modules_stand_in_those_that_call_them() {
        let all = [
            "x.a",
            "module.m[0].x.a",
            "module.m[0].module.n.x.b",
            "module.o.module.p.x.c",
        ];
        let all = all.map(|text| text.parse::<Address>().unwrap());
        let resources = all.iter().map(|address| (address, json!(*address.name)));
        let expected = json!({
            "resources": ["a"],
            "child_modules": [
                { "address": "module.m[0]", "resources": ["a"], "child_modules": [
                    { "address": "module.m[0].module.n", "resources": ["b"] },
                ] },
                { "address": "module.o", "resources": [], "child_modules": [
                    { "address": "module.o.module.p", "resources": ["c"] },
                ] },
            ],
        });
        assert_eq!(modules(resources), expected);
    }
}
