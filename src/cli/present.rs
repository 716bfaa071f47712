//! Values to text and JSON, for the commands: the one seam to rendering.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use isobar_sdk::{Address, Diagnostic, Diagnostics, Severity, json};
use serde_json::{Value as Json, json};

use crate::apply::Report;
use crate::change::Action;
use crate::event::Event;
use crate::language::Sources;
use crate::plan::{FrozenForecast, Mode, Names, Plan};
use crate::state::{Instance, OutputValue, State};

/// Whether text is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    /// It is.
    Always,
    /// It is not.
    Never,
}

/// How text is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// Whether with colours.
    pub(super) colour: Colour,
    /// Columns.
    pub(super) width: usize,
}

/// Text within JSON.
const PLAIN: Style = Style {
    colour: Colour::Never,
    width: 80,
};

/// What is wrong, for people.
pub(super) fn diagnostic(diagnostic: &Diagnostic, sources: &Sources, style: &Style) -> String {
    let label = match diagnostic.severity {
        Severity::Error => "Error",
        Severity::Warning => "Warning",
    };
    let bold = match style.colour {
        Colour::Always => anstyle::Style::new().bold(),
        Colour::Never => anstyle::Style::new(),
    };
    let (code, summary) = (diagnostic.code, diagnostic.summary);
    let mut text = format!("{bold}{label} {code}: {summary}{bold:#}\n");
    let subject = diagnostic.subject.as_ref();
    if let Some((span, excerpt)) = subject.and_then(|span| Some((span, sources.excerpt(span)?))) {
        let _ = writeln!(
            text,
            "  on {} line {}:\n  {}",
            span.file, excerpt.line, excerpt.text
        );
    }
    let options = textwrap::Options::new(style.width)
        .initial_indent("  ")
        .subsequent_indent("  ")
        .break_words(false);
    for paragraph in std::iter::once(&diagnostic.detail).chain(&diagnostic.help) {
        let _ = writeln!(text, "{}", textwrap::fill(paragraph, &options));
    }
    text
}

/// What is wrong, for programs.
pub(super) fn diagnostic_json(diagnostic: &Diagnostic, sources: &Sources) -> Json {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let mut document = json!({
        "severity": severity,
        "code": diagnostic.code,
        "summary": diagnostic.summary,
        "detail": diagnostic.detail,
    });
    let subject = diagnostic.subject.as_ref();
    if let Some((span, excerpt)) = subject.and_then(|span| Some((span, sources.excerpt(span)?))) {
        document["range"] = json!({
            "filename": &*span.file,
            "start": { "line": excerpt.line, "column": excerpt.column, "byte": span.start },
        });
    }
    if let Some(help) = &diagnostic.help {
        document["help"] = json!(help);
    }
    document
}

/// The answer of `validate -json`.
pub(super) fn validation_json(diagnostics: &Diagnostics, sources: &Sources) -> Json {
    let count = |severity| {
        diagnostics
            .iter()
            .filter(|d| d.severity == severity)
            .count()
    };
    json!({
        "format_version": "1.0",
        "valid": !diagnostics.has_errors(),
        "error_count": count(Severity::Error),
        "warning_count": count(Severity::Warning),
        "diagnostics": diagnostics
            .iter()
            .map(|diagnostic| diagnostic_json(diagnostic, sources))
            .collect::<Vec<_>>(),
    })
}

fn line(level: &str, kind: &str, message: &str) -> Json {
    json!({ "@level": level, "@message": message, "@module": "isobar.ui", "type": kind })
}

/// What is wrong, as an event.
pub(super) fn diagnostic_event(diagnostic: &Diagnostic, sources: &Sources) -> Json {
    let (level, label) = match diagnostic.severity {
        Severity::Error => ("error", "Error"),
        Severity::Warning => ("warn", "Warning"),
    };
    let message = format!("{label}: {}", diagnostic.summary);
    let mut event = line(level, "diagnostic", &message);
    event["diagnostic"] = diagnostic_json(diagnostic, sources);
    event
}

/// A message, as an event.
pub(super) fn message_json(text: &str) -> Json {
    line("info", "log", text.trim())
}

/// The first event.
pub(super) fn version_event() -> Json {
    let version = env!("CARGO_PKG_VERSION");
    let mut event = line("info", "version", &format!("Isobar {version}"));
    event["isobar"] = json!(version);
    event["ui"] = json!("1.2");
    event
}

fn verb(action: Action) -> (&'static str, &'static str, &'static str) {
    match action {
        Action::Keep => ("Keeping", "Keep", "no-op"),
        Action::Create => ("Creating", "Creation", "create"),
        Action::Update => ("Modifying", "Modifications", "update"),
        Action::Replace => ("Replacing", "Replacement", "replace"),
        Action::Delete => ("Destroying", "Destruction", "delete"),
    }
}

