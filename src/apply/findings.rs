//! What an apply records beside its changes: what the plan found, and what has come of it all.

use std::collections::BTreeMap;

use isobar_sdk::Known;

use super::Report;
use super::run::Run;
use crate::change::{Action, Change};
use crate::plan::Mode;
use crate::state::{Instance, Ledger, Moves, OutputValue, Record, State, Status};

impl Run<'_> {
    /// Records what the plan found without having to change it: new names, what is managed from
    /// now on or no longer, and what has changed without Isobar.
    pub(super) fn record_findings(&mut self) {
        let moves = self.plan.moves.iter();
        let moves: Moves = moves.map(|(to, from)| (from.clone(), to.clone())).collect();
        let moved = (!moves.is_empty()).then_some(Record::Moved { moves });
        let forgotten = self.plan.changes.iter().filter_map(|(address, planned)| {
            let forget = planned.change.action() == Action::Forget;
            forget.then(|| Record::Removed {
                address: address.clone(),
            })
        });
        let imported = self.plan.changes.iter().filter_map(|(address, planned)| {
            planned.importing.as_ref()?;
            let instance = Instance {
                provider: planned.provider.clone(),
                schema_version: planned.schema_version,
                attributes: planned.change.before()?.clone(),
                dependencies: planned.dependencies.clone(),
                status: Status::Ready,
                life: planned.life,
            };
            Some(Record::Stored {
                address: address.clone(),
                instance: Box::new(instance),
            })
        });
        let records: Vec<Record> = moved.into_iter().chain(forgotten).chain(imported).collect();
        self.record(records);
        self.record_drift();
    }

    fn record_drift(&mut self) {
        let mut records = Vec::new();
        for (address, drift) in &self.plan.drift {
            let Some(instance) = self.state.instances.get(address) else {
                continue;
            };
            records.push(match &drift.observed {
                Some(observed) => Record::Stored {
                    address: address.clone(),
                    instance: Box::new(Instance {
                        attributes: observed.clone(),
                        ..instance.clone()
                    }),
                },
                None => Record::Removed {
                    address: address.clone(),
                },
            });
        }
        self.record(records);
    }

    /// Brings those up to date that nothing happened to: what they depend on may have changed
    /// without changing them, and what became of an earlier change was read since.
    fn update_kept(&mut self, failed: bool) {
        for (address, planned) in &self.plan.changes {
            let Change::Keep { now } = &planned.change else {
                continue;
            };
            self.state.pending.remove(address);
            // After a failure, what they newly depend on may still depend on them.
            if let Some(instance) = self.state.instances.get_mut(address).filter(|_| !failed) {
                instance.dependencies.clone_from(&planned.dependencies);
                instance.attributes.clone_from(now);
                instance.life = planned.life;
            }
        }
    }

    /// Brings the outputs up to date and hands the results over.
    pub(super) async fn finish(mut self, report: &mut Report) -> (State, Ledger) {
        self.write(&[]);
        let failed = self.diagnostics.has_errors() || !self.skipped.is_empty();
        self.update_kept(failed);
        match self.plan.mode {
            Mode::Destroy if failed || self.plan.selection.is_partial() => {}
            Mode::Destroy => {
                self.state.outputs.clear();
                self.state.demands.clear();
            }
            Mode::Normal => {
                let found = self.world.catch_up(&self.providers).await;
                let failed = failed || found.has_errors();
                self.diagnostics.extend(found);
                if !failed {
                    let silent = self.world.ask_for_checks(&self.providers).await;
                    self.diagnostics.extend(silent);
                    self.diagnostics.extend(self.world.broken_at_the_end());
                }
                self.update_outputs(failed);
                self.update_demands(failed);
            }
            Mode::RefreshOnly => self.take_outputs(),
        }
        report.done = self.done;
        let imported = self.plan.changes.iter().filter(|(address, planned)| {
            planned.importing.is_some() && self.state.instances.contains_key(*address)
        });
        report.imported = imported.map(|(address, _)| address.clone()).collect();
        report.skipped = self.skipped;
        report.interrupted = *self.interrupted.borrow();
        report.diagnostics.extend(self.diagnostics);
        (self.state, self.book.close())
    }

    /// What the deployments are now sized for; a failed apply leaves them sized for the old.
    fn update_demands(&mut self, failed: bool) {
        if failed {
            return;
        }
        if !self.plan.selection.is_partial() {
            self.state.demands.clear();
        }
        let deployments = self.plan.deployments.iter();
        let demands = deployments
            .filter_map(|(name, planned)| Some((name.clone(), planned.sized.demand.rate()?)));
        self.state.demands.extend(demands);
    }

    /// Takes the outputs as the plan has them, which are known where nothing is changed.
    fn take_outputs(&mut self) {
        for (name, output) in &self.plan.outputs {
            match output.after.clone().map(Known::new) {
                Some(Ok(value)) if value.value().is_null() => {
                    self.state.outputs.remove(name);
                }
                Some(Ok(value)) => {
                    self.state
                        .outputs
                        .insert(name.clone(), OutputValue { value });
                }
                Some(Err(_)) => {}
                None => {
                    self.state.outputs.remove(name);
                }
            }
        }
    }

    /// After a failure, outputs that are not known keep their old value. What is null is not
    /// recorded.
    fn update_outputs(&mut self, failed: bool) {
        let outputs = self.world.outputs(&mut self.diagnostics);
        let known: BTreeMap<String, OutputValue> = outputs
            .into_iter()
            .filter_map(|(name, value)| {
                Some((
                    name,
                    OutputValue {
                        value: Known::new(value).ok()?,
                    },
                ))
            })
            .collect();
        if failed || self.plan.selection.is_partial() {
            self.state.outputs.extend(known);
        } else {
            self.state.outputs = known;
        }
        let outputs = &mut self.state.outputs;
        outputs.retain(|_, output| !output.value.value().is_null());
    }
}
