//! `aws_sagemaker_endpoint`: what answers requests, by the configuration that it was moved to last.

mod change;
mod settle;

use std::collections::BTreeMap;

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};
use serde::Deserialize;
use serde_json::json;

use crate::attribute::{or_null, single, text};
use crate::client::{Call, Client};
use crate::fault::Fault;
use crate::model::region_attribute;
use crate::name;
use crate::place::{self, Place};
use crate::scalable::{Scalable, of_variant};
use crate::scalable_target;
use crate::service::Service;
use crate::tags::{self, Tags};

pub(crate) use change::{create, delete, update};
pub(crate) use settle::Pace;

pub(crate) const TYPE: &str = "aws_sagemaker_endpoint";
const SERVING: &str = "InService";
/// It can only be deleted.
const FAILED: &str = "Failed";

pub(crate) fn schema() -> Schema {
    let by_variant = |doc| Attribute::optional(Type::map(Type::Number), doc);
    let body = Body::new()
        .attribute("name", Attribute::required(Type::String, "Its name in the region: at most 63 letters, digits and dashes.").replaces())
        .attribute("region", region_attribute())
        .attribute(
            "endpoint_config_name",
            Attribute::required(Type::String, "The name of the `aws_sagemaker_endpoint_configuration` that it runs. It is moved to another one without a pause, and variants keep their weights and instances."),
        )
        .attribute(
            "instance_counts",
            by_variant("How many instances its variants have, by name. Those that are not named are left to what scales them."),
        )
        .attribute(
            "weights",
            by_variant("The shares of the requests that its variants get, by name, in proportion to one another. Use whole numbers. Those that are not named stay as they are."),
        )
        .attribute("tags", tags::attribute())
        .attribute("id", Attribute::computed(Type::String, "Region and name: `REGION/NAME`."))
        .attribute("arn", Attribute::computed(Type::String, "The name in all of AWS."))
        .attribute("status", Attribute::computed(Type::String, "`InService`, or another word of SageMaker while it is not."))
        .attribute("url", Attribute::computed(Type::String, "Where requests are sent, signed for `sagemaker`."))
        .attribute("running", Attribute::computed(Type::map(Type::Number), "How many instances of each variant run now.").moving());
    Schema {
        version: 1,
        body,
        doc: "What answers requests on SageMaker. It is there once it serves what was asked for, with the instances and weights that were asked for.".to_owned(),
    }
}

/// Checks what is known, and promises that it will serve.
pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let proposed = &request.proposed;
    let region = place::region(proposed, provider)?;
    name::check(proposed.field("name").unwrap_or(&Value::NULL), "name")?;
    let serves = proposed.field("endpoint_config_name");
    name::check(serves.unwrap_or(&Value::NULL), "endpoint_config_name")?;
    tags::check(proposed)?;
    numbers(proposed)?;
    let after = proposed
        .with_field("region", region)
        .with_field("status", SERVING.into());
    let place = Place::planned(&after).ok();
    let unknown = || Value::unknown_of(Type::String);
    let known = |of: fn(&Place) -> String| place.as_ref().map_or_else(unknown, |p| of(p).into());
    let after = after
        .with_field("id", known(Place::id))
        .with_field("url", known(url));
    match &request.prior {
        Some(prior) => Ok(succeed(prior, after)),
        None => Ok(after.into()),
    }
}

/// What becomes of one that is there: one that has failed can only be made anew.
fn succeed(prior: &Known, after: Value) -> Planned {
    let status = text(prior.value(), "status");
    let replace = match status == Some(FAILED) {
        true => vec![Path::attribute("status")],
        false => Vec::new(),
    };
    let same_thing = prior.field("id") == after.field("id") && replace.is_empty();
    let after = match same_thing {
        true => after,
        false => after.with_field("arn", Value::unknown_of(Type::String)),
    };
    let after = match after == *prior.value() {
        true => after,
        false => after.with_field("running", Value::unknown_of(Type::map(Type::Number))),
    };
    Planned { after, replace }
}

fn numbers(proposed: &Value) -> Result<(), Error> {
    let named = |attribute: &'static str| {
        let fields = proposed.field(attribute).and_then(Value::fields);
        fields
            .into_iter()
            .flat_map(|fields| fields.iter())
            .map(move |(name, value)| (attribute, name, value))
    };
    for (attribute, name, value) in named("instance_counts").chain(named("weights")) {
        let Some(number) = value.as_number() else {
            continue;
        };
        let right = match attribute {
            "weights" => number.as_f64() >= 0.0,
            _ => number
                .as_u64()
                .is_some_and(|count| u32::try_from(count).is_ok()),
        };
        if !right {
            let message = format!("{attribute} of variant {name} is {value}, which makes no sense");
            return Err(Error::invalid(Path::attribute(attribute), message)
                .help("write a number from 0 on; instances are counted in whole ones"));
        }
    }
    Ok(())
}

