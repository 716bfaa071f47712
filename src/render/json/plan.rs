//! A plan.

use std::collections::BTreeMap;

use isobar_sdk::deployment::{Scaling, Schedule, Shift};
use isobar_sdk::quantity::Micros;
use isobar_sdk::{Address, Known, Path, Step, Value};
use serde_json::{Value as Json, json};

use super::VERSION;
use super::check::check;
use super::modules::modules;
use super::resource::{Object, name, output, resource, sensitive, shown, unknown};
use crate::change::{Action, Cause, Change, Reason};
use crate::deployment::schedule::Outline;
use crate::deployment::{Demand, Needed, Quality, ZoneSize};
use crate::placement::fleet::Gap;
use crate::plan::{
    Deferred, Drift, FrozenForecast, Mode, OutputChange, Plan, PlannedChange, PlannedDeployment,
    PlannedRead, Refresh,
};

/// A plan as `terraform show -json` prints one, with sensitive values null.
///
/// Keys beside Terraform's: `isobar_version` in place of `terraform_version`, `deployments` (the
/// replicas of every zone, prices in millionths of a US dollar per hour), `forecasts`, `expires`,
/// in every resource change `causes`, and `refresh` where only what would change was read.
#[must_use]
pub fn plan(plan: &Plan) -> Json {
    let variables: Object = plan
        .variables
        .iter()
        .filter(|(_, value)| !value.contains_ephemeral())
        .map(|(name, value)| (name.to_string(), json!({ "value": shown(value) })))
        .collect();
    let mut changes: Vec<Json> = plan
        .changes
        .iter()
        .filter(|_| plan.mode != Mode::RefreshOnly)
        .map(|(address, planned)| Json::Object(resource_change(plan, address, planned)))
        .collect();
    let deposed = plan.deposed.iter();
    changes.extend(deposed.map(|((address, key), planned)| {
        let mut object = resource_change(plan, address, planned);
        object.insert("deposed".to_owned(), key.to_string().into());
        Json::Object(object)
    }));
    let reads = plan.reads.iter();
    changes.extend(reads.filter_map(|(address, read)| deferred_read(address, read)));
    let drift: Vec<Json> = plan
        .drift
        .iter()
        .map(|(address, drift)| resource_drift(plan, address, drift))
        .collect();
    let mut document = json!({
        "format_version": "1.2",
        "isobar_version": VERSION,
        "variables": variables,
        "planned_values": planned_values(plan),
        "prior_state": prior_state(plan),
        "resource_drift": drift,
        "resource_changes": changes,
        "checks": plan.checks.iter().map(check).collect::<Vec<_>>(),
        "output_changes": each(&plan.outputs, output_change),
        "deployments": each(&plan.deployments, deployment),
        "forecasts": each(&plan.forecasts, forecast),
        "timestamp": plan.created.to_string(),
        "expires": plan.expires().map(|time| time.to_string()),
        "applyable": plan.has_changes(),
        "complete": true,
        "errored": false,
    });
    if plan.refresh == Refresh::Minimal {
        document["refresh"] = "minimal".into();
    }
    document
}

fn each<T>(values: &BTreeMap<String, T>, draw: impl Fn(&T) -> Json) -> Json {
    let drawn = values
        .iter()
        .map(|(name, value)| (name.clone(), draw(value)));
    Json::Object(drawn.collect())
}

fn planned_values(plan: &Plan) -> Json {
    let outputs: Object = plan
        .outputs
        .iter()
        .filter_map(|(name, change)| Some((name.clone(), output(change.after.as_ref()?))))
        .collect();
    let resources = plan.changes.iter().filter_map(|(address, planned)| {
        let origin = (planned.provider.as_str(), planned.schema_version);
        let after = planned.change.after()?;
        Some((address, Json::Object(resource(address, origin, after))))
    });
    json!({ "outputs": outputs, "root_module": modules(resources) })
}

/// What is there before the plan is carried out; null where nothing was ever applied.
fn prior_state(plan: &Plan) -> Json {
    if plan.base.lineage.is_empty() {
        return Json::Null;
    }
    let outputs: Object = plan
        .outputs
        .iter()
        .filter_map(|(name, change)| {
            let before = change.before.as_ref()?;
            Some((name.clone(), output(before.value())))
        })
        .collect();
    let resources = plan.changes.iter().filter_map(|(address, planned)| {
        let origin = (planned.provider.as_str(), planned.schema_version);
        let before = planned.change.before()?;
        Some((
            address,
            Json::Object(resource(address, origin, before.value())),
        ))
    });
    json!({
        "format_version": "1.0",
        "isobar_version": VERSION,
        "values": { "outputs": outputs, "root_module": modules(resources) },
    })
}

