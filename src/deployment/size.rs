//! Demand, capacity and offers to replicas per zone, with the reason of each.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Grid, Model, Offer};
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::quantity::Micros;
use jiff::Timestamp;

use super::market::Market;
use super::spec::{CapacitySpec, Wrong, ZoneSpec};
use crate::capacity::{self, Arrivals, Capacity};
use crate::placement::{self, Loss, MaximumCause, Placement};

/// What a deployment must carry.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// The peak of a quantile of a forecast, in requests per second.
    Forecast {
        /// The name of the `forecast` block.
        name: String,
        /// The level of the quantile.
        level: f64,
        /// Its peak over the horizon.
        peak: f64,
        /// When the peak is reached.
        at: Timestamp,
    },
    /// This many requests per second.
    Rate(f64),
    /// Replicas by zone name, fixed by hand.
    Replicas(BTreeMap<String, u32>),
}

impl Demand {
    /// In requests per second; `None` where replicas are fixed by hand.
    #[must_use]
    pub const fn rate(&self) -> Option<f64> {
        match self {
            Self::Forecast { peak, .. } => Some(*peak),
            Self::Rate(rate) => Some(*rate),
            Self::Replicas(_) => None,
        }
    }

    /// The name of the forecast that it is taken from.
    #[must_use]
    pub fn forecast(&self) -> Option<&str> {
        match self {
            Self::Forecast { name, .. } => Some(name),
            Self::Rate(_) | Self::Replicas(_) => None,
        }
    }
}

impl Site {
    /// What it sells under this name.
    #[must_use]
    pub fn offer(&self, instance: &str) -> Option<&Offer> {
        match &self.market {
            Market::Open(offers) => offers.iter().find(|offer| offer.instance == instance),
            Market::Down(_) => None,
        }
    }
}

/// A zone in which a deployment runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Site {
    /// The zone.
    pub spec: ZoneSpec,
    /// What it sells.
    pub market: Market,
    /// The power that it is run with, where someone tells.
    pub grid: Option<Grid>,
    /// Whose law holds there, where someone tells.
    pub jurisdiction: Option<String>,
    /// The replicas that were recorded after the last apply.
    pub recorded: u32,
    /// The replicas that are there now.
    pub observed: u32,
}

/// A deployment with its replicas.
#[derive(Debug, Clone, PartialEq)]
pub struct Sized {
    /// What it must carry.
    pub demand: Demand,
    /// The demand that the last apply was sized for, in requests per second.
    pub previous: Option<f64>,
    /// Every zone, in name order.
    pub zones: Vec<ZoneSize>,
    /// For every zone with replicas: what is left without it; empty for fixed replicas.
    pub losses: Vec<Loss>,
}

/// The replicas of a deployment in one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneSize {
    /// The zone.
    pub zone: String,
    /// The local name of its provider.
    pub provider: String,
    /// The region in the provider's own words.
    pub region: Option<String>,
    /// The replicas that are there now.
    pub before: u32,
    /// The replicas that are planned.
    pub after: u32,
    /// The price of one replica-hour.
    pub price: Micros,
    /// The instance type of each replica; `None` where the zone does not say what it sells.
    pub instance: Option<String>,
    /// Kilograms of CO2 equivalent for one replica-hour, where power and grid are known.
    pub carbon: Option<f64>,
    /// Why so many.
    pub why: String,
}

/// What the replicas of a deployment are derived from.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs<'a> {
    /// What runs.
    pub model: &'a Model,
    /// The squared coefficient of variation of its service time.
    pub variability: f64,
    /// How to size.
    pub capacity: &'a CapacitySpec,
    /// What must be carried.
    pub demand: Demand,
    /// What the last apply was sized for, in requests per second.
    pub previous: Option<f64>,
    /// Where, in name order.
    pub sites: Vec<Site>,
}

/// Derives the replicas of a deployment.
///
/// # Errors
/// The setting that is in the way, and what would free it.
pub fn size(inputs: &Inputs<'_>) -> Result<Sized, Wrong> {
    if let Demand::Replicas(fixed) = &inputs.demand {
        return fix(inputs, fixed);
    }
    let wrong = |attribute: &str, reason: String| Wrong {
        path: isobar_sdk::Path::attribute(attribute),
        reason,
    };
    let rate = inputs.demand.rate().unwrap_or_default();
    if inputs.model.performance.service_time.is_zero() {
        let reason = format!(
            "Model {:?} has no performance block, so replicas cannot be derived from demand; measure service_time and concurrency of one replica, or fix replicas by hand.",
            inputs.model.name
        );
        return Err(wrong("model", reason));
    }
    let pool = pool(inputs)?;
    let request = placement::Request {
        demand: rate,
        zones: inputs
            .sites
            .iter()
            .map(|site| candidate(site, inputs))
            .collect(),
        survive: inputs.capacity.survive,
        max_zone_share: inputs.capacity.max_zone_share,
    };
    let placement = placement::place(&pool, &request)
        .map_err(|error| wrong("capacity", sentence(&error.to_string())))?;
    Ok(assemble(inputs, &placement))
}