/// An event, for people.
pub(super) fn event(event: &Event, elapsed: Duration, _: &Style) -> String {
    let seconds = elapsed.as_secs();
    match event {
        Event::RefreshStart { address } => format!("{address}: Refreshing state..."),
        Event::RefreshComplete { address } => format!("{address}: Refresh complete"),
        Event::ForecastStart { name } => format!("forecast.{name}: Forecasting..."),
        Event::ForecastComplete { name, method } => {
            format!("forecast.{name}: Forecast complete with {method}")
        }
        Event::ApplyStart { address, action } => format!("{address}: {}...", verb(*action).0),
        Event::ApplyComplete {
            address, action, ..
        } => {
            format!("{address}: {} complete after {seconds}s", verb(*action).1)
        }
        Event::ApplyErrored {
            address,
            action,
            message,
        } => {
            format!(
                "{address}: {} failed after {seconds}s: {message}",
                verb(*action).1
            )
        }
        Event::ApplySkipped { address, .. } => format!("{address}: Skipped"),
    }
}

/// An event, for programs.
pub(super) fn event_json(event: &Event, elapsed: Duration) -> Json {
    let message = self::event(event, elapsed, &PLAIN);
    let (kind, address, action) = match event {
        Event::RefreshStart { address } => ("refresh_start", Some(address), None),
        Event::RefreshComplete { address } => ("refresh_complete", Some(address), None),
        Event::ForecastStart { .. } => ("forecast_start", None, None),
        Event::ForecastComplete { .. } => ("forecast_complete", None, None),
        Event::ApplyStart { address, action } => ("apply_start", Some(address), Some(action)),
        Event::ApplyComplete {
            address, action, ..
        } => ("apply_complete", Some(address), Some(action)),
        Event::ApplyErrored {
            address, action, ..
        } => ("apply_errored", Some(address), Some(action)),
        Event::ApplySkipped { address, action } => ("apply_skipped", Some(address), Some(action)),
    };
    let mut document = line("info", kind, &message);
    document["hook"] = json!({
        "resource": { "addr": address.map(ToString::to_string) },
        "action": action.map(|action| verb(*action).2),
        "elapsed_seconds": elapsed.as_secs(),
    });
    document
}

/// A change that is still under way, for people.
pub(super) fn still(address: &Address, action: Action, elapsed: Duration) -> String {
    let verb = verb(action).0.to_lowercase();
    format!(
        "{address}: Still {verb}... [{}s elapsed]",
        elapsed.as_secs()
    )
}

/// A change that is still under way, for programs.
pub(super) fn still_json(address: &Address, action: Action, elapsed: Duration) -> Json {
    let mut document = line("info", "apply_progress", &still(address, action, elapsed));
    document["hook"] = json!({
        "resource": { "addr": address.to_string() },
        "action": verb(action).2,
        "elapsed_seconds": elapsed.as_secs(),
    });
    document
}

/// A plan, for people.
pub(super) fn plan(plan: &Plan, _: &Style) -> String {
    if !plan.has_changes() {
        return "No changes. What is there is what the configuration says.\n".to_owned();
    }
    let mut text = String::new();
    for (address, planned) in plan.actions() {
        let _ = writeln!(text, "  {address}: {}", verb(planned.change.action()).2);
    }
    text
}

/// A plan as one document.
pub(super) fn plan_json(plan: &Plan) -> Json {
    let changes = plan.changes.iter().map(|(address, planned)| {
        json!({
            "address": address.to_string(),
            "change": { "actions": [verb(planned.change.action()).2] },
        })
    });
    json!({ "format_version": "1.2", "resource_changes": changes.collect::<Vec<_>>() })
}

/// A plan as events.
pub(super) fn plan_events(plan: &Plan) -> Vec<Json> {
    let changes = plan.actions().map(|(address, planned)| {
        let action = verb(planned.change.action()).2;
        let mut event = line(
            "info",
            "planned_change",
            &format!("{address}: Plan to {action}"),
        );
        event["change"] = json!({ "resource": { "addr": address.to_string() }, "action": action });
        event
    });
    let mut events: Vec<Json> = changes.collect();
    let count = |action| plan.count(action) + plan.count(Action::Replace);
    events.push(summary_event(
        count(Action::Create),
        plan.count(Action::Update),
        count(Action::Delete),
        "plan",
    ));
    events
}

fn summary_event(add: usize, change: usize, remove: usize, operation: &str) -> Json {
    let message = format!("{operation}: {add} to add, {change} to change, {remove} to destroy.");
    let mut event = line("info", "change_summary", &message);
    event["changes"] =
        json!({ "add": add, "change": change, "remove": remove, "operation": operation });
    event
}

fn counts(report: &Report) -> (usize, usize, usize) {
    let count = |kind| {
        report
            .done
            .iter()
            .filter(|(_, action)| *action == kind)
            .count()
    };
    let replaced = count(Action::Replace);
    let created = count(Action::Create) + replaced;
    (
        created,
        count(Action::Update),
        count(Action::Delete) + replaced,
    )
}

