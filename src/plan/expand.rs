//! A block, or the call of a module, to its instances.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Key, Span, Type, Value};

use crate::eval::{Ambient, Scope, ephemeral, evaluate};
use crate::language::Declaration;
use crate::language::body::Attribute;
use crate::language::config::Repetition;
use isobar_sdk::Fault;

/// The instances of a block with what `each` and `count` mean in them.
pub type Expanded = Vec<(Option<Key>, Ambient)>;

/// The most instances of a block, and of all blocks and modules of a plan together.
pub(super) const MOST: usize = 100_000;

/// The code of what is not known at plan time.
pub(super) const NOT_KNOWN: &str = "P0005";

/// Evaluates `count` or `for_each`.
///
/// # Errors
/// A number or collection that is not one, or that is not known yet.
pub fn expand(repetition: &Repetition, scope: &Scope<'_>) -> Result<Expanded, Fault> {
    match repetition {
        Repetition::Once => Ok(vec![(None, Ambient::None)]),
        Repetition::If(attribute) => enabled(attribute, scope),
        Repetition::Count(attribute) => count(attribute, scope),
        Repetition::ForEach(attribute) => {
            let instances = for_each(attribute, scope)?;
            within(instances.len(), &attribute.value.span())?;
            Ok(instances)
        }
    }
}

/// An empty value of a block that stands for several, before its instances are set.
#[must_use]
pub fn empty(declaration: &Declaration) -> Option<Value> {
    match declaration.repetition {
        Repetition::Once => None,
        Repetition::If(_) => Some(Value::NULL),
        Repetition::Count(_) => Some(Value::tuple(Vec::new())),
        Repetition::ForEach(_) => Some(Value::object::<Arc<str>>([])),
    }
}

fn fault(attribute: &Attribute, summary: &'static str, detail: String) -> Fault {
    Box::new(Diagnostic::error("P0004", summary, detail).at(&attribute.value.span()))
}

/// How many instances were made so far.
#[derive(Debug, Default)]
pub(super) struct Tally(usize);

impl Tally {
    /// Counts the instances of a block or module.
    ///
    /// # Errors
    /// There are too many in all.
    pub(super) fn add(&mut self, instances: usize, place: &Span) -> Result<(), Fault> {
        self.0 += instances;
        within(self.0, place)
    }
}

fn within(instances: usize, place: &Span) -> Result<(), Fault> {
    if instances <= MOST {
        return Ok(());
    }
    let detail = format!("With this there are more than {MOST} instances.");
    Err(Box::new(
        Diagnostic::error("P0004", "Too many instances", detail)
            .at(place)
            .help("Ask for fewer, or split the configuration into several."),
    ))
}

fn not_known(attribute: &Attribute) -> Fault {
    let mut fault = fault(
        attribute,
        "Not known at plan time",
        format!(
            "{} rests on something that is not known yet, so the instances cannot be told now.",
            attribute.name
        ),
    );
    fault.code = NOT_KNOWN;
    fault.help = Some("Use a value that is known at plan time, such as a variable.".to_owned());
    fault
}

fn enabled(attribute: &Attribute, scope: &Scope<'_>) -> Result<Expanded, Fault> {
    let value = evaluate(&attribute.value, scope, &Ambient::None)?;
    if value.is_unknown() {
        return Err(not_known(attribute));
    }
    if value.is_ephemeral() {
        return Err(ephemeral::kept(
            "The value of enabled",
            &attribute.value.span(),
        ));
    }
    let truth = Type::Bool.convert(value.reveal()).ok();
    match truth.and_then(|truth| truth.as_bool()) {
        Some(true) => Ok(vec![(None, Ambient::None)]),
        Some(false) => Ok(Vec::new()),
        None => Err(fault(
            attribute,
            "Invalid enabled",
            "enabled must be true or false.".to_owned(),
        )),
    }
}

fn count(attribute: &Attribute, scope: &Scope<'_>) -> Result<Expanded, Fault> {
    let value = evaluate(&attribute.value, scope, &Ambient::None)?;
    if value.is_unknown() {
        return Err(not_known(attribute));
    }
    if value.is_ephemeral() {
        return Err(ephemeral::kept(
            "The value of count",
            &attribute.value.span(),
        ));
    }
    let number = Type::Number.convert(value.reveal()).ok();
    let number = number.and_then(|count| count.as_number()?.as_u64());
    let number = number.ok_or_else(|| {
        fault(
            attribute,
            "Invalid count",
            format!("count must be a whole number from 0 on, not {value}."),
        )
    })?;
    within(
        usize::try_from(number).unwrap_or(usize::MAX),
        &attribute.value.span(),
    )?;
    (0..number)
        .map(|position| {
            let index = usize::try_from(position).unwrap_or(usize::MAX);
            Ok((Some(Key::Number(position)), Ambient::Count(index)))
        })
        .collect()
}

fn for_each(attribute: &Attribute, scope: &Scope<'_>) -> Result<Expanded, Fault> {
    let value = evaluate(&attribute.value, scope, &Ambient::None)?;
    if value.is_unknown() {
        return Err(not_known(attribute));
    }
    if value.is_ephemeral() {
        return Err(ephemeral::kept(
            "The value of for_each",
            &attribute.value.span(),
        ));
    }
    if value.is_sensitive() {
        let detail = "Keys of instances are printed, but this value is sensitive.".to_owned();
        return Err(fault(attribute, "Invalid for_each", detail));
    }
    match &value {
        Value::Map(fields) | Value::Object(fields) => Ok(fields
            .iter()
            .map(|(key, value)| {
                (
                    Some(Key::Text(Arc::clone(key))),
                    Ambient::Each(Arc::clone(key), value.clone()),
                )
            })
            .collect()),
        Value::Set(items) => items
            .iter()
            .map(|item| match item {
                Value::String(key) => Ok((
                    Some(Key::Text(Arc::clone(key))),
                    Ambient::Each(Arc::clone(key), item.clone()),
                )),
                Value::Unknown(_) => Err(not_known(attribute)),
                _ => Err(fault(
                    attribute,
                    "Invalid for_each",
                    "A set must hold text.".to_owned(),
                )),
            })
            .collect(),
        other => {
            let mut fault = fault(
                attribute,
                "Invalid for_each",
                format!(
                    "for_each takes a map, an object or a set of text, not a value of type {}.",
                    Type::of(other)
                ),
            );
            fault.help = Some("Turn a list into a set with toset().".to_owned());
            Err(fault)
        }
    }
}
