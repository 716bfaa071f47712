//! `jsonencode` and `jsondecode`.

use isobar_sdk::Value;

use super::function::{any, text as text_of};
use super::{Function, Shape, text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "jsondecode",
        jsondecode,
        "The value that a JSON text writes.",
    )
    .takes(&[text_of("str")]),
    Function::new("jsonencode", jsonencode, "A value as JSON, without spaces.")
        .takes(&[any("val").or_null()])
        .gives(Shape::String),
];

fn jsonencode(arguments: &[Value]) -> Result<Value, String> {
    encode(&arguments[0]).map(Value::from)
}

fn jsondecode(arguments: &[Value]) -> Result<Value, String> {
    let parsed = serde_json::from_str(text(&arguments[0])?)
        .map_err(|error| format!("the text is not JSON: {error}"))?;
    Ok(isobar_sdk::json::decode_any(&parsed))
}

/// A value as compact JSON that is safe within HTML.
pub(super) fn encode(value: &Value) -> Result<String, String> {
    let text = serde_json::to_string(&isobar_sdk::json::encode(value))
        .map_err(|error| error.to_string())?;
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                safe.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => safe.push(other),
        }
    }
    Ok(safe)
}
