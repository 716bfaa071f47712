//! The schemas of providers, in the shape of `terraform providers schema -json`.

use isobar_sdk::json::encode_type;
use isobar_sdk::schema::{
    Attribute, Block, Body, Nesting, Presence, ProviderSchema, Schema, Storage, Visibility,
};
use isobar_sdk::{Type, json as values};
use serde_json::{Value as Json, json};

use super::resource::Object;

/// The schemas of some providers by name. Keys beside Terraform's: `zone_schema`, what a zone of
/// the provider may set, and in attributes `default` and `replaces`.
#[must_use]
pub fn schemas<'a>(providers: impl IntoIterator<Item = (&'a str, &'a ProviderSchema)>) -> Json {
    let providers = providers.into_iter();
    let all: Object = providers
        .map(|(name, schema)| (name.to_owned(), provider(schema)))
        .collect();
    json!({ "format_version": "1.0", "provider_schemas": all })
}

fn provider(schema: &ProviderSchema) -> Json {
    let named = |schemas: &std::collections::BTreeMap<String, Schema>| -> Object {
        let schemas = schemas.iter();
        schemas
            .map(|(name, schema)| (name.clone(), of(schema.version, &schema.body, &schema.doc)))
            .collect()
    };
    let mut object = Object::new();
    object.insert("provider".to_owned(), of(0, &schema.configuration, ""));
    object.insert(
        "resource_schemas".to_owned(),
        named(&schema.resources).into(),
    );
    if !schema.data_sources.is_empty() {
        let sources = named(&schema.data_sources);
        object.insert("data_source_schemas".to_owned(), sources.into());
    }
    if schema.zone != Body::default() {
        object.insert("zone_schema".to_owned(), of(0, &schema.zone, ""));
    }
    Json::Object(object)
}

fn of(version: u64, body: &Body, doc: &str) -> Json {
    json!({ "version": version, "block": block(body, doc) })
}

fn block(body: &Body, doc: &str) -> Object {
    let mut object = Object::new();
    let attributes = body.attributes.iter();
    let attributes: Object = attributes
        .map(|(name, one)| (name.to_string(), attribute(one)))
        .collect();
    if !attributes.is_empty() {
        object.insert("attributes".to_owned(), attributes.into());
    }
    let blocks = body.blocks.iter();
    let blocks: Object = blocks
        .map(|(name, one)| (name.clone(), nested(one)))
        .collect();
    if !blocks.is_empty() {
        object.insert("block_types".to_owned(), blocks.into());
    }
    describe(&mut object, doc);
    object
}

fn describe(object: &mut Object, doc: &str) {
    if !doc.is_empty() {
        object.insert("description".to_owned(), doc.into());
    }
    object.insert("description_kind".to_owned(), "plain".into());
}

fn attribute(attribute: &Attribute) -> Json {
    let mut object = Object::new();
    object.insert("type".to_owned(), encode_type(&attribute.ty));
    describe(&mut object, &attribute.doc);
    let words: &[&str] = match attribute.presence {
        Presence::Required => &["required"],
        Presence::Optional | Presence::Default(_) => &["optional"],
        Presence::OptionalComputed => &["optional", "computed"],
        Presence::Computed => &["computed"],
    };
    for word in words {
        object.insert((*word).to_owned(), true.into());
    }
    if attribute.visibility == Visibility::Sensitive {
        object.insert("sensitive".to_owned(), true.into());
    }
    if attribute.storage == Storage::WriteOnly {
        object.insert("write_only".to_owned(), true.into());
    }
    if let Presence::Default(default) = &attribute.presence {
        object.insert("default".to_owned(), values::encode(default));
    }
    if attribute.on_change == isobar_sdk::schema::OnChange::Replace {
        object.insert("replaces".to_owned(), true.into());
    }
    Json::Object(object)
}

/// A nested block; a label is an attribute that must be set.
fn nested(nested: &Block) -> Json {
    let body = match nested.label {
        Some(label) => nested.body.clone().attribute(
            label,
            Attribute::required(Type::String, "The label of the block."),
        ),
        None => nested.body.clone(),
    };
    let mut object = Object::new();
    let (mode, least) = match nested.nesting {
        Nesting::Optional => ("single", None),
        Nesting::Required => ("single", Some(1)),
        Nesting::List => ("list", None),
    };
    object.insert("nesting_mode".to_owned(), mode.into());
    object.insert("block".to_owned(), block(&body, &nested.doc).into());
    if let Some(least) = least {
        object.insert("min_items".to_owned(), least.into());
    }
    Json::Object(object)
}

#[cfg(test)]
mod tests {
    use isobar_sdk::schema::{Attribute, Body, Nesting, ProviderSchema, Schema};
    use isobar_sdk::{Type, Value};

    use super::schemas;

    #[test]
    fn a_schema_has_the_shape_of_terraforms() {
        let body = Body::new()
            .attribute(
                "id",
                Attribute::computed(Type::String, "What it is called."),
            )
            .attribute("name", Attribute::required(Type::String, "").replaces())
            .attribute(
                "size",
                Attribute::with_default(Type::Number, Value::from(1_i64), ""),
            )
            .attribute("token", Attribute::optional(Type::String, "").sensitive())
            .labelled(
                "source",
                (Nesting::Required, "kind"),
                Body::new(),
                "Where it is from.",
            );
        let resource = Schema {
            version: 2,
            body,
            doc: "A thing.".to_owned(),
        };
        let schema = ProviderSchema {
            resources: [("x_thing".to_owned(), resource)].into(),
            ..ProviderSchema::default()
        };
        let document = schemas([("x", &schema)]);
        insta::assert_snapshot!(serde_json::to_string_pretty(&document).unwrap());
    }
}
