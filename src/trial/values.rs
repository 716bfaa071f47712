//! The values that the variables of the configuration have in a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Value};

use super::Request;
use crate::eval::{Ambient, Scope, accept, default_of, evaluate};
use crate::language::Config;
use crate::language::body::Attribute;
use crate::language::trial::{Run, Trial};

/// Values by name.
pub(super) type Values = BTreeMap<Arc<str>, Value>;

/// The values of all variables: what the run says, else what the file says, else what is given from
/// outside, else the default. `done` are the outputs of earlier runs.
pub(super) fn of(
    request: &Request<'_>,
    trial: &Trial,
    run: &Run,
    done: &Values,
) -> Result<Values, Diagnostics> {
    let mut found = Diagnostics::new();
    let mut values = request.given.clone();
    for attributes in [&trial.variables, &run.variables] {
        let said = evaluated(request, attributes, (&values, done), &mut found);
        values.extend(said);
    }
    for (name, variable) in &request.config.variables {
        if values.contains_key(name) {
            continue;
        }
        match default_of(name, variable) {
            Ok(Some(value)) => {
                values.insert(Arc::clone(name), value);
            }
            Ok(None) => {
                let detail = format!(
                    "Variable {name:?} has no default, and no value is given in run {:?}.",
                    run.name
                );
                found.push(
                    Diagnostic::error("T0001", "No value for a variable", detail)
                        .at(&variable.header)
                        .within(&run.header)
                        .help("Set it in variables {} of the run or of the file."),
                );
            }
            Err(fault) => found.push(*fault),
        }
    }
    if found.has_errors() {
        Err(found)
    } else {
        Ok(values)
    }
}

fn evaluated(
    request: &Request<'_>,
    attributes: &BTreeMap<Arc<str>, Attribute>,
    (known, done): (&Values, &Values),
    found: &mut Diagnostics,
) -> Values {
    let nothing = Config::default();
    let mut scope = Scope::new(&nothing, request.facts.clone(), known.clone());
    for (name, outputs) in done {
        scope.set_block("run", name, outputs.clone());
    }
    let mut values = BTreeMap::new();
    for (name, attribute) in attributes {
        let Some(variable) = request.config.variables.get(name) else {
            found.push(unknown(request.config, attribute));
            continue;
        };
        let value = evaluate(&attribute.value, &scope, &Ambient::None);
        let span = attribute.value.span();
        match value.and_then(|value| accept(name, variable, &value, &span)) {
            Ok(value) => {
                values.insert(Arc::clone(name), value);
            }
            Err(fault) => found.push(*fault),
        }
    }
    values
}

fn unknown(config: &Config, attribute: &Attribute) -> Diagnostic {
    let names = config.variables.keys().map(|name| &**name);
    let help = closest(&attribute.name, names).map_or_else(
        || "Declare it in the configuration, or remove it.".to_owned(),
        |meant| format!("Did you mean {meant:?}?"),
    );
    let detail = format!("The configuration has no variable {:?}.", attribute.name);
    Diagnostic::error("T0002", "Unknown variable", detail)
        .at(&attribute.name_span)
        .help(help)
}
