//! Deployments as a fleet that is placed together, and the placement as their replicas.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::deployment::Offer;
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::quantity::Micros;

use super::market::Market;
use super::resource::{ResourceNeed, ceilings};
use super::size::{Inputs, Quality, Site, Sized, ZoneSize, fixed};
use super::spec::{Wrong, ZoneSpec};
use crate::capacity::{self, Arrivals, Capacity};
use crate::placement::fleet::{
    self, Allocation, Allotment, Binding, Effort, Fleet, Grid, Limit, Origin, Outage, Present,
    Service, Shadow, Shape, Solution, Weights, Zone,
};
use crate::placement::{Loss, MaximumCause};

/// The unit that a replica occupies where a zone has a price and no instance types.
pub const REPLICA: &str = "replica";

/// The instance types of a zone, the cheapest first, that are looked at for one model.
const MOST_SHAPES: usize = 12;

/// Instances that deployments which are sized already run, by zone and instance type.
pub type Taken = BTreeMap<(String, String), u32>;

/// Derives the replicas of deployments that share zones, together; in the order given. What they
/// run is added to what is taken.
pub fn size(all: &[Inputs<'_>], taken: &mut Taken) -> Vec<Result<Sized, Wrong>> {
    let mut sized: Vec<Option<Result<Sized, Wrong>>> = vec![None; all.len()];
    let mut services = BTreeMap::new();
    for (place, inputs) in all.iter().enumerate() {
        match prepare(inputs) {
            Ok(Prepared::Fixed(fixed)) => {
                take(&fixed, taken);
                sized[place] = Some(Ok(fixed));
            }
            Ok(Prepared::Service(service)) => {
                services.insert(place, *service);
            }
            Err(wrong) => sized[place] = Some(Err(wrong)),
        }
    }
    let zones = zones(all, taken);
    // What cannot be placed must not keep the rest from being judged.
    while !services.is_empty() {
        let fleet = Fleet {
            zones: zones.clone(),
            services: services.values().cloned().collect(),
        };
        match fleet::solve(&fleet, Effort::default()) {
            Ok(solution) => {
                for place in std::mem::take(&mut services).into_keys() {
                    let one = assemble(&all[place], &solution);
                    one.iter().for_each(|one| take(one, taken));
                    sized[place] = one.map(Ok);
                }
            }
            Err(unplaced) => {
                let before = services.len();
                for (place, inputs) in all.iter().enumerate() {
                    let about =
                        |unplaced: &&fleet::Unplaced| unplaced.services.contains(&inputs.label);
                    if let Some(unplaced) = unplaced.iter().find(about)
                        && services.remove(&place).is_some()
                    {
                        let reason = sentence(&unplaced.error.to_string());
                        sized[place] = Some(Err(wrong("capacity", reason)));
                    }
                }
                if services.len() == before {
                    break;
                }
            }
        }
    }
    let unknown = || Err(wrong("capacity", "It could not be placed.".to_owned()));
    sized
        .into_iter()
        .map(|one| one.unwrap_or_else(unknown))
        .collect()
}

fn wrong(attribute: &str, reason: String) -> Wrong {
    Wrong {
        path: isobar_sdk::Path::attribute(attribute),
        reason,
    }
}

fn take(sized: &Sized, taken: &mut Taken) {
    for zone in sized.zones.iter().filter(|zone| zone.after > 0) {
        let instance = zone.instance.clone().unwrap_or_else(|| REPLICA.to_owned());
        *taken.entry((zone.zone.clone(), instance)).or_default() += zone.after;
    }
}

enum Prepared {
    Fixed(Sized),
    Service(Box<Service>),
}

/// What is to be placed of a deployment.
fn prepare(inputs: &Inputs<'_>) -> Result<Prepared, Wrong> {
    if let Some(fixed) = fixed(inputs) {
        return fixed.map(Prepared::Fixed);
    }
    if inputs.model.performance.service_time.is_zero() {
        let reason = format!(
            "Model {:?} has no performance block, so replicas cannot be derived from demand; measure service_time and concurrency of one replica, or fix replicas by hand.",
            inputs.model.name
        );
        return Err(wrong("model", reason));
    }
    let service = Service {
        name: inputs.label.clone(),
        capacity: pool(inputs)?,
        origins: origins(inputs),
        sites: inputs
            .sites
            .iter()
            .map(|site| self::site(site, inputs))
            .collect::<Result<_, _>>()?,
        rules: inputs.capacity.rules.clone(),
        weights: Weights {
            gigabytes_per_request: inputs.measured.response as f64 / 1e9,
            ..inputs.capacity.weights
        },
    };
    Ok(Prepared::Service(Box::new(service)))
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
        variability: inputs.measured.variability,
        startup: inputs.model.performance.startup,
    };
    let pool = Capacity::new(performance, Arrivals::default(), inputs.capacity.target);
    pool.map_err(|error| wrong("capacity", error.to_string()))
}

