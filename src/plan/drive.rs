//! Walks the graph of names and proposes a change for every instance.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, ErrorKind, Known, Value};
use jiff::Timestamp;

use super::expand::{Expanded, empty, expand};
use super::instance::{Configured, changed_attributes};
use super::nouns::{self, Nouns};
use super::{
    Base, FrozenForecast, Mode, Names, Node, Plan, PlannedChange, PlannedDeployment, Refresh,
    refresh, setup,
};
use crate::change::{Cause, Change};
use crate::deployment::spec;
use crate::eval::{Ambient, Facts, Scope, decode};
use crate::event::{Event, Sink};
use crate::language::{Config, Declaration, Sources};
use crate::registry::{Providers, Registry};
use crate::state::{State, Status};

/// What a plan is made from.
pub struct Request<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Its texts.
    pub sources: &'a Sources,
    /// The values of all variables, converted to their types.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// What the environment contributes.
    pub facts: Facts,
    /// The folder of the configuration.
    pub folder: &'a Path,
    /// The providers that are there.
    pub registry: &'a Registry,
    /// What is recorded; `None` if there is no state yet.
    pub state: Option<&'a State>,
    /// What the plan is for.
    pub mode: Mode,
    /// Whether what is there is read.
    pub refresh: Refresh,
    /// The present.
    pub now: Timestamp,
    /// The name of the plan.
    pub id: String,
    /// How many reads are made at the same time.
    pub parallelism: usize,
}

impl<'a> Request<'a> {
    /// A scope in which only the variables have values.
    fn scope(&self) -> Scope<'a> {
        Scope::new(self.config, self.facts.clone(), self.variables.clone())
    }
}

/// Makes a plan; `None` where errors prevent it. Everything wrong is reported.
pub async fn propose(request: &Request<'_>, sink: &dyn Sink) -> (Option<Plan>, Diagnostics) {
    let (names, mut diagnostics) = Names::of(request.config);
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let empty = State::new(String::new());
    let state = request.state.unwrap_or(&empty);
    let scope = request.scope();
    let used = used_providers(request, state, &mut diagnostics);
    let (providers, found) =
        setup::providers(request.config, request.registry, &scope, &used).await;
    diagnostics.extend(found);
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let mut driver = Driver::new(request, &names, state, sink, diagnostics);
    driver.providers = providers;
    driver.refresh().await;
    match request.mode {
        Mode::Normal => driver.walk().await,
        Mode::Destroy => {}
        Mode::RefreshOnly => driver.keep_everything(),
    }
    driver.finish()
}

/// The providers that the state and the configuration need; those that are not there are
/// reported.
fn used_providers(
    request: &Request<'_>,
    state: &State,
    diagnostics: &mut Diagnostics,
) -> BTreeSet<String> {
    let mut used: BTreeSet<String> = state
        .instances
        .values()
        .map(|instance| instance.provider.clone())
        .collect();
    for declaration in request.config.declarations.values() {
        if &*declaration.kind == "zone" {
            used.insert(nouns::zone_provider(declaration).to_owned());
        } else if let Some((name, _)) = request.registry.resource(&declaration.kind) {
            used.insert(name.to_owned());
        }
    }
    for (name, span) in request
        .config
        .declarations
        .values()
        .filter_map(|declaration| declaration.provider.as_ref())
        .map(|(name, span)| (name, span))
        .chain(
            request
                .config
                .providers
                .iter()
                .map(|(name, block)| (name, &block.header)),
        )
    {
        if request.registry.factory(name).is_none() {
            diagnostics.push(super::validate::unknown_provider(
                name,
                span,
                request.registry,
            ));
        }
    }
    used
}

/// What the walk has found so far.
pub(super) struct Driver<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) names: &'a Names,
    pub(super) state: &'a State,
    pub(super) sink: &'a dyn Sink,
    pub(super) scope: Scope<'a>,
    pub(super) providers: Providers,
    /// What is there, of what could be read.
    pub(super) observed: BTreeMap<Address, Option<Known>>,
    pub(super) nouns: Nouns,
    pub(super) changes: BTreeMap<Address, PlannedChange>,
    pub(super) deployments: BTreeMap<String, PlannedDeployment>,
    pub(super) forecasts: BTreeMap<String, FrozenForecast>,
    /// Blocks with errors: what rests on them is not evaluated, so that one mistake is
    /// reported once.
    pub(super) failed: BTreeSet<Node>,
    pub(super) diagnostics: Diagnostics,
}

