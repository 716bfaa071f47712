//! Deployments that do not rest on one another: read, then sized together, as they share zones.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{self, Model, Scaling, Wire};
use isobar_sdk::{Path, Value};

use super::batch::Batch;
use super::deploy::Unit;
use super::drive::{Block, Driver};
use super::instance::follow;
use super::names::{Name, Node};
use super::{deployment_value, nouns};
use crate::deployment::fleet::pool;
use crate::deployment::schedule::{Horizon, Outline, Outlook};
use crate::deployment::spec::Measured;
use crate::deployment::{
    CapacitySpec, Demand, Inputs, ResourceNeed, Site, Sized, Wrong, policy, size,
};
use crate::graph::Dag;

/// An instance of a deployment with what it is sized from.
struct Waiting<'u, 'a> {
    unit: Unit<'u, 'a>,
    model: Model,
    measured: Measured,
    capacity: CapacitySpec,
    demand: Demand,
    failover: Option<f64>,
    needs: Vec<ResourceNeed>,
    origins: Vec<(String, f64)>,
    previous: Option<f64>,
    /// In name order.
    sites: Vec<Site>,
}

impl Waiting<'_, '_> {
    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            label: self.unit.owner.label(),
            model: &self.model,
            measured: self.measured,
            capacity: &self.capacity,
            demand: self.demand.clone(),
            failover: self.failover,
            needs: self.needs.clone(),
            origins: self.origins.clone(),
            previous: self.previous,
            sites: &self.sites,
        }
    }
}

/// All names in waves: those of one rest on earlier ones only. Deployments come when nothing else
/// can come before them, so that as many as possible are placed together.
pub(super) fn waves(dag: &Dag<Node>) -> Vec<Vec<&Node>> {
    let is_deployment =
        |node: &&Node| matches!(&node.name, Name::Block(kind, _) if &**kind == "deployment");
    dag.waves_with_last(is_deployment)
}

impl<'a> Driver<'a> {
    /// Sizes the deployments that have come together, and proposes what they are made of.
    pub(super) async fn place_all(&mut self, batch: &mut Batch<'a>) {
        let blocks = std::mem::take(&mut batch.deployments);
        self.place(&blocks, Some(batch)).await;
    }

    /// Sizes deployments together, and proposes what they are made of. What is told of each goes
    /// into the batch, where there is one.
    pub(super) async fn place(&mut self, blocks: &[Block<'a>], mut batch: Option<&mut Batch<'a>>) {
        let mut waiting = Vec::new();
        for block in blocks {
            self.read_deployment(block, &mut waiting).await;
            if let Some(batch) = &mut batch {
                self.tell(block.node, batch);
            }
        }
        let inputs: Vec<Inputs<'_>> = waiting.iter().map(Waiting::inputs).collect();
        let sized = size(&inputs, &mut self.taken);
        // What comes behind the first instance that cannot be planned is left out, so that one
        // mistake is reported once.
        let mut stopped: Option<&Node> = None;
        for (waiting, sized) in waiting.iter().zip(sized) {
            let block = waiting.unit.block;
            if stopped == Some(block.node) {
                continue;
            }
            let outlined = sized.and_then(|sized| {
                let outlines = self.outlines(&waiting.inputs(), &sized)?;
                Ok((sized, outlines))
            });
            match outlined {
                Ok(sized) => self.settle_deployment(waiting, sized).await,
                Err(wrong) => {
                    stopped = Some(block.node);
                    let wrong = nouns::wrong(block.declaration, &wrong);
                    self.diagnostics.push(wrong);
                }
            }
            if let Some(batch) = &mut batch {
                self.tell(block.node, batch);
            }
        }
    }

    /// Reads the instances of a block, up to the first with which something is wrong.
    async fn read_deployment<'u>(
        &mut self,
        block: &'u Block<'a>,
        waiting: &mut Vec<Waiting<'u, 'a>>,
    ) {
        let Some(instances) = self.expand(block) else {
            return;
        };
        if instances.is_empty() {
            return;
        }
        self.adopt_parts(block).await;
        for (key, ambient) in instances {
            let unit = Unit {
                block,
                owner: block.address().instance(key),
                ambient,
            };
            if !self.reach.includes_some(&unit.owner) {
                if let Some(scope) = self.frames.get_mut(&block.module) {
                    scope.set_instance(&unit.owner, Value::unknown());
                }
                continue;
            }
            if !self.preconditions(block, &unit.ambient, &unit.owner) {
                return;
            }
            let Some(value) = self.noun(block, &unit.ambient) else {
                return;
            };
            match self.prepare(unit, &value).await {
                Ok(prepared) => waiting.push(prepared),
                Err(wrong) => {
                    let wrong = nouns::wrong(block.declaration, &wrong);
                    self.diagnostics.push(wrong);
                    return;
                }
            }
        }
    }

