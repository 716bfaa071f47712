//! What is recorded, as expressions see it: nothing is changed, and no resource is read.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::{Diagnostic, Diagnostics, Key, Severity, Value};

use super::batch::Batch;
use super::drive::{Block, Driver, configured};
use super::expand::{MOST, NOT_KNOWN, empty, expand};
use super::moves::{self, Renamed};
use super::setup::RESTS_ON_UNKNOWN;
use super::{Name, Names, Node, Request};
use crate::eval::{Frames, Instance, Scope};
use crate::event::Silent;
use crate::language::config::Repetition;
use crate::registry::ProviderKey;
use crate::state::State;

/// What values are evaluated from: a state under the names that the configuration has.
#[derive(Debug)]
pub struct Recall {
    names: Names,
    state: State,
    found: Diagnostics,
}

impl Recall {
    /// Of the configuration and the state of a request.
    ///
    /// # Errors
    /// Names that rest on one another in a circle: none of them has a value.
    pub fn of(request: &Request<'_>) -> Result<Self, Diagnostics> {
        let (names, mut found) = Names::of(request.config);
        if names.dag.order().is_err() {
            return Err(found);
        }
        let nothing = State::new(String::new());
        let recorded = request.state.unwrap_or(&nothing);
        let Renamed { state, .. } = moves::rename(request.config, recorded, &mut found);
        let state = state.into_owned();
        Ok(Self {
            names,
            state,
            found,
        })
    }

    /// The values, module by module. Resources are what is recorded; data sources are asked where
    /// their configuration is known; nouns and outputs of modules are evaluated. What is not
    /// there or cannot be told is unknown, so that the rest has values whatever is wrong.
    pub async fn frames<'a>(&'a self, request: &'a Request<'a>) -> (Frames<'a>, Diagnostics) {
        let mut evaluated = Diagnostics::new();
        let scope = Scope::new(
            request.config,
            request.facts.clone(),
            request.variables.clone(),
        );
        let providers = configured(request, &self.state, &scope, &mut evaluated).await;
        let (names, state) = (&self.names, &self.state);
        let mut driver = Driver::new(request, names, state, &Silent, evaluated);
        driver.providers = providers;
        driver.recall_all().await;
        let mut found = self.found.clone();
        // A reference to nothing is told where it stands, and not once more where it is evaluated.
        if !found.has_errors() {
            let wrong = driver.diagnostics.into_iter();
            wrong
                .filter(|wrong| !is_open(wrong))
                .for_each(|wrong| found.push(wrong));
        }
        (driver.frames, found)
    }
}

/// Whether a diagnostic says no more than that something is not known.
fn is_open(diagnostic: &Diagnostic) -> bool {
    [NOT_KNOWN, RESTS_ON_UNKNOWN].contains(&diagnostic.code)
}

impl<'a> Driver<'a> {
    async fn recall_all(&mut self) {
        for node in self.names.order() {
            let behind = self.names.dag.dependencies(node);
            let mut sound = !behind.iter().any(|node| self.failed.contains(*node));
            let before = self.diagnostics.iter().count();
            for instance in self.frames.instances(&node.module) {
                if sound {
                    self.remember(node, &instance).await;
                }
                let mut told = self.diagnostics.iter().skip(before);
                sound &= !told.any(|told| told.severity == Severity::Error);
                self.leave_open(node, &instance, sound);
            }
            // That a value breaks a rule does not take it away.
            if !sound && !matches!(node.name, Name::Validation(_) | Name::Check(_)) {
                self.failed.insert(node.clone());
            }
        }
    }

    /// Gives a name its value in an instance of its module.
    async fn remember(&mut self, node: &'a Node, instance: &Instance) {
        // Assertions are for what is made, which nothing is here.
        if matches!(node.name, Name::Check(_)) {
            return;
        }
        let Some(block) = self.value(node, instance.clone()) else {
            return;
        };
        match (&node.name, &*block.declaration.kind) {
            (Name::Data(..), _) if self.can_ask(&block) => {
                let (before, mut batch) = (std::mem::take(&mut self.diagnostics), Batch::default());
                self.gather_data(block, &mut batch);
                self.tell(node, &mut batch);
                self.ask_all(&mut batch).await;
                self.diagnostics = before;
                self.diagnostics.extend(batch.told(self.names));
            }
            (Name::Data(..), _) => {}
            (_, "zone") => self.nouns(&block, Self::zone),
            (_, "model") => self.nouns(&block, Self::model),
            (_, "forecast") => self.nouns(&block, Self::forecast),
            (_, "capacity") => self.nouns(&block, Self::capacity),
            (_, "deployment") => self.place(&[block], None).await,
            _ => self.recorded(&block),
        }
    }

