//! What a deployment takes of memory, processors and accelerators, and what a replica has of them.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Offer, Resources};
use isobar_sdk::quantity::parse_bytes;
use isobar_sdk::{Path, Step, Value};
use jiff::Timestamp;

use super::size::{Inputs, Site};
use super::spec::{Noun, Wrong};
use crate::capacity::{CapacityError, Ceiling, DEFAULT_UTILISATION, Load, Need, Resource};
use crate::forecast::Forecast;
use crate::telemetry::Meaning;

/// The blocks that can stand in a capacity.
pub const RESOURCES: [Resource; 3] = [Resource::Memory, Resource::Cpu, Resource::Gpu];

/// Less memory than this is none that a model is served with, in bytes.
const LEAST_MEMORY: f64 = 1e6;

/// A `resource` block of a capacity.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceSpec {
    /// Its place among the blocks.
    pub place: usize,
    /// The resource.
    pub resource: Resource,
    /// The name of the forecast of what all replicas together take.
    pub forecast: String,
    /// What one of its values is, in bytes, processors or accelerators; `None` where the block does
    /// not say, which means one.
    pub unit: Option<f64>,
    /// What one replica has; `None` takes it from its model, or else its instance type.
    pub per_replica: Option<f64>,
    /// The share of it that may be used.
    pub utilisation: f64,
}

/// What a deployment takes of a resource, by a forecast of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceNeed {
    /// How it is sized.
    pub spec: ResourceSpec,
    /// The level of the quantile.
    pub level: f64,
    /// Its peak over the horizon, in bytes, processors or accelerators of all replicas together.
    pub peak: f64,
    /// When that is.
    pub at: Timestamp,
    /// The peak that must be met in an outage, where it is another one.
    pub failover: Option<f64>,
}

/// A need as a plan keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct Needed {
    /// The resource.
    pub resource: Resource,
    /// The name of the forecast.
    pub forecast: String,
    /// The level of the quantile.
    pub level: f64,
    /// Its peak over the horizon, in bytes, processors or accelerators of all replicas together.
    pub peak: f64,
    /// When that is.
    pub at: Timestamp,
}

impl ResourceSpec {
    /// Where something of the block stands.
    #[must_use]
    pub fn path(&self, name: &str) -> Path {
        path(self.place, name)
    }

    /// Checks that a forecast can be one of this resource, by what its values mean and the greatest
    /// of them.
    ///
    /// # Errors
    /// It can not.
    pub fn check(&self, meaning: &Meaning, greatest: f64) -> Result<(), Wrong> {
        let Self {
            resource, forecast, ..
        } = self;
        let wrong = |reason: String| Wrong {
            path: self.path("forecast"),
            reason,
        };
        if *resource != Resource::Memory {
            return Ok(());
        }
        if meaning.per.is_some() || meaning.counter {
            return Err(wrong(format!(
                "Memory is an amount, but the values of forecast.{forecast} are made rates; remove per and counter from its source."
            )));
        }
        if self.unit.is_none() && greatest > 0.0 && greatest < LEAST_MEMORY {
            return Err(wrong(format!(
                "forecast.{forecast} peaks at {greatest:.1} bytes for all replicas together, which is no memory that a model is served with; say what its values are, such as unit = \"GiB\"."
            )));
        }
        Ok(())
    }
}

fn path(place: usize, name: &str) -> Path {
    let block = [Step::Attribute("resource".into()), Step::Index(place)];
    let steps = block.into_iter().chain([Step::Attribute(name.into())]);
    steps.collect()
}

/// Reads the `resource` blocks of a capacity.
///
/// # Errors
/// The first attribute that makes no sense.
pub(super) fn resources(noun: &Noun<'_>) -> Result<Vec<ResourceSpec>, Wrong> {
    let blocks = noun.field("resource").and_then(Value::items);
    let blocks = blocks.into_iter().flat_map(|blocks| blocks.iter());
    let mut specs: Vec<ResourceSpec> = Vec::new();
    for (place, block) in blocks.enumerate() {
        let spec = resource(place, &Noun(block, Vec::new()))?;
        if specs.iter().any(|known| known.resource == spec.resource) {
            let reason = format!(
                "There are two blocks for {}; leave one of them out.",
                spec.resource
            );
            let path = path(place, "type");
            return Err(Wrong { path, reason });
        }
        specs.push(spec);
    }
    Ok(specs)
}

