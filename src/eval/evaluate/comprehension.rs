//! `for` expressions.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::value::Marks;
use isobar_sdk::{Fault, Type, Value};

use super::Evaluation;
use crate::eval::bounds::TURN;
use crate::language::expression::{Expression, For};

impl Evaluation<'_> {
    pub(super) fn for_expression(&mut self, each: &For) -> Result<Value, Fault> {
        let collection = self.value(&each.collection)?;
        let mut marks = collection.marks();
        if collection.is_unknown() {
            return Ok(Value::unknown().marked(marks));
        }
        let elements = elements(&collection).ok_or_else(|| {
            let detail = format!("A value of type {} has no elements.", Type::of(&collection));
            self.fault(each.collection.extent, "Invalid collection", detail)
        })?;
        self.try_condition(each)?;
        let mut values = Vec::new();
        let mut fields: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
        let (mut known, mut held) = (true, 0);
        for (key, value) in elements {
            self.spend(TURN, each.value.extent)?;
            let outside = self.bound.len();
            self.bind(each.key_name.as_ref(), &each.value_name, key, value);
            let entry = self.for_entry(each);
            self.bound.truncate(outside);
            let (entry, found) = entry?;
            marks = marks.union(found);
            match entry {
                Entry::Left => {}
                Entry::Unknown => known = false,
                Entry::Item(value) => {
                    self.add(&mut held, &value, each.value.extent)?;
                    values.push(value);
                }
                Entry::Field(name, value) => {
                    self.add(&mut held, &value, each.value.extent)?;
                    let slot = fields.entry(Arc::clone(&name)).or_default();
                    if !slot.is_empty() && !each.grouping {
                        let detail = if marks.contains(Marks::SENSITIVE) {
                            "A key comes twice.".to_owned()
                        } else {
                            format!("The key {name:?} comes twice.")
                        };
                        let extent = each
                            .key
                            .as_ref()
                            .map_or(each.value.extent, |key| key.extent);
                        let mut fault = self.fault(extent, "Duplicate object key", detail);
                        fault.help =
                            Some("Add ... behind the value to group values by key.".into());
                        return Err(fault);
                    }
                    slot.push(value);
                }
            }
        }
        if !known {
            return Ok(Value::unknown().marked(marks));
        }
        if each.key.is_none() {
            return Ok(Value::tuple(values).marked(marks));
        }
        let fields = fields.into_iter().filter_map(|(name, mut values)| {
            let value = if each.grouping {
                Value::tuple(values)
            } else {
                values.pop()?
            };
            Some((name, value))
        });
        Ok(Value::object(fields).marked(marks))
    }

    /// Evaluates the condition for an element that nothing is known about: what is wrong with it
    /// for every element is wrong where there are none, too.
    fn try_condition(&mut self, each: &For) -> Result<(), Fault> {
        let Some(condition) = &each.condition else {
            return Ok(());
        };
        let outside = self.bound.len();
        let (key, value) = (Value::unknown(), Value::unknown());
        self.bind(each.key_name.as_ref(), &each.value_name, key, value);
        let truth = self.value(condition);
        self.bound.truncate(outside);
        let truth = truth?;
        match Type::Bool.convert(truth.reveal()) {
            Ok(truth) if !truth.is_null() => Ok(()),
            _ => Err(self.no_condition(condition)),
        }
    }

    fn no_condition(&self, condition: &Expression) -> Fault {
        let detail = "The condition must be true or false.";
        self.fault(condition.extent, "Invalid condition", detail)
    }

    /// What one element gives, and the marks of its condition and key.
    fn for_entry(&mut self, each: &For) -> Result<(Entry, Marks), Fault> {
        let mut marks = Marks::NONE;
        if let Some(condition) = &each.condition {
            let truth = self.value(condition)?;
            marks = marks.union(truth.marks());
            if truth.is_unknown() {
                return Ok((Entry::Unknown, marks));
            }
            match Type::Bool.convert(truth.reveal()) {
                Ok(Value::Bool(true)) => {}
                Ok(Value::Bool(false)) => return Ok((Entry::Left, marks)),
                _ => return Err(self.no_condition(condition)),
            }
        }
        let Some(key) = &each.key else {
            let value = self.value(&each.value)?;
            return Ok((Entry::Item(value), marks));
        };
        let name = self.value(key)?;
        marks = marks.union(name.marks());
        if name.is_unknown() {
            return Ok((Entry::Unknown, marks));
        }
        let entry = match self.key(&name, key.extent)? {
            Some(text) => Entry::Field(text, self.value(&each.value)?),
            None => Entry::Unknown,
        };
        Ok((entry, marks))
    }

    pub(super) fn bind(
        &mut self,
        key_name: Option<&Arc<str>>,
        value_name: &Arc<str>,
        key: Value,
        value: Value,
    ) {
        if let Some(name) = key_name {
            self.bound.push((Arc::clone(name), key));
        }
        self.bound.push((Arc::clone(value_name), value));
    }
}

/// What one element gives to the result of a `for` expression.
enum Entry {
    /// Nothing: its condition is false.
    Left,
    /// It cannot be told yet.
    Unknown,
    Item(Value),
    Field(Arc<str>, Value),
}

/// The elements of a collection with their keys; `None` for what has none.
pub(super) fn elements(collection: &Value) -> Option<Vec<(Value, Value)>> {
    match collection.reveal() {
        Value::List(items) | Value::Tuple(items) => Some(
            items
                .iter()
                .enumerate()
                .map(|(i, item)| (Value::from(i), item.clone()))
                .collect(),
        ),
        Value::Set(items) => Some(
            items
                .iter()
                .map(|item| (item.clone(), item.clone()))
                .collect(),
        ),
        Value::Map(fields) | Value::Object(fields) => Some(
            fields
                .iter()
                .map(|(key, v)| (Value::String(Arc::clone(key)), v.clone()))
                .collect(),
        ),
        _ => None,
    }
}
