//! What endpoints are doing, and how that ends.

use std::mem;

use jiff::Timestamp;
use serde::Serialize;

use super::Moment;
use super::endpoint::{Endpoint, Rollout, Variant, grown, instances};
use super::region::{Conditions, Region};

/// Why a change of an endpoint failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// There were no instances of a type left.
    NoCapacity {
        /// The type.
        instance_type: String,
    },
    /// An image was not there.
    NoImage {
        /// Of this variant.
        variant: String,
        /// The image.
        image: String,
    },
    /// Files of a model were not there.
    NoArtifact {
        /// Of this variant.
        variant: String,
        /// Where they should have been.
        artifact: String,
    },
    /// Containers never said that they were well.
    Unhealthy {
        /// Of this variant.
        variant: String,
    },
    /// An alarm rang while new instances served beside the old ones.
    Alarm {
        /// Its name.
        alarm: String,
    },
}

/// On the way to another configuration.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Move {
    /// Its name.
    pub configuration: String,
    /// What is to serve.
    pub fleet: Vec<Variant>,
    /// When it was ordered.
    pub started: Timestamp,
    /// When the new instances are there, or are not.
    pub ready: Timestamp,
    /// When it is done; until then old and new instances serve side by side.
    pub until: Timestamp,
    /// How it is carried out.
    #[serde(skip)]
    pub rollout: Rollout,
    /// Whether the new instances were found to be well.
    pub judged: bool,
}

/// What an endpoint is doing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is made.
    Creating(Move),
    /// It serves.
    InService,
    /// It gets another configuration.
    Updating(Move),
    /// It gets other weights or counts.
    Adjusting {
        /// Until then.
        until: Timestamp,
    },
    /// It goes back to what it was before an update that failed.
    RollingBack {
        /// Until then.
        until: Timestamp,
    },
    /// The cloud works on it, for reasons of its own.
    Maintained {
        /// Until then.
        until: Timestamp,
    },
    /// It comes to its end.
    Deleting {
        /// Until then.
        until: Timestamp,
    },
    /// It was never made.
    Failed,
    /// It does not serve.
    OutOfService,
    /// An update and then the way back failed.
    RollbackFailed,
}

impl Phase {
    /// The configuration on its way, if there is one.
    #[must_use]
    pub const fn coming(&self) -> Option<&Move> {
        match self {
            Self::Creating(coming) | Self::Updating(coming) => Some(coming),
            Self::InService
            | Self::Adjusting { .. }
            | Self::RollingBack { .. }
            | Self::Maintained { .. }
            | Self::Deleting { .. }
            | Self::Failed
            | Self::OutOfService
            | Self::RollbackFailed => None,
        }
    }
}

/// The first alarm of a move that rings.
fn rings<'a>(coming: &'a Move, conditions: &Conditions) -> Option<&'a String> {
    let mut alarms = coming.rollout.alarms.iter();
    alarms.find(|alarm| conditions.alarms.contains(*alarm))
}

impl Endpoint {
    /// When it does what it does next by itself, not before `now`.
    pub(super) fn due(&self, now: Timestamp, conditions: &Conditions) -> Option<Timestamp> {
        match &self.phase {
            Phase::Creating(coming) => Some(coming.until),
            Phase::Updating(coming) if !coming.judged => Some(coming.ready),
            Phase::Updating(coming) if rings(coming, conditions).is_some() => Some(now),
            Phase::Updating(coming) => Some(coming.until),
            Phase::Adjusting { until }
            | Phase::RollingBack { until }
            | Phase::Maintained { until }
            | Phase::Deleting { until } => Some(*until),
            Phase::InService | Phase::Failed | Phase::OutOfService | Phase::RollbackFailed => None,
        }
    }

    fn serve(&mut self, coming: Move, now: Timestamp) {
        self.configuration = coming.configuration;
        self.fleet = coming.fleet;
        if coming.rollout.document.is_some() {
            self.rollout = coming.rollout.document;
        }
        self.settle(Phase::InService, None, now);
    }

    fn settle(&mut self, phase: Phase, failure: Option<Trouble>, now: Timestamp) {
        self.phase = phase;
        self.failure = failure;
        self.modified = now;
    }

    fn finish_adjustment(&mut self, trouble: Option<Trouble>, now: Timestamp) {
        for variant in &mut self.fleet {
            if trouble.is_none() {
                variant.count = variant.desired_count;
                variant.weight = variant.desired_weight;
            } else {
                variant.desired_count = variant.count;
                variant.desired_weight = variant.weight;
            }
        }
        self.settle(Phase::InService, trouble, now);
    }
}

impl Region {
    /// Carries out everything about endpoints that is due.
    pub(super) fn settle_endpoints(&mut self, moment: &Moment) {
        let conditions = &self.conditions;
        let is_due = |endpoint: &Endpoint| {
            let due = endpoint.due(moment.now, conditions);
            due.is_some_and(|due| due <= moment.now)
        };
        let due = self
            .endpoints
            .iter()
            .filter(|(_, endpoint)| is_due(endpoint));
        let due: Vec<String> = due.map(|(name, _)| name.clone()).collect();
        for name in due {
            if let Some(endpoint) = self.endpoints.remove(&name)
                && let Some(endpoint) = self.settled(&name, endpoint, moment)
            {
                self.endpoints.insert(name, endpoint);
            }
        }
    }

    /// The endpoint after what was due now; `None` if that was its end.
    fn settled(&self, name: &str, mut endpoint: Endpoint, moment: &Moment) -> Option<Endpoint> {
        let now = moment.now;
        match mem::replace(&mut endpoint.phase, Phase::InService) {
            Phase::Creating(coming) => {
                let types = instances(&coming.fleet).into_keys().collect();
                match self.trouble(&coming.fleet, &types) {
                    None => endpoint.serve(coming, now),
                    trouble @ Some(_) => endpoint.settle(Phase::Failed, trouble, now),
                }
            }
            Phase::Updating(coming) => self.go_on(&mut endpoint, coming, moment),
            Phase::Adjusting { .. } => {
                let trouble = self.trouble(&[], &grown(&endpoint.fleet));
                endpoint.finish_adjustment(trouble, now);
            }
            Phase::RollingBack { .. } => {
                let fails = self.conditions.failing_rollbacks.contains(name);
                let phase = if fails {
                    Phase::RollbackFailed
                } else {
                    Phase::InService
                };
                let failure = endpoint.failure.take();
                endpoint.settle(phase, failure, now);
            }
            Phase::Deleting { .. } => return None,
            Phase::Maintained { .. } => {
                let failure = endpoint.failure.take();
                endpoint.settle(Phase::InService, failure, now);
            }
            still @ (Phase::InService
            | Phase::Failed
            | Phase::OutOfService
            | Phase::RollbackFailed) => endpoint.phase = still,
        }
        Some(endpoint)
    }

    /// An update at the end of its preparation, of its baking, or when an alarm rings.
    fn go_on(&self, endpoint: &mut Endpoint, mut coming: Move, moment: &Moment) {
        let types = instances(&coming.fleet).into_keys().collect();
        let trouble = if coming.judged {
            rings(&coming, &self.conditions).map(|alarm| Trouble::Alarm {
                alarm: alarm.clone(),
            })
        } else {
            self.trouble(&coming.fleet, &types)
        };
        if trouble.is_some() {
            let until = moment.after(moment.delays.roll_back);
            endpoint.settle(Phase::RollingBack { until }, trouble, moment.now);
        } else if coming.until <= moment.now {
            endpoint.serve(coming, moment.now);
        } else {
            coming.judged = true;
            endpoint.phase = Phase::Updating(coming);
        }
    }
}
