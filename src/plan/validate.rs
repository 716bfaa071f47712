//! Checks a configuration without any state, telemetry or remote call.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Value};

use super::expand::NOT_KNOWN;
use super::nouns::{self, shape};
use super::{Names, Node, expand, setup};
use crate::deployment::spec;
use crate::eval::{Ambient, Facts, Scope, decode, evaluate};
use crate::language::config::Repetition;
use crate::language::noun::NOUNS;
use crate::language::{Config, Declaration};
use crate::registry::Registry;

/// All that can be told wrong about a configuration alone: what rests on variables without a
/// default, on resources or on telemetry is taken as unknown.
#[must_use]
pub fn validate(config: &Config, registry: &Registry) -> Diagnostics {
    let (names, diagnostics) = Names::of(config);
    let variables: BTreeMap<Arc<str>, Value> = config
        .variables
        .iter()
        .map(|(name, variable)| {
            let unknown = Value::Unknown(variable.ty.clone());
            (Arc::clone(name), unknown.sensitive_if(variable.sensitive))
        })
        .collect();
    let scope = Scope::new(config, Facts::default(), variables);
    let mut checker = Checker {
        config,
        registry,
        scope,
        diagnostics,
    };
    checker.providers();
    for node in names.order() {
        checker.node(node);
    }
    checker.diagnostics
}

struct Checker<'a> {
    config: &'a Config,
    registry: &'a Registry,
    scope: Scope<'a>,
    diagnostics: Diagnostics,
}

impl Checker<'_> {
    fn providers(&mut self) {
        for (name, block) in &self.config.providers {
            if self.registry.factory(name).is_none() {
                self.diagnostics
                    .push(unknown_provider(name, &block.header, self.registry));
                continue;
            }
            // Settings that rest on variables are unknown here, which is no mistake.
            let mut found = Diagnostics::new();
            setup::settings(self.config, self.registry, &self.scope, name, &mut found);
            for diagnostic in found {
                if diagnostic.code != "P0003" {
                    self.diagnostics.push(diagnostic);
                }
            }
        }
    }

    fn node(&mut self, node: &Node) {
        match node {
            Node::Variable(_) => {}
            Node::Local(name) => {
                if let Err(fault) = self.scope.define_local(name) {
                    self.diagnostics.push(*fault);
                }
            }
            Node::Output(name) => {
                if let Some(output) = self.config.outputs.get(name)
                    && let Err(fault) = evaluate(&output.value.value, &self.scope, &Ambient::None)
                {
                    self.diagnostics.push(*fault);
                }
            }
            Node::Block(kind, name) => {
                let key = (Arc::clone(kind), Arc::clone(name));
                if let Some(declaration) = self.config.declarations.get(&key) {
                    self.block(declaration);
                }
            }
        }
    }

    /// Every block is known to what rests on it only as far as its attributes are not.
    fn block(&mut self, declaration: &Declaration) {
        self.scope
            .set_block(&declaration.kind, &declaration.name, Value::unknown());
        if let Some((name, span)) = &declaration.provider
            && self.registry.factory(name).is_none()
        {
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
        let ambient = self.ambient(declaration);
        let mut found = Diagnostics::new();
        let header = &declaration.header;
        let value = decode(
            &declaration.body,
            body,
            header,
            (&self.scope, &ambient),
            &mut found,
        );
        let sound = !found.has_errors();
        self.diagnostics.extend(found);
        if sound && value.is_wholly_known() {
            self.check_noun(declaration, &value);
        }
    }

    fn ambient(&mut self, declaration: &Declaration) -> Ambient {
        match expand(declaration, &self.scope) {
            Ok(mut instances) if !instances.is_empty() => instances.remove(0).1,
            Ok(_) => unknown_ambient(declaration),
            Err(fault) if fault.code == NOT_KNOWN => unknown_ambient(declaration),
            Err(fault) => {
                self.diagnostics.push(*fault);
                unknown_ambient(declaration)
            }
        }
    }

    fn check_noun(&mut self, declaration: &Declaration, value: &Value) {
        let checked = match &*declaration.kind {
            "zone" => {
                let provider = nouns::zone_provider(declaration);
                spec::zone(&declaration.name, provider, value, Value::Null).map(drop)
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

fn unknown_ambient(declaration: &Declaration) -> Ambient {
    match &declaration.repetition {
        Repetition::Once => Ambient::None,
        Repetition::Count(_) => Ambient::Count(0),
        Repetition::ForEach(_) => Ambient::Each("".into(), Value::unknown()),
    }
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
