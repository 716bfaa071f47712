//! The state as a JSON document, with the version of its format.

use std::collections::BTreeMap;
use std::fmt;

use isobar_sdk::Address;
use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::shared::Shared;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::document::{Content, ValueDocument, decode_value, encode_value};
use super::verify::{self, Check, Flaw, Flaws};
use super::{CipherError, DeposedKey, Instance, Life, OutputValue, State, Status};

/// The version of the format that this program writes.
const FORMAT: u64 = 1;

/// Why a document is not a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// It is not JSON, or not of the right shape.
    #[error("it is not a state of Isobar: {0}")]
    Malformed(String),
    /// It cannot be decrypted.
    #[error(transparent)]
    Sealed(#[from] CipherError),
    /// It was written by a newer program.
    #[error(
        "its format {found} is newer than the format {FORMAT} that this version of Isobar reads"
    )]
    TooNew {
        /// The version it names.
        found: u64,
    },
    /// It can be read, but what it says cannot be trusted.
    #[error("{0}")]
    Flawed(Flaws),
}

/// What alone is read of a document that is not of the shape of this version.
#[derive(Deserialize)]
struct VersionDocument {
    #[serde(default)]
    version: Option<Json>,
}

/// A state as it is read.
#[derive(Deserialize)]
struct StateDocument {
    #[serde(default)]
    version: Option<Json>,
    lineage: String,
    serial: u64,
    #[serde(default)]
    outputs: BTreeMap<String, ValueDocument>,
    #[serde(default)]
    resources: Instances,
    #[serde(default)]
    deposed: Instances,
    #[serde(default)]
    demands: BTreeMap<String, f64>,
    #[serde(default)]
    pending: BTreeMap<String, String>,
    /// Of all that stands before it; states of earlier versions have none.
    #[serde(default)]
    digest: Option<String>,
}

/// Instances, each taken out of its document as that is read: all documents together would be
/// several times as large.
#[derive(Default)]
struct Instances(Vec<(Option<String>, Address, Instance)>);

impl<'de> Deserialize<'de> for Instances {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Self::default())
    }
}

impl<'de> Visitor<'de> for Instances {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of instances")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut documents: A) -> Result<Self, A::Error> {
        let mut kinds = Shared::default();
        while let Some(mut document) = documents.next_element::<InstanceDocument>()? {
            let key = document.key.take();
            let (mut address, mut instance) =
                decode_instance(document).map_err(|error| match error {
                    FormatError::Malformed(reason) => A::Error::custom(reason),
                    other => A::Error::custom(other),
                })?;
            let all = instance.dependencies.iter_mut().chain([&mut address]);
            all.for_each(|address| kinds.share_kind(address));
            self.0.push((key, address, instance));
        }
        Ok(self)
    }
}

/// A state as it is written.
#[derive(Serialize)]
struct Written<'a, R: Serialize, D: Serialize> {
    version: u64,
    isobar_version: &'static str,
    lineage: &'a str,
    serial: u64,
    outputs: BTreeMap<&'a str, ValueDocument>,
    resources: R,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<D>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    demands: &'a BTreeMap<String, f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pending: BTreeMap<String, &'a str>,
}

/// A list whose items are made as they are written.
struct Each<F>(F);

impl<F: Fn() -> I, I: Iterator<Item = InstanceDocument>> Serialize for Each<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// An instance. Nothing of it is flattened: what serde gathers for that holds no number beyond
/// 64 bits.
#[derive(Serialize, Deserialize)]
pub(super) struct InstanceDocument {
    /// Which one of several that were deposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    address: String,
    provider: String,
    schema_version: u64,
    #[serde(default, skip_serializing_if = "is_ready")]
    status: StatusDocument,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    protected: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    create_first: bool,
    value: Content,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    ty: Option<Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sensitive: Vec<Vec<Json>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exact: Option<Json>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<String>,
}

#[derive(Serialize, Deserialize, Default, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum StatusDocument {
    #[default]
    Ready,
    Tainted,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature is serde's"
)]
fn is_ready(status: &StatusDocument) -> bool {
    *status == StatusDocument::Ready
}