fn resource(place: usize, block: &Noun<'_>) -> Result<ResourceSpec, Wrong> {
    let wrong = |name: &str, reason: String| Wrong {
        path: path(place, name),
        reason,
    };
    let kind = block.text("type").unwrap_or_default();
    let mut known = RESOURCES.into_iter();
    let resource = known.find(|known| known.to_string() == kind);
    let resource = resource.ok_or_else(|| {
        let reason = format!("There is no resource {kind:?}; write memory, cpu or gpu.");
        wrong("type", reason)
    })?;
    let forecast = block.field("forecast").and_then(|value| {
        let name = value.field("name")?.as_str()?;
        Some(name.to_owned())
    });
    let forecast = forecast.ok_or_else(|| {
        let reason = "forecast must be a reference such as forecast.name.".to_owned();
        wrong("forecast", reason)
    })?;
    let amount = |name: &str, text: Option<String>| {
        let amount = text.map(|text| amount(resource, &text));
        amount.transpose().map_err(|reason| wrong(name, reason))
    };
    let one = block.text("unit").map(|unit| format!("1{unit}"));
    let utilisation = block.share("utilization");
    let utilisation = utilisation.map_err(|told| wrong("utilization", told.reason))?;
    Ok(ResourceSpec {
        place,
        resource,
        forecast,
        unit: amount("unit", one)?,
        per_replica: amount("per_replica", block.text("per_replica"))?,
        utilisation: utilisation.unwrap_or(DEFAULT_UTILISATION),
    })
}

/// An amount above zero: memory in bytes, or processors or accelerators, also in thousandths or
/// hundredths of one.
fn amount(resource: Resource, text: &str) -> Result<f64, String> {
    if resource == Resource::Memory {
        return match parse_bytes(text)? {
            0 => Err("No memory is enough for nothing; write a size such as \"16GiB\".".to_owned()),
            bytes => Ok(bytes as f64),
        };
    }
    let (number, unit) = match (text.strip_suffix('m'), text.strip_suffix('%')) {
        (Some(number), _) => (number, 1e-3),
        (_, Some(number)) => (number, 1e-2),
        _ => (text, 1.0),
    };
    let number = number.trim().parse::<f64>().ok();
    let number = number.filter(|number| number.is_finite() && *number > 0.0);
    number.map(|number| number * unit).ok_or_else(|| {
        format!("{text:?} is no amount of {resource}; write a number above 0, such as 4, \"3500m\" or \"80%\".")
    })
}

impl ResourceNeed {
    /// The need of a forecast whose peaks are these, in the forecast's own unit.
    #[must_use]
    pub fn new(
        spec: &ResourceSpec,
        level: f64,
        (peak, at): (f64, Timestamp),
        failover: Option<f64>,
    ) -> Self {
        let unit = spec.unit.unwrap_or(1.0);
        Self {
            spec: spec.clone(),
            level,
            peak: peak * unit,
            at,
            failover: failover.map(|peak| peak * unit),
        }
    }

    /// As a plan keeps it.
    #[must_use]
    pub fn needed(&self) -> Needed {
        Needed {
            resource: self.spec.resource,
            forecast: self.spec.forecast.clone(),
            level: self.level,
            peak: self.peak,
            at: self.at,
        }
    }

    /// Its peak, for replicas that offer `per_replica`.
    #[must_use]
    pub const fn of(&self, per_replica: f64) -> Need {
        Need {
            resource: self.spec.resource,
            total: self.peak,
            per_replica,
        }
    }

