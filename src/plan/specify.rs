//! Nouns in the walk: their blocks to values and specifications.

use isobar_sdk::{Diagnostic, Value};

use super::drive::{Block, Driver};
use super::nouns;
use crate::deployment::spec;
use crate::eval::Ambient;
use crate::event::Event;
use crate::language::config::Repetition;
use std::sync::Arc;

impl<'a> Driver<'a> {
    /// Whether a noun is there and its preconditions hold.
    pub(super) fn begin_noun(&mut self, block: &Block<'_>) -> bool {
        let declaration = block.declaration;
        if let Repetition::If(_) = declaration.repetition {
            let there = self.expand(block);
            if there.is_none_or(|instances| instances.is_empty()) {
                return false;
            }
        }
        self.preconditions(block, &Ambient::None, &block.address())
    }

    pub(super) fn end_noun(&mut self, block: &Block<'_>) {
        let declaration = block.declaration;
        let scope = self.frames.get(&block.module);
        let value = scope.and_then(|scope| scope.block(&declaration.kind, &declaration.name));
        if let Some(value) = value.cloned() {
            self.postconditions(block, &Ambient::None, (&block.address(), &value));
        }
    }

    /// Sets the value of a noun that stands for one thing.
    pub(super) fn set_noun(&mut self, block: &Block<'_>, value: Value) {
        let declaration = block.declaration;
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_block(&declaration.kind, &declaration.name, value.clone());
        }
        let key = (Arc::clone(&declaration.kind), block.label());
        self.nouns.values.insert(key, value);
    }

    pub(super) fn zones(&mut self, block: &Block<'a>) {
        let declaration = block.declaration;
        let Some(instances) = self.expand(block) else {
            return;
        };
        let kind = nouns::zone_provider(declaration);
        for (key, ambient) in instances {
            let address = block.address().instance(key);
            let name = address.label();
            let Some(value) = self.noun(block, &ambient) else {
                return;
            };
            let provider = match self.provider_of(block, &ambient, kind) {
                Ok(provider) => provider,
                Err(fault) => return self.diagnostics.push(*fault),
            };
            let settings = nouns::zone_settings(&value, kind, self.request.registry);
            let zone = match spec::zone(&name, &provider, &value, settings) {
                Ok(zone) => zone,
                Err(wrong) => return self.diagnostics.push(nouns::wrong(declaration, &wrong)),
            };
            let value = value
                .with_field("name", Value::from(name.as_str()))
                .with_field("provider", Value::from(provider.as_str()));
            if let Some(scope) = self.frames.get_mut(&block.module) {
                scope.set_instance(&address, value);
            }
            self.nouns.zone_blocks.insert(name.clone(), declaration);
            if self.nouns.zones.insert(name.clone(), zone).is_some() {
                self.diagnostics.push(
                    Diagnostic::error(
                        "P0007",
                        "Two zones of one name",
                        format!("There is more than one zone that is listed as {name:?}."),
                    )
                    .at(&declaration.header)
                    .help("Rename one of the zone blocks."),
                );
            }
        }
    }

    pub(super) fn model(&mut self, block: &Block<'a>) {
        let Some(value) = self.noun(block, &Ambient::None) else {
            return;
        };
        let name = block.label();
        match nouns::model(&name, &value, self.request.folder) {
            Ok(model) => {
                self.nouns
                    .model_blocks
                    .insert(name.clone(), block.declaration);
                self.nouns.models.insert(name.clone(), model);
                self.set_noun(block, value.with_field("name", Value::from(name)));
            }
            Err(wrong) => self
                .diagnostics
                .push(nouns::wrong(block.declaration, &wrong)),
        }
    }

    pub(super) fn capacity(&mut self, block: &Block<'_>) {
        let Some(value) = self.noun(block, &Ambient::None) else {
            return;
        };
        let name = block.label();
        match spec::capacity(&value) {
            Ok(capacity) => {
                self.nouns.capacities.insert(name.clone(), capacity);
                self.set_noun(block, value.with_field("name", Value::from(name)));
            }
            Err(wrong) => self
                .diagnostics
                .push(nouns::wrong(block.declaration, &wrong)),
        }
    }

    pub(super) fn forecast(&mut self, block: &Block<'_>) {
        let declaration = block.declaration;
        let Some(value) = self.noun(block, &Ambient::None) else {
            return;
        };
        let spec = match spec::forecast(&value) {
            Ok(spec) => spec,
            Err(wrong) => return self.diagnostics.push(nouns::wrong(declaration, &wrong)),
        };
        let name = block.label();
        self.sink.emit(Event::ForecastStart { name: name.clone() });
        match nouns::load(declaration, spec, self.request.folder) {
            Ok(loaded) => {
                let method = loaded.forecast.method;
                self.sink.emit(Event::ForecastComplete {
                    name: name.clone(),
                    method,
                });
                self.set_noun(block, nouns::forecast_value(&name, &loaded));
                self.nouns.forecasts.insert(name, loaded);
            }
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
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
