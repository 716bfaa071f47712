//! The types of values, and the conversions between them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::value::{Fields, Items};
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

    /// The type of a value; of an empty collection the element type is `any`.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        match value.reveal() {
            Value::Null => Self::Any,
            Value::Bool(_) => Self::Bool,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::List(items) => Self::list(Self::of_all(items.iter())),
            Value::Set(items) => Self::Set(Box::new(Self::of_all(items.iter()))),
            Value::Tuple(items) => Self::Tuple(items.iter().map(Self::of).collect()),
            Value::Map(fields) => Self::map(Self::of_all(fields.values())),
            Value::Object(fields) => Self::Object(
                fields
                    .iter()
                    .map(|(name, value)| {
                        (
                            Arc::clone(name),
                            Field {
                                ty: Self::of(value),
                                default: None,
                            },
                        )
                    })
                    .collect(),
            ),
            Value::Unknown(ty) => ty.clone(),
            Value::Sensitive(inner) => Self::of(inner),
        }
    }

    /// The type of the elements of a collection.
    fn of_all<'a>(values: impl Iterator<Item = &'a Value>) -> Self {
        let types: Vec<Self> = values.map(Self::of).collect();
        Self::unify(&types).unwrap_or(Self::Any)
    }

    /// Converts a value to this type, as an assignment does: numbers and booleans to text and
    /// back, tuples to lists, objects to maps, and element by element inside.
    ///
    /// # Errors
    /// The part that does not fit and why.
    pub fn convert(&self, value: &Value) -> Result<Value, Mismatch> {
        match (self, value) {
            (Self::Any, _) | (_, Value::Null) => Ok(value.clone()),
            (_, Value::Sensitive(inner)) => Ok(self.convert(inner)?.sensitive()),
            (_, Value::Unknown(from)) => self.convert_unknown(from),
            (Self::Bool | Self::Number | Self::String, _) => self.convert_primitive(value),
            (Self::List(element), Value::List(items) | Value::Tuple(items) | Value::Set(items)) => {
                Ok(Value::List(Arc::new(convert_items(element, items)?)))
            }
            (Self::Set(element), Value::List(items) | Value::Tuple(items) | Value::Set(items)) => {
                Ok(Value::set(convert_items(element, items)?))
            }
            (Self::Tuple(types), Value::List(items) | Value::Tuple(items)) => {
                convert_tuple(types, items)
            }
            (Self::Map(element), Value::Map(fields) | Value::Object(fields)) => {
                convert_map(element, fields)
            }
            (Self::Object(types), Value::Map(fields) | Value::Object(fields)) => {
                convert_object(types, fields)
            }
            _ => Err(self.mismatch(value)),
        }
    }

    fn convert_unknown(&self, from: &Self) -> Result<Value, Mismatch> {
        let scalar = |ty: &Self| matches!(ty, Self::Bool | Self::Number | Self::String);
        if *from == Self::Any || scalar(self) == scalar(from) {
            Ok(Value::Unknown(self.clone()))
        } else {
            Err(Mismatch::new(format!(
                "{} is required, but this will be {from}",
                self.with_article()
            )))
        }
    }

    fn convert_primitive(&self, value: &Value) -> Result<Value, Mismatch> {
        match (self, value) {
            (Self::Bool, Value::Bool(_))
            | (Self::Number, Value::Number(_))
            | (Self::String, Value::String(_)) => Ok(value.clone()),
            (Self::String, Value::Number(number)) => Ok(Value::string(number.to_string())),
            (Self::String, Value::Bool(truth)) => Ok(Value::string(truth.to_string())),
            (Self::Number, Value::String(text)) => text.parse().map(Value::Number).map_err(|()| {
                Mismatch::new(format!("a number is required, but {text:?} is not one"))
            }),
            (Self::Bool, Value::String(text)) => match &**text {
                "true" => Ok(Value::Bool(true)),
                "false" => Ok(Value::Bool(false)),
                _ => Err(Mismatch::new(format!(
                    "a bool is required, but {text:?} is neither \"true\" nor \"false\""
                ))),
            },
            _ => Err(self.mismatch(value)),
        }
    }

    fn mismatch(&self, value: &Value) -> Mismatch {
        Mismatch::new(format!(
            "{} is required, but this is {}",
            self.with_article(),
            Self::of(value).kind_with_article()
        ))
    }

    fn with_article(&self) -> String {
        format!("a {self}")
    }

    fn kind_with_article(&self) -> &'static str {
        match self {
            Self::Any => "a value of any type",
            Self::Bool => "a bool",
            Self::Number => "a number",
            Self::String => "a string",
            Self::List(_) => "a list",
            Self::Set(_) => "a set",
            Self::Map(_) => "a map",
            Self::Tuple(_) => "a tuple",
            Self::Object(_) => "an object",
        }
    }

    /// The type that all of `types` convert to, as in a conditional or a list of mixed values.
    #[must_use]
    pub fn unify<'a>(types: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut types = types.into_iter();
        let first = types.next()?.clone();
        types.try_fold(first, Self::unify_with)
    }

    fn unify_with(self, other: &Self) -> Option<Self> {
        match (self, other) {
            (left, right) if left == *right => Some(left),
            (Self::Any, other) => Some(other.clone()),
            (left, Self::Any) => Some(left),
            (Self::String, Self::Bool | Self::Number)
            | (Self::Bool | Self::Number, Self::String) => Some(Self::String),
            (Self::List(l), Self::List(r)) => Some(Self::list(l.unify_with(r)?)),
            (Self::Set(l), Self::Set(r)) => Some(Self::Set(Box::new(l.unify_with(r)?))),
            (Self::Map(l), Self::Map(r)) => Some(Self::map(l.unify_with(r)?)),
            (Self::Tuple(l), Self::Tuple(r)) => Self::unify(l.iter().chain(r)).map(Self::list),
            (Self::List(l), Self::Tuple(r)) => {
                Self::unify(std::iter::once(&*l).chain(r)).map(Self::list)
            }
            (Self::Tuple(l), Self::List(r)) => {
                Self::unify(l.iter().chain(std::iter::once(&**r))).map(Self::list)
            }
            (Self::Object(l), Self::Object(r)) if l.keys().eq(r.keys()) => {
                let mut unified = BTreeMap::new();
                for ((name, left), right) in l.into_iter().zip(r.values()) {
                    let ty = left.ty.unify_with(&right.ty)?;
                    unified.insert(name, Field { ty, default: None });
                }
                Some(Self::Object(unified))
            }
            (Self::Object(l), Self::Object(r)) => {
                Self::unify(l.values().chain(r.values()).map(|field| &field.ty)).map(Self::map)
            }
            (Self::Map(l), Self::Object(r)) => {
                Self::unify(std::iter::once(&*l).chain(r.values().map(|field| &field.ty)))
                    .map(Self::map)
            }
            (Self::Object(l), Self::Map(r)) => Self::unify(
                l.values()
                    .map(|field| &field.ty)
                    .chain(std::iter::once(&**r)),
            )
            .map(Self::map),
            _ => None,
        }
    }
}

