//! What a deployment consists of, without offers, demand or state: for a simulation.

use std::collections::{BTreeMap, BTreeSet};

use isobar_sdk::deployment::Model;
use isobar_sdk::{Diagnostics, Path, Value};

use super::drive::{Block, Driver, Request};
use super::specify::Given;
use super::{Name, Names, Node, nouns};
use crate::deployment::{CapacitySpec, Wrong, ZoneSpec};
use crate::event::Sink;
use crate::state::State;

/// The kinds of blocks that are looked at.
const NOUNS: [&str; 5] = ["zone", "model", "capacity", "forecast", "deployment"];

/// The blocks that a deployment names, as they say themselves.
#[derive(Debug, Clone)]
pub struct Cast {
    /// What runs.
    pub model: Model,
    /// The squared coefficient of variation of its service time.
    pub variability: f64,
    /// How it is sized.
    pub capacity: CapacitySpec,
    /// Where, in name order.
    pub zones: Vec<ZoneSpec>,
}

/// The deployments of a configuration, by the name of their instances; those that rest on a
/// resource cannot be told without a plan and are left out.
pub fn rehearse(request: &Request<'_>, sink: &dyn Sink) -> (BTreeMap<String, Cast>, Diagnostics) {
    let (names, diagnostics) = Names::of(request.config);
    let state = State::new(String::new());
    let mut driver = Driver::new(request, &names, &state, sink, diagnostics);
    let mut out_of_reach: BTreeSet<&Node> = BTreeSet::new();
    let mut casts = BTreeMap::new();
    for node in names.order() {
        let behind = names.dag.dependencies(node);
        let missing = behind.iter().any(|node| out_of_reach.contains(node));
        let known = match &node.name {
            Name::Block(kind, _) => NOUNS.contains(&&**kind),
            Name::Variable(_) | Name::Local(_) | Name::Call(_) | Name::Output(_) => true,
            _ => false,
        };
        if missing || !known || !driver.reach.has(node) {
            out_of_reach.insert(node);
            continue;
        }
        for instance in driver.frames.instances(&node.module) {
            let Some(block) = driver.value(node, instance) else {
                continue;
            };
            match &*block.declaration.kind {
                "zone" => driver.nouns(&block, Driver::zone),
                "model" => driver.nouns(&block, Driver::model),
                "capacity" => driver.nouns(&block, Driver::capacity),
                "forecast" => driver.nouns(&block, Driver::name_only),
                _ => driver.casts(&block, &mut casts),
            }
        }
    }
    (casts, driver.diagnostics)
}

impl<'a> Driver<'a> {
    /// A noun of which nothing but the name is needed.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "all that specify a noun are called alike"
    )]
    fn name_only(&mut self, _block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let (label, value) = given.into_parts();
        Some(value.with_field("name", Value::from(label)))
    }

    /// Adds what every instance of a deployment names.
    fn casts(&mut self, block: &Block<'a>, casts: &mut BTreeMap<String, Cast>) {
        for (key, ambient) in self.expand(block).into_iter().flatten() {
            let label = block.address().instance(key).label();
            let Some(value) = self.noun(block, &ambient) else {
                return;
            };
            match self.cast(&value) {
                Ok(cast) => {
                    casts.insert(label, cast);
                }
                Err(wrong) => self
                    .diagnostics
                    .push(nouns::wrong(block.declaration, &wrong)),
            }
        }
    }

    fn cast(&self, value: &Value) -> Result<Cast, Wrong> {
        let model = self.named(value, "model", "model")?;
        let capacity = match value.field("capacity").filter(|value| !value.is_null()) {
            Some(_) => self
                .nouns
                .capacities
                .get(&self.named(value, "capacity", "capacity")?),
            None => None,
        };
        let (model, measured) = self
            .nouns
            .models
            .get(&model)
            .cloned()
            .ok_or_else(|| Wrong {
                path: Path::attribute("model"),
                reason: format!("{model:?} is not a model."),
            })?;
        Ok(Cast {
            model,
            variability: measured.variability,
            capacity: capacity.cloned().unwrap_or_default(),
            zones: self.zones_of(value)?,
        })
    }
}
