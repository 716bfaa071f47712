//! What a deployment is sized from and to: demand, model, capacity and zones; replicas per zone.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Grid, Model, Offer};
use isobar_sdk::quantity::Micros;
use jiff::Timestamp;

use super::fleet;
use super::market::Market;
use super::policy::CapacitySpec;
use super::resource::{Needed, ResourceNeed};
use super::spec::{Measured, Wrong, ZoneSpec};
use crate::placement::Loss;
use crate::placement::fleet::Gap;

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
    /// The power of an instance in watts. Where nobody tells it, as much for a dollar as the
    /// hungriest of what is sold there, so that what is not known is no reason to prefer it.
    #[must_use]
    pub fn watts(&self, offer: &Offer) -> f64 {
        let dollars = |offer: &Offer| offer.price.0.max(1) as f64 / 1e6;
        offer.watts.unwrap_or_else(|| {
            let offers = match &self.market {
                Market::Open(offers) => offers.as_slice(),
                Market::Down(_) => &[],
            };
            let known = offers.iter().filter(|offer| offer.price.0 > 0);
            let known = known.filter_map(|offer| Some(offer.watts? / dollars(offer)));
            known.fold(0.0, f64::max) * dollars(offer)
        })
    }

    /// How many of its replicas are on spot instances now.
    #[must_use]
    pub fn spot_now(&self) -> u32 {
        self.spot.unwrap_or(0).min(self.observed)
    }

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
    /// What its replicas run on now, where the platform tells.
    pub instance: Option<String>,
    /// How many of its replicas are on spot instances; `None` where its platform has none.
    pub spot: Option<u32>,
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
    /// What it needs beside that.
    pub needs: Vec<Needed>,
    /// The demand that the last apply was sized for, in requests per second.
    pub previous: Option<f64>,
    /// Every zone, in name order.
    pub zones: Vec<ZoneSize>,
    /// For all that can be lost at once: what is left without it; empty for fixed replicas.
    pub losses: Vec<Loss>,
    /// How good the placement is; none for fixed replicas.
    pub quality: Option<Quality>,
}

/// How good a placement is, and what stands in the way of a better one.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// How much of the cost a better placement could save at most.
    pub gap: Gap,
    /// What was weighed, per hour: prices and all that the objective makes dollars of.
    pub cost: Micros,
    /// Constraints, and what a unit less of each would save in an hour; the dearest first.
    pub shadows: Vec<(String, Micros)>,
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
    /// How many of them run on spot instances.
    pub spot_before: u32,
    /// The replicas that are planned.
    pub after: u32,
    /// How many of them run on spot instances.
    pub spot: u32,
    /// The price of one replica-hour on demand.
    pub price: Micros,
    /// The price of one replica-hour on a spot instance; that on demand where none are sold.
    pub spot_price: Micros,
    /// The instance type of each replica; `None` where the zone does not say what it sells.
    pub instance: Option<String>,
    /// Kilograms of CO2 equivalent for one replica-hour, where power and grid are known.
    pub carbon: Option<f64>,
    /// What the replicas that are there run on, where that is something else.
    pub was: Option<Was>,
    /// Why so many.
    pub why: String,
}

/// What replicas run on until the apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Was {
    /// The instance type.
    pub instance: String,
    /// The price of one replica-hour on demand; that of the plan where it is not sold any more.
    pub price: Micros,
    /// That on a spot instance.
    pub spot_price: Micros,
    /// Kilograms of CO2 equivalent for one replica-hour, where power and grid are known.
    pub carbon: Option<f64>,
}

impl Was {
    /// What a site runs on, where that is not `planned`.
    fn of(site: &Site, planned: Option<&str>, price: Micros) -> Option<Self> {
        let instance = site.instance.as_deref().filter(|_| site.observed > 0)?;
        if planned.is_none_or(|planned| planned == instance) {
            return None;
        }
        let offer = site.offer(instance);
        let on_demand = offer.map_or(price, |offer| fleet::price(site, Some(offer)));
        Some(Self {
            instance: instance.to_owned(),
            price: on_demand,
            spot_price: offer.and_then(|offer| offer.spot).unwrap_or(on_demand),
            carbon: offer.and_then(|offer| carbon(site, offer)),
        })
    }
}

