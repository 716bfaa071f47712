//! Providers, configured from their blocks.

use std::collections::BTreeSet;

use isobar_sdk::{Diagnostic, Diagnostics, Known, Span};

use crate::eval::{Ambient, Scope, decode};
use crate::language::{Body, Config};
use crate::registry::{Providers, Registry};

/// Configures the providers called `used`; those without a block get their defaults.
pub async fn providers(
    config: &Config,
    registry: &Registry,
    scope: &Scope<'_>,
    used: &BTreeSet<String>,
) -> (Providers, Diagnostics) {
    let mut providers = Providers::new();
    let mut diagnostics = Diagnostics::new();
    for name in used {
        let Some(factory) = registry.factory(name) else {
            continue;
        };
        let Some(settings) = settings(config, registry, scope, name, &mut diagnostics) else {
            continue;
        };
        match factory.configure(&settings).await {
            Ok(provider) => {
                providers.insert(name.clone(), provider);
            }
            Err(error) => {
                let header = config
                    .providers
                    .get(name.as_str())
                    .map(|block| &block.header);
                let mut diagnostic = Diagnostic::error(
                    "P0011",
                    "Provider cannot be configured",
                    format!("Provider {name:?}: {}", error.message),
                )
                .at_maybe(header);
                diagnostic.help = error.help;
                diagnostics.push(diagnostic);
            }
        }
    }
    (providers, diagnostics)
}

/// The settings of a provider, defaults filled in.
pub(super) fn settings(
    config: &Config,
    registry: &Registry,
    scope: &Scope<'_>,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Option<Known> {
    let schema = &registry.provider_schema(name)?.configuration;
    let mut found = Diagnostics::new();
    let (empty, nowhere) = (Body::default(), Span::new(&"".into(), 0..0));
    let block = config.providers.get(name);
    let (body, header) = block.map_or((&empty, &nowhere), |block| (&block.body, &block.header));
    let given = decode(body, schema, header, (scope, &Ambient::None), &mut found);
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
                    "P0003",
                    "Provider rests on something unknown",
                    format!("{} of provider {name:?} is not known.", paths.join(", ")),
                )
                .at(header)
                .help("Use variables and local values only."),
            );
            None
        }
    }
}
