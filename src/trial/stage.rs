//! What a run is played with: its configuration and its providers, where some are replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::address::{Mode, ModuleStep, Place};
use isobar_sdk::diagnostic::sentence;
use isobar_sdk::schema::Schema;
use isobar_sdk::{Diagnostic, Diagnostics, Span, Value};

use super::Request;
use super::double::{Cast, Mocked, Overrides, Script, shaped};
use crate::eval::{Ambient, Facts, Scope, evaluate};
use crate::language::body::{Attribute, Body};
use crate::language::config::{Output, ProviderBlock, ProviderName, ProviderRef};
use crate::language::expression::Kind;
use crate::language::reference::{Target, references};
use crate::language::statement::written_place;
use crate::language::trial::{Defaults, Mock, Override, Run, Trial};
use crate::language::{Config, module};
use crate::plan::unknown_provider;
use crate::registry::Registry;

/// What a run is played with.
pub(super) struct Stage {
    /// What is planned.
    pub(super) config: Config,
    /// With what.
    pub(super) registry: Registry,
    /// What the environment contributes.
    pub(super) facts: Facts,
}

impl Stage {
    /// What a run is played with; values are evaluated in `scope`.
    ///
    /// # Errors
    /// Stand-ins for what is not there, and values that do not fit.
    pub(super) fn of(
        request: &Request<'_>,
        config: &Config,
        (trial, run): (&Trial, &Run),
        scope: &Scope<'_>,
        found: &mut Diagnostics,
    ) -> Result<Self, Diagnostics> {
        let mut setup = Setup {
            registry: request.registry,
            scope,
            found: Diagnostics::new(),
        };
        let mut config = config.clone();
        let mocks = setup.providers(&mut config, trial, run);
        let mut overrides = Overrides::new();
        for overriding in run.overrides.iter().chain(&trial.overrides) {
            setup.overriding(&config, overriding, &mut overrides);
        }
        // Those of the run come last, as they count.
        for overriding in trial.overrides.iter().chain(&run.overrides) {
            if let Place::Module(steps) = &overriding.target {
                setup.replace(&mut config, steps, overriding);
            }
        }
        let overridden = |place: &Place| match place {
            Place::Module(_) => false,
            Place::Resource(address) => overrides.iter().any(|(there, _)| there.contains(address)),
        };
        // There is nothing to adopt; what is overridden is made up instead.
        config.imports.retain(|import| {
            let place = written_place(&import.to.root);
            !place.is_some_and(|place| overridden(&place))
        });
        if setup.found.has_errors() {
            return Err(setup.found);
        }
        found.extend(setup.found);
        let facts = match &*config.folder {
            "" => request.facts.clone(),
            folder => Facts {
                folder: folder.to_owned(),
                ..request.facts.clone()
            },
        };
        let cast = Cast {
            registry: request.registry.clone(),
            mocks,
            overrides: Arc::new(overrides),
        };
        Ok(Self {
            config,
            registry: request.registry.doubled(Arc::new(cast)),
            facts,
        })
    }
}

type Mocks = BTreeMap<ProviderName, Arc<Mocked>>;

struct Setup<'a> {
    registry: &'a Registry,
    scope: &'a Scope<'a>,
    found: Diagnostics,
}

