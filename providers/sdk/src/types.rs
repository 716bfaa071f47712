//! The types of values, and the conversions between them.

mod convert;
mod unify;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::{Path, Step, Value};

/// The type of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Any type at all.
    Any,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// Text.
    String,
    /// Elements of one type, in order.
    List(Box<Type>),
    /// Elements of one type, each once.
    Set(Box<Type>),
    /// Elements of one type by name.
    Map(Box<Type>),
    /// Elements each of its own type.
    Tuple(Vec<Type>),
    /// Attributes each of its own type.
    Object(BTreeMap<Arc<str>, Field>),
}

/// An attribute of an object type.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// What stands in for it where it is missing; `None` where it must be there.
    pub default: Option<Value>,
}

/// Why a value does not fit a type.
#[derive(Debug, Clone, PartialEq)]
pub struct Mismatch {
    /// The part that does not fit.
    pub path: Path,
    /// What is wrong with it, as a clause: `a number is required, but this is a list`.
    pub reason: String,
}

impl Mismatch {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            path: Path::root(),
            reason: reason.into(),
        }
    }

    fn below(self, step: Step) -> Self {
        Self {
            path: self.path.below(step),
            ..self
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.steps().is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "{}: {}", self.path, self.reason)
        }
    }
}

impl Type {
    /// A list of this type.
    #[must_use]
    pub fn list(element: Self) -> Self {
        Self::List(Box::new(element))
    }

    /// A map of this type.
    #[must_use]
    pub fn map(element: Self) -> Self {
        Self::Map(Box::new(element))
    }

    /// The type of a value; of an empty collection that knows no better the element type is
    /// `any`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value.reveal() {
            Value::Null(ty) => ty.clone(),
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(items) => Self::list(items.element_type()),
            Value::Set(items) => Self::set(items.element_type()),
            Value::Tuple(items) => Self::Tuple(items.iter().map(Self::of).collect()),
            Value::Map(fields) => Self::map(fields.element_type()),
            Value::Object(fields) => Self::object(
                fields
                    .iter()
                    .map(|(name, value)| (Arc::clone(name), Self::of(value))),
            ),
            Value::Unknown(unknown) => unknown.ty.clone(),
            Value::Marked(_, inner) => Self::of(inner),
        }
    }

    /// A set of this type.
    #[must_use]
    pub fn set(element: Self) -> Self {
        Self::Set(Box::new(element))
    }

    /// An object with these attributes, all of which must be there.
    pub fn object<N: Into<Arc<str>>>(attributes: impl IntoIterator<Item = (N, Self)>) -> Self {
        let field = |(name, ty): (N, Self)| (name.into(), Field { ty, default: None });
        Self::Object(attributes.into_iter().map(field).collect())
    }

    /// Whether `any` stands nowhere in it.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Any => false,
            Self::Bool | Self::Number | Self::String => true,
            Self::List(element) | Self::Set(element) | Self::Map(element) => element.is_complete(),
            Self::Tuple(types) => types.iter().all(Self::is_complete),
            Self::Object(fields) => fields.values().all(|field| field.ty.is_complete()),
        }
    }

    /// The type of the values that this constraint gives: without defaults.
    #[must_use]
    pub fn bare(&self) -> Self {
        match self {
            Self::Any | Self::Bool | Self::Number | Self::String => self.clone(),
            Self::List(element) => Self::list(element.bare()),
            Self::Set(element) => Self::set(element.bare()),
            Self::Map(element) => Self::map(element.bare()),
            Self::Tuple(types) => Self::Tuple(types.iter().map(Self::bare).collect()),
            Self::Object(fields) => Self::object(
                fields
                    .iter()
                    .map(|(name, field)| (Arc::clone(name), field.ty.bare())),
            ),
        }
    }

    /// The kind alone: `list of string`, `object`, `dynamic`.
    #[must_use]
    pub fn friendly(&self) -> String {
        match self {
            Self::Any => "dynamic".to_owned(),
            Self::Bool | Self::Number | Self::String => self.to_string(),
            Self::List(element) => format!("list of {}", element.friendly()),
            Self::Set(element) => format!("set of {}", element.friendly()),
            Self::Map(element) => format!("map of {}", element.friendly()),
            Self::Tuple(_) => "tuple".to_owned(),
            Self::Object(_) => "object".to_owned(),
        }
    }
}

impl fmt::Display for Type {
    /// As a type constraint writes it: `list(string)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Bool => f.write_str("bool"),
            Self::Number => f.write_str("number"),
            Self::String => f.write_str("string"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Set(element) => write!(f, "set({element})"),
            Self::Map(element) => write!(f, "map({element})"),
            Self::Tuple(types) => {
                let types: Vec<String> = types.iter().map(ToString::to_string).collect();
                write!(f, "tuple([{}])", types.join(", "))
            }
            Self::Object(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, field)| format!("{name} = {}", field.ty))
                    .collect();
                write!(f, "object({{{}}})", fields.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Type;
    use crate::Value;

    #[test]
    fn scalars_convert_both_ways() {
        assert_eq!(
            Type::String.convert(&Value::from(1_i64)).unwrap(),
            "1".into()
        );
        assert_eq!(
            Type::Number.convert(&"1.5".into()).unwrap().to_string(),
            "1.5"
        );
        assert_eq!(Type::Bool.convert(&"true".into()).unwrap(), true.into());
        assert!(Type::Number.convert(&"x".into()).is_err());
        assert!(Type::Bool.convert(&Value::from(1_i64)).is_err());
    }

    #[test]
    fn a_mismatch_says_where() {
        let value = Value::tuple(vec![Value::from(1_i64), "x".into()]);
        let mismatch = Type::list(Type::Number).convert(&value).unwrap_err();
        assert_eq!(
            mismatch.to_string(),
            r#"[1]: a number is required, but "x" is not one"#
        );
    }

    #[test]
    fn marks_and_unknowns_pass_through() {
        let value = Value::tuple(vec![Value::unknown(), Value::from(1_i64).sensitive()]);
        let converted = Type::list(Type::String).convert(&value).unwrap();
        let items = converted.items().unwrap();
        assert!(items[0].is_unknown() && items[1].is_sensitive());
    }

    #[test]
    fn mixed_scalars_unify_to_text() {
        assert_eq!(
            Type::unify([&Type::Number, &Type::String]),
            Some(Type::String)
        );
        assert_eq!(Type::unify([&Type::Number, &Type::list(Type::Any)]), None);
    }
}
