//! `aws_sagemaker_endpoint_configuration`: which models run on what. Nothing in it can be changed.

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Body, Nesting, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::attribute::{
    as_wished, count, input, items, member, number, or_null, single, text, texts,
};
use crate::client::{Call, Client};
use crate::fault::Fault;
use crate::model::{identify, name_attribute, region_attribute};
use crate::place::Place;
use crate::service::Service;
use crate::tags::{self, Tags};
use crate::{contract, name};

pub(crate) const TYPE: &str = "aws_sagemaker_endpoint_configuration";

const CONTENT: [&str; 3] = ["production_variants", "data_capture", "kms_key_arn"];
const MOST_VARIANTS: usize = 10;
/// Gigabytes of a volume.
const VOLUME: std::ops::RangeInclusive<u32> = 1..=512;

pub(crate) fn schema() -> Schema {
    let body = Body::new()
        .attribute("name", name_attribute())
        .attribute("region", region_attribute())
        .block(
            "production_variants",
            Nesting::List,
            variants(),
            "What answers requests: 1 to 10, which share them by weight.",
        )
        .block(
            "data_capture",
            Nesting::Optional,
            capture(),
            "Requests and answers that are kept in S3.",
        )
        .attribute(
            "kms_key_arn",
            Attribute::optional(Type::String, "The key that the volumes are encrypted with.")
                .replaces(),
        )
        .attribute("tags", tags::attribute())
        .attribute(
            "id",
            Attribute::computed(Type::String, "Region and name: `REGION/NAME`."),
        )
        .attribute(
            "arn",
            Attribute::computed(Type::String, "The name in all of AWS."),
        );
    Schema {
        version: 1,
        body,
        doc: "Which models run on which instances of SageMaker. Nothing in it can be changed: an endpoint is moved to a new one.".to_owned(),
    }
}

fn variants() -> Body {
    let text = |doc| Attribute::required(Type::String, doc);
    let number = |doc| Attribute::optional(Type::Number, doc);
    Body::new()
        .attribute("variant_name", text("Its name. What keeps its name keeps its weight and its instances when an endpoint is moved."))
        .attribute("model_name", text("The name of an `aws_sagemaker_model`."))
        .attribute("instance_type", text("What it runs on, such as `ml.g5.xlarge`."))
        .attribute(
            "initial_instance_count",
            number("How many instances it begins with; 1 otherwise. It matters when a variant is new, so that a change of it alone is not seen.").write_only(),
        )
        .attribute("initial_weight", number("Its share of the requests, in proportion to the others; 1 otherwise. Use whole numbers."))
        .attribute("volume_size", number("Gigabytes of its volume: 1 to 512."))
        .attribute("startup_timeout", number("Seconds until its containers must be well: 60 to 3600."))
        .attribute("download_timeout", number("Seconds that the files of the model may take: 60 to 3600."))
}

fn capture() -> Body {
    Body::new()
        .attribute(
            "destination",
            Attribute::required(Type::String, "Where it is kept: `s3://BUCKET/PREFIX`."),
        )
        .attribute(
            "sampling_percentage",
            Attribute::required(
                Type::Number,
                "The share of requests that is kept, in percent.",
            ),
        )
        .attribute(
            "modes",
            Attribute::required(Type::list(Type::String), "`Input`, `Output` or both."),
        )
}

/// Checks what is known, and promises name and id.
pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let after = identify(request, provider, &CONTENT)?;
    tags::check(&after)?;
    if after
        .field("production_variants")
        .is_some_and(Value::is_wholly_known)
    {
        let many = items(&after, "production_variants").count();
        if !(1..=MOST_VARIANTS).contains(&many) {
            let message =
                format!("there are {many} variants, but an endpoint has 1 to {MOST_VARIANTS}");
            return Err(Error::invalid(
                Path::attribute("production_variants"),
                message,
            ));
        }
    }
    for variant in items(&after, "production_variants") {
        check(variant)?;
    }
    let changed = |name: &&str| {
        let before = request.prior.as_ref().and_then(|prior| prior.field(name));
        before.is_some_and(|before| Some(before) != after.field(name))
    };
    let blocks = ["production_variants", "data_capture"].into_iter();
    let replace = blocks.filter(changed).map(Path::attribute).collect();
    Ok(Planned { after, replace })
}