/// An instance as its block configures it.
pub(super) struct Item<'a> {
    pub(super) address: Address,
    pub(super) provider: &'a str,
    pub(super) schema: &'a Schema,
    pub(super) configuration: Value,
    pub(super) dependencies: Vec<Address>,
}

impl<'a> Driver<'a> {
    /// A walk at its beginning, without providers.
    pub(super) fn new(
        request: &'a Request<'a>,
        names: &'a Names,
        state: &'a State,
        sink: &'a dyn Sink,
        diagnostics: Diagnostics,
    ) -> Self {
        Self {
            request,
            names,
            state,
            sink,
            scope: request.scope(),
            providers: Providers::new(),
            observed: BTreeMap::new(),
            nouns: Nouns::default(),
            changes: BTreeMap::new(),
            deployments: BTreeMap::new(),
            forecasts: BTreeMap::new(),
            failed: BTreeSet::new(),
            diagnostics,
        }
    }
}

impl Driver<'_> {
    async fn refresh(&mut self) {
        if self.request.refresh == Refresh::Full {
            self.observed = refresh::refresh(
                self.state,
                &self.providers,
                self.request.parallelism,
                self.sink,
                &mut self.diagnostics,
            )
            .await;
        }
    }

    /// What an instance is: what was read, or else what is recorded.
    pub(super) fn prior(&self, address: &Address) -> Option<Known> {
        match self.observed.get(address) {
            Some(found) => found.clone(),
            None => self
                .state
                .instances
                .get(address)
                .map(|instance| instance.attributes.clone()),
        }
    }

    async fn walk(&mut self) {
        let names = self.names;
        for node in names.order() {
            if names
                .dag
                .dependencies(node)
                .iter()
                .any(|node| self.failed.contains(node))
            {
                self.failed.insert(node.clone());
                continue;
            }
            let before = self.diagnostics.iter().count();
            match node {
                Node::Variable(_) | Node::Output(_) => {}
                Node::Local(name) => {
                    if let Err(fault) = self.scope.define_local(name) {
                        self.diagnostics.push(*fault);
                    }
                }
                Node::Block(kind, name) => {
                    let key = (Arc::clone(kind), Arc::clone(name));
                    if let Some(declaration) = self.request.config.declarations.get(&key) {
                        self.block(declaration).await;
                    }
                }
            }
            if self
                .diagnostics
                .iter()
                .skip(before)
                .any(|d| d.severity == isobar_sdk::Severity::Error)
            {
                self.failed.insert(node.clone());
            }
        }
    }

    async fn block(&mut self, declaration: &Declaration) {
        match &*declaration.kind {
            "zone" => self.zones(declaration),
            "model" => self.model(declaration),
            "forecast" => self.forecast(declaration),
            "capacity" => self.capacity(declaration),
            "deployment" => self.deployment(declaration).await,
            _ => self.resources(declaration).await,
        }
    }

    fn zones(&mut self, declaration: &Declaration) {
        let Some(instances) = self.expand(declaration) else {
            return;
        };
        let provider = nouns::zone_provider(declaration).to_owned();
        for (key, ambient) in instances {
            let name = nouns::zone_name(&declaration.name, key.as_ref());
            let Some(value) = self.noun(declaration, &ambient) else {
                return;
            };
            let settings = nouns::zone_settings(&value, &provider, self.request.registry);
            let zone = match spec::zone(&name, &provider, &value, settings) {
                Ok(zone) => zone,
                Err(wrong) => return self.diagnostics.push(nouns::wrong(declaration, &wrong)),
            };
            let value = value
                .with_field("name", Value::from(name.as_str()))
                .with_field("provider", Value::from(provider.as_str()));
            let address = Address::new("zone", &declaration.name).instance(key);
            self.scope.set_instance(&address, value);
            let block = Arc::clone(&declaration.name);
            self.nouns.zone_blocks.insert(name.clone(), block);
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

    fn model(&mut self, declaration: &Declaration) {
        let Some(value) = self.noun(declaration, &Ambient::None) else {
            return;
        };
        let name = &declaration.name;
        match nouns::model(name, &value, self.request.folder) {
            Ok(model) => {
                self.nouns.models.insert(Arc::clone(name), model);
                self.scope.set_block(
                    "model",
                    name,
                    value.with_field("name", Value::from(&**name)),
                );
            }
            Err(wrong) => self.diagnostics.push(nouns::wrong(declaration, &wrong)),
        }
    }

    fn capacity(&mut self, declaration: &Declaration) {
        let Some(value) = self.noun(declaration, &Ambient::None) else {
            return;
        };
        let name = &declaration.name;
        match spec::capacity(&value) {
            Ok(capacity) => {
                self.nouns.capacities.insert(Arc::clone(name), capacity);
                let value = value.with_field("name", Value::from(&**name));
                self.scope.set_block("capacity", name, value);
            }
            Err(wrong) => self.diagnostics.push(nouns::wrong(declaration, &wrong)),
        }
    }

    pub(super) fn forecast(&mut self, declaration: &Declaration) {
        let Some(value) = self.noun(declaration, &Ambient::None) else {
            return;
        };
        let spec = match spec::forecast(&value) {
            Ok(spec) => spec,
            Err(wrong) => return self.diagnostics.push(nouns::wrong(declaration, &wrong)),
        };
        let name = &declaration.name;
        self.sink.emit(Event::ForecastStart {
            name: name.to_string(),
        });
        match nouns::load(declaration, spec, self.request.folder) {
            Ok(loaded) => {
                let method = loaded.forecast.method;
                self.sink.emit(Event::ForecastComplete {
                    name: name.to_string(),
                    method,
                });
                self.scope
                    .set_block("forecast", name, nouns::forecast_value(name, &loaded));
                self.nouns.forecasts.insert(Arc::clone(name), loaded);
            }
            Err(diagnostic) => self.diagnostics.push(*diagnostic),
        }
    }

    /// Evaluates a noun, which must be known.
    pub(super) fn noun(&mut self, declaration: &Declaration, ambient: &Ambient) -> Option<Value> {
        let shape = nouns::shape(declaration, self.request.registry)?;
        let scope = (&self.scope, ambient);
        let value = nouns::evaluate(declaration, &shape, scope, &mut self.diagnostics)?;
        let known = nouns::must_be_known(declaration, &value, &mut self.diagnostics);
        let open = nouns::must_be_open(declaration, &value, &mut self.diagnostics);
        (known && open).then_some(value)
    }

    fn expand(&mut self, declaration: &Declaration) -> Option<Expanded> {
        if let Some(empty) = empty(declaration) {
            self.scope
                .set_block(&declaration.kind, &declaration.name, empty);
        }
        match expand(declaration, &self.scope) {
            Ok(instances) => Some(instances),
            Err(fault) => {
                self.diagnostics.push(*fault);
                None
            }
        }
    }

    async fn resources(&mut self, declaration: &Declaration) {
        let registry = self.request.registry;
        let Some((provider, schema)) = registry.resource(&declaration.kind) else {
            self.diagnostics
                .push(super::validate::unknown_type(declaration, registry));
            return;
        };
        if let Some((named, span)) = &declaration.provider
            && **named != *provider
        {
            let detail = format!(
                "{:?} is a resource of provider {provider:?}, not of {named:?}.",
                declaration.kind
            );
            let diagnostic = Diagnostic::error("P0015", "Provider does not have this type", detail);
            self.diagnostics.push(
                diagnostic
                    .at(span)
                    .help("Remove provider, or correct the type."),
            );
            return;
        }
        let Some(instances) = self.expand(declaration) else {
            return;
        };
        let node = Node::Block(Arc::clone(&declaration.kind), Arc::clone(&declaration.name));
        let dependencies = self.names.resources_behind(&node);
        let block = Address::new(&declaration.kind, &declaration.name);
        for (key, ambient) in instances {
            let address = block.instance(key);
            let scope = (&self.scope, &ambient);
            let header = &declaration.header;
            let mut found = Diagnostics::new();
            let configuration = decode(&declaration.body, &schema.body, header, scope, &mut found);
            let failed = found.has_errors();
            self.diagnostics.extend(found);
            if failed {
                return;
            }
            let item = Item {
                address: address.clone(),
                provider,
                schema,
                configuration,
                dependencies: dependencies.clone(),
            };
            match self.instance(item).await {
                Ok(planned) => {
                    let after = planned.change.after().cloned().unwrap_or(Value::Null);
                    self.scope.set_instance(&address, after);
                    self.changes.insert(address, planned);
                }
                Err(error) => {
                    self.diagnostics
                        .push(provider_diagnostic(declaration, &address, error));
                    return;
                }
            }
        }
    }

    /// Proposes the change of one instance.
    pub(super) async fn instance(&self, item: Item<'_>) -> Result<PlannedChange, Error> {
        let Some(provider) = self.providers.get(item.provider) else {
            return Err(Error::unavailable(format!(
                "provider {:?} is not configured",
                item.provider
            )));
        };
        let recorded = self.state.instances.get(&item.address);
        let prior = self.prior(&item.address);
        let configured = Configured {
            address: &item.address,
            provider: &**provider,
            schema: item.schema,
            configuration: &item.configuration,
        };
        let tainted = recorded.is_some_and(|instance| instance.status == Status::Tainted);
        let (change, reason) = configured.classify(prior.as_ref(), tainted).await?;
        let causes = self.causes(&item.address, &change);
        Ok(PlannedChange {
            provider: item.provider.to_owned(),
            schema_version: item.schema.version,
            change,
            reason,
            causes,
            dependencies: item.dependencies,
            wires: None,
        })
    }

    /// Where the differences of a change come from, as far as the state tells.
    fn causes(&self, address: &Address, change: &Change) -> Vec<Cause> {
        let Some(recorded) = self.state.instances.get(address) else {
            return Vec::new();
        };
        let (Some(before), Some(after)) = (change.before(), change.after()) else {
            return if change.before().is_none() {
                vec![Cause::Gone]
            } else {
                Vec::new()
            };
        };
        if matches!(change, Change::Keep { .. }) {
            return Vec::new();
        }
        let cause = |attribute: String| {
            let was = recorded
                .attributes
                .field(&attribute)
                .cloned()
                .unwrap_or(Value::Null);
            let is = before.field(&attribute).cloned().unwrap_or(Value::Null);
            if was.reveal_all() == is.reveal_all() {
                Cause::Configuration { attribute }
            } else {
                Cause::Drift {
                    attribute,
                    recorded: was,
                    observed: is,
                }
            }
        };
        changed_attributes(before.value(), after)
            .into_iter()
            .map(cause)
            .collect()
    }

    fn finish(mut self) -> (Option<Plan>, Diagnostics) {
        let outputs = match self.request.mode {
            Mode::RefreshOnly => BTreeMap::new(),
            Mode::Normal | Mode::Destroy => self.outputs(),
        };
        if self.request.mode != Mode::RefreshOnly {
            self.delete_leftovers();
            self.warn_of_pending();
        }
        if self.diagnostics.has_errors() {
            return (None, self.diagnostics);
        }
        let nouns = self
            .request
            .config
            .declarations
            .values()
            .filter(|d| d.is_noun())
            .filter_map(|d| {
                let value = self.scope.block(&d.kind, &d.name)?.clone();
                Some(((Arc::clone(&d.kind), Arc::clone(&d.name)), value))
            });
        let plan = Plan {
            id: self.request.id.clone(),
            mode: self.request.mode,
            created: self.request.now,
            base: Base {
                lineage: self.state.lineage.clone(),
                serial: self.state.serial,
            },
            sources: self.request.sources.clone(),
            facts: self.request.facts.clone(),
            variables: self.request.variables.clone(),
            drift: self.drift(),
            outputs,
            nouns: nouns.collect(),
            forecasts: self.forecasts,
            deployments: self.deployments,
            changes: self.changes,
        };
        (Some(plan), self.diagnostics)
    }
}

/// The diagnostic for a provider's refusal.
pub(super) fn provider_diagnostic(
    declaration: &Declaration,
    address: &Address,
    error: Error,
) -> Diagnostic {
    let steps = match &error.kind {
        ErrorKind::Invalid { path } => path.steps(),
        _ => &[],
    };
    let span = nouns::place(&declaration.body, steps, &declaration.header);
    let mut diagnostic = Diagnostic::error(
        "P0012",
        "Provider refused the change",
        isobar_sdk::diagnostic::sentence(&error.message),
    )
    .at(&span)
    .within(&declaration.header)
    .about(address);
    diagnostic.help = error.help;
    diagnostic
}
