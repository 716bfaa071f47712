//! What a provider's answer means for the state.

use isobar_sdk::conformance::broken_promise;
use isobar_sdk::provider::Outcome;
use isobar_sdk::{Address, Diagnostic, Error, Known, Path, Value};

use super::run::Run;
use crate::change::Change;
use crate::plan::Step;
use crate::state::{DeposedKey, Instance, Record, Status};

/// What an outcome means.
pub(super) struct Settled {
    /// What is recorded of it.
    pub(super) records: Vec<Record>,
    /// What the instance is now.
    pub(super) value: Option<Value>,
    /// What is wrong.
    pub(super) problem: Option<Diagnostic>,
}

impl Settled {
    /// A failure that changed nothing; where even that is not known, the change stays pending,
    /// so that the next try has the same key.
    fn failed(address: &Address, error: &Error) -> Self {
        let unchanged = Record::Unchanged {
            address: address.clone(),
        };
        Self {
            records: (!error.is_transient())
                .then_some(unchanged)
                .into_iter()
                .collect(),
            value: None,
            problem: Some(failure(address, error)),
        }
    }
}

impl Run<'_> {
    /// What an outcome means for the state, and what is wrong with it.
    pub(super) fn judge(&self, step: &Step, outcome: Outcome) -> Settled {
        let address = step.address();
        match (step, outcome) {
            (Step::Discard(_, key), outcome) => discarded(address, *key, outcome),
            (Step::Remove(_), Outcome::Done(None)) => Settled {
                records: vec![Record::Removed {
                    address: address.clone(),
                }],
                value: None,
                problem: None,
            },
            (Step::Remove(_), Outcome::Done(Some(left))) => {
                let error = Error::conflict("the provider says it is still there");
                self.store(address, &left, Some(failure(address, &error)))
            }
            (_, Outcome::Done(None)) => {
                let error = Error::not_found("the provider says that it made nothing");
                Settled::failed(address, &error)
            }
            (_, Outcome::Done(Some(made))) => {
                let promised = self
                    .plan
                    .changes
                    .get(address)
                    .and_then(|p| p.change.after());
                let kept = promised.and_then(|promised| {
                    let path = broken_promise(promised, made.value())?;
                    Some(broken(address, path, promised, made.value()))
                });
                self.store(address, &made, kept)
            }
            (_, Outcome::Partial { state, error }) => {
                self.store(address, &state, Some(failure(address, &error)))
            }
            (_, Outcome::Failed(error)) => Settled::failed(address, &error),
        }
    }

    /// Stores what is there, with the marks that it was planned with.
    fn store(&self, address: &Address, now: &Known, problem: Option<Diagnostic>) -> Settled {
        let planned = self.plan.changes.get(address);
        let planned_value = planned.and_then(|p| match &p.change {
            Change::Delete { before } => Some(before.value()),
            change => change.after(),
        });
        let mut marks = planned_value
            .map(Value::sensitive_paths)
            .unwrap_or_default();
        marks.extend(self.marks.get(address).into_iter().flatten().cloned());
        let marked = now.value().mark(&marks);
        let schema = self.registry.resource(address.resource_type());
        let value = schema.map_or_else(
            || marked.clone(),
            |(_, schema)| schema.body.withhold(&schema.body.spread_marks(&marked)),
        );
        let attributes = Known::new(value.clone()).unwrap_or_else(|_| now.clone());
        let instance = Instance {
            provider: planned.map(|p| p.provider.clone()).unwrap_or_default(),
            schema_version: planned.map_or(0, |p| p.schema_version),
            attributes,
            dependencies: planned.map(|p| p.dependencies.clone()).unwrap_or_default(),
            status: Status::Ready,
            life: planned.map(|p| p.life).unwrap_or_default(),
        };
        let deposed = self.deposing.get(address);
        let deposed = deposed.filter(|_| self.state.instances.contains_key(address));
        let deposed = deposed.map(|key| Record::Deposed {
            address: address.clone(),
            key: *key,
        });
        let stored = Record::Stored {
            address: address.clone(),
            instance: Box::new(instance),
        };
        Settled {
            records: deposed.into_iter().chain([stored]).collect(),
            value: Some(value),
            problem,
        }
    }
}

/// What became of something that was deposed; it stays recorded until it is gone.
fn discarded(address: &Address, key: DeposedKey, outcome: Outcome) -> Settled {
    let error = match outcome {
        Outcome::Done(None) => None,
        Outcome::Done(Some(_)) => Some(Error::conflict("the provider says it is still there")),
        Outcome::Partial { error, .. } | Outcome::Failed(error) => Some(error),
    };
    let gone = Record::Discarded {
        address: address.clone(),
        key,
    };
    Settled {
        records: error.is_none().then_some(gone).into_iter().collect(),
        value: None,
        problem: error.map(|error| failure(address, &error)),
    }
}

pub(super) fn failure(address: &Address, error: &Error) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "A0003",
        "Change failed",
        isobar_sdk::diagnostic::sentence(&error.message),
    )
    .about(address);
    diagnostic.help.clone_from(&error.help);
    diagnostic
}

pub(super) fn broken(
    address: &Address,
    path: Path,
    promised: &Value,
    actual: &Value,
) -> Diagnostic {
    let secret = promised
        .sensitive_paths()
        .iter()
        .any(|marked| path.starts_with(marked));
    let show = |value: &Value| {
        let part = value.get(&path).cloned().unwrap_or(Value::NULL);
        part.sensitive_if(secret).to_string()
    };
    let detail = format!(
        "The plan said {path} = {}, but it would be {}. This is a fault of the provider, or something changed since the plan.",
        show(promised),
        show(actual)
    );
    Diagnostic::error("A0004", "Plan not kept", detail)
        .about(address)
        .on(path)
        .help("Plan again; if it persists, report it to the makers of the provider.")
}
