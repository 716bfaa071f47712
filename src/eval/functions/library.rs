//! All functions by the names that they are called with, those of providers among them.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::function::Signature;

use super::Function;

/// The namespace in which the functions of the language stand, too.
const CORE: &str = "core::";
/// The namespace of providers.
const PROVIDER: &str = "provider::";

/// The functions that can be called: those of the language, and those that providers offer.
#[derive(Debug, Clone, Default)]
pub struct Library {
    offered: Arc<BTreeMap<&'static str, &'static [isobar_sdk::Function]>>,
}

impl Library {
    /// The functions that these providers offer.
    pub fn new(
        offers: impl IntoIterator<Item = (&'static str, &'static [isobar_sdk::Function])>,
    ) -> Self {
        Self {
            offered: Arc::new(offers.into_iter().collect()),
        }
    }

    /// The function that is called by this name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Function> {
        let Some(qualified) = name.strip_prefix(PROVIDER) else {
            return super::find(name.strip_prefix(CORE).unwrap_or(name)).copied();
        };
        let (provider, name) = qualified.split_once("::")?;
        let offered = self.offered.get(provider)?.iter();
        let mut named = offered.filter(|function| function.signature.name == name);
        named.next().map(|function| Function::from(*function))
    }

    /// What providers offer, by the names that it is called with.
    pub fn offered(&self) -> impl Iterator<Item = (String, Signature)> {
        self.offered.iter().flat_map(|(provider, functions)| {
            functions.iter().map(move |function| {
                let name = format!("{PROVIDER}{provider}::{}", function.signature.name);
                (name, function.signature)
            })
        })
    }

    /// All names that are called, those of the language without a namespace.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let offered = self.offered().map(|(name, _)| name);
        super::names().map(str::to_owned).chain(offered)
    }
}

impl PartialEq for Library {
    /// What can be called is no part of what was called with.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Library {}
