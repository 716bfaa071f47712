//! Where what is there has come away from what is wanted, by what it has come away in.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::{Address, Value};

use super::instance::changed_attributes;
use super::{Plan, PlannedChange};
use crate::change::Cause;

/// One way in which what is there is not what is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deviation {
    /// Infrastructure: what was recorded is gone.
    Gone {
        /// What.
        address: Address,
    },
    /// Infrastructure: someone or something else changed it since the last apply.
    Changed {
        /// What.
        address: Address,
        /// Its attributes that differ.
        attributes: Vec<String>,
    },
    /// Capacity: demand, prices or zones ask for another number of replicas than run.
    Capacity {
        /// The label of the deployment.
        deployment: String,
        /// The zone.
        zone: String,
        /// The replicas that run.
        before: u32,
        /// The replicas that are wanted.
        after: u32,
        /// Why.
        why: String,
    },
    /// Model version: others are served than those wanted.
    Version {
        /// The label of the deployment.
        deployment: String,
        /// The zone.
        zone: String,
        /// The versions that run and are not wanted.
        before: BTreeSet<String>,
        /// The versions that are wanted and do not run.
        after: BTreeSet<String>,
    },
}

impl Deviation {
    /// What it has come away in: `infrastructure`, `capacity` or `version`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Gone { .. } | Self::Changed { .. } => "infrastructure",
            Self::Capacity { .. } => "capacity",
            Self::Version { .. } => "version",
        }
    }
}

/// All that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviations {
    /// Infrastructure by address, then versions and capacity by deployment and zone.
    pub deviations: Vec<Deviation>,
    /// How many other changes only follow from the configuration.
    pub configured: usize,
}

/// What a plan that has read everything says of what is there.
#[must_use]
pub fn deviations(plan: &Plan) -> Deviations {
    let mut deviations = infrastructure(plan);
    deviations.extend(versions(plan));
    deviations.extend(capacity(plan));
    Deviations {
        deviations,
        configured: configured(plan),
    }
}

fn infrastructure(plan: &Plan) -> Vec<Deviation> {
    let found = plan.drift.iter().map(|(address, drift)| {
        let address = address.clone();
        match &drift.observed {
            None => Deviation::Gone { address },
            Some(observed) => Deviation::Changed {
                address,
                attributes: changed_attributes(drift.recorded.value(), observed.value()),
            },
        }
    });
    found.collect()
}

fn capacity(plan: &Plan) -> Vec<Deviation> {
    let mut found = Vec::new();
    for (deployment, planned) in &plan.deployments {
        let zones = planned.sized.zones.iter();
        let other = zones.filter(|zone| zone.before != zone.after);
        found.extend(other.map(|zone| Deviation::Capacity {
            deployment: deployment.clone(),
            zone: zone.zone.clone(),
            before: zone.before,
            after: zone.after,
            why: zone.why.clone(),
        }));
    }
    found
}

/// A zone of a deployment: its versions that go, and those that come.
type Served = BTreeMap<(String, String), (BTreeSet<String>, BTreeSet<String>)>;

fn versions(plan: &Plan) -> Vec<Deviation> {
    let mut served = Served::new();
    for (address, planned) in &plan.changes {
        let (Some(zone), true) = (&address.zone, address.native.is_some()) else {
            continue;
        };
        let at = (address.label(), zone.to_string());
        let (before, after) = served.entry(at).or_default();
        before.extend(version(
            planned.change.before().map(isobar_sdk::Known::value),
        ));
        after.extend(version(planned.change.after()));
    }
    let found = served.into_iter().filter_map(|(at, (before, after))| {
        let (deployment, zone) = at;
        let old: BTreeSet<String> = before.difference(&after).cloned().collect();
        let new: BTreeSet<String> = after.difference(&before).cloned().collect();
        // A zone that begins or ends to serve is a matter of capacity.
        let is_other = !old.is_empty() && !new.is_empty();
        is_other.then_some(Deviation::Version {
            deployment,
            zone,
            before: old,
            after: new,
        })
    });
    found.collect()
}

/// The model version that a native resource names.
fn version(value: Option<&Value>) -> Option<String> {
    let version = value?.field("version")?.as_str()?;
    Some(version.to_owned())
}

/// Changes that neither drift nor capacity is a cause of.
fn configured(plan: &Plan) -> usize {
    let elsewhere = |planned: &PlannedChange| {
        let mut causes = planned.causes.iter();
        causes.any(|cause| {
            matches!(
                cause,
                Cause::Drift { .. } | Cause::Capacity { .. } | Cause::Gone
            )
        })
    };
    let changes = plan.actions();
    let changes = changes.filter(|(address, planned)| {
        address.native.is_none() && !elsewhere(planned) && !plan.drift.contains_key(*address)
    });
    changes.count()
}
