//! Application Auto Scaling, for the variants of SageMaker's endpoints.

mod action;
mod policy;
mod target;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::answer::Failure;
use super::{Context, shape};
use crate::engine::{Noun, Refusal, Target, TargetKey};

/// The count of instances of a variant, the only one that there is here.
const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

/// The members that name a count.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Count {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
}

impl Count {
    fn key(&self) -> Result<TargetKey, Failure> {
        if self.service_namespace != "sagemaker" || self.scalable_dimension != DIMENSION {
            let message = "Unsupported service namespace, resource type or scalable dimension";
            return Err(Failure::validation(message));
        }
        let mut parts = self.resource_id.split('/');
        match (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) {
            (Some("endpoint"), Some(endpoint), Some("variant"), Some(variant), None) => {
                Ok(TargetKey {
                    endpoint: endpoint.to_owned(),
                    variant: variant.to_owned(),
                })
            }
            _ => Err(Failure::validation(format!(
                "Unsupported resource ID for SageMaker: {}",
                self.resource_id
            ))),
        }
    }
}

fn resource_id(key: &TargetKey) -> String {
    format!("endpoint/{}/variant/{}", key.endpoint, key.variant)
}

/// What lists are filtered by.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    service_namespace: String,
    #[serde(default)]
    resource_ids: Vec<String>,
    resource_id: Option<String>,
    scalable_dimension: Option<String>,
    #[serde(default, alias = "ScheduledActionNames")]
    policy_names: Vec<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl Query {
    fn has(&self, key: &TargetKey) -> bool {
        let id = resource_id(key);
        self.service_namespace == "sagemaker"
            && self
                .scalable_dimension
                .as_ref()
                .is_none_or(|of| of == DIMENSION)
            && (self.resource_ids.is_empty() || self.resource_ids.contains(&id))
            && self.resource_id.as_ref().is_none_or(|of| *of == id)
    }

    fn has_name(&self, name: &String) -> bool {
        self.policy_names.is_empty() || self.policy_names.contains(name)
    }

    /// A page of the policies, or of the actions, of all targets.
    fn rules<T>(
        &self,
        context: &Context<'_>,
        member: &str,
        of: fn(&Target) -> &BTreeMap<String, T>,
        view: impl Fn(&TargetKey, &str, &T) -> Value,
    ) -> Result<Value, Failure> {
        let targets = context.region.targets.iter();
        let targets = targets.filter(|(key, _)| self.has(key));
        let all = targets.flat_map(|(key, target)| {
            let named = of(target).iter().filter(|(name, _)| self.has_name(name));
            named.map(|(name, rule)| view(key, name, rule))
        });
        self.page(member, all.collect())
    }

    /// A page of at most fifty.
    fn page(&self, member: &str, all: Vec<Value>) -> Result<Value, Failure> {
        let wrong = || Failure::new(400, "InvalidNextTokenException", "Invalid token");
        let start = self
            .next_token
            .as_deref()
            .map_or(Ok(0), str::parse::<usize>);
        let start = start.map_err(|_| wrong())?;
        let size = self.max_results.unwrap_or(50).clamp(1, 50);
        let end = start.saturating_add(size);
        let more = all.len() > end;
        let page: Vec<Value> = all.into_iter().skip(start).take(size).collect();
        let mut answer = json!({ member: page });
        if more {
            answer["NextToken"] = end.to_string().into();
        }
        Ok(answer)
    }
}

pub(super) fn answer(
    mut context: Context<'_>,
    operation: &str,
    body: Value,
) -> Result<Value, Failure> {
    match operation {
        "RegisterScalableTarget" => target::register(&mut context, &body),
        "DeregisterScalableTarget" => target::deregister(&mut context, body),
        "DescribeScalableTargets" => target::describe(&context, body),
        "DescribeScalingActivities" => target::activities(&context, body),
        "ListTagsForResource" | "TagResource" | "UntagResource" => target::tag(&mut context, body),
        "PutScalingPolicy" => policy::put(&mut context, body),
        "DeleteScalingPolicy" => policy::delete(&mut context, body),
        "DescribeScalingPolicies" => policy::describe(&context, body),
        "PutScheduledAction" => action::put(&mut context, body),
        "DeleteScheduledAction" => action::delete(&mut context, body),
        "DescribeScheduledActions" => action::describe(&context, body),
        other => Err(Failure::new(400, "UnknownOperationException", other)),
    }
}

/// A refusal of the engine in the words of this service. `key` is what the call was about.
fn failure(refusal: Refusal, key: &TargetKey) -> Failure {
    let id = resource_id(key);
    let place =
        format!("service namespace: sagemaker, resource ID: {id}, scalable dimension: {DIMENSION}");
    let missing = |message: String| Failure::new(400, "ObjectNotFoundException", message);
    match refusal {
        Refusal::Missing {
            noun: Noun::Target, ..
        } => missing(format!("No scalable target registered for {place}")),
        Refusal::Missing {
            noun: Noun::Policy,
            name,
        } => missing(format!(
            "No scaling policy found for {place}, policy name: {name}"
        )),
        Refusal::Missing {
            noun: Noun::Action,
            name,
        } => missing(format!(
            "No scheduled action found for {place}, action name: {name}"
        )),
        Refusal::Missing { .. } => {
            Failure::validation(format!("SageMaker resource doesn't exist: {id}"))
        }
        other => Failure::validation(other.to_string()),
    }
}

/// Takes a policy or an action away from its target.
fn take_away<T>(
    context: &mut Context<'_>,
    key: &TargetKey,
    (noun, name): (Noun, String),
    of: fn(&mut Target) -> &mut BTreeMap<String, T>,
) -> Result<Value, Failure> {
    let target = context.region.target(key);
    let target = target.map_err(|refusal| failure(refusal, key))?;
    if of(target).remove(&name).is_none() {
        return Err(failure(Refusal::Missing { noun, name }, key));
    }
    Ok(json!({}))
}

/// Something that looks like the identifiers of the service and is the same every time.
fn identifier(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n").as_bytes());
    let hex: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let (first, second) = (&hex[..8], &hex[8..12]);
    format!(
        "{first}-{second}-{}-{}-{}",
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The name of a rule for all of AWS.
fn rule_arn(context: &Context<'_>, kind: &str, key: &TargetKey, name: &str) -> String {
    let id = resource_id(key);
    let unique = identifier(&[context.region_name, kind, &id, name]);
    format!(
        "arn:aws:autoscaling:{}:{}:{kind}:{unique}:resource/sagemaker/{id}:{}Name/{name}",
        context.region_name,
        context.account,
        if kind == "scalingPolicy" {
            "policy"
        } else {
            kind
        },
    )
}

fn decode<T: serde::de::DeserializeOwned>(body: &Value) -> Result<T, Failure> {
    shape::decode(body.clone())
}
