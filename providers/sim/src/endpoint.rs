//! `sim_endpoint`: one version of a model, served by replicas in one zone.

use isobar_sdk::provider::{IdempotencyKey, Outcome};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};

use crate::fault::Reach;
use crate::world::{Endpoint, World, describe_outage, id};

pub(crate) const TYPE: &str = "sim_endpoint";

/// More replicas than this are taken for a mistake.
const MOST_REPLICAS: u64 = 10_000;

pub(crate) fn schema() -> Schema {
    let text = |doc| Attribute::required(Type::String, doc);
    let body = Body::new()
        .attribute(
            "name",
            text("What it serves. Endpoints of one name and zone differ by version.").replaces(),
        )
        .attribute("zone", text("The zone that it runs in.").replaces())
        .attribute("version", text("The version of the model.").replaces())
        .attribute(
            "instance_type",
            text("What each replica runs on: an instance type that the zone sells."),
        )
        .attribute(
            "artifact",
            Attribute::optional(Type::String, "Where the files of the model come from."),
        )
        .attribute(
            "image",
            Attribute::optional(Type::String, "The container image that serves the model."),
        )
        .attribute(
            "replicas",
            Attribute::required(Type::Number, "How many replicas to run: 0 to 10000."),
        )
        .attribute(
            "spot_replicas",
            Attribute::optional(
                Type::Number,
                "How many of them run on spot instances; none by default.",
            ),
        )
        .attribute("id", Attribute::computed(Type::String, "The cloud's own id."))
        .attribute(
            "status",
            Attribute::computed(
                Type::String,
                "`ready`; `degraded` while fewer replicas run than were ordered; `down` with its zone.",
            ),
        )
        .attribute(
            "ready_replicas",
            Attribute::computed(Type::Number, "How many replicas answer requests."),
        )
        .attribute(
            "url",
            Attribute::computed(Type::String, "Where this version alone answers requests."),
        );
    Schema {
        version: 1,
        body,
        doc: "One version of a model, served by replicas in one zone.".to_owned(),
    }
}

/// Checks what is known, and promises what only depends on that.
pub(crate) fn plan(world: &World, proposed: &Value) -> Result<Value, Error> {
    let known = |name: &str| proposed.field(name).and_then(Value::as_str);
    if let Some(zone) = known("zone") {
        world.zone(zone, "zone")?;
        if let Some(instance_type) = known("instance_type") {
            world.quota(zone, instance_type)?;
        }
    }
    let replicas = proposed.field("replicas").cloned().unwrap_or(Value::NULL);
    if !replicas.is_unknown() {
        count(&replicas)?;
    }
    let ready = match replicas.reveal() {
        Value::Unknown(_) => Value::unknown_of(Type::Number),
        known => known.clone(),
    };
    Ok(proposed
        .with_field("status", "ready".into())
        .with_field("ready_replicas", ready))
}

pub(crate) fn create(
    world: &mut World,
    key: &IdempotencyKey,
    planned: &Value,
    reach: Reach,
) -> Outcome {
    if let Some(id) = world.made_by(key).cloned() {
        return outcome(world, &id);
    }
    match order(world, planned, None) {
        Ok(mut endpoint) => {
            endpoint.running = reach.of(endpoint.replicas);
            let id = id("ep", key);
            world.clock += world.delays.create_endpoint;
            world.endpoints.insert(id.clone(), endpoint);
            world.record(key, &id);
            outcome(world, &id)
        }
        Err(error) => Outcome::Failed(error),
    }
}

pub(crate) fn update(
    world: &mut World,
    (id, key): (&str, &IdempotencyKey),
    planned: &Value,
    reach: Reach,
) -> Outcome {
    if !world.endpoints.contains_key(id) {
        return Outcome::Failed(Error::not_found(format!("sim has no endpoint {id}")));
    }
    if world.made_by(key).is_some() {
        return outcome(world, id);
    }
    match order(world, planned, Some(id)) {
        Ok(mut endpoint) => {
            endpoint.running = reach.of(endpoint.replicas);
            world.clock += world.delays.update_endpoint;
            world.endpoints.insert(id.to_owned(), endpoint);
            world.record(key, id);
            outcome(world, id)
        }
        Err(error) => Outcome::Failed(error),
    }
}

pub(crate) fn delete(world: &mut World, id: &str) -> Outcome {
    match world
        .endpoints
        .get(id)
        .map(|endpoint| deletable(world, endpoint))
    {
        None => Outcome::Done(None),
        Some(Err(error)) => Outcome::Failed(error),
        Some(Ok(())) => {
            world.clock += world.delays.delete_endpoint;
            world.endpoints.remove(id);
            world.forget(id);
            Outcome::Done(None)
        }
    }
}

fn deletable(world: &World, endpoint: &Endpoint) -> Result<(), Error> {
    world.require_up(&endpoint.zone)?;
    let Endpoint {
        name,
        zone,
        version,
        ..
    } = endpoint;
    let weight = world
        .routers
        .values()
        .filter(|router| (&router.name, &router.zone) == (name, zone))
        .filter_map(|router| router.routes.get(version))
        .find(|weight| **weight > 0.0);
    weight.map_or(Ok(()), |weight| {
        let message = format!(
            "version {version:?} of {name} in {zone} still gets requests: its weight in the router is {weight}"
        );
        Err(Error::conflict(message).help("take the version out of the router's routes first"))
    })
}

