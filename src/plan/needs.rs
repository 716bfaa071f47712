//! Which module needs which providers.

use std::collections::BTreeSet;

use crate::language::Config;
use crate::language::config::Declaration;
use crate::registry::Registry;

/// The providers of a module, and the modules below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The name of its call; empty for the root.
    pub name: String,
    /// The local names of its providers.
    pub providers: BTreeSet<String>,
    /// Those below it, in name order.
    pub modules: Vec<Self>,
}

impl Needs {
    /// What a configuration needs: the providers of its blocks, and those that it configures.
    #[must_use]
    pub fn of(config: &Config, registry: &Registry) -> Self {
        let mut providers: BTreeSet<String> = config
            .providers
            .keys()
            .map(|name| name.name.to_string())
            .collect();
        let resources = config.declarations.values();
        providers.extend(resources.filter_map(|block| {
            provider(block, |kind| registry.resource(kind).map(|(name, _)| name))
        }));
        let data = config.data.values();
        providers.extend(data.filter_map(|block| {
            provider(block, |kind| {
                registry.data_source(kind).map(|(name, _)| name)
            })
        }));
        let modules = config.calls.values().map(|call| Self {
            name: call.name.to_string(),
            ..Self::of(&call.config, registry)
        });
        Self {
            name: String::new(),
            providers,
            modules: modules.collect(),
        }
    }

    /// All providers, those of modules too.
    #[must_use]
    pub fn all(&self) -> BTreeSet<String> {
        let below = self.modules.iter().flat_map(Self::all);
        self.providers.iter().cloned().chain(below).collect()
    }
}

/// The provider that a block names, or else the one that has its type.
fn provider(block: &Declaration, of_type: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let named = block
        .provider
        .as_ref()
        .map(|named| named.name.name.to_string());
    named.or_else(|| of_type(&block.kind).map(str::to_owned))
}
