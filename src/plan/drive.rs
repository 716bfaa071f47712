//! Walks the graph of names and proposes a change for every instance.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use isobar_sdk::address;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Fault, Known, Value};
use jiff::Timestamp;
use rustc_hash::FxBuildHasher;

use super::batch::Batch;
use super::expand::{Expanded, Tally, empty, expand};
use super::moves::Renamed;
use super::nouns::{self, Nouns};
use super::{
    Base, Checks, FrozenForecast, Mode, Name, Names, Node, Plan, PlannedChange, PlannedDeployment,
    PlannedRead, Reach, Refresh, Selection, adopt, life, moves, predict, provider, setup,
};
use crate::deployment::Taken;
use crate::eval::{Ambient, Facts, Frames, Instance, Scope};
use crate::event::Sink;
use crate::language::config::Repetition;
use crate::language::{Config, Declaration, Sources};
use crate::registry::{ProviderKey, Providers, Registry};
use crate::state::{Deposed, State};
use crate::telemetry::{Desk, Order};

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
    /// What the plan is restricted to.
    pub selection: Selection,
    /// Whether what is there is read.
    pub refresh: Refresh,
    /// Where telemetry is ordered.
    pub telemetry: &'a Desk,
    /// The present.
    pub now: Timestamp,
    /// The name of the plan.
    pub id: String,
    /// How many reads are made at the same time; as many as the providers take if it is not said.
    pub parallelism: Option<NonZeroUsize>,
}

impl<'a> Request<'a> {
    /// Scopes in which only the variables of the root have values.
    pub(super) fn frames(&self) -> Frames<'a> {
        Frames::new(self.config, self.facts.clone(), self.variables.clone())
    }
}

/// Makes a plan; `None` where errors prevent it. Everything wrong is reported.
pub async fn propose(request: &Request<'_>, sink: &dyn Sink) -> (Option<Plan>, Diagnostics) {
    let (names, mut diagnostics) = Names::of(request.config);
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let empty = State::new(String::new());
    let recorded = request.state.unwrap_or(&empty);
    let Renamed { state, moves } = moves::rename(request.config, recorded, &mut diagnostics);
    let state = &*state;
    let scope = Scope::new(
        request.config,
        request.facts.clone(),
        request.variables.clone(),
    );
    let providers = configured(request, state, &scope, &mut diagnostics).await;
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let mut driver = Driver::new(request, &names, state, sink, diagnostics);
    driver.providers = providers;
    driver.moves = moves;
    driver.check_removals();
    adopt::check_kinds(request.config, &mut driver.diagnostics);
    driver.reach.report(&names, state, &mut driver.diagnostics);
    driver.refresh().await;
    predict::order_ahead(request, &names);
    loop {
        let told = driver.diagnostics.clone();
        driver.evaluate().await;
        let unread = driver.unread();
        if unread.is_empty() {
            return driver.finish();
        }
        driver = driver.again(told);
        driver.look_at(unread).await;
    }
}

/// The providers that the state and the configuration need, ready to be used; what is wrong with
/// them is reported.
pub(super) async fn configured(
    request: &Request<'_>,
    state: &State,
    scope: &Scope<'_>,
    diagnostics: &mut Diagnostics,
) -> Providers {
    let mut used = used_providers(request, state, diagnostics);
    used.extend(setup::aliased(request.config, scope, diagnostics));
    let (providers, found) = setup::providers(request.config, request.registry, scope, &used).await;
    diagnostics.extend(found);
    providers
}

/// The providers that the state and the configuration need; those that are not there are
/// reported.
fn used_providers(
    request: &Request<'_>,
    state: &State,
    diagnostics: &mut Diagnostics,
) -> BTreeSet<ProviderKey> {
    let recorded = state.instances.values().chain(state.deposed.values());
    let recorded: BTreeSet<&str> = recorded.map(|instance| &*instance.provider).collect();
    let recorded = recorded.into_iter().map(ProviderKey::parse);
    let mut used: BTreeSet<ProviderKey> = recorded.collect();
    let modules = request.config.modules();
    let declarations = modules
        .iter()
        .flat_map(|(_, module)| module.declarations.values().chain(module.data.values()));
    for declaration in declarations {
        let registry = request.registry;
        let resource = registry
            .resource(&declaration.kind)
            .or_else(|| registry.data_source(&declaration.kind));
        if &*declaration.kind == "zone" {
            used.insert(ProviderKey::default_of(nouns::zone_provider(declaration)));
        } else if let Some((name, _)) = resource {
            used.insert(ProviderKey::default_of(name));
        }
    }
    diagnostics.extend(super::unregistered::providers(
        request.config,
        request.registry,
    ));
    used
}

