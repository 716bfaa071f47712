//! Waits until an endpoint has come to rest, and says what it is then not as it should be.

use std::time::Duration;

use isobar_sdk::{Error, Value};

use super::{FAILED, Found, SERVING, find};
use crate::client::Client;
use crate::fault::Fault;
use crate::place::Place;

/// How often and how long is waited.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Between two looks.
    pub(crate) every: Duration,
    /// In all.
    pub(crate) longest: Duration,
}

impl Default for Pace {
    /// Every 15 seconds, for 90 minutes: canaries may take an hour before they end.
    fn default() -> Self {
        Self {
            every: Duration::from_secs(15),
            longest: Duration::from_secs(90 * 60),
        }
    }
}

/// Waits until nothing is under way; gives what there is then, or still is when time is up.
pub(super) async fn rest(client: &Client, pace: Pace, place: &Place) -> Result<Found, Fault> {
    until(client, pace, place, |found| !found.in_progress()).await
}

/// Waits until nothing is under way and every variant has as many instances and the weight that
/// it should have.
pub(super) async fn calm(client: &Client, pace: Pace, place: &Place) -> Result<Found, Fault> {
    let reached = |found: &Found| found.status != SERVING || restless(found).is_none();
    until(client, pace, place, |found| {
        !found.in_progress() && reached(found)
    })
    .await
}

async fn until(
    client: &Client,
    pace: Pace,
    place: &Place,
    done: impl Fn(&Found) -> bool,
) -> Result<Found, Fault> {
    let began = client.clock.now();
    loop {
        let found = find(client, place).await?;
        let waited = client.clock.now().saturating_sub(began);
        if done(&found) || waited >= pace.longest {
            return Ok(found);
        }
        client.clock.pause(pace.every).await;
    }
}

/// The first variant that is not yet what it should be.
fn restless(found: &Found) -> Option<String> {
    found.production_variants.iter().find_map(|variant| {
        let instances = variant
            .current_instance_count
            .zip(variant.desired_instance_count);
        let weights = variant.current_weight.zip(variant.desired_weight);
        let name = &variant.variant_name;
        match (instances, weights) {
            (Some((has, wanted)), _) if has != wanted => {
                Some(format!("variant {name} has {has} of {wanted} instances"))
            }
            (_, Some((has, wanted))) if has.to_bits() != wanted.to_bits() => Some(format!(
                "variant {name} has the weight {has} and not {wanted}"
            )),
            _ => None,
        }
    })
}

/// Why an endpoint at rest is not what was planned, in the platform's words where it gave any;
/// `None` if it is.
pub(super) fn shortfall(place: &Place, found: &Found, planned: &Value) -> Option<Error> {
    let name = &place.name;
    let reason = found
        .failure_reason
        .as_deref()
        .filter(|reason| !reason.is_empty());
    let because = reason.map_or(String::new(), |reason| format!(": {reason}"));
    let logs = format!("look into the log group /aws/sagemaker/Endpoints/{name}");
    let wanted = super::text(planned, "endpoint_config_name").unwrap_or_default();
    if found.status == FAILED {
        let message = format!("endpoint {name} failed{because}");
        return Some(
            Error::unavailable(message).help(format!("{logs}; the next apply makes it anew")),
        );
    }
    if found.in_progress() {
        let message = format!("endpoint {name} is still {}{because}", found.status);
        return Some(Error::unavailable(message).help("wait, and apply again"));
    }
    if found.status != SERVING {
        let message = format!("endpoint {name} is {}{because}", found.status);
        return Some(Error::unavailable(message).help(logs));
    }
    if !found.serves(wanted) {
        let serves = found.endpoint_config_name.as_deref().unwrap_or("none");
        let message = format!(
            "endpoint {name} went back to the configuration {serves} and does not serve {wanted}{because}"
        );
        return Some(Error::unavailable(message).help(logs));
    }
    restless(found).map(|what| {
        let message = format!("endpoint {name} serves, but {what}{because}");
        Error::unavailable(message).help("wait, and apply again")
    })
}
