//! Attributes of values and of answers, in either direction.

use isobar_sdk::{Number, Value, json};
use serde_json::{Map, Value as Json};

pub(crate) fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.field(name).and_then(Value::as_str)
}

pub(crate) fn number(value: &Value, name: &str) -> Option<f64> {
    let number = value.field(name).and_then(Value::as_number);
    number.map(Number::as_f64)
}

pub(crate) fn count(value: &Value, name: &str) -> Option<u32> {
    let number = value.field(name).and_then(Value::as_number)?;
    u32::try_from(number.as_u64()?).ok()
}

/// The elements of a list.
pub(crate) fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    let items = value.field(name).and_then(Value::items);
    items.into_iter().flat_map(|items| items.iter())
}

pub(crate) fn or_null<T: Into<Value>>(value: Option<T>) -> Value {
    value.map_or(Value::NULL, Into::into)
}

pub(crate) fn texts(items: &[String]) -> Value {
    Value::list(items.iter().map(|item| item.as_str().into()).collect())
}

/// A weight or another number that travels in 32 bits: the shortest decimal that means it, so
/// that 0.8 comes back as 0.8.
pub(crate) fn single(value: f32) -> Value {
    let exact = value.to_string().parse::<f64>().ok();
    or_null(exact.and_then(Number::from_f64).map(Value::Number))
}

/// An input of a call: only members that have a value.
pub(crate) fn input<const N: usize>(members: [(&str, Json); N]) -> Json {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    Json::Object(
        members
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}

/// An attribute as a member of an input; null where it is not set.
pub(crate) fn member(value: &Value, name: &str) -> Json {
    let attribute = value.field(name).filter(|field| field.is_wholly_known());
    attribute.map_or(Json::Null, |field| json::encode(&field.reveal_all()))
}

/// What is found, but for what is not wished for: the platform fills that in by its own rules, and
/// it is no one's decision. Everything where nothing is wished at all.
pub(crate) fn as_wished(wish: &Value, name: &str, found: Value) -> Value {
    match wish.field(name) {
        Some(wished) if wished.is_null() => Value::NULL,
        _ => found,
    }
}
