//! A plan as a JSON document, with the version of its format.
//!
//! It holds everything that applying needs, also the texts of the configuration and the values
//! of variables but for ephemeral ones; sensitive ones are marked but not hidden, so the file is as
//! secret as they are.

mod change;
mod check;
mod deployment;
mod exact;
mod forecast;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use isobar_sdk::address::Place;
use isobar_sdk::{Address, Value};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value as Json;

use self::change::ChangeDocument;
use self::check::CheckDocument;
use self::deployment::DeploymentDocument;
use self::exact::{Exact, ExactKnown, Text};
use self::forecast::ForecastDocument;
use super::{Base, Deferred, Drift, Mode, OutputChange, Plan, PlannedRead, Refresh, Selection};
use crate::eval::Facts;
use crate::language::Sources;
use crate::state::DeposedKey;

/// The version of the format that this program writes and reads.
const FORMAT: u64 = 1;

/// Why a document is not a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// It is not JSON, or not of the right shape.
    #[error("it is not a plan of Isobar: {0}")]
    Malformed(String),
    /// It was written by another version.
    #[error("its format {found} is not the format {FORMAT} that this version of Isobar reads")]
    OtherFormat {
        /// The version it names.
        found: u64,
    },
}

/// Writes a plan; the same plan gives the same bytes.
#[must_use]
pub fn to_json(plan: &Plan) -> String {
    let mut text = serde_json::to_string(&PlanDocument::from(plan)).unwrap_or_default();
    text.push('\n');
    text
}

/// Reads a plan.
///
/// # Errors
/// Why the text is not one.
pub fn from_json(text: &str) -> Result<Plan, FileError> {
    let json: Json =
        serde_json::from_str(text).map_err(|error| FileError::Malformed(error.to_string()))?;
    match json.get("isobar_plan").and_then(Json::as_u64) {
        Some(FORMAT) => {}
        Some(found) => return Err(FileError::OtherFormat { found }),
        None => return Err(FileError::Malformed("it has no isobar_plan".to_owned())),
    }
    serde_json::from_value::<PlanDocument>(json)
        .map(Plan::from)
        .map_err(|error| FileError::Malformed(error.to_string()))
}

#[derive(Serialize, Deserialize)]
struct PlanDocument {
    isobar_plan: u64,
    isobar_version: String,
    id: String,
    #[serde(with = "ModeDocument")]
    mode: Mode,
    #[serde(
        with = "RefreshDocument",
        default = "full",
        skip_serializing_if = "is_full"
    )]
    refresh: Refresh,
    created: Text<Timestamp>,
    lineage: String,
    serial: u64,
    sources: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    installed: BTreeMap<String, String>,
    folder: String,
    workspace: String,
    variables: BTreeMap<String, Exact>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    given_again: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    targets: Vec<Text<Place>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excludes: Vec<Text<Place>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    replace: Vec<Text<Address>>,
    changes: Vec<ChangeDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deposed: Vec<(Text<DeposedKey>, ChangeDocument)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    moves: Vec<(Text<Address>, Text<Address>)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    checks: Vec<CheckDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reads: Vec<ReadDocument>,
    drift: Vec<DriftDocument>,
    outputs: BTreeMap<String, OutputDocument>,
    nouns: Vec<(Text<Address>, Exact)>,
    forecasts: BTreeMap<String, ForecastDocument>,
    deployments: BTreeMap<String, DeploymentDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Mode", rename_all = "snake_case")]
enum ModeDocument {
    Normal,
    Destroy,
    RefreshOnly,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Refresh", rename_all = "snake_case")]
enum RefreshDocument {
    Full,
    Minimal,
    Skip,
}

const fn full() -> Refresh {
    Refresh::Full
}

fn is_full(refresh: &Refresh) -> bool {
    *refresh == Refresh::Full
}

#[derive(Serialize, Deserialize)]
struct ReadDocument {
    address: Text<Address>,
    provider: String,
    after: Exact,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deferred: Option<DeferredDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DeferredDocument {
    ConfigurationUnknown,
    DependencyPending,
    AskedByCheck,
}

impl From<(&Address, &PlannedRead)> for ReadDocument {
    fn from((address, read): (&Address, &PlannedRead)) -> Self {
        Self {
            address: Text(address.clone()),
            provider: read.provider.clone(),
            after: Exact(read.after.clone()),
            deferred: read.deferred.map(|deferred| match deferred {
                Deferred::ConfigurationUnknown => DeferredDocument::ConfigurationUnknown,
                Deferred::DependencyPending => DeferredDocument::DependencyPending,
                Deferred::AskedByCheck => DeferredDocument::AskedByCheck,
            }),
        }
    }
}

impl ReadDocument {
    fn into_read(self) -> (Address, PlannedRead) {
        let deferred = self.deferred.map(|deferred| match deferred {
            DeferredDocument::ConfigurationUnknown => Deferred::ConfigurationUnknown,
            DeferredDocument::DependencyPending => Deferred::DependencyPending,
            DeferredDocument::AskedByCheck => Deferred::AskedByCheck,
        });
        let read = PlannedRead {
            provider: self.provider,
            after: self.after.0,
            deferred,
        };
        (self.address.0, read)
    }
}

#[derive(Serialize, Deserialize)]
struct DriftDocument {
    address: Text<Address>,
    recorded: ExactKnown,
    observed: Option<ExactKnown>,
}

#[derive(Serialize, Deserialize)]
struct OutputDocument {
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    before: Option<ExactKnown>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "there"
    )]
    after: Option<Exact>,
}

/// Reads what is there, so that null is a value and not one that is missing.
fn there<'de, T: Deserialize<'de>, D: Deserializer<'de>>(reader: D) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

