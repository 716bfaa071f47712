//! Endpoints, and what may be asked of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::Moment;
use super::phase::{Move, Phase, Trouble};
use super::refusal::{Noun, Refusal};
use super::region::{Region, Tags, find};

/// What a variant runs on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Capacity {
    /// Instances of one type.
    Instances {
        /// The type.
        instance_type: String,
    },
    /// Whatever the cloud finds; it has no count.
    Serverless,
}

/// Whose requests a variant gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Its share of those to the endpoint.
    Production,
    /// Copies of those, whose answers nobody sees.
    Shadow,
}

/// A share of the requests to an endpoint, and what answers them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Variant {
    /// Unique in its endpoint.
    pub name: String,
    /// Whose requests it gets.
    pub role: Role,
    /// The model, where the variant has one.
    pub model: Option<String>,
    /// What it runs on.
    pub capacity: Capacity,
    /// Instances that are there.
    pub count: u32,
    /// Instances that were asked for.
    pub desired_count: u32,
    /// Its share is this of the sum of all weights. Single precision, as clouds keep it.
    pub weight: f32,
    /// The weight that was asked for.
    pub desired_weight: f32,
}

impl Variant {
    /// Fails where weights or counts are none.
    pub(super) fn require_sound(&self) -> Result<(), Refusal> {
        let name = &self.name;
        let weight = self.desired_weight;
        if !weight.is_finite() || weight < 0.0 {
            return Err(Refusal::Invalid(format!(
                "{weight} is no weight of {name:?}"
            )));
        }
        match self.capacity {
            Capacity::Instances { .. } if self.desired_count == 0 => Err(Refusal::Invalid(
                format!("variant {name:?} needs at least one instance"),
            )),
            Capacity::Instances { .. } | Capacity::Serverless => Ok(()),
        }
    }

    /// The instance type, if it has one.
    #[must_use]
    pub fn instance_type(&self) -> Option<&str> {
        match &self.capacity {
            Capacity::Instances { instance_type } => Some(instance_type),
            Capacity::Serverless => None,
        }
    }
}

/// What an update takes over from the endpoint as it is, for variants of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Whether counts stay.
    pub counts: bool,
    /// Whether weights stay.
    pub weights: bool,
}

/// How an update is carried out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rollout {
    /// Seconds that the new instances serve beside the old ones before the update is done.
    pub bake: u32,
    /// Alarms that undo the update when they ring in this time.
    pub alarms: Vec<String>,
    /// The same in the words of the face; the engine does not look into it.
    pub document: Option<Value>,
}

/// Other weights and counts for a variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// Which.
    pub variant: String,
    /// The new weight, if it is to change.
    pub weight: Option<f32>,
    /// The new count, if it is to change.
    pub count: Option<u32>,
}

/// Instances behind one address.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Endpoint {
    /// What it serves, or is to serve first.
    pub configuration: String,
    /// What serves; nothing until it has served for the first time.
    pub fleet: Vec<Variant>,
    /// What it is doing.
    pub phase: Phase,
    /// Why its last change failed, if it did.
    pub failure: Option<Trouble>,
    /// How its last update was carried out, in the words of the face.
    pub rollout: Option<Value>,
    /// Requests a minute by variant, which scaling rules follow.
    pub load: BTreeMap<String, f64>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last began or ended to change.
    pub modified: Timestamp,
    /// Marks on it.
    pub tags: Tags,
}

impl Endpoint {
    /// All variants that hold instances: those that serve, and those that are about to.
    pub fn fleets(&self) -> impl Iterator<Item = &Variant> {
        let coming = self.phase.coming().map(|coming| coming.fleet.iter());
        self.fleet.iter().chain(coming.into_iter().flatten())
    }

    /// The configurations that it serves and is changing to.
    pub fn configurations(&self) -> impl Iterator<Item = &str> {
        let coming = self.phase.coming().map(|coming| &*coming.configuration);
        std::iter::once(&*self.configuration).chain(coming)
    }

