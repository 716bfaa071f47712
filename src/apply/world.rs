//! What is known while a plan is carried out: its values, replaced by real ones one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexSet;
use isobar_sdk::address;
use isobar_sdk::deployment::Wire;
use isobar_sdk::schema::{Body, Schema};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Key, Native, Value};

use rustc_hash::FxBuildHasher;

use super::late::node_of;
use crate::eval::{Ambient, Frames, Instance, Scope, decode, ephemeral, evaluate};
use crate::language::config::Repetition;
use crate::language::lifecycle::Ignore;
use crate::language::{Config, Declaration};
use crate::plan::{
    Mode, Name, Names, Node, Plan, PlannedChange, Reach, configure, deployment_value, empty,
    expand, follow, sensitive_output,
};
use crate::registry::Registry;
use isobar_sdk::Fault;

/// The values of a plan.
pub(super) struct World<'a> {
    pub(super) config: &'a Config,
    pub(super) registry: &'a Registry,
    pub(super) plan: &'a Plan,
    pub(super) names: Names,
    /// All names in the order of evaluation.
    pub(super) order: IndexSet<Node, FxBuildHasher>,
    pub(super) frames: Frames<'a>,
    values: BTreeMap<Address, Value>,
    /// Deployments of which some resource is not as planned.
    incomplete: BTreeSet<Address>,
    /// What rests on what has become known and is to be evaluated anew, by its place.
    pub(super) stale: BTreeSet<(usize, Instance)>,
    /// What could not be evaluated anew.
    pub(super) broken: BTreeSet<Node>,
    /// What `each` and `count` mean in the instances of a block; told once a block, because
    /// everything that it rests on is done when its first instance begins.
    ambients: BTreeMap<Address, BTreeMap<Option<Key>, Ambient>>,
}

impl<'a> World<'a> {
    /// The values as they were planned, module by module.
    pub(super) fn new(
        config: &'a Config,
        registry: &'a Registry,
        plan: &'a Plan,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let (names, found) = Names::of(config);
        diagnostics.extend(found);
        let order = names.order().into_iter().cloned().collect();
        let after = plan.changes.iter().filter_map(|(address, planned)| {
            let after = planned.change.after()?;
            Some((address.clone(), after.clone()))
        });
        let mut world = Self {
            config,
            registry,
            plan,
            names,
            order,
            frames: Frames::new(config, plan.facts.acting(), plan.variables.clone()),
            values: after.collect(),
            incomplete: BTreeSet::new(),
            stale: BTreeSet::new(),
            broken: BTreeSet::new(),
            ambients: BTreeMap::new(),
        };
        // Only what is made takes values from others.
        if plan.mode == Mode::Normal {
            let order = std::mem::take(&mut world.order);
            world.replay_all(&order, diagnostics);
            world.order = order;
        }
        world
    }

    fn replay_all(&mut self, order: &IndexSet<Node, FxBuildHasher>, found: &mut Diagnostics) {
        let names = std::mem::take(&mut self.names);
        let reach = Reach::of(&self.plan.selection, &names);
        for node in order.iter().filter(|node| reach.has(node)) {
            for instance in self.frames.instances(&node.module) {
                if let Err(fault) = self.replay(node, &instance) {
                    found.push(*fault);
                }
            }
        }
        drop(reach);
        self.names = names;
    }

    /// Evaluates a name as the plan did, the instances of blocks being what was planned.
    fn replay(&mut self, node: &Node, instance: &Instance) -> Result<(), Fault> {
        match &node.name {
            Name::Variable(name) => self.frames.define_variable(instance, name),
            Name::Output(name) => self.frames.define_output(instance, name),
            Name::Validation(_) | Name::Check(_) => Ok(()),
            Name::Local(name) => match self.frames.get_mut(instance) {
                Some(scope) => scope.define_local(name),
                None => Ok(()),
            },
            Name::Call(name) => {
                let Some(scope) = self.frames.get(instance) else {
                    return Ok(());
                };
                let Some(call) = scope.config().calls.get(name) else {
                    return Ok(());
                };
                let expanded = expand(&call.repetition, scope)?;
                self.frames.enter(instance, call, expanded);
                Ok(())
            }
            Name::Block(kind, name) => {
                let block = Address {
                    module: instance.clone(),
                    ..Address::of(Arc::clone(kind), Arc::clone(name))
                };
                self.replay_block(&block);
                Ok(())
            }
            Name::Data(kind, name) => {
                let block = Address {
                    module: instance.clone(),
                    mode: address::Mode::Data,
                    ..Address::new(kind, name)
                };
                self.replay_data(&block);
                Ok(())
            }
        }
    }

