//! A deployment is lowered into native resources, and the laws of that are checked.

use std::collections::{BTreeMap, BTreeSet};

use super::{Breach, Law, Report};
use crate::deployment::{Lowered, NativeResource, Placed, Target, Wire};
use crate::schema::{Presence, ProviderSchema};
use crate::{Native, Path};

pub(super) fn check(
    target: &dyn Target,
    schema: &ProviderSchema,
    placed: &Placed,
    report: &mut Report,
) -> Result<(), Breach> {
    let lower = || {
        target.lower(placed).map_err(|error| Breach {
            law: Law::Lowers,
            detail: error.to_string(),
        })
    };
    let lowered = lower()?;
    report.check(Law::Lowers, lower()? == lowered, || {
        "the second time gave something else".to_owned()
    })?;
    for resource in &lowered.resources {
        fits_schema(resource, schema, report)?;
    }
    is_closed(&lowered, schema, report)
}

fn fits_schema(
    resource: &NativeResource,
    schema: &ProviderSchema,
    report: &mut Report,
) -> Result<(), Breach> {
    let NativeResource {
        native,
        configuration,
        ..
    } = resource;
    let body = schema
        .resources
        .get(&*native.kind)
        .map(|schema| &schema.body);
    report.check(Law::LoweredFitsSchema, body.is_some(), || {
        format!("{native} has no schema")
    })?;
    let Some(body) = body else { return Ok(()) };
    for (name, wire) in configuration {
        let attribute = body.attributes.get(name.as_str());
        let settable = attribute.is_some_and(super::Attribute::is_configurable)
            || body.blocks.contains_key(name);
        report.check(Law::LoweredFitsSchema, settable, || {
            format!("{native} sets {name}, which cannot be set")
        })?;
        if let (Wire::Value(value), Some(attribute)) = (wire, attribute) {
            let converted = attribute.ty.convert(value);
            report.check(Law::LoweredFitsSchema, converted.is_ok(), || {
                format!(
                    "{native}.{name} is {value}, but its type is {}",
                    attribute.ty
                )
            })?;
        }
    }
    let required = body
        .attributes
        .iter()
        .filter(|(_, attribute)| attribute.presence == Presence::Required);
    for (name, _) in required {
        report.check(
            Law::LoweredFitsSchema,
            configuration.contains_key(&**name),
            || format!("{native} does not set {name}, which is required"),
        )?;
    }
    Ok(())
}

/// What is referred to exists, and there is an order in which the resources can be made.
fn is_closed(
    lowered: &Lowered,
    schema: &ProviderSchema,
    report: &mut Report,
) -> Result<(), Breach> {
    let mut waiting: BTreeMap<&Native, BTreeSet<&Native>> = BTreeMap::new();
    for resource in &lowered.resources {
        let wires = resource.configuration.values().filter_map(source);
        let sources = wires.map(|(native, _)| native).chain(&resource.depends_on);
        let twice = waiting
            .insert(&resource.native, sources.collect())
            .is_some();
        report.check(Law::LoweredIsClosed, !twice, || {
            format!("there are two of {}", resource.native)
        })?;
    }
    let wires = lowered
        .resources
        .iter()
        .flat_map(|resource| resource.configuration.values());
    for (native, path) in wires.chain(&lowered.url).filter_map(source) {
        let body = schema
            .resources
            .get(&*native.kind)
            .map(|schema| &schema.body);
        let attribute = path.first_attribute().unwrap_or_default();
        let exists = waiting.contains_key(native)
            && body.is_some_and(|body| body.attributes.contains_key(attribute));
        report.check(Law::LoweredIsClosed, exists, || {
            format!("{native}.{path} is used, but does not exist")
        })?;
    }
    while let Some(ready) = waiting.iter().find(|(_, sources)| sources.is_empty()) {
        let ready = *ready.0;
        waiting.remove(ready);
        waiting.values_mut().for_each(|sources| {
            sources.remove(ready);
        });
    }
    report.check(Law::LoweredIsClosed, waiting.is_empty(), || {
        format!("these wait for one another, or for what does not exist: {waiting:?}")
    })
}

