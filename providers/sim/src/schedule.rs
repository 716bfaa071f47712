//! `sim_schedule`: replicas of one endpoint by the clock of the cloud.

use isobar_sdk::deployment::{Envelope, Schedule, Shift};
use isobar_sdk::provider::{IdempotencyKey, Outcome, PlanChange};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::types::Field;
use isobar_sdk::{Error, Known, Number, Path, Type, Value};
use jiff::Timestamp;

use crate::world::{Timetable, World, id};

pub(crate) const TYPE: &str = "sim_schedule";

pub(crate) fn schema() -> Schema {
    let text = |doc| Attribute::required(Type::String, doc);
    let field = |ty| Field { ty, default: None };
    let shift = Type::Object(
        [
            ("start".into(), field(Type::String)),
            ("min".into(), field(Type::Number)),
            ("max".into(), field(Type::Number)),
        ]
        .into(),
    );
    let body = Body::new()
        .attribute("name", text("The name of the endpoint.").replaces())
        .attribute("zone", text("The zone of the endpoint.").replaces())
        .attribute("version", text("The version of the endpoint.").replaces())
        .attribute(
            "shifts",
            Attribute::required(
                Type::list(shift),
                "When the bounds of the replicas change, in order of time: from `start` (RFC 3339) on at least `min` and at most `max` run.",
            ),
        )
        .attribute(
            "until",
            text("When the last shift ends (RFC 3339): then the endpoint runs what it was ordered to."),
        )
        .attribute("id", Attribute::computed(Type::String, "The cloud's own id."))
        .attribute(
            "replicas",
            Attribute::computed(Type::Number, "How many replicas run by it now.").moving(),
        );
    Schema {
        version: 1,
        body,
        doc: "The replicas of an endpoint over a time to come; the cloud follows it by its own clock."
            .to_owned(),
    }
}

/// The value of `shifts` and `until`.
pub(crate) fn values(schedule: &Schedule) -> (Value, Value) {
    let shift = |shift: &Shift| {
        Value::object([
            ("start", Value::from(shift.start.to_string())),
            ("min", shift.envelope.min.into()),
            ("max", shift.envelope.max.into()),
        ])
    };
    let shifts = schedule.shifts.iter().map(shift).collect();
    (Value::list(shifts), schedule.until.to_string().into())
}

/// Checks what is known. What runs by it is as it was while nothing in it changes.
pub(crate) fn plan(world: &World, request: &PlanChange) -> Result<Value, Error> {
    let proposed = &request.proposed;
    if let Some(zone) = proposed.field("zone").and_then(Value::as_str) {
        world.zone(zone, "zone")?;
    }
    let set = ["name", "zone", "version", "shifts", "until"];
    let known = |name: &&str| proposed.field(name).is_some_and(Value::is_wholly_known);
    if set.iter().all(known) {
        read(proposed)?;
    }
    let same = |prior: &Known| {
        set.iter()
            .all(|name| prior.field(name) == proposed.field(name))
    };
    Ok(match request.prior.as_ref().is_some_and(same) {
        true => proposed.clone(),
        false => proposed.with_field("replicas", Value::unknown_of(Type::Number)),
    })
}

pub(crate) fn create(world: &mut World, key: &IdempotencyKey, planned: &Value) -> Outcome {
    if let Some(id) = world.made_by(key) {
        return Outcome::Done(view(world, id));
    }
    let id = id("sc", key);
    change(world, (&id, key), planned)
}

pub(crate) fn update(
    world: &mut World,
    (id, key): (&str, &IdempotencyKey),
    planned: &Value,
) -> Outcome {
    if !world.schedules.contains_key(id) {
        return Outcome::Failed(Error::not_found(format!("sim has no schedule {id}")));
    }
    if world.made_by(key).is_some() {
        return Outcome::Done(view(world, id));
    }
    change(world, (id, key), planned)
}

fn change(world: &mut World, (id, key): (&str, &IdempotencyKey), planned: &Value) -> Outcome {
    match order(world, id, planned) {
        Ok(timetable) => {
            world.clock += world.delays.router;
            world.schedules.insert(id.to_owned(), timetable);
            world.record(key, id);
            Outcome::Done(view(world, id))
        }
        Err(error) => Outcome::Failed(error),
    }
}

