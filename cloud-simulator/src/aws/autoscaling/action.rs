//! Scheduled actions.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::sagemaker::{epoch, time};
use super::super::{Context, shape};
use super::{Count, Query, decode, failure, rule_arn, take_away};
use crate::engine::{Action, Noun, Schedule, TargetKey, Timed};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    scheduled_action_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Order {
    schedule: Option<String>,
    timezone: Option<String>,
    start_time: Option<Value>,
    end_time: Option<Value>,
    scalable_target_action: Option<Bounds>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Bounds {
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
}

impl Order {
    fn timed(&self, now: Timestamp) -> Result<Timed, Failure> {
        let zone = self
            .timezone
            .as_deref()
            .map_or(Ok(TimeZone::UTC), TimeZone::get);
        let zone = zone.map_err(|_| Failure::validation("Timezone must be a known one"))?;
        let text = self.schedule.as_deref().unwrap_or_default();
        let schedule = schedule(text, &zone).map_err(|reason| {
            Failure::validation(format!("Schedule expression is invalid: {text}: {reason}"))
        })?;
        let bound = |of: &Option<Value>| match of {
            None => Ok(None),
            Some(value) => match time(value) {
                None => Err(Failure::validation(format!("{value} is no time"))),
                some => Ok(some),
            },
        };
        let span = (bound(&self.start_time)?, bound(&self.end_time)?);
        Ok(Timed::new(schedule, zone, span, now))
    }
}

/// `at(yyyy-mm-ddThh:mm:ss)`, `rate(value unit)` or `cron(fields)`.
fn schedule(text: &str, zone: &TimeZone) -> Result<Schedule, String> {
    let inside = |name: &str| {
        text.strip_prefix(name)?
            .strip_prefix('(')?
            .strip_suffix(')')
    };
    if let Some(at) = inside("at") {
        let civil: DateTime = at.parse().map_err(|error: jiff::Error| error.to_string())?;
        let zoned = zone.to_zoned(civil).map_err(|error| error.to_string())?;
        return Ok(Schedule::At(zoned.timestamp()));
    }
    if let Some(rate) = inside("rate") {
        let (value, unit) = rate.split_once(' ').ok_or("it needs a value and a unit")?;
        let value: u32 = value.parse().map_err(|_| "its value must be a number")?;
        let unit = match unit.trim_end_matches('s') {
            "minute" => 60,
            "hour" => 3600,
            "day" => 86400,
            _ => return Err("its unit must be minutes, hours or days".to_owned()),
        };
        return match value {
            0 => Err("its value must be above 0".to_owned()),
            value => Ok(Schedule::Every(i64::from(value) * unit)),
        };
    }
    match inside("cron") {
        Some(cron) => Schedule::cron(cron),
        None => Err("it must be at(…), rate(…) or cron(…)".to_owned()),
    }
}

pub(super) fn put(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let key = decode::<Count>(&body)?.key()?;
    let name = decode::<Named>(&body)?.scheduled_action_name;
    let now = context.moment.now;
    let target = context.region.target(&key);
    let target = target.map_err(|refusal| failure(refusal, &key))?;
    let old = target.actions.remove(&name);
    let mut document = body;
    // What an update leaves out stays as it is.
    for member in [
        "Schedule",
        "Timezone",
        "StartTime",
        "EndTime",
        "ScalableTargetAction",
    ] {
        let kept = old.as_ref().and_then(|old| old.document.get(member));
        if let (None, Some(kept)) = (document.get(member), kept) {
            document[member] = kept.clone();
        }
    }
    let action = action(document, old.as_ref().map_or(now, |old| old.created), now);
    match action {
        Ok(action) => {
            target.actions.insert(name, action);
            Ok(json!({}))
        }
        Err(refused) => {
            target.actions.extend(old.map(|old| (name, old)));
            Err(refused)
        }
    }
}

fn action(document: Value, created: Timestamp, now: Timestamp) -> Result<Action, Failure> {
    let order: Order = decode(&document)?;
    let timed = order.timed(now)?;
    let bounds = order.scalable_target_action.unwrap_or_default();
    let (min, max) = (bounds.min_capacity, bounds.max_capacity);
    let crossed = min.zip(max).is_some_and(|(min, max)| min > max);
    if crossed || (min, max) == (None, None) {
        let message = "A scheduled action needs a minimum capacity, a maximum, or both in order";
        return Err(Failure::validation(message));
    }
    Ok(Action {
        timed,
        min,
        max,
        document,
        created,
    })
}

pub(super) fn delete(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let key = decode::<Count>(&body)?.key()?;
    let name = shape::decode::<Named>(body)?.scheduled_action_name;
    take_away(context, &key, (Noun::Action, name), |target| {
        &mut target.actions
    })
}

pub(super) fn describe(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let view = |key: &TargetKey, name: &str, action: &Action| {
        let mut answer = action.document.clone();
        answer["ScheduledActionARN"] = rule_arn(context, "scheduledAction", key, name).into();
        answer["CreationTime"] = epoch(action.created);
        answer
    };
    query.rules(context, "ScheduledActions", |target| &target.actions, view)
}
