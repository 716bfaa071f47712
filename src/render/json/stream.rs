//! The messages of `plan -json` and `apply -json`, one JSON object each.
//!
//! They follow Terraform's machine-readable UI. The caller adds `@timestamp` and ends each with a
//! newline. Messages of types that Terraform does not have are to be ignored by its readers.

use std::time::Duration;

use isobar_sdk::diagnostic::Severity;
use isobar_sdk::{Address, Diagnostic, Known, Value};
use serde_json::{Value as Json, json};

use super::VERSION;
use super::resource::{Object, key, module, output, shown};
use crate::apply::Report;
use crate::change::{Action, Reason};
use crate::event::Event;
use crate::language::Sources;
use crate::package::Step;
use crate::plan::{Mode, Plan, Refresh};
use crate::render;
use crate::render::diagnostic;
use crate::render::event::{plain, still, text};
use crate::render::plan::{Counts, MINIMAL, applied, imports, summary};

/// The version of Terraform's machine-readable UI that the messages follow.
const UI: &str = "1.2";

/// The first message.
#[must_use]
pub fn version() -> Json {
    let fields = json!({ "isobar": VERSION, "ui": UI });
    message("info", &format!("Isobar {VERSION}"), "version", fields)
}

/// A diagnostic.
#[must_use]
pub fn diagnostic_message(found: &Diagnostic, sources: &Sources) -> Json {
    let (level, word) = match found.severity {
        Severity::Error => ("error", "Error"),
        Severity::Warning => ("warn", "Warning"),
    };
    let fields = json!({ "diagnostic": diagnostic::json(found, sources) });
    let text = format!("{word}: {}", found.summary);
    message(level, &text, "diagnostic", fields)
}

/// An event; `elapsed` is the time since the matching start.
#[must_use]
pub fn event(event: &Event, elapsed: Duration) -> Json {
    let (level, kind, hook) = match event {
        Event::RefreshStart { address } => ("info", "refresh_start", hook(address, None)),
        Event::RefreshComplete { address } => ("info", "refresh_complete", hook(address, None)),
        Event::ForecastStart { name } => ("info", "forecast_start", json!({ "forecast": name })),
        Event::ForecastComplete { name, method } => (
            "info",
            "forecast_complete",
            json!({ "forecast": name, "method": method, "elapsed_seconds": elapsed.as_secs() }),
        ),
        Event::ApplyStart { address, action } => {
            ("info", "apply_start", hook(address, Some(*action)))
        }
        Event::ApplyComplete {
            address,
            action,
            id,
        } => {
            let mut hook = timed(address, *action, elapsed);
            if let Some(id) = id {
                hook["id_key"] = "id".into();
                hook["id_value"] = id_value(id);
            }
            ("info", "apply_complete", hook)
        }
        Event::ApplyErrored {
            address, action, ..
        } => ("error", "apply_errored", timed(address, *action, elapsed)),
        Event::ApplySkipped { address, action } => {
            ("warn", "apply_skipped", hook(address, Some(*action)))
        }
    };
    message(level, &text(event, elapsed), kind, json!({ "hook": hook }))
}

/// That a change goes on.
#[must_use]
pub fn progress(address: &Address, action: Action, elapsed: Duration) -> Json {
    let hook = timed(address, action, elapsed);
    let text = still(address, action, elapsed);
    message("info", &text, "apply_progress", json!({ "hook": hook }))
}

/// What a plan says: drift, changes, summary, outputs.
#[must_use]
pub fn plan(plan: &Plan) -> Vec<Json> {
    let mut messages: Vec<Json> = plan
        .drift
        .iter()
        .map(|(address, drift)| {
            let action = match drift.observed {
                Some(_) => Action::Update,
                None => Action::Delete,
            };
            let text = format!("{address}: Drift detected ({})", word(action));
            let fields = change_fields(address, action, None);
            message("info", &text, "resource_drift", fields)
        })
        .collect();
    messages.extend(plan.actions().map(|(address, planned)| {
        let action = planned.change.action();
        let text = format!("{address}: Plan to {}", word(action));
        let fields = change_fields(address, action, planned.reason);
        message("info", &text, "planned_change", fields)
    }));
    if plan.refresh == Refresh::Minimal {
        messages.push(log(MINIMAL));
    }
    let counts = Counts::of(plan.actions().map(|(_, planned)| planned.change.action()));
    let operation = match plan.mode {
        Mode::Normal | Mode::RefreshOnly => "plan",
        Mode::Destroy => "destroy",
    };
    messages.push(change_summary(
        &summary(plan),
        (counts, imports(plan)),
        operation,
    ));
    if !plan.outputs.is_empty() {
        let outputs = plan.outputs.iter().map(|(name, change)| {
            let sides = [
                change.before.as_ref().map(Known::value),
                change.after.as_ref(),
            ];
            let sensitive = sides.into_iter().flatten().any(Value::contains_sensitive);
            let action = word(change.action());
            (
                name.clone(),
                json!({ "sensitive": sensitive, "action": action }),
            )
        });
        messages.push(outputs_message(&outputs.collect()));
    }
    messages
}

