//! Makes, moves and removes an endpoint, and waits for it each time.

use isobar_sdk::provider::{Apply, Outcome};
use isobar_sdk::{Error, Known, Value};
use serde_json::{Map, Value as Json, json};

use super::settle::{calm, rest, shortfall};
use super::{FAILED, Found, Pace, find, view};
use crate::attribute::{member, text};
use crate::client::{Call, Client};
use crate::fault::Fault;
use crate::place::Place;
use crate::scaler::Scaler;
use crate::service::Service;
use crate::{endpoint_configuration, tags};

/// Makes it, or goes on with what an earlier try of the same change has made.
pub(crate) async fn create(
    client: &Client,
    pace: Pace,
    request: &Apply,
    planned: &Value,
) -> Outcome {
    let made = begin(client, request, planned).await;
    let Ok(place) = made else {
        return made.map_or_else(Outcome::Failed, |_| Outcome::Done(None));
    };
    match raise(client, pace, &place, planned).await {
        Ok(found) => outcome(client, &place, &found, planned).await,
        Err(fault) => left(client, &place, planned, fault.into()).await,
    }
}

/// Sends the order, unless this change has sent it before.
async fn begin(client: &Client, request: &Apply, planned: &Value) -> Result<Place, Error> {
    let place = Place::planned(planned)?;
    match find(client, &place).await {
        Ok(found) => {
            let tags = tags::read(client, &place.region, &found.arn).await?;
            if tags::made_by(&tags, &request.key) {
                return Ok(place);
            }
            let message = format!(
                "there is an endpoint {} in {} already",
                place.name, place.region
            );
            return Err(Error::conflict(message)
                .help(format!("import {}, or choose another name", place.id())));
        }
        Err(fault) if fault.is_not_found() => {}
        Err(fault) => return Err(fault.into()),
    }
    let operation = "CreateEndpoint";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    let tags = tags::of_creation(planned, &request.address, &request.key);
    let input = json!({
        "EndpointName": place.name,
        "EndpointConfigName": member(planned, "endpoint_config_name"),
        "Tags": tags::listed(&tags),
    });
    client.call::<Json>(call, &input).await?;
    Ok(place)
}

async fn raise(
    client: &Client,
    pace: Pace,
    place: &Place,
    planned: &Value,
) -> Result<Found, Fault> {
    let found = rest(client, pace, place).await?;
    adjust(client, pace, place, (found, planned)).await
}

/// Moves it to the planned configuration, then to the planned instances and weights. A change of
/// others that is under way is waited for.
pub(crate) async fn update(client: &Client, pace: Pace, planned: &Value) -> Outcome {
    let place = match Place::planned(planned) {
        Ok(place) => place,
        Err(error) => return Outcome::Failed(error),
    };
    let found = match rest(client, pace, &place).await {
        Ok(found) => found,
        Err(fault) => return Outcome::Failed(fault.into()),
    };
    match reshape(client, pace, &place, (&found, planned)).await {
        Ok(found) => outcome(client, &place, &found, planned).await,
        Err(error) => left(client, &place, planned, error).await,
    }
}

async fn reshape(
    client: &Client,
    pace: Pace,
    place: &Place,
    (found, planned): (&Found, &Value),
) -> Result<Found, Error> {
    tags::write(client, (&place.region, &found.arn), planned).await?;
    if found.status == FAILED || found.in_progress() {
        return Ok(found.clone());
    }
    let wanted = text(planned, "endpoint_config_name").unwrap_or_default();
    let found = match found.serves(wanted) {
        true => found.clone(),
        false => relocate(client, pace, place, (found, wanted)).await?,
    };
    if !found.serves(wanted) {
        return Ok(found);
    }
    Ok(adjust(client, pace, place, (found, planned)).await?)
}

/// Moves it. What scales a variant whose instances become others, or that goes, is taken off
/// before, since SageMaker refuses the move otherwise, and put back whatever comes of the move.
async fn relocate(
    client: &Client,
    pace: Pace,
    place: &Place,
    (found, wanted): (&Found, &str),
) -> Result<Found, Error> {
    let variants = moved_variants(client, place, (found, wanted)).await?;
    let scaler = Scaler::take_off(client, place, &variants).await?;
    let operation = "UpdateEndpoint";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    // Without this a release would scale the fleet to what the configuration began with.
    let input = json!({
        "EndpointName": place.name,
        "EndpointConfigName": wanted,
        "RetainAllVariantProperties": true,
    });
    let ordered = client.call::<Json>(call, &input).await;
    let moved = match ordered {
        Ok(_) => rest(client, pace, place).await,
        // The order may have arrived, though its answer has not.
        Err(fault) if fault.error.is_transient() => match rest(client, pace, place).await {
            Ok(found) if found.serves(wanted) => Ok(found),
            _ => Err(fault),
        },
        Err(fault) => Err(fault),
    };
    let back = scaler.put_back(client, &place.region).await;
    let moved = moved?;
    back?;
    Ok(moved)
}

