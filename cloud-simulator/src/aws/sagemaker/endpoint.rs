//! Endpoints, and what may be asked of them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::{Context, shape};
use super::listing::{Entry, page};
use super::{epoch, status, take_tags, text};
use crate::engine::{Kept, Noun, Refusal, Rollout, Wish};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    endpoint_name: String,
    endpoint_config_name: String,
    #[serde(default)]
    retain_all_variant_properties: bool,
    #[serde(default)]
    exclude_retained_variant_properties: Vec<Property>,
    deployment_config: Option<Value>,
    #[serde(default)]
    retain_deployment_config: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Property {
    variant_property_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Adjustment {
    endpoint_name: String,
    desired_weights_and_capacities: Vec<Desired>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Desired {
    variant_name: String,
    desired_weight: Option<f32>,
    desired_instance_count: Option<u32>,
}

pub(super) fn create(context: &mut Context<'_>, mut body: Value) -> Result<Value, Failure> {
    let tags = take_tags(&mut body)?;
    let name = text(&body, "EndpointName");
    let configuration = text(&body, "EndpointConfigName");
    let rollout = rollout(body.get("DeploymentConfig").cloned())?;
    let (region, moment) = (&mut *context.region, &context.moment);
    let made = region.create_endpoint(name.clone(), configuration, rollout, tags, moment);
    made.map_err(|refusal| context.failure(&refusal))?;
    named(context, &name)
}

fn named(context: &Context<'_>, name: &str) -> Result<Value, Failure> {
    Ok(json!({ "EndpointArn": context.place().arn(Noun::Endpoint, name) }))
}

pub(super) fn update(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let update: Update = shape::decode(body)?;
    let name = update.endpoint_name;
    let excluded = |property: &str| {
        let mut excluded = update.exclude_retained_variant_properties.iter();
        excluded.any(|of| of.variant_property_type == property)
    };
    let kept = Kept {
        counts: update.retain_all_variant_properties && !excluded("DesiredInstanceCount"),
        weights: update.retain_all_variant_properties && !excluded("DesiredWeight"),
    };
    let last = context.region.endpoints.get(&name);
    let last = last.and_then(|endpoint| endpoint.rollout.clone());
    let retained = last.filter(|_| update.retain_deployment_config);
    let rollout = rollout(update.deployment_config.or(retained))?;
    let (region, moment) = (&mut *context.region, &context.moment);
    let made = region.update_endpoint(&name, update.endpoint_config_name, kept, rollout, moment);
    made.map_err(|refusal| context.failure(&refusal))?;
    named(context, &name)
}

/// What the document says of how an update is carried out.
fn rollout(document: Option<Value>) -> Result<Rollout, Failure> {
    let Some(config) = document else {
        return Ok(Rollout::default());
    };
    let mut policies = ["BlueGreenUpdatePolicy", "RollingUpdatePolicy"].iter();
    if policies.all(|policy| config.get(policy).is_some()) {
        let message = "BlueGreenUpdatePolicy and RollingUpdatePolicy cannot both be given.";
        return Err(Failure::validation(message));
    }
    let alarms = config.pointer("/AutoRollbackConfiguration/Alarms");
    let alarms = alarms.and_then(Value::as_array).into_iter().flatten();
    let alarms = alarms.filter_map(|alarm| alarm.get("AlarmName")?.as_str().map(str::to_owned));
    Ok(Rollout {
        bake: bake(&config),
        alarms: alarms.collect(),
        document: Some(config.clone()),
    })
}

/// Seconds that both fleets serve side by side.
fn bake(config: &Value) -> u32 {
    let number = |pointer: &str| {
        let found = config.pointer(pointer).and_then(Value::as_u64);
        u32::try_from(found.unwrap_or(0)).unwrap_or(u32::MAX)
    };
    let routing = "/BlueGreenUpdatePolicy/TrafficRoutingConfiguration";
    let kind = config.pointer(&format!("{routing}/Type"));
    let waits = match kind.and_then(Value::as_str) {
        Some("CANARY") => 2,
        Some("LINEAR") => batches(config, &format!("{routing}/LinearStepSize")),
        Some(_) => 1,
        None => 0,
    };
    let rolls = batches(config, "/RollingUpdatePolicy/MaximumBatchSize");
    let parts = [
        number(&format!("{routing}/WaitIntervalInSeconds")).saturating_mul(waits),
        number("/BlueGreenUpdatePolicy/TerminationWaitInSeconds"),
        number("/RollingUpdatePolicy/WaitIntervalInSeconds").saturating_mul(rolls),
    ];
    parts.into_iter().fold(0, u32::saturating_add)
}

/// The number of steps of a size in percent. One in instances is taken for two steps, as the
/// engine does not count them while they are replaced.
fn batches(config: &Value, pointer: &str) -> u32 {
    let size = config.pointer(pointer);
    let part = |name: &str| size.and_then(|size| size.get(name));
    let is_percent = part("Type").and_then(Value::as_str) == Some("CAPACITY_PERCENT");
    match part("Value").and_then(Value::as_u64) {
        Some(percent @ 1..=100) if is_percent => {
            u32::try_from(100_u64.div_ceil(percent)).unwrap_or(1)
        }
        Some(_) | None => 2,
    }
}

pub(super) fn adjust(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let adjustment: Adjustment = shape::decode(body)?;
    let desired = adjustment.desired_weights_and_capacities.into_iter();
    let wishes: Vec<Wish> = desired
        .map(|desired| Wish {
            variant: desired.variant_name,
            weight: desired.desired_weight,
            count: desired.desired_instance_count,
        })
        .collect();
    let name = adjustment.endpoint_name;
    let (region, moment) = (&mut *context.region, &context.moment);
    let made = region.adjust_endpoint(&name, &wishes, moment);
    made.map_err(|refusal| context.failure(&refusal))?;
    named(context, &name)
}

pub(super) fn delete(context: &mut Context<'_>, body: &Value) -> Result<Value, Failure> {
    let (region, moment) = (&mut *context.region, &context.moment);
    let gone = region.delete_endpoint(&text(body, "EndpointName"), moment);
    gone.map_err(|refusal| context.failure(&refusal))?;
    Ok(Value::Null)
}

pub(super) fn describe(context: &Context<'_>, body: &Value) -> Result<Value, Failure> {
    let name = text(body, "EndpointName");
    let Some(endpoint) = context.region.endpoints.get(&name) else {
        let noun = Noun::Endpoint;
        return Err(context.failure(&Refusal::Missing { noun, name }));
    };
    Ok(status::document(context, &name, endpoint))
}

pub(super) fn list(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let entries = context
        .region
        .endpoints
        .iter()
        .map(|(name, endpoint)| Entry {
            name: name.clone(),
            created: endpoint.created,
            modified: endpoint.modified,
            status: status::word(&endpoint.phase),
            summary: json!({
                "EndpointName": name,
                "EndpointArn": context.place().arn(Noun::Endpoint, name),
                "CreationTime": epoch(endpoint.created),
                "LastModifiedTime": epoch(endpoint.modified),
                "EndpointStatus": status::word(&endpoint.phase),
            }),
        });
    page(body, "Endpoints", entries)
}
