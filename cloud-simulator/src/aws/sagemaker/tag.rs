//! Marks on resources.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::{Context, shape};
use super::{TAGS, Tag, collect};
use crate::engine::{Noun, Refusal, Tags};

/// Marks of a page, at least, where the request does not say.
const PAGE: usize = 50;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query {
    resource_arn: String,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    tag_keys: Vec<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

impl Context<'_> {
    /// What kind of resource this name is of, and its short name.
    fn resource(&self, arn: &str) -> Result<(Noun, String), Failure> {
        let unknown = || Failure::validation(format!("Invalid resource ARN \"{arn}\"."));
        let start = format!("arn:aws:sagemaker:{}:{}:", self.region_name, self.account);
        let inside = arn.strip_prefix(&start).ok_or_else(unknown)?;
        let (kind, name) = inside.split_once('/').ok_or_else(unknown)?;
        let noun = match kind {
            "model" => Noun::Model,
            "endpoint-config" => Noun::Configuration,
            "endpoint" => Noun::Endpoint,
            _ => return Err(unknown()),
        };
        Ok((noun, name.to_owned()))
    }

    fn tags(&mut self, arn: &str) -> Result<&mut Tags, Failure> {
        let (noun, name) = self.resource(arn)?;
        let missing = self.failure(&Refusal::Missing {
            noun,
            name: name.clone(),
        });
        let region = &mut *self.region;
        let tags = match noun {
            Noun::Model => region.models.get_mut(&name).map(|of| &mut of.tags),
            Noun::Configuration => region.configurations.get_mut(&name).map(|of| &mut of.tags),
            Noun::Endpoint | Noun::Variant | Noun::Target | Noun::Policy | Noun::Action => {
                region.endpoints.get_mut(&name).map(|of| &mut of.tags)
            }
        };
        tags.ok_or(missing)
    }
}

fn written(tags: &Tags) -> Vec<Value> {
    let tags = tags.iter();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

pub(super) fn add(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let new = collect(query.tags)?;
    let tags = context.tags(&query.resource_arn)?;
    let mut all = tags.clone();
    all.extend(new);
    if all.len() > TAGS {
        let message = format!("The number of tags exceeds the limit of {TAGS}.");
        return Err(Failure::validation(message));
    }
    *tags = all;
    Ok(json!({ "Tags": written(tags) }))
}

pub(super) fn delete(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let tags = context.tags(&query.resource_arn)?;
    tags.retain(|key, _| !query.tag_keys.contains(key));
    Ok(json!({}))
}

pub(super) fn list(context: &mut Context<'_>, body: Value) -> Result<Value, Failure> {
    let query: Query = shape::decode(body)?;
    let mut rest = context.tags(&query.resource_arn)?.clone();
    if let Some(token) = &query.next_token {
        let last = URL_SAFE_NO_PAD.decode(token).ok();
        let last = last.and_then(|last| String::from_utf8(last).ok());
        let last = last.ok_or_else(|| Failure::validation("Invalid NextToken."))?;
        rest.retain(|key, _| *key > last);
    }
    let size = query.max_results.unwrap_or(PAGE).max(1);
    let more = rest.len() > size;
    let page: Tags = rest.into_iter().take(size).collect();
    let mut answer = json!({ "Tags": written(&page) });
    if let Some((last, _)) = page.last_key_value().filter(|_| more) {
        answer["NextToken"] = URL_SAFE_NO_PAD.encode(last).into();
    }
    Ok(answer)
}
