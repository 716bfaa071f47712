//! What is known of a block from its type alone, before anything of it is planned.

use std::sync::Arc;

use isobar_sdk::schema::{Body, Visibility};
use isobar_sdk::value::Unknown;
use isobar_sdk::{Diagnostic, Type, Value};

use crate::language::config::{Output, Repetition};
use crate::language::lifecycle::{Ignore, Segment};
use crate::language::{Config, Declaration};

/// One instance of a resource: an object whose attributes are unknown.
pub(super) fn instance(shape: &Body) -> Value {
    let Type::Object(fields) = shape.value_type() else {
        return Value::unknown();
    };
    Value::object(fields.into_iter().map(|(name, field)| {
        let attribute = shape.attributes.get(&*name);
        let sensitive = attribute.is_some_and(|a| a.visibility == Visibility::Sensitive);
        (name, Value::unknown_of(field.ty).sensitive_if(sensitive))
    }))
}

/// All instances of a block, each of which is `one`, without saying how many there are.
pub(super) fn all(repetition: &Repetition, one: Value) -> Value {
    let ty = Type::of(&one);
    let some = |ty| Value::unknown_of(Unknown::from(ty).not_null());
    match repetition {
        Repetition::Once => one,
        Repetition::If(_) => Value::unknown_of(ty),
        Repetition::Count(_) => some(Type::list(ty)),
        Repetition::ForEach(_) => some(Type::Map(Box::new(ty))),
    }
}

/// What one instance of a module gives to its caller.
pub(super) fn module(config: &Config) -> Value {
    let output = |output: &Output| Value::unknown().sensitive_if(output.sensitive);
    let outputs = config.outputs.iter();
    Value::object(outputs.map(|(name, o)| (Arc::clone(name), output(o))))
}

/// The diagnostics for what `ignore_changes` names and a resource does not have.
pub(super) fn check_ignored(declaration: &Declaration, shape: &Body) -> Vec<Diagnostic> {
    let Ignore::Paths(paths) = &declaration.lifecycle.ignore_changes else {
        return Vec::new();
    };
    let known = |name: &str| shape.attributes.contains_key(name) || shape.blocks.contains_key(name);
    let attributes = shape.attributes.keys().map(|name| &**name);
    let all = attributes.chain(shape.blocks.keys().map(String::as_str));
    let first = paths.iter().filter_map(|path| match path.first() {
        Some(Segment::Name(name)) if !known(name) => Some(name),
        Some(like @ Segment::Like(name)) if !all.clone().any(|known| like.names(known)) => {
            Some(name)
        }
        _ => None,
    });
    first
        .map(|name| {
            let detail = format!(
                "{} has no attribute {name:?} that could be ignored.",
                declaration.kind
            );
            let names = shape.attributes.keys().map(|name| &**name);
            let meant = isobar_sdk::diagnostic::closest(name, names);
            let help = meant.map_or_else(
                || "Remove it from ignore_changes.".to_owned(),
                |meant| format!("Did you mean {meant:?}?"),
            );
            Diagnostic::error("L0033", "Invalid path to ignore", detail)
                .at(&declaration.header)
                .help(help)
        })
        .collect()
}
