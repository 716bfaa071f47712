//! What one account has in one region, and what is wrong there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::endpoint::{Capacity, Endpoint, Variant};
use super::phase::Trouble;
use super::refusal::{Noun, Refusal};
use super::scaling::{Activity, Target, TargetKey};

/// Marks on a resource.
pub type Tags = BTreeMap<String, String>;

/// An image and the files that it serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Where the image is, if not said by a package.
    pub image: Option<String>,
    /// Where the files are.
    pub artifact: Option<String>,
}

/// A model. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    /// As whom its containers act, if anyone.
    pub role: Option<String>,
    /// What runs on each instance.
    pub containers: Vec<Container>,
    /// What the face wants to remember of it; the engine does not look into it.
    pub document: Value,
    /// When it was made.
    pub created: Timestamp,
    /// Marks on it.
    pub tags: Tags,
}

/// What an endpoint is to run. It never changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Configuration {
    /// In the order in which they were given.
    pub variants: Vec<Variant>,
    /// What the face wants to remember of it; the engine does not look into it.
    pub document: Value,
    /// When it was made.
    pub created: Timestamp,
    /// Marks on it.
    pub tags: Tags,
}

/// What is wrong in a region until it is set right again. If not said otherwise, it decides when a
/// change of an endpoint comes to its end, not when it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conditions {
    /// Images that are not there.
    pub missing_images: BTreeSet<String>,
    /// Files that are not there.
    pub missing_artifacts: BTreeSet<String>,
    /// Roles that nobody can act as. These are found out when a model is made.
    pub missing_roles: BTreeSet<String>,
    /// Images whose containers never say that they are well.
    pub unhealthy_images: BTreeSet<String>,
    /// Instance types of which there are none left.
    pub exhausted: BTreeSet<String>,
    /// Alarms that ring.
    pub alarms: BTreeSet<String>,
    /// Endpoints that cannot go back to what they were.
    pub failing_rollbacks: BTreeSet<String>,
}

/// What there is in one region. Names are unique by kind.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Region {
    /// By name.
    pub models: BTreeMap<String, Model>,
    /// By name.
    pub configurations: BTreeMap<String, Configuration>,
    /// By name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// Variants whose counts rules may change. They outlive their endpoint.
    pub targets: BTreeMap<TargetKey, Target>,
    /// What was done by these rules, oldest first.
    pub activities: Vec<Activity>,
    /// Instances that the account may have at endpoints, by type; no limit for others.
    pub quotas: BTreeMap<String, u32>,
    /// What is wrong.
    pub conditions: Conditions,
}

fn take<T>(map: &mut BTreeMap<String, T>, noun: Noun, name: String, new: T) -> Result<(), Refusal> {
    if map.contains_key(&name) {
        return Err(Refusal::Exists { noun, name });
    }
    map.insert(name, new);
    Ok(())
}

/// What has this name.
pub(super) fn find<'a, T>(
    map: &'a BTreeMap<String, T>,
    noun: Noun,
    name: &str,
) -> Result<&'a T, Refusal> {
    let name_of = || name.to_owned();
    map.get(name).ok_or_else(|| Refusal::Missing {
        noun,
        name: name_of(),
    })
}

impl Region {
    /// Makes a model.
    ///
    /// # Errors
    /// Its name is taken, or nobody can act as its role.
    pub fn create_model(&mut self, name: String, model: Model) -> Result<(), Refusal> {
        if let Some(role) = &model.role
            && self.conditions.missing_roles.contains(role)
        {
            return Err(Refusal::Role { role: role.clone() });
        }
        take(&mut self.models, Noun::Model, name, model)
    }

    /// Makes a configuration.
    ///
    /// # Errors
    /// Its name is taken, a model of it does not exist, two variants have the same name, or one has
    /// no weight or no instances.
    pub fn create_configuration(
        &mut self,
        name: String,
        configuration: Configuration,
    ) -> Result<(), Refusal> {
        let mut names = BTreeSet::new();
        for variant in &configuration.variants {
            if !names.insert(&variant.name) {
                let twice = format!("there are two variants {:?}", variant.name);
                return Err(Refusal::Invalid(twice));
            }
            variant.require_sound()?;
        }
        self.require_models(&configuration.variants)?;
        take(
            &mut self.configurations,
            Noun::Configuration,
            name,
            configuration,
        )
    }

