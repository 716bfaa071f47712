//! `aws_sagemaker_model`: a container image and the files of a model. Nothing in it can be changed.

use isobar_sdk::provider::{PlanChange, Planned};
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Path, Type, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

use crate::attribute::{as_wished, input, items, member, or_null, text, texts};
use crate::client::{Call, Client};
use crate::contract;
use crate::fault::Fault;
use crate::name;
use crate::place::{self, Place};
use crate::service::Service;
use crate::tags::{self, Tags};

pub(crate) const TYPE: &str = "aws_sagemaker_model";

/// What it is made of, and so what its name is made from.
const CONTENT: [&str; 7] = [
    "image",
    "artifact",
    "environment",
    "execution_role_arn",
    "subnets",
    "security_group_ids",
    "network_isolation",
];

pub(crate) fn schema() -> Schema {
    let text = |doc| Attribute::optional(Type::String, doc).replaces();
    let texts = |doc| Attribute::optional(Type::list(Type::String), doc).replaces();
    let body = Body::new()
        .attribute("name", name_attribute())
        .attribute("region", region_attribute())
        .attribute(
            "image",
            Attribute::required(Type::String, "The container image, in ECR of the same region.").replaces(),
        )
        .attribute(
            "artifact",
            text("The files of the model in S3 of the same region: one `.tar.gz`, or all below a prefix that ends in `/`."),
        )
        .attribute(
            "environment",
            Attribute::optional(Type::map(Type::String), "Environment variables of the container: at most 100, keys and values of at most 1024 bytes.").replaces(),
        )
        .attribute(
            "execution_role_arn",
            Attribute::required(Type::String, "The role that reads image and files.").replaces(),
        )
        .attribute("subnets", texts("Subnets to run in, in two availability zones at least; needs `security_group_ids`."))
        .attribute("security_group_ids", texts("Security groups of the containers; needs `subnets`."))
        .attribute(
            "network_isolation",
            Attribute::with_default(Type::Bool, false, "Whether the containers reach no network.").replaces(),
        )
        .attribute("tags", tags::attribute())
        .attribute("id", Attribute::computed(Type::String, "Region and name: `REGION/NAME`."))
        .attribute("arn", Attribute::computed(Type::String, "The name in all of AWS."));
    Schema {
        version: 1,
        body,
        doc: "A container image and the files of a model on SageMaker. Nothing in it can be changed, so a new content is a new model.".to_owned(),
    }
}

pub(crate) fn name_attribute() -> Attribute {
    let doc = "Its name in the region: at most 63 letters, digits and dashes. Otherwise one that is made from its content.";
    Attribute::optional_computed(Type::String, doc).replaces()
}

pub(crate) fn region_attribute() -> Attribute {
    let doc = "Its region; otherwise that of the provider.";
    Attribute::optional_computed(Type::String, doc).replaces()
}

/// Name, region and id, as far as they are known.
pub(crate) fn identify(
    request: &PlanChange,
    provider: Option<&str>,
    content: &[&str],
) -> Result<Value, Error> {
    let proposed = &request.proposed;
    let region = place::region(proposed, provider)?;
    let configured = request
        .configuration
        .field("name")
        .filter(|name| !name.is_null());
    let unknown = || Value::unknown_of(Type::String);
    let name = configured.cloned().unwrap_or_else(|| {
        let fields = content
            .iter()
            .map(|name| proposed.field(name).unwrap_or(&Value::NULL));
        let hash = name::hash_of(fields);
        hash.map_or_else(unknown, |hash| format!("isobar-{hash}").into())
    });
    name::check(&name, "name")?;
    let id = match (region.as_str(), name.as_str()) {
        (Some(region), Some(name)) => format!("{region}/{name}").into(),
        _ => unknown(),
    };
    let before = request.prior.as_ref().and_then(|prior| prior.field("id"));
    let arn = match before == Some(&id) {
        true => proposed.field("arn").cloned().unwrap_or_else(unknown),
        false => unknown(),
    };
    Ok(proposed
        .with_field("region", region)
        .with_field("name", name)
        .with_field("id", id)
        .with_field("arn", arn))
}

/// Checks what is known, and promises name and id.
pub(crate) fn plan(request: &PlanChange, provider: Option<&str>) -> Result<Planned, Error> {
    let after = identify(request, provider, &CONTENT)?;
    let region = text(&after, "region");
    tags::check(&after)?;
    contract::environment(
        after.field("environment").unwrap_or(&Value::NULL),
        "environment",
    )?;
    if let Some(image) = text(&after, "image") {
        contract::image(image, region, "image")?;
    }
    if let Some(artifact) = text(&after, "artifact") {
        contract::artifact(artifact, "artifact")?;
    }
    if let Some(role) = text(&after, "execution_role_arn") {
        contract::role(role, "execution_role_arn")?;
    }
    let set = |name: &str| after.field(name).is_some_and(|field| !field.is_null());
    if set("subnets") != set("security_group_ids") {
        let message = "subnets and security_group_ids need one another";
        return Err(Error::invalid(Path::attribute("subnets"), message));
    }
    Ok(after.into())
}

