//! Nouns in the walk: their blocks to values and specifications.

use std::sync::Arc;

use isobar_sdk::{Address, Diagnostic, Value};

use super::drive::{Block, Driver};
use super::nouns;
use crate::deployment::{CapacitySpec, Wrong, policy, spec};
use crate::eval::Ambient;
use crate::event::Event;

/// What is made of one instance of a noun: its value in expressions; `None` where something is wrong.
pub(super) type Specify<'a> = fn(&mut Driver<'a>, &Block<'a>, Given<'_>) -> Option<Value>;

/// One instance of a noun as its block says it.
pub(super) struct Given<'g> {
    /// The name that platforms and people get to see.
    label: String,
    ambient: &'g Ambient,
    value: Value,
}

impl Given<'_> {
    /// The name and what the block says.
    pub(super) fn into_parts(self) -> (String, Value) {
        (self.label, self.value)
    }
}

impl<'a> Driver<'a> {
    /// Evaluates every instance of a noun that makes nothing.
    pub(super) fn nouns(&mut self, block: &Block<'a>, specify: Specify<'a>) {
        let Some(instances) = self.expand(block) else {
            return;
        };
        for (key, ambient) in instances {
            let address = block.address().instance(key);
            if !self.preconditions(block, &ambient, &address) {
                return;
            }
            let Some(value) = self.noun(block, &ambient) else {
                return;
            };
            let given = Given {
                label: address.label(),
                ambient: &ambient,
                value,
            };
            let Some(value) = specify(self, block, given) else {
                return;
            };
            self.set_noun(block, &address, value.clone());
            self.postconditions(block, &ambient, (&address, &value));
        }
    }

    /// Sets the value of an instance of a noun.
    pub(super) fn set_noun(&mut self, block: &Block<'_>, address: &Address, value: Value) {
        let kind = &block.declaration.kind;
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_instance(address, value.clone());
        }
        let key = (Arc::clone(kind), address.label());
        if self.nouns.values.insert(key, value).is_some() {
            let label = address.label();
            let detail = format!("There is more than one {kind} that is listed as {label:?}.");
            self.diagnostics.push(
                Diagnostic::error("P0007", "Two blocks of one name", detail)
                    .at(&block.declaration.header)
                    .help(format!("Rename one of the {kind} blocks.")),
            );
        }
    }

    pub(super) fn zone(&mut self, block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let declaration = block.declaration;
        let kind = nouns::zone_provider(declaration);
        let provider = match self.provider_of(block, given.ambient, kind) {
            Ok(provider) => provider,
            Err(fault) => {
                self.diagnostics.push(*fault);
                return None;
            }
        };
        let settings = nouns::zone_settings(&given.value, kind, self.request.registry);
        let zone = spec::zone(&given.label, &provider, &given.value, settings);
        let zone = self.taken(block, zone)?;
        let value = given
            .value
            .with_field("name", Value::from(given.label.as_str()))
            .with_field("provider", Value::from(provider.as_str()));
        let nouns = &mut self.nouns;
        nouns.zone_blocks.insert(given.label.clone(), declaration);
        nouns.zones.insert(given.label, zone);
        Some(value)
    }

    pub(super) fn model(&mut self, block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let model = nouns::model(&given.label, &given.value, self.request.folder);
        let model = self.taken(block, model)?;
        let nouns = &mut self.nouns;
        nouns
            .model_blocks
            .insert(given.label.clone(), block.declaration);
        nouns.models.insert(given.label.clone(), model);
        Some(given.value.with_field("name", Value::from(given.label)))
    }

    pub(super) fn capacity(&mut self, block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let capacity = policy::capacity(&given.value);
        let capacity = capacity.and_then(|capacity| self.with_forecasts(capacity, &given.value));
        let capacity = self.taken(block, capacity)?;
        self.nouns.capacities.insert(given.label.clone(), capacity);
        Some(given.value.with_field("name", Value::from(given.label)))
    }

    /// A capacity whose resources refer to forecasts that can be theirs.
    fn with_forecasts(&self, capacity: CapacitySpec, value: &Value) -> Result<CapacitySpec, Wrong> {
        let blocks = value.field("resource").and_then(Value::items);
        let blocks = blocks.into_iter().flat_map(|blocks| blocks.iter());
        for (spec, block) in capacity.resources.iter().zip(blocks) {
            let key = ("forecast".into(), spec.forecast.clone());
            if self.nouns.values.get(&key) != block.field("forecast") {
                let reason = "forecast must be a reference such as forecast.name.".to_owned();
                let path = spec.path("forecast");
                return Err(Wrong { path, reason });
            }
            // Where no telemetry is asked, there is only the name.
            if let Some(loaded) = self.nouns.forecasts.get(&spec.forecast) {
                let values = loaded.forecast.quantiles.iter().flatten();
                let greatest = values.copied().fold(0.0, f64::max);
                spec.check(&loaded.spec.meaning, greatest)?;
            }
        }
        Ok(capacity)
    }

    pub(super) fn forecast(&mut self, block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let declaration = block.declaration;
        let spec = self.taken(block, spec::forecast(&given.value))?;
        let name = given.label;
        self.sink.emit(Event::ForecastStart { name: name.clone() });
        let order = nouns::order(&spec, self.request.folder, self.request.now);
        let desk = (self.request.telemetry, &order);
        match nouns::load(declaration, spec, desk, &mut self.diagnostics) {
            Ok(loaded) => {
                let method = loaded.forecast.method;
                self.sink.emit(Event::ForecastComplete {
                    name: name.clone(),
                    method,
                });
                let value = nouns::forecast_value(&name, &loaded);
                self.nouns.forecasts.insert(name, loaded);
                Some(value)
            }
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        }
    }

    /// Notes the telemetry that a forecast needs, without asking for it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "all that specify a noun are called alike"
    )]
    pub(super) fn order(&mut self, _block: &Block<'a>, given: Given<'_>) -> Option<Value> {
        let spec = spec::forecast(&given.value).ok()?;
        let order = nouns::order(&spec, self.request.folder, self.request.now);
        self.orders.push(order);
        None
    }

    /// What was read of a block; what is wrong with it is reported.
    fn taken<T>(&mut self, block: &Block<'_>, read: Result<T, Wrong>) -> Option<T> {
        match read {
            Ok(read) => Some(read),
            Err(wrong) => {
                self.diagnostics
                    .push(nouns::wrong(block.declaration, &wrong));
                None
            }
        }
    }

    /// Evaluates a noun, which must be known.
    pub(super) fn noun(&mut self, block: &Block<'_>, ambient: &Ambient) -> Option<Value> {
        let declaration = block.declaration;
        let shape = nouns::shape(declaration, self.request.registry)?;
        let scope = (self.frames.get(&block.module)?, ambient);
        let value = nouns::evaluate(declaration, &shape, scope, &mut self.diagnostics)?;
        let known = nouns::must_be_known(declaration, &value, &mut self.diagnostics);
        let open = nouns::must_be_open(declaration, &value, &mut self.diagnostics);
        (known && open).then_some(value)
    }
}