fn check(variant: &Value) -> Result<(), Error> {
    const BLAMED: &str = "production_variants";
    let wrong = |message: String| Err(Error::invalid(Path::attribute(BLAMED), message));
    for attribute in ["variant_name", "model_name"] {
        name::check(variant.field(attribute).unwrap_or(&Value::NULL), BLAMED)?;
    }
    if let Some(instance) = text(variant, "instance_type") {
        contract::instance(instance, BLAMED)?;
    }
    if let Some(weight) = number(variant, "initial_weight").filter(|weight| *weight < 0.0) {
        return wrong(format!("the initial_weight {weight} is negative"));
    }
    if let Some(size) = number(variant, "volume_size")
        && !count(variant, "volume_size").is_some_and(|size| VOLUME.contains(&size))
    {
        return wrong(format!("the volume_size {size} is not from 1 to 512"));
    }
    for attribute in ["startup_timeout", "download_timeout"] {
        if let Some(seconds) = number(variant, attribute)
            && !count(variant, attribute).is_some_and(|s| contract::STARTUP.contains(&s.into()))
        {
            return wrong(format!("the {attribute} {seconds} is not from 60 to 3600"));
        }
    }
    Ok(())
}

/// Makes it; the configuration has what is kept nowhere.
pub(crate) async fn create(
    client: &Client,
    (planned, configuration): (&Value, &Value),
    tags: &Tags,
) -> Result<(), Fault> {
    let region = text(planned, "region").unwrap_or_default();
    let variants: Vec<Json> = items(configuration, "production_variants")
        .map(variant)
        .collect();
    let capture = planned
        .field("data_capture")
        .filter(|capture| !capture.is_null());
    let capture = capture.map_or(Json::Null, |capture| {
        let modes = items(capture, "modes").filter_map(Value::as_str);
        let modes: Vec<Json> = modes.map(|mode| json!({ "CaptureMode": mode })).collect();
        json!({
            "EnableCapture": true,
            "InitialSamplingPercentage": member(capture, "sampling_percentage"),
            "DestinationS3Uri": member(capture, "destination"),
            "CaptureOptions": modes,
        })
    });
    let call = Call {
        service: Service::SageMaker,
        region,
        operation: "CreateEndpointConfig",
    };
    let input = input([
        ("EndpointConfigName", member(planned, "name")),
        ("ProductionVariants", variants.into()),
        ("DataCaptureConfig", capture),
        ("KmsKeyId", member(planned, "kms_key_arn")),
        ("Tags", tags::listed(tags)),
    ]);
    client.call::<Json>(call, &input).await.map(drop)
}

fn variant(variant: &Value) -> Json {
    let initial = count(variant, "initial_instance_count").unwrap_or(1);
    let weight = variant
        .field("initial_weight")
        .filter(|weight| !weight.is_null());
    input([
        ("VariantName", member(variant, "variant_name")),
        ("ModelName", member(variant, "model_name")),
        ("InstanceType", member(variant, "instance_type")),
        ("InitialInstanceCount", initial.into()),
        (
            "InitialVariantWeight",
            weight.map_or_else(|| json!(1), |_| member(variant, "initial_weight")),
        ),
        ("VolumeSizeInGB", member(variant, "volume_size")),
        (
            "ContainerStartupHealthCheckTimeoutInSeconds",
            member(variant, "startup_timeout"),
        ),
        (
            "ModelDataDownloadTimeoutInSeconds",
            member(variant, "download_timeout"),
        ),
    ])
}

