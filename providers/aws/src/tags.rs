//! Tags: those of the user, and those that say whose a thing is.

use std::collections::BTreeMap;

use isobar_sdk::provider::IdempotencyKey;
use isobar_sdk::schema::Attribute;
use isobar_sdk::{Address, Error, Path, Type, Value};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::client::{Call, Client};
use crate::fault::Fault;
use crate::service::Service;

/// The address of the resource that the thing was made for.
const ADDRESS: &str = "isobar-address";
/// The change that made the thing.
const CHANGE: &str = "isobar-change";
/// Tags that are not the user's begin so.
const RESERVED: [&str; 2] = ["isobar-", "aws:"];
/// No value is longer.
const LONGEST: usize = 256;

/// The tags of one thing by key.
pub(crate) type Tags = BTreeMap<String, String>;

pub(crate) fn attribute() -> Attribute {
    let doc = "Tags, beside those that say that it is Isobar's, which begin with `isobar-`.";
    Attribute::optional(Type::map(Type::String), doc)
}

/// Checks the tags of a plan.
pub(crate) fn check(proposed: &Value) -> Result<(), Error> {
    let tags = proposed.field("tags").and_then(Value::fields);
    let mut keys = tags.into_iter().flat_map(|tags| tags.keys());
    let reserved = |key: &str| RESERVED.iter().any(|prefix| key.starts_with(prefix));
    keys.find(|key| reserved(key)).map_or(Ok(()), |key| {
        let message = format!("the tag {key:?} is reserved");
        Err(Error::invalid(Path::attribute("tags"), message).help("choose another key"))
    })
}

/// Of which change a thing was made; keys have letters that tags must not have.
fn change(key: &IdempotencyKey) -> String {
    let digest = Sha256::digest(key.as_str().as_bytes());
    digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What a new thing is tagged with.
pub(crate) fn of_creation(planned: &Value, address: &Address, key: &IdempotencyKey) -> Tags {
    let allowed = |c: char| c.is_alphanumeric() || " +-=._:/@".contains(c);
    let place: String = address
        .to_string()
        .chars()
        .filter(|c| *c != '"')
        .map(|c| if allowed(c) { c } else { ':' })
        .take(LONGEST)
        .collect();
    let mut tags = wished(planned);
    tags.insert(ADDRESS.to_owned(), place);
    tags.insert(CHANGE.to_owned(), change(key));
    tags
}

fn wished(value: &Value) -> Tags {
    let fields = value.field("tags").and_then(Value::fields);
    let fields = fields.into_iter().flat_map(|fields| fields.iter());
    let pairs =
        fields.filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())));
    pairs.collect()
}

/// Whether this change has made the thing.
pub(crate) fn made_by(tags: &Tags, key: &IdempotencyKey) -> bool {
    tags.get(CHANGE) == Some(&change(key))
}

/// The user's tags, as the state has them.
pub(crate) fn shown(tags: &Tags, wish: &Value) -> Value {
    let reserved = |key: &&String| RESERVED.iter().any(|prefix| key.starts_with(prefix));
    let own = tags.iter().filter(|(key, _)| !reserved(key));
    let own: Vec<_> = own
        .map(|(key, value)| (key.as_str(), Value::from(value.as_str())))
        .collect();
    match wish.field("tags") {
        Some(wished) if own.is_empty() && !wished.is_null() => Value::map::<&str>([]),
        _ if own.is_empty() => Value::NULL,
        _ => Value::map(own),
    }
}

/// As calls take them.
pub(crate) fn listed(tags: &Tags) -> Json {
    let tags = tags.iter();
    tags.map(|(key, value)| json!({ "Key": key, "Value": value }))
        .collect()
}

#[derive(Debug, Deserialize)]
struct Tag {
    #[serde(rename = "Key")]
    key: String,
    #[serde(rename = "Value")]
    value: String,
}

/// The tags of a thing of SageMaker.
pub(crate) async fn read(client: &Client, region: &str, arn: &str) -> Result<Tags, Fault> {
    let call = Call {
        service: Service::SageMaker,
        region,
        operation: "ListTags",
    };
    let tags: Vec<Tag> = client
        .list(call, json!({ "ResourceArn": arn }), "Tags")
        .await?;
    Ok(tags.into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// Makes the user's tags of a thing of SageMaker what is planned.
pub(crate) async fn write(
    client: &Client,
    (region, arn): (&str, &str),
    planned: &Value,
) -> Result<(), Fault> {
    let there = read(client, region, arn).await?;
    let wanted = wished(planned);
    let call = |operation| Call {
        service: Service::SageMaker,
        region,
        operation,
    };
    let new = wanted
        .iter()
        .filter(|(key, value)| there.get(*key) != Some(value));
    let new: Tags = new
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let reserved = |key: &&String| RESERVED.iter().any(|prefix| key.starts_with(prefix));
    let gone = there
        .keys()
        .filter(|key| !wanted.contains_key(*key) && !reserved(key));
    let gone: Vec<&String> = gone.collect();
    if !new.is_empty() {
        let input = json!({ "ResourceArn": arn, "Tags": listed(&new) });
        client.call::<Json>(call("AddTags"), &input).await?;
    }
    if !gone.is_empty() {
        let input = json!({ "ResourceArn": arn, "TagKeys": gone });
        client.call::<Json>(call("DeleteTags"), &input).await?;
    }
    Ok(())
}
