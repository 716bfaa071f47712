//! `aws_appautoscaling_scheduled_action`: other bounds for a variant from a time on.

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::attribute::{input, member, or_null, text};
use crate::client::Client;
use crate::fault::Fault;
use crate::scalable::{self, NAMESPACE, Scalable};
use crate::{scalable_target, scaling_policy};

pub(crate) const TYPE: &str = "aws_appautoscaling_scheduled_action";

pub(crate) fn schema() -> Schema {
    let number = |doc| Attribute::required(Type::Number, doc);
    let body = scalable::body()
        .attribute("name", Attribute::required(Type::String, "Its name below the variant, without a slash.").replaces())
        .attribute(
            "schedule",
            Attribute::required(Type::String, "When, in UTC: `at(2026-03-01T06:00:00)` once, or `cron(0 6 * * ? *)` or `rate(1 day)`."),
        )
        .attribute("min_capacity", number("The fewest instances from then on: 1 at least."))
        .attribute("max_capacity", number("The most instances from then on."));
    Schema {
        version: 1,
        body,
        doc: "Other bounds for the instances of a variant of an endpoint from a time on. Needs an `aws_appautoscaling_target`.".to_owned(),
    }
}

/// A time as a schedule that comes once.
pub(crate) fn once(at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC).datetime();
    format!("at({})", at.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// When a schedule comes that comes once; `None` for others.
fn time(schedule: &str) -> Option<Timestamp> {
    let at = schedule.strip_prefix("at(")?.strip_suffix(')')?;
    let at: DateTime = at.parse().ok()?;
    Some(at.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let after = scalable::identify(&request.proposed, provider, Some("name"))?;
    scaling_policy::no_slash(&after)?;
    scalable::bounds(&after)?;
    if let Some(schedule) = text(&after, "schedule") {
        let repeats = schedule.starts_with("cron(") || schedule.starts_with("rate(");
        if !repeats && time(schedule).is_none() {
            let message = format!("{schedule:?} is no schedule");
            return Err(Error::invalid(Path::attribute("schedule"), message)
                .help("write at(2026-03-01T06:00:00), cron(0 6 * * ? *) or rate(1 day)"));
        }
    }
    Ok(after.into())
}

/// Makes or changes it. What should have come already comes at once: AWS takes no time that is
/// past.
pub(crate) async fn put(
    client: &Client,
    (target, now): (&Scalable, Timestamp),
    planned: &Value,
) -> Result<(), Fault> {
    if is_past(planned, now) {
        return scalable_target::put(client, target, planned).await;
    }
    let mut order = target.input();
    order["ScheduledActionName"] = member(planned, "name");
    order["Schedule"] = member(planned, "schedule");
    order["ScalableTargetAction"] = input([
        ("MinCapacity", member(planned, "min_capacity")),
        ("MaxCapacity", member(planned, "max_capacity")),
    ]);
    client
        .call::<Json>(target.call("PutScheduledAction"), &order)
        .await
        .map(drop)
}

fn is_past(value: &Value, now: Timestamp) -> bool {
    text(value, "schedule")
        .and_then(time)
        .is_some_and(|at| at <= now)
}

pub(crate) async fn delete(client: &Client, target: &Scalable, name: &str) -> Result<(), Fault> {
    let mut input = target.input();
    input["ScheduledActionName"] = name.into();
    client
        .call::<Json>(target.call("DeleteScheduledAction"), &input)
        .await
        .map(drop)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    scheduled_action_name: String,
    schedule: String,
    scalable_target_action: Option<Bounds>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Bounds {
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
}

async fn find(client: &Client, target: &Scalable, name: &str) -> Result<Option<Found>, Fault> {
    let input = json!({
        "ServiceNamespace": NAMESPACE,
        "ResourceId": target.resource,
        "ScheduledActionNames": [name],
    });
    let found = client.list(
        target.call("DescribeScheduledActions"),
        input,
        "ScheduledActions",
    );
    let found: Vec<Found> = found.await?;
    Ok(found
        .into_iter()
        .find(|action| action.scheduled_action_name == name))
}

/// As the state has it. What has come and gone is as it was: its work is done.
pub(crate) async fn view(
    client: &Client,
    (target, now): (&Scalable, Timestamp),
    (name, wish): (&str, &Value),
) -> Result<Option<Known>, Fault> {
    let Some(found) = find(client, target, name).await? else {
        let done = is_past(wish, now);
        return Ok(done.then(|| Known::new(wish.clone()).ok()).flatten());
    };
    let bounds = found.scalable_target_action.as_ref();
    let state = Value::object([
        ("region", Value::from(target.region.as_str())),
        ("resource_id", target.resource.as_str().into()),
        ("name", name.into()),
        ("schedule", found.schedule.as_str().into()),
        (
            "min_capacity",
            or_null(bounds.and_then(|bounds| bounds.min_capacity)),
        ),
        (
            "max_capacity",
            or_null(bounds.and_then(|bounds| bounds.max_capacity)),
        ),
        ("id", target.id(Some(name)).into()),
    ]);
    Ok(Known::new(state).ok())
}

#[cfg(test)]
mod tests {
    use super::{once, time};

    #[test]
    fn times_go_both_ways() {
        let at = "2026-03-01T06:00:00Z".parse().unwrap();
        assert_eq!(once(at), "at(2026-03-01T06:00:00)");
        assert_eq!(time(&once(at)), Some(at));
        assert_eq!(time("cron(0 6 * * ? *)"), None);
        assert_eq!(time("at(six)"), None);
    }
}
