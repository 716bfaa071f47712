//! Values and types as JSON, for state, plan files and machine-readable output.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::types::{Field, Mismatch};
use crate::value::{Marks, Named, Unknown};
use crate::{Number, Type, Value};

/// A value as plain JSON: sensitive marks are dropped; unknown and ephemeral parts become null.
#[must_use]
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null(_) | Value::Unknown(_) => Json::Null,
        Value::Bool(truth) => Json::Bool(*truth),
        Value::Number(number) => encode_number(number),
        Value::String(text) => Json::String(text.to_string()),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(encode).collect())
        }
        Value::Map(fields) | Value::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(n, v)| (n.to_string(), encode(v)))
                .collect(),
        ),
        Value::Marked(marks, _) if marks.contains(Marks::EPHEMERAL) => Json::Null,
        Value::Marked(_, inner) => encode(inner),
    }
}

fn encode_number(number: &Number) -> Json {
    number.to_string().parse().map_or(Json::Null, Json::Number)
}

/// Whether [`decode_any`] makes an equal value of what [`encode`] gives, sensitive marks not counted.
#[must_use]
pub fn tells_all(value: &Value) -> bool {
    match value {
        Value::Null(_) | Value::Bool(_) => true,
        Value::Number(number) => {
            encode_number(number).as_number().map(decode_number) == Some(value.clone())
        }
        Value::String(text) => text.is_ascii() || Value::from(&**text) == *value,
        Value::Tuple(items) => items.iter().all(tells_all),
        Value::Object(fields) => fields.values().all(tells_all),
        Value::Marked(marks, inner) => !marks.contains(Marks::EPHEMERAL) && tells_all(inner),
        Value::List(_) | Value::Set(_) | Value::Map(_) | Value::Unknown(_) => false,
    }
}

/// JSON as a value of the narrowest type: arrays become tuples, objects become objects.
#[must_use]
pub fn decode_any(json: &Json) -> Value {
    match json {
        Json::Null => Value::NULL,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => decode_number(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(decode_any).collect()),
        Json::Object(fields) => Value::object(
            fields
                .iter()
                .map(|(name, v)| (name.as_str(), decode_any(v))),
        ),
    }
}

fn decode_number(number: &serde_json::Number) -> Value {
    number.as_str().parse().map_or(Value::NULL, Value::Number)
}

/// JSON as a value of type `ty`.
///
/// # Errors
/// The part that does not fit and why.
pub fn decode(json: &Json, ty: &Type) -> Result<Value, Mismatch> {
    ty.convert(&decode_any(json))
}

/// A value with everything that JSON cannot say: types, unknown parts and sensitive marks.
///
/// Scalars and null are plain JSON; everything else is an object with one key that names the
/// kind, so that [`decode_exact`] gives back an equal value.
#[must_use]
pub fn encode_exact(value: &Value) -> Json {
    let items = |items: &[Value]| Json::Array(items.iter().map(encode_exact).collect());
    let fields = |fields: &Named| {
        Json::Object(
            fields
                .iter()
                .map(|(n, v)| (n.to_string(), encode_exact(v)))
                .collect(),
        )
    };
    match value {
        Value::Null(ty) if *ty != Type::Any => json!({ "null": encode_type(ty) }),
        Value::Null(_) | Value::Bool(_) | Value::Number(_) | Value::String(_) => encode(value),
        Value::List(list) if is_typed(list.is_empty(), value) => empty(value),
        Value::Set(set) if is_typed(set.is_empty(), value) => empty(value),
        Value::Map(map) if is_typed(map.is_empty(), value) => empty(value),
        Value::List(list) => json!({ "list": items(list) }),
        Value::Set(set) => json!({ "set": items(set) }),
        Value::Tuple(tuple) => json!({ "tuple": items(tuple) }),
        Value::Map(map) => json!({ "map": fields(map) }),
        Value::Object(object) => json!({ "object": fields(object) }),
        Value::Unknown(unknown) => encode_unknown(unknown),
        Value::Marked(marks, _) if marks.contains(Marks::EPHEMERAL) => Json::Null,
        Value::Marked(_, inner) => json!({ "sensitive": encode_exact(inner) }),
    }
}

