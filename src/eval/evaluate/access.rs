//! Attributes, indices and splats.

use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Fault, Type, Value};

use super::{Evaluation, is_scalar, listing};
use crate::eval::bounds::TURN;
use crate::language::expression::{Access, Expression, Extent};

impl Evaluation<'_> {
    pub(super) fn attribute(
        &self,
        value: &Value,
        name: &Arc<str>,
        extent: Extent,
    ) -> Result<Value, Fault> {
        let found = match value.reveal() {
            Value::Object(fields) | Value::Map(fields) => fields.get(name).cloned(),
            Value::Unknown(unknown) => attribute_type(&unknown.ty, name).map(Value::unknown_of),
            other => {
                let ty = Type::of(other);
                let detail = if other.is_null() {
                    format!("This value is null, so it has no attribute {name:?}.")
                } else {
                    format!("This value is of type {ty}, which has no attributes.")
                };
                return Err(self.fault(extent, "Unsupported attribute", detail));
            }
        };
        found
            .map(|found| found.marked(value.marks()))
            .ok_or_else(|| {
                let mut fault = self.fault(
                    extent,
                    "Unsupported attribute",
                    format!("This object has no attribute named {name:?}."),
                );
                let names = value
                    .fields()
                    .map(|fields| fields.keys().map(|n| &**n).collect::<Vec<_>>());
                let names = names.unwrap_or_default();
                fault.help = match closest(name, names.iter().copied()) {
                    Some(meant) => Some(format!("Did you mean {meant:?}?")),
                    None if names.is_empty() => None,
                    None => Some(format!("It has {}.", names.join(", "))),
                };
                fault
            })
    }

    pub(super) fn index(
        &self,
        value: &Value,
        index: &Value,
        extent: Extent,
    ) -> Result<Value, Fault> {
        let marks = value.marks().union(index.marks());
        let wrong =
            |detail: String| self.fault_about(extent, "Invalid index", (detail, &[value, index]));
        let found = match (value.reveal(), index.reveal()) {
            (_, Value::Null(_)) => return Err(wrong("The index is null.".to_owned())),
            (Value::Unknown(unknown), _) => element_type(&unknown.ty, index.reveal())
                .map(Value::unknown_of)
                .ok_or_else(|| {
                    wrong(format!(
                        "This will be of type {}, which has no such element.",
                        unknown.ty
                    ))
                })?,
            (
                collection @ (Value::List(_) | Value::Tuple(_) | Value::Map(_) | Value::Object(_)),
                Value::Unknown(_),
            ) => Value::unknown_of(
                element_type(&Type::of(collection), index.reveal()).unwrap_or(Type::Any),
            ),
            (Value::Object(fields) | Value::Map(fields), _) => {
                let key = Type::String.convert(index.reveal());
                let key = key.ok().and_then(|key| key.as_str().map(str::to_owned));
                let key = key.ok_or_else(|| wrong("A map is indexed by text.".to_owned()))?;
                fields.get(key.as_str()).cloned().ok_or_else(|| {
                    let keys: Vec<&str> = fields.keys().map(|key| &**key).collect();
                    wrong(format!(
                        "There is no element {key:?}; there are {}.",
                        listing(&keys)
                    ))
                })?
            }
            (Value::List(items) | Value::Tuple(items), _) => {
                let position = Type::Number.convert(index.reveal()).ok();
                let position = position.and_then(|p| p.as_number()?.as_u64());
                let position = position.and_then(|p| usize::try_from(p).ok());
                position
                    .and_then(|position| items.get(position))
                    .cloned()
                    .ok_or_else(|| {
                        wrong(format!(
                            "There is no element {index}; there are {} elements, counted from 0.",
                            items.len()
                        ))
                    })?
            }
            (Value::Set(_), _) => {
                return Err(wrong(
                    "Elements of a set have no index; use tolist() or one().".to_owned(),
                ));
            }
            (other, _) => {
                return Err(wrong(format!(
                    "A value of type {} has no elements.",
                    Type::of(other)
                )));
            }
        };
        Ok(found.marked(marks))
    }

    pub(super) fn splat(
        &mut self,
        inner: &Expression,
        accesses: &[Access],
        extent: Extent,
    ) -> Result<Value, Fault> {
        let value = self.value(inner)?;
        self.splat_value(&value, accesses, extent)
    }

    /// What `accesses` take of each element; a single value is its own only element, and null
    /// has none.
    fn splat_value(
        &mut self,
        value: &Value,
        accesses: &[Access],
        extent: Extent,
    ) -> Result<Value, Fault> {
        let marks = value.marks();
        let (items, list) = match value.reveal() {
            Value::Unknown(unknown) => {
                let taken = self.splat_unknown(&unknown.ty, accesses, extent)?;
                return Ok(taken.marked(marks));
            }
            Value::Null(Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                let detail = "This list is null, so nothing can be taken of its elements.";
                return Err(self.fault(extent, "Invalid splat", detail));
            }
            Value::Null(_) => (Vec::new(), None),
            Value::List(items) | Value::Set(items) => (items.to_vec(), Some(items.element_type())),
            Value::Tuple(items) => (items.to_vec(), None),
            single => (vec![single.clone()], None),
        };
        self.spend(TURN * items.len(), extent)?;
        let taken: Vec<Value> = items
            .iter()
            .map(|item| self.take(item, accesses, extent))
            .collect::<Result<_, _>>()?;
        let result = match list {
            Some(element) if taken.is_empty() => {
                let element = self.take(&Value::unknown_of(element), accesses, extent)?;
                Value::list_of(&Type::of(&element), taken)
            }
            Some(_) => Value::list(taken),
            None => Value::tuple(taken),
        };
        Ok(result.marked(marks))
    }

    /// What a splat of something unknown will be, as far as its type tells.
    fn splat_unknown(
        &mut self,
        ty: &Type,
        accesses: &[Access],
        extent: Extent,
    ) -> Result<Value, Fault> {
        let (Type::List(element) | Type::Set(element)) = ty else {
            if is_scalar(ty) {
                self.take(&Value::unknown_of(ty.clone()), accesses, extent)?;
            }
            return Ok(Value::unknown());
        };
        let element = Value::unknown_of((**element).clone());
        let taken = self.take(&element, accesses, extent)?;
        Ok(Value::unknown_of(Type::list(Type::of(&taken))))
    }

    fn take(&mut self, item: &Value, accesses: &[Access], extent: Extent) -> Result<Value, Fault> {
        let Some((first, rest)) = accesses.split_first() else {
            return Ok(item.clone());
        };
        let taken = match first {
            Access::Attribute(name) => self.attribute(item, name, extent)?,
            Access::Index(index) => {
                let index = self.value(index)?;
                self.index(item, &index, extent)?
            }
            Access::Splat => return self.splat_value(item, rest, extent),
        };
        self.take(&taken, rest, extent)
    }
}

/// The type of an attribute; `None` where there can be none of that name.
fn attribute_type(ty: &Type, name: &str) -> Option<Type> {
    match ty {
        Type::Any => Some(Type::Any),
        Type::Map(element) => Some((**element).clone()),
        Type::Object(fields) => fields.get(name).map(|field| field.ty.clone()),
        _ => None,
    }
}

/// The type of an element; `None` where there can be none at this index.
fn element_type(ty: &Type, index: &Value) -> Option<Type> {
    match ty {
        Type::Any => Some(Type::Any),
        Type::List(element) => {
            Type::Number.convert(index).ok()?;
            Some((**element).clone())
        }
        Type::Tuple(types) => match index.as_number() {
            Some(number) => types.get(usize::try_from(number.as_u64()?).ok()?).cloned(),
            None => Some(Type::Any),
        },
        Type::Map(_) | Type::Object(_) => match index.as_str() {
            Some(name) => attribute_type(ty, name),
            None => Some(Type::Any),
        },
        _ => None,
    }
}
