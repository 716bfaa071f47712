//! What SageMaker tells of an endpoint.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::super::Context;
use super::epoch;
use crate::engine::{Endpoint, Move, Noun, Phase, Region, Role, Trouble, Variant};

/// The status as the service calls it.
pub(super) const fn word(phase: &Phase) -> &'static str {
    match phase {
        Phase::Creating(_) => "Creating",
        Phase::InService => "InService",
        Phase::Updating(_) | Phase::Adjusting { .. } => "Updating",
        Phase::RollingBack { .. } => "RollingBack",
        Phase::Maintained { .. } => "SystemUpdating",
        Phase::Deleting { .. } => "Deleting",
        Phase::Failed => "Failed",
        Phase::OutOfService => "OutOfService",
        Phase::RollbackFailed => "UpdateRollbackFailed",
    }
}

fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::NoCapacity { instance_type } => format!(
            "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity \
             error. Please retry using a different ML instance type or after some time. \
             ({instance_type})"
        ),
        Trouble::NoImage { variant, image } => format!(
            "The image '{image}' for production variant {variant} does not exist. Please verify \
             the image URI and the access rights to its repository."
        ),
        Trouble::NoArtifact { variant, artifact } => {
            format!("Could not find model data at {artifact} for production variant {variant}.")
        }
        Trouble::Unhealthy { variant } => format!(
            "The primary container for production variant {variant} did not pass the ping health \
             check. Please check CloudWatch logs for this endpoint."
        ),
        Trouble::Alarm { alarm } => {
            format!("The deployment was rolled back because the alarm {alarm} was in ALARM state.")
        }
    }
}

pub(super) fn document(context: &Context<'_>, name: &str, endpoint: &Endpoint) -> Value {
    let region = &*context.region;
    let mut answer = Map::new();
    let mut set = |member: &str, value: Value| {
        answer.insert(member.to_owned(), value);
    };
    set("EndpointName", name.into());
    set(
        "EndpointArn",
        context.place().arn(Noun::Endpoint, name).into(),
    );
    set("EndpointConfigName", endpoint.configuration.as_str().into());
    set("EndpointStatus", word(&endpoint.phase).into());
    set("CreationTime", epoch(endpoint.created));
    set("LastModifiedTime", epoch(endpoint.modified));
    if let Some(trouble) = &endpoint.failure {
        set("FailureReason", reason(trouble).into());
    }
    if let Some(rollout) = &endpoint.rollout {
        set("LastDeploymentConfig", rollout.clone());
    }
    for (member, role) in MEMBERS {
        let of_role = endpoint.fleet.iter().filter(|variant| variant.role == role);
        let all = of_role.map(|variant| summary(region, endpoint, variant));
        let all: Vec<Value> = all.collect();
        if !all.is_empty() {
            set(member, all.into());
        }
    }
    if let Some(coming) = endpoint.phase.coming() {
        set(
            "PendingDeploymentSummary",
            pending(region, endpoint, coming),
        );
    }
    if let Some(configuration) = region.configurations.get(&endpoint.configuration) {
        answer.extend(ordered_members(&configuration.document));
    }
    Value::Object(answer)
}

/// What an endpoint tells of its configuration.
fn ordered_members(document: &Value) -> Map<String, Value> {
    let same = ["AsyncInferenceConfig", "ExplainerConfig", "MetricsConfig"];
    let same = same
        .into_iter()
        .filter_map(|member| Some((member, document.get(member)?.clone())));
    let capture = document.get("DataCaptureConfig");
    let capture = capture.map(|capture| ("DataCaptureConfig", capture_summary(capture)));
    let all = same.chain(capture);
    all.map(|(member, value)| (member.to_owned(), value))
        .collect()
}

const MEMBERS: [(&str, Role); 2] = [
    ("ProductionVariants", Role::Production),
    ("ShadowProductionVariants", Role::Shadow),
];