pub(crate) fn delete(world: &mut World, id: &str) -> Outcome {
    let Some(timetable) = world.schedules.get(id) else {
        return Outcome::Done(None);
    };
    if let Err(error) = world.require_up(&timetable.zone) {
        return Outcome::Failed(error);
    }
    world.clock += world.delays.router;
    world.schedules.remove(id);
    world.forget(id);
    Outcome::Done(None)
}

/// The timetable that `planned` orders, if the cloud can take the order.
fn order(world: &World, id: &str, planned: &Value) -> Result<Timetable, Error> {
    let timetable = read(planned)?;
    world.zone(&timetable.zone, "zone")?;
    world.require_up(&timetable.zone)?;
    let mut others = world.schedules.iter().filter(|(other, _)| *other != id);
    if let Some((other, _)) = others.find(|(_, other)| other.is_of_the_same(&timetable)) {
        let message = format!(
            "{} has a schedule in {} already: {other}",
            timetable.name, timetable.zone
        );
        return Err(Error::conflict(message).help(format!("import {other}")));
    }
    if !world
        .endpoints
        .values()
        .any(|endpoint| timetable.is_of(endpoint))
    {
        let Timetable {
            name,
            zone,
            version,
            ..
        } = &timetable;
        let message = format!("{zone} has no endpoint of {name} with version {version:?}");
        return Err(
            Error::invalid(Path::attribute("version"), message).help("create the endpoint first")
        );
    }
    Ok(timetable)
}

fn read(planned: &Value) -> Result<Timetable, Error> {
    let text = |name: &str| {
        let text = planned.field(name).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let items = planned.field("shifts").and_then(Value::items);
    let items = items.into_iter().flat_map(|items| items.iter());
    let shifts: Vec<Shift> = items.map(shift).collect::<Result<_, _>>()?;
    if shifts.is_empty() || shifts.windows(2).any(|pair| pair[0].start >= pair[1].start) {
        let message = "shifts must be one or more, each beginning after the one before";
        return Err(Error::invalid(Path::attribute("shifts"), message));
    }
    let until = time(&text("until"), "until")?;
    Ok(Timetable {
        name: text("name"),
        zone: text("zone"),
        version: text("version"),
        schedule: Schedule { shifts, until },
    })
}

fn shift(value: &Value) -> Result<Shift, Error> {
    let count = |name: &str| {
        let count = value.field(name).and_then(Value::as_number);
        let count = count.and_then(Number::as_u64);
        count.and_then(|count| u32::try_from(count).ok())
    };
    let (Some(min), Some(max)) = (count("min"), count("max")) else {
        let message = format!("min and max of {value} must be whole numbers from 0 on");
        return Err(Error::invalid(Path::attribute("shifts"), message));
    };
    if max < min {
        let message = format!("max = {max} is less than min = {min}");
        return Err(Error::invalid(Path::attribute("shifts"), message));
    }
    let start = value.field("start").and_then(Value::as_str);
    Ok(Shift {
        start: time(start.unwrap_or_default(), "shifts")?,
        envelope: Envelope { min, max },
    })
}

fn time(text: &str, attribute: &str) -> Result<Timestamp, Error> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is not a time such as \"2026-03-01T06:00:00Z\"");
        Error::invalid(Path::attribute(attribute), message)
    })
}

/// What a read shows.
pub(crate) fn view(world: &World, id: &str) -> Option<Known> {
    let timetable = world.schedules.get(id)?;
    let (shifts, until) = values(&timetable.schedule);
    let endpoint = world
        .endpoints
        .values()
        .find(|endpoint| timetable.is_of(endpoint));
    let value = Value::object([
        ("name", Value::from(timetable.name.as_str())),
        ("zone", timetable.zone.as_str().into()),
        ("version", timetable.version.as_str().into()),
        ("shifts", shifts),
        ("until", until),
        ("id", id.into()),
        (
            "replicas",
            endpoint
                .map_or(0, |endpoint| world.running(endpoint))
                .into(),
        ),
    ]);
    Known::new(value).ok()
}