fn url(place: &Place) -> String {
    let Place { region, name } = place;
    let domain = match region.starts_with("cn-") {
        true => "amazonaws.com.cn",
        false => "amazonaws.com",
    };
    format!("https://runtime.sagemaker.{region}.{domain}/endpoints/{name}/invocations")
}

/// What there is of one.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    #[serde(rename = "EndpointArn")]
    pub(crate) arn: String,
    #[serde(rename = "EndpointStatus")]
    status: String,
    endpoint_config_name: Option<String>,
    failure_reason: Option<String>,
    #[serde(default)]
    production_variants: Vec<Variant>,
}

/// One variant as it runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Variant {
    variant_name: String,
    current_weight: Option<f32>,
    desired_weight: Option<f32>,
    current_instance_count: Option<u32>,
    desired_instance_count: Option<u32>,
}

impl Found {
    fn in_progress(&self) -> bool {
        matches!(
            self.status.as_str(),
            "Creating" | "Updating" | "SystemUpdating" | "RollingBack" | "Deleting"
        )
    }

    fn serves(&self, configuration: &str) -> bool {
        self.status == SERVING && self.endpoint_config_name.as_deref() == Some(configuration)
    }

    fn by_variant(&self, of: impl Fn(&Variant) -> Option<Value>) -> BTreeMap<&str, Value> {
        let variants = self.production_variants.iter();
        variants
            .filter_map(|variant| Some((variant.variant_name.as_str(), of(variant)?)))
            .collect()
    }

    fn counts(&self) -> BTreeMap<&str, Value> {
        self.by_variant(|v| {
            v.desired_instance_count
                .or(v.current_instance_count)
                .map(Value::from)
        })
    }

    fn weights(&self) -> BTreeMap<&str, Value> {
        self.by_variant(|v| v.desired_weight.or(v.current_weight).map(single))
    }

    fn running(&self) -> BTreeMap<&str, Value> {
        self.by_variant(|variant| variant.current_instance_count.map(Value::from))
    }
}

pub(crate) async fn find(client: &Client, place: &Place) -> Result<Found, Fault> {
    let operation = "DescribeEndpoint";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    client
        .insist(call, &json!({ "EndpointName": place.name }))
        .await
}

/// As the state has it.
pub(crate) fn view(place: &Place, found: &Found, tags: &Tags, wish: &Value) -> Option<Known> {
    let wished =
        |name: &'static str, found: BTreeMap<&str, Value>| (name, as_named(wish, name, found));
    Known::new(Value::object([
        ("name", Value::from(place.name.as_str())),
        ("region", place.region.as_str().into()),
        (
            "endpoint_config_name",
            or_null(found.endpoint_config_name.as_deref()),
        ),
        wished("instance_counts", found.counts()),
        wished("weights", found.weights()),
        ("tags", tags::shown(tags, wish)),
        ("id", place.id().into()),
        ("arn", found.arn.as_str().into()),
        ("status", found.status.as_str().into()),
        ("url", url(place).into()),
        ("running", Value::map(found.running())),
    ]))
    .ok()
}

/// What is found of the variants that the wish names; of all where there is no wish.
fn as_named(wish: &Value, name: &str, mut found: BTreeMap<&str, Value>) -> Value {
    let Some(wished) = wish.field(name) else {
        return Value::map(found);
    };
    let Some(wished) = wished.fields() else {
        return Value::NULL;
    };
    found.retain(|variant, _| wished.contains_key(variant));
    Value::map(found)
}

/// What one that is adopted is taken to be wished like: the weight of a single variant says
/// nothing, and the instances of variants that are scaled are no one's wish.
pub(crate) async fn adopted(client: &Client, place: &Place, found: &Found) -> Result<Value, Fault> {
    let mut counts = BTreeMap::new();
    for (variant, count) in found.counts() {
        let target = Scalable {
            region: place.region.clone(),
            resource: of_variant(&place.name, variant),
        };
        if scalable_target::find(client, &target).await?.is_none() {
            counts.insert(variant, count);
        }
    }
    let weights = found.weights();
    let or_null = |values: BTreeMap<&str, Value>, said: bool| match said {
        true => Value::map(values),
        false => Value::NULL,
    };
    let (fixed, shared) = (!counts.is_empty(), weights.len() > 1);
    Ok(Value::object([
        ("instance_counts", or_null(counts, fixed)),
        ("weights", or_null(weights, shared)),
    ]))
}
