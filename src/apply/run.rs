//! The steps of an apply: ready ones run side by side, every one journaled before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use futures::StreamExt;
use futures::future::{BoxFuture, Either, select};
use futures::stream::FuturesUnordered;
use isobar_sdk::conformance::broken_promise;
use isobar_sdk::provider::{Apply, IdempotencyKey, Operation, Outcome};
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Known, Path, Value};
use tokio::sync::watch;

use super::Request;
use super::world::World;
use crate::change::{Action, Change};
use crate::event::{Event, Sink};
use crate::graph::{Dag, Walk};
use crate::plan::{Configured, Plan, PlannedChange, Step, order, plain};
use crate::registry::{Providers, Registry};
use crate::state::{Instance, Journal, Record, State, Status};

/// An apply under way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    registry: &'a Registry,
    parallelism: usize,
    pub(super) interrupted: watch::Receiver<bool>,
    pub(super) providers: Providers,
    pub(super) world: World<'a>,
    pub(super) state: State,
    pub(super) journal: Journal,
    /// Whether the journal can be written.
    journaling: bool,
    /// The steps whose changes providers are making.
    under_way: BTreeSet<Step>,
    /// The secret parts of what is being made, as its configuration marks them now.
    marks: BTreeMap<Address, Vec<Path>>,
    sink: &'a dyn Sink,
    dag: Dag<Step>,
    pub(super) done: Vec<(Address, Action)>,
    pub(super) skipped: Vec<(Address, Action)>,
    pub(super) diagnostics: Diagnostics,
}

/// How long after an interrupt changes under way may go on without any of them getting done.
const GRACE: Duration = Duration::from_secs(30);

/// The changes that providers are making.
type Running = FuturesUnordered<BoxFuture<'static, Finished>>;

/// Waits for `work` while what runs goes on: a provider that lets only so many calls through at
/// a time would otherwise wait for calls that nobody drives.
async fn meanwhile<T>(
    running: &mut Running,
    finished: &mut Vec<Finished>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    while !running.is_empty() {
        match select(work.as_mut(), running.next()).await {
            Either::Left((done, _)) => return done,
            Either::Right((more, _)) => finished.extend(more),
        }
    }
    work.await
}

/// A change that was handed to its provider.
struct Finished {
    step: Step,
    outcome: Outcome,
}

