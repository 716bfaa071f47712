//! What is said of a reference to nothing.

use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Span};

use super::names::Name;
use crate::language::{Config, noun};

/// The diagnostic for a name that a module does not have; for an output, the module that was
/// called.
pub(super) fn diagnostic(config: &Config, missing: &Name, span: &Span) -> Diagnostic {
    let names = |found: &mut dyn Iterator<Item = &Arc<str>>| -> Vec<String> {
        found.map(ToString::to_string).collect()
    };
    let (given, candidates, declare) = match missing {
        Name::Call(given) => (
            given,
            names(&mut config.calls.keys()),
            format!("module {given:?} {{ source = … }}"),
        ),
        Name::Check(given) => (given, Vec::new(), format!("check {given:?} {{}}")),
        Name::Variable(given) | Name::Validation(given) => (
            given,
            names(&mut config.variables.keys()),
            format!("variable {given:?} {{}}"),
        ),
        Name::Local(given) => (
            given,
            names(&mut config.locals.keys()),
            format!("locals {{ {given} = … }}"),
        ),
        Name::Output(given) => (
            given,
            names(&mut config.outputs.keys()),
            format!("output {given:?} {{ value = … }} in the module"),
        ),
        Name::Block(kind, given) => {
            let known = config.declarations.keys().filter(|(k, _)| k == kind);
            let declare = if noun::schema(kind).is_some() {
                format!("{kind} {given:?} {{ … }}")
            } else {
                format!("resource {kind:?} {given:?} {{ … }}")
            };
            (given, names(&mut known.map(|(_, name)| name)), declare)
        }
        Name::Data(kind, given) => {
            let known = config.data.keys().filter(|(k, _)| k == kind);
            let declare = format!("data {kind:?} {given:?} {{ … }}");
            (given, names(&mut known.map(|(_, name)| name)), declare)
        }
    };
    let help = closest(given, candidates.iter().map(String::as_str)).map_or_else(
        || format!("Declare it with {declare}, or correct the name."),
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = match missing {
        Name::Output(name) => format!("The module has no output {name:?}."),
        _ => format!("There is no {missing} in this {}.", place(config)),
    };
    Diagnostic::error("P0001", "Reference to nothing", detail)
        .at(span)
        .help(help)
}

fn place(config: &Config) -> &'static str {
    if config.folder.is_empty() {
        "configuration"
    } else {
        "module"
    }
}

/// The diagnostic for a name alone.
pub(super) fn bare(name: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(
        "P0001",
        "Reference to nothing",
        format!("{name:?} alone refers to nothing; a reference reads kind.name, as in zone.east."),
    )
    .at(span)
    .help(format!("If text is meant, put it into quotes: {name:?}."))
}

/// The diagnostic for a reference to what stands in a check, from outside of it.
pub(super) fn scoped(target: &Name, check: &str, span: &Span) -> Diagnostic {
    let detail = format!("{target} stands in check.{check}, and only that can refer to it.");
    Diagnostic::error("P0043", "Reference into a check", detail)
        .at(span)
        .help("Move the data block out of the check.")
}