/// The variants that change their instances or go.
async fn moved_variants(
    client: &Client,
    place: &Place,
    (found, wanted): (&Found, &str),
) -> Result<Vec<String>, Error> {
    let configuration = |name: &str| Place {
        region: place.region.clone(),
        name: name.to_owned(),
    };
    let Some(serves) = &found.endpoint_config_name else {
        return Ok(Vec::new());
    };
    let before = match endpoint_configuration::find(client, &configuration(serves)).await {
        Ok(before) => before.production_variants,
        Err(fault) if fault.is_not_found() => Vec::new(),
        Err(fault) => return Err(fault.into()),
    };
    let after = endpoint_configuration::find(client, &configuration(wanted)).await?;
    let stays = |variant: &endpoint_configuration::Variant| {
        after.production_variants.iter().any(|other| {
            other.variant_name == variant.variant_name
                && other.instance_type == variant.instance_type
        })
    };
    let moved = before.into_iter().filter(|variant| !stays(variant));
    Ok(moved.map(|variant| variant.variant_name).collect())
}

/// Orders the instances and weights that are planned and not there. One call changes the weights
/// of all variants, but the instances of one only.
async fn adjust(
    client: &Client,
    pace: Pace,
    place: &Place,
    (mut found, planned): (Found, &Value),
) -> Result<Found, Fault> {
    for input in orders(&found, planned) {
        let operation = "UpdateEndpointWeightsAndCapacities";
        let call = Call {
            service: Service::SageMaker,
            region: &place.region,
            operation,
        };
        let input = json!({ "EndpointName": place.name, "DesiredWeightsAndCapacities": input });
        client.insist::<Json>(call, &input).await?;
        found = rest(client, pace, place).await?;
    }
    if found.status == super::SERVING
        && found.serves(text(planned, "endpoint_config_name").unwrap_or_default())
    {
        found = calm(client, pace, place).await?;
    }
    Ok(found)
}

fn orders(found: &Found, planned: &Value) -> Vec<Json> {
    let wrong = |attribute: &str, now: &std::collections::BTreeMap<&str, Value>| {
        let wished = planned.field(attribute).and_then(Value::fields);
        let wished = wished.into_iter().flat_map(|fields| fields.iter());
        let wrong =
            wished.filter(|(name, value)| now.get(&***name).is_some_and(|now| now != *value));
        let wrong = wrong.map(|(name, value)| (name.to_string(), isobar_sdk::json::encode(value)));
        wrong.collect::<Vec<_>>()
    };
    let mut orders = Vec::new();
    let weights = wrong("weights", &found.weights());
    if !weights.is_empty() {
        let all = weights
            .into_iter()
            .map(|(name, weight)| json!({ "VariantName": name, "DesiredWeight": weight }));
        orders.push(all.collect());
    }
    for (name, count) in wrong("instance_counts", &found.counts()) {
        orders.push(json!([{ "VariantName": name, "DesiredInstanceCount": count }]));
    }
    orders
}

/// Done if it serves what was planned.
async fn outcome(client: &Client, place: &Place, found: &Found, planned: &Value) -> Outcome {
    let state = match state(client, place, found, planned).await {
        Ok(state) => state,
        Err(error) => return Outcome::Failed(error),
    };
    match shortfall(place, found, planned) {
        Some(error) => Outcome::Partial { state, error },
        None => Outcome::Done(Some(state)),
    }
}

async fn state(
    client: &Client,
    place: &Place,
    found: &Found,
    wish: &Value,
) -> Result<Known, Error> {
    let tags = tags::read(client, &place.region, &found.arn).await?;
    view(place, found, &tags, wish)
        .ok_or_else(|| Error::unavailable(format!("endpoint {} cannot be told", place.name)))
}

/// What an error in the midst of a change leaves behind. What passes is tried again, and finds
/// what is there by itself.
async fn left(client: &Client, place: &Place, planned: &Value, error: Error) -> Outcome {
    if error.is_transient() {
        return Outcome::Failed(error);
    }
    let Ok(found) = find(client, place).await else {
        return Outcome::Failed(error);
    };
    match state(client, place, &found, planned).await {
        Ok(state) => Outcome::Partial { state, error },
        Err(_) => Outcome::Failed(error),
    }
}

/// Removes it and waits until it is gone, so that its configuration can go as well.
pub(crate) async fn delete(client: &Client, pace: Pace, place: &Place) -> Result<(), Error> {
    let gone = |fault: Fault| match fault.is_not_found() {
        true => Ok(()),
        false => Err(Error::from(fault)),
    };
    let found = match rest(client, pace, place).await {
        Ok(found) => found,
        Err(fault) => return gone(fault),
    };
    if found.in_progress() {
        return Err(Error::unavailable(format!(
            "endpoint {} is still {}",
            place.name, found.status
        )));
    }
    let operation = "DeleteEndpoint";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    let input = Map::from_iter([("EndpointName".to_owned(), place.name.as_str().into())]);
    if let Err(fault) = client.call::<Json>(call, &Json::Object(input)).await {
        return gone(fault);
    }
    match rest(client, pace, place).await {
        Err(fault) => gone(fault),
        Ok(found) => {
            let message = format!(
                "endpoint {} was deleted, but is {}",
                place.name, found.status
            );
            Err(Error::unavailable(message))
        }
    }
}
