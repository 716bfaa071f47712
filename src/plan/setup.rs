//! Providers, configured from their blocks.

use std::collections::BTreeSet;

use isobar_sdk::{Diagnostic, Diagnostics, Known, Span, Value, schema};

use super::expand::expand;
use crate::eval::{Ambient, Scope, decode_passing};
use crate::language::config::{ProviderBlock, Repetition};
use crate::language::{Body, Config};
use crate::registry::{ProviderKey, Providers, Registry};

/// The code of settings that are not known before apply.
pub(super) const RESTS_ON_UNKNOWN: &str = "P0003";

/// Configures the providers `used`; those without a block get their defaults.
pub async fn providers(
    config: &Config,
    registry: &Registry,
    scope: &Scope<'_>,
    used: &BTreeSet<ProviderKey>,
) -> (Providers, Diagnostics) {
    let mut providers = Providers::new();
    let mut diagnostics = Diagnostics::new();
    for key in used {
        let Some(factory) = registry.factory(&key.name.name) else {
            continue;
        };
        let doubles = registry.doubles();
        let settings = match doubles.is_some_and(|doubles| doubles.replaces(&key.name)) {
            true => Some(unset(&factory.schema().configuration)),
            false => settings(config, registry, scope, key, &mut diagnostics),
        };
        let Some(settings) = settings else {
            continue;
        };
        let real = factory.configure(&settings).await;
        let used = match doubles {
            Some(doubles) => doubles.of(&key.name, real),
            None => real,
        };
        match used {
            Ok(provider) => {
                providers.insert(key.to_string(), provider);
            }
            Err(error) => {
                let header = config.providers.get(&key.name).map(|block| &block.header);
                let detail = format!("Provider {:?}: {}", key.to_string(), error.message);
                let mut diagnostic =
                    Diagnostic::error("P0011", "Provider cannot be configured", detail)
                        .at_maybe(header);
                diagnostic.help = error.help;
                diagnostics.push(diagnostic);
            }
        }
    }
    (providers, diagnostics)
}

/// The settings of a provider whose block sets nothing.
fn unset(schema: &schema::Body) -> Known {
    Known::new(schema.propose(None, &Value::NULL)).unwrap_or_else(|_| Known::empty())
}

/// The configurations that the blocks with an alias make.
pub(super) fn aliased(
    config: &Config,
    scope: &Scope<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeSet<ProviderKey> {
    let mut found = BTreeSet::new();
    for (name, block) in &config.providers {
        if name.alias.is_none() {
            continue;
        }
        match expand(&repetition(block), scope) {
            Ok(instances) => found.extend(instances.into_iter().map(|(key, _)| ProviderKey {
                name: name.clone(),
                key,
            })),
            Err(fault) => diagnostics.push(*fault),
        }
    }
    found
}

fn repetition(block: &ProviderBlock) -> Repetition {
    block
        .for_each
        .clone()
        .map(Box::new)
        .map_or(Repetition::Once, Repetition::ForEach)
}

/// The settings of a provider, defaults filled in.
pub(super) fn settings(
    config: &Config,
    registry: &Registry,
    scope: &Scope<'_>,
    key: &ProviderKey,
    diagnostics: &mut Diagnostics,
) -> Option<Known> {
    let schema = &registry.provider_schema(&key.name.name)?.configuration;
    let (empty, nowhere) = (Body::default(), Span::new(&"".into(), 0..0));
    let block = config.providers.get(&key.name);
    let (body, header) = block.map_or((&empty, &nowhere), |block| (&block.body, &block.header));
    let Some(ambient) = ambient(key, block, scope, diagnostics) else {
        diagnostics.push(gone(key, block));
        return None;
    };
    let mut found = Diagnostics::new();
    let given = decode_passing(body, schema, header, (scope, &ambient), &mut found);
    let failed = found.has_errors();
    diagnostics.extend(found);
    if failed {
        return None;
    }
    match Known::new(schema.propose(None, &given)) {
        Ok(known) => Some(known),
        Err(paths) => {
            let paths: Vec<String> = paths.iter().map(ToString::to_string).collect();
            diagnostics.push(
                Diagnostic::error(
                    RESTS_ON_UNKNOWN,
                    "Provider rests on something unknown",
                    format!(
                        "{} of provider {:?} is not known.",
                        paths.join(", "),
                        key.to_string()
                    ),
                )
                .at(header)
                .help("Use variables and local values only."),
            );
            None
        }
    }
}

/// What `each` means in the block of a provider; `None` if there is no such configuration.
fn ambient(
    key: &ProviderKey,
    block: Option<&ProviderBlock>,
    scope: &Scope<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Ambient> {
    let Some(block) = block else {
        return (key.name.alias.is_none() && key.key.is_none()).then_some(Ambient::None);
    };
    match expand(&repetition(block), scope) {
        Ok(instances) => instances
            .into_iter()
            .find(|(there, _)| *there == key.key)
            .map(|(_, ambient)| ambient),
        Err(fault) => {
            diagnostics.push(*fault);
            None
        }
    }
}

/// The diagnostic for a configuration that resources were made with and that is not there.
fn gone(key: &ProviderKey, block: Option<&ProviderBlock>) -> Diagnostic {
    let detail = format!("Resources rest on provider {key}, which has no configuration.");
    Diagnostic::error("P0021", "Provider is not configured", detail)
        .at_maybe(block.map(|block| &block.header))
        .help("Put its provider block back until the resources are destroyed, or correct the reference.")
}
