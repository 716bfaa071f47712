//! What is ephemeral, and the places that would keep it.

use isobar_sdk::value::Marks;
use isobar_sdk::{Diagnostic, Diagnostics, Fault, Span, Step, Value};

use crate::language::body::Body;
use crate::language::config::{Output, Variable};

/// The diagnostic for something ephemeral where it would be kept.
#[must_use]
pub fn kept(what: &str, span: &Span) -> Fault {
    let detail =
        format!("{what} would be kept in the plan and in the state, but its value is ephemeral.");
    refused(&detail, span)
        .help("Use it in the settings of a provider only, or give a value that may be kept.")
        .into()
}

/// Reports every attribute of a body that holds something ephemeral.
pub(super) fn report(value: &Value, body: &Body, header: &Span, diagnostics: &mut Diagnostics) {
    for path in value.marked_paths(Marks::EPHEMERAL) {
        let attribute = path.steps().first().and_then(|step| match step {
            Step::Attribute(name) => body.attributes.iter().find(|a| a.name == *name),
            _ => None,
        });
        let span = attribute.map_or_else(|| header.clone(), |a| a.value.span());
        diagnostics.push(kept(&format!("Attribute {path}"), &span).within(header));
    }
}

/// Checks a value on its way into a variable of a module.
pub(super) fn entering(
    name: &str,
    variable: &Variable,
    value: &Value,
    span: &Span,
) -> Result<(), Fault> {
    if variable.ephemeral || !value.contains_ephemeral() {
        return Ok(());
    }
    let detail = format!("Variable {name:?} of the module does not take what is ephemeral.");
    Err(refused(&detail, span)
        .within(&variable.header)
        .help("Add ephemeral = true to the variable, or give another value.")
        .into())
}

/// Checks the value of an output of a module, which is given to its caller.
pub(super) fn leaving(name: &str, output: &Output, value: &Value) -> Result<(), Fault> {
    let (detail, help) = match (output.ephemeral, value.contains_ephemeral()) {
        (true, true) | (false, false) => return Ok(()),
        (false, true) => (
            format!("Output {name:?} shows something that is ephemeral."),
            "Add ephemeral = true to the output.",
        ),
        (true, false) => (
            format!("Output {name:?} is ephemeral, but its value is not."),
            "Remove ephemeral = true from the output.",
        ),
    };
    Err(refused(&detail, &output.value.value.span())
        .within(&output.header)
        .help(help)
        .into())
}

/// Checks the value of an output of the root, which the state keeps.
///
/// # Errors
/// What is ephemeral about it.
pub fn shown(name: &str, output: &Output, value: &Value) -> Result<(), Fault> {
    if output.ephemeral {
        let detail = format!("Output {name:?} is one of the root module, which are kept.");
        return Err(refused(&detail, &output.header)
            .help("Remove ephemeral = true; only modules can have ephemeral outputs.")
            .into());
    }
    if value.contains_ephemeral() {
        let span = output.value.value.span();
        return Err(kept(&format!("Output {name:?}"), &span)
            .within(&output.header)
            .into());
    }
    Ok(())
}

fn refused(detail: &str, span: &Span) -> Diagnostic {
    Diagnostic::error("E0013", "Ephemeral value not allowed", detail.to_owned()).at(span)
}
