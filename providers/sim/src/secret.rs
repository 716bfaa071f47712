//! `sim_secret`: a text that goes into the cloud and never comes out; of it only a fingerprint is told.

use isobar_sdk::provider::{IdempotencyKey, Outcome, PlanChange};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};
use sha2::{Digest, Sha256};

use crate::world::{Secret, World, id};

pub(crate) const TYPE: &str = "sim_secret";

pub(crate) fn schema() -> Schema {
    let text = |doc| Attribute::required(Type::String, doc);
    let body = Body::new()
        .attribute("name", text("Its name, once in the cloud.").replaces())
        .attribute(
            "value",
            text("The text. It is kept neither in plans nor in the state.")
                .sensitive()
                .write_only(),
        )
        .attribute(
            "value_version",
            Attribute::optional(
                Type::Number,
                "Another number has `value` written again, as a change of the text alone is not seen.",
            ),
        )
        .attribute("id", Attribute::computed(Type::String, "The cloud's own id."))
        .attribute(
            "fingerprint",
            Attribute::computed(Type::String, "SHA-256 of the text, in hexadecimal digits."),
        );
    Schema {
        version: 1,
        body,
        doc: "A text that the cloud keeps and does not show.".to_owned(),
    }
}

/// The fingerprint is known again once the text was written.
pub(crate) fn plan(request: &PlanChange) -> Value {
    let version = |value: &Value| value.field("value_version").cloned();
    let before = request.prior.as_ref().map(|prior| version(prior.value()));
    match before == Some(version(&request.proposed)) {
        true => request.proposed.clone(),
        false => {
            let open = Value::unknown_of(Type::String);
            request.proposed.with_field("fingerprint", open)
        }
    }
}

pub(crate) fn create(
    world: &mut World,
    key: &IdempotencyKey,
    (planned, configuration): (&Value, &Value),
) -> Outcome {
    if let Some(id) = world.made_by(key) {
        return Outcome::Done(view(world, id));
    }
    let id = id("sc", key);
    write(world, (&id, key), (planned, configuration))
}

pub(crate) fn update(
    world: &mut World,
    (id, key): (&str, &IdempotencyKey),
    (planned, configuration): (&Value, &Value),
) -> Outcome {
    if !world.secrets.contains_key(id) {
        return Outcome::Failed(Error::not_found(format!("sim has no secret {id}")));
    }
    if world.made_by(key).is_some() {
        return Outcome::Done(view(world, id));
    }
    write(world, (id, key), (planned, configuration))
}

pub(crate) fn delete(world: &mut World, id: &str) -> Outcome {
    world.secrets.remove(id);
    world.forget(id);
    Outcome::Done(None)
}

fn write(
    world: &mut World,
    (id, key): (&str, &IdempotencyKey),
    (planned, configuration): (&Value, &Value),
) -> Outcome {
    let name = text(planned, "name").unwrap_or_default();
    let mut others = world.secrets.iter().filter(|(other, _)| *other != id);
    if let Some((other, _)) = others.find(|(_, secret)| secret.name == name) {
        let message = format!("there is a secret {name:?} already: {other}");
        return Outcome::Failed(Error::conflict(message).help("choose another name"));
    }
    let Some(value) = text(configuration, "value") else {
        let message = "the text is not known";
        return Outcome::Failed(Error::invalid(Path::attribute("value"), message));
    };
    let secret = Secret {
        name: name.to_owned(),
        version: planned
            .field("value_version")
            .and_then(|version| version.as_number()?.as_u64()),
        fingerprint: fingerprint(value),
    };
    world.secrets.insert(id.to_owned(), secret);
    world.record(key, id);
    Outcome::Done(view(world, id))
}

fn fingerprint(value: &str) -> String {
    let digest = Sha256::digest(value.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a read shows.
pub(crate) fn view(world: &World, id: &str) -> Option<Known> {
    let secret = world.secrets.get(id)?;
    let value = Value::object([
        ("name", Value::from(secret.name.as_str())),
        ("value", Value::NULL),
        (
            "value_version",
            secret.version.map_or(Value::NULL, Value::from),
        ),
        ("id", id.into()),
        ("fingerprint", secret.fingerprint.as_str().into()),
    ]);
    Known::new(value).ok()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.field(name).and_then(Value::as_str)
}
