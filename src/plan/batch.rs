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
        let answer = |entry| async move {
            let Prepared {
                preconditions,
                item,
            } = self.prepared(entry);
            let answer = match item {
                Ok((item, warnings)) => Ok((self.instance(item).await, warnings)),
                Err(found) => Err(found),
            };
            (preconditions, answer)
        };
        at_once(entries, self.at_once().get(), answer).await
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

/// Does what is to be done with each, `most` at the same time, and gives the results in their
/// order. All are begun on all cores, as the usual provider has its answer at hand; those that wait
/// go on from here.
pub(super) async fn at_once<'i, I: Sync, F: Future<Output: Send> + Send>(
    items: &'i [I],
    most: usize,
    work: impl Fn(&'i I) -> F + Sync,
) -> Vec<F::Output> {
    let mut outputs: Vec<Option<F::Output>> = Vec::with_capacity(items.len());
    let mut waiting = FuturesUnordered::new();
    loop {
        let room = most.saturating_sub(waiting.len());
        let rest = &items[outputs.len()..];
        let group = &rest[..room.min(rest.len())];
        for begun in begin_all(group, &work) {
            let place = outputs.len();
            outputs.push(match begun {
                Begun::Done(output) => Some(output),
                Begun::Waits(work) => {
                    waiting.push(work.map(move |output| (place, output)));
                    None
                }
            });
        }
        match waiting.next().await {
            Some((place, output)) => outputs[place] = Some(output),
            None if group.is_empty() => return outputs.into_iter().flatten().collect(),
            None => {}
        }
    }
}

fn begin_all<'i, I: Sync, F: Future<Output: Send> + Send>(
    group: &'i [I],
    work: &(impl Fn(&'i I) -> F + Sync),
) -> Vec<Begun<F>> {
    if group.len() < WORTH {
        return group.iter().map(|item| begin(work, item)).collect();
    }
    let runtime = tokio::runtime::Handle::try_current().ok();
    let inside = |item| {
        // What a provider waits for, such as a timer, asks for the runtime.
        let _inside = runtime.as_ref().map(tokio::runtime::Handle::enter);
        begin(work, item)
    };
    group.par_iter().map(inside).collect()
}

/// A future that was looked at once.
enum Begun<F: Future> {
    Done(F::Output),
    Waits(std::pin::Pin<Box<F>>),
}

fn begin<'i, I, F: Future>(work: &impl Fn(&'i I) -> F, item: &'i I) -> Begun<F> {
    // Made where it stays: it is large.
    let mut work = Box::pin(work(item));
    match work
        .as_mut()
        .poll_unpin(&mut std::task::Context::from_waker(std::task::Waker::noop()))
    {
        Poll::Ready(output) => Begun::Done(output),
        Poll::Pending => Begun::Waits(work),
    }
}