/// Something that is only said.
#[must_use]
pub fn log(text: &str) -> Json {
    message("info", text.trim(), "log", Json::Null)
}

/// What an apply has done: summary and outputs. Its diagnostics are told one by one.
#[must_use]
pub fn report(report: &Report, mode: Mode) -> Vec<Json> {
    let counts = Counts::of(report.done.iter().map(|(_, action)| *action));
    let operation = match mode {
        Mode::Destroy => "destroy",
        Mode::Normal | Mode::RefreshOnly => "apply",
    };
    let mut messages = vec![change_summary(
        &applied(report, mode),
        (counts, report.imported.len()),
        operation,
    )];
    if let Some(state) = &report.state
        && !state.outputs.is_empty()
    {
        let outputs = state.outputs.iter();
        let outputs = outputs.map(|(name, value)| (name.clone(), output(value.value.value())));
        messages.push(outputs_message(&outputs.collect()));
    }
    messages
}

/// What happens to a package of modules.
#[must_use]
pub fn package(key: &str, step: &Step<'_>) -> Json {
    let (code, entry) = match step {
        Step::Fetching => ("module_fetching", None),
        Step::Fetched(entry) => ("module_fetched", Some(*entry)),
        Step::Changed { to, .. } => ("module_changed", Some(*to)),
        Step::Kept(entry) => ("module_kept", Some(*entry)),
    };
    let mut fields = json!({ "message_code": code, "module": { "source": key } });
    if let Some(entry) = entry {
        fields["module"]["digest"] = entry.digest.clone().into();
        fields["module"]["commit"] = entry.commit.clone().into();
    }
    let text = render::package(key, step);
    message("info", &text, "init_output", fields)
}

/// That a configuration is ready to be planned.
#[must_use]
pub fn ready() -> Json {
    let fields = json!({ "message_code": "output_init_success_message" });
    message("info", "The configuration is ready.", "init_output", fields)
}

fn message(level: &str, text: &str, kind: &str, fields: Json) -> Json {
    let mut object = Object::new();
    object.insert("@level".to_owned(), level.into());
    object.insert("@message".to_owned(), text.into());
    object.insert("@module".to_owned(), "isobar.ui".into());
    object.insert("type".to_owned(), kind.into());
    if let Json::Object(fields) = fields {
        object.extend(fields);
    }
    Json::Object(object)
}

fn resource(address: &Address) -> Json {
    let module = module(address);
    let full = address.to_string();
    let relative = full.strip_prefix(&format!("{module}.")).unwrap_or(&full);
    let kind = address.resource_type();
    json!({
        "addr": full,
        "module": module,
        "resource": relative,
        "implied_provider": kind.split('_').next(),
        "resource_type": &**kind,
        "resource_name": &*address.name,
        "resource_key": match &address.zone {
            Some(zone) => Some(Json::from(&**zone)),
            None => address.key.as_ref().map(key),
        },
    })
}

fn hook(address: &Address, action: Option<Action>) -> Json {
    let mut hook = json!({ "resource": resource(address) });
    if let Some(action) = action {
        hook["action"] = word(action).into();
    }
    hook
}

fn timed(address: &Address, action: Action, elapsed: Duration) -> Json {
    let mut hook = hook(address, Some(action));
    hook["elapsed_seconds"] = elapsed.as_secs().into();
    hook
}

/// An id as text, as Terraform writes it; null if it is sensitive.
fn id_value(id: &Value) -> Json {
    match shown(id) {
        Json::Null => Json::Null,
        _ => plain(id).into(),
    }
}

const fn word(action: Action) -> &'static str {
    match action {
        Action::Keep => "noop",
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::Forget => "forget",
    }
}

fn change_fields(address: &Address, action: Action, reason: Option<Reason>) -> Json {
    let mut change = json!({ "resource": resource(address), "action": word(action) });
    if let Some(reason) = reason {
        change["reason"] = reason_word(reason).into();
    }
    json!({ "change": change })
}

const fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::CannotUpdate => "cannot_update",
        Reason::Tainted => "tainted",
        Reason::Triggered => "replace_by_triggers",
        Reason::NoBlock => "delete_because_no_resource_config",
        Reason::NoMoveTarget => "delete_because_no_move_target",
        Reason::NoModule => "delete_because_no_module",
        Reason::CountIndex => "delete_because_count_index",
        Reason::EachKey => "delete_because_each_key",
        Reason::WrongRepetition => "delete_because_wrong_repetition",
        Reason::NotEnabled => "delete_because_enabled_false",
        Reason::NotDeployed => "delete_because_not_deployed",
        Reason::Requested => "requested",
    }
}

fn change_summary(text: &str, (counts, imported): (Counts, usize), operation: &str) -> Json {
    let changes = json!({
        "add": counts.add,
        "change": counts.change,
        "import": imported,
        "remove": counts.remove,
        "operation": operation,
    });
    message(
        "info",
        text,
        "change_summary",
        json!({ "changes": changes }),
    )
}

fn outputs_message(outputs: &Object) -> Json {
    let text = format!("Outputs: {}", outputs.len());
    message("info", &text, "outputs", json!({ "outputs": outputs }))
}

#[cfg(test)]
mod tests;