/// What the replicas of a deployment are derived from.
#[derive(Debug, Clone, PartialEq)]
pub struct Inputs<'a> {
    /// The name that it is listed under.
    pub label: String,
    /// What runs.
    pub model: &'a Model,
    /// What else was measured of it.
    pub measured: Measured,
    /// How to size.
    pub capacity: &'a CapacitySpec,
    /// What must be carried.
    pub demand: Demand,
    /// What must be carried in an outage, in requests per second, where that is something else.
    pub failover: Option<f64>,
    /// What is needed beside that.
    pub needs: Vec<ResourceNeed>,
    /// Where requests come from, and which share of them; empty where it does not matter.
    pub origins: Vec<(String, f64)>,
    /// What the last apply was sized for, in requests per second.
    pub previous: Option<f64>,
    /// Where, in name order.
    pub sites: &'a [Site],
}

impl ZoneSize {
    /// A zone with this many replicas on demand.
    pub(super) fn new(
        site: &Site,
        instance: Option<&str>,
        after: u32,
        mut reasons: Vec<String>,
    ) -> Self {
        if site.observed < site.recorded {
            let gone = site.recorded - site.observed;
            let noun = if gone == 1 { "replica" } else { "replicas" };
            reasons.insert(0, format!("{gone} {noun} gone since the last apply"));
        }
        let offer = instance.and_then(|instance| site.offer(instance));
        let price = fleet::price(site, offer);
        Self {
            zone: site.spec.zone.name.clone(),
            provider: site.spec.provider.clone(),
            region: site.spec.zone.region.clone(),
            before: site.observed,
            spot_before: site.spot_now(),
            after,
            spot: 0,
            price,
            spot_price: offer.and_then(|offer| offer.spot).unwrap_or(price),
            instance: offer.map(|offer| offer.instance.clone()),
            carbon: offer.and_then(|offer| carbon(site, offer)),
            was: Was::of(site, offer.map(|offer| offer.instance.as_str()), price),
            why: reasons.join(", "),
        }
    }

    /// What runs there costs in an hour.
    #[must_use]
    pub fn cost_before(&self) -> Micros {
        let prices = self.was.as_ref().map(|was| (was.price, was.spot_price));
        let (price, spot_price) = prices.unwrap_or((self.price, self.spot_price));
        cost((price, self.before), (spot_price, self.spot_before))
    }

    /// What runs there emits in an hour, in kilograms of CO2 equivalent, where that is known.
    #[must_use]
    pub fn carbon_before(&self) -> Option<f64> {
        let carbon = self.was.as_ref().map_or(self.carbon, |was| was.carbon)?;
        Some(carbon * f64::from(self.before))
    }

    /// What is planned emits.
    #[must_use]
    pub fn carbon_after(&self) -> Option<f64> {
        Some(self.carbon? * f64::from(self.after))
    }

    /// What is planned costs in an hour.
    #[must_use]
    pub fn cost_after(&self) -> Micros {
        cost((self.price, self.after), (self.spot_price, self.spot))
    }
}

/// What replicas cost in an hour of which some run on spot instances.
fn cost((price, replicas): (Micros, u32), (spot_price, spot): (Micros, u32)) -> Micros {
    let on_demand = price.times(replicas.saturating_sub(spot));
    [on_demand, spot_price.times(spot)].into_iter().sum()
}

/// Kilograms of CO2 equivalent for an hour of this offer there.
fn carbon(site: &Site, offer: &Offer) -> Option<f64> {
    Some(site.grid?.kilograms_per_hour(offer.watts?))
}

/// A deployment whose replicas are fixed by hand; none where they are not.
pub(super) fn fixed(inputs: &Inputs<'_>) -> Option<Result<Sized, Wrong>> {
    let Demand::Replicas(fixed) = &inputs.demand else {
        return None;
    };
    let sites = inputs.sites.iter();
    let names: Vec<&str> = sites.map(|site| site.spec.zone.name.as_str()).collect();
    if let Some(stranger) = fixed.keys().find(|name| !names.contains(&name.as_str())) {
        return Some(Err(Wrong {
            path: isobar_sdk::Path::attribute("replicas"),
            reason: format!(
                "{stranger:?} is not among the zones of this deployment, which are {}.",
                names.join(", ")
            ),
        }));
    }
    let zones = inputs.sites.iter().map(|site| {
        let after = fixed.get(&site.spec.zone.name).copied().unwrap_or(0);
        let offer = match &site.market {
            Market::Open(offers) => Offer::choose(offers, &inputs.model.resources),
            Market::Down(_) => None,
        };
        let instance = offer.map(|offer| offer.instance.as_str());
        ZoneSize::new(site, instance, after, vec!["fixed by replicas".to_owned()])
    });
    Some(Ok(Sized {
        demand: inputs.demand.clone(),
        needs: Vec::new(),
        previous: inputs.previous,
        zones: zones.collect(),
        losses: Vec::new(),
        quality: None,
    }))
}
