//! Checks a configuration without any state, telemetry or remote call.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::Mode;
use isobar_sdk::schema::Body;
use isobar_sdk::{Address, Diagnostics, Fault, Span, Value};

use super::expand::NOT_KNOWN;
use super::nouns::{self, shape};
use super::{Name, Names, Node, expand, life, outline, sensitive_output, setup, unregistered};
use crate::deployment::{policy, spec};
use crate::eval::condition::{self, Verdict};
use crate::eval::{
    Ambient, Facts, Frames, Instance, Scope, decode, default_of, ephemeral, evaluate,
};
use crate::language::config::Repetition;
use crate::language::lifecycle::Condition;
use crate::language::{Config, Declaration};
use crate::registry::{ProviderKey, Registry};

/// All that can be told wrong about a configuration alone: what rests on variables without a
/// default, on resources or on telemetry is taken as unknown.
#[must_use]
pub fn validate(config: &Config, registry: &Registry, facts: &Facts) -> Diagnostics {
    let (names, diagnostics) = Names::of(config);
    let variables: BTreeMap<Arc<str>, Value> = config
        .variables
        .iter()
        .map(|(name, variable)| {
            let unknown = Value::unknown_of(variable.ty.clone());
            (Arc::clone(name), unknown.marked(variable.marks()))
        })
        .collect();
    let mut checker = Checker {
        config,
        registry,
        frames: Frames::new(config, facts.clone(), variables),
        diagnostics,
    };
    super::adopt::check_kinds(config, &mut checker.diagnostics);
    checker.providers();
    checker.defaults();
    for node in names.order() {
        for instance in checker.frames.instances(&node.module) {
            checker.node(node, &instance);
        }
    }
    // A folder that is called twice is wrong once.
    once(checker.diagnostics.without_repeats())
}

/// Leaves out what evaluation says of references that the graph has told of already.
fn once(diagnostics: Diagnostics) -> Diagnostics {
    let told: Vec<Span> = diagnostics
        .iter()
        .filter(|d| d.code == "P0001")
        .filter_map(|d| d.subject.clone())
        .collect();
    let mut found = Diagnostics::new();
    for diagnostic in diagnostics {
        let within = |told: &Span, subject: &Span| {
            told.file == subject.file && told.start <= subject.start && subject.end <= told.end
        };
        let twice = diagnostic
            .subject
            .as_ref()
            .is_some_and(|subject| told.iter().any(|told| within(told, subject)));
        if !matches!(diagnostic.code, "E0001" | "E0002") || !twice {
            found.push(diagnostic);
        }
    }
    found
}

struct Checker<'a> {
    config: &'a Config,
    registry: &'a Registry,
    frames: Frames<'a>,
    diagnostics: Diagnostics,
}