fn convert_items(element: &Type, items: &Items) -> Result<Vec<Value>, Mismatch> {
    let unified;
    let element = if *element == Type::Any {
        let types: Vec<Type> = items.iter().map(Type::of).collect();
        unified = Type::unify(&types)
            .or(types.is_empty().then_some(Type::Any))
            .ok_or_else(|| Mismatch::new("all elements must be of one type"))?;
        &unified
    } else {
        element
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            element
                .convert(item)
                .map_err(|m| m.below(Step::Index(index)))
        })
        .collect()
}

fn convert_tuple(types: &[Type], items: &Items) -> Result<Value, Mismatch> {
    if types.len() != items.len() {
        return Err(Mismatch::new(format!(
            "{} elements are required, but there are {}",
            types.len(),
            items.len()
        )));
    }
    let converted: Result<Vec<_>, _> = types
        .iter()
        .zip(items.iter())
        .enumerate()
        .map(|(index, (ty, item))| ty.convert(item).map_err(|m| m.below(Step::Index(index))))
        .collect();
    converted.map(Value::tuple)
}

fn convert_map(element: &Type, fields: &Fields) -> Result<Value, Mismatch> {
    let unified;
    let element = if *element == Type::Any {
        let types: Vec<Type> = fields.values().map(Type::of).collect();
        unified = Type::unify(&types)
            .or(types.is_empty().then_some(Type::Any))
            .ok_or_else(|| Mismatch::new("all elements of a map must be of one type"))?;
        &unified
    } else {
        element
    };
    let converted: Result<BTreeMap<_, _>, _> = fields
        .iter()
        .map(|(name, value)| {
            let converted = element
                .convert(value)
                .map_err(|m| m.below(Step::Key(Arc::clone(name))))?;
            Ok((Arc::clone(name), converted))
        })
        .collect();
    Ok(Value::Map(Arc::new(converted?)))
}

fn convert_object(types: &BTreeMap<Arc<str>, Field>, fields: &Fields) -> Result<Value, Mismatch> {
    let mut converted = BTreeMap::new();
    for (name, field) in types {
        let given = fields.get(name).filter(|value| !value.is_null());
        let value = match (given, &field.default) {
            (Some(value), _) => field
                .ty
                .convert(value)
                .map_err(|m| m.below(Step::Attribute(Arc::clone(name))))?,
            (None, Some(default)) => default.clone(),
            (None, None) if fields.contains_key(name) => Value::Null,
            (None, None) => {
                return Err(Mismatch::new(format!("attribute {name:?} is required")));
            }
        };
        converted.insert(Arc::clone(name), value);
    }
    Ok(Value::Object(Arc::new(converted)))
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