/// What the walk has found so far.
pub(super) struct Driver<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) names: &'a Names,
    pub(super) reach: Reach<'a>,
    pub(super) state: &'a State,
    pub(super) sink: &'a dyn Sink,
    pub(super) frames: Frames<'a>,
    pub(super) tally: Tally,
    pub(super) providers: Providers,
    /// What is there, of what could be read.
    pub(super) observed: BTreeMap<Address, Option<Known>>,
    /// What could not be read. It is taken as recorded where its zone is down, and reported where
    /// not.
    pub(super) unreadable: BTreeMap<Address, Diagnostic>,
    /// What was to be read, whether or not it could be.
    pub(super) asked: BTreeSet<Address>,
    /// What data sources told, each with the configuration that it told it for.
    pub(super) answers: BTreeMap<Address, (Value, Value)>,
    /// The old addresses of what was moved.
    pub(super) moves: BTreeMap<Address, Address>,
    pub(super) nouns: Nouns<'a>,
    /// What became of conditions.
    pub(super) checks: Checks,
    /// What the data sources tell.
    pub(super) reads: BTreeMap<Address, PlannedRead>,
    pub(super) changes: BTreeMap<Address, PlannedChange>,
    /// What changes of each block, in all instances of its module; `None` where it goes by the
    /// same address.
    pub(super) changing: IndexMap<Address, Option<Box<Address>>, FxBuildHasher>,
    /// The blocks whose replacements are made before what they replace is destroyed.
    pub(super) create_first: BTreeSet<&'a Node>,
    pub(super) deployments: BTreeMap<String, PlannedDeployment>,
    /// What the deployments run that are sized already, or that the plan leaves out.
    pub(super) taken: Taken,
    pub(super) forecasts: BTreeMap<String, FrozenForecast>,
    /// The telemetry that was noted as needed.
    pub(super) orders: Vec<Order>,
    /// Blocks with errors: what rests on them is not evaluated, so that one mistake is
    /// reported once.
    pub(super) failed: BTreeSet<Node>,
    pub(super) diagnostics: Diagnostics,
}

/// A block in an instance of its module.
pub(super) struct Block<'a> {
    pub(super) declaration: &'a Declaration,
    pub(super) node: &'a Node,
    pub(super) module: Instance,
}

impl Block<'_> {
    /// Its address, without a key.
    pub(super) fn address(&self) -> Address {
        let mode = match self.node.name {
            Name::Data(..) => address::Mode::Data,
            _ => address::Mode::Managed,
        };
        Address {
            module: self.module.clone(),
            mode,
            ..Address::of(
                Arc::clone(&self.declaration.kind),
                Arc::clone(&self.declaration.name),
            )
        }
    }
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
        let reach = Reach::of(&request.selection, names);
        Self {
            request,
            names,
            create_first: life::create_first(request.config, names, &reach),
            reach,
            state,
            sink,
            frames: request.frames(),
            tally: Tally::default(),
            providers: Providers::new(),
            observed: BTreeMap::new(),
            unreadable: BTreeMap::new(),
            asked: BTreeSet::new(),
            answers: BTreeMap::new(),
            moves: BTreeMap::new(),
            nouns: Nouns::default(),
            checks: Checks::new(),
            reads: BTreeMap::new(),
            changes: BTreeMap::new(),
            changing: IndexMap::default(),
            deployments: BTreeMap::new(),
            taken: Taken::new(),
            forecasts: BTreeMap::new(),
            orders: Vec::new(),
            failed: BTreeSet::new(),
            diagnostics,
        }
    }
}

impl<'a> Driver<'a> {
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

    async fn evaluate(&mut self) {
        match self.request.mode {
            Mode::Normal => self.walk().await,
            Mode::Destroy => {}
            Mode::RefreshOnly => {
                self.keep_everything();
                self.walk().await;
            }
        }
    }

