//! What would be done: every change with its cause, frozen together with what it rests on.

mod absent;
mod adopt;
mod batch;
mod checks;
mod cohort;
mod cycle;
mod deploy;
mod deviation;
mod drive;
mod expand;
mod file;
mod freeze;
mod holding;
mod ignore;
mod instance;
mod intake;
mod life;
mod lookup;
mod market;
mod moves;
mod names;
mod need;
mod needs;
mod nouns;
mod order;
mod origin;
mod outline;
mod predict;
mod provider;
mod recall;
mod refresh;
mod rehearse;
mod remainder;
mod resource;
mod selection;
mod setup;
mod sketch;
mod specify;
mod undeclared;
mod unregistered;
mod validate;

pub use absent::{Absent, absent};
pub use adopt::importable;
pub use checks::{CheckStatus, Checked, Checks};
pub use deviation::{Deviation, Deviations, deviations};
pub use drive::{Request, propose};
pub use expand::{Expanded, empty, expand};
pub use file::{FileError, from_json, to_json};
pub use freeze::FrozenForecast;
pub use instance::{Configured, configure, follow, plain};
pub use intake::intake;
pub use lookup::{Deferred, PlannedRead, look_up, not_told};
pub use market::markets;
pub use names::{Name, Names, Node};
pub use need::{Need, Stage};
pub use needs::Needs;
pub use order::{Step, order};
pub use predict::{Prediction, forecasts};
pub use recall::Recall;
pub use rehearse::{Cast, rehearse};
pub use remainder::sensitive_output;
pub use selection::{Reach, Selection};
pub use setup::providers;
pub use unregistered::{provider as unknown_provider, providers as check_providers};
pub use validate::validate;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::deployment::Wire;
use isobar_sdk::{Address, Known, Value};
use jiff::Timestamp;

use crate::change::{Action, Cause, Change, Reason};
use crate::deployment::Sized;
use crate::deployment::schedule::Outline;
use crate::eval::Facts;
use crate::language::Sources;
use crate::state::{Deposed, Instance, Life};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To make what is there what the configuration says.
    Normal,
    /// To destroy everything.
    Destroy,
    /// To record what is there.
    RefreshOnly,
}

/// Whether what is there is read before planning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// It is.
    Full,
    /// Only what the configuration would change; the state is taken for the rest.
    Minimal,
    /// The state is taken for it.
    Skip,
}

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Names this plan; the idempotency keys of its changes come from it.
    pub id: String,
    /// What it is for.
    pub mode: Mode,
    /// What was read for it.
    pub refresh: Refresh,
    /// When it was made.
    pub created: Timestamp,
    /// The state it was made from.
    pub base: Base,
    /// The texts of the configuration.
    pub sources: Sources,
    /// What the environment contributed.
    pub facts: Facts,
    /// The values of the variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The ephemeral variables that were given. A file does not keep their values, so they are
    /// to be given again where a plan from a file is applied.
    pub given_again: BTreeSet<Arc<str>>,
    /// What it is restricted to.
    pub selection: Selection,
    /// What happens to each instance that it looks at, also where nothing does.
    pub changes: BTreeMap<Address, PlannedChange>,
    /// What was replaced by an earlier apply and is destroyed now.
    pub deposed: Deposed<PlannedChange>,
    /// What became of conditions.
    pub checks: Checks,
    /// What the data sources tell.
    pub reads: BTreeMap<Address, PlannedRead>,
    /// The address that an instance had before, by the one that it has now.
    pub moves: BTreeMap<Address, Address>,
    /// What has changed since the last apply without Isobar; `None` for what is gone.
    pub drift: BTreeMap<Address, Drift>,
    /// What happens to each output.
    pub outputs: BTreeMap<String, OutputChange>,
    /// The values of the nouns, by the addresses of their blocks.
    pub nouns: BTreeMap<Address, Value>,
    /// The forecasts that deployments rest on, by their labels.
    pub forecasts: BTreeMap<String, FrozenForecast>,
    /// The replicas of deployments, by their labels.
    pub deployments: BTreeMap<String, PlannedDeployment>,
}

/// The state that a plan was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// Its lineage; empty where there was no state.
    pub lineage: String,
    /// Its serial.
    pub serial: u64,
}

