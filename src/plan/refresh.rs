//! What is really there: bounded reads of every recorded instance, in parallel.

use std::collections::BTreeMap;

use futures::StreamExt;
use isobar_sdk::provider::Read;
use isobar_sdk::{Address, Diagnostic, Diagnostics, ErrorKind, Known};

use crate::event::{Event, Sink};
use crate::registry::Providers;
use crate::state::{Instance, State};

/// What each instance that is `wanted` is now; `None` for what is gone. Instances that could not be read are
/// reported and left out.
pub(super) async fn refresh(
    (state, wanted): (&State, &dyn Fn(&Address) -> bool),
    providers: &Providers,
    parallelism: usize,
    sink: &dyn Sink,
    diagnostics: &mut Diagnostics,
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
    let mut results = futures::stream::iter(reads).buffered(parallelism.max(1));
    while let Some((address, instance, result)) = results.next().await {
        match result {
            Ok(found) => {
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
                diagnostics.push(diagnostic);
            }
        }
    }
    observed
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