/// Capture as it is going on.
fn capture_summary(capture: &Value) -> Value {
    let enabled = capture
        .get("EnableCapture")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    json!({
        "EnableCapture": enabled,
        "CaptureStatus": if enabled { "Started" } else { "Stopped" },
        "CurrentSamplingPercentage": capture.get("InitialSamplingPercentage"),
        "DestinationS3Uri": capture.get("DestinationS3Uri"),
        "KmsKeyId": capture.get("KmsKeyId").cloned().unwrap_or_else(|| "".into()),
    })
}

fn images(region: &Region, endpoint: &Endpoint, variant: &Variant) -> Value {
    let model = variant
        .model
        .as_ref()
        .and_then(|model| region.models.get(model));
    let containers = model
        .map(|model| model.containers.as_slice())
        .unwrap_or_default();
    let images = containers
        .iter()
        .filter_map(|container| container.image.as_ref());
    let images = images.map(|image| {
        json!({
            "SpecifiedImage": image,
            "ResolvedImage": resolved(image),
            "ResolutionTime": epoch(endpoint.created),
        })
    });
    images.collect()
}

/// The image by digest. What a tag stands for is not known here, so its name decides.
fn resolved(image: &str) -> String {
    if image.contains('@') {
        return image.to_owned();
    }
    let start = image.rfind('/').map_or(0, |slash| slash + 1);
    let end = image[start..]
        .find(':')
        .map_or(image.len(), |colon| start + colon);
    let digest = Sha256::digest(image.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}@sha256:{digest}", &image[..end])
}

fn summary(region: &Region, endpoint: &Endpoint, variant: &Variant) -> Value {
    let mut summary = json!({
        "VariantName": variant.name,
        "DeployedImages": images(region, endpoint, variant),
        "CurrentWeight": f64::from(variant.weight),
        "DesiredWeight": f64::from(variant.desired_weight),
    });
    if variant.instance_type().is_some() {
        summary["CurrentInstanceCount"] = variant.count.into();
        summary["DesiredInstanceCount"] = variant.desired_count.into();
    }
    let order = region.configurations.get(&endpoint.configuration);
    let order = order.map(|order| &order.document);
    let order = order.and_then(|order| ordered(order, variant));
    for (member, as_member) in [
        ("RoutingConfig", "RoutingConfig"),
        ("ManagedInstanceScaling", "ManagedInstanceScaling"),
        ("ServerlessConfig", "CurrentServerlessConfig"),
        ("ServerlessConfig", "DesiredServerlessConfig"),
    ] {
        if let Some(value) = order.and_then(|order| order.get(member)) {
            summary[as_member] = value.clone();
        }
    }
    summary
}

/// The variant as its configuration has it.
fn ordered<'a>(document: &'a Value, variant: &Variant) -> Option<&'a Value> {
    let members = MEMBERS
        .iter()
        .filter_map(|(member, _)| document.get(member)?.as_array());
    let named = |of: &&Value| of.get("VariantName").and_then(Value::as_str) == Some(&variant.name);
    members.flatten().find(named)
}

fn pending(region: &Region, endpoint: &Endpoint, coming: &Move) -> Value {
    let status = if coming.judged { "Baking" } else { "Creating" };
    let mut pending = json!({
        "EndpointConfigName": coming.configuration,
        "StartTime": epoch(coming.started),
    });
    for (member, role) in MEMBERS {
        let of_role = coming.fleet.iter().filter(|variant| variant.role == role);
        let all: Vec<Value> = of_role
            .map(|variant| {
                let here = if coming.judged { variant.count } else { 0 };
                let mut one = json!({
                    "VariantName": variant.name,
                    "DeployedImages": images(region, endpoint, variant),
                    "CurrentWeight": f64::from(variant.weight),
                    "DesiredWeight": f64::from(variant.desired_weight),
                    "VariantStatus": [{ "Status": status, "StartTime": epoch(coming.started) }],
                });
                if let Some(instance_type) = variant.instance_type() {
                    one["InstanceType"] = instance_type.into();
                    one["CurrentInstanceCount"] = here.into();
                    one["DesiredInstanceCount"] = variant.desired_count.into();
                }
                one
            })
            .collect();
        if !all.is_empty() {
            pending[member] = all.into();
        }
    }
    pending
}
