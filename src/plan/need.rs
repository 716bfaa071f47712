//! The replicas that forecasts lead to, before zones are asked: one pool for each deployment.

use std::collections::BTreeMap;

use isobar_sdk::{Diagnostics, Value};
use jiff::Timestamp;

use super::drive::{Driver, Request};
use super::specify::Specify;
use super::{Name, Names, predict};
use crate::capacity::{Band, Ceiling, Schedule};
use crate::deployment::fleet::pool;
use crate::deployment::schedule::CEILING;
use crate::deployment::{CapacitySpec, Demand, Inputs};
use crate::event::Silent;
use crate::state::State;

/// What a deployment needs over the time to come, all in one pool and without a reserve for what
/// may be lost.
#[derive(Debug, Clone, PartialEq)]
pub struct Need {
    /// Its name.
    pub deployment: String,
    /// Each time that the need changes.
    pub stages: Vec<Stage>,
}

/// A need from a time on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// When the replicas must be ready.
    pub start: Timestamp,
    /// How many.
    pub replicas: u32,
    /// What they can carry, in requests per second.
    pub rate: f64,
}

/// The needs of all deployments that rest on no resource, by the forecast that they follow. What
/// is wrong is left for a plan to tell.
pub(super) fn needs(request: &Request<'_>, names: &Names) -> BTreeMap<String, Vec<Need>> {
    let state = State::new(String::new());
    let mut driver = Driver::new(request, names, &state, &Silent, Diagnostics::new());
    let kinds: [(&str, Specify<'_>); 4] = [
        ("forecast", Driver::forecast),
        ("model", Driver::model),
        ("capacity", Driver::capacity),
        ("zone", Driver::zone),
    ];
    predict::reach(&mut driver, names, &kinds);
    let mut needs: BTreeMap<String, Vec<Need>> = BTreeMap::new();
    for node in names.order() {
        if !matches!(&node.name, Name::Block(kind, _) if &**kind == "deployment") {
            continue;
        }
        for module in driver.frames.instances(&node.module) {
            let Some(block) = driver.value(node, module) else {
                continue;
            };
            for (key, ambient) in driver.expand(&block).unwrap_or_default() {
                let value = driver.noun(&block, &ambient);
                let label = block.address().instance(key).label();
                if let Some((forecast, need)) = value.and_then(|value| driver.need(label, &value)) {
                    needs.entry(forecast).or_default().push(need);
                }
            }
        }
    }
    needs
}

impl Driver<'_> {
    /// The forecast that a deployment follows and what it needs by it.
    fn need(&mut self, label: String, value: &Value) -> Option<(String, Need)> {
        let name = self.named(value, "model", "model").ok()?;
        let (model, measured) = self.nouns.models.get(&name).cloned()?;
        let named = self.named(value, "capacity", "capacity").ok();
        let capacity = named.and_then(|name| self.nouns.capacities.get(&name).cloned());
        let capacity: CapacitySpec = capacity.unwrap_or_default();
        let demand = self.demand(value, &capacity).ok()?;
        let Demand::Forecast {
            name, level, peak, ..
        } = &demand
        else {
            return None;
        };
        let (name, level, peak) = (name.clone(), *level, *peak);
        let inputs = Inputs {
            label: label.clone(),
            model: &model,
            measured,
            capacity: &capacity,
            demand,
            failover: None,
            needs: Vec::new(),
            origins: Vec::new(),
            previous: None,
            sites: &[],
        };
        let pool = pool(&inputs).ok()?;
        let band = Band {
            level,
            ceiling: CEILING.max(level),
            least: 1,
            most: None,
            still: capacity.rules.band,
        };
        let needs = self.resource_needs(&capacity).ok()?;
        let forecasts = &self.nouns.forecasts;
        // What an instance type has is only known once zones are asked.
        let (mut loads, mut totals) = (Vec::new(), Vec::new());
        for need in &needs {
            let offered = need.offered(&model.resources, None);
            let forecast = forecasts.get(&need.spec.forecast);
            if let Some((per_replica, loaded)) = offered.zip(forecast) {
                loads.push(need.load(&loaded.forecast, 1.0, per_replica));
                totals.push(need.of(per_replica));
            }
        }
        let held = pool.under(Ceiling::of(peak, &totals).ok()?);
        let forecast = &forecasts.get(&name)?.forecast;
        let schedule = Schedule::of(&pool, forecast, band, &loads).ok()?;
        let mut stages: Vec<Stage> = Vec::new();
        for stage in schedule.stages {
            if stages.last().is_none_or(|last| last.replicas != stage.min) {
                stages.push(Stage {
                    start: stage.start,
                    replicas: stage.min,
                    rate: held.max_rate(stage.min),
                });
            }
        }
        let deployment = label;
        Some((name, Need { deployment, stages }))
    }
}
