//! What is said of names that rest on one another.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Diagnostic, Span};

use super::names::{Name, Node};
use crate::language::Config;

/// The diagnostic for names in a circle.
pub(super) fn diagnostic(config: &Config, cycle: &[&Node]) -> Diagnostic {
    let names: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    let first = names.first().cloned().unwrap_or_default();
    let places: BTreeMap<&Node, Span> = cycle
        .iter()
        .filter_map(|node| Some((*node, place(config, node)?)))
        .collect();
    Diagnostic::error(
        "P0002",
        "Cycle",
        format!(
            "These rest on one another: {} → {first}.",
            names.join(" → ")
        ),
    )
    .at_maybe(places.values().next())
    .help("Remove one of the references.")
}

fn place(config: &Config, node: &Node) -> Option<Span> {
    let config = config.module(&node.module)?;
    match &node.name {
        Name::Call(name) => config.calls.get(name).map(|call| call.header.clone()),
        Name::Variable(name) | Name::Validation(name) => {
            config.variables.get(name).map(|v| v.header.clone())
        }
        Name::Check(name) => config.checks.get(name).map(|check| check.header.clone()),
        Name::Local(name) => config.locals.get(name).map(|a| a.name_span.clone()),
        Name::Output(name) => config.outputs.get(name).map(|o| o.header.clone()),
        Name::Block(kind, name) => config
            .declarations
            .get(&(Arc::clone(kind), Arc::clone(name)))
            .map(|declaration| declaration.header.clone()),
        Name::Data(kind, name) => config
            .data
            .get(&(Arc::clone(kind), Arc::clone(name)))
            .map(|declaration| declaration.header.clone()),
    }
}
