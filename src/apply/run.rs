//! The steps of an apply: ready ones run side by side, every one journaled before and after.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::Duration;

use futures::future::{Either, select};
use futures::{FutureExt, StreamExt};
use isobar_sdk::provider::Outcome;
use isobar_sdk::{Address, Diagnostic, Diagnostics, Error, Path};
use tokio::sync::watch;

use super::Request;
use super::book::Book;
use super::lanes::{Finished, Lanes, Running};
use super::outcome::Settled;
use super::prepare::{Prepared, Unready};
use super::world::World;
use crate::change::Action;
use crate::event::{Event, Sink};
use crate::graph::Walk;
use crate::plan::{Plan, Step, order};
use crate::registry::{Providers, Registry};
use crate::state::{DeposedKey, Ledger, Record, State};

/// An apply under way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) registry: &'a Registry,
    parallelism: usize,
    pub(super) interrupted: watch::Receiver<bool>,
    pub(super) providers: Providers,
    pub(super) world: World<'a>,
    pub(super) state: State,
    pub(super) book: Book<'a>,
    /// The steps whose changes providers are making.
    under_way: BTreeSet<Step>,
    /// The secret parts of what is being made, as its configuration marks them now.
    pub(super) marks: BTreeMap<Address, Vec<Path>>,
    /// The keys of what is replaced before it is destroyed.
    pub(super) deposing: BTreeMap<Address, DeposedKey>,
    pub(super) done: Vec<(Address, Action)>,
    pub(super) skipped: Vec<(Address, Action)>,
    pub(super) diagnostics: Diagnostics,
}

/// How long after an interrupt changes under way may go on without any of them getting done.
const GRACE: Duration = Duration::from_secs(30);