pub(crate) async fn delete(client: &Client, place: &Place) -> Result<(), Fault> {
    let operation = "DeleteEndpointConfig";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    let input = json!({ "EndpointConfigName": place.name });
    client.call::<Json>(call, &input).await.map(drop)
}

/// What there is of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    #[serde(rename = "EndpointConfigArn")]
    pub(crate) arn: String,
    #[serde(default)]
    pub(crate) production_variants: Vec<Variant>,
    data_capture_config: Option<Capture>,
    kms_key_id: Option<String>,
}

/// One variant of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Variant {
    pub(crate) variant_name: String,
    pub(crate) model_name: Option<String>,
    pub(crate) instance_type: Option<String>,
    initial_variant_weight: Option<f32>,
    #[serde(rename = "VolumeSizeInGB")]
    volume_size: Option<u32>,
    #[serde(rename = "ContainerStartupHealthCheckTimeoutInSeconds")]
    startup_timeout: Option<u32>,
    #[serde(rename = "ModelDataDownloadTimeoutInSeconds")]
    download_timeout: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Capture {
    #[serde(rename = "EnableCapture")]
    enabled: Option<bool>,
    #[serde(rename = "DestinationS3Uri")]
    destination: Option<String>,
    #[serde(rename = "InitialSamplingPercentage")]
    sampling: Option<u32>,
    #[serde(rename = "CaptureOptions", default)]
    options: Vec<Mode>,
}

#[derive(Debug, Deserialize)]
struct Mode {
    #[serde(rename = "CaptureMode")]
    mode: String,
}

pub(crate) async fn find(client: &Client, place: &Place) -> Result<Found, Fault> {
    let operation = "DescribeEndpointConfig";
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation,
    };
    client
        .insist(call, &json!({ "EndpointConfigName": place.name }))
        .await
}

/// As the state has it.
pub(crate) fn view(place: &Place, found: &Found, tags: &Tags, wish: &Value) -> Option<Known> {
    let wishes: Vec<&Value> = items(wish, "production_variants").collect();
    let variants = found.production_variants.iter().enumerate();
    let variants = variants.map(|(at, variant)| {
        let wish = wishes.get(at).copied().unwrap_or(&Value::NULL);
        view_variant(variant, wish)
    });
    let captured = found.data_capture_config.as_ref();
    let captured = captured.filter(|capture| capture.enabled.unwrap_or_default());
    let capture = captured.map(|capture| {
        let modes: Vec<String> = capture
            .options
            .iter()
            .map(|option| option.mode.clone())
            .collect();
        Value::object([
            ("destination", or_null(capture.destination.as_deref())),
            ("sampling_percentage", or_null(capture.sampling)),
            ("modes", texts(&modes)),
        ])
    });
    Known::new(Value::object([
        ("name", Value::from(place.name.as_str())),
        ("region", place.region.as_str().into()),
        ("production_variants", Value::list(variants.collect())),
        ("data_capture", or_null(capture)),
        ("kms_key_arn", or_null(found.kms_key_id.as_deref())),
        ("tags", tags::shown(tags, wish)),
        ("id", place.id().into()),
        ("arn", found.arn.as_str().into()),
    ]))
    .ok()
}

fn view_variant(variant: &Variant, wish: &Value) -> Value {
    let wished = |name: &'static str, found: Value| (name, as_wished(wish, name, found));
    Value::object([
        ("variant_name", variant.variant_name.as_str().into()),
        ("model_name", or_null(variant.model_name.as_deref())),
        ("instance_type", or_null(variant.instance_type.as_deref())),
        ("initial_instance_count", Value::NULL),
        wished(
            "initial_weight",
            or_null(variant.initial_variant_weight.map(single)),
        ),
        wished("volume_size", or_null(variant.volume_size)),
        wished("startup_timeout", or_null(variant.startup_timeout)),
        wished("download_timeout", or_null(variant.download_timeout)),
    ])
}
