//! Values of one type as values of another.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Field, Mismatch, Type};
use crate::value::{Fields, Items, Unknown};
use crate::{Step, Value};

impl Type {
    /// Converts a value to this type, as an assignment does: numbers and booleans to text and
    /// back, tuples to lists, objects to maps, and element by element inside.
    ///
    /// # Errors
    /// The part that does not fit and why.
    pub fn convert(&self, value: &Value) -> Result<Value, Mismatch> {
        match (self, value) {
            (Self::Any, _) => Ok(value.clone()),
            (_, Value::Marked(marks, inner)) => Ok(self.convert(inner)?.marked(*marks)),
            (_, Value::Null(from)) => self.resolve(from, "this is null of type").map(Value::Null),
            (_, Value::Unknown(from)) => self.convert_unknown(from),
            (Self::Bool | Self::Number | Self::String, _) => self.convert_primitive(value),
            (Self::List(element), Value::List(items) | Value::Tuple(items) | Value::Set(items)) => {
                let (element, items) = convert_items(element, items)?;
                Ok(Value::list_of(&element, items))
            }
            (Self::Set(element), Value::List(items) | Value::Tuple(items) | Value::Set(items)) => {
                let (element, items) = convert_items(element, items)?;
                Ok(Value::set_of(&element, items))
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

    /// The type that values of type `from` have after a conversion to this one; `None` where
    /// none of them converts.
    #[must_use]
    pub fn accepts(&self, from: &Self) -> Option<Self> {
        match (self, from) {
            (Self::Any, from) => Some(from.clone()),
            (_, Self::Any) => Some(self.bare()),
            (Self::String, Self::Bool | Self::Number | Self::String)
            | (Self::Number, Self::Number | Self::String)
            | (Self::Bool, Self::Bool | Self::String) => Some(self.clone()),
            (Self::List(to), Self::List(from) | Self::Set(from)) => {
                to.accepts(from).map(Self::list)
            }
            (Self::Set(to), Self::List(from) | Self::Set(from)) => to.accepts(from).map(Self::set),
            (Self::List(to), Self::Tuple(items)) => to.accepts_all(items.iter()).map(Self::list),
            (Self::Set(to), Self::Tuple(items)) => to.accepts_all(items.iter()).map(Self::set),
            (Self::Map(to), Self::Map(from)) => to.accepts(from).map(Self::map),
            (Self::Map(to), Self::Object(fields)) => to
                .accepts_all(fields.values().map(|field| &field.ty))
                .map(Self::map),
            (Self::Tuple(to), Self::Tuple(from)) if to.len() == from.len() => {
                let types = to.iter().zip(from).map(|(to, from)| to.accepts(from));
                types.collect::<Option<_>>().map(Self::Tuple)
            }
            (Self::Tuple(to), Self::List(from)) => {
                let types = to.iter().map(|to| to.accepts(from));
                types.collect::<Option<_>>().map(Self::Tuple)
            }
            (Self::Object(to), Self::Object(from)) => {
                accept_object(to, |name| from.get(name).map(|field| &field.ty))
            }
            (Self::Object(to), Self::Map(from)) => accept_object(to, |_| Some(from)),
            _ => None,
        }
    }

    /// The type of elements of this type made from elements of several types.
    fn accepts_all<'a>(&self, types: impl Iterator<Item = &'a Self> + Clone) -> Option<Self> {
        let accepted: Vec<Self> = types.map(|ty| self.accepts(ty)).collect::<Option<_>>()?;
        if accepted.is_empty() {
            return Some(self.bare());
        }
        Self::unify_elements(&accepted)
    }

    fn resolve(&self, from: &Self, what: &str) -> Result<Self, Mismatch> {
        self.accepts(from).ok_or_else(|| {
            Mismatch::new(format!(
                "{} is required, but {what} {from}",
                self.with_article()
            ))
        })
    }

    fn convert_unknown(&self, from: &Unknown) -> Result<Value, Mismatch> {
        let ty = self.resolve(&from.ty, "this will be of type")?;
        let prefix = if ty == Self::String {
            &*from.prefix
        } else {
            ""
        };
        Ok(Value::unknown_of(Unknown {
            ty,
            nullable: from.nullable,
            prefix: prefix.into(),
        }))
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
                "true" | "1" => Ok(Value::Bool(true)),
                "false" | "0" => Ok(Value::Bool(false)),
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

    const fn kind_with_article(&self) -> &'static str {
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
}

fn accept_object<'a>(
    to: &BTreeMap<Arc<str>, Field>,
    from: impl Fn(&str) -> Option<&'a Type>,
) -> Option<Type> {
    let attribute = |(name, field): (&Arc<str>, &Field)| {
        let ty = match from(name) {
            Some(given) => field.ty.accepts(given)?,
            None if field.default.is_some() => field.ty.bare(),
            None => return None,
        };
        Some((Arc::clone(name), Field { ty, default: None }))
    };
    to.iter()
        .map(attribute)
        .collect::<Option<_>>()
        .map(Type::Object)
}

/// Elements converted to one type, with that type.
fn convert_items(element: &Type, items: &Items) -> Result<(Type, Vec<Value>), Mismatch> {
    let steps = (0..items.len()).map(Step::Index);
    convert_elements(element, &items.iter().zip(steps), || items.element_type())
}

fn convert_map(element: &Type, fields: &Fields) -> Result<Value, Mismatch> {
    let steps = fields.keys().map(|name| Step::Key(Arc::clone(name)));
    let (element, values) = convert_elements(element, &fields.values().zip(steps), || {
        fields.element_type()
    })?;
    let named = fields.keys().cloned().zip(values);
    Ok(Value::Map(Fields::of(&element, named)))
}

/// Converts elements to the type of the collection; where that leaves something open, the
/// elements decide it together.
fn convert_elements<'a>(
    element: &Type,
    items: &(impl Iterator<Item = (&'a Value, Step)> + Clone),
    present: impl Fn() -> Type,
) -> Result<(Type, Vec<Value>), Mismatch> {
    let convert = |element: &Type| -> Result<Vec<Value>, Mismatch> {
        items
            .clone()
            .map(|(item, step)| element.convert(item).map_err(|m| m.below(step)))
            .collect()
    };
    let values = convert(element)?;
    if element.is_complete() {
        return Ok((element.bare(), values));
    }
    if values.is_empty() {
        let unified = element.accepts(&present());
        return Ok((unified.unwrap_or_else(|| element.bare()), values));
    }
    let types: Vec<Type> = values.iter().map(Type::of).collect();
    let unified = Type::unify_elements(&types)
        .ok_or_else(|| Mismatch::new("all elements must be of one type"))?;
    let values = values
        .iter()
        .zip(items.clone())
        .map(|(value, (_, step))| unified.convert(value).map_err(|m| m.below(step)))
        .collect::<Result<_, _>>()?;
    Ok((unified, values))
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

fn convert_object(types: &BTreeMap<Arc<str>, Field>, fields: &Fields) -> Result<Value, Mismatch> {
    let mut converted = BTreeMap::new();
    for (name, field) in types {
        let given = fields.get(name);
        let value = match (given, &field.default) {
            (Some(value), Some(default)) if value.is_null() && !default.is_null() => {
                default.clone().marked(value.marks())
            }
            (Some(value), _) => field
                .ty
                .convert(value)
                .map_err(|m| m.below(Step::Attribute(Arc::clone(name))))?,
            (None, Some(default)) => default.clone(),
            (None, None) => {
                return Err(Mismatch::new(format!("attribute {name:?} is required")));
            }
        };
        converted.insert(Arc::clone(name), value);
    }
    Ok(Value::Object(converted.into()))
}