    fn replay_block(&mut self, block: &Address) {
        let key = (Arc::clone(&block.kind), Arc::clone(&block.name));
        let Some(scope) = self.frames.get_mut(&block.module) else {
            return;
        };
        let Some(declaration) = scope.config().declarations.get(&key) else {
            return;
        };
        if let Some(value) = self.plan.nouns.get(block) {
            scope.set_block(&block.kind, &block.name, value.clone());
        } else if let Some(empty) = empty(declaration) {
            scope.set_block(&block.kind, &block.name, empty);
        }
        let instances = self.values.range(block.clone()..);
        let instances = instances.take_while(|(address, _)| address.shares_block(block));
        for (address, value) in instances.clone().filter(|(a, _)| a.native.is_none()) {
            scope.set_instance(address, value.clone());
        }
        if &*block.kind == "deployment" {
            let owners: BTreeSet<Address> = instances.map(|(a, _)| a.owner()).collect();
            for owner in owners {
                self.update_deployment(&owner);
            }
        }
    }

    fn replay_data(&mut self, block: &Address) {
        let Some(scope) = self.frames.get_mut(&block.module) else {
            return;
        };
        let key = (Arc::clone(&block.kind), Arc::clone(&block.name));
        if let Some(empty) = scope.config().data.get(&key).and_then(empty) {
            scope.set_at(block, empty);
        }
        let told = self.plan.reads.range(block.clone()..);
        for (address, read) in told.take_while(|(address, _)| address.shares_block(block)) {
            scope.set_instance(address, read.after.clone());
        }
    }

    fn put(&mut self, address: &Address, value: Value) {
        if address.native.is_none()
            && let Some(scope) = self.frames.get_mut(&address.module)
        {
            scope.set_instance(address, value.clone());
        }
        self.values.insert(address.clone(), value);
        self.outdate(address);
    }

    /// Notes which variables and outputs of modules rest on an instance.
    fn outdate(&mut self, address: &Address) {
        let node = node_of(address);
        for node in self.names.passed_on_from(&node) {
            let Some(place) = self.order.get_index_of(node) else {
                continue;
            };
            for instance in self.frames.instances(&node.module) {
                self.stale.insert((place, instance));
            }
        }
    }

    /// The configuration of an instance as it is now; `None` if its block is not there.
    pub(super) fn decoded(
        &mut self,
        address: &Address,
        shape: &Body,
    ) -> Result<Option<Value>, Diagnostics> {
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let config = self.frames.get(&address.module).map(Scope::config);
        let declaration = config.and_then(|config| match address.mode {
            address::Mode::Managed => config.declarations.get(&key),
            address::Mode::Data => config.data.get(&key),
        });
        let Some(declaration) = declaration else {
            return Ok(None);
        };
        let ambient = self
            .ambient(address, declaration)
            .map_err(|fault| Diagnostics::from(*fault))?;
        let Some(scope) = self.frames.get(&address.module) else {
            return Ok(None);
        };
        let mut found = Diagnostics::new();
        let header = &declaration.header;
        let value = decode(
            &declaration.body,
            shape,
            header,
            (scope, &ambient),
            &mut found,
        );
        if found.has_errors() {
            Err(found)
        } else {
            Ok(Some(value))
        }
    }

    /// Sets what an instance really is.
    pub(super) fn set(&mut self, address: &Address, value: Value) {
        self.put(address, value);
        if address.native.is_some() {
            self.update_deployment(&address.owner());
        }
    }

    /// Forgets what an instance was planned to be, as it did not come true: what rests on it is
    /// not known.
    pub(super) fn lose(&mut self, address: &Address) {
        self.put(address, Value::unknown());
        if address.native.is_some() {
            self.incomplete.insert(address.owner());
            self.update_deployment(&address.owner());
        }
    }

    /// Gives an instance of a deployment the value that follows from what it is made of.
    fn update_deployment(&mut self, owner: &Address) {
        let label = owner.label();
        let Some(planned) = self.plan.deployments.get(&label) else {
            return;
        };
        let resolve = |zone: &str, wire: &Wire| {
            let here = owner.in_zone(zone);
            follow(wire, &|native: &Native| {
                self.values.get(&here.native(native.clone())).cloned()
            })
        };
        let value = if self.incomplete.contains(owner) {
            Value::unknown()
        } else {
            deployment_value(&label, planned, &resolve)
        };
        if let Some(scope) = self.frames.get_mut(&owner.module) {
            scope.set_instance(owner, value);
        }
    }