fn source(wire: &Wire) -> Option<(&Native, &Path)> {
    match wire {
        Wire::Value(_) => None,
        Wire::From(native, path) => Some((native, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::conformance::{Law, Report};
    use crate::deployment::{
        Envelope, Lowered, Model, NativeResource, Performance, Placed, Resources, Serve, Target,
        Wire, Zone,
    };
    use crate::schema::{Attribute, Body, ProviderSchema, Schema};
    use crate::{Error, Known, Native, Path, Type, Value};

    struct Fixed(Lowered);

    impl Target for Fixed {
        fn lower(&self, _: &Placed) -> Result<Lowered, Error> {
            Ok(self.0.clone())
        }

        fn replicas(&self, _: &std::collections::BTreeMap<Native, Known>) -> u32 {
            0
        }
    }

    fn placed() -> Placed {
        Placed {
            deployment: "d".into(),
            zone: Zone {
                name: "z".into(),
                region: None,
                settings: Value::NULL,
            },
            model: Model {
                name: "m".into(),
                version: "1".into(),
                artifact: None,
                digest: None,
                image: None,
                command: Vec::new(),
                environment: std::collections::BTreeMap::new(),
                serve: Serve {
                    port: 80,
                    protocol: "raw".into(),
                    health_path: "/".into(),
                },
                resources: Resources::default(),
                performance: Performance {
                    service_time: std::time::Duration::from_millis(1),
                    concurrency: 1,
                    startup: std::time::Duration::ZERO,
                },
            },
            replicas: 1,
            spot: 0,
            offer: None,
            envelope: Envelope::fixed(1),
            schedule: None,
        }
    }

    fn native(kind: &str) -> Native {
        Native {
            kind: kind.into(),
            key: None,
        }
    }

    fn resource(kind: &str, configuration: Vec<(&str, Wire)>, after: &[&str]) -> NativeResource {
        NativeResource {
            native: native(kind),
            configuration: configuration
                .into_iter()
                .map(|(name, wire)| (name.to_owned(), wire))
                .collect(),
            origins: [].into(),
            depends_on: after.iter().map(|kind| native(kind)).collect(),
        }
    }

    fn broken(resources: Vec<NativeResource>, url: Option<Wire>) -> Option<Law> {
        let body = Body::new()
            .attribute("size", Attribute::required(Type::Number, "Size."))
            .attribute("id", Attribute::computed(Type::String, "Id."));
        let thing = Schema {
            version: 1,
            body,
            doc: "A thing.".into(),
        };
        let schema = ProviderSchema {
            resources: [("a".to_owned(), thing.clone()), ("b".to_owned(), thing)].into(),
            ..ProviderSchema::default()
        };
        let target = Fixed(Lowered { resources, url });
        let result = check(&target, &schema, &placed(), &mut Report::default());
        result.err().map(|breach| breach.law)
    }

    #[test]
    fn each_law_of_lowering_can_be_broken() {
        let size = || ("size", Wire::Value(1_i64.into()));
        let from = |kind, path| Wire::From(native(kind), Path::attribute(path));
        let a = || resource("a", vec![size()], &[]);
        let schema = Some(Law::LoweredFitsSchema);
        let closed = Some(Law::LoweredIsClosed);
        let b = |wire| resource("b", vec![("size", wire)], &[]);
        assert_eq!(
            broken(vec![b(from("a", "id")), a()], Some(from("b", "id"))),
            None
        );
        assert_eq!(broken(vec![resource("c", vec![], &[])], None), schema);
        assert_eq!(broken(vec![resource("a", vec![], &[])], None), schema);
        assert_eq!(broken(vec![b(Wire::Value("x".into()))], None), schema);
        let set_id = ("id", Wire::Value("x".into()));
        assert_eq!(
            broken(vec![resource("a", vec![size(), set_id], &[])], None),
            schema
        );
        assert_eq!(broken(vec![a(), a()], None), closed);
        assert_eq!(broken(vec![b(from("a", "id"))], None), closed);
        assert_eq!(broken(vec![b(from("a", "none")), a()], None), closed);
        assert_eq!(broken(vec![a()], Some(from("b", "id"))), closed);
        let circle = vec![resource("a", vec![size()], &["b"]), b(from("a", "id"))];
        assert_eq!(broken(circle, None), closed);
    }
}