    /// Wave by wave: what is in one does not rest on one another.
    async fn walk(&mut self) {
        let names = self.names;
        let mut batch = Batch::default();
        let before = std::mem::take(&mut self.diagnostics);
        self.taken = self.held();
        for wave in names.waves() {
            for node in wave {
                if !self.reach.has(node) {
                    continue;
                }
                if self.rests_on_failure(node) {
                    self.failed.insert(node.clone());
                    continue;
                }
                for instance in self.frames.instances(&node.module) {
                    self.name(node, instance, &mut batch).await;
                }
                self.tell(node, &mut batch);
                if batch.is_full() {
                    self.ask_all(&mut batch).await;
                    self.propose_all(&mut batch).await;
                }
            }
            self.ask_all(&mut batch).await;
            self.propose_all(&mut batch).await;
            self.place_all(&mut batch).await;
        }
        self.diagnostics = before;
        self.diagnostics.extend(batch.told(names));
    }

    fn rests_on_failure(&self, node: &Node) -> bool {
        let behind = || self.names.dag.dependencies(node);
        !self.failed.is_empty() && behind().iter().any(|node| self.failed.contains(node))
    }

    /// Evaluates a name in one instance of its module; resources and data sources wait in the batch.
    async fn name(&mut self, node: &'a Node, instance: Instance, batch: &mut Batch<'a>) {
        if let Some(block) = self.value(node, instance) {
            self.block(block, batch).await;
        }
    }