fn resource_change(plan: &Plan, address: &Address, planned: &PlannedChange) -> Object {
    let mut object = name(address);
    object.insert("provider_name".to_owned(), planned.provider.as_str().into());
    let previous = plan.moves.get(address);
    if let Some(previous) = previous.filter(|_| plan.mode != Mode::Destroy) {
        object.insert("previous_address".to_owned(), previous.to_string().into());
    }
    let change = &planned.change;
    let mut sides = sides(
        if planned.creates_first() {
            json!(["create", "delete"])
        } else {
            actions(change.action())
        },
        change.before().map(Known::value),
        change.after(),
    );
    if let Change::Replace { because, .. } = change
        && !because.is_empty()
    {
        sides.insert(
            "replace_paths".to_owned(),
            because.iter().map(steps).collect(),
        );
    }
    if let Some(id) = &planned.importing {
        sides.insert("importing".to_owned(), json!({ "id": id }));
    }
    object.insert("change".to_owned(), Json::Object(sides));
    let reason = planned.reason;
    if let Some(reason) = reason.and_then(|reason| action_reason(change.action(), reason)) {
        object.insert("action_reason".to_owned(), reason.into());
    }
    let causes: Vec<Json> = planned.causes.iter().map(cause).collect();
    object.insert("causes".to_owned(), causes.into());
    object
}

/// What is read at apply; what was read for the plan is in its values.
fn deferred_read(address: &Address, read: &PlannedRead) -> Option<Json> {
    let reason = match read.deferred? {
        Deferred::ConfigurationUnknown => "read_because_config_unknown",
        Deferred::DependencyPending => "read_because_dependency_pending",
        Deferred::AskedByCheck => "read_because_check_nested",
    };
    let mut object = name(address);
    object.insert("provider_name".to_owned(), read.provider.as_str().into());
    let sides = sides(json!(["read"]), None, Some(&read.after));
    object.insert("change".to_owned(), Json::Object(sides));
    object.insert("action_reason".to_owned(), reason.into());
    Some(Json::Object(object))
}

fn resource_drift(plan: &Plan, address: &Address, drift: &Drift) -> Json {
    let mut object = name(address);
    if let Some(planned) = plan.changes.get(address) {
        object.insert("provider_name".to_owned(), planned.provider.as_str().into());
    }
    let action = match drift.observed {
        Some(_) => Action::Update,
        None => Action::Delete,
    };
    let observed = drift.observed.as_ref().map(Known::value);
    let sides = sides(actions(action), Some(drift.recorded.value()), observed);
    object.insert("change".to_owned(), Json::Object(sides));
    Json::Object(object)
}

fn output_change(change: &OutputChange) -> Json {
    let before = change.before.as_ref().map(Known::value);
    Json::Object(sides(
        actions(change.action()),
        before,
        change.after.as_ref(),
    ))
}

/// Both sides of a change with their marks.
fn sides(actions: Json, before: Option<&Value>, after: Option<&Value>) -> Object {
    let mut object = Object::new();
    let mark = |side: Option<&Value>| side.map_or(Json::Bool(false), sensitive);
    object.insert("actions".to_owned(), actions);
    object.insert("before".to_owned(), before.map_or(Json::Null, shown));
    object.insert("after".to_owned(), after.map_or(Json::Null, shown));
    let unknown = after.filter(|after| !after.is_wholly_known());
    let unknown = unknown.map_or_else(|| json!({}), self::unknown);
    object.insert("after_unknown".to_owned(), unknown);
    object.insert("before_sensitive".to_owned(), mark(before));
    object.insert("after_sensitive".to_owned(), mark(after));
    object
}

fn actions(action: Action) -> Json {
    match action {
        Action::Keep => json!(["no-op"]),
        Action::Create => json!(["create"]),
        Action::Update => json!(["update"]),
        Action::Replace => json!(["delete", "create"]),
        Action::Delete => json!(["delete"]),
        Action::Forget => json!(["forget"]),
    }
}

fn steps(path: &Path) -> Json {
    let step = |step: &Step| match step {
        Step::Attribute(name) | Step::Key(name) => Json::from(&**name),
        Step::Index(index) => Json::from(*index),
    };
    path.steps().iter().map(step).collect()
}

/// Terraform's word for a reason, or one formed like it where Terraform has none.
const fn action_reason(action: Action, reason: Reason) -> Option<&'static str> {
    Some(match (reason, action) {
        (Reason::CannotUpdate, _) => "replace_because_cannot_update",
        (Reason::Tainted, _) => "replace_because_tainted",
        (Reason::Triggered, _) => "replace_by_triggers",
        (Reason::NoBlock, _) => "delete_because_no_resource_config",
        (Reason::NoMoveTarget, _) => "delete_because_no_move_target",
        (Reason::NoModule, _) => "delete_because_no_module",
        (Reason::CountIndex, _) => "delete_because_count_index",
        (Reason::EachKey, _) => "delete_because_each_key",
        (Reason::WrongRepetition, _) => "delete_because_wrong_repetition",
        (Reason::NotEnabled, _) => "delete_because_enabled_false",
        (Reason::NotDeployed, _) => "delete_because_not_deployed",
        (Reason::Requested, Action::Replace) => "replace_by_request",
        // What a plan to destroy does needs no reason.
        (Reason::Requested, _) => return None,
    })
}