pub(crate) async fn create(client: &Client, planned: &Value, tags: &Tags) -> Result<(), Fault> {
    let region = text(planned, "region").unwrap_or_default();
    let vpc = items(planned, "subnets").next().map(|_| {
        json!({
            "Subnets": member(planned, "subnets"),
            "SecurityGroupIds": member(planned, "security_group_ids"),
        })
    });
    let call = Call {
        service: Service::SageMaker,
        region,
        operation: "CreateModel",
    };
    let input = input([
        ("ModelName", member(planned, "name")),
        ("PrimaryContainer", container(planned)),
        ("ExecutionRoleArn", member(planned, "execution_role_arn")),
        ("VpcConfig", vpc.unwrap_or(Json::Null)),
        (
            "EnableNetworkIsolation",
            member(planned, "network_isolation"),
        ),
        ("Tags", tags::listed(tags)),
    ]);
    client.call::<Json>(call, &input).await.map(drop)
}

/// Files below a prefix are taken as they are; one file is an archive.
fn container(planned: &Value) -> Json {
    let artifact = text(planned, "artifact");
    let below = artifact
        .filter(|artifact| artifact.ends_with('/'))
        .map(|prefix| {
            let source = json!({
                "S3Uri": prefix, "S3DataType": "S3Prefix", "CompressionType": "None",
            });
            json!({ "S3DataSource": source })
        });
    let archive = artifact.filter(|artifact| !artifact.ends_with('/'));
    input([
        ("Image", member(planned, "image")),
        ("ModelDataUrl", archive.map_or(Json::Null, Json::from)),
        ("ModelDataSource", below.unwrap_or(Json::Null)),
        ("Environment", member(planned, "environment")),
    ])
}

pub(crate) async fn delete(client: &Client, place: &Place) -> Result<(), Fault> {
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation: "DeleteModel",
    };
    let input = json!({ "ModelName": place.name });
    client.call::<Json>(call, &input).await.map(drop)
}

/// What there is of one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Found {
    #[serde(rename = "ModelArn")]
    pub(crate) arn: String,
    primary_container: Option<Container>,
    execution_role_arn: Option<String>,
    vpc_config: Option<Vpc>,
    enable_network_isolation: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    image: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<Source>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Source {
    #[serde(rename = "S3DataSource")]
    s3: Option<Prefix>,
}

#[derive(Debug, Deserialize)]
struct Prefix {
    #[serde(rename = "S3Uri")]
    uri: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Vpc {
    #[serde(default)]
    subnets: Vec<String>,
    #[serde(default)]
    security_group_ids: Vec<String>,
}

pub(crate) async fn find(client: &Client, place: &Place) -> Result<Found, Fault> {
    let call = Call {
        service: Service::SageMaker,
        region: &place.region,
        operation: "DescribeModel",
    };
    client.call(call, &json!({ "ModelName": place.name })).await
}

/// No variables are told as they are wished: as none, or as an empty map.
fn environment(container: &Container, wish: &Value) -> Value {
    let set = container.environment.iter();
    let set = set.map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
    let wished = wish
        .field("environment")
        .is_some_and(|wished| !wished.is_null());
    match container.environment.is_empty() && !wished {
        true => Value::NULL,
        false => Value::map(set),
    }
}

/// As the state has it.
pub(crate) fn view(place: &Place, found: &Found, tags: &Tags, wish: &Value) -> Option<Known> {
    let empty = Container::default();
    let container = found.primary_container.as_ref().unwrap_or(&empty);
    let source = container.model_data_source.as_ref();
    let below = source
        .and_then(|source| source.s3.as_ref())
        .map(|prefix| prefix.uri.clone());
    let vpc = found.vpc_config.as_ref();
    let network = |part: fn(&Vpc) -> &Vec<String>| or_null(vpc.map(|vpc| texts(part(vpc))));
    let wished = |name: &str, found: Value| (name.to_owned(), as_wished(wish, name, found));
    let own = |name: &str, found: Value| (name.to_owned(), found);
    let isolated = found.enable_network_isolation.unwrap_or_default();
    Known::new(Value::object([
        own("name", place.name.as_str().into()),
        own("region", place.region.as_str().into()),
        own("image", or_null(container.image.as_deref())),
        own(
            "artifact",
            or_null(below.or_else(|| container.model_data_url.clone())),
        ),
        own("environment", environment(container, wish)),
        own(
            "execution_role_arn",
            or_null(found.execution_role_arn.as_deref()),
        ),
        wished("subnets", network(|vpc| &vpc.subnets)),
        wished("security_group_ids", network(|vpc| &vpc.security_group_ids)),
        own("network_isolation", isolated.into()),
        own("tags", tags::shown(tags, wish)),
        own("id", place.id().into()),
        own("arn", found.arn.as_str().into()),
    ]))
    .ok()
}
