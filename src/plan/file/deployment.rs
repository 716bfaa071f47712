//! Deployments as a plan file holds them.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Envelope, Scaling, Schedule, Shift};
use isobar_sdk::quantity::Micros;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::WireDocument;
use super::exact::Text;
use crate::capacity::Resource;
use crate::deployment::schedule::Outline;
use crate::deployment::{Demand, Needed, Quality, Sized, Was, ZoneSize};
use crate::placement::Loss;
use crate::placement::fleet::Gap;
use crate::plan::PlannedDeployment;

#[derive(Serialize, Deserialize)]
pub(super) struct DeploymentDocument {
    demand: DemandDocument,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    needs: Vec<NeededDocument>,
    zones: Vec<ZoneDocument>,
    losses: Vec<LossDocument>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    outlines: BTreeMap<String, OutlineDocument>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quality: Option<QualityDocument>,
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
struct NeededDocument {
    resource: ResourceDocument,
    forecast: String,
    level: f64,
    peak: f64,
    at: Text<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ResourceDocument {
    Requests,
    Cpu,
    Memory,
    Gpu,
}

impl From<&Needed> for NeededDocument {
    fn from(needed: &Needed) -> Self {
        Self {
            resource: match needed.resource {
                Resource::Requests => ResourceDocument::Requests,
                Resource::Cpu => ResourceDocument::Cpu,
                Resource::Memory => ResourceDocument::Memory,
                Resource::Gpu => ResourceDocument::Gpu,
            },
            forecast: needed.forecast.clone(),
            level: needed.level,
            peak: needed.peak,
            at: Text(needed.at),
        }
    }
}

impl From<NeededDocument> for Needed {
    fn from(document: NeededDocument) -> Self {
        Self {
            resource: match document.resource {
                ResourceDocument::Requests => Resource::Requests,
                ResourceDocument::Cpu => Resource::Cpu,
                ResourceDocument::Memory => Resource::Memory,
                ResourceDocument::Gpu => Resource::Gpu,
            },
            forecast: document.forecast,
            level: document.level,
            peak: document.peak,
            at: document.at.0,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ZoneDocument {
    zone: String,
    provider: String,
    region: Option<String>,
    before: u32,
    after: u32,
    price_micros: u64,
    #[serde(default, skip_serializing_if = "none_on_spot")]
    spot_before: u32,
    #[serde(default, skip_serializing_if = "none_on_spot")]
    spot: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    spot_price_micros: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carbon_kg_per_hour: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    was: Option<WasDocument>,
    why: String,
}

#[derive(Serialize, Deserialize)]
struct WasDocument {
    instance: String,
    price_micros: u64,
    spot_price_micros: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    carbon_kg_per_hour: Option<f64>,
}

impl From<&Was> for WasDocument {
    fn from(was: &Was) -> Self {
        Self {
            instance: was.instance.clone(),
            price_micros: was.price.0,
            spot_price_micros: was.spot_price.0,
            carbon_kg_per_hour: was.carbon,
        }
    }
}

impl From<WasDocument> for Was {
    fn from(document: WasDocument) -> Self {
        Self {
            instance: document.instance,
            price: Micros(document.price_micros),
            spot_price: Micros(document.spot_price_micros),
            carbon: document.carbon_kg_per_hour,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct OutlineDocument {
    scaling: ScalingDocument,
    min: u32,
    max: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<ScheduleDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScalingDocument {
    Fixed,
    Envelope,
    Schedule,
}

#[derive(Serialize, Deserialize)]
struct ScheduleDocument {
    /// Start, least and most.
    shifts: Vec<(Text<Timestamp>, u32, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rates: Vec<f64>,
    until: Text<Timestamp>,
}

impl From<&Outline> for OutlineDocument {
    fn from(outline: &Outline) -> Self {
        let schedule = |schedule: &Schedule| ScheduleDocument {
            rates: outline.rates.clone(),
            shifts: schedule
                .shifts
                .iter()
                .map(|shift| (Text(shift.start), shift.envelope.min, shift.envelope.max))
                .collect(),
            until: Text(schedule.until),
        };
        Self {
            scaling: match outline.scaling {
                Scaling::Fixed => ScalingDocument::Fixed,
                Scaling::Envelope => ScalingDocument::Envelope,
                Scaling::Schedule => ScalingDocument::Schedule,
            },
            min: outline.envelope.min,
            max: outline.envelope.max,
            schedule: outline.schedule.as_ref().map(schedule),
        }
    }
}

impl From<OutlineDocument> for Outline {
    fn from(document: OutlineDocument) -> Self {
        let shift = |(start, min, max): (Text<Timestamp>, u32, u32)| Shift {
            start: start.0,
            envelope: Envelope { min, max },
        };
        let schedule = |schedule: ScheduleDocument| Schedule {
            shifts: schedule.shifts.into_iter().map(shift).collect(),
            until: schedule.until.0,
        };
        let rates = document
            .schedule
            .as_ref()
            .map(|schedule| schedule.rates.clone());
        Self {
            rates: rates.unwrap_or_default(),
            scaling: match document.scaling {
                ScalingDocument::Fixed => Scaling::Fixed,
                ScalingDocument::Envelope => Scaling::Envelope,
                ScalingDocument::Schedule => Scaling::Schedule,
            },
            envelope: Envelope {
                min: document.min,
                max: document.max,
            },
            schedule: document.schedule.map(schedule),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct LossDocument {
    zone: String,
    remaining_capacity: f64,
    shed: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    close_micros: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct QualityDocument {
    /// None where the placement is proven to be the best one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gap: Option<f64>,
    cost_micros: u64,
    shadows: Vec<(String, u64)>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn none_on_spot(spot: &u32) -> bool {
    *spot == 0
}

impl From<&Quality> for QualityDocument {
    fn from(quality: &Quality) -> Self {
        let shadows = quality.shadows.iter();
        Self {
            gap: match quality.gap {
                Gap::Proven => None,
                Gap::Within(part) => Some(part),
            },
            cost_micros: quality.cost.0,
            shadows: shadows
                .map(|(text, micros)| (text.clone(), micros.0))
                .collect(),
        }
    }
}

impl From<QualityDocument> for Quality {
    fn from(document: QualityDocument) -> Self {
        let shadows = document.shadows.into_iter();
        Self {
            gap: document.gap.map_or(Gap::Proven, Gap::Within),
            cost: Micros(document.cost_micros),
            shadows: shadows
                .map(|(text, micros)| (text, Micros(micros)))
                .collect(),
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
            spot_before: zone.spot_before,
            spot: zone.spot,
            spot_price_micros: (zone.spot_price != zone.price).then_some(zone.spot_price.0),
            instance: zone.instance.clone(),
            carbon_kg_per_hour: zone.carbon,
            was: zone.was.as_ref().map(Into::into),
            why: zone.why.clone(),
        };
        let loss = |loss: &Loss| LossDocument {
            zone: loss.zone.clone(),
            remaining_capacity: loss.remaining_capacity,
            shed: loss.shed,
            close_micros: loss.close_micros_per_hour,
        };
        Self {
            quality: planned.sized.quality.as_ref().map(Into::into),
            demand,
            needs: planned.sized.needs.iter().map(Into::into).collect(),
            previous: planned.sized.previous,
            zones: planned.sized.zones.iter().map(zone).collect(),
            losses: planned.sized.losses.iter().map(loss).collect(),
            outlines: planned
                .outlines
                .iter()
                .map(|(zone, outline)| (zone.clone(), outline.into()))
                .collect(),
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
            spot_before: zone.spot_before,
            spot: zone.spot,
            price: Micros(zone.price_micros),
            spot_price: Micros(zone.spot_price_micros.unwrap_or(zone.price_micros)),
            instance: zone.instance,
            carbon: zone.carbon_kg_per_hour,
            was: zone.was.map(Into::into),
            why: zone.why,
        };
        let loss = |loss: LossDocument| Loss {
            zone: loss.zone,
            remaining_capacity: loss.remaining_capacity,
            shed: loss.shed,
            close_micros_per_hour: loss.close_micros,
        };
        Self {
            sized: Sized {
                quality: document.quality.map(Into::into),
                demand,
                needs: document.needs.into_iter().map(Into::into).collect(),
                previous: document.previous,
                zones: document.zones.into_iter().map(zone).collect(),
                losses: document.losses.into_iter().map(loss).collect(),
            },
            outlines: document
                .outlines
                .into_iter()
                .map(|(zone, outline)| (zone, outline.into()))
                .collect(),
            urls: document
                .urls
                .into_iter()
                .map(|(zone, wire)| (zone, wire.into()))
                .collect(),
        }
    }
}
