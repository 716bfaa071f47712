//! The providers that are there, by name and by the resource types they have.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use isobar_sdk::limit::{Allowance, Limits};
use isobar_sdk::schema::{ProviderSchema, Schema};
use isobar_sdk::{Address, Error, Factory, Key, Provider};

use crate::eval::functions::Library;

use crate::language::config::ProviderName;

/// The factories of all providers that were built in.
#[derive(Clone, Default)]
pub struct Registry {
    factories: BTreeMap<&'static str, Arc<dyn Factory>>,
    doubles: Option<Arc<dyn Doubles>>,
}

/// Puts providers in place of those that are configured, as tests do.
pub trait Doubles: Send + Sync {
    /// Whether a provider is replaced as a whole, so that its settings mean nothing.
    fn replaces(&self, name: &ProviderName) -> bool;

    /// What is used for a provider, or where it could not be configured.
    ///
    /// # Errors
    /// That it could not, where nothing replaces it.
    fn of(
        &self,
        name: &ProviderName,
        real: Result<Arc<dyn Provider>, Error>,
    ) -> Result<Arc<dyn Provider>, Error>;
}

/// Providers that are ready to be used, by name.
pub type Providers = BTreeMap<String, Arc<dyn Provider>>;

/// Which configuration of a provider: `name`, `name.alias` or `name.alias["key"]`, as the state
/// records it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProviderKey {
    /// The name and alias of its block.
    pub name: ProviderName,
    /// Which of those that `for_each` makes.
    pub key: Option<Key>,
}

impl ProviderKey {
    /// The configuration without an alias.
    #[must_use]
    pub fn default_of(name: &str) -> Self {
        Self {
            name: ProviderName {
                name: name.into(),
                alias: None,
            },
            key: None,
        }
    }

    /// Reads what `Display` writes. The key of an alias reads like that of an address, and a text
    /// that is none is taken for the name of a provider, which there is not.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.parse::<Address>() {
            Ok(address) => Self {
                name: ProviderName {
                    name: address.kind,
                    alias: Some(address.name),
                },
                key: address.key,
            },
            Err(_) => Self::default_of(text),
        }
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        self.key.as_ref().map_or(Ok(()), |key| key.fmt(f))
    }
}

impl Registry {
    /// A registry of these factories.
    #[must_use]
    pub fn new(factories: impl IntoIterator<Item = Arc<dyn Factory>>) -> Self {
        let factories = factories.into_iter();
        Self {
            factories: factories.map(|factory| (factory.name(), factory)).collect(),
            doubles: None,
        }
    }

    /// The same factories, with something in place of some of their providers.
    #[must_use]
    pub fn doubled(&self, doubles: Arc<dyn Doubles>) -> Self {
        Self {
            factories: self.factories.clone(),
            doubles: Some(doubles),
        }
    }

    /// What stands in for providers.
    #[must_use]
    pub fn doubles(&self) -> Option<&dyn Doubles> {
        self.doubles.as_deref()
    }

    /// The factory of this name.
    #[must_use]
    pub fn factory(&self, name: &str) -> Option<&Arc<dyn Factory>> {
        self.factories.get(name)
    }

    /// The names of all providers.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.factories.keys().copied()
    }

    /// How many calls are made at the same time: as many as the one of these providers takes that
    /// takes the fewest. Providers that are not there take any number.
    #[must_use]
    pub fn at_once<'a>(
        &self,
        providers: impl IntoIterator<Item = &'a String>,
        kind: impl Fn(Limits) -> Allowance,
    ) -> NonZeroUsize {
        let names = providers
            .into_iter()
            .map(|text| ProviderKey::parse(text).name.name);
        let factories = names.filter_map(|name| self.factories.get(&*name));
        let fewest = factories
            .map(|factory| kind(factory.limits()).in_flight)
            .min();
        fewest.unwrap_or(NonZeroUsize::MIN)
    }

    /// The schema of a provider.
    #[must_use]
    pub fn provider_schema(&self, name: &str) -> Option<&ProviderSchema> {
        self.factories.get(name).map(|factory| factory.schema())
    }

    /// The provider that has a resource type, and the type's schema.
    #[must_use]
    pub fn resource(&self, resource_type: &str) -> Option<(&'static str, &Schema)> {
        self.factories.iter().find_map(|(name, factory)| {
            Some((*name, factory.schema().resources.get(resource_type)?))
        })
    }

    /// The provider that has a data source, and its schema.
    #[must_use]
    pub fn data_source(&self, kind: &str) -> Option<(&'static str, &Schema)> {
        self.factories
            .iter()
            .find_map(|(name, factory)| Some((*name, factory.schema().data_sources.get(kind)?)))
    }

    /// All data sources.
    pub fn data_sources(&self) -> impl Iterator<Item = &str> {
        self.factories
            .values()
            .flat_map(|factory| factory.schema().data_sources.keys().map(String::as_str))
    }

    /// The functions of each provider that offers some.
    #[must_use]
    pub fn functions(&self) -> Library {
        let offers = |factory: &Arc<dyn Factory>| (factory.name(), factory.functions());
        let offers = self.factories.values().map(offers);
        Library::new(offers.filter(|(_, functions)| !functions.is_empty()))
    }

    /// All resource types.
    pub fn resource_types(&self) -> impl Iterator<Item = &str> {
        self.factories
            .values()
            .flat_map(|factory| factory.schema().resources.keys().map(String::as_str))
    }
}