    /// What the configuration of an instance says now.
    ///
    /// # Errors
    /// What is wrong with it, now that more is known than in the plan.
    pub(super) fn configuration(
        &mut self,
        address: &Address,
        planned: &PlannedChange,
        schema: &Schema,
    ) -> Result<Value, Diagnostics> {
        if let Some(wires) = &planned.wires {
            let value_of = |native: &Native| {
                let address = Address {
                    native: Some(native.clone()),
                    ..address.clone()
                };
                self.values.get(&address).cloned()
            };
            return Ok(configure(schema, wires, &value_of));
        }
        let configuration = self.decoded(address, &schema.body)?;
        Ok(configuration.unwrap_or_else(|| planned.change.after().cloned().unwrap_or(Value::NULL)))
    }

    /// What of its configuration does not count for an instance.
    pub(super) fn ignored(&self, address: &Address) -> &'a Ignore {
        const NOTHING: &Ignore = &Ignore::Nothing;
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let config = self.frames.get(&address.module).map(Scope::config);
        let declaration = config.and_then(|config| config.declarations.get(&key));
        match declaration {
            Some(declaration) if address.native.is_none() => &declaration.lifecycle.ignore_changes,
            _ => NOTHING,
        }
    }

    /// What `each` and `count` mean in an instance. The instances of a block are part of the
    /// plan's promise.
    pub(super) fn ambient(
        &mut self,
        address: &Address,
        declaration: &Declaration,
    ) -> Result<Ambient, Fault> {
        if matches!(declaration.repetition, Repetition::Once) && address.key.is_none() {
            // Nothing that becomes known makes this another number of instances.
            return Ok(Ambient::None);
        }
        let block = address.block();
        if !self.ambients.contains_key(&block) {
            let expanded = match self.frames.get(&address.module) {
                Some(scope) => expand(&declaration.repetition, scope)?,
                None => Vec::new(),
            };
            let expanded: BTreeMap<_, _> = expanded.into_iter().collect();
            let changes = self.plan.changes.range(block.clone()..);
            let changes = changes.take_while(|(address, _)| address.shares_block(&block));
            let made = changes.filter(|(address, planned)| {
                address.native.is_none() && planned.change.after().is_some()
            });
            let made = made.map(|(address, _)| address);
            let told = self.plan.reads.range(block.clone()..);
            let told = told.map(|(address, _)| address);
            let planned = made.chain(told.take_while(|address| address.shares_block(&block)));
            let planned: Vec<&Option<Key>> = planned.map(|address| &address.key).collect();
            let same = if self.plan.selection.is_partial() {
                planned.iter().all(|key| expanded.contains_key(key))
            } else {
                planned.iter().copied().eq(expanded.keys())
            };
            if !same {
                let detail = format!(
                    "The plan has other instances of {block} than there would be now that more is known."
                );
                let diagnostic = Diagnostic::error("A0004", "Plan not kept", detail)
                    .at(&declaration.header)
                    .about(address)
                    .help("Plan again.");
                return Err(Box::new(diagnostic));
            }
            self.ambients.insert(block.clone(), expanded);
        }
        let ambients = self.ambients.get(&block);
        Ok(ambients
            .and_then(|all| all.get(&address.key))
            .cloned()
            .unwrap_or_default())
    }

    /// The outputs, as far as they are known.
    pub(super) fn outputs(&self, diagnostics: &mut Diagnostics) -> BTreeMap<String, Value> {
        let mut outputs = BTreeMap::new();
        let Some(scope) = self.frames.get(&[]) else {
            return outputs;
        };
        let planned = |name: &str| self.plan.outputs.contains_key(name);
        for (name, output) in self.config.outputs.iter().filter(|(name, _)| planned(name)) {
            let value = evaluate(&output.value.value, scope, &Ambient::None)
                .and_then(|value| ephemeral::shown(name, output, &value).map(|()| value));
            match value {
                Ok(value) => {
                    if value.contains_sensitive() && !output.sensitive {
                        diagnostics.push(sensitive_output(name, output));
                    }
                    let secret = output.sensitive || value.contains_sensitive();
                    outputs.insert(name.to_string(), value.sensitive_if(secret));
                }
                Err(fault) => diagnostics.push(*fault),
            }
        }
        outputs
    }
}
