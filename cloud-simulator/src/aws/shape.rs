//! The operations that are known, and which members their requests must and may have.
//!
//! This much is checked always. What members may hold is checked by the contract, where that is at
//! hand.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Service;
use super::answer::Failure;

/// Name, members that must be there, members that may be there.
type Shape = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

static SAGEMAKER: [Shape; 17] = [
    ("AddTags", &["ResourceArn", "Tags"], &[]),
    (
        "CreateEndpoint",
        &["EndpointName", "EndpointConfigName"],
        &["DeploymentConfig", "Tags"],
    ),
    (
        "CreateEndpointConfig",
        &["EndpointConfigName", "ProductionVariants"],
        &[
            "AsyncInferenceConfig",
            "CrossRegionTrafficConfig",
            "DataCaptureConfig",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "ExplainerConfig",
            "KmsKeyId",
            "MetricsConfig",
            "ShadowProductionVariants",
            "Tags",
            "VpcConfig",
        ],
    ),
    (
        "CreateModel",
        &["ModelName"],
        &[
            "Containers",
            "EnableNetworkIsolation",
            "ExecutionRoleArn",
            "InferenceExecutionConfig",
            "PrimaryContainer",
            "Tags",
            "VpcConfig",
        ],
    ),
    ("DeleteEndpoint", &["EndpointName"], &[]),
    ("DeleteEndpointConfig", &["EndpointConfigName"], &[]),
    ("DeleteModel", &["ModelName"], &[]),
    ("DeleteTags", &["ResourceArn", "TagKeys"], &[]),
    ("DescribeEndpoint", &["EndpointName"], &[]),
    ("DescribeEndpointConfig", &["EndpointConfigName"], &[]),
    ("DescribeModel", &["ModelName"], &[]),
    ("ListEndpointConfigs", &[], LISTING),
    (
        "ListEndpoints",
        &[],
        &[
            "CreationTimeAfter",
            "CreationTimeBefore",
            "LastModifiedTimeAfter",
            "LastModifiedTimeBefore",
            "MaxResults",
            "NameContains",
            "NextToken",
            "SortBy",
            "SortOrder",
            "StatusEquals",
        ],
    ),
    ("ListModels", &[], LISTING),
    ("ListTags", &["ResourceArn"], &["MaxResults", "NextToken"]),
    (
        "UpdateEndpoint",
        &["EndpointName", "EndpointConfigName"],
        &[
            "DeploymentConfig",
            "ExcludeRetainedVariantProperties",
            "RetainAllVariantProperties",
            "RetainDeploymentConfig",
        ],
    ),
    (
        "UpdateEndpointWeightsAndCapacities",
        &["EndpointName", "DesiredWeightsAndCapacities"],
        &[],
    ),
];

const LISTING: &[&str] = &[
    "CreationTimeAfter",
    "CreationTimeBefore",
    "MaxResults",
    "NameContains",
    "NextToken",
    "SortBy",
    "SortOrder",
];

const COUNT: &[&str] = &["ServiceNamespace", "ResourceId", "ScalableDimension"];
const POLICY: &[&str] = &[
    "PolicyName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
];
const ACTION: &[&str] = &[
    "ScheduledActionName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
];

static AUTOSCALING: [Shape; 13] = [
    ("DeleteScalingPolicy", POLICY, &[]),
    ("DeleteScheduledAction", ACTION, &[]),
    ("DeregisterScalableTarget", COUNT, &[]),
    (
        "DescribeScalableTargets",
        &["ServiceNamespace"],
        &[
            "MaxResults",
            "NextToken",
            "ResourceIds",
            "ScalableDimension",
        ],
    ),
    (
        "DescribeScalingActivities",
        &["ServiceNamespace"],
        &[
            "IncludeNotScaledActivities",
            "MaxResults",
            "NextToken",
            "ResourceId",
            "ScalableDimension",
        ],
    ),
    (
        "DescribeScalingPolicies",
        &["ServiceNamespace"],
        &[
            "MaxResults",
            "NextToken",
            "PolicyNames",
            "ResourceId",
            "ScalableDimension",
        ],
    ),
    (
        "DescribeScheduledActions",
        &["ServiceNamespace"],
        &[
            "MaxResults",
            "NextToken",
            "ResourceId",
            "ScalableDimension",
            "ScheduledActionNames",
        ],
    ),
    ("ListTagsForResource", &["ResourceARN"], &[]),
    (
        "PutScalingPolicy",
        POLICY,
        &[
            "PolicyType",
            "PredictiveScalingPolicyConfiguration",
            "StepScalingPolicyConfiguration",
            "TargetTrackingScalingPolicyConfiguration",
        ],
    ),
    (
        "PutScheduledAction",
        ACTION,
        &[
            "EndTime",
            "ScalableTargetAction",
            "Schedule",
            "StartTime",
            "Timezone",
        ],
    ),
    (
        "RegisterScalableTarget",
        COUNT,
        &[
            "MaxCapacity",
            "MinCapacity",
            "RoleARN",
            "SuspendedState",
            "Tags",
        ],
    ),
    ("TagResource", &["ResourceARN", "Tags"], &[]),
    ("UntagResource", &["ResourceARN", "TagKeys"], &[]),
];

