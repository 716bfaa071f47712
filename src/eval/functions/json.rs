//! `jsonencode` and `jsondecode`.

use isobar_sdk::Value;
use isobar_sdk::value::Unknown;

use super::function::{any, text as text_of};
use super::{Care, Function, Shape, text};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new(
        "jsondecode",
        jsondecode,
        "The value that a JSON text writes.",
    )
    .takes(&[text_of("str")]),
    Function::new("jsonencode", jsonencode, "A value as JSON, without spaces.")
        .takes(&[any("val").or_null()])
        .gives(Shape::String)
        .care(Care::Own),
];

fn jsonencode(arguments: &[Value]) -> Result<Value, String> {
    let (value, marks) = (&arguments[0], arguments[0].all_marks());
    let text = if value.is_wholly_known() {
        encode(&value.reveal_all())?.into()
    } else {
        Value::unknown_of(Unknown::text(beginning(value.reveal())))
    };
    Ok(text.marked(marks))
}

/// What the text of something begins with that is not wholly known.
const fn beginning(value: &Value) -> &'static str {
    match value {
        Value::Object(_) | Value::Map(_) => "{",
        Value::List(_) | Value::Set(_) | Value::Tuple(_) => "[",
        _ => "",
    }
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