impl<'a> Run<'a> {
    pub(super) fn new(
        request: &Request<'a>,
        before: &State,
        providers: Providers,
        world: World<'a>,
        journal: Ledger,
        sink: &'a dyn Sink,
    ) -> Self {
        let at_once = || {
            request
                .registry
                .at_once(providers.keys(), |limits| limits.changes)
        };
        Self {
            plan: request.plan,
            registry: request.registry,
            parallelism: request.parallelism.unwrap_or_else(at_once).get(),
            interrupted: request.interrupted.clone(),
            providers,
            world,
            state: before.clone(),
            book: Book::new(journal, sink),
            under_way: BTreeSet::new(),
            marks: BTreeMap::new(),
            deposing: BTreeMap::new(),
            done: Vec::new(),
            skipped: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Writes to the journal what has happened and what is intended; gives back whether it could.
    /// If not, nothing new is begun any more.
    pub(super) fn write(&mut self, intents: &[Record]) -> bool {
        let written = self.book.write(intents);
        written.map_err(|why| self.diagnostics.push(*why)).is_ok()
    }

    /// Takes what has happened into the state, and notes it for the journal.
    pub(super) fn record(&mut self, records: Vec<Record>) {
        self.book.note(records.iter().cloned());
        for record in records {
            self.state.fold(record);
        }
    }

    /// Whether more may be begun.
    fn goes_on(&self) -> bool {
        self.book.is_writable() && !*self.interrupted.borrow()
    }

    /// Runs all steps that can be run.
    pub(super) async fn steps(&mut self) {
        let dag = order(self.plan, &self.state);
        let discards = dag.nodes().filter_map(|step| match step {
            Step::Discard(address, key) => Some((address.clone(), *key)),
            _ => None,
        });
        let new = discards.filter(|place| !self.plan.deposed.contains_key(place));
        self.deposing = new.collect();
        if let Err(circles) = dag.order() {
            for circle in circles {
                self.diagnostics.push(circular(&circle));
            }
            return dag.nodes().for_each(|step| self.skip(step));
        }
        let mut walk = Walk::new(&dag);
        let mut lanes = Lanes::new(self.parallelism);
        loop {
            let mut finished = self.begin_ready(&mut walk, &mut lanes).await;
            self.advance(&mut lanes, &mut finished);
            lanes.adapt(self.parallelism, !finished.is_empty());
            if finished.is_empty() {
                match self.next_finished(&mut lanes.running).await {
                    Some(first) => finished.push(first),
                    None => break,
                }
                self.advance(&mut lanes, &mut finished);
            }
            self.settle(finished, &mut walk);
        }
        self.break_off(&mut walk);
        self.withdraw(lanes.waiting.into(), &mut walk);
        self.skip_rest(&mut walk);
        self.write(&[]);
    }

    /// Starts what is written down as places become free, for as long as changes get done without
    /// anyone having to wait for them.
    fn advance(&mut self, lanes: &mut Lanes, finished: &mut Vec<Finished>) {
        loop {
            while lanes.running.len() < self.parallelism && self.goes_on() {
                let Some(ready) = lanes.waiting.pop_front() else {
                    break;
                };
                self.start(ready, &mut lanes.running);
            }
            match lanes.running.next().now_or_never() {
                Some(Some(done)) => finished.push(done),
                Some(None) | None => return,
            }
        }
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

    /// Prepares as many ready steps as may begin and writes their intents down together, behind
    /// the results before. Gives back what has finished meanwhile, which ends the beginning, so
    /// that it is journaled soon.
    async fn begin_ready(&mut self, walk: &mut Walk<'_, Step>, lanes: &mut Lanes) -> Vec<Finished> {
        if !lanes.are_quick(self.parallelism) {
            // To prepare may take time, too.
            self.write(&[]);
        }
        let mut finished = Vec::new();
        let mut prepared = Vec::new();
        while finished.is_empty() && lanes.have_room(prepared.len()) && self.goes_on() {
            let Some(step) = walk.next_ready() else { break };
            let prepare = self.prepare(step);
            match lanes.meanwhile(&mut finished, prepare).await {
                Ok(Some(ready)) => prepared.push(ready),
                Ok(None) => walk.finish(step),
                Err(Unready::Wrong(diagnostics)) => {
                    self.diagnostics.extend(diagnostics);
                    self.lose(step);
                    self.fail(step, "see the diagnostic", walk);
                }
                Err(Unready::RestsOnFailure) => {
                    self.skip(step);
                    self.skip_dependents(step, walk);
                }
            }
        }
        let intents: Vec<Record> = prepared.iter().filter_map(intent).collect();
        if !self.write(&intents) {
            self.refuse(prepared, walk);
            return finished;
        }
        for intent in intents {
            self.state.fold(intent);
        }
        lanes.waiting.extend(prepared);
        finished
    }

    /// Begins nothing, because it could not be written down that it begins.
    fn refuse(&mut self, prepared: Vec<Prepared>, walk: &mut Walk<'_, Step>) {
        for ready in prepared {
            self.skip(&ready.step);
            self.skip_dependents(&ready.step, walk);
        }
    }

    /// Gives up what was written down and has not begun.
    fn withdraw(&mut self, waiting: Vec<Prepared>, walk: &mut Walk<'_, Step>) {
        let unchanged = |ready: &Prepared| Record::Unchanged {
            address: ready.request.address.clone(),
        };
        let begun = waiting.iter().filter(|ready| intent(ready).is_some());
        self.record(begun.map(unchanged).collect());
        self.refuse(waiting, walk);
    }

    fn start(&mut self, ready: Prepared, running: &mut Running) {
        let Prepared {
            step,
            request,
            provider,
        } = ready;
        if let Some((address, action)) = self.subject(&step) {
            self.book.tell(Event::ApplyStart { address, action });
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

    fn settle(&mut self, finished: Vec<Finished>, walk: &mut Walk<'_, Step>) {
        let mut records = Vec::new();
        let settled: Vec<(Step, Settled)> = finished
            .into_iter()
            .map(|finished| {
                let mut settled = self.judge(&finished.step, finished.outcome);
                records.append(&mut settled.records);
                (finished.step, settled)
            })
            .collect();
        self.record(records);
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
                    self.book.tell(Event::ApplyComplete {
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

    fn fail(&mut self, step: &Step, message: &str, walk: &mut Walk<'_, Step>) {
        if let Some((address, action)) = self.subject(step) {
            self.book.tell(Event::ApplyErrored {
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
            self.book.tell(Event::ApplySkipped {
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

/// What is journaled before a change. That something is to be discarded was recorded when it was
/// deposed.
fn intent(ready: &Prepared) -> Option<Record> {
    let intent = Record::Intent {
        address: ready.request.address.clone(),
        key: ready.request.key.clone(),
    };
    (!matches!(ready.step, Step::Discard(..))).then_some(intent)
}

/// Says which changes wait for one another.
fn circular(circle: &[&Step]) -> Diagnostic {
    let addresses: BTreeSet<String> = circle
        .iter()
        .map(|step| step.address().to_string())
        .collect();
    let names: Vec<String> = addresses.into_iter().collect();
    let detail = format!(
        "These wait for one another, so that none can be the first: {}. Nothing was changed.",
        names.join(", ")
    );
    Diagnostic::error("A0005", "Changes in a circle", detail)
        .help("Apply the configuration with all of them in it, which records anew what rests on what; then plan this again.")
}