    /// Evaluates a name in one instance of its module, unless it is a block, which is given back.
    pub(super) fn value(&mut self, node: &'a Node, instance: Instance) -> Option<Block<'a>> {
        let result = match &node.name {
            Name::Variable(name) => self.frames.define_variable(&instance, name),
            Name::Output(name) => {
                let config = self.request.config.module(&node.module);
                let output = config.and_then(|config| config.outputs.get(name));
                // Those of the root come last.
                if let Some(output) = output.filter(|_| !instance.is_empty()) {
                    self.output_holds(node, &instance, output);
                }
                self.frames.define_output(&instance, name)
            }
            Name::Local(name) => match self.frames.get_mut(&instance) {
                Some(scope) => scope.define_local(name),
                None => Ok(()),
            },
            Name::Call(name) => self.enter(&instance, name),
            Name::Validation(name) => {
                self.validation(node, &instance, name);
                Ok(())
            }
            Name::Check(name) => {
                self.check(node, &instance, name);
                Ok(())
            }
            Name::Block(kind, name) | Name::Data(kind, name) => {
                let key = (Arc::clone(kind), Arc::clone(name));
                let config = self.request.config.module(&node.module)?;
                let all = match node.name {
                    Name::Data(..) => &config.data,
                    _ => &config.declarations,
                };
                return Some(Block {
                    declaration: all.get(&key)?,
                    node,
                    module: instance,
                });
            }
        };
        if let Err(fault) = result {
            self.diagnostics.push(*fault);
        }
        None
    }

    /// Makes the instances of a module that is called.
    fn enter(&mut self, caller: &Instance, name: &str) -> Result<(), Fault> {
        let Some(scope) = self.frames.get(caller) else {
            return Ok(());
        };
        let Some(call) = scope.config().calls.get(name) else {
            return Ok(());
        };
        let instances = match (expand(&call.repetition, scope), call.repetition.attribute()) {
            (Ok(instances), _) => instances,
            (Err(fault), None) => return Err(fault),
            (Err(fault), Some(each)) => return Err(self.explain(fault, caller, &each.value)),
        };
        let place = call.repetition.attribute();
        let place = place.map_or_else(|| call.header.clone(), |each| each.value.span());
        self.tally.add(instances.len(), &place)?;
        self.frames.enter(caller, call, instances);
        Ok(())
    }

    async fn block(&mut self, block: Block<'a>, batch: &mut Batch<'a>) {
        if self.request.mode == Mode::RefreshOnly {
            return self.recall(&block);
        }
        if matches!(block.node.name, Name::Data(..)) {
            return self.gather_data(block, batch);
        }
        match &*block.declaration.kind {
            "zone" => self.nouns(&block, Self::zone),
            "model" => self.nouns(&block, Self::model),
            "forecast" => self.nouns(&block, Self::forecast),
            "capacity" => self.nouns(&block, Self::capacity),
            "deployment" => batch.deployments.push(block),
            _ => self.gather(block, batch),
        }
    }

    /// Takes what is there for what a block says, as nothing is to be changed. What is not there
    /// is not known.
    fn recall(&mut self, block: &Block<'_>) {
        let declaration = block.declaration;
        let instances = match declaration.repetition {
            Repetition::Once => Vec::new(),
            _ => match self.expand(block) {
                Some(instances) => instances,
                None => return,
            },
        };
        let address = block.address();
        let recorded = self.state.instances.range(address.clone()..);
        let here = recorded.take_while(|(found, _)| found.shares_block(&address));
        let here: Vec<(Address, Option<Known>)> = here
            .filter(|(found, _)| found.native.is_none())
            .map(|(found, _)| (found.clone(), self.prior(found)))
            .collect();
        let Some(scope) = self.frames.get_mut(&block.module) else {
            return;
        };
        if matches!(declaration.repetition, Repetition::Once) {
            scope.set_at(&address, Value::unknown());
        }
        // What a deployment is made of does not tell what it was sized for.
        if &*declaration.kind == "deployment" {
            for (key, _) in instances {
                scope.set_instance(&address.instance(key), Value::unknown());
            }
        }
        for (address, prior) in here {
            let value = prior.map_or_else(Value::unknown, |known| known.value().clone());
            scope.set_instance(&address, value);
        }
    }

    pub(super) fn expand(&mut self, block: &Block<'_>) -> Option<Expanded> {
        let declaration = block.declaration;
        let scope = self.frames.get_mut(&block.module)?;
        if let Some(empty) = empty(declaration) {
            scope.set_at(&block.address(), empty);
        }
        let instances = expand(&declaration.repetition, scope);
        let counted = instances.and_then(|instances| {
            self.tally.add(instances.len(), &declaration.header)?;
            Ok(instances)
        });
        match counted {
            Ok(instances) => Some(instances),
            Err(mut fault) => {
                if let Some(attribute) = declaration.repetition.attribute() {
                    fault = self.explain(fault, &block.module, &attribute.value);
                }
                self.diagnostics.push(*fault);
                None
            }
        }
    }

    /// The configuration of the provider that an instance of a block means.
    pub(super) fn provider_of(
        &self,
        block: &Block<'_>,
        ambient: &Ambient,
        kind: &str,
    ) -> Result<String, Fault> {
        let around = (&block.module, ambient);
        let named = block.declaration.provider.as_deref();
        let root = self.request.config;
        let key = provider::of_block(root, &self.frames, around, named, kind)?;
        let name = key.to_string();
        if key.key.is_some() && !self.providers.contains_key(&name) {
            let place = named.map_or(&block.declaration.header, |named| &named.span);
            let there = self.providers.keys().map(String::as_str);
            return Err(provider::no_instance(&key, place, there));
        }
        Ok(name)
    }

    fn finish(mut self) -> (Option<Plan>, Diagnostics) {
        let unreadable = std::mem::take(&mut self.unreadable);
        for diagnostic in unreadable.into_values() {
            self.diagnostics.push(diagnostic);
        }
        let mut outputs = self.outputs();
        if self.request.mode == Mode::RefreshOnly {
            // What rests on something that is not there yet stays as it was.
            outputs.retain(|_, output| output.after.as_ref().is_none_or(Value::is_wholly_known));
        }
        if self.request.mode == Mode::Normal {
            self.check_imports();
        }
        if self.request.mode != Mode::RefreshOnly {
            self.delete_leftovers();
            self.warn_of_pending();
        }
        if self.diagnostics.has_errors() {
            return (None, self.diagnostics);
        }
        let mut nouns = BTreeMap::new();
        for (instance, scope) in self.frames.iter() {
            let declarations = scope.config().declarations.values();
            for declaration in declarations.filter(|d| d.is_noun()) {
                if let Some(value) = scope.block(&declaration.kind, &declaration.name) {
                    let address = Address {
                        module: instance.clone(),
                        ..Address::new(&declaration.kind, &declaration.name)
                    };
                    nouns.insert(address, value.clone());
                }
            }
        }
        let plan = Plan {
            id: self.request.id.clone(),
            mode: self.request.mode,
            refresh: self.request.refresh,
            created: self.request.now,
            base: Base {
                lineage: self.state.lineage.clone(),
                serial: self.state.serial,
            },
            sources: self.request.sources.clone(),
            facts: self.request.facts.clone(),
            variables: self.request.variables.clone(),
            given_again: BTreeSet::new(),
            drift: self.drift(),
            deposed: match self.request.mode {
                Mode::RefreshOnly => Deposed::new(),
                Mode::Normal | Mode::Destroy => self.discard(),
            },
            outputs,
            nouns,
            forecasts: self.forecasts,
            deployments: self.deployments,
            checks: self.checks,
            reads: self.reads,
            moves: self.moves,
            selection: self.request.selection.clone(),
            changes: self.changes,
        };
        (Some(plan), self.diagnostics)
    }
}