impl Setup<'_> {
    /// Puts the providers of the file of tests in place of those of the configuration.
    fn providers(&mut self, config: &mut Config, trial: &Trial, run: &Run) -> Mocks {
        let mut mocks = Mocks::new();
        let pairs: Vec<(ProviderName, ProviderName)> = if run.providers.is_empty() {
            let all = trial.providers.keys().chain(trial.mocks.keys());
            all.map(|name| (name.clone(), name.clone())).collect()
        } else {
            let chosen = run.providers.iter();
            let chosen = chosen.filter_map(|(theirs, ours)| {
                let known = self.is_known(config, trial, ours);
                known.then(|| (theirs.clone(), ours.name.clone()))
            });
            chosen.collect()
        };
        let before = config.providers.clone();
        for (theirs, ours) in pairs {
            let block = if let Some(mock) = trial.mocks.get(&ours) {
                mocks.insert(theirs.clone(), Arc::new(self.mocked(config, &ours, mock)));
                Some(empty(&mock.header))
            } else if let Some(block) = trial.providers.get(&ours) {
                Some(self.settled(block))
            } else {
                before.get(&ours).cloned()
            };
            match block {
                Some(block) => config.providers.insert(theirs, block),
                None => config.providers.remove(&theirs),
            };
        }
        mocks
    }

    /// Whether a provider that a run names is there; that it is not is reported.
    fn is_known(&mut self, config: &Config, trial: &Trial, named: &ProviderRef) -> bool {
        let name = &named.name;
        let declared = trial.mocks.contains_key(name)
            || trial.providers.contains_key(name)
            || config.providers.contains_key(name)
            || (name.alias.is_none() && self.registry.factory(&name.name).is_some());
        if declared && named.key.is_none() {
            return true;
        }
        let detail = match declared {
            true => format!("A run cannot have one of the providers {name} that for_each makes."),
            false => format!(
                "There is no provider {name}, neither in the tests nor in the configuration."
            ),
        };
        self.found.push(
            Diagnostic::error("T0012", "Unknown provider of a run", detail)
                .at(&named.span)
                .help(format!("Add provider {:?} {{}} or mock_provider {:?} {{}} to the file of tests, with that alias.", name.name, name.name)),
        );
        false
    }

    /// A block in which what other runs have led to is written out.
    fn settled(&mut self, block: &ProviderBlock) -> ProviderBlock {
        ProviderBlock {
            body: self.settled_body(&block.body),
            ..block.clone()
        }
    }

    fn settled_body(&mut self, body: &Body) -> Body {
        let mut settled = body.clone();
        for attribute in &mut settled.attributes {
            let all = references(&attribute.value);
            let ours = |target: &Target| match target {
                Target::Variable(_) => true,
                Target::Block(kind, _) => &**kind == "run",
                _ => false,
            };
            if all.is_empty() || !all.iter().all(|reference| ours(&reference.target)) {
                continue;
            }
            match evaluate(&attribute.value, self.scope, &Ambient::None) {
                Ok(value) => attribute.value.root.kind = Kind::Literal(value),
                Err(fault) => self.found.push(*fault),
            }
        }
        for block in &mut settled.blocks {
            block.body = self.settled_body(&block.body);
        }
        settled
    }

    fn mocked(&mut self, config: &Config, name: &ProviderName, mock: &Mock) -> Mocked {
        let Some(schema) = self.registry.provider_schema(&name.name) else {
            let unknown = unknown_provider(&name.name, &mock.header, self.registry);
            self.found.push(unknown);
            return Mocked::default();
        };
        let mut mocked = Mocked {
            resources: self.defaults(&mock.resources, &schema.resources),
            data: self.defaults(&mock.data, &schema.data_sources),
            otherwise: Script {
                phase: mock.phase(),
                ..Script::default()
            },
            ..Mocked::default()
        };
        for overriding in &mock.overrides {
            self.overriding(config, overriding, &mut mocked.overrides);
        }
        mocked
    }

    fn defaults(
        &mut self,
        blocks: &BTreeMap<Arc<str>, Defaults>,
        schemas: &BTreeMap<String, Schema>,
    ) -> BTreeMap<Arc<str>, Script> {
        let mut scripts = BTreeMap::new();
        for (kind, defaults) in blocks {
            let Some(schema) = schemas.get(&**kind) else {
                let detail = format!("The provider has no type {kind:?}.");
                self.found
                    .push(nothing(detail, &defaults.header, &defaults.header));
                continue;
            };
            let values = self.values(defaults.values.as_ref(), Some(schema));
            let phase = defaults.phase;
            scripts.insert(Arc::clone(kind), Script { values, phase });
        }
        scripts
    }

    /// Adds an override of a resource or a data source.
    fn overriding(&mut self, config: &Config, block: &Override, all: &mut Overrides) {
        let Place::Resource(address) = &block.target else {
            return;
        };
        let path: module::Path = address.module.iter().map(|s| Arc::clone(&s.name)).collect();
        let key = (Arc::clone(&address.kind), Arc::clone(&address.name));
        let declared = config
            .module(&path)
            .is_some_and(|config| match address.mode {
                Mode::Managed => config.declarations.contains_key(&key),
                Mode::Data => config.data.contains_key(&key),
            });
        if !declared {
            let detail = format!("The configuration has no {}.", block.target);
            self.found
                .push(nothing(detail, &block.target_span, &block.header));
        }
        let schema = match address.mode {
            Mode::Managed => self.registry.resource(address.resource_type()),
            Mode::Data => self.registry.data_source(&address.kind),
        };
        let values = self.values(block.values.as_ref(), schema.map(|(_, schema)| schema));
        let phase = block.phase;
        all.push((block.target.clone(), Script { values, phase }));
    }

    /// Values by attribute; those that mean nothing are reported, and those that do not fit.
    fn values(
        &mut self,
        given: Option<&Attribute>,
        schema: Option<&Schema>,
    ) -> BTreeMap<Arc<str>, Value> {
        let Some(given) = given else {
            return BTreeMap::new();
        };
        let span = given.value.span();
        let value = match evaluate(&given.value, self.scope, &Ambient::None) {
            Ok(value) => value,
            Err(fault) => {
                self.found.push(*fault);
                return BTreeMap::new();
            }
        };
        let wrong = |detail: &str| {
            Diagnostic::error("T0013", "Invalid values of a stand-in", detail)
                .at(&span)
                .help("Write { attribute = value }.")
        };
        let Some(fields) = value.fields().filter(|_| value.is_wholly_known()) else {
            let detail = format!("{:?} has to be an object that is known.", given.name);
            self.found.push(wrong(&detail));
            return BTreeMap::new();
        };
        if value.contains_ephemeral() {
            self.found.push(wrong(
                "Values that must not be kept cannot stand in for those of a provider.",
            ));
        }
        for (name, value) in fields.iter() {
            let Some(schema) = schema else { continue };
            match schema.body.attributes.get(&**name) {
                Some(attribute) if attribute.is_computed() => {
                    if let Err(mismatch) = shaped(&attribute.ty, value, "") {
                        let detail = sentence(&format!("{name}: {}", mismatch.reason));
                        self.found.push(wrong(&detail));
                    }
                }
                _ => {
                    let detail = format!(
                        "{name:?} is nothing that the provider sets, so the value is not used."
                    );
                    self.found
                        .push(nothing(detail, &given.name_span, &given.name_span));
                }
            }
        }
        fields
            .iter()
            .map(|(name, value)| (Arc::clone(name), value.clone()))
            .collect()
    }

    /// Puts a module with nothing but outputs in place of another.
    fn replace(&mut self, config: &mut Config, steps: &[ModuleStep], block: &Override) {
        if steps.iter().any(|step| step.key.is_some()) {
            let detail = format!("{} is one of several instances.", block.target);
            self.found.push(
                Diagnostic::error("T0014", "Override of an instance of a module", detail)
                    .at(&block.target_span)
                    .within(&block.header)
                    .help("Leave the key out: a module is overridden as a whole."),
            );
            return;
        }
        let mut around = config;
        let mut steps = steps.iter().peekable();
        while let Some(step) = steps.next() {
            let Some(call) = around.calls.get_mut(&step.name) else {
                let detail = format!("The configuration has no {}.", block.target);
                self.found
                    .push(nothing(detail, &block.target_span, &block.header));
                return;
            };
            let called = Arc::make_mut(&mut call.config);
            if steps.peek().is_none() {
                *called = self.outputs_alone(called, block);
                return;
            }
            around = called;
        }
    }

    fn outputs_alone(&mut self, module: &Config, block: &Override) -> Config {
        let values = self.values(block.values.as_ref(), None);
        for name in values
            .keys()
            .filter(|name| !module.outputs.contains_key(*name))
        {
            let detail = format!("{} has no output {name:?}.", block.target);
            self.found
                .push(nothing(detail, &block.header, &block.header));
        }
        let outputs = module.outputs.iter().map(|(name, output)| {
            let value = values.get(name).cloned().unwrap_or(Value::NULL);
            let mut output = Output {
                depends_on: Vec::new(),
                preconditions: Vec::new(),
                ..output.clone()
            };
            output.value.value.root.kind = Kind::Literal(value);
            (Arc::clone(name), output)
        });
        let variables = module.variables.iter().map(|(name, variable)| {
            let mut variable = variable.clone();
            variable.validations.clear();
            (Arc::clone(name), variable)
        });
        Config {
            folder: Arc::clone(&module.folder),
            variables: variables.collect(),
            outputs: outputs.collect(),
            ..Config::default()
        }
    }
}

/// A provider without settings.
fn empty(header: &Span) -> ProviderBlock {
    ProviderBlock {
        header: header.clone(),
        for_each: None,
        body: Body::default(),
    }
}

/// The warning of a stand-in that stands in for nothing.
fn nothing(detail: String, span: &Span, header: &Span) -> Diagnostic {
    Diagnostic::warning("T0015", "Stand-in for nothing", detail)
        .at(span)
        .within(header)
        .help("Correct the name, or remove it.")
}
