//! Scaling policies. Only target tracking of invocations per instance does anything.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::sagemaker::epoch;
use super::super::{Context, shape};
use super::{
    Count, DIMENSION, Query, decode, failure, identifier, resource_id, rule_arn, take_away,
};
use crate::engine::{Noun, Policy, TargetKey};

/// Seconds between changes where a policy does not say.
const COOLDOWN: u32 = 300;

const TRACKING: &str = "TargetTrackingScalingPolicyConfiguration";

const CONFIGURATIONS: [(&str, &str); 3] = [
    ("StepScaling", "StepScalingPolicyConfiguration"),
    ("TargetTrackingScaling", TRACKING),
    ("PredictiveScaling", "PredictiveScalingPolicyConfiguration"),
];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    policy_name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tracking {
    target_value: f64,
    predefined_metric_specification: Option<Value>,
    customized_metric_specification: Option<Value>,
    scale_in_cooldown: Option<u32>,
    scale_out_cooldown: Option<u32>,
    #[serde(default)]
    disable_scale_in: bool,
}

impl Tracking {
    fn per_instance(&self) -> Result<Option<f64>, Failure> {
        let predefined = self.predefined_metric_specification.as_ref();
        if predefined.is_some() == self.customized_metric_specification.is_some() {
            let message = "Exactly one of a predefined and a customized metric must be given";
            return Err(Failure::validation(message));
        }
        let metric = predefined.and_then(|of| of.get("PredefinedMetricType")?.as_str());
        let invocations = metric == Some("SageMakerVariantInvocationsPerInstance");
        Ok(invocations.then_some(self.target_value))
    }
}

/// The policy that a request describes.
fn policy(mut document: Value, created: Timestamp) -> Result<Policy, Failure> {
    let kind = document.get("PolicyType").and_then(Value::as_str);
    let kind = kind.unwrap_or("StepScaling").to_owned();
    let given = CONFIGURATIONS.iter();
    let given = given.filter(|(_, member)| document.get(member).is_some());
    if given.map(|(of, _)| *of).collect::<Vec<_>>() != [kind.as_str()] {
        let message = format!("A policy of type {kind} needs its own configuration and no other");
        return Err(Failure::validation(message));
    }
    document["PolicyType"] = kind.into();
    let mut policy = Policy {
        per_instance: None,
        cooldown_in: COOLDOWN,
        cooldown_out: COOLDOWN,
        grows_only: false,
        document: Value::Null,
        created,
    };
    if let Some(tracking) = document.get(TRACKING) {
        let tracking: Tracking = decode(tracking)?;
        policy.per_instance = tracking.per_instance()?;
        policy.cooldown_in = tracking.scale_in_cooldown.unwrap_or(COOLDOWN);
        policy.cooldown_out = tracking.scale_out_cooldown.unwrap_or(COOLDOWN);
        policy.grows_only = tracking.disable_scale_in;
    }
    policy.document = document;
    Ok(policy)
}

pub(super) fn put(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let key = decode::<Count>(&body)?.key()?;
    let name = decode::<Named>(&body)?.policy_name;
    let now = context.moment.now;
    let arn = rule_arn(context, "scalingPolicy", &key, &name);
    let alarms = alarms(context, &key, &name, &body);
    let target = context.region.target(&key);
    let target = target.map_err(|refusal| failure(refusal, &key))?;
    let created = target.policies.get(&name).map_or(now, |old| old.created);
    target.policies.insert(name, policy(body, created)?);
    Ok(json!({ "PolicyARN": arn, "Alarms": alarms }))
}

/// The alarms that the service makes for target tracking; nobody can see them elsewhere.
fn alarms(context: &Context<'_>, key: &TargetKey, name: &str, document: &Value) -> Value {
    if document.get(TRACKING).is_none() {
        return json!([]);
    }
    let id = resource_id(key);
    let alarms = ["AlarmHigh", "AlarmLow"].into_iter().map(|which| {
        let unique = identifier(&[context.region_name, &id, name, which]);
        let alarm = format!("TargetTracking-{id}-{which}-{unique}");
        let (region, account) = (context.region_name, context.account);
        json!({
            "AlarmARN": format!("arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}"),
            "AlarmName": alarm,
        })
    });
    alarms.collect()
}

pub(super) fn delete(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let key = decode::<Count>(&body)?.key()?;
    let name = shape::decode::<Named>(body)?.policy_name;
    take_away(context, &key, (Noun::Policy, name), |target| {
        &mut target.policies
    })
}

pub(super) fn describe(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let view = |key: &TargetKey, name: &str, policy: &Policy| {
        let mut answer = policy.document.clone();
        answer["ScalableDimension"] = DIMENSION.into();
        answer["PolicyARN"] = rule_arn(context, "scalingPolicy", key, name).into();
        answer["Alarms"] = alarms(context, key, name, &policy.document);
        answer["CreationTime"] = epoch(policy.created);
        answer
    };
    query.rules(context, "ScalingPolicies", |target| &target.policies, view)
}
