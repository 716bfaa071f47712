//! What is said of providers, resource types and data sources that this build does not have.

use std::collections::BTreeMap;

use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Diagnostic, Diagnostics, Span};

use crate::language::noun::NOUNS;
use crate::language::{Config, Declaration};
use crate::registry::Registry;

/// The diagnostics for providers that a configuration names and that are not there, each once.
#[must_use]
pub fn providers(config: &Config, registry: &Registry) -> Diagnostics {
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
        diagnostics.push(provider(name, span, registry));
    }
    diagnostics
}

/// The diagnostic for a provider that is not there.
#[must_use]
pub fn provider(name: &str, span: &Span, registry: &Registry) -> Diagnostic {
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
pub(super) fn resource(declaration: &Declaration, registry: &Registry) -> Diagnostic {
    let kind = &declaration.kind;
    let known = registry.resource_types().chain(NOUNS);
    let help = match &**kind {
        "terraform_data" => "Its name here is \"isobar_data\".".to_owned(),
        kind => closest(kind, known).map_or_else(
            || "Check the type, and that the provider that has it is in this build.".to_owned(),
            |meant| format!("Did you mean {meant:?}?"),
        ),
    };
    Diagnostic::error(
        "P0014",
        "Unknown resource type",
        format!("No provider has a resource of type {kind:?}."),
    )
    .at(&declaration.header)
    .help(help)
}

/// The diagnostic for a data source that no provider has.
pub(super) fn data(declaration: &Declaration, registry: &Registry) -> Diagnostic {
    let kind = &declaration.kind;
    let known: Vec<&str> = registry.data_sources().collect();
    let help = match &**kind {
        "terraform_remote_state" => "Its name here is \"isobar_remote_state\".".to_owned(),
        kind => closest(kind, known.iter().copied()).map_or_else(
            || format!("Data sources in this build are {}.", known.join(", ")),
            |meant| format!("Did you mean {meant:?}?"),
        ),
    };
    Diagnostic::error(
        "P0014",
        "Unknown resource type",
        format!("No provider has a data source of type {kind:?}."),
    )
    .at(&declaration.header)
    .help(help)
}
