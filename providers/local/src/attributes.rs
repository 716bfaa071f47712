//! The attributes of native resources, read from and written to values.

use isobar_sdk::schema::{Body, OnChange};
use isobar_sdk::{Error, Known, Path, Value, json};
use serde::de::DeserializeOwned;

/// The attributes as `T`; what is unknown reads as null.
///
/// # Errors
/// [`isobar_sdk::ErrorKind::Invalid`]: the value does not have the shape of the schema.
pub(crate) fn parse<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    serde_json::from_value(json::encode(value)).map_err(|error| {
        Error::invalid(
            Path::root(),
            format!("the attributes are not as the schema of the local provider says: {error}"),
        )
    })
}

/// `value` with some attributes set anew.
pub(crate) fn with(
    value: &Value,
    attributes: impl IntoIterator<Item = (&'static str, Value)>,
) -> Value {
    let mut fields = value.fields().cloned().unwrap_or_default();
    fields.extend(attributes.into_iter().map(|(name, v)| (name.into(), v)));
    Value::Object(fields)
}

/// `value` as something the state can hold.
///
/// # Errors
/// [`isobar_sdk::ErrorKind::Invalid`] at an attribute that the engine should have resolved.
pub(crate) fn known(value: Value) -> Result<Known, Error> {
    Known::new(value).map_err(|paths| {
        let path = paths.into_iter().next().unwrap_or_default();
        let message = format!("attribute {path} is still unknown");
        Error::invalid(path, message)
    })
}

/// Whether the change from `prior` to `proposed` makes a new resource.
pub(crate) fn makes_anew(body: &Body, prior: Option<&Known>, proposed: &Value) -> bool {
    let Some(prior) = prior else { return true };
    let replacing = body
        .attributes
        .iter()
        .filter(|(_, attribute)| attribute.on_change == OnChange::Replace);
    let open = |value: Option<&Value>| value.unwrap_or(&Value::NULL).reveal_all();
    replacing
        .map(|(name, _)| name)
        .any(|name| open(prior.field(name)) != open(proposed.field(name)))
}

/// The whole number at `name`, if it is set and known.
///
/// # Errors
/// [`isobar_sdk::ErrorKind::Invalid`] at `name` if it is not a whole number up to `limit`.
pub(crate) fn whole(value: &Value, name: &str, limit: u64) -> Result<Option<u64>, Error> {
    let Some(number) = value.field(name).and_then(Value::as_number) else {
        return Ok(None);
    };
    number
        .as_u64()
        .filter(|number| *number <= limit)
        .map(Some)
        .ok_or_else(|| {
            let message = format!("{name} must be a whole number from 0 to {limit}, not {number}");
            Error::invalid(Path::attribute(name), message)
        })
}
