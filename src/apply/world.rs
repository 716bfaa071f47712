//! What is known while a plan is carried out: its values, replaced by real ones one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::deployment::Wire;
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Key, Native, Value};

use crate::eval::{Ambient, Scope, decode, evaluate};
use crate::language::{Config, Declaration};
use crate::plan::{
    Plan, PlannedChange, configure, deployment_value, empty, expand, follow, sensitive_output,
};
use isobar_sdk::Fault;

/// A scope with the variables of a plan.
pub(super) fn scope<'a>(config: &'a Config, plan: &Plan) -> Scope<'a> {
    Scope::new(config, plan.facts.clone(), plan.variables.clone())
}

/// The values of a plan.
pub(super) struct World<'a> {
    config: &'a Config,
    plan: &'a Plan,
    scope: Scope<'a>,
    values: BTreeMap<Address, Value>,
    /// Deployments of which some resource is not as planned.
    incomplete: BTreeSet<Arc<str>>,
    /// What `each` and `count` mean in the instances of a block; told once a block, because
    /// everything that it rests on is done when its first instance begins.
    ambients: BTreeMap<Address, BTreeMap<Option<Key>, Ambient>>,
}

impl<'a> World<'a> {
    pub(super) fn new(config: &'a Config, scope: Scope<'a>, plan: &'a Plan) -> Self {
        let mut world = Self {
            config,
            plan,
            scope,
            values: BTreeMap::new(),
            incomplete: BTreeSet::new(),
            ambients: BTreeMap::new(),
        };
        for ((kind, name), value) in &plan.nouns {
            world.scope.set_block(kind, name, value.clone());
        }
        for declaration in config.declarations.values() {
            if let Some(empty) = empty(declaration)
                && !declaration.is_noun()
            {
                world
                    .scope
                    .set_block(&declaration.kind, &declaration.name, empty);
            }
        }
        for (address, planned) in &plan.changes {
            if let Some(after) = planned.change.after() {
                world.put(address, after.clone());
            }
        }
        for name in plan.deployments.keys() {
            world.update_deployment(name);
        }
        world
    }

    fn put(&mut self, address: &Address, value: Value) {
        if address.native.is_none() {
            self.scope.set_instance(address, value.clone());
        }
        self.values.insert(address.clone(), value);
    }

    /// Sets what an instance really is.
    pub(super) fn set(&mut self, address: &Address, value: Value) {
        self.put(address, value);
        if address.native.is_some() {
            self.update_deployment(&address.name);
        }
    }

    /// Forgets what an instance was planned to be, as it did not come true: what rests on it is
    /// not known.
    pub(super) fn lose(&mut self, address: &Address) {
        self.put(address, Value::unknown());
        if address.native.is_some() {
            self.incomplete.insert(Arc::clone(&address.name));
            self.update_deployment(&address.name);
        }
    }

    fn update_deployment(&mut self, name: &str) {
        let Some(planned) = self.plan.deployments.get(name) else {
            return;
        };
        if self.incomplete.contains(name) {
            return self.scope.set_block("deployment", name, Value::unknown());
        }
        let resolve = |zone: &str, wire: &Wire| {
            let block = Address::new("deployment", name).instance(Some(Key::Text(zone.into())));
            follow(wire, &|native: &Native| {
                self.values.get(&block.native(native.clone())).cloned()
            })
        };
        let value = deployment_value(name, planned, &resolve);
        self.scope.set_block("deployment", name, value);
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
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let Some(declaration) = self.config.declarations.get(&key) else {
            return Ok(planned.change.after().cloned().unwrap_or(Value::Null));
        };
        let ambient = self
            .ambient(address, declaration)
            .map_err(|fault| Diagnostics::from(*fault))?;
        let mut found = Diagnostics::new();
        let scope = (&self.scope, &ambient);
        let value = decode(
            &declaration.body,
            &schema.body,
            &declaration.header,
            scope,
            &mut found,
        );
        if found.has_errors() {
            Err(found)
        } else {
            Ok(value)
        }
    }

    /// What `each` and `count` mean in an instance. The instances of a block are part of the
    /// plan's promise.
    fn ambient(&mut self, address: &Address, declaration: &Declaration) -> Result<Ambient, Fault> {
        let block = address.block();
        if !self.ambients.contains_key(&block) {
            let expanded: BTreeMap<_, _> = expand(declaration, &self.scope)?.into_iter().collect();
            let planned = self.plan.changes.iter().filter(|(address, planned)| {
                address.native.is_none()
                    && address.block() == block
                    && planned.change.after().is_some()
            });
            if !planned.map(|(address, _)| &address.key).eq(expanded.keys()) {
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
        for (name, output) in &self.config.outputs {
            match evaluate(&output.value.value, &self.scope, &Ambient::None) {
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
