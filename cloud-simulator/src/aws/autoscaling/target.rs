//! Scalable targets, and what was done to them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::sagemaker::epoch;
use super::super::{Context, shape};
use super::{Count, DIMENSION, Query, decode, failure, identifier, resource_id};
use crate::engine::{Suspension, Tags, Target, TargetKey};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Registration {
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
    suspended_state: Option<Suspended>,
    tags: Option<Tags>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct Suspended {
    dynamic_scaling_in_suspended: bool,
    dynamic_scaling_out_suspended: bool,
    scheduled_scaling_suspended: bool,
}

pub(super) fn register(context: &mut Context<'_>, body: &Value) -> Result<Value, Failure> {
    let key = decode::<Count>(body)?.key()?;
    let registration: Registration = decode(body)?;
    if registration.min_capacity == Some(0) {
        let message = "Minimum capacity of a SageMaker variant must be at least 1";
        return Err(Failure::validation(message));
    }
    let suspension = registration.suspended_state.map(|suspended| Suspension {
        scale_in: suspended.dynamic_scaling_in_suspended,
        scale_out: suspended.dynamic_scaling_out_suspended,
        scheduled: suspended.scheduled_scaling_suspended,
    });
    let bounds = (registration.min_capacity, registration.max_capacity);
    let (region, moment) = (&mut *context.region, &context.moment);
    let made = region.register_target(key.clone(), bounds, suspension, registration.tags, moment);
    made.map_err(|refusal| failure(refusal, &key))?;
    Ok(json!({ "ScalableTargetARN": arn(context, &key) }))
}

fn arn(context: &Context<'_>, key: &TargetKey) -> String {
    let unique = identifier(&[context.region_name, "target", &resource_id(key)]);
    format!(
        "arn:aws:application-autoscaling:{}:{}:scalable-target/{}",
        context.region_name,
        context.account,
        unique.replace('-', ""),
    )
}

pub(super) fn deregister(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let key = shape::decode::<Count>(body)?.key()?;
    let gone = context.region.deregister_target(&key);
    gone.map_err(|refusal| failure(refusal, &key))?;
    Ok(json!({}))
}

pub(super) fn describe(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let targets = context.region.targets.iter();
    let targets = targets.filter(|(key, _)| query.has(key));
    let all = targets.map(|(key, target)| document(context, key, target));
    query.page("ScalableTargets", all.collect())
}

fn document(context: &Context<'_>, key: &TargetKey, target: &Target) -> Value {
    json!({
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource_id(key),
        "ScalableDimension": DIMENSION,
        "MinCapacity": target.envelope.min,
        "MaxCapacity": target.envelope.max,
        "RoleARN": format!(
            "arn:aws:iam::{}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
             AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            context.account
        ),
        "CreationTime": epoch(target.created),
        "SuspendedState": {
            "DynamicScalingInSuspended": target.suspension.scale_in,
            "DynamicScalingOutSuspended": target.suspension.scale_out,
            "ScheduledScalingSuspended": target.suspension.scheduled,
        },
        "ScalableTargetARN": arn(context, key),
    })
}

pub(super) fn activities(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let numbered = context.region.activities.iter().enumerate().rev();
    let fitting = numbered.filter(|(_, activity)| query.has(&activity.key));
    let all = fitting.map(|(number, activity)| {
        let id = resource_id(&activity.key);
        let time = activity.at.to_string();
        json!({
            "ActivityId": identifier(&[&id, &time, &number.to_string()]),
            "ServiceNamespace": "sagemaker",
            "ResourceId": id,
            "ScalableDimension": DIMENSION,
            "Description": format!("Setting desired instance count to {}.", activity.count),
            "Cause": activity.cause,
            "StartTime": epoch(activity.at),
            "StatusCode": if activity.refused.is_some() { "Failed" } else { "Successful" },
            "StatusMessage": activity.refused.as_deref().unwrap_or("Ordered."),
        })
    });
    query.page("ScalingActivities", all.collect())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Marking {
    #[serde(rename = "ResourceARN")]
    arn: String,
    tags: Option<Tags>,
    tag_keys: Option<Vec<String>>,
}

/// Adds, removes or lists marks, by what the request has.
pub(super) fn tag(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let marking: Marking = shape::decode(body)?;
    let mut keys = context.region.targets.keys();
    let key = keys.find(|key| arn(context, key) == marking.arn).cloned();
    let target = key.and_then(|key| context.region.targets.get_mut(&key));
    let Some(target) = target else {
        let message = format!("The specified resource doesn't exist: {}", marking.arn);
        return Err(Failure::new(400, "ResourceNotFoundException", message));
    };
    match (marking.tags, marking.tag_keys) {
        (Some(tags), _) => target.tags.extend(tags),
        (None, Some(keys)) => target.tags.retain(|key, _| !keys.contains(key)),
        (None, None) => {
            let tags: &BTreeMap<String, String> = &target.tags;
            return Ok(json!({ "Tags": tags }));
        }
    }
    Ok(json!({}))
}
