//! What is known about a value that is not known yet.

use std::sync::Arc;

use crate::Type;

/// What is known about a value that is not known yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Unknown {
    /// The type it will be of; `any` where that is not known either.
    pub ty: Type,
    /// Whether it may turn out to be null.
    pub nullable: bool,
    /// What the text begins with; empty where that is not known.
    pub prefix: Arc<str>,
}

impl Unknown {
    /// The same, but never null.
    #[must_use]
    pub fn not_null(self) -> Self {
        Self {
            nullable: false,
            ..self
        }
    }

    /// A text that begins with `prefix`.
    #[must_use]
    pub fn text(prefix: impl Into<Arc<str>>) -> Self {
        Self {
            ty: Type::String,
            nullable: false,
            prefix: prefix.into(),
        }
    }
}

impl From<Type> for Unknown {
    /// A value of this type, or null.
    fn from(ty: Type) -> Self {
        Self {
            ty,
            nullable: true,
            prefix: "".into(),
        }
    }
}