    fn require_settled(&self, name: &str) -> Result<(), Refusal> {
        let endpoint = name.to_owned();
        match &self.phase {
            Phase::InService => Ok(()),
            Phase::Failed | Phase::OutOfService | Phase::RollbackFailed => {
                Err(Refusal::Broken { endpoint })
            }
            Phase::Creating(_)
            | Phase::Updating(_)
            | Phase::Adjusting { .. }
            | Phase::RollingBack { .. }
            | Phase::Maintained { .. }
            | Phase::Deleting { .. } => Err(Refusal::Busy { endpoint }),
        }
    }
}

/// Instances by type.
pub(super) fn instances(fleet: &[Variant]) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::<String, u32>::new();
    for variant in fleet {
        if let Some(instance_type) = variant.instance_type() {
            *counts.entry(instance_type.to_owned()).or_default() += variant.desired_count;
        }
    }
    counts
}

impl Region {
    /// Orders an endpoint, which begins to be made.
    ///
    /// # Errors
    /// Its name is taken, its configuration or a model of it is missing, or it needs more
    /// instances than the account may have.
    pub fn create_endpoint(
        &mut self,
        name: String,
        configuration: String,
        rollout: Rollout,
        tags: Tags,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        if self.endpoints.contains_key(&name) {
            return Err(Refusal::Exists {
                noun: Noun::Endpoint,
                name,
            });
        }
        let fleet = self.fleet_of(&configuration)?;
        self.require_quota(&instances(&fleet))?;
        let done = moment.after(moment.delays.create);
        let phase = Phase::Creating(Move {
            configuration: configuration.clone(),
            fleet,
            rollout: Rollout::default(),
            started: moment.now,
            ready: done,
            until: done,
            judged: false,
        });
        let endpoint = Endpoint {
            configuration,
            fleet: Vec::new(),
            phase,
            failure: None,
            rollout: rollout.document,
            load: BTreeMap::new(),
            created: moment.now,
            modified: moment.now,
            tags,
        };
        self.endpoints.insert(name, endpoint);
        Ok(())
    }

    fn fleet_of(&self, configuration: &str) -> Result<Vec<Variant>, Refusal> {
        let found = find(&self.configurations, Noun::Configuration, configuration)?;
        self.require_models(&found.variants)?;
        Ok(found.variants.clone())
    }

    /// Orders another configuration for an endpoint. Old and new instances count against quotas
    /// until the update is over.
    ///
    /// # Errors
    /// The endpoint or the configuration is missing, the endpoint is not in service, a variant
    /// that is scaled automatically would go or run on other instances, or there are not enough.
    pub fn update_endpoint(
        &mut self,
        name: &str,
        configuration: String,
        kept: Kept,
        rollout: Rollout,
        moment: &Moment,
    ) -> Result<(), Refusal> {
        let endpoint = find(&self.endpoints, Noun::Endpoint, name)?;
        let mut fleet = self.fleet_of(&configuration)?;
        endpoint.require_settled(name)?;
        for variant in &mut fleet {
            let same = |old: &&Variant| old.name == variant.name;
            if let Some(old) = endpoint.fleet.iter().find(same) {
                keep(variant, old, kept);
            }
        }
        self.require_free_of_scaling(name, &endpoint.fleet, &fleet)?;
        self.require_quota(&instances(&fleet))?;
        let ready = moment.after(moment.delays.update);
        let phase = Phase::Updating(Move {
            configuration,
            fleet,
            started: moment.now,
            ready,
            until: moment.after(moment.delays.update.saturating_add(rollout.bake)),
            rollout,
            judged: false,
        });
        self.begin(name, phase, moment);
        Ok(())
    }

    fn require_free_of_scaling(
        &self,
        endpoint: &str,
        old: &[Variant],
        new: &[Variant],
    ) -> Result<(), Refusal> {
        let targets = self.targets.keys().filter(|key| key.endpoint == endpoint);
        let changed = targets.filter(|key| {
            let same = |variant: &&Variant| variant.name == key.variant;
            let before = old.iter().find(same);
            let after = new.iter().find(same);
            before.is_some()
                && before.map(Variant::instance_type) != after.map(Variant::instance_type)
        });
        let variants: Vec<String> = changed.map(|key| key.variant.clone()).collect();
        if variants.is_empty() {
            return Ok(());
        }
        Err(Refusal::Scaled { variants })
    }

