//! How to size and place: the values of `capacity`, and what zones are to requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use isobar_sdk::Value;
use isobar_sdk::quantity::{Micros, parse_duration};

use super::resource::{self, ResourceSpec};
use super::spec::{Noun, Wrong};
use crate::capacity;
use crate::placement::fleet::{Domain, Rules, Weights};

/// How still what runs is kept where `dead_band` says nothing.
const DEAD_BAND: f64 = 0.04;

/// A `capacity`.
#[derive(Debug, Clone, PartialEq)]
pub struct CapacitySpec {
    /// What pools are sized for.
    pub target: capacity::Target,
    /// The quantile of the demand that must be met.
    pub quantile: f64,
    /// The quantile that must be met in an outage, where it is another one.
    pub failover_quantile: Option<f64>,
    /// The least number of replicas in each zone.
    pub min_replicas: u32,
    /// The greatest number of replicas in each zone.
    pub max_replicas: Option<u32>,
    /// What else than requests replicas are sized for.
    pub resources: Vec<ResourceSpec>,
    /// What must hold.
    pub rules: Rules,
    /// What counts beside the price.
    pub weights: Weights,
}

impl Default for CapacitySpec {
    /// What a deployment without `capacity` is sized by.
    fn default() -> Self {
        Self {
            target: capacity::Target::default(),
            quantile: 0.95,
            failover_quantile: None,
            min_replicas: 1,
            max_replicas: None,
            resources: Vec::new(),
            rules: Rules {
                band: DEAD_BAND,
                ..Rules::default()
            },
            weights: Weights::default(),
        }
    }
}

/// What a zone says about requests and spot instances.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reach {
    /// Whose law holds there.
    pub jurisdiction: Option<String>,
    /// The time there and back, by the name of the origin of requests.
    pub latency: BTreeMap<String, Duration>,
    /// The price of a gigabyte to the outside.
    pub egress_price: Micros,
    /// How often a spot instance is taken away, per hour.
    pub preemption_rate: f64,
}

/// Reads a capacity.
///
/// # Errors
/// The first attribute that makes no sense.
pub fn capacity(value: &Value) -> Result<CapacitySpec, Wrong> {
    let noun = Noun(value, Vec::new());
    let default = CapacitySpec::default();
    let target = match (noun.block("slo"), noun.share("utilization")?) {
        (Some(_), Some(_)) => {
            let reason = "The utilization follows from the slo; only one of them can be set.";
            return Err(Wrong::new(&["utilization"], reason));
        }
        (Some(slo), None) => capacity::Target::Latency(capacity::Slo {
            latency: slo.duration("latency")?.unwrap_or_default(),
            violations: slo.share("violations")?.unwrap_or(0.01),
        }),
        (None, Some(utilization)) => capacity::Target::Utilisation(utilization),
        (None, None) => default.target,
    };
    let spec = CapacitySpec {
        target,
        quantile: noun.share("quantile")?.unwrap_or(default.quantile),
        failover_quantile: noun.share("failover_quantile")?,
        min_replicas: noun.count("min_replicas")?.unwrap_or(default.min_replicas),
        max_replicas: noun.count("max_replicas")?,
        resources: resource::resources(&noun)?,
        rules: rules(&noun)?,
        weights: weights(noun.block("objective"))?,
    };
    match spec.max_replicas {
        Some(max) if max < spec.min_replicas => Err(Wrong::new(
            &["max_replicas"],
            format!(
                "max_replicas = {max} is less than min_replicas = {}.",
                spec.min_replicas
            ),
        )),
        _ => Ok(spec),
    }
}

fn rules(noun: &Noun<'_>) -> Result<Rules, Wrong> {
    let spot = noun.block("spot");
    Ok(Rules {
        survive: survive(noun)?,
        residency: noun.field("residency").map(|_| texts(noun, "residency")),
        max_zone_share: noun.number("max_zone_share"),
        min_zones: noun.count("min_zones")?.unwrap_or(0),
        max_spot_share: match spot {
            Some(spot) => spot.part("max_share")?.unwrap_or(1.0),
            None => 0.0,
        },
        max_moves: noun.count("max_moves")?,
        band: noun.part("dead_band")?.unwrap_or(DEAD_BAND),
    })
}

fn survive(noun: &Noun<'_>) -> Result<Option<Domain>, Wrong> {
    const DOMAINS: [Domain; 3] = [Domain::Zone, Domain::Region, Domain::Provider];
    let Some(word) = noun.text("survive").filter(|word| word != "nothing") else {
        return Ok(None);
    };
    let domain = DOMAINS.into_iter().find(|domain| domain.word() == word);
    domain.map(Some).ok_or_else(|| {
        let reason = format!(
            "A deployment can survive the loss of a \"zone\", \"region\" or \"provider\", or of \"nothing\", not {word:?}."
        );
        Wrong::new(&["survive"], reason)
    })
}

fn texts(noun: &Noun<'_>, name: &str) -> BTreeSet<String> {
    let items = noun.field(name).and_then(Value::items);
    let items = items.into_iter().flat_map(|items| items.iter());
    items
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn weights(block: Option<Noun<'_>>) -> Result<Weights, Wrong> {
    let Some(noun) = block else {
        return Ok(Weights::default());
    };
    let price = |name| noun.amount(name).map(Option::unwrap_or_default);
    Ok(Weights {
        carbon_price: price("carbon_price")?,
        latency_price: price("latency_price")?,
        violation_price: price("violation_price")?,
        ..Weights::default()
    })
}

/// Reads what a zone says about requests and spot instances.
///
/// # Errors
/// The first attribute that makes no sense.
pub(super) fn reach(noun: &Noun<'_>) -> Result<Reach, Wrong> {
    let mut latency = BTreeMap::new();
    let fields = noun.field("latency").and_then(Value::fields);
    for (origin, value) in fields.into_iter().flat_map(|fields| fields.iter()) {
        let text = value.as_str().unwrap_or_default();
        let time = parse_duration(text).map_err(|reason| {
            Wrong::new(&["latency"], format!("The latency of {origin}: {reason}"))
        })?;
        latency.insert(origin.to_string(), time);
    }
    let egress = noun.amount("egress_price")?.and_then(Micros::from_dollars);
    Ok(Reach {
        jurisdiction: noun.text("jurisdiction"),
        latency,
        egress_price: egress.unwrap_or_default(),
        preemption_rate: noun.amount("preemption_rate")?.unwrap_or_default(),
    })
}

/// Reads where the requests of a deployment come from: names and shares, which are made to add up
/// to 1.
///
/// # Errors
/// A share that is none.
pub fn origins(value: &Value) -> Result<Vec<(String, f64)>, Wrong> {
    let wrong = |reason: String| Wrong::new(&["origins"], reason);
    let mut origins = Vec::new();
    for (name, share) in value.fields().into_iter().flat_map(|fields| fields.iter()) {
        let share = share.as_number().map(isobar_sdk::Number::as_f64);
        match share.filter(|share| share.is_finite() && *share >= 0.0) {
            Some(share) => origins.push((name.to_string(), share)),
            None => {
                let reason = format!(
                    "The share of {name} must be a number from 0 on; write one such as 0.4."
                );
                return Err(wrong(reason));
            }
        }
    }
    let total: f64 = origins.iter().map(|(_, share)| share).sum();
    if total <= 0.0 {
        let reason =
            "No requests come from anywhere; give an origin a share above 0, or leave out origins.";
        return Err(wrong(reason.to_owned()));
    }
    for (_, share) in &mut origins {
        *share /= total;
    }
    Ok(origins)
}