/// A change that is ready to be handed to its provider.
struct Prepared {
    step: Step,
    request: Apply,
    provider: String,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        request: &Request<'a>,
        before: &State,
        providers: Providers,
        world: World<'a>,
        journal: Journal,
        sink: &'a dyn Sink,
    ) -> Self {
        Self {
            plan: request.plan,
            registry: request.registry,
            parallelism: request.parallelism.max(1),
            interrupted: request.interrupted.clone(),
            providers,
            world,
            state: before.clone(),
            journal,
            journaling: true,
            under_way: BTreeSet::new(),
            marks: BTreeMap::new(),
            sink,
            dag: order(request.plan, before),
            done: Vec::new(),
            skipped: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Writes to the journal; gives back whether it could. If not, nothing new is begun any more.
    fn journal(&mut self, records: &[Record]) -> bool {
        if let Err(error) = self.journal.append(records) {
            self.journaling = false;
            self.diagnostics.push(
                Diagnostic::error("S0005", "Journal cannot be written", format!("{error}."))
                    .help("Free space or grant access, then apply again. Nothing more was begun."),
            );
            return false;
        }
        true
    }

    /// Writes what has happened to the journal first and to the state then, which knows it even
    /// if the journal does not.
    pub(super) fn record(&mut self, records: Vec<Record>) {
        self.journal(&records);
        for record in records {
            self.state.fold(record);
        }
    }

    /// Whether more may be begun.
    fn goes_on(&self) -> bool {
        self.journaling && !*self.interrupted.borrow()
    }

    /// Runs all steps that can be run.
    pub(super) async fn steps(&mut self) {
        let dag = std::mem::take(&mut self.dag);
        if let Err(circles) = dag.order() {
            for circle in circles {
                self.diagnostics.push(circular(&circle));
            }
            return dag.nodes().for_each(|step| self.skip(step));
        }
        let mut walk = Walk::new(&dag);
        let mut running = Running::new();
        loop {
            let mut finished = self.begin_ready(&mut walk, &mut running).await;
            if finished.is_empty() {
                match self.next_finished(&mut running).await {
                    Some(first) => finished.push(first),
                    None => break,
                }
            }
            while let Some(Some(more)) = futures::FutureExt::now_or_never(running.next()) {
                finished.push(more);
            }
            self.settle(finished, &mut walk);
        }
        self.break_off(&mut walk);
        self.skip_rest(&mut walk);
    }

    /// The next change that is done; `None` if none is under way, or if after an interrupt none
    /// gets done for a while.
    async fn next_finished(&mut self, running: &mut Running) -> Option<Finished> {
        if !*self.interrupted.borrow() {
            let interrupt = self.interrupted.wait_for(|interrupted| *interrupted);
            match select(running.next(), pin!(interrupt)).await {
                Either::Left((finished, _)) => return finished,
                // No one is left who could interrupt.
                Either::Right((Err(_), next)) => return next.await,
                Either::Right((Ok(_), _)) => {}
            }
        }
        tokio::time::timeout(GRACE, running.next())
            .await
            .ok()
            .flatten()
    }

    /// Leaves changes that did not get done after an interrupt as a kill would leave them: their
    /// intents are journaled, so that the next apply finds out what became of them.
    fn break_off(&mut self, walk: &mut Walk<'_, Step>) {
        for step in std::mem::take(&mut self.under_way) {
            if let Some((address, _)) = self.subject(&step) {
                let detail = format!(
                    "{address} was not done {} s after the interrupt; what became of it is not known.",
                    GRACE.as_secs()
                );
                self.diagnostics.push(
                    Diagnostic::error("A0006", "Change broken off", detail)
                        .about(&address)
                        .help("Apply again: what was begun is taken up under the same key."),
                );
            }
            self.lose(&step);
            self.fail(&step, "broken off by an interrupt", walk);
        }
    }

    /// Begins as many ready steps as may run; their intents are journaled together. Gives back
    /// what has finished meanwhile, which ends the beginning, so that it is journaled soon.
    async fn begin_ready(
        &mut self,
        walk: &mut Walk<'_, Step>,
        running: &mut Running,
    ) -> Vec<Finished> {
        let mut finished = Vec::new();
        loop {
            let mut prepared = Vec::new();
            while finished.is_empty()
                && running.len() + prepared.len() < self.parallelism
                && self.goes_on()
            {
                let Some(step) = walk.next_ready() else { break };
                match meanwhile(running, &mut finished, self.prepare(step)).await {
                    Ok(Some(ready)) => prepared.push(ready),
                    Ok(None) => walk.finish(step),
                    Err(diagnostics) => {
                        self.diagnostics.extend(diagnostics);
                        self.lose(step);
                        self.fail(step, "see the diagnostic", walk);
                    }
                }
            }
            if prepared.is_empty() {
                return finished;
            }
            let intents: Vec<Record> = prepared.iter().map(intent).collect();
            if !self.journal(&intents) {
                self.refuse(prepared, walk);
                return finished;
            }
            for (ready, intent) in prepared.into_iter().zip(intents) {
                self.state.fold(intent);
                self.start(ready, running);
            }
        }
    }

    /// Begins nothing, because it could not be written down that it begins.
    fn refuse(&mut self, prepared: Vec<Prepared>, walk: &mut Walk<'_, Step>) {
        for ready in prepared {
            self.skip(&ready.step);
            self.skip_dependents(&ready.step, walk);
        }
    }

    fn start(&mut self, ready: Prepared, running: &mut Running) {
        let Prepared {
            step,
            request,
            provider,
        } = ready;
        if let Some((address, action)) = self.subject(&step) {
            self.sink.emit(Event::ApplyStart { address, action });
        }
        self.under_way.insert(step.clone());
        let provider = self.providers.get(&provider).cloned();
        running.push(Box::pin(async move {
            let outcome = match provider {
                Some(provider) => provider.apply(request).await,
                None => Outcome::Failed(Error::unavailable("its provider is not configured")),
            };
            Finished { step, outcome }
        }));
    }

    /// The instance of a step and what happens to it in this step.
    fn subject(&self, step: &Step) -> Option<(Address, Action)> {
        match step {
            Step::Remove(address) => Some((address.clone(), Action::Delete)),
            Step::Make(address) => {
                let action = self.plan.changes.get(address)?.change.action();
                let action = if action == Action::Replace {
                    Action::Create
                } else {
                    action
                };
                Some((address.clone(), action))
            }
            Step::Made(_) | Step::Released(_) | Step::Settled(_) => None,
        }
    }

    /// What a provider is asked to do in a step; `None` for steps that only order.
    async fn prepare(&mut self, step: &Step) -> Result<Option<Prepared>, Diagnostics> {
        let Some((address, action)) = self.subject(step) else {
            return Ok(None);
        };
        let plan = self.plan;
        let Some(planned) = plan.changes.get(&address) else {
            return Ok(None);
        };
        let operation = match (step, planned.change.before()) {
            (Step::Remove(_), Some(prior)) => Operation::Delete {
                prior: plain(prior),
            },
            (Step::Remove(_), None) => return Ok(None),
            _ => self.operation(&address, planned).await?,
        };
        let key = self.key(&address, action);
        Ok(Some(Prepared {
            step: step.clone(),
            request: Apply {
                address,
                operation,
                key,
            },
            provider: planned.provider.clone(),
        }))
    }

    /// Resolves what was unknown, plans again, and holds the result against the promise.
    async fn operation(
        &mut self,
        address: &Address,
        planned: &PlannedChange,
    ) -> Result<Operation, Diagnostics> {
        let Some((_, schema)) = self.registry.resource(address.resource_type()) else {
            return Err(failure(
                address,
                &Error::unavailable("its type is not in this build"),
            )
            .into());
        };
        self.world.catch_up(&self.providers).await?;
        let unmet = self.world.broken_before(address);
        if unmet.has_errors() {
            return Err(unmet);
        }
        let configuration = self.world.configuration(address, planned, schema)?;
        let prior = match &planned.change {
            Change::Update { before, .. } => Some(before.clone()),
            _ => None,
        };
        let provider = self.providers.get(&planned.provider).cloned();
        let provider = provider.ok_or_else(|| {
            Diagnostics::from(failure(
                address,
                &Error::unavailable("its provider is not configured"),
            ))
        })?;
        let configured = Configured {
            address,
            provider: &*provider,
            schema,
            configuration: &configuration,
            ignore: self.world.ignored(address),
        };
        let now = configured.plan(prior.as_ref()).await;
        let now = now.map_err(|error| Diagnostics::from(failure(address, &error)))?;
        if let (Some(path), true) = (now.replace.first(), prior.is_some()) {
            return Err(cannot_update(address, path).into());
        }
        let now = now.after;
        self.marks.insert(address.clone(), now.sensitive_paths());
        let promised = planned.change.after().cloned().unwrap_or(Value::NULL);
        if let Some(path) = broken_promise(&promised, &now) {
            return Err(broken(address, path, &promised, &now).into());
        }
        let planned = now.reveal_all();
        Ok(match prior {
            Some(prior) => Operation::Update {
                prior: plain(&prior),
                planned,
            },
            None => Operation::Create { planned },
        })
    }

    /// The key of a change: that of an earlier try whose end is not known, or a new one.
    ///
    /// Only a creation takes up an earlier key, so that nothing is made twice. An update or
    /// delete begins from what was read since; under its old key it would be taken for the old
    /// change, which may have been another one.
    fn key(&self, address: &Address, action: Action) -> IdempotencyKey {
        let verb = match action {
            Action::Create | Action::Replace => "create",
            Action::Update => "update",
            Action::Delete => "delete",
            Action::Forget => "forget",
            Action::Keep => "keep",
        };
        let earlier = self
            .state
            .pending
            .get(address)
            .filter(|key| action == Action::Create && key.as_str().ends_with("/create"));
        earlier
            .cloned()
            .unwrap_or_else(|| IdempotencyKey::new(format!("{}/{address}/{verb}", self.plan.id)))
    }

    fn settle(&mut self, finished: Vec<Finished>, walk: &mut Walk<'_, Step>) {
        let settled: Vec<(Step, Settled)> = finished
            .into_iter()
            .filter_map(|finished| {
                let (address, _) = self.subject(&finished.step)?;
                let settled = self.judge(&address, &finished.step, finished.outcome);
                Some((finished.step, settled))
            })
            .collect();
        self.record(
            settled
                .iter()
                .filter_map(|(_, settled)| settled.record.clone())
                .collect(),
        );
        for (step, settled) in settled {
            self.under_way.remove(&step);
            let Some((address, action)) = self.subject(&step) else {
                continue;
            };
            let mut broken = Diagnostics::new();
            match settled.value {
                Some(value) => {
                    self.world.set(&address, value.clone());
                    broken = self.world.broken_after(&address, &value);
                }
                None if settled.problem.is_some() => self.lose(&step),
                None => {}
            }
            match settled.problem {
                None => {
                    let id = self.state.instances.get(&address);
                    let id = id.and_then(|i| i.attributes.field("id")).cloned();
                    self.sink.emit(Event::ApplyComplete {
                        address: address.clone(),
                        action,
                        id,
                    });
                    self.done.push((address, action));
                    if broken.has_errors() {
                        // It is made, but what rests on it cannot rely on it.
                        self.diagnostics.extend(broken);
                        self.skip_dependents(&step, walk);
                    } else {
                        walk.finish(&step);
                    }
                }
                Some(diagnostic) => {
                    let message = diagnostic.detail.clone();
                    self.diagnostics.push(diagnostic);
                    self.fail(&step, &message, walk);
                }
            }
        }
    }

    /// What an outcome means for the state, and what is wrong with it.
    fn judge(&self, address: &Address, step: &Step, outcome: Outcome) -> Settled {
        match (step, outcome) {
            (Step::Remove(_), Outcome::Done(None)) => Settled {
                record: Some(Record::Removed {
                    address: address.clone(),
                }),
                value: None,
                problem: None,
            },
            (Step::Remove(_), Outcome::Done(Some(left))) => {
                let error = Error::conflict("the provider says it is still there");
                self.store(address, &left, Some(failure(address, &error)))
            }
            (_, Outcome::Done(None)) => {
                let error = Error::not_found("the provider says that it made nothing");
                Settled::failed(address, &error)
            }
            (_, Outcome::Done(Some(made))) => {
                let promised = self
                    .plan
                    .changes
                    .get(address)
                    .and_then(|p| p.change.after());
                let kept = promised.and_then(|promised| {
                    let path = broken_promise(promised, made.value())?;
                    Some(broken(address, path, promised, made.value()))
                });
                self.store(address, &made, kept)
            }
            (_, Outcome::Partial { state, error }) => {
                self.store(address, &state, Some(failure(address, &error)))
            }
            (_, Outcome::Failed(error)) => Settled::failed(address, &error),
        }
    }

    /// Stores what is there, with the marks that it was planned with.
    fn store(&self, address: &Address, now: &Known, problem: Option<Diagnostic>) -> Settled {
        let planned = self.plan.changes.get(address);
        let planned_value = planned.and_then(|p| match &p.change {
            Change::Delete { before } => Some(before.value()),
            change => change.after(),
        });
        let mut marks = planned_value
            .map(Value::sensitive_paths)
            .unwrap_or_default();
        marks.extend(self.marks.get(address).into_iter().flatten().cloned());
        let marked = now.value().mark(&marks);
        let schema = self.registry.resource(address.resource_type());
        let value = schema.map_or_else(
            || marked.clone(),
            |(_, schema)| schema.body.spread_marks(&marked),
        );
        let attributes = Known::new(value.clone()).unwrap_or_else(|_| now.clone());
        let instance = Instance {
            provider: planned.map(|p| p.provider.clone()).unwrap_or_default(),
            schema_version: planned.map_or(0, |p| p.schema_version),
            attributes,
            dependencies: planned.map(|p| p.dependencies.clone()).unwrap_or_default(),
            status: Status::Ready,
            life: planned.map(|p| p.life).unwrap_or_default(),
        };
        Settled {
            record: Some(Record::Stored {
                address: address.clone(),
                instance: Box::new(instance),
            }),
            value: Some(value),
            problem,
        }
    }

    fn fail(&mut self, step: &Step, message: &str, walk: &mut Walk<'_, Step>) {
        if let Some((address, action)) = self.subject(step) {
            self.sink.emit(Event::ApplyErrored {
                address,
                action,
                message: message.to_owned(),
            });
        }
        self.skip_dependents(step, walk);
    }

    /// What the instance of a step was planned to be did not come true.
    fn lose(&mut self, step: &Step) {
        if let Step::Make(address) = step {
            self.world.lose(address);
        }
    }

    fn skip(&mut self, step: &Step) {
        self.lose(step);
        if let Some((address, action)) = self.subject(step) {
            self.sink.emit(Event::ApplySkipped {
                address: address.clone(),
                action,
            });
            self.skipped.push((address, action));
        }
    }

    /// Skips all that rests on a step that was not done.
    fn skip_dependents(&mut self, step: &Step, walk: &mut Walk<'_, Step>) {
        for dependent in walk.skip_dependents(step) {
            self.skip(dependent);
        }
    }

    /// After an interrupt, what is still ready and all that rests on it.
    fn skip_rest(&mut self, walk: &mut Walk<'_, Step>) {
        while let Some(step) = walk.next_ready() {
            self.skip(step);
            self.skip_dependents(step, walk);
        }
    }
}

/// What an outcome means.
struct Settled {
    record: Option<Record>,
    value: Option<Value>,
    problem: Option<Diagnostic>,
}

impl Settled {
    /// A failure that changed nothing; where even that is not known, the change stays pending,
    /// so that the next try has the same key.
    fn failed(address: &Address, error: &Error) -> Self {
        let unchanged = Record::Unchanged {
            address: address.clone(),
        };
        Self {
            record: (!error.is_transient()).then_some(unchanged),
            value: None,
            problem: Some(failure(address, error)),
        }
    }
}

fn intent(ready: &Prepared) -> Record {
    Record::Intent {
        address: ready.request.address.clone(),
        key: ready.request.key.clone(),
    }
}

/// Says which changes wait for one another.
fn circular(circle: &[&Step]) -> Diagnostic {
    let addresses = circle.iter().map(|step| match step {
        Step::Remove(a) | Step::Make(a) | Step::Made(a) | Step::Released(a) | Step::Settled(a) => a,
    });
    let addresses: BTreeSet<String> = addresses.map(ToString::to_string).collect();
    let names: Vec<String> = addresses.into_iter().collect();
    let detail = format!(
        "These wait for one another, so that none can be the first: {}. Nothing was changed.",
        names.join(", ")
    );
    Diagnostic::error("A0005", "Changes in a circle", detail)
        .help("Apply the configuration with all of them in it, which records anew what rests on what; then plan this again.")
}

fn failure(address: &Address, error: &Error) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "A0003",
        "Change failed",
        isobar_sdk::diagnostic::sentence(&error.message),
    )
    .about(address);
    diagnostic.help.clone_from(&error.help);
    diagnostic
}

fn cannot_update(address: &Address, path: &Path) -> Diagnostic {
    let detail = format!(
        "The plan would update it in place, but now that more is known {path} can only be changed by a replacement."
    );
    Diagnostic::error("A0004", "Plan not kept", detail)
        .about(address)
        .on(path.clone())
        .help("Plan again: the new plan will replace it.")
}

fn broken(address: &Address, path: Path, promised: &Value, actual: &Value) -> Diagnostic {
    let secret = promised
        .sensitive_paths()
        .iter()
        .any(|marked| path.starts_with(marked));
    let show = |value: &Value| {
        let part = value.get(&path).cloned().unwrap_or(Value::NULL);
        part.sensitive_if(secret).to_string()
    };
    let detail = format!(
        "The plan said {path} = {}, but it would be {}. This is a fault of the provider, or something changed since the plan.",
        show(promised),
        show(actual)
    );
    Diagnostic::error("A0004", "Plan not kept", detail)
        .about(address)
        .on(path)
        .help("Plan again; if it persists, report it to the makers of the provider.")
}
