//! A value in a state, as plain JSON with what that does not tell.

use isobar_sdk::types::Mismatch;
use isobar_sdk::value::Marks;
use isobar_sdk::{Known, Path, Step, Type, Value, json};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::FormatError;

/// What a value says, as plain JSON.
pub(super) enum Content {
    /// As it was read.
    Read(Json),
    /// As it is written: what is in state is never ephemeral.
    Written(Value),
}

impl Content {
    fn decode(&self, ty: &Type) -> Result<Value, Mismatch> {
        match self {
            Self::Read(json) => json::decode(json, ty),
            Self::Written(value) => json::decode(&json::encode(value), ty),
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(Self::Read)
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(json) => json.serialize(serializer),
            Self::Written(value) => Plain(value).serialize(serializer),
        }
    }
}

/// A value as [`json::encode`] gives it, without the tree in between.
struct Plain<'a>(&'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => serializer.serialize_str(text),
            Value::List(items) | Value::Set(items) | Value::Tuple(items) => {
                serializer.collect_seq(items.iter().map(Plain))
            }
            Value::Map(fields) | Value::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (&**name, Plain(value))))
            }
            Value::Marked(marks, inner) if !marks.contains(Marks::EPHEMERAL) => {
                Plain(inner).serialize(serializer)
            }
            scalar => json::encode(scalar).serialize(serializer),
        }
    }
}

/// A value as plain JSON, with its type where the JSON alone would not give it back, and with
/// the paths of its sensitive parts.
#[derive(Serialize, Deserialize)]
pub(super) struct ValueDocument {
    pub(super) value: Content,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) ty: Option<Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sensitive: Vec<Vec<Json>>,
    /// The exact form, where the three above would not give the value back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) exact: Option<Json>,
}

/// Writes a value so that it can be read by people; where reading would not give it back, the
/// exact form is written beside it.
pub(super) fn encode_value(value: &Value) -> ValueDocument {
    let same = json::tells_all(value);
    let mut document = ValueDocument {
        ty: (!same).then(|| json::encode_type(&Type::of(&value.reveal_all()))),
        value: Content::Written(value.clone()),
        sensitive: value.sensitive_paths().iter().map(encode_path).collect(),
        exact: None,
    };
    let plain_is_enough = same && document.sensitive.is_empty();
    if !plain_is_enough && !decode_value(&document).is_ok_and(|read| read.value() == value) {
        document.exact = Some(json::encode_exact(value));
    }
    document
}

/// The value of a document.
///
/// # Errors
/// Why it is none.
pub(super) fn decode_value(document: &ValueDocument) -> Result<Known, FormatError> {
    let malformed = |reason: &str| FormatError::Malformed(reason.to_owned());
    if let Some(exact) = &document.exact {
        let value = json::decode_exact(exact).ok_or_else(|| malformed("a value is not one"))?;
        return Known::new(value).map_err(|_| malformed("a value is unknown"));
    }
    let ty = match &document.ty {
        Some(ty) => json::decode_type(ty).ok_or_else(|| malformed("a type is not one"))?,
        None => Type::Any,
    };
    let value = document.value.decode(&ty);
    let value = value.map_err(|mismatch| FormatError::Malformed(mismatch.to_string()))?;
    let paths: Option<Vec<Path>> = document
        .sensitive
        .iter()
        .map(|steps| decode_path(steps))
        .collect();
    let paths = paths.ok_or_else(|| malformed("a path is not one"))?;
    Known::new(value.mark(&paths)).map_err(|_| malformed("a value is unknown"))
}

/// A step is `{"attribute": name}`, `{"key": name}` or a number.
fn encode_path(path: &Path) -> Vec<Json> {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Attribute(name) => serde_json::json!({ "attribute": &**name }),
            Step::Key(name) => serde_json::json!({ "key": &**name }),
            Step::Index(index) => Json::from(*index),
        })
        .collect()
}

fn decode_path(steps: &[Json]) -> Option<Path> {
    steps
        .iter()
        .map(|step| {
            let name = |kind: &str| step.get(kind).and_then(Json::as_str);
            if let Some(index) = step.as_u64() {
                return usize::try_from(index).ok().map(Step::Index);
            }
            name("attribute")
                .map(|name| Step::Attribute(name.into()))
                .or_else(|| name("key").map(|name| Step::Key(name.into())))
        })
        .collect()
}