/// What became of an apply, for people.
pub(super) fn report(report: &Report, mode: Mode) -> String {
    let (added, changed, destroyed) = counts(report);
    let (what, end) = match mode {
        Mode::Destroy => ("Destroy", "complete"),
        _ => ("Apply", "complete"),
    };
    let end = if report.interrupted {
        "interrupted"
    } else if report.diagnostics.has_errors() {
        "incomplete"
    } else {
        end
    };
    let mut text = format!(
        "\n{what} {end}! Resources: {added} added, {changed} changed, {destroyed} destroyed.\n"
    );
    if !report.skipped.is_empty() {
        let _ = writeln!(text, "{} changes were not begun.", report.skipped.len());
    }
    text
}

/// What became of an apply, as events.
pub(super) fn report_events(report: &Report, mode: Mode) -> Vec<Json> {
    let (added, changed, destroyed) = counts(report);
    let operation = if mode == Mode::Destroy {
        "destroy"
    } else {
        "apply"
    };
    let mut events = vec![summary_event(added, changed, destroyed, operation)];
    if let Some(state) = &report.state {
        let mut event = line(
            "info",
            "outputs",
            &format!("Outputs: {}", state.outputs.len()),
        );
        event["outputs"] = outputs_json(&state.outputs, Secrets::Hidden);
        events.push(event);
    }
    events
}

/// Whether sensitive values are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secrets {
    /// They are.
    Shown,
    /// They are not.
    Hidden,
}

/// All outputs, for people.
pub(super) fn outputs(outputs: &BTreeMap<String, OutputValue>, _: &Style) -> String {
    let mut text = String::new();
    for (name, output) in outputs {
        let _ = writeln!(text, "{name} = {}", output.value.value());
    }
    text
}

/// One output, for people; shown even if it is sensitive, as it was asked for by name.
pub(super) fn output(output: &OutputValue, _: &Style) -> String {
    format!("{}\n", output.value.value().reveal_all())
}

/// All outputs, for programs.
pub(super) fn outputs_json(outputs: &BTreeMap<String, OutputValue>, secrets: Secrets) -> Json {
    let output = |output: &OutputValue| {
        let value = output.value.value();
        let sensitive = value.contains_sensitive();
        let mut document = json!({
            "sensitive": sensitive,
            "type": json::encode_type(&isobar_sdk::Type::of(value)),
        });
        if secrets == Secrets::Shown || !sensitive {
            document["value"] = json::encode(value);
        }
        document
    };
    outputs
        .iter()
        .map(|(name, value)| (name.clone(), output(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// A state, for people.
pub(super) fn state(state: Option<&State>, style: &Style) -> String {
    let Some(state) = state else {
        return "There is no state.\n".to_owned();
    };
    let instances = state.instances.iter();
    instances
        .map(|(address, found)| instance(address, found, style))
        .collect()
}

/// A state, for programs.
pub(super) fn state_json(state: Option<&State>) -> Json {
    let mut document = json!({ "format_version": "1.0" });
    if let Some(state) = state {
        let resources = state.instances.iter().map(|(address, instance)| {
            json!({
                "address": address.to_string(),
                "values": json::encode(instance.attributes.value()),
            })
        });
        document["values"] = json!({
            "outputs": outputs_json(&state.outputs, Secrets::Shown),
            "root_module": { "resources": resources.collect::<Vec<_>>() },
        });
    }
    document
}

/// One resource of a state, for people.
pub(super) fn instance(address: &Address, instance: &Instance, _: &Style) -> String {
    let mut text = format!("# {address}:\n");
    for (name, value) in instance
        .attributes
        .value()
        .fields()
        .into_iter()
        .flat_map(|f| f.iter())
    {
        let _ = writeln!(text, "    {name} = {value}");
    }
    text
}

/// The graph of names in the DOT language: an arrow from what refers to what is referred to.
pub(super) fn dot(names: &Names) -> String {
    let quoted = |node: &dyn ToString| Json::from(node.to_string());
    let mut text = String::from("digraph isobar {\n  rankdir = \"RL\";\n  node [shape = rect];\n");
    for node in names.dag.nodes() {
        let _ = writeln!(text, "  {};", quoted(node));
    }
    for (dependent, dependency) in names.dag.edges() {
        let _ = writeln!(text, "  {} -> {};", quoted(dependent), quoted(dependency));
    }
    text.push_str("}\n");
    text
}

/// A forecast with its chart, for people.
pub(super) fn forecast(name: &str, forecast: &FrozenForecast, _: &Style) -> String {
    format!(
        "forecast.{name}: {} from {}, backtest error {:.1} %, expires {}\n",
        forecast.method,
        forecast.source,
        forecast.wape * 100.0,
        forecast.expires
    )
}

/// Forecasts, for programs.
pub(super) fn forecasts_json(forecasts: &BTreeMap<String, FrozenForecast>) -> Json {
    let forecast = |forecast: &FrozenForecast| {
        json!({
            "source": forecast.source,
            "series_digest": forecast.series_digest,
            "method": forecast.method,
            "wape": forecast.wape,
            "start": forecast.start.to_string(),
            "step_seconds": forecast.step.as_secs(),
            "levels": forecast.levels,
            "quantiles": forecast.quantiles,
            "expires": forecast.expires.to_string(),
        })
    };
    forecasts
        .iter()
        .map(|(name, value)| (name.clone(), forecast(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