/// Writes a state; the same state gives the same bytes.
#[must_use]
pub fn to_json(state: &State) -> String {
    let outputs = state.outputs.iter();
    let outputs = outputs.map(|(name, output)| (&**name, encode_value(output.value.value())));
    let deposed = || {
        let deposed = state.deposed.iter();
        deposed.map(|((address, key), instance)| InstanceDocument {
            key: Some(key.to_string()),
            ..encode_instance(address, instance)
        })
    };
    let pending = state.pending.iter();
    let document = Written {
        version: FORMAT,
        isobar_version: env!("CARGO_PKG_VERSION"),
        lineage: &state.lineage,
        serial: state.serial,
        outputs: outputs.collect(),
        resources: Each(|| state.instances.iter().map(|(a, i)| encode_instance(a, i))),
        deposed: (!state.deposed.is_empty()).then_some(Each(deposed)),
        demands: &state.demands,
        pending: pending
            .map(|(address, key)| (address.to_string(), key.as_str()))
            .collect(),
    };
    verify::signed(serde_json::to_string_pretty(&document).unwrap_or_default())
}

/// Reads a state.
///
/// # Errors
/// Why the text is not one, or all that is wrong with it.
pub fn from_json(text: &str) -> Result<State, FormatError> {
    match inspect(text)? {
        (state, flaws) if flaws.0.is_empty() => Ok(state),
        (_, flaws) => Err(FormatError::Flawed(flaws)),
    }
}

/// Reads a state and says what is wrong with it.
///
/// # Errors
/// Why the text is not one.
pub fn inspect(text: &str) -> Result<(State, Flaws), FormatError> {
    let malformed = |reason: String| FormatError::Malformed(reason);
    let unread = |error: serde_json::Error| malformed(error.to_string());
    let (document, intact) = rayon::join(
        || serde_json::from_str::<StateDocument>(text),
        || verify::holds(text),
    );
    let document = match document {
        Ok(document) => {
            readable(document.version.as_ref())?;
            document
        }
        // One of another version may have another shape.
        Err(error) => {
            let found: VersionDocument = serde_json::from_str(text).map_err(unread)?;
            readable(found.version.as_ref())?;
            return Err(unread(error));
        }
    };
    let flaws = flaws(&document, intact);
    let mut state = State::new(document.lineage);
    state.serial = document.serial;
    state.demands = document.demands;
    for (name, output) in document.outputs {
        let value = decode_value(&output)?;
        state.outputs.insert(name, OutputValue { value });
    }
    let resources = document.resources.0.into_iter();
    state.instances = resources.map(|(_, a, instance)| (a, instance)).collect();
    for (key, address, instance) in document.deposed.0 {
        let key = key.ok_or_else(|| malformed("a deposed object has no key".to_owned()))?;
        let key = parse_deposed(&key)?;
        state.deposed.insert((address, key), instance);
    }
    for (address, key) in document.pending {
        let address = parse_address(&address)?;
        state.pending.insert(address, IdempotencyKey::new(key));
    }
    Ok((state, flaws))
}

/// Whether a document of this version can be read.
fn readable(version: Option<&Json>) -> Result<(), FormatError> {
    match version.and_then(Json::as_u64) {
        Some(found) if found > FORMAT => Err(FormatError::TooNew { found }),
        Some(_) => Ok(()),
        None => Err(FormatError::Malformed("it has no version".to_owned())),
    }
}

/// What is wrong with a document of the right shape.
fn flaws(document: &StateDocument, intact: bool) -> Flaws {
    let mut check = Check::default();
    if document.digest.is_some() && !intact {
        check.flaws.push(Flaw::Digest);
    }
    if document.lineage.is_empty() {
        check.flaws.push(Flaw::NoLineage);
    }
    for (key, address, instance) in document.resources.0.iter().chain(&document.deposed.0) {
        let name = match key {
            Some(key) => format!("{address} (deposed {key})"),
            None => address.to_string(),
        };
        let on_itself = instance.dependencies.contains(address);
        check.record(name, &instance.provider, on_itself);
    }
    Flaws(check.flaws)
}

