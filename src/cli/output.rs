//! `isobar output`

use std::collections::BTreeMap;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Type, Value, json};

use super::Exit;
use super::args::Output;
use super::failure::Stopped;
use super::project;
use super::session::Session;
use crate::render;
use crate::render::json::Secrets;
use crate::state::OutputValue;
use isobar_sdk::Fault;

pub(super) fn run(session: &Session, args: &Output) -> Result<Exit, Stopped> {
    let state = project::state(session)?;
    let outputs = state.map(|state| state.outputs).unwrap_or_default();
    let shell = &session.shell;
    let Some(name) = &args.name else {
        if args.json {
            shell.document(&render::json::outputs(&outputs, Secrets::Shown));
        } else if outputs.is_empty() {
            shell.diagnostics(&no_outputs().into(), &crate::language::Sources::default());
        } else {
            let values = outputs
                .iter()
                .map(|(name, one)| (name.as_str(), one.value.value()));
            shell.result(&render::outputs(values));
        }
        return Ok(Exit::Success);
    };
    let output = outputs.get(name).ok_or_else(|| unknown(name, &outputs))?;
    if args.raw {
        shell.data(&raw(name, output)?);
    } else if args.json {
        shell.document(&json::encode(output.value.value()));
    } else {
        shell.result(&render::console(&output.value.value().reveal_all()));
    }
    Ok(Exit::Success)
}

fn no_outputs() -> Diagnostic {
    let detail = "The state has no outputs: none are declared, or nothing was applied yet.";
    Diagnostic::warning("C0022", "No outputs", detail)
        .help("Declare output \"name\" { value = … } and apply.")
}

fn unknown(name: &str, outputs: &BTreeMap<String, OutputValue>) -> Diagnostic {
    let detail = format!("The state has no output {name:?}.");
    let help = closest(name, outputs.keys().map(String::as_str)).map_or_else(
        || format!("Declare output {name:?} {{ value = … }} and apply."),
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error("C0023", "No such output", detail).help(help)
}

/// The text of a scalar.
fn raw(name: &str, output: &OutputValue) -> Result<String, Fault> {
    let value = output.value.value().reveal();
    let text = match Type::String.convert(value) {
        Ok(Value::String(text)) => Some(text.to_string()),
        _ => None,
    };
    text.ok_or_else(|| {
        let detail = format!(
            "-raw prints text, numbers and booleans, but output {name:?} is of type {}.",
            Type::of(value)
        );
        Diagnostic::error("C0024", "Output is not text", detail)
            .help("Print it with -json.")
            .into()
    })
}