    /// Orders other weights, or another count of one variant.
    ///
    /// # Errors
    /// The endpoint or a variant is missing, the endpoint is not in service, counts of several
    /// variants, of a serverless one or of 0 are asked for, or there are not enough instances.
    pub fn adjust_endpoint(
        &mut self,
        name: &str,
        wishes: &[Wish],
        moment: &Moment,
    ) -> Result<(), Refusal> {
        let endpoint = find(&self.endpoints, Noun::Endpoint, name)?;
        endpoint.require_settled(name)?;
        if wishes.iter().filter(|wish| wish.count.is_some()).count() > 1 {
            let reason = "the count of one variant can be changed at a time".to_owned();
            return Err(Refusal::Invalid(reason));
        }
        let mut fleet = endpoint.fleet.clone();
        for wish in wishes {
            fulfil(&mut fleet, wish)?;
        }
        let more = fleet
            .iter()
            .filter(|variant| variant.desired_count > variant.count);
        let more = more.cloned().map(|mut variant| {
            variant.desired_count -= variant.count;
            variant
        });
        self.require_quota(&instances(&more.collect::<Vec<_>>()))?;
        let scales = wishes.iter().any(|wish| wish.count.is_some());
        let delay = if scales {
            moment.delays.scale
        } else {
            moment.delays.weigh
        };
        let until = moment.after(delay);
        if let Some(endpoint) = self.endpoints.get_mut(name) {
            endpoint.fleet = fleet;
        }
        self.begin(name, Phase::Adjusting { until }, moment);
        Ok(())
    }

    /// Orders the end of an endpoint.
    ///
    /// # Errors
    /// It is missing or changing.
    pub fn delete_endpoint(&mut self, name: &str, moment: &Moment) -> Result<(), Refusal> {
        let endpoint = find(&self.endpoints, Noun::Endpoint, name)?;
        match endpoint.require_settled(name) {
            Ok(()) | Err(Refusal::Broken { .. }) => {}
            Err(busy) => return Err(busy),
        }
        let until = moment.after(moment.delays.delete);
        self.begin(name, Phase::Deleting { until }, moment);
        Ok(())
    }

    /// Puts an endpoint into a phase, as the cloud itself may at any time.
    ///
    /// # Errors
    /// It is missing.
    pub fn force(&mut self, name: &str, phase: Phase, moment: &Moment) -> Result<(), Refusal> {
        find(&self.endpoints, Noun::Endpoint, name)?;
        self.begin(name, phase, moment);
        Ok(())
    }

    fn begin(&mut self, name: &str, phase: Phase, moment: &Moment) {
        if let Some(endpoint) = self.endpoints.get_mut(name) {
            endpoint.phase = phase;
            endpoint.modified = moment.now;
        }
    }
}

fn keep(variant: &mut Variant, old: &Variant, kept: Kept) {
    if kept.counts && variant.instance_type().is_some() && old.instance_type().is_some() {
        variant.count = old.count;
        variant.desired_count = old.count;
    }
    if kept.weights {
        variant.weight = old.weight;
        variant.desired_weight = old.weight;
    }
}

fn fulfil(fleet: &mut [Variant], wish: &Wish) -> Result<(), Refusal> {
    let variant = fleet
        .iter_mut()
        .find(|variant| variant.name == wish.variant);
    let variant = variant.ok_or_else(|| Refusal::Missing {
        noun: Noun::Variant,
        name: wish.variant.clone(),
    })?;
    if let Some(weight) = wish.weight {
        variant.desired_weight = weight;
    }
    match (wish.count, &variant.capacity) {
        (Some(count), Capacity::Instances { .. }) => variant.desired_count = count,
        (Some(_), Capacity::Serverless) => {
            let reason = format!("variant {:?} is serverless and has no count", variant.name);
            return Err(Refusal::Invalid(reason));
        }
        (None, _) => {}
    }
    variant.require_sound()
}

/// The types of which more instances are wanted than are there.
pub(super) fn grown(fleet: &[Variant]) -> BTreeSet<String> {
    let more = fleet
        .iter()
        .filter(|variant| variant.desired_count > variant.count);
    more.filter_map(Variant::instance_type)
        .map(str::to_owned)
        .collect()
}
