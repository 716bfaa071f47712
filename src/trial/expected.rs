//! Failures that a run expects, told apart from those that it does not.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Severity, Span};

use crate::language::Config;
use crate::language::lifecycle::Condition;
use crate::language::reference::{Reference, Target, references};
use crate::language::trial::Run;

/// The code of conditions that do not hold.
const BROKEN: &str = "E0016";

/// Something whose conditions must not hold in a run.
struct Expected {
    shown: String,
    span: Span,
    /// Where its conditions begin.
    conditions: Vec<Span>,
    met: bool,
}

/// What a run expects to fail, and what has failed of it.
pub(super) struct Expectations(Vec<Expected>);

impl Expectations {
    /// What a run expects; what has no conditions is reported.
    pub(super) fn of(run: &Run, config: &Config, found: &mut Diagnostics) -> Self {
        let mut expected = Vec::new();
        for reference in run.expect_failures.iter().flat_map(references) {
            let conditions: Vec<Span> = conditions(config, &reference.target)
                .iter()
                .map(|condition| condition.header.clone())
                .collect();
            let shown = shown(&reference);
            if conditions.is_empty() {
                let detail = format!("{shown} has no condition that could fail.");
                found.push(
                    Diagnostic::error("T0003", "Nothing that could fail", detail)
                        .at(&reference.span)
                        .within(&run.header)
                        .help("Name a variable, an output, a check or a resource with conditions."),
                );
                continue;
            }
            expected.push(Expected {
                shown,
                span: reference.span,
                conditions,
                met: false,
            });
        }
        Self(expected)
    }

    /// Takes out what was expected. What else does not hold is an error, also where a plan would
    /// only warn of it.
    pub(super) fn take(&mut self, diagnostics: Diagnostics) -> Diagnostics {
        let mut left = Diagnostics::new();
        for diagnostic in diagnostics {
            if diagnostic.code != BROKEN {
                left.push(diagnostic);
                continue;
            }
            let place = diagnostic.context.as_ref();
            let mut expected = self.0.iter_mut();
            match expected.find(|e| place.is_some_and(|place| e.conditions.contains(place))) {
                Some(expected) => expected.met = true,
                None => left.push(Diagnostic {
                    severity: Severity::Error,
                    ..diagnostic
                }),
            }
        }
        left
    }

    /// What has failed as it should, and kept a run from being applied.
    pub(super) fn barring(&self, run: &Run) -> Diagnostics {
        let mut found = Diagnostics::new();
        for expected in self.0.iter().filter(|expected| expected.met) {
            let detail = format!(
                "{} fails as it should, but already in the plan of run {:?}, so that nothing was applied.",
                expected.shown, run.name
            );
            found.push(
                Diagnostic::error("T0011", "Failure before the apply", detail)
                    .at(&expected.span)
                    .within(&run.header)
                    .help("Write command = plan in this run."),
            );
        }
        found
    }

    /// What did not fail, although it should.
    pub(super) fn missing(&self, run: &Run) -> Diagnostics {
        let mut found = Diagnostics::new();
        for expected in self.0.iter().filter(|expected| !expected.met) {
            let detail = format!(
                "{} should fail in run {:?}, and did not.",
                expected.shown, run.name
            );
            found.push(
                Diagnostic::error("T0004", "Missing failure", detail)
                    .at(&expected.span)
                    .within(&run.header)
                    .help("Give values that its conditions refuse, or expect nothing of it."),
            );
        }
        found
    }
}

/// Whether a diagnostic says that an assertion of a run does not hold.
pub(super) fn is_failure(run: &Run, diagnostic: &Diagnostic) -> bool {
    diagnostic.code == BROKEN && diagnostic.context.as_ref() == Some(&run.header)
}

fn conditions<'a>(config: &'a Config, target: &Target) -> Vec<&'a Condition> {
    let all: Vec<&[Condition]> = match target {
        Target::Variable(name) => config
            .variables
            .get(name)
            .map(|variable| vec![variable.validations.as_slice()]),
        Target::Block(kind, name) if &**kind == "output" => config
            .outputs
            .get(name)
            .map(|output| vec![output.preconditions.as_slice()]),
        Target::Block(kind, name) if &**kind == "check" => config
            .checks
            .get(name)
            .map(|check| vec![check.assertions.as_slice()]),
        Target::Block(kind, name) | Target::Data(kind, name) => {
            let all = match target {
                Target::Data(..) => &config.data,
                _ => &config.declarations,
            };
            let declaration = all.get(&(Arc::clone(kind), Arc::clone(name)));
            declaration.map(|declaration| {
                let lifecycle = &declaration.lifecycle;
                vec![
                    lifecycle.preconditions.as_slice(),
                    lifecycle.postconditions.as_slice(),
                ]
            })
        }
        _ => None,
    }
    .unwrap_or_default();
    all.into_iter().flatten().collect()
}

fn shown(reference: &Reference) -> String {
    match &reference.target {
        Target::Variable(name) => format!("var.{name}"),
        Target::Local(name) => format!("local.{name}"),
        Target::Block(kind, name) => format!("{kind}.{name}"),
        Target::Data(kind, name) => format!("data.{kind}.{name}"),
        Target::Module(name, _) => format!("module.{name}"),
        Target::Ambient(name) | Target::Bare(name) => name.to_string(),
    }
}