    /// Whether a provider of the type is there; one that rests on something unknown is not.
    fn can_ask(&self, block: &Block<'_>) -> bool {
        let source = self.request.registry.data_source(&block.declaration.kind);
        source.is_some_and(|(name, _)| {
            let mut there = self.providers.keys();
            there.any(|key| *ProviderKey::parse(key).name.name == *name)
        })
    }

    /// Sets a block to the instances that are recorded, whether or not there are to be more.
    fn recorded(&mut self, block: &Block<'_>) {
        let address = block.address();
        let here = self.state.instances.range(address.clone()..);
        let here = here.take_while(|(found, _)| found.shares_block(&address));
        let instances: BTreeMap<&Option<Key>, &Value> = here
            .filter(|(found, _)| found.native.is_none())
            .map(|(found, instance)| (&found.key, instance.attributes.value()))
            .collect();
        let Some(scope) = self.frames.get_mut(&block.module) else {
            return;
        };
        let repetition = &block.declaration.repetition;
        let value = together(repetition, &instances).or_else(|| {
            let expanded = expand(repetition, scope).ok()?;
            let none = expanded.is_empty();
            none.then(|| empty(block.declaration)).flatten()
        });
        scope.set_at(&address, value.unwrap_or_else(Value::unknown));
    }

    /// Makes a name unknown that has no value, or none that can be trusted.
    fn leave_open(&mut self, node: &Node, instance: &Instance, sound: bool) {
        match &node.name {
            Name::Output(name) if !sound => self.frames.leave_output(instance, name),
            Name::Variable(name) => {
                if let Some(scope) = self.frames.get_mut(instance)
                    && scope.variable(name).is_none()
                    && let Some(variable) = scope.config().variables.get(name)
                {
                    let open = Value::unknown_of(variable.ty.clone());
                    scope.set_variable(name, open.marked(variable.marks()));
                }
            }
            Name::Call(name) if !sound => {
                if let Some(scope) = self.frames.get_mut(instance) {
                    scope.set_block("module", name, Value::unknown());
                }
            }
            Name::Block(..) | Name::Data(..) => self.leave_block(node, instance, sound),
            // A local value is evaluated where it is asked for, and says there what is wrong.
            _ => {}
        }
    }

    fn leave_block(&mut self, node: &Node, instance: &Instance, sound: bool) {
        let (Some(address), Some(scope)) = (node.address(), self.frames.get_mut(instance)) else {
            return;
        };
        if !sound || scope.at(&address).is_none() {
            scope.set_at(&address, Value::unknown());
        }
    }
}

/// Instances as one value; `None` where there are none of the kind that the block has now.
fn together(repetition: &Repetition, instances: &BTreeMap<&Option<Key>, &Value>) -> Option<Value> {
    match repetition {
        Repetition::Once | Repetition::If(_) => instances.get(&None).map(|&value| value.clone()),
        Repetition::ForEach(_) => {
            let texts = instances.iter().filter_map(|(key, value)| match key {
                Some(Key::Text(key)) => Some((key.clone(), (*value).clone())),
                _ => None,
            });
            let fields: BTreeMap<_, _> = texts.collect();
            (!fields.is_empty()).then(|| Value::object(fields))
        }
        Repetition::Count(_) => {
            let indices = instances.keys().filter_map(|key| match key {
                Some(Key::Number(index)) => Some(*index),
                _ => None,
            });
            let indices: BTreeSet<_> = indices.collect();
            let last = indices.last().filter(|last| **last < MOST as u64)?;
            // What is missing between others is to be made again.
            let items = (0..=*last).map(|index| {
                let value = instances.get(&Some(Key::Number(index)));
                value.map_or_else(Value::unknown, |&value| value.clone())
            });
            Some(Value::tuple(items.collect()))
        }
    }
}
