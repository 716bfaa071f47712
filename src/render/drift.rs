//! Whether values are distributed as before, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value as Json, json};

use super::style::{Role, Style};
use crate::forecast::drift::{Comparison, Finding, Recent, Signal, Verdict, WINDOW, WINDOWS};

/// The drift of a series as a clause for people.
#[must_use]
pub fn sentence(recent: Option<&Recent>) -> String {
    let Some(recent) = recent else {
        return "unknown; the history is too short, or its values follow one another too closely"
            .to_owned();
    };
    let (judged, before) = match (recent.days, recent.spans) {
        (1, spans) => ("last day".to_owned(), format!("{spans} days")),
        (days, spans) => (format!("last {days} days"), format!("{spans} weeks")),
    };
    let mut text = format!(
        "{}; the {judged} against the {before} before",
        recent.finding.verdict.name()
    );
    if let Some(window) = recent.finding.windows.last() {
        let _ = write!(text, ": {}", measures(window));
    }
    text
}

fn measures(window: &Comparison) -> String {
    format!(
        "PSI {:.2} (limit {:.2}), distance {:.2} (limit {:.2})",
        window.psi, window.psi_threshold, window.distance, window.distance_threshold
    )
}

/// Findings on features for people: the worst first.
#[must_use]
pub fn human(findings: &[Finding], style: &Style) -> String {
    let mut ordered: Vec<_> = findings.iter().collect();
    ordered.sort_by(|a, b| b.verdict.cmp(&a.verdict).then(a.feature.cmp(&b.feature)));
    let width = ordered.iter().map(|one| one.feature.chars().count()).max();
    let width = width.unwrap_or(0).max("feature".len());
    let header = format!(
        "{:width$}  verdict  windows  PSI (limit)  distance (limit)",
        "feature"
    );
    let mut text = format!("{}\n", style.paint(Role::Bold, header));
    for finding in ordered {
        let _ = writeln!(text, "{}", row(finding, width));
    }
    let _ = write!(
        text,
        "\n{}",
        conclusion(&Signal::of(findings), findings, style)
    );
    text
}

/// The window that differs least, as all of them must differ.
fn row(finding: &Finding, width: usize) -> String {
    let least = |a: &&Comparison, b: &&Comparison| a.distance.total_cmp(&b.distance);
    let Some(window) = finding.windows.iter().min_by(least) else {
        return format!(
            "{:width$}  unknown        -  {} and {} values are too few",
            finding.feature, finding.reference, finding.current
        );
    };
    format!(
        "{:width$}  {:<7}  {:>7}  {:>4.2} ({:.2})  {:>8.2} ({:.2})",
        finding.feature,
        finding.verdict.name(),
        finding.windows.len(),
        window.psi,
        window.psi_threshold,
        window.distance,
        window.distance_threshold
    )
}

fn conclusion(signal: &Signal, findings: &[Finding], style: &Style) -> String {
    let prose = match signal {
        Signal::Drift {
            features,
            confirmed,
        } => {
            let reservation = match confirmed {
                true => String::new(),
                false => format!(
                    " An alarm rests on {WINDOWS} windows of {WINDOW} values; there were fewer."
                ),
            };
            format!("Drift of {}.{reservation}", features.join(", "))
        }
        Signal::Watch { features } => format!(
            "No drift, but {} should be watched: not every measure differs.",
            features.join(", ")
        ),
        Signal::Steady if findings.iter().all(|one| one.verdict == Verdict::Unknown) => {
            "There are too few values to tell.".to_owned()
        }
        Signal::Steady => "No drift.".to_owned(),
    };
    style
        .wrap(&prose, 0)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}

/// Findings on features for programs.
#[must_use]
pub fn json(findings: &[Finding]) -> Json {
    let signal = Signal::of(findings);
    let (name, confirmed) = match &signal {
        Signal::Steady => ("steady", false),
        Signal::Watch { .. } => ("watch", false),
        Signal::Drift { confirmed, .. } => ("drift", *confirmed),
    };
    let features = findings
        .iter()
        .map(|one| (one.feature.clone(), finding(one)));
    let features: Map<_, _> = features.collect();
    json!({ "signal": name, "confirmed": confirmed, "features": features })
}

fn finding(finding: &Finding) -> Json {
    let window = |window: &Comparison| {
        json!({
            "psi": window.psi,
            "psi_threshold": window.psi_threshold,
            "distance": window.distance,
            "distance_threshold": window.distance_threshold,
            "chance": window.chance,
        })
    };
    json!({
        "verdict": finding.verdict.name(),
        "reference": finding.reference,
        "current": finding.current,
        "windows": finding.windows.iter().map(window).collect::<Vec<_>>(),
    })
}

/// The drift of a series for programs; `null` where it is unknown.
#[must_use]
pub fn recent(recent: Option<&Recent>) -> Json {
    let Some(recent) = recent else {
        return Json::Null;
    };
    let mut value = finding(&recent.finding);
    value["days"] = json!(recent.days);
    value["reference_spans"] = json!(recent.spans);
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::drift::{Feature, findings};

    fn feature(name: &str, count: u32, shift: f64) -> Feature {
        let values = |shift: f64| {
            (0..count)
                .map(|place| f64::from(place % 97) + shift)
                .collect()
        };
        Feature {
            name: name.to_owned(),
            reference: values(0.0),
            current: values(shift),
        }
    }

    #[test]
    fn the_worst_feature_comes_first() {
        let features = [
            feature("age", 3000, 1.0),
            feature("amount", 3000, 60.0),
            feature("rare", 12, 60.0),
        ];
        let found = findings(&features);
        insta::assert_snapshot!(human(&found, &Style::plain(80)));
        let json = json(&found);
        assert_eq!(
            (&json["signal"], &json["confirmed"]),
            (&json!("drift"), &json!(true))
        );
        assert_eq!(json["features"]["rare"]["verdict"], "unknown");
    }

    #[test]
    fn a_series_is_told_with_what_it_was_compared() {
        let finding = findings(&[feature("demand", 168, 60.0)]).remove(0);
        let week = Recent {
            days: 7,
            spans: 4,
            finding,
        };
        let text = sentence(Some(&week));
        assert!(
            text.starts_with("drift; the last 7 days against the 4 weeks before: PSI "),
            "{text}"
        );
        assert_eq!(recent(None), Json::Null);
        assert_eq!(recent(Some(&week))["days"], 7);
        assert!(sentence(None).starts_with("unknown"));
    }
}
