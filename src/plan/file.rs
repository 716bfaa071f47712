//! A plan as a JSON document, with the version of its format.
//!
//! It holds everything that applying needs, also the texts of the configuration and the values
//! of variables; sensitive ones are marked but not hidden, so the file is as secret as they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use isobar_sdk::deployment::Wire;
use isobar_sdk::quantity::Micros;
use isobar_sdk::{Address, Key, Known, Native, Path, Step, Value, json};
use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use super::{
    Base, Drift, FrozenForecast, Mode, OutputChange, Plan, PlannedChange, PlannedDeployment,
};
use crate::change::{Cause, Change, Reason};
use crate::deployment::{Demand, Sized, ZoneSize};
use crate::language::Sources;
use crate::placement::Loss;

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

/// A value in the exact form of [`json::encode_exact`].
struct Exact(Value);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::encode_exact(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Json::deserialize(deserializer)?;
        json::decode_exact(&json)
            .map(Self)
            .ok_or_else(|| D::Error::custom("a value is malformed"))
    }
}

/// A value with nothing unknown in it.
struct ExactKnown(Known);

impl Serialize for ExactKnown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json::encode_exact(self.0.value()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ExactKnown {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Exact(value) = Exact::deserialize(deserializer)?;
        Known::new(value)
            .map(Self)
            .map_err(|_| D::Error::custom("a value that is there is unknown"))
    }
}

/// An address or a time, as its text.
struct Text<T>(T);

impl<T: ToString> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de, T: std::str::FromStr> Deserialize<'de> for Text<T>
where
    T::Err: std::fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map(Self)
            .map_err(D::Error::custom)
    }
}