    /// What an instance is sized from.
    async fn prepare<'u>(
        &mut self,
        unit: Unit<'u, 'a>,
        value: &Value,
    ) -> Result<Waiting<'u, 'a>, Wrong> {
        let wrong = |attribute: &str, reason: String| Wrong {
            path: Path::attribute(attribute),
            reason,
        };
        let name = self.named(value, "model", "model")?;
        let model = self.nouns.models.get(&name).cloned();
        let (model, measured) =
            model.ok_or_else(|| wrong("model", format!("{name:?} is not a model.")))?;
        let there = |name: &str| value.field(name).filter(|value| !value.is_null());
        let capacity = match there("capacity") {
            None => CapacitySpec::default(),
            Some(_) => {
                let name = self.named(value, "capacity", "capacity")?;
                let known = self.nouns.capacities.get(&name).cloned();
                known.unwrap_or_default()
            }
        };
        let origins = there("origins").map(policy::origins).transpose()?;
        let zones = self.zones_of(value)?;
        let demand = self.demand(value, &capacity)?;
        let failover = self.failover(&demand, &capacity)?;
        let needs = match demand {
            Demand::Replicas(_) => Vec::new(),
            Demand::Forecast { .. } | Demand::Rate(_) => self.resource_needs(&capacity)?,
        };
        let mut sites = Vec::new();
        for zone in &zones {
            let site = self.site(&unit.owner, zone).await;
            sites.push(site.map_err(|error| wrong("zones", error.message))?);
        }
        Ok(Waiting {
            previous: self.state.demands.get(&unit.owner.label()).copied(),
            unit,
            model,
            measured,
            capacity,
            demand,
            failover,
            needs,
            origins: origins.unwrap_or_default(),
            sites,
        })
    }

    /// The demand that must be met in an outage, where another quantile of it is.
    fn failover(&mut self, demand: &Demand, capacity: &CapacitySpec) -> Result<Option<f64>, Wrong> {
        match (demand.forecast(), capacity.failover_quantile) {
            (Some(name), Some(level)) => {
                let demand = self.forecast_demand(name, level)?;
                Ok(demand.rate())
            }
            _ => Ok(None),
        }
    }

    /// What a deployment needs beside requests, by forecasts of their own.
    pub(super) fn resource_needs(
        &mut self,
        capacity: &CapacitySpec,
    ) -> Result<Vec<ResourceNeed>, Wrong> {
        let mut needs = Vec::new();
        for spec in &capacity.resources {
            let name = &spec.forecast;
            let peak = self.peak(name, capacity.quantile).ok_or_else(|| Wrong {
                path: Path::attribute("capacity"),
                reason: format!("There is no forecast {name:?} for its {}.", spec.resource),
            })?;
            let level = capacity.failover_quantile;
            let failover = level.and_then(|level| self.peak(name, level));
            let failover = failover.map(|(peak, _)| peak);
            needs.push(ResourceNeed::new(spec, capacity.quantile, peak, failover));
        }
        Ok(needs)
    }

    /// What happens to the replicas of each zone between two applies.
    fn outlines(
        &self,
        inputs: &Inputs<'_>,
        sized: &Sized,
    ) -> Result<BTreeMap<String, Outline>, Wrong> {
        if inputs.demand.rate().is_none() {
            return Ok(BTreeMap::new());
        }
        let pool = pool(inputs)?;
        let outlook = match &inputs.demand {
            Demand::Forecast {
                name, level, peak, ..
            } => self.nouns.forecasts.get(name).map(|loaded| Outlook {
                forecast: &loaded.forecast,
                level: *level,
                peak: *peak,
            }),
            Demand::Rate(_) | Demand::Replicas(_) => None,
        };
        let zones = sized.zones.iter().filter_map(|size| {
            let mut sites = inputs.sites.iter();
            let site = sites.find(|site| site.spec.zone.name == size.zone)?;
            let provider = self.providers.get(&site.spec.provider);
            let target = provider.and_then(|provider| provider.target());
            let scaling = target.map_or(Scaling::Fixed, deployment::Target::scaling);
            Some((size, site, scaling))
        });
        let zones: Vec<_> = zones.collect();
        let loads = inputs.needs.iter().filter_map(|need| {
            let loaded = self.nouns.forecasts.get(&need.spec.forecast)?;
            Some(&loaded.forecast)
        });
        let horizon = Horizon {
            inputs,
            pool: &pool,
            outlook,
            loads: &loads.collect::<Vec<_>>(),
            taken: &self.taken,
        };
        horizon.outlines(&zones)
    }

    async fn settle_deployment(
        &mut self,
        waiting: &Waiting<'_, 'a>,
        sized: (Sized, BTreeMap<String, Outline>),
    ) {
        let Unit {
            block,
            owner,
            ambient,
        } = &waiting.unit;
        let parts = (&waiting.model, waiting.sites.as_slice());
        let planned = self.populate(&waiting.unit, parts, sized).await;
        let resolve = |zone: &str, wire: &Wire| {
            follow(wire, &|native| {
                self.native_value(&owner.in_zone(zone).native(native.clone()))
            })
        };
        let value = deployment_value(&owner.label(), &planned, &resolve);
        self.set_noun(block, owner, value.clone());
        self.deployments.insert(owner.label(), planned);
        self.postconditions(block, ambient, (owner, &value));
    }
}
