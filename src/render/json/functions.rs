//! The signatures of functions, in the shape of `terraform metadata functions -json`.

use isobar_sdk::function::{Parameter, Shape, Signature};
use isobar_sdk::{Type, json};
use serde_json::{Map, Value as Json, json};

use crate::eval::functions::Library;

/// All functions by the names that they are called with: those of the language without a
/// namespace and within `core::`.
#[must_use]
pub fn signatures(language: impl Iterator<Item = Signature>, library: &Library) -> Json {
    let mut all = Map::new();
    for signature in language {
        let written = one(&signature);
        all.insert(format!("core::{}", signature.name), written.clone());
        all.insert(signature.name.to_owned(), written);
    }
    for (name, signature) in library.offered() {
        all.insert(name, one(&signature));
    }
    all.sort_keys();
    json!({ "format_version": "1.0", "function_signatures": all })
}

fn one(signature: &Signature) -> Json {
    let mut written = Map::new();
    written.insert("description".into(), signature.doc.into());
    written.insert("return_type".into(), ty(signature.result));
    if !signature.parameters.is_empty() {
        let parameters: Vec<Json> = signature.parameters.iter().map(parameter).collect();
        written.insert("parameters".into(), parameters.into());
    }
    if let Some(variadic) = &signature.variadic {
        written.insert("variadic_parameter".into(), parameter(variadic));
    }
    written.into()
}

fn parameter(parameter: &Parameter) -> Json {
    let mut written = Map::new();
    written.insert("name".into(), parameter.name.into());
    if !parameter.doc.is_empty() {
        written.insert("description".into(), parameter.doc.into());
    }
    if parameter.nullable {
        written.insert("is_nullable".into(), true.into());
    }
    written.insert("type".into(), ty(parameter.shape));
    written.into()
}

fn ty(shape: Shape) -> Json {
    json::encode_type(&Type::from(shape))
}