impl Checker<'_> {
    fn providers(&mut self) {
        let Some(scope) = self.frames.get(&[]) else {
            return;
        };
        for (name, block) in &self.config.providers {
            if self.registry.factory(&name.name).is_none() {
                self.diagnostics.push(unregistered::provider(
                    &name.name,
                    &block.header,
                    self.registry,
                ));
                continue;
            }
            if block.for_each.is_some() {
                continue;
            }
            let key = ProviderKey {
                name: name.clone(),
                key: None,
            };
            // Settings that rest on variables are unknown here, which is no mistake.
            let mut found = Diagnostics::new();
            setup::settings(self.config, self.registry, scope, &key, &mut found);
            for diagnostic in found {
                if diagnostic.code != setup::RESTS_ON_UNKNOWN {
                    self.diagnostics.push(diagnostic);
                }
            }
        }
    }

    /// The defaults of all variables, also of those that are given another value.
    fn defaults(&mut self) {
        let modules = self.config.modules();
        let variables = modules.iter().flat_map(|(_, module)| &module.variables);
        let wrong = variables.filter_map(|(name, variable)| default_of(name, variable).err());
        for fault in wrong {
            self.diagnostics.push(*fault);
        }
    }

    fn node(&mut self, node: &Node, instance: &Instance) {
        let result = match &node.name {
            Name::Variable(name) => self.frames.define_variable(instance, name),
            Name::Local(name) => match self.frames.get_mut(instance) {
                Some(scope) => scope.define_local(name),
                None => Ok(()),
            },
            Name::Output(name) if instance.is_empty() => self.output(name),
            Name::Output(name) => self.given(instance, name),
            Name::Call(name) => {
                self.enter(instance, name);
                Ok(())
            }
            Name::Validation(name) => self.validation(instance, name),
            Name::Check(name) => {
                let config = self.config.module(&node.module);
                if let Some(check) = config.and_then(|config| config.checks.get(name)) {
                    self.conditions(instance, &Ambient::None, &check.assertions);
                }
                Ok(())
            }
            Name::Block(kind, name) => {
                let key = (Arc::clone(kind), Arc::clone(name));
                let config = self.config.module(&node.module);
                if let Some(declaration) = config.and_then(|c| c.declarations.get(&key)) {
                    self.block(instance, declaration);
                }
                Ok(())
            }
            Name::Data(kind, name) => {
                let key = (Arc::clone(kind), Arc::clone(name));
                let config = self.config.module(&node.module);
                if let Some(declaration) = config.and_then(|c| c.data.get(&key)) {
                    self.data(instance, declaration);
                }
                Ok(())
            }
        };
        if let Err(fault) = result {
            self.diagnostics.push(*fault);
        }
    }

    fn output(&mut self, name: &Arc<str>) -> Result<(), Fault> {
        let Some(output) = self.config.outputs.get(name) else {
            return Ok(());
        };
        let root = Instance::new();
        self.conditions(&root, &Ambient::None, &output.preconditions);
        let Some(scope) = self.frames.get(&root) else {
            return Ok(());
        };
        let value = evaluate(&output.value.value, scope, &Ambient::None)?;
        if value.contains_sensitive() && !output.sensitive {
            return Err(Box::new(sensitive_output(name, output)));
        }
        ephemeral::shown(name, output, &value)
    }

    /// Looks for mistakes in conditions; whether they hold is for a plan to tell.
    fn conditions(&mut self, instance: &Instance, ambient: &Ambient, conditions: &[Condition]) {
        let Some(scope) = self.frames.get(instance) else {
            return;
        };
        for condition in conditions {
            if let Err(fault) = condition::judge(condition, scope, ambient) {
                self.diagnostics.push(*fault);
            }
        }
    }

    /// What a block says about its own life.
    fn lifecycle(
        &mut self,
        instance: &Instance,
        ambient: &Ambient,
        (declaration, shape): (&Declaration, &Body),
    ) {
        let lifecycle = &declaration.lifecycle;
        for diagnostic in outline::check_ignored(declaration, shape) {
            self.diagnostics.push(diagnostic);
        }
        if let (Some(prevent), Some(scope)) =
            (&lifecycle.prevent_destroy, self.frames.get(instance))
            && let Err(fault) = life::prevents_if_known(prevent, (scope, ambient))
        {
            self.diagnostics.push(fault.within(&declaration.header));
        }
        self.conditions(instance, ambient, &lifecycle.preconditions);
        // Nouns have more than what their blocks say, such as a name.
        let this = match declaration.is_noun() {
            true => Value::unknown(),
            false => outline::instance(shape),
        };
        if let Some(scope) = self.frames.get_mut(instance) {
            scope.set_self(Some(this));
        }
        self.conditions(instance, ambient, &lifecycle.postconditions);
        if let Some(scope) = self.frames.get_mut(instance) {
            scope.set_self(None);
        }
    }

    /// Gives an output of a module to its caller. Whether what is not known yet is ephemeral
    /// cannot be told here.
    fn given(&mut self, instance: &Instance, name: &Arc<str>) -> Result<(), Fault> {
        let config = self.frames.get(instance).map(Scope::config);
        let output = config.and_then(|config| config.outputs.get(name));
        let ephemeral = output.is_some_and(|output| output.ephemeral);
        self.frames.define_output(instance, name).or_else(|fault| {
            match ephemeral && fault.code == "E0013" {
                true => Ok(()),
                false => Err(fault),
            }
        })
    }

    /// Looks at what is said of a variable, as far as it is known.
    fn validation(&self, instance: &Instance, name: &str) -> Result<(), Fault> {
        let Some(scope) = self.frames.get(instance) else {
            return Ok(());
        };
        let variable = scope.config().variables.get(name);
        for rule in variable
            .into_iter()
            .flat_map(|variable| &variable.validations)
        {
            if let Verdict::Broken(message) = condition::judge(rule, scope, &Ambient::None)? {
                return Err(Box::new(condition::broken(
                    rule,
                    &message,
                    (scope, &Ambient::None),
                )));
            }
        }
        Ok(())
    }

    /// Looks at one instance of a module, which stands for all.
    fn enter(&mut self, caller: &Instance, name: &Arc<str>) {
        let config = self.frames.get(caller).map(Scope::config);
        let Some(call) = config.and_then(|config| config.calls.get(name)) else {
            return;
        };
        let ambient = self.ambient(caller, &call.repetition);
        self.frames.enter(caller, call, vec![(None, ambient)]);
        if !matches!(call.repetition, Repetition::Once)
            && let Some(scope) = self.frames.get_mut(caller)
        {
            let one = outline::module(&call.config);
            scope.set_block("module", name, outline::all(&call.repetition, one));
        }
    }

    /// To what rests on it, of a resource only the attributes are known, and of a noun nothing.
    fn block(&mut self, instance: &Instance, declaration: &Declaration) {
        if let Some(scope) = self.frames.get_mut(instance) {
            scope.set_block(&declaration.kind, &declaration.name, Value::unknown());
        }
        if let Some(named) = &declaration.provider
            && self.registry.factory(&named.name.name).is_none()
        {
            let (name, span) = (&named.name.name, &named.span);
            self.diagnostics
                .push(unregistered::provider(name, span, self.registry));
            return;
        }
        let noun = shape(declaration, self.registry);
        let resource = self.registry.resource(&declaration.kind);
        let Some(body) = noun.as_ref().or(resource.map(|(_, schema)| &schema.body)) else {
            self.diagnostics
                .push(unregistered::resource(declaration, self.registry));
            return;
        };
        let ambient = self.ambient(instance, &declaration.repetition);
        if let (Some((_, schema)), Some(scope)) = (resource, self.frames.get_mut(instance)) {
            let all = outline::all(&declaration.repetition, outline::instance(&schema.body));
            scope.set_block(&declaration.kind, &declaration.name, all);
        }
        let Some(scope) = self.frames.get(instance) else {
            return;
        };
        let mut found = Diagnostics::new();
        let header = &declaration.header;
        let value = decode(
            &declaration.body,
            body,
            header,
            (scope, &ambient),
            &mut found,
        );
        let sound = !found.has_errors();
        self.diagnostics.extend(found);
        if sound && value.is_wholly_known() {
            self.check_noun(declaration, &value);
        }
        self.lifecycle(instance, &ambient, (declaration, body));
    }

    fn data(&mut self, instance: &Instance, declaration: &Declaration) {
        let address = Address {
            module: instance.clone(),
            mode: Mode::Data,
            ..Address::new(&declaration.kind, &declaration.name)
        };
        if let Some(scope) = self.frames.get_mut(instance) {
            scope.set_at(&address, Value::unknown());
        }
        let Some((_, schema)) = self.registry.data_source(&declaration.kind) else {
            self.diagnostics
                .push(unregistered::data(declaration, self.registry));
            return;
        };
        let ambient = self.ambient(instance, &declaration.repetition);
        let Some(scope) = self.frames.get(instance) else {
            return;
        };
        let (body, header) = (&declaration.body, &declaration.header);
        decode(
            body,
            &schema.body,
            header,
            (scope, &ambient),
            &mut self.diagnostics,
        );
        self.lifecycle(instance, &ambient, (declaration, &schema.body));
        if let Some(scope) = self.frames.get_mut(instance) {
            let all = outline::all(&declaration.repetition, outline::instance(&schema.body));
            scope.set_at(&address, all);
        }
    }

    fn ambient(&mut self, instance: &Instance, repetition: &Repetition) -> Ambient {
        let Some(scope) = self.frames.get(instance) else {
            return Ambient::None;
        };
        match expand(repetition, scope) {
            Ok(mut instances) if !instances.is_empty() => instances.remove(0).1,
            Ok(_) => unknown_ambient(repetition),
            Err(fault) if fault.code == NOT_KNOWN => unknown_ambient(repetition),
            Err(fault) => {
                self.diagnostics.push(*fault);
                unknown_ambient(repetition)
            }
        }
    }

    fn check_noun(&mut self, declaration: &Declaration, value: &Value) {
        let checked = match &*declaration.kind {
            "zone" => {
                let provider = nouns::zone_provider(declaration);
                spec::zone(&declaration.name, provider, value, Value::NULL).map(drop)
            }
            "model" => spec::model(&declaration.name, value).map(drop),
            "forecast" => spec::forecast(value).map(drop),
            "capacity" => policy::capacity(value).map(drop),
            _ => Ok(()),
        };
        if let Err(wrong) = checked {
            self.diagnostics.push(nouns::wrong(declaration, &wrong));
        }
    }
}

fn unknown_ambient(repetition: &Repetition) -> Ambient {
    match repetition {
        Repetition::Once | Repetition::If(_) => Ambient::None,
        Repetition::Count(_) => Ambient::Count(0),
        Repetition::ForEach(_) => Ambient::Each("".into(), Value::unknown()),
    }
}
