//! What a plan holds beside what was asked for: leftovers, drift, outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::{Address, Diagnostic, Key, Known, Severity};

use super::drive::Driver;
use super::{Drift, Mode, Name, OutputChange, PlannedChange, moves};
use crate::change::{Change, Reason};
use crate::eval::{Ambient, Instance, ephemeral, evaluate};
use crate::language::config::Repetition;
use crate::language::module::Path;
use crate::state::{Deposed, Instance as Recorded};

impl Driver<'_> {
    /// In a plan that only records, every instance stays as it is.
    pub(super) fn keep_everything(&mut self) {
        let reach = &self.reach;
        for (address, instance) in &self.state.instances {
            if !reach.includes(address) {
                continue;
            }
            if let Some(now) = self.prior(address) {
                self.changes
                    .insert(address.clone(), PlannedChange::keep(instance, now));
            }
        }
    }

    /// Everything recorded that nothing asks for any more, with what becomes of it.
    pub(super) fn left_over(&self) -> impl Iterator<Item = (&Address, &Recorded, Change)> {
        let chosen = match self.request.mode {
            Mode::Destroy if self.request.selection.is_partial() => {
                Some(self.reach.destroyed(self.state))
            }
            _ => None,
        };
        let wanted = move |address: &Address| match &chosen {
            Some(chosen) => chosen.contains(address),
            None => self.reach.includes(address),
        };
        let recorded = self.state.instances.iter();
        recorded.filter_map(move |(address, instance)| {
            if !wanted(address) || self.changes.contains_key(address) {
                return None;
            }
            let before = self.prior(address)?;
            let change = match self.request.mode == Mode::Normal && self.is_forgotten(address) {
                true => Change::Forget { before },
                false => Change::Delete { before },
            };
            Some((address, instance, change))
        })
    }

    /// Everything recorded that nothing asks for any more is deleted.
    pub(super) fn delete_leftovers(&mut self) {
        let mut found = BTreeMap::new();
        let mut refused = Vec::new();
        for (address, instance, change) in self.left_over() {
            if matches!(change, Change::Delete { .. }) {
                let protects = instance.life.protected || self.protects(address);
                if protects && !self.is_succeeded(address) {
                    refused.push(protected(address));
                }
            }
            let reason = Some(self.why_left_over(address));
            let planned = PlannedChange::leave(instance, change, reason);
            found.insert(address.clone(), planned);
        }
        self.changes.extend(found);
        for diagnostic in refused {
            self.diagnostics.push(diagnostic);
        }
    }

    /// What earlier applies have replaced and not destroyed yet, as far as the plan reaches.
    pub(super) fn discard(&self) -> Deposed<PlannedChange> {
        let reached = self.state.deposed.iter();
        reached
            .filter(|((address, _), _)| self.reach.includes(address))
            .map(|(place, instance)| {
                let before = instance.attributes.clone();
                let planned = PlannedChange::leave(instance, Change::Delete { before }, None);
                (place.clone(), planned)
            })
            .collect()
    }

    /// Whether a native resource is only destroyed because its deployment runs another one in the
    /// same zone.
    fn is_succeeded(&self, address: &Address) -> bool {
        let deployment = self.deployments.get(&address.label());
        let Some((here, deployment)) = address.zone.as_ref().zip(deployment) else {
            return false;
        };
        let mut zones = deployment.sized.zones.iter();
        address.native.is_some() && zones.any(|size| size.zone == **here && size.after > 0)
    }

    /// Whether a `removed` block says that an instance is to be left where it is.
    fn is_forgotten(&self, address: &Address) -> bool {
        self.request.config.modules().iter().any(|(path, module)| {
            let inside = address.module.get(..path.len());
            let inside = inside.is_some_and(|s| s.iter().map(|s| &s.name).eq(path.iter()));
            let mut relative = address.clone();
            inside
                && module.removals.iter().any(|removed| {
                    relative.module = address.module[path.len()..].to_vec();
                    !removed.destroy && removed.from.contains(&relative)
                })
        })
    }

    /// Reports what is said to be removed and is still declared.
    pub(super) fn check_removals(&mut self) {
        for (path, module) in self.request.config.modules() {
            for removed in &module.removals {
                if moves::still_there(self.request.config, &path, &removed.from) {
                    let detail = format!(
                        "{} is said to be removed, but its block is still in the configuration.",
                        removed.from
                    );
                    self.diagnostics.push(
                        Diagnostic::error("P0032", "Removed block is still there", detail)
                            .at(&removed.header)
                            .help("Remove the block itself, or the removed block."),
                    );
                }
            }
        }
    }

    fn why_left_over(&self, address: &Address) -> Reason {
        if self.request.mode == Mode::Destroy {
            return Reason::Requested;
        }
        let block = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let module: Vec<Arc<str>> = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
        let config = self.request.config.module(&module);
        let Some(declaration) = config.and_then(|config| config.declarations.get(&block)) else {
            return match self.moves.contains_key(address) {
                true => Reason::NoMoveTarget,
                false => Reason::NoBlock,
            };
        };
        if self.frames.get(&address.module).is_none() {
            return Reason::NoModule;
        }
        let deployed = self.deployments.contains_key(&address.label());
        match (&declaration.repetition, &address.key) {
            (Repetition::Once | Repetition::If(_), None) if address.native.is_some() => {
                Reason::NotDeployed
            }
            (Repetition::Count(_), Some(Key::Number(_)))
            | (Repetition::ForEach(_), Some(Key::Text(_)))
                if deployed && address.native.is_some() =>
            {
                Reason::NotDeployed
            }
            (Repetition::Count(_), Some(Key::Number(_))) => Reason::CountIndex,
            (Repetition::ForEach(_), Some(Key::Text(_))) => Reason::EachKey,
            (Repetition::If(_), None) => Reason::NotEnabled,
            _ => Reason::WrongRepetition,
        }
    }

    /// Warns of what may have been made without being recorded, where nothing in the plan takes
    /// up its key.
    pub(super) fn warn_of_pending(&mut self) {
        for (address, key) in &self.state.pending {
            let planned = self.changes.get(address);
            let taken_up = planned.is_some_and(PlannedChange::creates);
            if taken_up || !key.as_str().ends_with("/create") {
                continue;
            }
            let detail = format!(
                "An earlier apply began to create {address} and never learned whether it was made."
            );
            let (severity, help) = match self.request.mode {
                Mode::Destroy => (
                    Severity::Error,
                    "Run isobar apply first, which adopts what was made; then destroy it.",
                ),
                Mode::Normal | Mode::RefreshOnly => (
                    Severity::Warning,
                    "The configuration no longer has it. Put its block back and apply, which adopts what was made; then take it out again.",
                ),
            };
            let diagnostic = Diagnostic::warning("P0016", "Creation with an unknown end", detail);
            self.diagnostics.push(Diagnostic {
                severity,
                ..diagnostic.about(address).help(help)
            });
        }
    }

    pub(super) fn drift(&self) -> BTreeMap<Address, Drift> {
        let changed = |(address, observed): (&Address, &Option<Known>)| {
            let recorded = &self.state.instances.get(address)?.attributes;
            let same = observed
                .as_ref()
                .is_some_and(|now| now.value().reveal_all() == recorded.value().reveal_all());
            let drift = Drift {
                recorded: recorded.clone(),
                observed: observed.clone(),
            };
            (!same).then(|| (address.clone(), drift))
        };
        self.observed.iter().filter_map(changed).collect()
    }

    pub(super) fn outputs(&mut self) -> BTreeMap<String, OutputChange> {
        let mut outputs = BTreeMap::new();
        let partial = self.request.selection.is_partial();
        for (name, output) in &self.state.outputs {
            let node = Name::Output(name.as_str().into()).within(&Path::default());
            let left_out = match self.request.mode {
                Mode::Destroy => partial,
                Mode::Normal | Mode::RefreshOnly => partial && !self.reach.has(&node),
            };
            if left_out {
                continue;
            }
            let before = Some(output.value.clone());
            outputs.insert(
                name.clone(),
                OutputChange {
                    before,
                    after: None,
                },
            );
        }
        if self.request.mode == Mode::Destroy {
            return outputs;
        }
        for (name, output) in &self.request.config.outputs {
            let rests_on_failure = self
                .names
                .dag
                .dependencies(&Name::Output(Arc::clone(name)).within(&Path::default()))
                .iter()
                .any(|node| self.failed.contains(node));
            let node = Name::Output(Arc::clone(name)).within(&Path::default());
            if rests_on_failure || !self.reach.has(&node) {
                continue;
            }
            if !self.output_holds(&node, &Instance::new(), output) {
                continue;
            }
            let Some(scope) = self.frames.get(&[]) else {
                continue;
            };
            let value = evaluate(&output.value.value, scope, &Ambient::None)
                .and_then(|value| ephemeral::shown(name, output, &value).map(|()| value));
            match value {
                Ok(value) if value.contains_sensitive() && !output.sensitive => {
                    self.diagnostics.push(sensitive_output(name, output));
                }
                Ok(value) => {
                    let value = if output.sensitive {
                        value.sensitive()
                    } else {
                        value
                    };
                    let entry = outputs.entry(name.to_string());
                    entry
                        .or_insert(OutputChange {
                            before: None,
                            after: None,
                        })
                        .after = Some(value);
                }
                Err(fault) => self.diagnostics.push(*fault),
            }
        }
        outputs
    }
}

/// The diagnostic for something that is protected and would be destroyed.
pub(super) fn protected(address: &Address) -> Diagnostic {
    let detail = format!(
        "{address} is protected by prevent_destroy, also when its block is gone, but would be destroyed."
    );
    Diagnostic::error("P0040", "Destroying what is protected", detail)
        .about(address)
        .help("To keep it without managing it, use a removed block with destroy = false. To destroy it, apply prevent_destroy = false in its block first.")
}

/// The diagnostic for an output that would print a secret.
#[must_use]
pub fn sensitive_output(name: &str, output: &crate::language::config::Output) -> Diagnostic {
    Diagnostic::error(
        "P0008",
        "Sensitive value in output",
        format!("Output {name:?} shows something that is sensitive."),
    )
    .at(&output.value.value.span())
    .within(&output.header)
    .help("Add sensitive = true to the output, or take the mark off with nonsensitive().")
}