impl From<&Plan> for PlanDocument {
    fn from(plan: &Plan) -> Self {
        let exact = |value: &Value| Exact(value.clone());
        Self {
            isobar_plan: FORMAT,
            isobar_version: env!("CARGO_PKG_VERSION").to_owned(),
            id: plan.id.clone(),
            mode: plan.mode,
            refresh: plan.refresh,
            created: Text(plan.created),
            lineage: plan.base.lineage.clone(),
            serial: plan.base.serial,
            sources: plan
                .sources
                .iter()
                .map(|(f, t)| (f.to_string(), t.to_string()))
                .collect(),
            installed: plan.sources.installed().clone(),
            folder: plan.facts.folder.clone(),
            workspace: plan.facts.workspace.clone(),
            variables: plan
                .variables
                .iter()
                .filter(|(_, value)| !value.contains_ephemeral())
                .map(|(n, v)| (n.to_string(), exact(v)))
                .collect(),
            given_again: plan.given_again.iter().map(ToString::to_string).collect(),
            targets: plan.selection.targets.iter().cloned().map(Text).collect(),
            excludes: plan.selection.excludes.iter().cloned().map(Text).collect(),
            replace: plan.selection.replace.iter().cloned().map(Text).collect(),
            changes: plan.changes.iter().map(ChangeDocument::from).collect(),
            deposed: plan
                .deposed
                .iter()
                .map(|((address, key), planned)| (Text(*key), (address, planned).into()))
                .collect(),
            checks: plan.checks.iter().map(CheckDocument::from).collect(),
            reads: plan.reads.iter().map(ReadDocument::from).collect(),
            moves: plan
                .moves
                .iter()
                .map(|(new, old)| (Text(new.clone()), Text(old.clone())))
                .collect(),
            drift: plan
                .drift
                .iter()
                .map(|(address, drift)| DriftDocument {
                    address: Text(address.clone()),
                    recorded: ExactKnown(drift.recorded.clone()),
                    observed: drift.observed.clone().map(ExactKnown),
                })
                .collect(),
            outputs: plan
                .outputs
                .iter()
                .map(|(name, output)| {
                    let before = output.before.clone().map(ExactKnown);
                    (
                        name.clone(),
                        OutputDocument {
                            before,
                            after: output.after.as_ref().map(exact),
                        },
                    )
                })
                .collect(),
            nouns: plan
                .nouns
                .iter()
                .map(|(address, value)| (Text(address.clone()), exact(value)))
                .collect(),
            forecasts: plan
                .forecasts
                .iter()
                .map(|(n, f)| (n.clone(), f.into()))
                .collect(),
            deployments: plan
                .deployments
                .iter()
                .map(|(n, d)| (n.clone(), d.into()))
                .collect(),
        }
    }
}

impl From<PlanDocument> for Plan {
    fn from(document: PlanDocument) -> Self {
        let sources = read_sources(document.sources, document.installed);
        let facts = Facts {
            folder: document.folder,
            workspace: document.workspace,
            planned: Some(document.created.0),
            ..Facts::default()
        };
        Self {
            id: document.id,
            mode: document.mode,
            refresh: document.refresh,
            created: document.created.0,
            base: Base {
                lineage: document.lineage,
                serial: document.serial,
            },
            sources,
            facts,
            variables: read_variables(document.variables),
            given_again: document.given_again.into_iter().map(Into::into).collect(),
            selection: Selection {
                targets: document.targets.into_iter().map(|text| text.0).collect(),
                excludes: document.excludes.into_iter().map(|text| text.0).collect(),
                replace: document.replace.into_iter().map(|text| text.0).collect(),
            },
            changes: document
                .changes
                .into_iter()
                .map(ChangeDocument::into_change)
                .collect(),
            deposed: document
                .deposed
                .into_iter()
                .map(|(key, change)| {
                    let (address, planned) = change.into_change();
                    ((address, key.0), planned)
                })
                .collect(),
            checks: document
                .checks
                .into_iter()
                .map(CheckDocument::into_check)
                .collect(),
            reads: document
                .reads
                .into_iter()
                .map(ReadDocument::into_read)
                .collect(),
            moves: document
                .moves
                .into_iter()
                .map(|(new, old)| (new.0, old.0))
                .collect(),
            drift: document
                .drift
                .into_iter()
                .map(DriftDocument::into_drift)
                .collect(),
            outputs: document
                .outputs
                .into_iter()
                .map(|(name, output)| (name, output.into_change()))
                .collect(),
            nouns: document
                .nouns
                .into_iter()
                .map(|(address, value)| (address.0, value.0))
                .collect(),
            forecasts: document
                .forecasts
                .into_iter()
                .map(|(n, f)| (n, f.into()))
                .collect(),
            deployments: document
                .deployments
                .into_iter()
                .map(|(n, d)| (n, d.into()))
                .collect(),
        }
    }
}

fn read_variables(values: BTreeMap<String, Exact>) -> BTreeMap<Arc<str>, Value> {
    let value = |(name, value): (String, Exact)| (name.into(), value.0);
    values.into_iter().map(value).collect()
}

fn read_sources(texts: BTreeMap<String, String>, installed: BTreeMap<String, String>) -> Sources {
    let mut sources = Sources::default();
    for (file, text) in texts {
        sources.insert(&file, text);
    }
    for (source, folder) in installed {
        sources.install(&source, &folder);
    }
    sources
}

impl DriftDocument {
    fn into_drift(self) -> (Address, Drift) {
        let drift = Drift {
            recorded: self.recorded.0,
            observed: self.observed.map(|known| known.0),
        };
        (self.address.0, drift)
    }
}

impl OutputDocument {
    fn into_change(self) -> OutputChange {
        OutputChange {
            before: self.before.map(|known| known.0),
            after: self.after.map(|value| value.0),
        }
    }
}
