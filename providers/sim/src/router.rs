//! `sim_router`: the address that clients use in one zone, which splits requests by weight.

use std::collections::BTreeMap;

use isobar_sdk::provider::{IdempotencyKey, Outcome};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Number, Path, Step, Type, Value};

use crate::endpoint::host;
use crate::world::{Router, World, id};

pub(crate) const TYPE: &str = "sim_router";

pub(crate) fn schema() -> Schema {
    let text = |doc| Attribute::required(Type::String, doc);
    let body = Body::new()
        .attribute(
            "name",
            text("The name of the endpoints that it routes to, once in a zone.").replaces(),
        )
        .attribute("zone", text("The zone that it routes in.").replaces())
        .attribute(
            "routes",
            Attribute::required(
                Type::map(Type::Number),
                "Weight of each version: its share of requests is its share of the sum. Not negative, and not all 0.",
            ),
        )
        .attribute("id", Attribute::computed(Type::String, "The cloud's own id."))
        .attribute(
            "url",
            Attribute::computed(Type::String, "Where clients send requests."),
        );
    Schema {
        version: 1,
        body,
        doc: "The address that clients use in one zone; splits requests between versions."
            .to_owned(),
    }
}

/// Checks what is known.
pub(crate) fn plan(world: &World, proposed: &Value) -> Result<Value, Error> {
    if let Some(zone) = proposed.field("zone").and_then(Value::as_str) {
        world.zone(zone, "zone")?;
    }
    let routes = proposed.field("routes").unwrap_or(&Value::NULL);
    if routes.is_wholly_known() {
        weights(routes)?;
    }
    let (name, zone) = (text(proposed, "name"), text(proposed, "zone"));
    let url = match (name, zone) {
        (Some(name), Some(zone)) => url(name, zone),
        _ => Value::unknown_of(Type::String),
    };
    Ok(proposed.with_field("url", url))
}

pub(crate) fn create(world: &mut World, key: &IdempotencyKey, planned: &Value) -> Outcome {
    if let Some(id) = world.made_by(key) {
        return Outcome::Done(view(world, id));
    }
    let id = id("rt", key);
    change(world, (&id, key), planned)
}

pub(crate) fn update(
    world: &mut World,
    (id, key): (&str, &IdempotencyKey),
    planned: &Value,
) -> Outcome {
    if !world.routers.contains_key(id) {
        return Outcome::Failed(Error::not_found(format!("sim has no router {id}")));
    }
    if world.made_by(key).is_some() {
        return Outcome::Done(view(world, id));
    }
    change(world, (id, key), planned)
}

fn change(world: &mut World, (id, key): (&str, &IdempotencyKey), planned: &Value) -> Outcome {
    match order(world, id, planned) {
        Ok(router) => {
            world.clock += world.delays.router;
            world.routers.insert(id.to_owned(), router);
            world.record(key, id);
            Outcome::Done(view(world, id))
        }
        Err(error) => Outcome::Failed(error),
    }
}

pub(crate) fn delete(world: &mut World, id: &str) -> Outcome {
    let Some(router) = world.routers.get(id) else {
        return Outcome::Done(None);
    };
    if let Err(error) = world.require_up(&router.zone) {
        return Outcome::Failed(error);
    }
    world.clock += world.delays.router;
    world.routers.remove(id);
    world.forget(id);
    Outcome::Done(None)
}

/// The router that `planned` orders, if the cloud can take the order.
fn order(world: &World, id: &str, planned: &Value) -> Result<Router, Error> {
    let router = Router {
        name: text(planned, "name").unwrap_or_default().to_owned(),
        zone: text(planned, "zone").unwrap_or_default().to_owned(),
        routes: weights(planned.field("routes").unwrap_or(&Value::NULL))?,
    };
    let Router { name, zone, routes } = &router;
    world.zone(zone, "zone")?;
    world.require_up(zone)?;
    let mut others = world.routers.iter().filter(|(other, _)| *other != id);
    if let Some((other, _)) = others.find(|(_, other)| (&other.name, &other.zone) == (name, zone)) {
        let message = format!("{name} has a router in {zone} already: {other}");
        return Err(
            Error::conflict(message).help(format!("import {other}, or choose another name"))
        );
    }
    let serves = |version: &String| {
        let mut endpoints = world.endpoints.values();
        endpoints.any(|e| (&e.name, &e.zone, &e.version) == (name, zone, version))
    };
    if let Some(version) = routes.keys().find(|version| !serves(version)) {
        let path = Path::attribute("routes").then(Step::Key(version.as_str().into()));
        let message = format!("{zone} has no endpoint of {name} with version {version:?}");
        return Err(Error::invalid(path, message).help("create the endpoint first"));
    }
    Ok(router)
}

fn weights(routes: &Value) -> Result<BTreeMap<String, f64>, Error> {
    let path = Path::attribute("routes");
    let mut weights = BTreeMap::new();
    for (version, weight) in routes.fields().into_iter().flat_map(|fields| fields.iter()) {
        let number = weight.as_number().map(Number::as_f64);
        let Some(number) = number.filter(|number| *number >= 0.0) else {
            let path = path.then(Step::Key(version.clone()));
            return Err(Error::invalid(
                path,
                format!("the weight of version {version:?} is {weight}, but must not be negative"),
            ));
        };
        weights.insert(version.to_string(), number);
    }
    if weights.values().all(|weight| *weight == 0.0) {
        let message = "no version has a weight above 0, so requests would have nowhere to go";
        return Err(Error::invalid(path, message));
    }
    Ok(weights)
}

/// What a read shows.
pub(crate) fn view(world: &World, id: &str) -> Option<Known> {
    let router = world.routers.get(id)?;
    let routes = router.routes.iter().filter_map(|(version, weight)| {
        let weight = Number::from_f64(*weight)?;
        Some((version.as_str(), Value::Number(weight)))
    });
    let value = Value::object([
        ("name", Value::from(router.name.as_str())),
        ("zone", router.zone.as_str().into()),
        ("routes", Value::map(routes)),
        ("id", id.into()),
        ("url", url(&router.name, &router.zone)),
    ]);
    Known::new(value).ok()
}

fn url(name: &str, zone: &str) -> Value {
    format!("https://{name}.{}.sim.invalid", host(zone)).into()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.field(name).and_then(Value::as_str)
}
