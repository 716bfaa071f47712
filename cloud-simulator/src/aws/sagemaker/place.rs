//! Names for all of AWS, and refusals that speak of them.

use super::super::answer::Failure;
use crate::engine::{Noun, Refusal};

/// Where things of an account in a region are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
}

/// What the service calls a kind of resource.
fn word(noun: Noun) -> String {
    match noun {
        Noun::Configuration => "endpoint configuration".to_owned(),
        Noun::Variant => "production variant".to_owned(),
        other => other.to_string(),
    }
}

impl Place<'_> {
    /// The name of a model, a configuration or an endpoint for all of AWS.
    pub(super) fn arn(&self, noun: Noun, name: &str) -> String {
        let Self { account, region } = self;
        let kind = match noun {
            Noun::Configuration => "endpoint-config",
            Noun::Endpoint => "endpoint",
            Noun::Model => "model",
            // These have no name of that kind.
            Noun::Variant | Noun::Target | Noun::Policy | Noun::Action => return name.to_owned(),
        };
        format!("arn:aws:sagemaker:{region}:{account}:{kind}/{name}")
    }

    /// A refusal of the engine in the words of SageMaker.
    pub(super) fn failure(&self, refusal: &Refusal) -> Failure {
        let endpoint = |name: &str| self.arn(Noun::Endpoint, name);
        let message = match refusal {
            Refusal::Missing { noun, name } => {
                format!(
                    "Could not find {} \"{}\".",
                    word(*noun),
                    self.arn(*noun, name)
                )
            }
            Refusal::Exists { noun, name } => format!(
                "Cannot create already existing {} \"{}\".",
                word(*noun),
                self.arn(*noun, name)
            ),
            Refusal::Busy { endpoint: name } => {
                format!("Cannot update in-progress endpoint \"{}\".", endpoint(name))
            }
            Refusal::Broken { endpoint: name } => {
                format!("Cannot update failed endpoint \"{}\".", endpoint(name))
            }
            Refusal::InUse { noun, name, by } => format!(
                "Cannot delete {} \"{}\": in use by \"{}\".",
                word(*noun),
                self.arn(*noun, name),
                endpoint(by)
            ),
            Refusal::Quota { .. } => quota(refusal),
            Refusal::Scaled { variants } => scaled(variants),
            Refusal::Role { role } => unassumable(role),
            Refusal::Invalid(reason) => reason.clone(),
        };
        let code = match refusal {
            Refusal::InUse { .. } => "ResourceInUse",
            Refusal::Quota { .. } => "ResourceLimitExceeded",
            _ => "ValidationException",
        };
        Failure::new(400, code, message)
    }
}

fn unassumable(role: &str) -> String {
    format!(
        "Could not assume role {role}. Please ensure that the role exists and allows principal \
         'sagemaker.amazonaws.com' to assume the role."
    )
}

fn scaled(variants: &[String]) -> String {
    format!(
        "The variant(s) \"{}\" must be deregistered as scalable target(s) with AWS Auto Scaling \
         before they can be removed or have their instance type updated.",
        variants.join(", ")
    )
}

fn quota(refusal: &Refusal) -> String {
    let Refusal::Quota {
        instance_type,
        limit,
        used,
        wanted,
    } = refusal
    else {
        return refusal.to_string();
    };
    format!(
        "The account-level service limit '{instance_type} for endpoint usage' is {limit} \
         Instances, with current utilization of {used} Instances and a request delta of {wanted} \
         Instances. Please use AWS Service Quotas to request an increase for this quota. If AWS \
         Service Quotas is not available, contact AWS support to request an increase for this \
         quota."
    )
}
