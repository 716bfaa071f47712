//! The values that the variables of the configuration have in a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Value};

use super::Request;
use crate::eval::{Ambient, Facts, Scope, accept, default_of, evaluate};
use crate::language::Config;
use crate::language::body::Attribute;
use crate::language::trial::{Run, Trial};

/// Values by name.
pub(super) type Values = BTreeMap<Arc<str>, Value>;

/// What a run is given.
pub(super) struct Given {
    /// The values of the variables of its configuration.
    pub(super) variables: Values,
    /// Values that the file of tests has beside them, for itself.
    pub(super) beside: Values,
}

impl Given {
    /// The values of all variables of a configuration: what the run says, else what the file says,
    /// else what is given from outside, else the default. `done` are the outputs of earlier runs.
    pub(super) fn of(
        request: &Request<'_>,
        config: &Config,
        (trial, run): (&Trial, &Run),
        done: &Values,
        found: &mut Diagnostics,
    ) -> Result<Self, Diagnostics> {
        let mut wrong = Diagnostics::new();
        let mut given = Self {
            variables: outside(request, config, &mut wrong),
            beside: Values::new(),
        };
        // A file has values for all of its runs, some of which may be those of other modules.
        given.add(request.facts, (config, &trial.variables), done, &mut wrong);
        for attribute in run.variables.values() {
            if !config.variables.contains_key(&attribute.name) {
                found.push(unknown(config, attribute));
            }
        }
        given.add(request.facts, (config, &run.variables), done, &mut wrong);
        given.default(config, run, &mut wrong);
        if wrong.has_errors() {
            Err(wrong)
        } else {
            found.extend(wrong);
            Ok(given)
        }
    }

    /// A scope in which the file of tests itself is evaluated.
    pub(super) fn scope<'a>(&self, nothing: &'a Config, facts: &Facts, done: &Values) -> Scope<'a> {
        let known = self.beside.iter().chain(&self.variables);
        let known = known.map(|(name, value)| (Arc::clone(name), value.clone()));
        let mut scope = Scope::new(nothing, facts.clone(), known.collect());
        for (name, outputs) in done {
            scope.set_block("run", name, outputs.clone());
        }
        scope
    }

    fn add(
        &mut self,
        facts: &Facts,
        (config, attributes): (&Config, &BTreeMap<Arc<str>, Attribute>),
        done: &Values,
        found: &mut Diagnostics,
    ) {
        let nothing = Config::default();
        let scope = self.scope(&nothing, facts, done);
        let (mut variables, mut beside) = (Values::new(), Values::new());
        for (name, attribute) in attributes {
            let span = attribute.value.span();
            let value = evaluate(&attribute.value, &scope, &Ambient::None);
            let added = match config.variables.get(name) {
                Some(variable) => value
                    .and_then(|value| accept(name, variable, &value, &span))
                    .map(|value| variables.insert(Arc::clone(name), value)),
                None => value.map(|value| beside.insert(Arc::clone(name), value)),
            };
            if let Err(fault) = added {
                found.push(*fault);
            }
        }
        self.variables.extend(variables);
        self.beside.extend(beside);
    }

    fn default(&mut self, config: &Config, run: &Run, found: &mut Diagnostics) {
        for (name, variable) in &config.variables {
            if self.variables.contains_key(name) {
                continue;
            }
            match default_of(name, variable) {
                Ok(Some(value)) => {
                    self.variables.insert(Arc::clone(name), value);
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
    }
}

/// What is given from outside for variables that a configuration has.
fn outside(request: &Request<'_>, config: &Config, found: &mut Diagnostics) -> Values {
    let mut values = Values::new();
    for (name, variable) in &config.variables {
        let Some(value) = request.given.get(name) else {
            continue;
        };
        match accept(name, variable, value, &variable.header) {
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
    let detail = format!(
        "The configuration has no variable {:?}; only the run itself can use the value.",
        attribute.name
    );
    Diagnostic::warning("T0002", "Unknown variable", detail)
        .at(&attribute.name_span)
        .help(help)
}
