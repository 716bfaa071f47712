//! What is really there: bounded reads of recorded instances, in parallel; of all, or of those that
//! would change.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;

use futures::StreamExt;
use isobar_sdk::provider::Read;
use isobar_sdk::{Address, Diagnostic, Diagnostics, ErrorKind, Known};

use super::drive::Driver;
use super::{Mode, Refresh, Request};
use crate::change::Change;
use crate::event::{Event, Sink};
use crate::registry::{Providers, Registry};
use crate::state::{Instance, State, Status};

impl<'a> Driver<'a> {
    /// Reads what is to be read whatever the configuration says.
    pub(super) async fn refresh(&mut self) {
        let (state, reach) = (self.state, &self.reach);
        match self.request.refresh {
            Refresh::Full => {
                let wanted = |address: &Address| reach.includes(address);
                let found = refresh(
                    (state, &wanted),
                    (self.request.registry, &self.providers),
                    self.at_once(),
                    self.sink,
                    &mut self.unreadable,
                );
                self.observed = found.await;
            }
            Refresh::Minimal => {
                let recorded = state.instances.iter();
                let uncertain = recorded.filter(|(address, instance)| {
                    let open = state.pending.contains_key(address);
                    reach.includes(address) && (open || instance.status == Status::Tainted)
                });
                let uncertain = uncertain.map(|(address, _)| address.clone()).collect();
                self.look_at(uncertain).await;
            }
            Refresh::Skip => {}
        }
    }

    /// What a minimal refresh still has to read after a walk: what is recorded and changes, and was
    /// taken from the state. What is found there may change more, which the next walk tells.
    pub(super) fn unread(&self) -> BTreeSet<Address> {
        if self.request.refresh != Refresh::Minimal || self.request.mode == Mode::RefreshOnly {
            return BTreeSet::new();
        }
        // What is left over is only known where every block was evaluated.
        let complete = !self.diagnostics.has_errors();
        let left_over = self.left_over().filter(|(_, _, change)| match change {
            Change::Forget { .. } => false,
            _ => complete,
        });
        let left_over = left_over.map(|(address, ..)| address);
        let changing = self.changes.iter().filter(|(address, planned)| {
            let stays = matches!(planned.change, Change::Keep { .. });
            !stays && self.state.instances.contains_key(*address)
        });
        let changing = changing.map(|(address, _)| address);
        changing
            .chain(left_over)
            .filter(|address| !self.asked.contains(*address))
            .cloned()
            .collect()
    }

    /// A walk from its beginning that knows what was read for this one.
    pub(super) fn again(self, told: Diagnostics) -> Self {
        let Self {
            request,
            names,
            state,
            sink,
            ..
        } = self;
        Self {
            providers: self.providers,
            observed: self.observed,
            unreadable: self.unreadable,
            asked: self.asked,
            answers: self.answers,
            moves: self.moves,
            ..Driver::new(request, names, state, sink, told)
        }
    }

    /// How many reads are made at the same time.
    pub(super) fn at_once(&self) -> NonZeroUsize {
        let Request {
            registry,
            parallelism,
            ..
        } = self.request;
        parallelism
            .unwrap_or_else(|| registry.at_once(self.providers.keys(), |limits| limits.reads))
    }

    /// Reads these instances.
    pub(super) async fn look_at(&mut self, wanted: BTreeSet<Address>) {
        let among = |address: &Address| wanted.contains(address);
        let found = refresh(
            (self.state, &among),
            (self.request.registry, &self.providers),
            self.at_once(),
            self.sink,
            &mut self.unreadable,
        );
        self.observed.extend(found.await);
        self.asked.extend(wanted);
    }
}

/// What each instance that is `wanted` is now; `None` for what is gone. Instances that could not be
/// read are left out, each with what is to be told of it.
async fn refresh(
    (state, wanted): (&State, &dyn Fn(&Address) -> bool),
    (registry, providers): (&Registry, &Providers),
    at_once: NonZeroUsize,
    sink: &dyn Sink,
    unreadable: &mut BTreeMap<Address, Diagnostic>,
) -> BTreeMap<Address, Option<Known>> {
    let instances = state
        .instances
        .iter()
        .filter(|(address, _)| wanted(address));
    let reads = instances.filter_map(|(address, instance)| {
        let provider = providers.get(&instance.provider)?;
        Some(async move {
            sink.emit(Event::RefreshStart {
                address: address.clone(),
            });
            let request = Read {
                address: address.clone(),
                prior: plain(instance),
            };
            let result = provider.read(request).await;
            sink.emit(Event::RefreshComplete {
                address: address.clone(),
            });
            (address, instance, result)
        })
    });
    let mut observed = BTreeMap::new();
    let mut results = futures::stream::iter(reads).buffered(at_once.get());
    while let Some((address, instance, result)) = results.next().await {
        match result {
            Ok(found) => {
                let found = found.map(|found| withheld(address, found, registry));
                let found = found.map(|found| settled(address, found, (instance, registry)));
                observed.insert(address.clone(), found.map(|found| marked(&found, instance)));
            }
            Err(error) if error.kind == ErrorKind::NotFound => {
                observed.insert(address.clone(), None);
            }
            Err(error) => {
                let mut diagnostic = Diagnostic::error(
                    "P0010",
                    "Resource could not be read",
                    format!("{address}: {}", error.message),
                )
                .about(address);
                diagnostic.help = error.help;
                unreadable.insert(address.clone(), diagnostic);
            }
        }
    }
    observed
}

/// What was read, without what must not be kept.
fn withheld(address: &Address, found: Known, registry: &Registry) -> Known {
    let schema = registry.resource(address.resource_type());
    let kept = schema.map(|(_, schema)| schema.body.withhold(found.value()));
    kept.and_then(|kept| Known::new(kept).ok()).unwrap_or(found)
}

/// What was read, or what is recorded where only that differs which moves by itself.
fn settled(address: &Address, found: Known, (instance, registry): (&Instance, &Registry)) -> Known {
    let Some((_, schema)) = registry.resource(address.resource_type()) else {
        return found;
    };
    let recorded = plain(instance);
    if found == recorded {
        return recorded;
    }
    let still = |known: &Known| schema.body.still(known.value());
    match still(&found) == still(&recorded) {
        true => recorded,
        false => found,
    }
}

/// The attributes of an instance as its provider gets them.
pub(super) fn plain(instance: &Instance) -> Known {
    Known::new(instance.attributes.value().reveal_all()).unwrap_or_else(|_| Known::empty())
}

/// What was read, with the marks that were recorded.
fn marked(found: &Known, instance: &Instance) -> Known {
    let marks = instance.attributes.value().sensitive_paths();
    Known::new(found.value().mark(&marks)).unwrap_or_else(|_| found.clone())
}