pub(super) fn encode_instance(address: &Address, instance: &Instance) -> InstanceDocument {
    let ValueDocument {
        value,
        ty,
        sensitive,
        exact,
    } = encode_value(instance.attributes.value());
    InstanceDocument {
        key: None,
        address: address.to_string(),
        provider: instance.provider.clone(),
        schema_version: instance.schema_version,
        status: match instance.status {
            Status::Ready => StatusDocument::Ready,
            Status::Tainted => StatusDocument::Tainted,
        },
        protected: instance.life.protected,
        create_first: instance.life.create_first,
        value,
        ty,
        sensitive,
        exact,
        dependencies: instance
            .dependencies
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

pub(super) fn decode_instance(
    document: InstanceDocument,
) -> Result<(Address, Instance), FormatError> {
    let dependencies: Result<Vec<Address>, FormatError> = document
        .dependencies
        .iter()
        .map(|address| parse_address(address))
        .collect();
    let attributes = ValueDocument {
        value: document.value,
        ty: document.ty,
        sensitive: document.sensitive,
        exact: document.exact,
    };
    let instance = Instance {
        provider: document.provider,
        schema_version: document.schema_version,
        attributes: decode_value(&attributes)?,
        dependencies: dependencies?,
        status: match document.status {
            StatusDocument::Ready => Status::Ready,
            StatusDocument::Tainted => Status::Tainted,
        },
        life: Life {
            protected: document.protected,
            create_first: document.create_first,
        },
    };
    Ok((parse_address(&document.address)?, instance))
}

pub(super) fn parse_address(text: &str) -> Result<Address, FormatError> {
    text.parse()
        .map_err(|error: isobar_sdk::address::InvalidAddress| {
            FormatError::Malformed(error.to_string())
        })
}

pub(super) fn parse_deposed(text: &str) -> Result<DeposedKey, FormatError> {
    let wrong = |_| FormatError::Malformed(format!("{text:?} is not the key of a deposed object"));
    text.parse().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use isobar_sdk::provider::IdempotencyKey;
    use isobar_sdk::{Known, Value};

    use super::super::{Instance, Life, OutputValue, State, Status};
    use super::{FormatError, from_json, to_json};

    fn number(text: &str) -> Value {
        Value::Number(text.parse().unwrap())
    }

    fn sample() -> State {
        let mut state = State::new("lineage".to_owned());
        state.serial = 7;
        state.demands.insert("d".to_owned(), 88.5);
        let attributes = Value::object([
            (
                "list",
                Value::list(vec![Value::from(1_i64), Value::from(2_i64)]),
            ),
            (
                "map",
                Value::map([("k", Value::from("secret").sensitive())]),
            ),
            ("none", Value::NULL),
            ("beyond_64_bits", number("123456789012345678901234567890")),
            ("beyond_128_bits", number("1e40")),
            ("exact", number("44444444444444000000000000.5")),
            ("tuple", Value::tuple(vec!["a".into(), true.into()])),
        ]);
        let instance = Instance {
            provider: "data".to_owned(),
            schema_version: 1,
            attributes: Known::new(attributes).unwrap(),
            dependencies: vec!["zone.east".parse().unwrap()],
            status: Status::Tainted,
            life: Life::default(),
        };
        state
            .instances
            .insert("isobar_data.a[\"x\"]".parse().unwrap(), instance);
        let secret = Known::new(Value::from("s").sensitive()).unwrap();
        state
            .outputs
            .insert("o".to_owned(), OutputValue { value: secret });
        state
            .pending
            .insert("isobar_data.b".parse().unwrap(), IdempotencyKey::new("k"));
        state
    }

    #[test]
    fn a_state_survives_the_round_trip() {
        let text = to_json(&sample());
        assert_eq!(from_json(&text).unwrap(), sample());
        assert_eq!(to_json(&from_json(&text).unwrap()), text);
    }

    #[test]
    fn every_value_survives_however_odd() {
        let list = |items: Vec<Value>| Value::list(items);
        for value in [
            list(Vec::new()),
            Value::set(Vec::new()),
            Value::map::<&str>([]),
            list(vec![1_i64.into(), "a".into(), list(vec![1_i64.into()])]),
            list(vec![1_i64.into(), "a".into()]),
            Value::set(vec!["a".into(), Value::from("b").sensitive()]),
            list(vec![
                Value::object([("a", 1_i64.into())]),
                Value::object([("b", "x".into())]),
            ]),
            Value::tuple(vec![list(Vec::new()).sensitive(), Value::NULL]),
        ] {
            let mut state = State::new("l".to_owned());
            let known = Known::new(value.clone()).unwrap();
            state
                .outputs
                .insert("o".to_owned(), OutputValue { value: known });
            assert_eq!(from_json(&to_json(&state)), Ok(state), "{value}");
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        for text in [
            "",
            "{",
            "[]",
            "{}",
            "{\"version\": 1}",
            "{\"version\": 1, \"lineage\": 3}",
        ] {
            assert!(
                matches!(from_json(text), Err(FormatError::Malformed(_))),
                "{text}"
            );
        }
        assert_eq!(
            from_json("{\"version\": 99}"),
            Err(FormatError::TooNew { found: 99 })
        );
    }
}
