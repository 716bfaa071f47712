//! The versions of a state, and the difference between two of them.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::instance;
use crate::state::{Instance, State, Version};

/// All versions, the oldest first.
#[must_use]
pub fn versions(versions: &[Version]) -> Json {
    let versions: Vec<Json> = versions.iter().map(version).collect();
    json!({ "format_version": "1.0", "versions": versions })
}

fn version(version: &Version) -> Json {
    json!({
        "serial": version.serial,
        "lineage": version.lineage,
        "at": version.at,
        "command": version.command,
        "who": version.who,
        "changes": {
            "added": version.tally.added,
            "changed": version.tally.changed,
            "removed": version.tally.removed,
        },
        "size": version.size,
        "stored": version.stored,
    })
}

/// What differs between two states, instance by instance; null where there was or is none.
#[must_use]
pub fn difference(before: &State, after: &State) -> Json {
    let addresses: BTreeSet<_> = before
        .instances
        .keys()
        .chain(after.instances.keys())
        .collect();
    let changes: Vec<Json> = addresses
        .into_iter()
        .filter_map(|address| {
            let (old, new) = (before.instances.get(address), after.instances.get(address));
            let side = |side: Option<&Instance>| side.map(|found| instance(address, found));
            (old != new).then(|| {
                json!({ "address": address.to_string(), "before": side(old), "after": side(new) })
            })
        })
        .collect();
    json!({
        "format_version": "1.0",
        "before": before.serial,
        "after": after.serial,
        "changes": changes,
    })
}
