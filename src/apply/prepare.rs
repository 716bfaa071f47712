//! What a provider is asked to do in a step.

use isobar_sdk::conformance::broken_promise;
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Path, Value};

use super::late::node_of;
use super::outcome::{broken, failure};
use super::run::Run;
use crate::change::{Action, Change};
use crate::plan::{Configured, PlannedChange, Step, plain};
use crate::state::DeposedKey;

/// A change that is ready to be handed to its provider.
pub(super) struct Prepared {
    pub(super) step: Step,
    pub(super) request: Apply,
    pub(super) provider: String,
}

/// Why a step cannot begin.
pub(super) enum Unready {
    /// Something is wrong with it.
    Wrong(Diagnostics),
    /// Something that it rests on went wrong, which is reported already.
    RestsOnFailure,
}

impl<T: Into<Diagnostics>> From<T> for Unready {
    fn from(found: T) -> Self {
        Self::Wrong(found.into())
    }
}

impl Run<'_> {
    /// The instance of a step and what happens to it in this step.
    pub(super) fn subject(&self, step: &Step) -> Option<(Address, Action)> {
        match step {
            Step::Remove(address) | Step::Discard(address, _) => {
                Some((address.clone(), Action::Delete))
            }
            Step::Make(address) => {
                let action = self.plan.changes.get(address)?.change.action();
                let action = if action == Action::Replace {
                    Action::Create
                } else {
                    action
                };
                Some((address.clone(), action))
            }
            Step::Made(_) | Step::Released(_) | Step::Settled(_) => None,
        }
    }

    /// What a provider is asked to do in a step; `None` for steps that only order.
    pub(super) async fn prepare(&mut self, step: &Step) -> Result<Option<Prepared>, Unready> {
        if let Step::Discard(address, key) = step {
            return Ok(self.prepare_discard(address, *key));
        }
        let Some((address, action)) = self.subject(step) else {
            return Ok(None);
        };
        let plan = self.plan;
        let Some(planned) = plan.changes.get(&address) else {
            return Ok(None);
        };
        let (operation, configuration) = match (step, planned.change.before()) {
            (Step::Remove(_), Some(prior)) => {
                let prior = plain(prior);
                (Operation::Delete { prior }, Value::NULL)
            }
            (Step::Remove(_), None) => return Ok(None),
            _ => self.operation(&address, planned).await?,
        };
        let key = self.key(&address, action);
        Ok(Some(Prepared {
            step: step.clone(),
            request: Apply {
                address,
                operation,
                configuration,
                key,
            },
            provider: planned.provider.clone(),
        }))
    }

    /// Destroys what was deposed. The key is the same for every try: what is deposed does not change
    /// any more.
    fn prepare_discard(&self, address: &Address, key: DeposedKey) -> Option<Prepared> {
        let instance = self.state.deposed.get(&(address.clone(), key))?;
        let lineage = &self.state.lineage;
        Some(Prepared {
            step: Step::Discard(address.clone(), key),
            request: Apply {
                address: address.clone(),
                operation: Operation::Delete {
                    prior: plain(&instance.attributes),
                },
                configuration: Value::NULL,
                key: IdempotencyKey::new(format!("{lineage}/{address}/{key}/delete")),
            },
            provider: instance.provider.clone(),
        })
    }

    /// Resolves what was unknown, plans again, and holds the result against the promise; with what
    /// the configuration says now.
    async fn operation(
        &mut self,
        address: &Address,
        planned: &PlannedChange,
    ) -> Result<(Operation, Value), Unready> {
        let Some((_, schema)) = self.registry.resource(address.resource_type()) else {
            return Err(failure(
                address,
                &Error::unavailable("its type is not in this build"),
            )
            .into());
        };
        let found = self.world.catch_up(&self.providers).await;
        self.diagnostics.extend(found);
        if self.world.rests_on_failure(&node_of(address)) {
            return Err(Unready::RestsOnFailure);
        }
        let unmet = self.world.broken_before(address);
        if unmet.has_errors() {
            return Err(unmet.into());
        }
        let configuration = self.world.configuration(address, planned, schema)?;
        let prior = match &planned.change {
            Change::Update { before, .. } => Some(before.clone()),
            _ => None,
        };
        let provider = self.providers.get(&planned.provider).cloned();
        let provider = provider.ok_or_else(|| {
            Diagnostics::from(failure(
                address,
                &Error::unavailable("its provider is not configured"),
            ))
        })?;
        let configured = Configured {
            address,
            provider: &*provider,
            schema,
            configuration: &configuration,
            ignore: self.world.ignored(address),
        };
        let now = configured.plan(prior.as_ref()).await;
        let now = now.map_err(|error| Diagnostics::from(failure(address, &error)))?;
        if let (Some(path), true) = (now.replace.first(), prior.is_some()) {
            return Err(cannot_update(address, path).into());
        }
        let now = now.after;
        self.marks.insert(address.clone(), now.sensitive_paths());
        let promised = planned.change.after().cloned().unwrap_or(Value::NULL);
        if let Some(path) = broken_promise(&promised, &now) {
            return Err(broken(address, path, &promised, &now).into());
        }
        let planned = now.reveal_all();
        let operation = match prior {
            Some(prior) => Operation::Update {
                prior: plain(&prior),
                planned,
            },
            None => Operation::Create { planned },
        };
        Ok((operation, configuration.reveal_all()))
    }

    /// The key of a change: that of an earlier try whose end is not known, or a new one.
    ///
    /// Only a creation takes up an earlier key, so that nothing is made twice. An update or
    /// delete begins from what was read since; under its old key it would be taken for the old
    /// change, which may have been another one.
    fn key(&self, address: &Address, action: Action) -> IdempotencyKey {
        let verb = match action {
            Action::Create | Action::Replace => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Forget => "forget",
            Action::Keep => "keep",
        };
        let earlier = self
            .state
            .pending
            .get(address)
            .filter(|key| action == Action::Create && key.as_str().ends_with("/create"));
        earlier
            .cloned()
            .unwrap_or_else(|| IdempotencyKey::new(format!("{}/{address}/{verb}", self.plan.id)))
    }
}

fn cannot_update(address: &Address, path: &Path) -> Diagnostic {
    let detail = format!(
        "The plan would update it in place, but now that more is known {path} can only be changed by a replacement."
    );
    Diagnostic::error("A0004", "Plan not kept", detail)
        .about(address)
        .on(path.clone())
        .help("Plan again: the new plan will replace it.")
}
