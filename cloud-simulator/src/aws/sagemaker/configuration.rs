//! Endpoint configurations.

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::{Context, shape};
use super::listing::{Entry, page};
use super::{epoch, take_tags, text};
use crate::engine::{Capacity, Configuration, Noun, Refusal, Role, Variant};

/// What of a variant matters here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Production {
    variant_name: String,
    model_name: Option<String>,
    initial_instance_count: Option<u32>,
    instance_type: Option<String>,
    initial_variant_weight: Option<f32>,
    serverless_config: Option<Value>,
}

impl Production {
    fn variant(self, role: Role) -> Result<Variant, Failure> {
        let (capacity, count) = match (self.instance_type, self.serverless_config) {
            (Some(instance_type), None) => {
                let missing = || format!("Variant {} needs a count.", self.variant_name);
                let count = self.initial_instance_count;
                let count = count.ok_or_else(|| Failure::validation(missing()))?;
                (Capacity::Instances { instance_type }, count)
            }
            (None, Some(_)) if self.initial_instance_count.is_none() => (Capacity::Serverless, 0),
            (None | Some(_), None | Some(_)) => {
                return Err(Failure::validation(format!(
                    "Variant {} needs either an InstanceType or a ServerlessConfig.",
                    self.variant_name
                )));
            }
        };
        let weight = self.initial_variant_weight.unwrap_or(1.0);
        Ok(Variant {
            name: self.variant_name,
            role,
            model: self.model_name,
            capacity,
            count,
            desired_count: count,
            weight,
            desired_weight: weight,
        })
    }
}

/// Variants of a request, and their weights as they will be told: in single precision.
fn variants(body: &mut Value, member: &str, role: Role) -> Result<Vec<Variant>, Failure> {
    let Some(Value::Array(given)) = body.get_mut(member) else {
        return Ok(Vec::new());
    };
    let mut variants = Vec::new();
    for value in given {
        let variant = shape::decode::<Production>(value.clone())?.variant(role)?;
        // Members by position, which a decoder takes as well, are not what the service reads.
        let members = value.as_object_mut().ok_or_else(|| {
            Failure::new(400, "SerializationException", "A variant must be an object")
        })?;
        let weight = f64::from(variant.weight).into();
        members.insert("InitialVariantWeight".to_owned(), weight);
        variants.push(variant);
    }
    Ok(variants)
}

pub(super) fn create(context: &mut Context<'_>, mut body: Value) -> Result<Value, Failure> {
    let tags = take_tags(&mut body)?;
    let name = text(&body, "EndpointConfigName");
    let mut all = variants(&mut body, "ProductionVariants", Role::Production)?;
    if all.iter().all(|variant| variant.weight <= 0.0) {
        let message = "The sum of the InitialVariantWeights must be greater than 0.";
        return Err(Failure::validation(message));
    }
    let shadows = variants(&mut body, "ShadowProductionVariants", Role::Shadow)?;
    if !shadows.is_empty() && (all.len(), shadows.len()) != (1, 1) {
        let message = "A shadow variant needs exactly one production variant beside it.";
        return Err(Failure::validation(message));
    }
    all.extend(shadows);
    let configuration = Configuration {
        variants: all,
        document: body,
        created: context.moment.now,
        tags,
    };
    let made = context
        .region
        .create_configuration(name.clone(), configuration);
    made.map_err(|refusal| context.failure(&refusal))?;
    let arn = context.place().arn(Noun::Configuration, &name);
    Ok(json!({ "EndpointConfigArn": arn }))
}

pub(super) fn describe(context: &Context<'_>, body: &Value) -> Result<Value, Failure> {
    let name = text(body, "EndpointConfigName");
    let Some(configuration) = context.region.configurations.get(&name) else {
        let noun = Noun::Configuration;
        return Err(context.failure(&Refusal::Missing { noun, name }));
    };
    let mut answer = configuration.document.clone();
    answer["EndpointConfigArn"] = context.place().arn(Noun::Configuration, &name).into();
    answer["CreationTime"] = epoch(configuration.created);
    if answer.get("EnableNetworkIsolation").is_none() {
        answer["EnableNetworkIsolation"] = false.into();
    }
    Ok(answer)
}

pub(super) fn delete(context: &mut Context<'_>, body: &Value) -> Result<Value, Failure> {
    let gone = context
        .region
        .delete_configuration(&text(body, "EndpointConfigName"));
    gone.map_err(|refusal| context.failure(&refusal))?;
    Ok(Value::Null)
}

pub(super) fn list(context: &Context<'_>, body: Value) -> Result<Value, Failure> {
    let all = context.region.configurations.iter();
    let entries = all.map(|(name, configuration)| Entry {
        name: name.clone(),
        created: configuration.created,
        modified: configuration.created,
        status: "",
        summary: json!({
            "EndpointConfigName": name,
            "EndpointConfigArn": context.place().arn(Noun::Configuration, name),
            "CreationTime": epoch(configuration.created),
        }),
    });
    page(body, "EndpointConfigs", entries)
}
