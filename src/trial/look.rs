//! The assertions of a run, evaluated in what it led to.

use std::sync::Arc;

use isobar_sdk::{Diagnostic, Diagnostics, Value};

use super::stage::Stage;
use super::values::Values;
use crate::apply;
use crate::eval::condition::{self, Verdict};
use crate::eval::{Ambient, Instance};
use crate::language::trial::Run;
use crate::plan::{Mode, Plan};

/// The outputs of a plan, as one value.
pub(super) fn outputs(plan: &Plan) -> Value {
    let known = plan.outputs.iter();
    let known = known.filter_map(|(name, output)| {
        let value = output.after.clone()?;
        Some((Arc::from(name.as_str()), value))
    });
    Value::object::<Arc<str>>(known)
}

/// Evaluates the assertions of a run in the values of a plan; gives back those that do not hold.
pub(super) fn assertions(
    stage: &Stage,
    run: &Run,
    plan: &Plan,
    (beside, done): (&Values, &Values),
) -> Diagnostics {
    let mut found = Diagnostics::new();
    let looked_at = Plan {
        mode: Mode::Normal,
        ..plan.clone()
    };
    let (mut frames, wrong) = apply::frames(&stage.config, &stage.registry, &looked_at);
    found.extend(wrong);
    let Some(scope) = frames.get_mut(&Instance::new()) else {
        return found;
    };
    for (name, output) in &plan.outputs {
        if let Some(value) = &output.after {
            scope.set_block("output", name, value.clone());
        }
    }
    for (name, value) in beside {
        scope.set_variable(name, value.clone());
    }
    for (name, outputs) in done {
        scope.set_block("run", name, outputs.clone());
    }
    for assertion in &run.assertions {
        match condition::judge(assertion, scope, &Ambient::None) {
            Ok(Verdict::Holds) => {}
            Ok(Verdict::Broken(message)) => {
                found.push(
                    condition::broken(assertion, &message, (scope, &Ambient::None))
                        .within(&run.header),
                );
            }
            Ok(Verdict::Open) => found.push(open(run, assertion)),
            Err(fault) => found.push(*fault),
        }
    }
    found
}

fn open(run: &Run, assertion: &crate::language::lifecycle::Condition) -> Diagnostic {
    let detail = "The condition rests on something that is known after apply only.";
    Diagnostic::error("T0005", "Assertion too early", detail)
        .at(&assertion.condition.value.span())
        .within(&run.header)
        .help("Write command = apply, or leave it out, to look at what is made.")
}
