//! `aws_appautoscaling_policy`: which figure the instances of a variant are scaled by.

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Schema};
use isobar_sdk::{Error, Known, Number, Path, Type, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::attribute::{as_wished, input, member, number, or_null, text};
use crate::client::Client;
use crate::fault::Fault;
use crate::scalable::{self, NAMESPACE, Scalable};

pub(crate) const TYPE: &str = "aws_appautoscaling_policy";
/// Requests of one instance in a minute.
pub(crate) const INVOCATIONS: &str = "SageMakerVariantInvocationsPerInstance";
const METRICS: [&str; 2] = [
    INVOCATIONS,
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
];

pub(crate) fn schema() -> Schema {
    let seconds = |doc| Attribute::optional(Type::Number, doc);
    let body = scalable::body()
        .attribute("name", Attribute::required(Type::String, "Its name below the variant, without a slash.").replaces())
        .attribute("target_value", Attribute::required(Type::Number, "What the metric is held at."))
        .attribute(
            "predefined_metric_type",
            Attribute::with_default(Type::String, INVOCATIONS, "`SageMakerVariantInvocationsPerInstance`, requests of one instance in a minute, or `SageMakerVariantConcurrentRequestsPerModelHighResolution`."),
        )
        .attribute("scale_in_cooldown", seconds("Seconds after a removal before the next one; 300 otherwise."))
        .attribute("scale_out_cooldown", seconds("Seconds after an addition before the next one; 300 otherwise."))
        .attribute("disable_scale_in", Attribute::with_default(Type::Bool, false, "Whether instances are only added."));
    Schema {
        version: 1,
        body,
        doc: "Holds a metric of a variant of an endpoint at a value, by adding and removing instances. Needs an `aws_appautoscaling_target`.".to_owned(),
    }
}

pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let after = scalable::identify(&request.proposed, provider, Some("name"))?;
    no_slash(&after)?;
    if let Some(metric) =
        text(&after, "predefined_metric_type").filter(|metric| !METRICS.contains(metric))
    {
        let message = format!("{metric:?} is no metric of a variant");
        return Err(
            Error::invalid(Path::attribute("predefined_metric_type"), message)
                .help(format!("write one of {}", METRICS.join(", "))),
        );
    }
    if number(&after, "target_value").is_some_and(|value| value <= 0.0) {
        let message = "target_value must be greater than 0";
        return Err(Error::invalid(Path::attribute("target_value"), message));
    }
    Ok(after.into())
}

/// Names end ids, which have slashes between their parts.
pub(crate) fn no_slash(after: &Value) -> Result<(), Error> {
    let name = text(after, "name").filter(|name| name.is_empty() || name.contains('/'));
    name.map_or(Ok(()), |name| {
        let message = format!("the name {name:?} is empty or has a slash");
        Err(Error::invalid(Path::attribute("name"), message))
    })
}

/// Makes or changes it.
pub(crate) async fn put(client: &Client, target: &Scalable, planned: &Value) -> Result<(), Fault> {
    let tracking = input([
        ("TargetValue", member(planned, "target_value")),
        (
            "PredefinedMetricSpecification",
            json!({
                "PredefinedMetricType": member(planned, "predefined_metric_type"),
            }),
        ),
        ("ScaleInCooldown", member(planned, "scale_in_cooldown")),
        ("ScaleOutCooldown", member(planned, "scale_out_cooldown")),
        ("DisableScaleIn", member(planned, "disable_scale_in")),
    ]);
    let mut input = target.input();
    input["PolicyName"] = member(planned, "name");
    input["PolicyType"] = "TargetTrackingScaling".into();
    input["TargetTrackingScalingPolicyConfiguration"] = tracking;
    client
        .call::<Json>(target.call("PutScalingPolicy"), &input)
        .await
        .map(drop)
}

pub(crate) async fn delete(client: &Client, target: &Scalable, name: &str) -> Result<(), Fault> {
    let mut input = target.input();
    input["PolicyName"] = name.into();
    client
        .call::<Json>(target.call("DeleteScalingPolicy"), &input)
        .await
        .map(drop)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    policy_name: String,
    target_tracking_scaling_policy_configuration: Option<Tracking>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tracking {
    target_value: f64,
    predefined_metric_specification: Option<Metric>,
    scale_in_cooldown: Option<u32>,
    scale_out_cooldown: Option<u32>,
    disable_scale_in: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metric {
    predefined_metric_type: String,
}

pub(crate) async fn find(
    client: &Client,
    target: &Scalable,
    name: &str,
) -> Result<Option<Found>, Fault> {
    let input = json!({ "ServiceNamespace": NAMESPACE, "ResourceId": target.resource });
    let found = client.list(
        target.call("DescribeScalingPolicies"),
        input,
        "ScalingPolicies",
    );
    let found: Vec<Found> = found.await?;
    Ok(found.into_iter().find(|policy| policy.policy_name == name))
}

/// As the state has it.
pub(crate) fn view(target: &Scalable, found: &Found, wish: &Value) -> Option<Known> {
    let tracking = found.target_tracking_scaling_policy_configuration.as_ref();
    let metric = tracking.and_then(|tracking| tracking.predefined_metric_specification.as_ref());
    let value = tracking.and_then(|tracking| Number::from_f64(tracking.target_value));
    let cooldown = |name: &str, of: fn(&Tracking) -> Option<u32>| {
        as_wished(wish, name, or_null(tracking.and_then(of)))
    };
    let only_out = tracking.and_then(|tracking| tracking.disable_scale_in);
    Known::new(Value::object([
        ("region", Value::from(target.region.as_str())),
        ("resource_id", target.resource.as_str().into()),
        ("name", found.policy_name.as_str().into()),
        ("target_value", or_null(value)),
        (
            "predefined_metric_type",
            or_null(metric.map(|metric| metric.predefined_metric_type.as_str())),
        ),
        (
            "scale_in_cooldown",
            cooldown("scale_in_cooldown", |tracking| tracking.scale_in_cooldown),
        ),
        (
            "scale_out_cooldown",
            cooldown("scale_out_cooldown", |tracking| tracking.scale_out_cooldown),
        ),
        ("disable_scale_in", only_out.unwrap_or_default().into()),
        ("id", target.id(Some(&found.policy_name)).into()),
    ]))
    .ok()
}
