//! Forecasts as a page for browsers: self-contained, without scripts.

use std::fmt::Write;

use isobar_sdk::quantity::format_duration;

use super::deployment::moment;
use super::outlook::{outlook, percentile};
use super::svg::{escaped, number};
use super::{drift, forecast};
use crate::forecast::{Candidate, Outcome};
use crate::plan::Prediction;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:56rem;padding:1.5rem 1rem;\
color:#1f2937;background:#fff}\
h1{font-size:1.5rem;margin:0 0 1rem}h2{font-size:1.25rem;margin:2rem 0 .5rem}\
h3{font-size:1rem;margin:1.5rem 0 .5rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1rem;margin:.5rem 0}\
dt{color:#6b7280}dd{margin:0;overflow-wrap:anywhere}\
figure,.wide{margin:1rem 0;overflow-x:auto}\
figure{border:1px solid #e5e7eb;border-radius:6px}\
svg{display:block;width:100%;min-width:34rem}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}\
th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #e5e7eb}\
th:first-child,td:first-child{text-align:left;padding-left:0}th{font-weight:600}\
tr.chosen td{font-weight:600}td.why{text-align:left;color:#6b7280;white-space:normal}\
@media (max-width:34rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}\
@media (prefers-color-scheme:dark){body{color:#e5e7eb;background:#111827}\
dt,td.why{color:#9ca3af}figure,th,td{border-color:#374151}}";

/// A page with these forecasts.
#[must_use]
pub fn page<'a>(predictions: impl Iterator<Item = (&'a str, &'a Prediction)>) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Forecasts</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Forecasts</h1>\n"
    );
    for (place, (name, prediction)) in predictions.enumerate() {
        let id = format!("chart-{}", place + 1);
        let _ = writeln!(text, "<section>\n<h2>forecast.{}</h2>", escaped(name));
        text.push_str(&summary(prediction));
        let chart = outlook(name, &id, prediction);
        let _ = writeln!(text, "<figure>\n{chart}</figure>");
        text.push_str(&peaks(prediction));
        text.push_str(&backtest(prediction));
        text.push_str(&notes(prediction));
        text.push_str("</section>\n");
    }
    text.push_str("</body>\n</html>\n");
    text
}

fn summary(prediction: &Prediction) -> String {
    let (forecast, frozen) = (&prediction.forecast, &prediction.frozen);
    let facts = [
        ("Source", frozen.source.clone()),
        (
            "History",
            format!(
                "{} values every {}, {} missing, until {}",
                forecast.observations,
                format_duration(forecast.step),
                forecast.gaps,
                moment(forecast.start)
            ),
        ),
        ("Forecast until", moment(forecast.end())),
        (
            "Method",
            match forecast.wape {
                Some(wape) => format!(
                    "{}: WAPE {:.1} % in a backtest from {} origins",
                    forecast.method,
                    wape * 100.0,
                    forecast.folds
                ),
                None => format!("{}: error not measured", forecast.method),
            },
        ),
        ("Drift", drift::sentence(prediction.drift.as_ref())),
        ("Valid until", moment(frozen.expires)),
    ];
    let mut text = "<dl>\n".to_owned();
    for (term, fact) in facts {
        let _ = writeln!(text, "<dt>{term}</dt><dd>{}</dd>", escaped(&fact));
    }
    text + "</dl>\n"
}

fn peaks(prediction: &Prediction) -> String {
    let mut text = "<h3>Peaks</h3>\n<div class=\"wide\"><table>\n\
                    <tr><th>Quantile</th><th>req/s</th><th>at</th></tr>\n"
        .to_owned();
    for level in &prediction.forecast.levels {
        if let Some(peak) = prediction.forecast.peak(*level) {
            let _ = writeln!(
                text,
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
                percentile(*level),
                number(peak.value),
                moment(peak.at)
            );
        }
    }
    text + "</table></div>\n"
}

fn backtest(prediction: &Prediction) -> String {
    let levels = &prediction.forecast.levels;
    let mut text = "<h3>Backtest</h3>\n<div class=\"wide\"><table>\n\
                    <tr><th>Method</th><th>Pinball loss</th><th>WAPE</th>"
        .to_owned();
    for level in levels {
        let _ = write!(text, "<th>Within {}</th>", percentile(*level));
    }
    text.push_str("</tr>\n");
    for candidate in &prediction.forecast.candidates {
        text.push_str(&row(candidate, levels.len()));
    }
    text + "</table></div>\n"
}

fn row(candidate: &Candidate, levels: usize) -> String {
    let method = escaped(candidate.method);
    let (score, class) = match &candidate.outcome {
        Outcome::Chosen(score) => (score, " class=\"chosen\""),
        Outcome::Beaten(score) => (score, ""),
        other => {
            let columns = levels + 2;
            let why = escaped(&forecast::why_not(other));
            return format!(
                "<tr><td>{method}</td><td class=\"why\" colspan=\"{columns}\">{why}</td></tr>\n"
            );
        }
    };
    let mut text = format!(
        "<tr{class}><td>{method}</td><td>{}</td><td>{:.1} %</td>",
        number(score.pinball),
        score.wape * 100.0
    );
    for share in &score.coverage {
        let _ = write!(text, "<td>{:.1} %</td>", share * 100.0);
    }
    text + "</tr>\n"
}

fn notes(prediction: &Prediction) -> String {
    if prediction.frozen.notes.is_empty() {
        return String::new();
    }
    let notes = prediction.frozen.notes.iter();
    let notes: String = notes
        .map(|note| format!("<li>{}</li>\n", escaped(note)))
        .collect();
    format!("<h3>Notes</h3>\n<ul>\n{notes}</ul>\n")
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_page_needs_nothing_else() {
        let prediction = sample::prediction();
        let text = page([("web", &prediction)].into_iter());
        for outside in ["<script", "http-equiv", "src=", "href=", "@import", "url("] {
            assert!(!text.contains(outside), "{outside}");
        }
        let (head, tail) = text.split_once("<figure>").unwrap();
        let (_, tail) = tail.split_once("</figure>").unwrap();
        insta::assert_snapshot!(format!("{head}<figure>…</figure>{tail}"));
    }

    #[test]
    fn charts_of_one_page_have_their_own_names() {
        let prediction = sample::prediction();
        let text = page([("a", &prediction), ("b", &prediction)].into_iter());
        assert!(text.contains("id=\"chart-1-title\"") && text.contains("id=\"chart-2-title\""));
    }
}
