//! What scales the variants of an endpoint, taken off and put back as it was.

use isobar_sdk::Error;
use serde_json::{Map, Value as Json, json};

use crate::client::{Call, Client};
use crate::place::Place;
use crate::scalable::{DIMENSION, NAMESPACE, of_variant};
use crate::service::Service;

/// Targets, policies and scheduled actions, as calls take them.
#[derive(Debug, Default)]
pub(crate) struct Scaler {
    targets: Vec<Json>,
    policies: Vec<Json>,
    actions: Vec<Json>,
}

const TARGET: [&str; 7] = [
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "MinCapacity",
    "MaxCapacity",
    "RoleARN",
    "SuspendedState",
];
const POLICY: [&str; 7] = [
    "PolicyName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "PolicyType",
    "TargetTrackingScalingPolicyConfiguration",
    "StepScalingPolicyConfiguration",
];
const ACTION: [&str; 9] = [
    "ScheduledActionName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "Schedule",
    "Timezone",
    "StartTime",
    "EndTime",
    "ScalableTargetAction",
];

impl Scaler {
    /// Takes off what scales these variants. A variant that nothing scales costs one call.
    pub(crate) async fn take_off(
        client: &Client,
        place: &Place,
        variants: &[String],
    ) -> Result<Self, Error> {
        let mut scaler = Self::default();
        for variant in variants {
            scaler.find(client, place, variant).await?;
        }
        match scaler.remove(client, &place.region).await {
            Ok(()) => Ok(scaler),
            Err(error) => {
                // Nothing has changed yet, so that what is off already belongs back.
                scaler.put_back(client, &place.region).await?;
                Err(error)
            }
        }
    }

    /// Adds what scales a variant.
    async fn find(&mut self, client: &Client, place: &Place, variant: &str) -> Result<(), Error> {
        let region = &place.region;
        let resource = of_variant(&place.name, variant);
        let targets = json!({ "ServiceNamespace": NAMESPACE, "ResourceIds": [resource] });
        let of_resource = json!({ "ServiceNamespace": NAMESPACE, "ResourceId": resource });
        let call = |operation| call(region, operation);
        let found = client
            .list::<Json>(call("DescribeScalableTargets"), targets, "ScalableTargets")
            .await?;
        if found.is_empty() {
            return Ok(());
        }
        let policies = client.list(
            call("DescribeScalingPolicies"),
            of_resource.clone(),
            "ScalingPolicies",
        );
        let policies: Vec<Json> = policies.await?;
        let actions = client.list(
            call("DescribeScheduledActions"),
            of_resource,
            "ScheduledActions",
        );
        let actions: Vec<Json> = actions.await?;
        self.targets
            .extend(found.iter().map(|target| only(target, &TARGET)));
        self.policies
            .extend(policies.iter().map(|policy| only(policy, &POLICY)));
        self.actions
            .extend(actions.iter().map(|action| only(action, &ACTION)));
        Ok(())
    }

    async fn remove(&self, client: &Client, region: &str) -> Result<(), Error> {
        for policy in &self.policies {
            let named = only(policy, &POLICY[..4]);
            absent(
                client
                    .insist::<Json>(call(region, "DeleteScalingPolicy"), &named)
                    .await,
            )?;
        }
        for target in &self.targets {
            let named = only(target, &TARGET[..3]);
            absent(
                client
                    .insist::<Json>(call(region, "DeregisterScalableTarget"), &named)
                    .await,
            )?;
        }
        Ok(())
    }

    /// Puts it back. A variant that is gone is scaled by nothing any more.
    pub(crate) async fn put_back(&self, client: &Client, region: &str) -> Result<(), Error> {
        let groups = [
            ("RegisterScalableTarget", &self.targets),
            ("PutScalingPolicy", &self.policies),
            ("PutScheduledAction", &self.actions),
        ];
        for (operation, inputs) in groups {
            for input in inputs {
                match client.insist::<Json>(call(region, operation), input).await {
                    Err(fault) if fault.is_not_found() || is_past(operation, &fault.error) => {}
                    Err(fault) => return Err(fault.into()),
                    Ok(_) => {}
                }
            }
        }
        Ok(())
    }
}

/// Whether a scheduled action is not taken because its time has come in the meantime.
fn is_past(operation: &str, error: &Error) -> bool {
    operation == "PutScheduledAction" && error.message.contains("past")
}

fn absent(answer: Result<Json, crate::fault::Fault>) -> Result<(), Error> {
    match answer {
        Err(fault) if !fault.is_not_found() => Err(fault.into()),
        _ => Ok(()),
    }
}

fn call<'a>(region: &'a str, operation: &'a str) -> Call<'a> {
    Call {
        service: Service::AutoScaling,
        region,
        operation,
    }
}

fn only(of: &Json, names: &[&str]) -> Json {
    let members = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), of.get(name)?.clone())));
    let mut members: Map<String, Json> = members.collect();
    members
        .entry("ScalableDimension")
        .or_insert_with(|| DIMENSION.into());
    Json::Object(members)
}
