//! Values with nothing unknown inside.

use std::fmt;

use super::{Fields, Value};
use crate::Path;

/// A value with nothing unknown inside: all that the state may hold.
#[derive(Clone, PartialEq)]
pub struct Known(Value);

impl Known {
    /// Takes a value that is wholly known.
    ///
    /// # Errors
    /// The paths that are still unknown.
    pub fn new(value: Value) -> Result<Self, Vec<Path>> {
        if value.is_wholly_known() {
            Ok(Self(value))
        } else {
            Err(value.unknown_paths())
        }
    }

    /// An object with no attributes.
    #[must_use]
    pub fn empty() -> Self {
        Self(Value::Object(Fields::default()))
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Value {
        &self.0
    }

    /// The value, given up.
    #[must_use]
    pub fn into_value(self) -> Value {
        self.0
    }

    /// The attribute called `name`.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.0.field(name)
    }
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
