//! Instances that do not rest on one another: proposed together, on all cores.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Poll;

use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use isobar_sdk::schema::Schema;
use isobar_sdk::{Address, Diagnostics, Error, Value};
use rayon::prelude::*;

use super::PlannedChange;
use super::checks::Judged;
use super::drive::{Block, Driver};
use super::lookup::Question;
use super::names::{Names, Node};
use super::remainder::protected;
use super::resource::{Item, provider_diagnostic};
use crate::change::Change;
use crate::eval::Ambient;

/// How many are proposed together, so that memory does not grow with their number.
const MOST: usize = 1024;
/// How many are worth the way to other threads.
const WORTH: usize = 16;

/// Resources to propose, and data sources to ask.
#[derive(Default)]
pub(super) struct Batch<'a> {
    /// Deployments, which are sized together.
    pub(super) deployments: Vec<Block<'a>>,
    waiting: Vec<Entry<'a>>,
    /// Data sources to ask.
    pub(super) questions: Vec<Question<'a>>,
    /// What was told of each name, however it was found.
    told: BTreeMap<&'a Node, Diagnostics>,
}

/// One of them.
struct Entry<'a> {
    of: Arc<Part<'a>>,
    address: Address,
    ambient: Ambient,
    /// What the provider calls it, if it is to be imported.
    import: Option<String>,
}

/// What the instances of a block have in common.
struct Part<'a> {
    block: Block<'a>,
    kind: &'static str,
    schema: &'a Schema,
    dependencies: Vec<Address>,
}

/// What is evaluated of an instance before its provider is asked.
struct Prepared<'a> {
    preconditions: Judged,
    /// What it is configured to be, with warnings.
    item: Result<(Item<'a>, Diagnostics), Diagnostics>,
}

impl Batch<'_> {
    /// Whether it is time to propose what has come together.
    pub(super) const fn is_full(&self) -> bool {
        self.waiting.len() + self.questions.len() >= MOST
    }

    /// What was told, in the order of the names, each behind those it refers to.
    pub(super) fn told(mut self, names: &Names) -> Diagnostics {
        let mut all = Diagnostics::new();
        if self.told.len() > 1 {
            for node in names.order() {
                self.told
                    .remove(node)
                    .into_iter()
                    .for_each(|told| all.extend(told));
            }
        }
        self.told.into_values().for_each(|told| all.extend(told));
        all
    }
}

impl<'a> Driver<'a> {
    /// Takes the instances of a block into a batch.
    pub(super) fn gather(&mut self, block: Block<'a>, batch: &mut Batch<'a>) {
        let Some((kind, schema)) = self.resource_kind(block.declaration) else {
            return;
        };
        let Some(instances) = self.expand(&block) else {
            return;
        };
        let mut imports = self.imports(&block);
        let of = Arc::new(Part {
            dependencies: self.names.resources_behind(block.node),
            block,
            kind,
            schema,
        });
        for (key, ambient) in instances {
            let address = of.block.address().instance(key);
            if !self.reach.includes(&address) {
                let value = self.prior(&address).map(|known| known.value().clone());
                if let Some(scope) = self.frames.get_mut(&of.block.module) {
                    scope.set_instance(&address, value.unwrap_or_else(Value::unknown));
                }
                continue;
            }
            batch.waiting.push(Entry {
                import: imports.remove(&address),
                of: Arc::clone(&of),
                address,
                ambient,
            });
        }
    }

    /// Keeps what was told of a name; what rests on one with errors is not evaluated.
    pub(super) fn tell(&mut self, node: &'a Node, batch: &mut Batch<'a>) {
        if self.diagnostics.is_empty() {
            return;
        }
        let told = std::mem::take(&mut self.diagnostics);
        if told.has_errors() {
            self.failed.insert(node.clone());
        }
        batch.told.entry(node).or_default().extend(told);
    }

    /// Proposes what has come together, and takes it up in the order in which it came. What comes
    /// behind the first instance of a block that cannot be proposed is left out, so that one mistake
    /// is reported once.
    pub(super) async fn propose_all(&mut self, batch: &mut Batch<'a>) {
        let mut waiting = std::mem::take(&mut batch.waiting).into_iter();
        let mut stopped: Option<Arc<Part<'_>>> = None;
        loop {
            let entries: Vec<Entry<'_>> = waiting.by_ref().take(MOST).collect();
            if entries.is_empty() {
                return;
            }
            let answers = self.answers_to(&entries).await;
            for (entry, (preconditions, answer)) in entries.iter().zip(answers) {
                let is_stopped = stopped
                    .as_ref()
                    .is_some_and(|of| Arc::ptr_eq(of, &entry.of));
                if is_stopped {
                    continue;
                }
                if !self.settle(entry, preconditions, answer) {
                    stopped = Some(Arc::clone(&entry.of));
                }
                self.tell(entry.of.block.node, batch);
            }
        }
    }