fn origins(inputs: &Inputs<'_>) -> Vec<Origin> {
    let demand = inputs.demand.rate().unwrap_or_default();
    let failover = inputs.failover.unwrap_or(demand);
    let origin = |name: &str, share: f64| Origin {
        name: name.to_owned(),
        demand: demand * share,
        failover: failover * share,
    };
    match inputs.origins.as_slice() {
        [] => vec![origin("", 1.0)],
        origins => origins
            .iter()
            .map(|(name, share)| origin(name, *share))
            .collect(),
    }
}

/// The instance types that a replica fits on, the cheapest first. Where the configuration gives
/// one price for whatever runs there, that is the cheapest by what the zone itself tells.
fn fitting<'s>(site: &'s Site, inputs: &Inputs<'_>) -> Vec<&'s str> {
    let Market::Open(offers) = &site.market else {
        return Vec::new();
    };
    if offers.is_empty() && site.spec.price.is_some() {
        return vec![REPLICA];
    }
    let needs = &inputs.model.resources;
    let mut fitting: Vec<&Offer> = offers.iter().filter(|offer| offer.fits(needs)).collect();
    fitting.sort_by(|a, b| (a.price, &a.instance).cmp(&(b.price, &b.instance)));
    fitting.truncate(if site.spec.price.is_some() {
        1
    } else {
        MOST_SHAPES
    });
    fitting
        .iter()
        .map(|offer| offer.instance.as_str())
        .collect()
}

fn site(site: &Site, inputs: &Inputs<'_>) -> Result<fleet::Site, Wrong> {
    let shapes = fitting(site, inputs);
    Ok(fleet::Site {
        ceilings: ceilings(inputs, site, &shapes)?,
        zone: site.spec.zone.name.clone(),
        minimum: inputs.capacity.min_replicas,
        maximum: inputs.capacity.max_replicas,
        present: (site.observed > 0).then(|| Present {
            shape: site.instance.clone(),
            on_demand: site.observed - site.spot_now(),
            spot: site.spot_now(),
        }),
        shapes: shapes.into_iter().map(str::to_owned).collect(),
    })
}