    /// The part `share` of it over time, for replicas that offer `per_replica`.
    #[must_use]
    pub fn load<'f>(&self, forecast: &'f Forecast, share: f64, per_replica: f64) -> Load<'f> {
        let unit = self.spec.unit.unwrap_or(1.0);
        Load {
            resource: self.spec.resource,
            forecast,
            share: share * unit,
            per_replica,
            beyond: self.peak / unit,
        }
    }

    /// What a replica offers of it, at the utilisation that is aimed at; `None` where neither the
    /// capacity nor the model nor the instance says how much it has.
    #[must_use]
    pub fn offered(&self, model: &Resources, offer: Option<&Offer>) -> Option<f64> {
        let has = match self.spec.resource {
            Resource::Memory => {
                let sold = offer.map(|offer| offer.memory).filter(|m| *m < u64::MAX);
                model.memory.or(sold).map(|bytes| bytes as f64)
            }
            Resource::Cpu => model.cpu.or(offer.map(|offer| offer.cpu)),
            Resource::Gpu => {
                let sold = offer.and_then(|offer| offer.gpu.as_ref());
                let gpus = model.gpu.as_ref().or(sold);
                gpus.map(|(_, count)| f64::from(*count))
            }
            Resource::Requests => None,
        };
        let has = self.spec.per_replica.or(has);
        let has = has.filter(|amount| amount.is_finite() && *amount > 0.0);
        Some(has? * self.spec.utilisation)
    }
}

/// What replicas on an instance type of a zone have of what `inputs` need.
///
/// # Errors
/// No one says how much of a resource it has.
pub(super) fn needs(inputs: &Inputs<'_>, site: &Site, instance: &str) -> Result<Vec<Need>, Wrong> {
    let need = |need: &ResourceNeed| {
        let offered = need.offered(&inputs.model.resources, site.offer(instance));
        let per_replica = offered.ok_or_else(|| unknown(need, inputs, (site, instance)))?;
        Ok(need.of(per_replica))
    };
    inputs.needs.iter().map(need).collect()
}

fn unknown(need: &ResourceNeed, inputs: &Inputs<'_>, (site, instance): (&Site, &str)) -> Wrong {
    let (resource, zone) = (need.spec.resource, &site.spec.zone.name);
    Wrong {
        path: Path::attribute("capacity"),
        reason: format!(
            "No one says how much {resource} a replica has on {instance} in zone {zone:?}; write per_replica into its resource {:?}, or {resource} into the resources of model.{}.",
            resource.to_string(),
            inputs.model.name
        ),
    }
}

/// What a replica serves at most for want of a resource, by the instance types of a zone.
///
/// # Errors
/// No one says how much of a resource it has, or it is not nearly enough.
pub(super) fn ceilings<'s>(
    inputs: &Inputs<'_>,
    site: &'s Site,
    instances: &[&'s str],
) -> Result<BTreeMap<String, Ceiling>, Wrong> {
    let mut ceilings = BTreeMap::new();
    for instance in instances {
        let lowest = ceiling(inputs, &needs(inputs, site, instance)?);
        let lowest = lowest.map_err(|error| Wrong {
            path: Path::attribute("capacity"),
            reason: format!("{error}; check the unit of its forecast."),
        })?;
        ceilings.extend(lowest.map(|lowest| ((*instance).to_owned(), lowest)));
    }
    Ok(ceilings)
}

/// The lower ceiling of normal times and of an outage.
fn ceiling(inputs: &Inputs<'_>, needs: &[Need]) -> Result<Option<Ceiling>, CapacityError> {
    let demand = inputs.demand.rate().unwrap_or_default();
    let planned = Ceiling::of(demand, needs)?;
    let Some(failover) = inputs.failover else {
        return Ok(planned);
    };
    let then = inputs.needs.iter().zip(needs).map(|(told, need)| Need {
        total: told.failover.unwrap_or(told.peak),
        ..need.clone()
    });
    let outage = Ceiling::of(failover, &then.collect::<Vec<_>>())?;
    Ok(outage.map(|outage| outage.lower(planned)).or(planned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_platforms_write_them() {
        assert_eq!(amount(Resource::Memory, "16GiB"), Ok(17_179_869_184.0));
        assert_eq!(amount(Resource::Cpu, "3500m"), Ok(3.5));
        assert_eq!(amount(Resource::Gpu, "80%"), Ok(0.8));
        assert_eq!(amount(Resource::Gpu, "2"), Ok(2.0));
        for (resource, wrong) in [
            (Resource::Memory, "16 parsecs"),
            (Resource::Memory, "0"),
            (Resource::Cpu, "16GiB"),
            (Resource::Gpu, "-1"),
            (Resource::Gpu, "NaN"),
        ] {
            assert!(amount(resource, wrong).is_err(), "{wrong}");
        }
    }
}
