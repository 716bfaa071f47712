//! A deployment in the walk: its block read, lowered, and its native resources proposed.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{
    Envelope, Lowered, Model, NativeResource, Noun, Placed, Scaling, Wire,
};
use isobar_sdk::{Address, Diagnostic, Error, ErrorKind, Known, Native, Path, Value};
use jiff::Timestamp;

use super::drive::{Block, Driver};
use super::instance::configure;
use super::resource::{Item, provider_diagnostic};
use super::{PlannedChange, PlannedDeployment};
use crate::change::Cause;
use crate::deployment::market::{Conditions, Market};
use crate::deployment::schedule::{CEILING, Outline};
use crate::deployment::{CapacitySpec, Demand, Site, Sized, Wrong, ZoneSpec};
use crate::eval::Ambient;
use crate::graph::Dag;
use crate::language::lifecycle::Lifecycle;
use crate::state::Life;

/// An instance of a deployment.
pub(super) struct Unit<'u, 'a> {
    pub(super) block: &'u Block<'a>,
    pub(super) owner: Address,
    pub(super) ambient: Ambient,
}

impl Driver<'_> {
    /// Proposes what an instance runs in its zones; what is wrong there is reported.
    pub(super) async fn populate(
        &mut self,
        unit: &Unit<'_, '_>,
        (model, sites): (&Model, &[Site]),
        (sized, outlines): (Sized, BTreeMap<String, Outline>),
    ) -> PlannedDeployment {
        let mut planned = PlannedDeployment {
            sized,
            outlines,
            urls: BTreeMap::new(),
        };
        for site in sites {
            let zone = &site.spec;
            let size = planned
                .sized
                .zones
                .iter()
                .find(|z| z.zone == zone.zone.name);
            let replicas = size.map_or(0, |zone| zone.after);
            if replicas == 0 {
                if matches!(site.market, Market::Down(_)) {
                    self.leave_zone(unit, &zone.zone.name);
                }
                continue;
            }
            let outline = planned.outlines.get(&zone.zone.name);
            let placed = Placed {
                deployment: unit.owner.label(),
                zone: zone.zone.clone(),
                model: model.clone(),
                replicas,
                spot: size.map_or(0, |zone| zone.spot),
                offer: size
                    .and_then(|zone| site.offer(zone.instance.as_deref()?))
                    .cloned(),
                envelope: outline.map_or(Envelope::fixed(replicas), |outline| outline.envelope),
                schedule: outline
                    .filter(|outline| outline.scaling == Scaling::Schedule)
                    .and_then(|outline| outline.schedule.clone()),
            };
            let demand = &planned.sized.demand;
            match self.zone_natives(unit, zone, (&placed, demand)).await {
                Ok(Some(url)) => {
                    planned.urls.insert(zone.zone.name.clone(), url);
                }
                Ok(None) => {}
                Err(diagnostic) => self.diagnostics.push(*diagnostic),
            }
        }
        planned
    }

    /// Leaves what a zone that is down runs as it is: it can neither be changed nor deleted
    /// there, and serves again once the zone is back.
    fn leave_zone(&mut self, unit: &Unit<'_, '_>, zone: &str) {
        for (address, instance) in &self.state.instances {
            if native_in(address, &unit.owner, zone).is_some()
                && let Some(now) = self.prior(address)
            {
                self.unreadable.remove(address);
                self.changes
                    .insert(address.clone(), PlannedChange::keep(instance, now));
            }
        }
    }

    /// The label of the noun that an attribute refers to.
    pub(super) fn named(
        &self,
        value: &Value,
        attribute: &str,
        kind: &str,
    ) -> Result<String, Wrong> {
        let wrong = || Wrong {
            path: Path::attribute(attribute),
            reason: format!("{attribute} must be a reference such as {kind}.name."),
        };
        let given = value.field(attribute).ok_or_else(wrong)?;
        let name = given
            .field("name")
            .and_then(Value::as_str)
            .ok_or_else(wrong)?;
        let known = self.nouns.values.get(&(kind.into(), name.to_owned()));
        let same = known.is_some_and(|noun| noun == given);
        if same { Ok(name.into()) } else { Err(wrong()) }
    }

    /// The zones of a deployment, in name order.
    pub(super) fn zones_of(&self, value: &Value) -> Result<Vec<ZoneSpec>, Wrong> {
        let wrong = |reason: &str| Wrong {
            path: Path::attribute("zones"),
            reason: reason.to_owned(),
        };
        let given = value.field("zones").and_then(Value::items);
        let given =
            given.ok_or_else(|| wrong("zones must be a list, such as [zone.a, zone.b]; the zones of a block with for_each are values(zone.a)"))?;
        let mut zones = BTreeMap::new();
        for zone in given.iter() {
            let name = zone.field("name").and_then(Value::as_str);
            let spec = name.and_then(|name| self.nouns.zones.get(name));
            let spec =
                spec.ok_or_else(|| wrong("Each element of zones must be a zone, such as zone.a."))?;
            if zones.insert(spec.zone.name.clone(), spec.clone()).is_some() {
                let reason = format!("Zone {:?} is listed twice.", spec.zone.name);
                return Err(wrong(&reason));
            }
        }
        if zones.is_empty() {
            return Err(wrong("A deployment needs at least one zone."));
        }
        Ok(zones.into_values().collect())
    }

    pub(super) fn demand(
        &mut self,
        value: &Value,
        capacity: &CapacitySpec,
    ) -> Result<Demand, Wrong> {
        let there = |name: &str| value.field(name).filter(|v| !v.is_null());
        match (there("demand"), there("replicas")) {
            (Some(_), Some(_)) => Err(Wrong {
                path: Path::attribute("replicas"),
                reason: "Replicas follow from the demand; only one of them can be set.".to_owned(),
            }),
            (None, None) => Err(Wrong {
                path: Path::root(),
                reason: "A deployment needs demand = forecast.name, or requests per second, or replicas = { zone = number }.".to_owned(),
            }),
            (None, Some(fixed)) => Ok(Demand::Replicas(fixed_replicas(fixed)?)),
            (Some(demand), None) => match demand.as_number() {
                Some(rate) if rate.as_f64() >= 0.0 => Ok(Demand::Rate(rate.as_f64())),
                Some(_) => Err(Wrong {
                    path: Path::attribute("demand"),
                    reason: "The demand must not be negative.".to_owned(),
                }),
                None => {
                    let name = self.named(value, "demand", "forecast")?;
                    self.forecast_demand(&name, capacity.quantile)
                }
            },
        }
    }

    pub(super) fn forecast_demand(&mut self, name: &str, level: f64) -> Result<Demand, Wrong> {
        let (peak, at) = self.peak(name, level).ok_or_else(|| Wrong {
            path: Path::attribute("demand"),
            reason: format!("There is no forecast {name:?} at the level {level}."),
        })?;
        Ok(Demand::Forecast {
            name: name.to_string(),
            level,
            peak,
            at,
        })
    }

    /// The peak of a forecast, which the plan rests on from now on.
    pub(super) fn peak(&mut self, name: &str, level: f64) -> Option<(f64, Timestamp)> {
        let loaded = self.nouns.forecasts.get_mut(name)?;
        loaded.forecast = loaded.with_level(level, self.request.telemetry);
        loaded.forecast = loaded.with_level(CEILING.max(level), self.request.telemetry);
        let peak = loaded.forecast.peak(level)?;
        let frozen = loaded.freeze(self.request.now);
        self.forecasts.insert(name.to_string(), frozen);
        Some((peak.value, peak.at))
    }

    /// What a zone sells and runs.
    pub(super) async fn site(&self, owner: &Address, zone: &ZoneSpec) -> Result<Site, Error> {
        let provider = self.providers.get(&zone.provider).ok_or_else(|| {
            Error::unavailable(format!("provider {:?} is not configured", zone.provider))
        })?;
        let Conditions {
            market,
            grid,
            jurisdiction,
        } = self.conditions(zone).await?;
        let mut recorded = BTreeMap::new();
        let mut observed = BTreeMap::new();
        let of_state = self.state.instances.range(owner.clone()..);
        let of_state = of_state.map(|(address, _)| address);
        let here = of_state.take_while(|address| address.shares_block(owner));
        let seen = self.observed.range(owner.clone()..);
        let seen = seen.map(|(address, _)| address);
        for address in here.chain(seen.take_while(|address| address.shares_block(owner))) {
            if let Some(native) = native_in(address, owner, &zone.zone.name) {
                if let Some(instance) = self.state.instances.get(address) {
                    recorded.insert(native.clone(), instance.attributes.clone());
                }
                if let Some(now) = self.prior(address) {
                    observed.insert(native.clone(), now);
                }
            }
        }
        let count = |natives: &BTreeMap<Native, Known>| {
            provider
                .target()
                .map_or(0, |target| target.replicas(natives))
        };
        let target = provider.target();
        Ok(Site {
            spec: zone.clone(),
            market,
            grid,
            jurisdiction,
            instance: target.and_then(|target| target.instance(&observed)),
            spot: target.and_then(|target| target.spot(&observed)),
            recorded: count(&recorded),
            observed: count(&observed),
        })
    }

    /// Proposes the native resources of a deployment in one zone, those that others take values
    /// from first; gives back where the URL comes from.
    async fn zone_natives(
        &mut self,
        unit: &Unit<'_, '_>,
        zone: &ZoneSpec,
        (placed, demand): (&Placed, &Demand),
    ) -> Result<Option<Wire>, Box<Diagnostic>> {
        let block = unit.block;
        let here = unit.owner.in_zone(&zone.zone.name);
        let lowered = self.lower(unit, zone, placed)?;
        let behind = self.names.resources_behind(block.node);
        let life = self.life(block, &unit.ambient)?;
        let triggered = self.triggered(block, &unit.ambient)?;
        let mut imports = self.part_imports(block);
        for resource in in_order(&lowered) {
            let address = here.native(resource.native.clone());
            let mut dependencies = behind.clone();
            dependencies.extend(
                resource_dependencies(resource)
                    .into_iter()
                    .map(|native| here.native(native.clone())),
            );
            let planned = self
                .native(
                    (resource, imports.remove(&address)),
                    &address,
                    dependencies,
                    (life, triggered),
                    (&zone.provider, demand),
                )
                .await;
            let planned = planned.map_err(|error| {
                let resource = (resource, placed.model.name.as_str());
                Box::new(self.native_diagnostic(block, zone, resource, &address, error))
            })?;
            self.take_up(address, planned);
        }
        Ok(lowered.url)
    }

    fn lower(
        &self,
        unit: &Unit<'_, '_>,
        zone: &ZoneSpec,
        placed: &Placed,
    ) -> Result<Lowered, Box<Diagnostic>> {
        let provider = self.providers.get(&zone.provider);
        let target = provider.and_then(|provider| provider.target());
        let target = target.ok_or_else(|| {
            Box::new(
                Diagnostic::error(
                    "P0009",
                    "Provider cannot run deployments",
                    format!(
                        "Zone {:?} is of provider {:?}, which has no way to run a model.",
                        zone.zone.name, zone.provider
                    ),
                )
                .at(&unit.block.declaration.header),
            )
        })?;
        target.lower(placed).map_err(|error| {
            // The path is an attribute of the model or of the zone, whichever has it.
            let blocks = [
                self.nouns.model_blocks.get(&placed.model.name),
                self.nouns.zone_blocks.get(&zone.zone.name),
            ];
            let address = unit.owner.in_zone(&zone.zone.name);
            let path = match &error.kind {
                ErrorKind::Invalid { path } => path.first_attribute(),
                _ => None,
            };
            let blamed = blocks.into_iter().flatten().copied().find(|declaration| {
                path.is_some_and(|name| {
                    let body = &declaration.body;
                    body.attribute(name).is_some() || body.blocks.iter().any(|b| &*b.kind == name)
                })
            });
            let blamed = blamed.unwrap_or(unit.block.declaration);
            Box::new(provider_diagnostic(blamed, &address, error))
        })
    }

    async fn native(
        &self,
        (resource, import): (&NativeResource, Option<String>),
        address: &Address,
        dependencies: Vec<Address>,
        (life, triggered): (Life, bool),
        (provider, demand): (&str, &Demand),
    ) -> Result<PlannedChange, Error> {
        let kind = &resource.native.kind;
        let (_, schema) = self
            .request
            .registry
            .resource(kind)
            .ok_or_else(|| Error::unavailable(format!("there is no resource type {kind:?}")))?;
        let value_of = |native: &Native| {
            self.native_value(&Address {
                native: Some(native.clone()),
                ..address.clone()
            })
        };
        let configuration = configure(schema, &resource.configuration, &value_of);
        let item = Item {
            address: address.clone(),
            provider: provider.to_owned(),
            schema,
            configuration,
            import,
            lifecycle: &Lifecycle::default(),
            triggered,
            life,
            dependencies,
        };
        let mut planned = self.instance(item).await?;
        let fixed = matches!(demand, Demand::Replicas(_));
        planned.wires = Some(resource.configuration.clone());
        for cause in &mut planned.causes {
            if let Cause::Configuration { attribute } = cause
                && let Some(origin) = resource.origins.get(attribute)
                && origin.noun == Noun::Capacity
                && !fixed
                && let Some(zone) = &address.zone
            {
                *cause = Cause::Capacity {
                    attribute: std::mem::take(attribute),
                    zone: zone.to_string(),
                };
            }
        }
        Ok(planned)
    }

    /// What a native resource will be.
    pub(super) fn native_value(&self, address: &Address) -> Option<Value> {
        self.changes
            .get(address)
            .and_then(|planned| planned.change.after())
            .cloned()
    }

    /// Blames the block that the attribute comes from.
    fn native_diagnostic(
        &self,
        block: &Block<'_>,
        zone: &ZoneSpec,
        (resource, model): (&NativeResource, &str),
        address: &Address,
        mut error: Error,
    ) -> Diagnostic {
        let mut blamed = block.declaration;
        if let ErrorKind::Invalid { path } = &error.kind
            && let Some(origin) = path
                .first_attribute()
                .and_then(|name| resource.origins.get(name))
        {
            let found = match origin.noun {
                Noun::Zone => self.nouns.zone_blocks.get(&zone.zone.name),
                Noun::Model => self.nouns.model_blocks.get(model),
                Noun::Deployment | Noun::Capacity => None,
            };
            blamed = found.copied().unwrap_or(blamed);
            error.kind = ErrorKind::Invalid {
                path: origin.attribute.clone(),
            };
        }
        provider_diagnostic(blamed, address, error)
    }
}

