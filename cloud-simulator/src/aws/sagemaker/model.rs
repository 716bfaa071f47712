//! Models.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::{Context, shape};
use super::listing::{Entry, page};
use super::{epoch, take_tags, text};
use crate::engine::{Container, Model, Noun, Refusal};

/// What of a container matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    image: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<Value>,
    model_package_name: Option<String>,
}

impl Definition {
    fn container(self, region: &str) -> Result<Container, Failure> {
        if self.image.is_none() && self.model_package_name.is_none() {
            let message = "A container needs an Image or a ModelPackageName.";
            return Err(Failure::validation(message));
        }
        if let Some(image) = &self.image
            && let Some(other) = registry_region(image)
            && other != region
        {
            let message = format!(
                "Invalid image URI {image}: the repository must be in region {region}, not {other}."
            );
            return Err(Failure::validation(message));
        }
        let source = self.model_data_source.as_ref();
        let source = source.and_then(|source| source.pointer("/S3DataSource/S3Uri"));
        let source = source.and_then(Value::as_str).map(str::to_owned);
        Ok(Container {
            image: self.image,
            artifact: self.model_data_url.or(source),
        })
    }
}

/// The region of an image's repository, if it is one of ECR.
fn registry_region(image: &str) -> Option<&str> {
    let (host, _) = image.split_once('/')?;
    host.split_once(".dkr.ecr.")?.1.split('.').next()
}

pub(super) fn create(context: &mut Context<'_>, mut body: Value) -> Result<Value, Failure> {
    let tags = take_tags(&mut body)?;
    let name = text(&body, "ModelName");
    let definitions = match (body.get("PrimaryContainer"), body.get("Containers")) {
        (Some(one), None) => vec![shape::decode(one.clone())?],
        (None, Some(several)) => shape::decode::<Vec<Definition>>(several.clone())?,
        (None, None) | (Some(_), Some(_)) => {
            let message = "Exactly one of PrimaryContainer and Containers must be given.";
            return Err(Failure::validation(message));
        }
    };
    let containers = definitions.into_iter();
    let containers = containers.map(|definition| definition.container(context.region_name));
    let role = body.get("ExecutionRoleArn").and_then(Value::as_str);
    let model = Model {
        role: role.map(str::to_owned),
        containers: containers.collect::<Result<_, _>>()?,
        document: body,
        created: context.moment.now,
        tags,
    };
    let made = context.region.create_model(name.clone(), model);
    made.map_err(|refusal| context.failure(&refusal))?;
    Ok(json!({ "ModelArn": context.place().arn(Noun::Model, &name) }))
}

pub(super) fn describe(context: &Context<'_>, body: &Value) -> Result<Value, Failure> {
    let name = text(body, "ModelName");
    let Some(model) = context.region.models.get(&name) else {
        let noun = Noun::Model;
        return Err(context.failure(&Refusal::Missing { noun, name }));
    };
    let mut answer = model.document.clone();
    answer["ModelArn"] = context.place().arn(Noun::Model, &name).into();
    answer["CreationTime"] = epoch(model.created);
    if answer.get("EnableNetworkIsolation").is_none() {
        answer["EnableNetworkIsolation"] = false.into();
    }
    Ok(answer)
}

pub(super) fn delete(context: &mut Context<'_>, body: &Value) -> Result<Value, Failure> {
    let gone = context.region.delete_model(&text(body, "ModelName"));
    gone.map_err(|refusal| context.failure(&refusal))?;
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let entries = context.region.models.iter().map(|(name, model)| Entry {
        name: name.clone(),
        created: model.created,
        modified: model.created,
        status: "",
        summary: json!({
            "ModelName": name,
            "ModelArn": context.place().arn(Noun::Model, name),
            "CreationTime": epoch(model.created),
        }),
    });
    page(body, "Models", entries)
}
