//! `aws_appautoscaling_target`: between which bounds the instances of a variant are scaled.

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Schema};
use isobar_sdk::{Error, Known, Type, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::attribute::{member, text};
use crate::client::Client;
use crate::fault::Fault;
use crate::scalable::{self, NAMESPACE, Scalable};

pub(crate) const TYPE: &str = "aws_appautoscaling_target";

pub(crate) fn schema() -> Schema {
    let number = |doc| Attribute::required(Type::Number, doc);
    let body = scalable::body()
        .attribute("min_capacity", number("The fewest instances: 1 at least."))
        .attribute("max_capacity", number("The most instances."))
        .attribute(
            "scheduled",
            Attribute::with_default(Type::Bool, false, "Whether scheduled actions move the bounds: these here are then set with a change of them only, and that others hold later is no drift."),
        );
    Schema {
        version: 1,
        body,
        doc: "Between which bounds the instances of a variant of an endpoint are scaled."
            .to_owned(),
    }
}

pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let after = scalable::identify(&request.proposed, provider, None)?;
    scalable::bounds(&after)?;
    Ok(after.into())
}

/// Makes or changes it.
pub(crate) async fn put(client: &Client, target: &Scalable, planned: &Value) -> Result<(), Fault> {
    let mut input = target.input();
    input["MinCapacity"] = member(planned, "min_capacity");
    input["MaxCapacity"] = member(planned, "max_capacity");
    client
        .call::<Json>(target.call("RegisterScalableTarget"), &input)
        .await
        .map(drop)
}

pub(crate) async fn delete(client: &Client, target: &Scalable) -> Result<(), Fault> {
    client
        .call::<Json>(target.call("DeregisterScalableTarget"), &target.input())
        .await
        .map(drop)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    resource_id: String,
    min_capacity: u32,
    max_capacity: u32,
}

pub(crate) async fn find(client: &Client, target: &Scalable) -> Result<Option<Found>, Fault> {
    let input = json!({ "ServiceNamespace": NAMESPACE, "ResourceIds": [target.resource] });
    let found = client.list(
        target.call("DescribeScalableTargets"),
        input,
        "ScalableTargets",
    );
    let found: Vec<Found> = found.await?;
    Ok(found
        .into_iter()
        .find(|found| found.resource_id == target.resource))
}

/// As the state has it.
pub(crate) fn view(target: &Scalable, found: &Found, wish: &Value) -> Option<Known> {
    let scheduled = wish.field("scheduled").and_then(Value::as_bool) == Some(true);
    let bound = |name: &str, found: u32| match (scheduled, wish.field(name)) {
        (true, Some(wished)) => wished.clone(),
        _ => found.into(),
    };
    Known::new(Value::object([
        ("region", Value::from(target.region.as_str())),
        ("resource_id", target.resource.as_str().into()),
        ("min_capacity", bound("min_capacity", found.min_capacity)),
        ("max_capacity", bound("max_capacity", found.max_capacity)),
        ("scheduled", scheduled.into()),
        ("id", target.id(None).into()),
    ]))
    .ok()
}

/// The variant that a state is about, where it is one of this type.
pub(crate) fn least(state: &Known) -> Option<u32> {
    text(state.value(), "resource_id")?;
    crate::attribute::count(state.value(), "min_capacity")
}