/// The native resource that an address means, if it is one of this deployment in this zone.
fn native_in<'a>(address: &'a Address, owner: &Address, zone: &str) -> Option<&'a Native> {
    let native = address.native.as_ref()?;
    let here = address.zone.as_deref() == Some(zone) && address.owner() == *owner;
    here.then_some(native)
}

/// What a native resource rests on within its deployment and zone.
fn resource_dependencies(resource: &NativeResource) -> Vec<&Native> {
    let taken = resource
        .configuration
        .values()
        .filter_map(|wire| match wire {
            Wire::From(native, _) => Some(native),
            Wire::Value(_) => None,
        });
    let mut all: Vec<&Native> = taken.chain(&resource.depends_on).collect();
    all.sort();
    all.dedup();
    all
}

/// The resources, each behind those it rests on. A provider that lowers into a cycle gets them
/// in name order; the wires that are not there yet are unknown then.
fn in_order(lowered: &Lowered) -> Vec<&NativeResource> {
    let mut dag: Dag<&Native> = Dag::default();
    for resource in &lowered.resources {
        dag.add(&resource.native);
        for dependency in resource_dependencies(resource) {
            dag.depend(&resource.native, dependency);
        }
    }
    let order: Vec<&Native> = match dag.order() {
        Ok(order) => order.into_iter().copied().collect(),
        Err(_) => dag.nodes().copied().collect(),
    };
    let find = |native: &Native| {
        lowered
            .resources
            .iter()
            .find(|resource| resource.native == *native)
    };
    order.into_iter().filter_map(find).collect()
}

fn fixed_replicas(fixed: &Value) -> Result<BTreeMap<String, u32>, Wrong> {
    let fields = fixed
        .fields()
        .map(|fields| fields.iter().collect::<Vec<_>>())
        .unwrap_or_default();
    fields
        .into_iter()
        .map(|(zone, count)| {
            let number = count.as_number().and_then(isobar_sdk::Number::as_u64);
            let number = number.and_then(|number| u32::try_from(number).ok());
            number
                .map(|number| (zone.to_string(), number))
                .ok_or_else(|| Wrong {
                    path: Path::attribute("replicas"),
                    reason: format!(
                        "The replicas of {zone:?} must be a whole number from 0 on, not {count}."
                    ),
                })
        })
        .collect()
}
