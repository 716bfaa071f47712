//! Changes as a plan file holds them.

use std::collections::BTreeMap;

use isobar_sdk::deployment::Wire;
use isobar_sdk::{Address, Key, Known, Native, Path, Step, Value};
use serde::{Deserialize, Serialize};

use super::exact::{Exact, ExactKnown, Text};
use crate::change::{Cause, Change, Reason};
use crate::plan::PlannedChange;
use crate::state::Life;

#[derive(Serialize, Deserialize)]
pub(super) struct ChangeDocument {
    address: Text<Address>,
    provider: String,
    schema_version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    importing: Option<String>,
    change: ActionDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<ReasonDocument>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<CauseDocument>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    protected: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    create_first: bool,
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
    Forget {
        before: ExactKnown,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepDocument {
    Attribute(String),
    Index(usize),
    Key(String),
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum ReasonDocument {
    CannotUpdate,
    Tainted,
    Triggered,
    NoBlock,
    NoMoveTarget,
    NoModule,
    CountIndex,
    EachKey,
    WrongRepetition,
    NotEnabled,
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
    Follows {
        attribute: String,
        of: Text<Address>,
    },
    Gone,
    Capacity {
        attribute: String,
        zone: String,
    },
}

#[derive(Serialize, Deserialize)]
pub(super) struct NativeDocument {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<KeyDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum KeyDocument {
    Number(u64),
    Text(String),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireDocument {
    Value(Exact),
    From(NativeDocument, Vec<StepDocument>),
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
            Change::Forget { before } => ActionDocument::Forget {
                before: known(before),
            },
        };
        Self {
            address: Text(address.clone()),
            provider: planned.provider.clone(),
            schema_version: planned.schema_version,
            importing: planned.importing.clone(),
            change,
            reason: planned.reason.map(ReasonDocument::from),
            causes: planned.causes.iter().map(CauseDocument::from).collect(),
            protected: planned.life.protected,
            create_first: planned.life.create_first,
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
    pub(super) fn into_change(self) -> (Address, PlannedChange) {
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
            ActionDocument::Forget { before } => Change::Forget { before: before.0 },
        };
        let planned = PlannedChange {
            provider: self.provider,
            schema_version: self.schema_version,
            importing: self.importing,
            change,
            reason: self.reason.map(Reason::from),
            causes: self.causes.into_iter().map(Cause::from).collect(),
            life: Life {
                protected: self.protected,
                create_first: self.create_first,
            },
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

mirror!(Reason, ReasonDocument: CannotUpdate, Tainted, Triggered, NoBlock, NoMoveTarget, NoModule,
    CountIndex, EachKey, WrongRepetition, NotEnabled, NotDeployed, Requested);

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
            Cause::Follows { attribute, of } => Self::Follows {
                attribute: attribute.clone(),
                of: Text(of.clone()),
            },
            Cause::Gone => Self::Gone,
            Cause::Capacity { attribute, zone } => Self::Capacity {
                attribute: attribute.clone(),
                zone: zone.clone(),
            },
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
            CauseDocument::Follows { attribute, of } => Self::Follows {
                attribute,
                of: of.0,
            },
            CauseDocument::Gone => Self::Gone,
            CauseDocument::Capacity { attribute, zone } => Self::Capacity { attribute, zone },
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