/// Whether an empty collection knows the type of the elements it does not have.
fn is_typed(is_empty: bool, value: &Value) -> bool {
    is_empty && Type::of(value).is_complete()
}

fn empty(value: &Value) -> Json {
    json!({ "empty": encode_type(&Type::of(value)) })
}

fn decode_empty(json: &Json) -> Option<Value> {
    let ty = decode_type(json)?;
    ty.convert(&match ty {
        Type::Map(_) => Value::map([] as [(&str, Value); 0]),
        _ => Value::list(Vec::new()),
    })
    .ok()
}

fn encode_unknown(unknown: &Unknown) -> Json {
    let ty = encode_type(&unknown.ty);
    if unknown.nullable {
        json!({ "unknown": ty })
    } else {
        json!({ "coming": { "type": ty, "prefix": &*unknown.prefix } })
    }
}

/// A value that is not known yet and will not be null.
fn decode_coming(json: &Json) -> Option<Value> {
    Some(Value::unknown_of(Unknown {
        ty: decode_type(json.get("type")?)?,
        nullable: false,
        prefix: json.get("prefix")?.as_str()?.into(),
    }))
}

/// The inverse of [`encode_exact`]; `None` for JSON that it does not write.
#[must_use]
pub fn decode_exact(json: &Json) -> Option<Value> {
    let object = match json {
        Json::Object(object) => object,
        Json::Array(_) => return None,
        scalar => return Some(decode_any(scalar)),
    };
    let (kind, inner) = object.iter().next().filter(|_| object.len() == 1)?;
    let items = || {
        inner
            .as_array()?
            .iter()
            .map(decode_exact)
            .collect::<Option<Vec<_>>>()
    };
    let fields = || {
        let decode = |(name, v): (&String, &Json)| Some((name.as_str().into(), decode_exact(v)?));
        inner
            .as_object()?
            .iter()
            .map(decode)
            .collect::<Option<BTreeMap<Arc<str>, _>>>()
    };
    Some(match kind.as_str() {
        "list" => Value::list(items()?),
        "set" => Value::set(items()?),
        "tuple" => Value::tuple(items()?),
        "map" => Value::Map(fields()?.into()),
        "object" => Value::Object(fields()?.into()),
        "empty" => decode_empty(inner)?,
        "null" => Value::Null(decode_type(inner)?),
        "coming" => decode_coming(inner)?,
        "unknown" => Value::unknown_of(decode_type(inner)?),
        "sensitive" => decode_exact(inner)?.sensitive(),
        _ => return None,
    })
}

/// A type in the JSON form that Terraform uses: `"string"`, `["list","string"]`.
#[must_use]
pub fn encode_type(ty: &Type) -> Json {
    match ty {
        Type::Any => json!("dynamic"),
        Type::Bool => json!("bool"),
        Type::Number => json!("number"),
        Type::String => json!("string"),
        Type::List(element) => json!(["list", encode_type(element)]),
        Type::Set(element) => json!(["set", encode_type(element)]),
        Type::Map(element) => json!(["map", encode_type(element)]),
        Type::Tuple(types) => {
            json!(["tuple", types.iter().map(encode_type).collect::<Vec<_>>()])
        }
        Type::Object(fields) => {
            let fields: Map<String, Json> = fields
                .iter()
                .map(|(name, f)| (name.to_string(), encode_type(&f.ty)))
                .collect();
            json!(["object", fields])
        }
    }
}