    /// Removes a model.
    ///
    /// # Errors
    /// It does not exist, or an endpoint runs it.
    pub fn delete_model(&mut self, name: &str) -> Result<(), Refusal> {
        find(&self.models, Noun::Model, name)?;
        self.require_unused(Noun::Model, name, |endpoint| {
            endpoint
                .fleets()
                .any(|variant| variant.model.as_deref() == Some(name))
        })?;
        self.models.remove(name);
        Ok(())
    }

    /// Removes a configuration.
    ///
    /// # Errors
    /// It does not exist, or an endpoint runs it or is changing to it.
    pub fn delete_configuration(&mut self, name: &str) -> Result<(), Refusal> {
        find(&self.configurations, Noun::Configuration, name)?;
        self.require_unused(Noun::Configuration, name, |endpoint| {
            endpoint.configurations().any(|used| used == name)
        })?;
        self.configurations.remove(name);
        Ok(())
    }

    fn require_unused(
        &self,
        noun: Noun,
        name: &str,
        uses: impl Fn(&Endpoint) -> bool,
    ) -> Result<(), Refusal> {
        match self.endpoints.iter().find(|(_, endpoint)| uses(endpoint)) {
            None => Ok(()),
            Some((by, _)) => Err(Refusal::InUse {
                noun,
                name: name.to_owned(),
                by: by.clone(),
            }),
        }
    }

    /// Fails where a variant's model does not exist.
    pub(super) fn require_models(&self, variants: &[Variant]) -> Result<(), Refusal> {
        let mut named = variants.iter().filter_map(|variant| variant.model.as_ref());
        named.try_for_each(|model| find(&self.models, Noun::Model, model).map(|_| ()))
    }

    /// Instances of a type that all endpoints have or are about to have.
    #[must_use]
    pub fn used(&self, instance_type: &str) -> u32 {
        let fleets = self.endpoints.values().flat_map(Endpoint::fleets);
        let counts = fleets.map(|variant| match &variant.capacity {
            Capacity::Instances {
                instance_type: of, ..
            } if of == instance_type => variant.count.max(variant.desired_count),
            Capacity::Instances { .. } | Capacity::Serverless => 0,
        });
        counts.fold(0, u32::saturating_add)
    }

    /// Fails where the account may not have so many instances beside those that it has.
    pub(super) fn require_quota(&self, wanted: &BTreeMap<String, u32>) -> Result<(), Refusal> {
        for (instance_type, &wanted) in wanted.iter().filter(|(_, wanted)| **wanted > 0) {
            let used = self.used(instance_type);
            match self.quotas.get(instance_type) {
                Some(&limit) if used.saturating_add(wanted) > limit => {
                    return Err(Refusal::Quota {
                        instance_type: instance_type.clone(),
                        limit,
                        used,
                        wanted,
                    });
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// What keeps these variants from running, if anything does. `grown` says of which types more
    /// instances are needed.
    pub(super) fn trouble(
        &self,
        variants: &[Variant],
        grown: &BTreeSet<String>,
    ) -> Option<Trouble> {
        let exhausted = grown.intersection(&self.conditions.exhausted).next();
        if let Some(instance_type) = exhausted {
            return Some(Trouble::NoCapacity {
                instance_type: instance_type.clone(),
            });
        }
        variants.iter().find_map(|variant| {
            let model = self.models.get(variant.model.as_ref()?)?;
            let mut containers = model.containers.iter();
            containers.find_map(|container| self.defect(&variant.name, container))
        })
    }

    fn defect(&self, variant: &str, container: &Container) -> Option<Trouble> {
        let variant = variant.to_owned();
        let among = |of: &Option<String>, set: &BTreeSet<String>| {
            of.clone().filter(|name| set.contains(name))
        };
        let wrong = &self.conditions;
        if let Some(image) = among(&container.image, &wrong.missing_images) {
            return Some(Trouble::NoImage { variant, image });
        }
        if let Some(artifact) = among(&container.artifact, &wrong.missing_artifacts) {
            return Some(Trouble::NoArtifact { variant, artifact });
        }
        among(&container.image, &wrong.unhealthy_images).map(|_| Trouble::Unhealthy { variant })
    }
}