fn cause(cause: &Cause) -> Json {
    match cause {
        Cause::Configuration { attribute } => {
            json!({ "kind": "configuration", "attribute": attribute })
        }
        Cause::Drift {
            attribute,
            recorded,
            observed,
        } => json!({
            "kind": "drift",
            "attribute": attribute,
            "recorded": shown(recorded),
            "observed": shown(observed),
            "sensitive": recorded.contains_sensitive() || observed.contains_sensitive(),
        }),
        Cause::Follows { attribute, of } => {
            json!({ "kind": "follows", "attribute": attribute, "of": of.to_string() })
        }
        Cause::Gone => json!({ "kind": "gone" }),
        Cause::Capacity { attribute, zone } => {
            json!({ "kind": "capacity", "attribute": attribute, "zone": zone })
        }
    }
}

fn deployment(planned: &PlannedDeployment) -> Json {
    let sized = &planned.sized;
    let total = |of: fn(&ZoneSize) -> Micros| -> Micros { sized.zones.iter().map(of).sum() };
    let losses: Vec<Json> = sized
        .losses
        .iter()
        .map(|loss| {
            json!({
                "zone": loss.zone,
                "remaining_capacity": loss.remaining_capacity,
                "shed": loss.shed,
                "close_micros_per_hour": loss.close_micros_per_hour,
            })
        })
        .collect();
    json!({
        "demand": demand(&sized.demand),
        "needs": sized.needs.iter().map(needed).collect::<Vec<_>>(),
        "previous_demand": sized.previous,
        "forecast": sized.demand.forecast(),
        "zones": sized.zones.iter().map(zone).collect::<Vec<_>>(),
        "losses": losses,
        "capacity": each(&planned.outlines, outline),
        "price_before_micros_per_hour": total(ZoneSize::cost_before).0,
        "price_after_micros_per_hour": total(ZoneSize::cost_after).0,
        "placement": sized.quality.as_ref().map(quality),
    })
}

/// How good a placement is: the part of its cost by which a better one could be cheaper at most, 0
/// where there is none.
fn quality(quality: &Quality) -> Json {
    let shadows = quality.shadows.iter().map(|(constraint, saves)| {
        json!({ "constraint": constraint, "unit_saves_micros_per_hour": saves.0 })
    });
    json!({
        "gap": match quality.gap {
            Gap::Proven => 0.0,
            Gap::Within(part) => part,
        },
        "cost_micros_per_hour": quality.cost.0,
        "shadow_prices": shadows.collect::<Vec<_>>(),
    })
}

fn outline(outline: &Outline) -> Json {
    let schedule = |schedule: &Schedule| {
        let shift = |shift: &Shift| {
            json!({
                "start": shift.start.to_string(),
                "min": shift.envelope.min,
                "max": shift.envelope.max,
            })
        };
        json!({
            "shifts": schedule.shifts.iter().map(shift).collect::<Vec<_>>(),
            "until": schedule.until.to_string(),
        })
    };
    json!({
        "scaling": match outline.scaling {
            Scaling::Fixed => "fixed",
            Scaling::Envelope => "envelope",
            Scaling::Schedule => "schedule",
        },
        "min": outline.envelope.min,
        "max": outline.envelope.max,
        "schedule": outline.schedule.as_ref().map(schedule),
    })
}

fn demand(demand: &Demand) -> Json {
    match demand {
        Demand::Forecast {
            name,
            level,
            peak,
            at,
        } => json!({
            "kind": "forecast",
            "forecast": name,
            "level": level,
            "peak": peak,
            "at": at.to_string(),
        }),
        Demand::Rate(rate) => json!({ "kind": "rate", "rate": rate }),
        Demand::Replicas(replicas) => json!({ "kind": "replicas", "replicas": replicas }),
    }
}

fn needed(needed: &Needed) -> Json {
    json!({
        "resource": needed.resource.to_string(),
        "forecast": needed.forecast,
        "level": needed.level,
        "peak": needed.peak,
        "at": needed.at.to_string(),
    })
}

fn zone(zone: &ZoneSize) -> Json {
    json!({
        "zone": zone.zone,
        "provider": zone.provider,
        "region": zone.region,
        "replicas_before": zone.before,
        "replicas_after": zone.after,
        "spot_after": zone.spot,
        "instance": zone.instance,
        "instance_before": zone.was.as_ref().map(|was| was.instance.as_str()),
        "replica_price_micros_per_hour": zone.price.0,
        "spot_price_micros_per_hour": zone.spot_price.0,
        "replica_carbon_kg_per_hour": zone.carbon,
        "why": zone.why,
    })
}

fn forecast(forecast: &FrozenForecast) -> Json {
    json!({
        "source": forecast.source,
        "series_digest": forecast.series_digest,
        "observations": forecast.observations,
        "gaps": forecast.gaps,
        "method": forecast.method,
        "wape": forecast.wape,
        "folds": forecast.folds,
        "start": forecast.start.to_string(),
        "step_seconds": forecast.step.as_secs_f64(),
        "levels": forecast.levels,
        "quantiles": forecast.quantiles,
        "notes": forecast.notes,
        "expires": forecast.expires.to_string(),
    })
}

#[cfg(test)]
mod tests;