/// The inverse of [`encode_type`], up to defaults; `None` for JSON that it does not write.
#[must_use]
pub fn decode_type(json: &Json) -> Option<Type> {
    match json {
        Json::String(name) => match name.as_str() {
            "dynamic" => Some(Type::Any),
            "bool" => Some(Type::Bool),
            "number" => Some(Type::Number),
            "string" => Some(Type::String),
            _ => None,
        },
        Json::Array(parts) => {
            let [kind, inner] = parts.as_slice() else {
                return None;
            };
            let boxed = || decode_type(inner).map(Box::new);
            match kind.as_str()? {
                "list" => Some(Type::List(boxed()?)),
                "set" => Some(Type::Set(boxed()?)),
                "map" => Some(Type::Map(boxed()?)),
                "tuple" => inner
                    .as_array()?
                    .iter()
                    .map(decode_type)
                    .collect::<Option<_>>()
                    .map(Type::Tuple),
                "object" => inner
                    .as_object()?
                    .iter()
                    .map(|(name, ty)| {
                        let field = Field {
                            ty: decode_type(ty)?,
                            default: None,
                        };
                        Some((Arc::from(name.as_str()), field))
                    })
                    .collect::<Option<_>>()
                    .map(Type::Object),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The parts of `value` for which `marked` holds, in the shape that Terraform's JSON uses for
/// `after_unknown` and `sensitive_values`: `true` for a marked part, objects and arrays around
/// it, and nothing where no part is marked.
#[must_use]
pub fn marks(value: &Value, marked: &impl Fn(&Value) -> bool) -> Json {
    if marked(value) {
        return Json::Bool(true);
    }
    match value.reveal() {
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(|item| marks(item, marked)).collect())
        }
        Value::Map(fields) | Value::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, value)| (name.to_string(), marks(value, marked)))
                .filter(|(_, mark)| *mark != Json::Bool(false))
                .collect(),
        ),
        _ => Json::Bool(false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        decode, decode_any, decode_exact, decode_type, encode, encode_exact, encode_type, marks,
        tells_all,
    };
    use crate::value::Unknown;
    use crate::{Number, Type, Value};

    fn sample() -> Value {
        Value::object([
            ("id", Value::unknown_of(Type::String)),
            (
                "list",
                Value::list(vec![1_i64.into(), Value::from(2_i64).sensitive()]),
            ),
            ("map", Value::map([("k", "v".into())])),
            ("tuple", Value::tuple(vec![true.into(), Value::NULL])),
            ("none", Value::Null(Type::String)),
            ("empty", Value::list_of(&Type::Number, Vec::new())),
            ("text", Value::unknown_of(Unknown::text("a-"))),
        ])
    }

    #[test]
    fn the_exact_form_gives_the_value_back() {
        let value = sample();
        assert_eq!(decode_exact(&encode_exact(&value)), Some(value));
        assert_eq!(decode_exact(&json!({ "list": 1 })), None);
    }

    #[test]
    fn what_plain_json_tells_is_known_without_reading_it() {
        let third = Value::Number("1e-700".parse().unwrap());
        let inside = sample();
        let parts = inside.fields().unwrap().values().cloned();
        let more = [
            inside.clone(),
            third,
            "e\u{301}".into(),
            5_i64.into(),
            Value::NULL,
        ];
        let mut told = [0, 0];
        for value in parts.chain(more) {
            let same = decode_any(&encode(&value)) == value.reveal_all();
            assert_eq!(tells_all(&value), same, "{value:?}");
            told[usize::from(same)] += 1;
        }
        assert!(told[0] > 4 && told[1] > 4, "{told:?}");
    }

    #[test]
    fn numbers_keep_every_digit_through_text() {
        for text in [
            "123456789012345678901234567890.123456789",
            "0.1",
            "-5",
            "1e100",
            "99999999999999999999",
        ] {
            let number: Number = text.parse().unwrap();
            let written = encode(&Value::Number(number.clone())).to_string();
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            assert_eq!(decode(&read, &Type::Number), Ok(Value::Number(number)));
        }
    }

    #[test]
    fn what_is_ephemeral_is_not_written() {
        let value = Value::tuple(vec![Value::from("t0ken").ephemeral(), 1_i64.into()]);
        assert_eq!(encode(&value), json!([null, 1]));
        assert_eq!(encode_exact(&value), json!({ "tuple": [null, 1] }));
    }

    #[test]
    fn the_plain_form_is_plain() {
        assert_eq!(
            encode(&sample()),
            json!({ "empty": [], "id": null, "list": [1, 2], "map": { "k": "v" }, "none": null, "text": null, "tuple": [true, null] })
        );
    }

    #[test]
    fn marks_have_the_shape_of_terraform() {
        assert_eq!(marks(&sample(), &Value::is_unknown)["id"], json!(true));
        assert_eq!(
            marks(&sample(), &Value::is_sensitive)["list"],
            json!([false, true])
        );
    }

    #[test]
    fn types_survive_the_round_trip() {
        let ty = Type::of(&sample());
        assert_eq!(decode_type(&encode_type(&ty)), Some(ty));
    }
}
