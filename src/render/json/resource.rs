//! The parts that all formats share: the name of a resource and its values.

use isobar_sdk::address::{Key, Mode};
use isobar_sdk::json::{encode, encode_type, marks};
use isobar_sdk::{Address, Type, Value};
use serde_json::{Map, Value as Json};

/// A JSON object in the order of insertion.
pub(super) type Object = Map<String, Json>;

/// The name of a resource in its parts.
///
/// A native resource of a deployment has the type of the native resource, the name of the
/// deployment and the zone as its index; `deployment`, `deployment_index` and `native_key` say the
/// rest.
pub(super) fn name(address: &Address) -> Object {
    let mut object = Object::new();
    let mut put = |key: &str, value: Json| {
        object.insert(key.to_owned(), value);
    };
    put("address", address.to_string().into());
    if !address.module.is_empty() {
        put("module_address", module(address).into());
    }
    let mode = match address.mode {
        Mode::Managed => "managed",
        Mode::Data => "data",
    };
    put("mode", mode.into());
    put("type", (&**address.resource_type()).into());
    put("name", (&*address.name).into());
    match (&address.zone, &address.key) {
        (Some(zone), _) => put("index", (&**zone).into()),
        (None, Some(index)) => put("index", key(index)),
        (None, None) => {}
    }
    if let Some(native) = &address.native {
        put("deployment", address.label().into());
        if let Some(index) = &address.key {
            put("deployment_index", key(index));
        }
        if let Some(native_key) = &native.key {
            put("native_key", key(native_key));
        }
    }
    object
}

/// `module.a.module.b`, or nothing in the root module.
pub(super) fn module(address: &Address) -> String {
    let steps = address.module.iter().map(|step| {
        let key = step.key.as_ref().map(ToString::to_string);
        format!("module.{}{}", step.name, key.unwrap_or_default())
    });
    steps.collect::<Vec<_>>().join(".")
}

pub(super) fn key(key: &Key) -> Json {
    match key {
        Key::Number(number) => (*number).into(),
        Key::Text(text) => (&**text).into(),
    }
}

/// A value without what must not be shown: sensitive parts are null. Unknown attributes are left
/// out and unknown elements are null, as in Terraform.
#[must_use]
pub fn shown(value: &Value) -> Json {
    match value {
        Value::Marked(..) => Json::Null,
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(shown).collect())
        }
        Value::Map(fields) | Value::Object(fields) => Json::Object(
            fields
                .iter()
                .filter(|(_, field)| !field.is_unknown())
                .map(|(name, field)| (name.to_string(), shown(field)))
                .collect(),
        ),
        plain => encode(plain),
    }
}

/// `true` at every unknown part; a sensitive part counts as a whole.
pub(super) fn unknown(value: &Value) -> Json {
    match value {
        Value::Marked(_, inner) => (!inner.is_wholly_known()).into(),
        Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
            Json::Array(items.iter().map(unknown).collect())
        }
        Value::Map(fields) | Value::Object(fields) => Json::Object(
            fields
                .iter()
                .map(|(name, field)| (name.to_string(), unknown(field)))
                .filter(|(_, mark)| *mark != Json::Bool(false))
                .collect(),
        ),
        other => other.is_unknown().into(),
    }
}

/// `true` at every sensitive part.
pub(super) fn sensitive(value: &Value) -> Json {
    marks(value, &Value::is_sensitive)
}

/// An output as `output -json` prints it; its type is left out as long as it is not known.
pub(super) fn output(value: &Value) -> Json {
    let mut object = Object::new();
    object.insert("sensitive".to_owned(), value.contains_sensitive().into());
    if value.is_wholly_known() {
        object.insert("type".to_owned(), encode_type(&Type::of(value)));
        object.insert("value".to_owned(), shown(value));
    }
    Json::Object(object)
}

/// A resource as it is in a state or will be after a plan.
pub(super) fn resource(address: &Address, origin: (&str, u64), value: &Value) -> Object {
    let (provider, schema_version) = origin;
    let mut object = name(address);
    object.insert("provider_name".to_owned(), provider.into());
    object.insert("schema_version".to_owned(), schema_version.into());
    object.insert("values".to_owned(), shown(value));
    object.insert("sensitive_values".to_owned(), sensitive(value));
    object
}
