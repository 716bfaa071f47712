//! What Application Auto Scaling scales: the instances of a variant of an endpoint.

use isobar_sdk::schema::{Attribute, Body};
use isobar_sdk::{Error, Path, Type, Value};
use serde_json::{Value as Json, json};

use crate::attribute::text;
use crate::client::Call;
use crate::model::region_attribute;
use crate::place;
use crate::service::Service;

pub(crate) const NAMESPACE: &str = "sagemaker";
pub(crate) const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

/// The name of a variant of an endpoint.
pub(crate) fn of_variant(endpoint: &str, variant: &str) -> String {
    format!("endpoint/{endpoint}/variant/{variant}")
}

/// A variant in a region, and below it what has a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalable {
    pub(crate) region: String,
    pub(crate) resource: String,
}

impl Scalable {
    /// What a value that is wholly known is about.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(Self {
            region: text(value, "region")?.to_owned(),
            resource: text(value, "resource_id")?.to_owned(),
        })
    }

    /// What an id means: `REGION/endpoint/NAME/variant/NAME`, and the rest.
    pub(crate) fn parse(id: &str) -> Option<(Self, Option<&str>)> {
        let mut parts = id.splitn(6, '/');
        let region = parts.next()?.to_owned();
        let [kind, endpoint, of, variant] =
            [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        let right = kind == "endpoint" && of == "variant";
        let scalable = Self {
            region,
            resource: of_variant(endpoint, variant),
        };
        right.then_some((scalable, parts.next()))
    }

    pub(crate) fn id(&self, name: Option<&str>) -> String {
        let Self { region, resource } = self;
        match name {
            Some(name) => format!("{region}/{resource}/{name}"),
            None => format!("{region}/{resource}"),
        }
    }

    pub(crate) fn call<'a>(&'a self, operation: &'a str) -> Call<'a> {
        Call {
            service: Service::AutoScaling,
            region: &self.region,
            operation,
        }
    }

    /// The members that name it in an input.
    pub(crate) fn input(&self) -> Json {
        json!({
            "ServiceNamespace": NAMESPACE,
            "ResourceId": self.resource,
            "ScalableDimension": DIMENSION,
        })
    }
}

/// The attributes that name it.
pub(crate) fn body() -> Body {
    Body::new()
        .attribute("region", region_attribute())
        .attribute(
            "resource_id",
            Attribute::required(
                Type::String,
                "What is scaled: `endpoint/NAME/variant/NAME`.",
            )
            .replaces(),
        )
        .attribute(
            "id",
            Attribute::computed(
                Type::String,
                "Region, variant and name, with slashes between them.",
            ),
        )
}

/// Region and id, as far as they are known; `name` is the attribute that names it below the
/// variant.
pub(crate) fn identify(
    proposed: &Value,
    provider: Option<&str>,
    name: Option<&str>,
) -> Result<Value, Error> {
    let after = proposed.with_field("region", place::region(proposed, provider)?);
    if let Some(resource) = text(&after, "resource_id") {
        let id = format!("r/{resource}");
        if !matches!(Scalable::parse(&id), Some((_, None))) {
            let message = format!("{resource:?} is no variant of an endpoint");
            return Err(Error::invalid(Path::attribute("resource_id"), message)
                .help("write endpoint/NAME/variant/NAME"));
        }
    }
    let named = name.map(|name| text(&after, name).map(str::to_owned));
    let id = match (Scalable::of(&after), named) {
        (Some(scalable), None) => scalable.id(None).into(),
        (Some(scalable), Some(Some(name))) => scalable.id(Some(&name)).into(),
        _ => Value::unknown_of(Type::String),
    };
    Ok(after.with_field("id", id))
}

/// Checks the bounds that are known.
pub(crate) fn bounds(after: &Value) -> Result<(), Error> {
    let bound = |name: &str| {
        let value = after.field(name).and_then(Value::as_number);
        let Some(value) = value else { return Ok(None) };
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        count.map(Some).ok_or_else(|| {
            let message = format!("{name} is {value}, but must be a whole number from 0 on");
            Error::invalid(Path::attribute(name), message)
        })
    };
    let (min, max) = (bound("min_capacity")?, bound("max_capacity")?);
    if min == Some(0) {
        let message = "a variant of an endpoint has one instance at least";
        return Err(Error::invalid(Path::attribute("min_capacity"), message).help("write 1"));
    }
    match (min, max) {
        (Some(min), Some(max)) if max < min => {
            let message = format!("max_capacity = {max} is less than min_capacity = {min}");
            Err(Error::invalid(Path::attribute("max_capacity"), message))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Scalable;

    #[test]
    fn ids_go_both_ways() {
        let id = "eu-west-1/endpoint/a/variant/main";
        let (scalable, name) = Scalable::parse(id).unwrap();
        assert_eq!((scalable.id(None).as_str(), name), (id, None));
        let (_, name) = Scalable::parse("eu-west-1/endpoint/a/variant/main/at/six").unwrap();
        assert_eq!(name, Some("at/six"));
        assert_eq!(
            scalable.id(name),
            "eu-west-1/endpoint/a/variant/main/at/six"
        );
        assert_eq!(Scalable::parse("eu-west-1/service/a/b/c"), None);
        assert_eq!(Scalable::parse("endpoint/a/variant/main"), None);
    }
}
