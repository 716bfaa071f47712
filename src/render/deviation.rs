//! Where what is there has come away from what is wanted, for people and for programs.

use std::fmt::Write;

use serde_json::{Value as Json, json};

use super::style::{Role, Style};
use crate::plan::{Deviation, Deviations};

/// For people.
#[must_use]
pub fn human(found: &Deviations, style: &Style) -> String {
    let mut text = String::new();
    let mut kind = "";
    for deviation in &found.deviations {
        if deviation.kind() != kind {
            kind = deviation.kind();
            let _ = writeln!(text, "{}", style.paint(Role::Bold, heading(kind)));
        }
        let _ = writeln!(text, "  {}", sentence(deviation));
    }
    if found.deviations.is_empty() {
        text.push_str("No drift. What is there is as it was applied, and as demand asks for.\n");
    }
    match found.configured {
        0 => {}
        1 => text.push_str("\n1 other change only follows from the configuration.\n"),
        more => {
            let _ = writeln!(
                text,
                "\n{more} other changes only follow from the configuration."
            );
        }
    }
    text
}

fn heading(kind: &str) -> &'static str {
    match kind {
        "infrastructure" => "Infrastructure: changed outside of Isobar since the last apply",
        "version" => "Model version: others are served than those wanted",
        _ => "Capacity: other replicas run than are needed now",
    }
}

fn sentence(deviation: &Deviation) -> String {
    match deviation {
        Deviation::Gone { address } => format!("{address} is gone"),
        Deviation::Changed {
            address,
            attributes,
        } => format!("{address}: {}", attributes.join(", ")),
        Deviation::Capacity {
            deployment,
            zone,
            before,
            after,
            why,
        } => format!("deployment.{deployment} in {zone}: {before} → {after}, {why}"),
        Deviation::Version {
            deployment,
            zone,
            before,
            after,
        } => {
            let list = |versions: &std::collections::BTreeSet<String>| {
                versions.iter().cloned().collect::<Vec<_>>().join(", ")
            };
            format!(
                "deployment.{deployment} in {zone}: {} → {}",
                list(before),
                list(after)
            )
        }
    }
}

/// For programs.
#[must_use]
pub fn json(found: &Deviations) -> Json {
    let findings: Vec<Json> = found.deviations.iter().map(finding).collect();
    json!({
        "format_version": "1.0",
        "drifted": !findings.is_empty(),
        "findings": findings,
        "configured": found.configured,
    })
}

fn finding(deviation: &Deviation) -> Json {
    let kind = deviation.kind();
    match deviation {
        Deviation::Gone { address } => {
            json!({ "kind": kind, "address": address.to_string(), "gone": true })
        }
        Deviation::Changed {
            address,
            attributes,
        } => json!({
            "kind": kind, "address": address.to_string(), "gone": false, "attributes": attributes,
        }),
        Deviation::Capacity {
            deployment,
            zone,
            before,
            after,
            why,
        } => json!({
            "kind": kind, "deployment": deployment, "zone": zone,
            "before": before, "after": after, "why": why,
        }),
        Deviation::Version {
            deployment,
            zone,
            before,
            after,
        } => json!({
            "kind": kind, "deployment": deployment, "zone": zone, "before": before, "after": after,
        }),
    }
}
