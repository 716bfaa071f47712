//! What deployments that a plan leaves out keep of the limits of zones.

use std::collections::BTreeMap;

use isobar_sdk::{Address, Known, Native};

use super::drive::Driver;
use crate::deployment::{Taken, fleet};

/// What an instance of a deployment runs in one zone, by provider.
type Running<'s> = (&'s str, BTreeMap<Native, Known>);

impl Driver<'_> {
    /// The instances that deployments run which this plan does not look at, as they are recorded:
    /// they go on running, so that others can not have their place.
    pub(super) fn held(&self) -> Taken {
        let mut taken = Taken::new();
        if !self.request.selection.is_partial() {
            return taken;
        }
        for ((_, zone), (provider, natives)) in self.left_out() {
            let provider = self.providers.get(provider);
            let Some(target) = provider.and_then(|provider| provider.target()) else {
                continue;
            };
            let instance = target.instance(&natives);
            let instance = instance.unwrap_or_else(|| fleet::REPLICA.to_owned());
            *taken.entry((zone, instance)).or_default() += target.replicas(&natives);
        }
        taken
    }

    /// What is recorded of deployments that this plan does not look at, by instance and zone.
    fn left_out(&self) -> BTreeMap<(Address, String), Running<'_>> {
        let mut left_out: BTreeMap<(Address, String), Running<'_>> = BTreeMap::new();
        for (address, instance) in &self.state.instances {
            let (Some(zone), Some(native)) = (&address.zone, &address.native) else {
                continue;
            };
            let owner = address.owner();
            if self.reach.includes_some(&owner) {
                continue;
            }
            let key = (owner, zone.to_string());
            let (_, natives) = left_out
                .entry(key)
                .or_insert_with(|| (instance.provider.as_str(), BTreeMap::new()));
            natives.insert(native.clone(), instance.attributes.clone());
        }
        left_out
    }
}
