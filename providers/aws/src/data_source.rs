//! Data sources: what is there of each resource type, by the attributes that name it.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::provider::LookUp;
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Type, Value};

use crate::kind::Kind;
use crate::model::region_attribute;
use crate::place;
use crate::provider::{Aws, thing};

/// A data source for each resource type.
pub(crate) fn schemas() -> BTreeMap<String, Schema> {
    Kind::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), schema(kind)))
        .collect()
}

fn schema(kind: Kind) -> Schema {
    let resource = kind.schema();
    let Type::Object(fields) = resource.body.value_type() else {
        return resource;
    };
    let doc = |name: &str| {
        let attribute = resource
            .body
            .attributes
            .get(name)
            .map(|attribute| &attribute.doc);
        let block = resource.body.blocks.get(name).map(|block| &block.doc);
        attribute.or(block).cloned().unwrap_or_default()
    };
    let attributes = fields.into_iter().map(|(name, field)| {
        let attribute = match &*name {
            "region" => region_attribute(),
            name if kind.identity().contains(&name) => Attribute::required(field.ty, &doc(name)),
            name => Attribute::computed(field.ty, &doc(name)),
        };
        (name, attribute)
    });
    let attributes: BTreeMap<Arc<str>, Attribute> = attributes.collect();
    Schema {
        version: 1,
        body: Body {
            attributes,
            ..Body::new()
        },
        doc: resource.doc,
    }
}

impl Aws {
    pub(crate) async fn data(&self, request: &LookUp) -> Result<Known, Error> {
        let kind = Kind::of(&request.address.kind)?;
        let configuration = request.configuration.value();
        let region = place::region(configuration, self.account.region.as_deref())?;
        let named = configuration.with_field("region", region);
        let found = match thing(kind, &named) {
            Some(thing) => self.view(kind, &thing, &Value::NULL).await?,
            None => None,
        };
        found.ok_or_else(|| Error::not_found(format!("there is no such {}", kind.name())))
    }
}