/// What happens to one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedChange {
    /// The local name of its provider.
    pub provider: String,
    /// The version of its schema.
    pub schema_version: u64,
    /// What the provider calls it, if it was there before and becomes part of the state.
    pub importing: Option<String>,
    /// What happens.
    pub change: Change,
    /// Why it is classified so, where there is more to say than that the values differ.
    pub reason: Option<Reason>,
    /// Where the differences come from.
    pub causes: Vec<Cause>,
    /// What its block says about its life.
    pub life: Life,
    /// What must be there before it.
    pub dependencies: Vec<Address>,
    /// The configuration of a native resource of a deployment; `None` for others.
    pub wires: Option<BTreeMap<String, Wire>>,
}

impl PlannedChange {
    /// Whether it is made, be it in the place of another.
    #[must_use]
    pub const fn creates(&self) -> bool {
        matches!(self.change.action(), Action::Create | Action::Replace)
    }

    /// Whether it is made anew before what it replaces is destroyed.
    #[must_use]
    pub const fn creates_first(&self) -> bool {
        matches!(self.change, Change::Replace { .. }) && self.life.create_first
    }

    /// An instance is destroyed, or no longer managed.
    #[must_use]
    pub fn leave(instance: &Instance, change: Change, reason: Option<Reason>) -> Self {
        Self {
            change,
            reason,
            ..Self::keep(instance, instance.attributes.clone())
        }
    }

    /// An instance stays as it is.
    #[must_use]
    pub fn keep(instance: &Instance, now: Known) -> Self {
        Self {
            provider: instance.provider.clone(),
            schema_version: instance.schema_version,
            importing: None,
            change: Change::Keep { now },
            reason: None,
            causes: Vec::new(),
            life: instance.life,
            dependencies: instance.dependencies.clone(),
            wires: None,
        }
    }
}

/// What has changed without Isobar.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// What was recorded.
    pub recorded: Known,
    /// What is there.
    pub observed: Option<Known>,
}

/// What happens to an output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputChange {
    /// What it was.
    pub before: Option<Known>,
    /// What it will be.
    pub after: Option<Value>,
}

/// A deployment as it was planned.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedDeployment {
    /// Its replicas.
    pub sized: Sized,
    /// What happens between two applies to the replicas of each zone that has some.
    pub outlines: BTreeMap<String, Outline>,
    /// Where the URL of each zone comes from.
    pub urls: BTreeMap<String, Wire>,
}

impl OutputChange {
    /// Its kind.
    #[must_use]
    pub fn action(&self) -> Action {
        match (&self.before, &self.after) {
            // An output that is null is not recorded.
            (None, Some(after)) if after.is_null() => Action::Keep,
            (None, Some(_)) => Action::Create,
            (Some(_), None) => Action::Delete,
            (Some(before), Some(after)) if before.value() == after => Action::Keep,
            (Some(_), Some(_)) => Action::Update,
            (None, None) => Action::Keep,
        }
    }
}

impl Plan {
    /// The changes that do something, in address order.
    pub fn actions(&self) -> impl Iterator<Item = (&Address, &PlannedChange)> {
        self.changes
            .iter()
            .filter(|(_, planned)| planned.change.action() != Action::Keep)
    }

    /// How many changes there are of a kind.
    #[must_use]
    pub fn count(&self, action: Action) -> usize {
        self.changes
            .values()
            .filter(|planned| planned.change.action() == action)
            .count()
    }

    /// Whether applying it would change anything, outputs and recorded drift included.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        let outputs = self
            .outputs
            .values()
            .any(|output| output.action() != Action::Keep);
        match self.mode {
            Mode::RefreshOnly => !self.drift.is_empty() || outputs,
            Mode::Normal | Mode::Destroy => {
                let imports = self.changes.values().any(|p| p.importing.is_some());
                let changes = self.actions().next().is_some() || !self.deposed.is_empty();
                changes || imports || !self.moves.is_empty() || outputs
            }
        }
    }

    /// When the first of the forecasts it rests on expires.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.forecasts
            .values()
            .map(|forecast| forecast.expires)
            .min()
    }
}

/// The value of a deployment in expressions: what it runs and where it answers.
#[must_use]
pub fn deployment_value(
    name: &str,
    planned: &PlannedDeployment,
    resolve: &impl Fn(&str, &Wire) -> Value,
) -> Value {
    let replicas = planned
        .sized
        .zones
        .iter()
        .map(|zone| (zone.zone.as_str(), zone.after.into()));
    let urls: BTreeMap<&str, Value> = planned
        .urls
        .iter()
        .map(|(zone, wire)| (zone.as_str(), resolve(zone, wire)))
        .collect();
    let url = urls.values().next().cloned().unwrap_or(Value::NULL);
    Value::object([
        ("name", Value::from(name)),
        ("replicas", Value::map(replicas)),
        ("url", url),
        ("urls", Value::map(urls)),
    ])
}