/// What the replicas of one zone do.
///
/// # Errors
/// The target cannot be met by any number of them.
pub fn pool(inputs: &Inputs<'_>) -> Result<Capacity, Wrong> {
    let performance = capacity::Performance {
        service_time: inputs.model.performance.service_time,
        service_p95: None,
        concurrency: inputs.model.performance.concurrency,
        variability: inputs.variability,
        startup: inputs.model.performance.startup,
    };
    let pool = Capacity::new(performance, Arrivals::default(), inputs.capacity.target);
    pool.map_err(|error| Wrong {
        path: isobar_sdk::Path::attribute("capacity"),
        reason: error.to_string(),
    })
}

fn offer<'a>(site: &'a Site, model: &Model) -> Option<&'a Offer> {
    match &site.market {
        Market::Open(offers) => Offer::choose(offers, &model.resources),
        Market::Down(_) => None,
    }
}

fn price(site: &Site, model: &Model) -> Micros {
    site.spec
        .price
        .or_else(|| offer(site, model).map(|offer| offer.price))
        .unwrap_or_default()
}

/// Kilograms of CO2 equivalent for an hour of this offer there.
fn carbon(site: &Site, offer: &Offer) -> Option<f64> {
    Some(site.grid?.kilograms_per_hour(offer.watts?))
}

/// A site as placement sees it; of several maxima the smallest binds.
fn candidate(site: &Site, inputs: &Inputs<'_>) -> placement::Zone {
    let offer = offer(site, inputs.model);
    let instance = offer.map_or("replica", |offer| offer.instance.as_str());
    let limit = site
        .spec
        .limits
        .get(instance)
        .or_else(|| site.spec.limits.get("replica"));
    let maxima = [
        (inputs.capacity.max_replicas, MaximumCause::MaxReplicas),
        (limit.copied(), MaximumCause::Limits),
        (offer.and_then(|offer| offer.quota), MaximumCause::Quota),
    ];
    let binding = maxima
        .into_iter()
        .filter_map(|(max, cause)| Some((max?, cause)))
        .min();
    let (maximum, maximum_cause) =
        binding.unwrap_or((placement::MOST_REPLICAS, MaximumCause::MaxReplicas));
    placement::Zone {
        name: site.spec.zone.name.clone(),
        price_micros_per_hour: price(site, inputs.model).0,
        minimum: inputs.capacity.min_replicas,
        maximum,
        maximum_cause,
        available: offer.is_some(),
    }
}

fn assemble(inputs: &Inputs<'_>, placement: &Placement) -> Sized {
    let zones = inputs.sites.iter().map(|site| {
        let planned = placement
            .zones
            .iter()
            .find(|zone| zone.name == site.spec.zone.name);
        let mut reasons: Vec<String> = planned
            .map(|zone| zone.reasons.iter().map(ToString::to_string).collect())
            .unwrap_or_default();
        if let Market::Down(since) = &site.market {
            reasons = vec![format!("zone is down: {since}")];
        }
        zone_size(
            site,
            inputs.model,
            planned.map_or(0, |zone| zone.replicas),
            reasons,
        )
    });
    Sized {
        demand: inputs.demand.clone(),
        previous: inputs.previous,
        zones: zones.collect(),
        losses: placement.n_minus_one.clone(),
    }
}

fn zone_size(site: &Site, model: &Model, after: u32, mut reasons: Vec<String>) -> ZoneSize {
    if site.observed < site.recorded {
        let gone = site.recorded - site.observed;
        let noun = if gone == 1 { "replica" } else { "replicas" };
        reasons.insert(0, format!("{gone} {noun} gone since the last apply"));
    }
    let offer = offer(site, model);
    ZoneSize {
        zone: site.spec.zone.name.clone(),
        provider: site.spec.provider.clone(),
        region: site.spec.zone.region.clone(),
        before: site.observed,
        after,
        price: price(site, model),
        instance: offer.map(|offer| offer.instance.clone()),
        carbon: offer.and_then(|offer| carbon(site, offer)),
        why: reasons.join(", "),
    }
}

fn fix(inputs: &Inputs<'_>, fixed: &BTreeMap<String, u32>) -> Result<Sized, Wrong> {
    let names: Vec<&str> = inputs
        .sites
        .iter()
        .map(|site| site.spec.zone.name.as_str())
        .collect();
    if let Some(stranger) = fixed.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(Wrong {
            path: isobar_sdk::Path::attribute("replicas"),
            reason: format!(
                "{stranger:?} is not among the zones of this deployment, which are {}.",
                names.join(", ")
            ),
        });
    }
    let zones = inputs.sites.iter().map(|site| {
        let after = fixed.get(&site.spec.zone.name).copied().unwrap_or(0);
        zone_size(
            site,
            inputs.model,
            after,
            vec!["fixed by replicas".to_owned()],
        )
    });
    Ok(Sized {
        demand: inputs.demand.clone(),
        previous: inputs.previous,
        zones: zones.collect(),
        losses: Vec::new(),
    })
}
