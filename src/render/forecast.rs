//! A forecast on its own: how it was chosen, its peaks, its chart.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::demand::tested;
use super::deployment::moment;
use super::outlook::percentile;
use super::svg::Points;
use super::{Role, Style, chart, drift};
use crate::forecast::{CLEARLY_BETTER, Candidate, Outcome, POOL};
use crate::plan::{Need, Prediction, Stage};
use crate::telemetry::offset;

/// How many horizons of history the chart shows before the forecast.
const SHOWN_HORIZONS: usize = 3;

/// A forecast for people, with a newline at the end.
#[must_use]
pub fn human(name: &str, prediction: &Prediction, style: &Style) -> String {
    let (forecast, frozen) = (&prediction.forecast, &prediction.frozen);
    let mut text = format!("{}\n", style.paint(Role::Bold, format!("forecast.{name}")));
    text.push_str(&facts(prediction, style));
    text.push('\n');
    let history: Vec<_> = shown(prediction)
        .into_iter()
        .filter_map(|(at, value)| Some((at, value?)))
        .collect();
    text.push_str(&chart::forecast(
        &history,
        &together(prediction),
        frozen,
        style,
    ));
    text.push_str(&needs(prediction, style));
    text.push_str(&peaks(prediction));
    text.push_str(&backtest(prediction));
    if forecast.method == POOL {
        let why = format!(
            "{POOL} combines several methods; a single one takes its place only with less than {:.0} % of its loss, because what was best before is often not best next.",
            CLEARLY_BETTER * 100.0
        );
        text.push('\n');
        for line in style.wrap(&why, 2) {
            let _ = writeln!(text, "  {line}");
        }
    }
    for note in &frozen.notes {
        text.push('\n');
        for line in style.wrap(&format!("Note: {note}."), 0) {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

/// What the forecast was made from, how, and whether that still resembles what is now.
fn facts(prediction: &Prediction, style: &Style) -> String {
    let (forecast, frozen) = (&prediction.forecast, &prediction.frozen);
    let gaps = match forecast.gaps {
        0 => String::new(),
        gaps => format!(", {gaps} missing"),
    };
    let telemetry = format!(
        "{}: {} values every {}{gaps}, until {}",
        frozen.source,
        forecast.observations,
        isobar_sdk::quantity::format_duration(forecast.step),
        moment(forecast.start)
    );
    let drift = drift::sentence(prediction.drift.as_ref());
    let chosen = format!(
        "chosen: {} ({})",
        forecast.method,
        tested(forecast.wape, forecast.folds)
    );
    let mut text = String::new();
    for fact in [telemetry, chosen, format!("drift: {drift}")] {
        for line in style.wrap(&fact, 2) {
            let _ = writeln!(text, "  {line}");
        }
    }
    text
}

/// The replicas of all deployments that follow the forecast, each time that they change.
fn together(prediction: &Prediction) -> Vec<(Timestamp, u32)> {
    let needs = &prediction.needs;
    let stages = needs.iter().flat_map(|need| &need.stages);
    let starts: BTreeSet<Timestamp> = stages.map(|stage| stage.start).collect();
    let at = |start: Timestamp| {
        let held = needs.iter().filter_map(|need| {
            let begun = need.stages.iter().rev().find(|stage| stage.start <= start);
            begun.map(|stage| stage.replicas)
        });
        (start, held.sum())
    };
    starts.into_iter().map(at).collect()
}

/// What deployments need, with the times of its changes.
fn needs(prediction: &Prediction, style: &Style) -> String {
    let mut text = String::new();
    for need in &prediction.needs {
        let Some(first) = need.stages.first() else {
            continue;
        };
        let later = need.stages.iter().skip(1);
        let later: String = later
            .map(|stage| {
                format!(
                    ", {} from {}",
                    stage.replicas,
                    stage.start.strftime("%a %H:%M")
                )
            })
            .collect();
        let line = format!(
            "deployment.{} needs {} replicas{later} (UTC; in one pool, without a reserve for what may be lost)",
            need.deployment, first.replicas
        );
        for (position, line) in style.wrap(&line, 4).into_iter().enumerate() {
            let indent = if position == 0 { 2 } else { 4 };
            let _ = writeln!(text, "{:indent$}{line}", "");
        }
    }
    match text.is_empty() {
        true => text,
        false => format!("\n{text}"),
    }
}

/// The greatest demand at each level; small rates with more digits.
fn peaks(prediction: &Prediction) -> String {
    let forecast = &prediction.forecast;
    let mut text = "\n  quantile   peak, req/s   at\n".to_owned();
    for level in &forecast.levels {
        if let Some(peak) = forecast.peak(*level) {
            let (label, at) = (percentile(*level), moment(peak.at));
            let decimals = if peak.value < 10.0 { 3 } else { 1 };
            let _ = writeln!(text, "  {label:<9} {:>13.decimals$}   {at}", peak.value);
        }
    }
    text
}

/// How every method did: its losses, and the share of values at or below each quantile.
fn backtest(prediction: &Prediction) -> String {
    let forecast = &prediction.forecast;
    let names = forecast.candidates.iter();
    let width = names.map(|candidate| candidate.method.len()).max();
    let width = width.unwrap_or(0).max("method".len());
    let mut text = format!("\n  {:width$} {:>9} {:>8}", "method", "pinball", "WAPE");
    for level in &forecast.levels {
        let _ = write!(text, " {:>7}", format!("≤{}", percentile(*level)));
    }
    text.push('\n');
    for candidate in &forecast.candidates {
        let _ = writeln!(text, "  {}", row(candidate, width));
    }
    text
}

fn row(candidate: &Candidate, width: usize) -> String {
    let (score, mark) = match &candidate.outcome {
        Outcome::Chosen(score) => (score, "  chosen"),
        Outcome::Beaten(score) => (score, ""),
        other => return format!("{:width$} {}", candidate.method, why_not(other)),
    };
    let mut text = format!(
        "{:width$} {:>9.3} {:>6.1} %",
        candidate.method,
        score.pinball,
        score.wape * 100.0
    );
    for share in &score.coverage {
        let _ = write!(text, " {:>5.1} %", share * 100.0);
    }
    text + mark
}

/// Why a method has no figures.
pub(super) fn why_not(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unfit(reason) => format!("not fit: {reason}"),
        Outcome::Chosen(_) | Outcome::Beaten(_) => String::new(),
    }
}

/// The end of the series, as long as a few horizons.
pub(super) fn shown(prediction: &Prediction) -> Points {
    let series = &prediction.series;
    let horizon = prediction.forecast.quantiles.first().map_or(0, Vec::len);
    let shown = horizon
        .saturating_mul(SHOWN_HORIZONS)
        .min(series.values().len());
    let first = series.values().len() - shown;
    let at = |slot| offset(series.start(), series.step(), slot);
    let values = series.values().iter().enumerate().skip(first);
    values
        .filter_map(|(slot, value)| Some((at(slot)?, *value)))
        .collect()
}

/// A forecast for programs.
#[must_use]
pub fn json(prediction: &Prediction) -> Json {
    let (forecast, frozen) = (&prediction.forecast, &prediction.frozen);
    let candidate = |candidate: &Candidate| match &candidate.outcome {
        Outcome::Chosen(score) | Outcome::Beaten(score) => json!({
            "method": candidate.method,
            "chosen": matches!(candidate.outcome, Outcome::Chosen(_)),
            "pinball": score.pinball,
            "wape": score.wape,
            "coverage": score.coverage,
        }),
        Outcome::Unfit(reason) => {
            json!({ "method": candidate.method, "chosen": false, "unfit": reason.to_string() })
        }
    };
    let peaks: Vec<Json> = forecast
        .levels
        .iter()
        .filter_map(|level| {
            let peak = forecast.peak(*level)?;
            Some(json!({ "level": level, "value": peak.value, "at": peak.at.to_string() }))
        })
        .collect();
    json!({
        "source": frozen.source,
        "series_digest": frozen.series_digest,
        "observations": forecast.observations,
        "gaps": forecast.gaps,
        "method": forecast.method,
        "wape": forecast.wape,
        "folds": forecast.folds,
        "start": forecast.start.to_string(),
        "step_seconds": forecast.step.as_secs_f64(),
        "levels": forecast.levels,
        "quantiles": forecast.quantiles,
        "peaks": peaks,
        "candidates": forecast.candidates.iter().map(candidate).collect::<Vec<_>>(),
        "needs": prediction.needs.iter().map(need).collect::<Vec<_>>(),
        "drift": drift::recent(prediction.drift.as_ref()),
        "notes": frozen.notes,
        "expires": frozen.expires.to_string(),
    })
}

fn need(need: &Need) -> Json {
    let stage = |stage: &Stage| {
        json!({
            "start": stage.start.to_string(),
            "replicas": stage.replicas,
            "rate": stage.rate,
        })
    };
    json!({
        "deployment": need.deployment,
        "stages": need.stages.iter().map(stage).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_forecast_on_its_own() {
        let prediction = sample::prediction();
        let text = human("web", &prediction, &Style::plain(80));
        insta::assert_snapshot!(text);
        assert!(text.lines().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn an_error_that_nobody_measured_is_not_told_as_none() {
        let mut prediction = sample::prediction();
        prediction.forecast.wape = None;
        let text = human("web", &prediction, &Style::plain(80));
        assert!(
            text.contains("chosen: mstl_ets (error not measured)"),
            "{text}"
        );
        assert_eq!(json(&prediction)["wape"], Json::Null);
    }

    #[test]
    fn programs_get_the_drift_too() {
        let mut prediction = sample::prediction();
        assert_eq!(json(&prediction)["drift"]["verdict"], "steady");
        prediction.drift = None;
        assert_eq!(json(&prediction)["drift"], Json::Null);
    }
}
