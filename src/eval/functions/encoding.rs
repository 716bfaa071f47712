//! Functions that write values as text and read them back, and digests of text.

use isobar_sdk::{Value, json};
use sha2::{Digest, Sha256};

use super::{Care, Function, any, string_type, text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function {
        name: "jsondecode",
        arity: (1, 1),
        result: any,
        body: jsondecode,
        care: Care::Deep,
    },
    Function {
        name: "jsonencode",
        arity: (1, 1),
        result: string_type,
        body: jsonencode,
        care: Care::Deep,
    },
    Function {
        name: "sha256",
        arity: (1, 1),
        result: string_type,
        body: sha256,
        care: Care::Deep,
    },
];

fn jsonencode(arguments: &[Value]) -> Result<Value, String> {
    json_text(&arguments[0]).map(Value::from)
}

/// A value as compact JSON, with `<`, `>` and `&` escaped as Terraform does.
pub(super) fn json_text(value: &Value) -> Result<String, String> {
    let text = serde_json::to_string(&json::encode(value)).map_err(|error| error.to_string())?;
    Ok(text
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026"))
}

fn jsondecode(arguments: &[Value]) -> Result<Value, String> {
    let parsed = serde_json::from_str(&text(&arguments[0])?)
        .map_err(|error| format!("the text is not JSON: {error}"))?;
    Ok(json::decode_any(&parsed))
}

fn sha256(arguments: &[Value]) -> Result<Value, String> {
    let digest = Sha256::digest(text(&arguments[0])?.as_bytes());
    Ok(digest
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>()
        .into())
}
