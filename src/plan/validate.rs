//! Checks a configuration without any state, telemetry or remote call.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::Mode;
use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Fault, Span, Value};

use super::expand::NOT_KNOWN;
use super::nouns::{self, shape};
use super::{Name, Names, Node, expand, setup};
use crate::deployment::spec;
use crate::eval::condition::{self, Verdict};
use crate::eval::{Ambient, Facts, Frames, Instance, Scope, decode, ephemeral, evaluate};
use crate::language::config::Repetition;
use crate::language::noun::NOUNS;
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
    checker.providers();
    for node in names.order() {
        for instance in checker.frames.instances(&node.module) {
            checker.node(node, &instance);
        }
    }
    // A folder that is called twice is wrong once.
    checker.diagnostics.without_repeats()
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
                self.diagnostics
                    .push(unknown_provider(&name.name, &block.header, self.registry));
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
                if diagnostic.code != "P0003" {
                    self.diagnostics.push(diagnostic);
                }
            }
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
            Name::Check(_) => Ok(()),
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

    fn output(&self, name: &Arc<str>) -> Result<(), Fault> {
        let (Some(output), Some(scope)) = (self.config.outputs.get(name), self.frames.get(&[]))
        else {
            return Ok(());
        };
        let value = evaluate(&output.value.value, scope, &Ambient::None)?;
        ephemeral::shown(name, output, &value)
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
                return Err(Box::new(condition::broken(rule, &message)));
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
            scope.set_block("module", name, Value::unknown());
        }
    }

    /// Every block is known to what rests on it only as far as its attributes are not.
    fn block(&mut self, instance: &Instance, declaration: &Declaration) {
        if let Some(scope) = self.frames.get_mut(instance) {
            scope.set_block(&declaration.kind, &declaration.name, Value::unknown());
        }
        if let Some(named) = &declaration.provider
            && self.registry.factory(&named.name.name).is_none()
        {
            let (name, span) = (&named.name.name, &named.span);
            self.diagnostics
                .push(unknown_provider(name, span, self.registry));
            return;
        }
        let noun = shape(declaration, self.registry);
        let resource = self.registry.resource(&declaration.kind);
        let Some(body) = noun.as_ref().or(resource.map(|(_, schema)| &schema.body)) else {
            self.diagnostics
                .push(unknown_type(declaration, self.registry));
            return;
        };
        let ambient = self.ambient(instance, &declaration.repetition);
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
                .push(unknown_data(declaration, self.registry));
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
            "capacity" => spec::capacity(value).map(drop),
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

/// The diagnostics for providers that a configuration names and that are not there, each once.
#[must_use]
pub fn check_providers(config: &Config, registry: &Registry) -> Diagnostics {
    let mut named: BTreeMap<&str, &Span> = BTreeMap::new();
    let modules = config.modules();
    for (_, module) in &modules {
        for declaration in module.declarations.values().chain(module.data.values()) {
            let provider = declaration.provider.as_ref();
            named.extend(provider.map(|provider| (&*provider.name.name, &provider.span)));
        }
    }
    let blocks = config.providers.iter();
    named.extend(blocks.map(|(name, block)| (&*name.name, &block.header)));
    let unknown = named
        .into_iter()
        .filter(|(name, _)| registry.factory(name).is_none());
    let mut diagnostics = Diagnostics::new();
    for (name, span) in unknown {
        diagnostics.push(unknown_provider(name, span, registry));
    }
    diagnostics
}

/// The diagnostic for a provider that is not there.
pub(super) fn unknown_provider(name: &str, span: &Span, registry: &Registry) -> Diagnostic {
    let help = closest(name, registry.names()).map_or_else(
        || {
            let names: Vec<&str> = registry.names().collect();
            format!("Providers in this build are {}.", names.join(", "))
        },
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error(
        "P0013",
        "Unknown provider",
        format!("There is no provider {name:?}."),
    )
    .at(span)
    .help(help)
}

/// The diagnostic for a resource type that no provider has.
pub(super) fn unknown_type(declaration: &Declaration, registry: &Registry) -> Diagnostic {
    let kind = &declaration.kind;
    let known = registry.resource_types().chain(NOUNS);
    let help = closest(kind, known).map_or_else(
        || "Check the type, and that the provider that has it is in this build.".to_owned(),
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error(
        "P0014",
        "Unknown resource type",
        format!("No provider has a resource of type {kind:?}."),
    )
    .at(&declaration.header)
    .help(help)
}

/// The diagnostic for a data source that no provider has.
pub(super) fn unknown_data(declaration: &Declaration, registry: &Registry) -> Diagnostic {
    let kind = &declaration.kind;
    let known: Vec<&str> = registry.data_sources().collect();
    let help = closest(kind, known.iter().copied()).map_or_else(
        || format!("Data sources in this build are {}.", known.join(", ")),
        |meant| format!("Did you mean {meant:?}?"),
    );
    Diagnostic::error(
        "P0014",
        "Unknown resource type",
        format!("No provider has a data source of type {kind:?}."),
    )
    .at(&declaration.header)
    .help(help)
}
