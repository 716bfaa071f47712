//! The signatures of functions against those of the real Terraform, and the functions of
//! providers.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value as Json;

use crate::program::Folder;

fn signatures(text: &[u8]) -> BTreeMap<String, Json> {
    let document: Json = serde_json::from_slice(text).unwrap();
    let all = document["function_signatures"].as_object().unwrap();
    all.iter().map(|(n, s)| (n.clone(), s.clone())).collect()
}

/// A signature without the words in it.
fn bare(signature: &Json) -> Json {
    let mut signature = signature.clone();
    let object = signature.as_object_mut().unwrap();
    object.remove("description");
    for parameter in object
        .get_mut("parameters")
        .and_then(Json::as_array_mut)
        .into_iter()
        .flatten()
    {
        parameter.as_object_mut().unwrap().remove("description");
    }
    if let Some(variadic) = object.get_mut("variadic_parameter") {
        variadic.as_object_mut().unwrap().remove("description");
    }
    signature
}

#[test]
fn every_function_of_terraform_has_its_signature() {
    let ours = Folder::new(&[]).run(&["metadata", "functions", "-json"]);
    let ours = signatures(ours.ended(0).as_bytes());
    assert!(ours.contains_key("core::upper") && ours.contains_key("provider::isobar::encode_expr"));
    let Ok(theirs) = Command::new("terraform")
        .args(["metadata", "functions", "-json"])
        .env("CHECKPOINT_DISABLE", "1")
        .output()
    else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, theirs) in signatures(&theirs.stdout) {
        let theirs = bare(&theirs);
        let Some(mut ours) = ours.get(&name).map(bare) else {
            wrong.push(format!("{name} is missing"));
            continue;
        };
        // A result may be told more closely.
        if theirs["return_type"] == "dynamic" {
            ours["return_type"] = "dynamic".into();
        }
        if ours != theirs {
            wrong.push(format!(
                "{name}\n  Terraform: {theirs}\n  Isobar:    {ours}"
            ));
        }
    }
    crate::none(&wrong);
}

#[test]
fn providers_offer_functions() {
    let folder = Folder::new(&[(
        "main.hcl",
        r#"
        locals {
          made = { size = 3, name = "$${x}", tags = ["a", null] }
          text = provider::isobar::encode_vars(local.made)
        }
        output "text" { value = local.text }
        output "back" { value = provider::isobar::decode_vars(local.text) == local.made }
        output "expression" { value = provider::isobar::encode_expr(local.made.tags) }
        "#,
    )]);
    folder.run(&["apply", "-auto-approve"]).ended(0);
    let raw = |name: &str| folder.run(&["output", "-raw", name]).ended(0).to_owned();
    assert_eq!(
        raw("text"),
        "name = \"$${x}\"\nsize = 3\ntags = [\"a\", null]\n"
    );
    assert_eq!(raw("expression"), "[\"a\", null]");
    assert_eq!(raw("back"), "true");
}