/// All zones of all deployments, each once.
fn zones(all: &[Inputs<'_>], taken: &Taken) -> Vec<Zone> {
    let mut zones = BTreeMap::new();
    let mut looked_at: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for inputs in all {
        for site in inputs.sites {
            let name = site.spec.zone.name.as_str();
            looked_at
                .entry(name)
                .or_default()
                .extend(fitting(site, inputs));
            zones.entry(name).or_insert(site);
        }
    }
    let mut zone = |(name, site): (&str, &Site)| {
        let mut names: BTreeSet<&str> = looked_at.remove(name).unwrap_or_default();
        // What fits nothing is still something that is sold.
        if let (Market::Open(offers), true) = (&site.market, names.is_empty()) {
            names.extend(offers.first().map(|offer| offer.instance.as_str()));
        }
        let shapes = names
            .into_iter()
            .map(|instance| shape(site, instance, taken));
        zone(site, shapes.collect())
    };
    let dirtiest = zones.values().filter_map(|site| site.grid);
    let dirtiest = dirtiest.max_by(|a, b| (a.intensity * a.pue).total_cmp(&(b.intensity * b.pue)));
    // What is not known is no reason to prefer a zone.
    let grid = |zone: Zone, site: &Site| Zone {
        grid: site
            .grid
            .or(dirtiest)
            .map_or_else(Grid::default, |grid| Grid {
                grams_per_kwh: grid.intensity,
                pue: grid.pue,
            }),
        ..zone
    };
    zones
        .into_iter()
        .map(|(name, site)| grid(zone((name, site)), site))
        .collect()
}

fn zone(site: &Site, shapes: Vec<Shape>) -> Zone {
    let ZoneSpec {
        zone,
        provider,
        reach,
        ..
    } = &site.spec;
    Zone {
        name: zone.name.clone(),
        provider: provider.clone(),
        region: zone.region.clone(),
        jurisdiction: reach
            .jurisdiction
            .clone()
            .or_else(|| site.jurisdiction.clone()),
        available: matches!(site.market, Market::Open(_)),
        shapes,
        grid: Grid::default(),
        egress_micros_per_gigabyte: reach.egress_price.0,
        round_trips: reach.latency.clone(),
        preemptions_per_hour: reach.preemption_rate,
    }
}

/// An instance type; of several limits the smallest binds, less what is taken.
fn shape(site: &Site, instance: &str, taken: &Taken) -> Shape {
    let offer = site.offer(instance);
    let key = (site.spec.zone.name.clone(), instance.to_owned());
    let gone = taken.get(&key).copied().unwrap_or(0);
    Shape {
        name: instance.to_owned(),
        price_micros_per_hour: price(site, offer).0,
        spot_micros_per_hour: offer
            .filter(|_| site.spot.is_some())
            .and_then(|offer| offer.spot)
            .map(|spot| spot.0),
        watts: offer.map_or(0.0, |offer| site.watts(offer)),
        speed: 1.0,
        limit: limit(site, instance).map(|limit| Limit {
            most: limit.most.saturating_sub(gone),
            ..limit
        }),
    }
}

/// The smallest of the limits and quotas of an instance type in a zone.
pub(super) fn limit(site: &Site, instance: &str) -> Option<Limit> {
    let limits = &site.spec.limits;
    let limit = limits.get(instance).or_else(|| limits.get(REPLICA));
    let quota = site.offer(instance).and_then(|offer| offer.quota);
    let maxima = [
        (limit.copied(), MaximumCause::Limits),
        (quota, MaximumCause::Quota),
    ];
    let maxima = maxima
        .into_iter()
        .filter_map(|(most, cause)| Some((most?, cause)));
    maxima.min().map(|(most, cause)| Limit { most, cause })
}

pub(super) fn price(site: &Site, offer: Option<&Offer>) -> Micros {
    let told = site.spec.price.or(offer.map(|offer| offer.price));
    told.unwrap_or_default()
}

/// A deployment as it was placed.
fn assemble(inputs: &Inputs<'_>, solution: &Solution) -> Option<Sized> {
    let mut services = solution.services.iter();
    let allocation = services.find(|service| service.service == inputs.label)?;
    let zones = inputs.sites.iter().map(|site| {
        let zone = allocation
            .zones
            .iter()
            .find(|zone| zone.zone == site.spec.zone.name);
        zone_size(site, inputs, zone)
    });
    Some(Sized {
        demand: inputs.demand.clone(),
        needs: inputs.needs.iter().map(ResourceNeed::needed).collect(),
        previous: inputs.previous,
        zones: zones.collect(),
        losses: allocation.losses.iter().map(loss).collect(),
        quality: Some(quality(allocation, solution)),
    })
}

fn zone_size(site: &Site, inputs: &Inputs<'_>, zone: Option<&Allotment>) -> ZoneSize {
    let mut reasons: Vec<String> = zone
        .map(|zone| zone.reasons.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    if let Market::Down(since) = &site.market {
        reasons = vec![format!("zone is down: {since}")];
    }
    let shape = zone.and_then(|zone| zone.shape.as_deref());
    let instance = shape.or_else(|| fitting(site, inputs).first().copied());
    let (replicas, spot) = zone.map_or((0, 0), |zone| (zone.replicas(), zone.spot));
    if spot > 0 {
        reasons.push(format!("{spot} on spot instances"));
    }
    ZoneSize {
        spot,
        ..ZoneSize::new(site, instance, replicas, reasons)
    }
}

fn loss(outage: &Outage) -> Loss {
    Loss {
        zone: outage.lost.clone(),
        remaining_capacity: outage.remaining_capacity,
        shed: outage.shed,
        close_micros_per_hour: outage.close_micros_per_hour,
    }
}

/// How good the placement is, and what its own constraints and the limits of its zones cost.
fn quality(allocation: &Allocation, solution: &Solution) -> Quality {
    let own = |shadow: &&Shadow| match &shadow.binding {
        Binding::Demand { service }
        | Binding::Survive { service, .. }
        | Binding::Minimum { service, .. }
        | Binding::Maximum { service, .. }
        | Binding::Share { service }
        | Binding::Spot { service } => *service == allocation.service,
        Binding::Limit { zone, .. } => allocation.zones.iter().any(|known| known.zone == *zone),
    };
    let shadows = solution.shadows.iter().filter(own);
    Quality {
        gap: allocation.gap,
        cost: Micros(allocation.cost_micros_per_hour),
        shadows: shadows
            .map(|shadow| (shadow.binding.to_string(), Micros(shadow.micros_per_hour)))
            .collect(),
    }
}
