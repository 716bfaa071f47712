//! SageMaker: models, endpoint configurations and endpoints.

mod configuration;
mod endpoint;
mod listing;
mod model;
mod place;
mod status;
mod tag;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Number, Value};

use super::answer::Failure;
use super::{Context, shape};
use crate::engine::{Noun, Refusal, Tags};
use place::Place;

/// The most marks that a resource can have.
const TAGS: usize = 50;

/// A mark.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Tag {
    key: String,
    value: String,
}

pub(super) fn answer(
    mut context: Context<'_>,
    operation: &str,
    body: Value,
) -> Result<Value, Failure> {
    match operation {
        "CreateModel" => model::create(&mut context, body),
        "DescribeModel" => model::describe(&context, &body),
        "DeleteModel" => model::delete(&mut context, &body),
        "ListModels" => model::list(&context, body),
        "CreateEndpointConfig" => configuration::create(&mut context, body),
        "DescribeEndpointConfig" => configuration::describe(&context, &body),
        "DeleteEndpointConfig" => configuration::delete(&mut context, &body),
        "ListEndpointConfigs" => configuration::list(&context, body),
        "CreateEndpoint" => endpoint::create(&mut context, body),
        "UpdateEndpoint" => endpoint::update(&mut context, body),
        "UpdateEndpointWeightsAndCapacities" => endpoint::adjust(&mut context, body),
        "DeleteEndpoint" => endpoint::delete(&mut context, &body),
        "DescribeEndpoint" => endpoint::describe(&context, &body),
        "ListEndpoints" => endpoint::list(&context, body),
        "AddTags" => tag::add(&mut context, body),
        "DeleteTags" => tag::delete(&mut context, body),
        "ListTags" => tag::list(&mut context, body),
        other => Err(Failure::new(400, "UnknownOperationException", other)),
    }
}

/// The answer of a service that does not see what the request is about, if it is about anything.
pub(super) fn unseen(context: &Context<'_>, operation: &str, body: &Value) -> Option<Failure> {
    let member = |pointer: &str| Some(body.pointer(pointer)?.as_str()?.to_owned());
    let (noun, name) = match operation {
        "DescribeModel" | "DeleteModel" => (Noun::Model, member("/ModelName")),
        "CreateEndpointConfig" => (Noun::Model, member("/ProductionVariants/0/ModelName")),
        "CreateEndpoint" | "UpdateEndpoint" | "DescribeEndpointConfig" | "DeleteEndpointConfig" => {
            (Noun::Configuration, member("/EndpointConfigName"))
        }
        "DescribeEndpoint" | "DeleteEndpoint" | "UpdateEndpointWeightsAndCapacities" => {
            (Noun::Endpoint, member("/EndpointName"))
        }
        _ => return None,
    };
    let name = name?;
    Some(context.failure(&Refusal::Missing { noun, name }))
}

impl Context<'_> {
    const fn place(&self) -> Place<'_> {
        Place {
            account: self.account,
            region: self.region_name,
        }
    }

    fn failure(&self, refusal: &Refusal) -> Failure {
        self.place().failure(refusal)
    }
}

/// The text of a member that is known to be there.
fn text(body: &Value, member: &str) -> String {
    let found = body.get(member).and_then(Value::as_str);
    found.unwrap_or_default().to_owned()
}

/// Takes the marks out of a request.
fn take_tags(body: &mut Value) -> Result<Tags, Failure> {
    let taken = body
        .as_object_mut()
        .and_then(|members| members.remove("Tags"));
    let tags: Vec<Tag> = taken.map_or(Ok(Vec::new()), shape::decode)?;
    collect(tags)
}

fn collect(tags: Vec<Tag>) -> Result<Tags, Failure> {
    let mut collected = Tags::new();
    for Tag { key, value } in tags {
        if collected.insert(key.clone(), value).is_some() {
            let message = format!(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive: {key}"
            );
            return Err(Failure::validation(message));
        }
    }
    Ok(collected)
}

/// A time as the services write it: seconds, to the millisecond.
pub(super) fn epoch(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    if milliseconds % 1000 == 0 {
        return (milliseconds / 1000).into();
    }
    // Far below 2^53, where every whole number has a value of its own.
    #[expect(clippy::cast_precision_loss)]
    let seconds = milliseconds as f64 / 1000.0;
    Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}

/// A time as the services read it.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => {
            let seconds = jiff::SignedDuration::try_from_secs_f64(other.as_f64()?).ok()?;
            Timestamp::from_duration(seconds).ok()
        }
    }
}