static QUOTAS: [Shape; 2] = [
    (
        "GetServiceQuota",
        &["ServiceCode", "QuotaCode"],
        &["ContextId"],
    ),
    (
        "ListServiceQuotas",
        &["ServiceCode"],
        &[
            "MaxResults",
            "NextToken",
            "QuotaAppliedAtLevel",
            "QuotaCode",
        ],
    ),
];

/// The operations of a service.
pub(super) const fn shapes(service: Service) -> &'static [Shape] {
    match service {
        Service::SageMaker => &SAGEMAKER,
        Service::Autoscaling => &AUTOSCALING,
        Service::Quotas => &QUOTAS,
        Service::Identity => &[],
    }
}

fn shape(service: Service, operation: &str) -> Option<&'static Shape> {
    let mut all = shapes(service).iter();
    all.find(|(name, ..)| *name == operation)
}

/// Whether the service has this operation here.
pub(super) fn is_known(service: Service, operation: &str) -> bool {
    shape(service, operation).is_some()
}

/// The body as an object.
pub(super) fn parse(body: &[u8]) -> Result<Value, Failure> {
    let value = serde_json::from_slice::<Map<String, Value>>(body);
    // A member that is null is one that is not there.
    let present = value.map(|map| {
        map.into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect()
    });
    present
        .map(Value::Object)
        .map_err(|error| Failure::new(400, "SerializationException", error.to_string()))
}

/// Fails where a member is missing or not known, or a name cannot be one.
pub(super) fn check(service: Service, operation: &str, body: &Value) -> Result<(), Failure> {
    let (Some((_, required, optional)), Some(members)) =
        (shape(service, operation), body.as_object())
    else {
        return Ok(());
    };
    let mut wrong = Vec::new();
    for name in required.iter().filter(|name| !members.contains_key(**name)) {
        wrong.push(unmet("null", &small(name), "Member must not be null"));
    }
    for name in members.keys() {
        if !required.contains(&name.as_str()) && !optional.contains(&name.as_str()) {
            wrong.push(unmet(
                name,
                &small(name),
                "Member must be one of the operation",
            ));
        }
    }
    for name in ["ModelName", "EndpointConfigName", "EndpointName"] {
        if let Some(value) = members.get(name).and_then(Value::as_str) {
            wrong.extend(name_fault(name, value));
        }
    }
    violations(&wrong)
}

fn name_fault(member: &str, value: &str) -> Option<String> {
    const PATTERN: &str = "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}";
    let edges = [value.chars().next(), value.chars().next_back()];
    let edges = edges
        .iter()
        .all(|edge| edge.is_some_and(|edge| edge.is_ascii_alphanumeric()));
    let inside = value
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if value.len() > 63 {
        let constraint = "Member must have length less than or equal to 63";
        return Some(unmet(&format!("'{value}'"), &small(member), constraint));
    }
    let constraint = format!("Member must satisfy regular expression pattern: {PATTERN}");
    (!edges || !inside).then(|| unmet(&format!("'{value}'"), &small(member), &constraint))
}

/// One constraint that is not met, as the services say it.
pub(super) fn unmet(value: &str, path: &str, constraint: &str) -> String {
    format!("Value {value} at '{path}' failed to satisfy constraint: {constraint}")
}

/// Fails if there are any.
pub(super) fn violations(unmet: &[String]) -> Result<(), Failure> {
    let count = unmet.len();
    match count {
        0 => Ok(()),
        1 => Err(Failure::validation(format!(
            "1 validation error detected: {}",
            unmet[0]
        ))),
        _ => {
            let all = unmet.join("; ");
            Err(Failure::validation(format!(
                "{count} validation errors detected: {all}"
            )))
        }
    }
}

/// The name of a member as the services' messages have it.
pub(super) fn small(member: &str) -> String {
    let mut letters = member.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// The members of a request.
pub(super) fn decode<T: DeserializeOwned>(body: Value) -> Result<T, Failure> {
    serde_json::from_value(body)
        .map_err(|error| Failure::new(400, "SerializationException", error.to_string()))
}