#[derive(Serialize, Deserialize)]
struct PlanDocument {
    isobar_plan: u64,
    isobar_version: String,
    id: String,
    #[serde(with = "ModeDocument")]
    mode: Mode,
    created: Text<Timestamp>,
    lineage: String,
    serial: u64,
    sources: BTreeMap<String, String>,
    variables: BTreeMap<String, Exact>,
    changes: Vec<ChangeDocument>,
    drift: Vec<DriftDocument>,
    outputs: BTreeMap<String, OutputDocument>,
    nouns: Vec<(String, String, Exact)>,
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
struct ChangeDocument {
    address: Text<Address>,
    provider: String,
    schema_version: u64,
    change: ActionDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<CauseDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    dependencies: Vec<Text<Address>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wires: Option<BTreeMap<String, WireDocument>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ActionDocument {
    Keep {
        now: ExactKnown,
    },
    Create {
        after: Exact,
    },
    Update {
        before: ExactKnown,
        after: Exact,
    },
    Replace {
        before: ExactKnown,
        after: Exact,
        because: Vec<Vec<StepDocument>>,
    },
    Delete {
        before: ExactKnown,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StepDocument {
    Attribute(String),
    Index(usize),
    Key(String),
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum ReasonDocument {
    CannotUpdate,
    Tainted,
    NoBlock,
    CountIndex,
    EachKey,
    WrongRepetition,
    NotDeployed,
    Requested,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CauseDocument {
    Configuration {
        attribute: String,
    },
    Drift {
        attribute: String,
        recorded: Exact,
        observed: Exact,
    },
    Gone,
    Capacity {
        zone: String,
    },
}

#[derive(Serialize, Deserialize)]
struct NativeDocument {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum KeyDocument {
    Number(u64),
    Text(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireDocument {
    Value(Exact),
    From(NativeDocument, Vec<StepDocument>),
}

#[derive(Serialize, Deserialize)]
struct DriftDocument {
    address: Text<Address>,
    recorded: ExactKnown,
    observed: Option<ExactKnown>,
}

#[derive(Serialize, Deserialize)]
struct OutputDocument {
    before: Option<ExactKnown>,
    after: Option<Exact>,
}

#[derive(Serialize, Deserialize)]
struct ForecastDocument {
    source: String,
    series_digest: String,
    observations: usize,
    gaps: usize,
    method: String,
    wape: f64,
    folds: usize,
    start: Text<Timestamp>,
    step_seconds: f64,
    levels: Vec<f64>,
    quantiles: Vec<Vec<f64>>,
    notes: Vec<String>,
    expires: Text<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct DeploymentDocument {
    demand: DemandDocument,
    zones: Vec<ZoneDocument>,
    losses: Vec<LossDocument>,
    forecast: Option<String>,
    urls: BTreeMap<String, WireDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DemandDocument {
    Forecast {
        name: String,
        level: f64,
        peak: f64,
        at: Text<Timestamp>,
    },
    Rate(f64),
    Replicas(BTreeMap<String, u32>),
}

#[derive(Serialize, Deserialize)]
struct ZoneDocument {
    zone: String,
    provider: String,
    region: Option<String>,
    before: u32,
    after: u32,
    price_micros: u64,
    why: String,
}

#[derive(Serialize, Deserialize)]
struct LossDocument {
    zone: String,
    remaining_capacity: f64,
    shed: f64,
}

impl From<&Plan> for PlanDocument {
    fn from(plan: &Plan) -> Self {
        let exact = |value: &Value| Exact(value.clone());
        Self {
            isobar_plan: FORMAT,
            isobar_version: env!("CARGO_PKG_VERSION").to_owned(),
            id: plan.id.clone(),
            mode: plan.mode,
            created: Text(plan.created),
            lineage: plan.base.lineage.clone(),
            serial: plan.base.serial,
            sources: plan
                .sources
                .iter()
                .map(|(f, t)| (f.to_string(), t.to_string()))
                .collect(),
            variables: plan
                .variables
                .iter()
                .map(|(n, v)| (n.to_string(), exact(v)))
                .collect(),
            changes: plan.changes.iter().map(ChangeDocument::from).collect(),
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
                .map(|((kind, name), value)| (kind.to_string(), name.to_string(), exact(value)))
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
        let mut sources = Sources::default();
        for (file, text) in document.sources {
            sources.insert(&file, text);
        }
        let drift = |drift: DriftDocument| {
            let observed = drift.observed.map(|known| known.0);
            (
                drift.address.0,
                Drift {
                    recorded: drift.recorded.0,
                    observed,
                },
            )
        };
        let output = |(name, output): (String, OutputDocument)| {
            let before = output.before.map(|known| known.0);
            (
                name,
                OutputChange {
                    before,
                    after: output.after.map(|value| value.0),
                },
            )
        };
        Self {
            id: document.id,
            mode: document.mode,
            created: document.created.0,
            base: Base {
                lineage: document.lineage,
                serial: document.serial,
            },
            sources,
            variables: document
                .variables
                .into_iter()
                .map(|(n, v)| (n.into(), v.0))
                .collect(),
            changes: document
                .changes
                .into_iter()
                .map(ChangeDocument::into_change)
                .collect(),
            drift: document.drift.into_iter().map(drift).collect(),
            outputs: document.outputs.into_iter().map(output).collect(),
            nouns: document
                .nouns
                .into_iter()
                .map(|(kind, name, value)| ((Arc::from(kind), Arc::from(name)), value.0))
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

impl From<(&Address, &PlannedChange)> for ChangeDocument {
    fn from((address, planned): (&Address, &PlannedChange)) -> Self {
        let known = |known: &Known| ExactKnown(known.clone());
        let value = |value: &Value| Exact(value.clone());
        let change = match &planned.change {
            Change::Keep { now } => ActionDocument::Keep { now: known(now) },
            Change::Create { after } => ActionDocument::Create {
                after: value(after),
            },
            Change::Update { before, after } => ActionDocument::Update {
                before: known(before),
                after: value(after),
            },
            Change::Replace {
                before,
                after,
                because,
            } => ActionDocument::Replace {
                before: known(before),
                after: value(after),
                because: because.iter().map(steps).collect(),
            },
            Change::Delete { before } => ActionDocument::Delete {
                before: known(before),
            },
        };
        Self {
            address: Text(address.clone()),
            provider: planned.provider.clone(),
            schema_version: planned.schema_version,
            change,
            reason: planned.reason.map(ReasonDocument::from),
            causes: planned.causes.iter().map(CauseDocument::from).collect(),
            dependencies: planned.dependencies.iter().cloned().map(Text).collect(),
            wires: planned.wires.as_ref().map(|wires| {
                wires
                    .iter()
                    .map(|(name, wire)| (name.clone(), wire.into()))
                    .collect()
            }),
        }
    }
}

impl ChangeDocument {
    fn into_change(self) -> (Address, PlannedChange) {
        let change = match self.change {
            ActionDocument::Keep { now } => Change::Keep { now: now.0 },
            ActionDocument::Create { after } => Change::Create { after: after.0 },
            ActionDocument::Update { before, after } => Change::Update {
                before: before.0,
                after: after.0,
            },
            ActionDocument::Replace {
                before,
                after,
                because,
            } => Change::Replace {
                before: before.0,
                after: after.0,
                because: because.into_iter().map(path).collect(),
            },
            ActionDocument::Delete { before } => Change::Delete { before: before.0 },
        };
        let planned = PlannedChange {
            provider: self.provider,
            schema_version: self.schema_version,
            change,
            reason: self.reason.map(Reason::from),
            causes: self.causes.into_iter().map(Cause::from).collect(),
            dependencies: self
                .dependencies
                .into_iter()
                .map(|address| address.0)
                .collect(),
            wires: self.wires.map(|wires| {
                wires
                    .into_iter()
                    .map(|(name, wire)| (name, wire.into()))
                    .collect()
            }),
        };
        (self.address.0, planned)
    }
}

fn steps(path: &Path) -> Vec<StepDocument> {
    path.steps()
        .iter()
        .map(|step| match step {
            Step::Attribute(name) => StepDocument::Attribute(name.to_string()),
            Step::Index(index) => StepDocument::Index(*index),
            Step::Key(key) => StepDocument::Key(key.to_string()),
        })
        .collect()
}

fn path(steps: Vec<StepDocument>) -> Path {
    steps
        .into_iter()
        .map(|step| match step {
            StepDocument::Attribute(name) => Step::Attribute(name.into()),
            StepDocument::Index(index) => Step::Index(index),
            StepDocument::Key(key) => Step::Key(key.into()),
        })
        .collect()
}

/// Both directions of an enumeration without data, from one table.
macro_rules! mirror {
    ($ours:ident, $document:ident: $($variant:ident),*) => {
        impl From<$ours> for $document {
            fn from(value: $ours) -> Self {
                match value { $($ours::$variant => Self::$variant),* }
            }
        }
        impl From<$document> for $ours {
            fn from(value: $document) -> Self {
                match value { $($document::$variant => Self::$variant),* }
            }
        }
    };
}

mirror!(Reason, ReasonDocument: CannotUpdate, Tainted, NoBlock, CountIndex, EachKey,
    WrongRepetition, NotDeployed, Requested);

impl From<&Cause> for CauseDocument {
    fn from(cause: &Cause) -> Self {
        match cause {
            Cause::Configuration { attribute } => Self::Configuration {
                attribute: attribute.clone(),
            },
            Cause::Drift {
                attribute,
                recorded,
                observed,
            } => Self::Drift {
                attribute: attribute.clone(),
                recorded: Exact(recorded.clone()),
                observed: Exact(observed.clone()),
            },
            Cause::Gone => Self::Gone,
            Cause::Capacity { zone } => Self::Capacity { zone: zone.clone() },
        }
    }
}

impl From<CauseDocument> for Cause {
    fn from(cause: CauseDocument) -> Self {
        match cause {
            CauseDocument::Configuration { attribute } => Self::Configuration { attribute },
            CauseDocument::Drift {
                attribute,
                recorded,
                observed,
            } => Self::Drift {
                attribute,
                recorded: recorded.0,
                observed: observed.0,
            },
            CauseDocument::Gone => Self::Gone,
            CauseDocument::Capacity { zone } => Self::Capacity { zone },
        }
    }
}

impl From<&Wire> for WireDocument {
    fn from(wire: &Wire) -> Self {
        match wire {
            Wire::Value(value) => Self::Value(Exact(value.clone())),
            Wire::From(native, path) => {
                let key = native.key.as_ref().map(|key| match key {
                    Key::Number(number) => KeyDocument::Number(*number),
                    Key::Text(text) => KeyDocument::Text(text.to_string()),
                });
                Self::From(
                    NativeDocument {
                        kind: native.kind.to_string(),
                        key,
                    },
                    steps(path),
                )
            }
        }
    }
}

impl From<WireDocument> for Wire {
    fn from(wire: WireDocument) -> Self {
        match wire {
            WireDocument::Value(value) => Self::Value(value.0),
            WireDocument::From(native, steps) => {
                let key = native.key.map(|key| match key {
                    KeyDocument::Number(number) => Key::Number(number),
                    KeyDocument::Text(text) => Key::Text(text.into()),
                });
                Self::From(
                    Native {
                        kind: native.kind.into(),
                        key,
                    },
                    path(steps),
                )
            }
        }
    }
}

impl From<&FrozenForecast> for ForecastDocument {
    fn from(forecast: &FrozenForecast) -> Self {
        Self {
            source: forecast.source.clone(),
            series_digest: forecast.series_digest.clone(),
            observations: forecast.observations,
            gaps: forecast.gaps,
            method: forecast.method.clone(),
            wape: forecast.wape,
            folds: forecast.folds,
            start: Text(forecast.start),
            step_seconds: forecast.step.as_secs_f64(),
            levels: forecast.levels.clone(),
            quantiles: forecast.quantiles.clone(),
            notes: forecast.notes.clone(),
            expires: Text(forecast.expires),
        }
    }
}

impl From<ForecastDocument> for FrozenForecast {
    fn from(document: ForecastDocument) -> Self {
        Self {
            source: document.source,
            series_digest: document.series_digest,
            observations: document.observations,
            gaps: document.gaps,
            method: document.method,
            wape: document.wape,
            folds: document.folds,
            start: document.start.0,
            step: Duration::try_from_secs_f64(document.step_seconds).unwrap_or_default(),
            levels: document.levels,
            quantiles: document.quantiles,
            notes: document.notes,
            expires: document.expires.0,
        }
    }
}

impl From<&PlannedDeployment> for DeploymentDocument {
    fn from(planned: &PlannedDeployment) -> Self {
        let demand = match &planned.sized.demand {
            Demand::Forecast {
                name,
                level,
                peak,
                at,
            } => DemandDocument::Forecast {
                name: name.clone(),
                level: *level,
                peak: *peak,
                at: Text(*at),
            },
            Demand::Rate(rate) => DemandDocument::Rate(*rate),
            Demand::Replicas(replicas) => DemandDocument::Replicas(replicas.clone()),
        };
        let zone = |zone: &ZoneSize| ZoneDocument {
            zone: zone.zone.clone(),
            provider: zone.provider.clone(),
            region: zone.region.clone(),
            before: zone.before,
            after: zone.after,
            price_micros: zone.price.0,
            why: zone.why.clone(),
        };
        let loss = |loss: &Loss| LossDocument {
            zone: loss.zone.clone(),
            remaining_capacity: loss.remaining_capacity,
            shed: loss.shed,
        };
        Self {
            demand,
            zones: planned.sized.zones.iter().map(zone).collect(),
            losses: planned.sized.losses.iter().map(loss).collect(),
            forecast: planned.forecast.clone(),
            urls: planned
                .urls
                .iter()
                .map(|(zone, wire)| (zone.clone(), wire.into()))
                .collect(),
        }
    }
}

impl From<DeploymentDocument> for PlannedDeployment {
    fn from(document: DeploymentDocument) -> Self {
        let demand = match document.demand {
            DemandDocument::Forecast {
                name,
                level,
                peak,
                at,
            } => Demand::Forecast {
                name,
                level,
                peak,
                at: at.0,
            },
            DemandDocument::Rate(rate) => Demand::Rate(rate),
            DemandDocument::Replicas(replicas) => Demand::Replicas(replicas),
        };
        let zone = |zone: ZoneDocument| ZoneSize {
            zone: zone.zone,
            provider: zone.provider,
            region: zone.region,
            before: zone.before,
            after: zone.after,
            price: Micros(zone.price_micros),
            why: zone.why,
        };
        let loss = |loss: LossDocument| Loss {
            zone: loss.zone,
            remaining_capacity: loss.remaining_capacity,
            shed: loss.shed,
        };
        Self {
            sized: Sized {
                demand,
                zones: document.zones.into_iter().map(zone).collect(),
                losses: document.losses.into_iter().map(loss).collect(),
            },
            forecast: document.forecast,
            urls: document
                .urls
                .into_iter()
                .map(|(zone, wire)| (zone, wire.into()))
                .collect(),
        }
    }
}
