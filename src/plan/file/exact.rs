//! Values, addresses and times as a plan file holds them.

use isobar_sdk::{Known, Value, json};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

/// A value in the exact form of [`json::encode_exact`].
pub(super) struct Exact(pub(super) Value);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::encode_exact(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        json::decode_exact(&json)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a value is malformed"))
    }
}

/// A value with nothing unknown in it.
pub(super) struct ExactKnown(pub(super) Known);

impl Serialize for ExactKnown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::encode_exact(self.0.value()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExactKnown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Exact(value) = Exact::deserialize(deserializer)?;
        Known::new(value)
            .map(Self)
            .map_err(|_| D::Error::custom("a value that is there is unknown"))
    }
}

/// An address or a time, as its text.
pub(super) struct Text<T>(pub(super) T);

impl<T: ToString> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de, T: std::str::FromStr> Deserialize<'de> for Text<T>
where
    T::Err: std::fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(Self)
            .map_err(D::Error::custom)
    }
}