/// The endpoint that `planned` orders, with nothing running yet, if the cloud can take the
/// order; `id` is the endpoint that it changes.
fn order(world: &World, planned: &Value, id: Option<&str>) -> Result<Endpoint, Error> {
    let text = |name: &str| optional_text(planned, name).unwrap_or_default();
    let endpoint = Endpoint {
        name: text("name"),
        zone: text("zone"),
        version: text("version"),
        instance_type: text("instance_type"),
        artifact: optional_text(planned, "artifact"),
        image: optional_text(planned, "image"),
        replicas: count(planned.field("replicas").unwrap_or(&Value::NULL))?,
        spot: spot(planned)?,
        running: 0,
    };
    let quota = world.quota(&endpoint.zone, &endpoint.instance_type)?;
    world.require_up(&endpoint.zone)?;
    let others = || {
        world
            .endpoints
            .iter()
            .filter(|(other, _)| Some(other.as_str()) != id)
    };
    let same = |other: &Endpoint| {
        (&other.name, &other.zone, &other.version)
            == (&endpoint.name, &endpoint.zone, &endpoint.version)
    };
    if let Some((other, _)) = others().find(|(_, other)| same(other)) {
        let Endpoint {
            name,
            zone,
            version,
            ..
        } = &endpoint;
        let message = format!("version {version:?} of {name} is in {zone} already, as {other}");
        return Err(
            Error::conflict(message).help(format!("import {other}, or choose another name"))
        );
    }
    let on_same_instances = others().map(|(_, other)| other).filter(|other| {
        (&other.zone, &other.instance_type) == (&endpoint.zone, &endpoint.instance_type)
    });
    check_quota(
        &endpoint,
        on_same_instances.map(|other| other.replicas).sum(),
        quota,
    )?;
    Ok(endpoint)
}

fn check_quota(endpoint: &Endpoint, used: u32, quota: Option<u32>) -> Result<(), Error> {
    let Endpoint {
        zone,
        instance_type,
        replicas,
        ..
    } = endpoint;
    let Some(quota) = quota.filter(|quota| used.saturating_add(*replicas) > *quota) else {
        return Ok(());
    };
    let message = format!(
        "{replicas} replicas need {replicas} {instance_type} in {zone}, but only {} of the quota of {quota} are free",
        quota.saturating_sub(used)
    );
    Err(Error::quota(message).help(format!(
        "raise zones.{zone}.offers.{instance_type}.quota in the cloud file to {}, or set a limit on the zone",
        used.saturating_add(*replicas)
    )))
}

/// What came of a change: partial, if fewer replicas answer than were ordered.
fn outcome(world: &World, id: &str) -> Outcome {
    let (Some(endpoint), Some(state)) = (world.endpoints.get(id), view(world, id)) else {
        return Outcome::Failed(Error::not_found(format!("sim has no endpoint {id}")));
    };
    let ready = ready(world, endpoint);
    if ready == endpoint.replicas {
        return Outcome::Done(Some(state));
    }
    let message = world.outage(&endpoint.zone).map_or_else(
        || {
            format!(
                "only {ready} of {} replicas became ready",
                endpoint.replicas
            )
        },
        |outage| describe_outage(&endpoint.zone, outage),
    );
    Outcome::Partial {
        state,
        error: Error::unavailable(message),
    }
}

fn ready(world: &World, endpoint: &Endpoint) -> u32 {
    let down = world.outage(&endpoint.zone).is_some();
    if down {
        0
    } else {
        endpoint.running.min(endpoint.replicas)
    }
}

/// What a read shows.
pub(crate) fn view(world: &World, id: &str) -> Option<Known> {
    let endpoint = world.endpoints.get(id)?;
    let ready = ready(world, endpoint);
    let status = match world.outage(&endpoint.zone) {
        Some(_) => "down",
        None if ready < endpoint.replicas => "degraded",
        None => "ready",
    };
    let text = |text: &Option<String>| text.as_deref().map_or(Value::NULL, Value::from);
    let value = Value::object([
        ("name", Value::from(endpoint.name.as_str())),
        ("zone", endpoint.zone.as_str().into()),
        ("version", endpoint.version.as_str().into()),
        ("instance_type", endpoint.instance_type.as_str().into()),
        ("artifact", text(&endpoint.artifact)),
        ("image", text(&endpoint.image)),
        ("replicas", endpoint.replicas.into()),
        (
            "spot_replicas",
            endpoint.spot.map_or(Value::NULL, Value::from),
        ),
        ("id", id.into()),
        ("status", status.into()),
        ("ready_replicas", ready.into()),
        (
            "url",
            format!("https://{id}.{}.sim.invalid", host(&endpoint.zone)).into(),
        ),
    ]);
    Known::new(value).ok()
}

/// A zone as a part of a host name.
pub(crate) fn host(zone: &str) -> String {
    zone.replace('/', ".")
}

fn optional_text(planned: &Value, name: &str) -> Option<String> {
    planned
        .field(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// The replicas on spot instances, no more than there are.
fn spot(planned: &Value) -> Result<Option<u32>, Error> {
    let told = planned
        .field("spot_replicas")
        .filter(|value| !value.is_null());
    let Some(spot) = told.map(count).transpose()? else {
        return Ok(None);
    };
    let replicas = count(planned.field("replicas").unwrap_or(&Value::NULL))?;
    if spot <= replicas {
        return Ok(Some(spot));
    }
    Err(Error::invalid(
        Path::attribute("spot_replicas"),
        format!("spot_replicas is {spot}, but there are only {replicas} replicas"),
    ))
}

fn count(replicas: &Value) -> Result<u32, Error> {
    let whole = replicas.as_number().and_then(isobar_sdk::Number::as_u64);
    whole
        .filter(|count| *count <= MOST_REPLICAS)
        .and_then(|count| u32::try_from(count).ok())
        .ok_or_else(|| {
            Error::invalid(
                Path::attribute("replicas"),
                format!(
                    "replicas is {replicas}, but must be a whole number from 0 to {MOST_REPLICAS}"
                ),
            )
        })
}