    /// What becomes of each; the providers are asked at the same time.
    async fn answers_to(&self, entries: &[Entry<'a>]) -> Vec<(Judged, Answer)> {
        let prepared: Vec<Prepared<'_>> = if entries.len() < WORTH {
            entries.iter().map(|entry| self.prepared(entry)).collect()
        } else {
            entries
                .par_iter()
                .map(|entry| self.prepared(entry))
                .collect()
        };
        let asked = prepared.into_iter().map(|prepared| async {
            let answer = match prepared.item {
                Ok((item, warnings)) => Ok((self.instance(item).await, warnings)),
                Err(found) => Err(found),
            };
            (prepared.preconditions, answer)
        });
        at_once(asked.collect(), self.at_once().get()).await
    }

    fn prepared<'b>(&self, entry: &'b Entry<'a>) -> Prepared<'b> {
        let Entry {
            of,
            address,
            ambient,
            import,
        } = entry;
        let preconditions = self.judge_before(&of.block, ambient);
        let item = if preconditions.holds() {
            let at = (address.clone(), ambient);
            let kind = (of.kind, of.schema);
            self.item(&of.block, at, kind, import.clone(), &of.dependencies)
        } else {
            Err(Diagnostics::new())
        };
        Prepared {
            preconditions,
            item,
        }
    }

    /// Takes up what became of one; false where it cannot be made.
    fn settle(&mut self, entry: &Entry<'a>, preconditions: Judged, answer: Answer) -> bool {
        let (block, address) = (&entry.of.block, &entry.address);
        self.keep(block.node, || address.to_string(), preconditions);
        let (proposed, warnings) = match answer {
            Ok(answer) => answer,
            Err(found) => {
                self.diagnostics.extend(found);
                return false;
            }
        };
        self.diagnostics.extend(warnings);
        let mut planned = match proposed {
            Ok(planned) => planned,
            Err(error) => {
                let refused = provider_diagnostic(block.declaration, address, error);
                self.diagnostics.push(refused);
                return false;
            }
        };
        planned.causes.extend(self.follows(block, &planned.change));
        let after = planned.change.after().cloned().unwrap_or(Value::NULL);
        if planned.life.protected && matches!(planned.change, Change::Replace { .. }) {
            self.diagnostics.push(protected(address));
        }
        if let Some(scope) = self.frames.get_mut(&block.module) {
            scope.set_instance(address, after.clone());
        }
        self.postconditions(block, &entry.ambient, (address, &after));
        self.take_up(address.clone(), planned);
        true
    }
}

/// The change of an instance, or what the provider says, with warnings; or what is wrong with its
/// configuration.
type Answer = Result<(Result<PlannedChange, Error>, Diagnostics), Diagnostics>;

/// Waits for all, `most` at the same time, and gives what they give in their order. They are begun
/// on all cores, as the usual provider has its answer at hand; those that wait go on from here.
pub(super) async fn at_once<F: Future<Output: Send> + Send>(
    all: Vec<F>,
    most: usize,
) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = all.iter().map(|_| None).collect();
    let mut waiting = FuturesUnordered::new();
    let mut rest = all.into_iter().enumerate();
    loop {
        let room = most.saturating_sub(waiting.len());
        let group: Vec<(usize, F)> = rest.by_ref().take(room).collect();
        let is_last = group.is_empty();
        for (place, begun) in begin_all(group) {
            match begun {
                Begun::Done(output) => outputs[place] = Some(output),
                Begun::Waits(work) => waiting.push(work.map(move |output| (place, output))),
            }
        }
        match waiting.next().await {
            Some((place, output)) => outputs[place] = Some(output),
            None if is_last => return outputs.into_iter().flatten().collect(),
            None => {}
        }
    }
}

fn begin_all<F: Future<Output: Send> + Send>(group: Vec<(usize, F)>) -> Vec<(usize, Begun<F>)> {
    let begin = |(place, work)| (place, begin(work));
    if group.len() < WORTH {
        return group.into_iter().map(begin).collect();
    }
    let runtime = tokio::runtime::Handle::try_current().ok();
    let inside = |work| {
        // What a provider waits for, such as a timer, asks for the runtime.
        let _inside = runtime.as_ref().map(tokio::runtime::Handle::enter);
        begin(work)
    };
    group.into_par_iter().map(inside).collect()
}

/// A future that was looked at once.
enum Begun<F: Future> {
    Done(F::Output),
    Waits(std::pin::Pin<Box<F>>),
}

fn begin<F: Future>(work: F) -> Begun<F> {
    let mut work = Box::pin(work);
    match work
        .as_mut()
        .poll_unpin(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        Poll::Ready(output) => Begun::Done(output),
        Poll::Pending => Begun::Waits(work),
    }
}
