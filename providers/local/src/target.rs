//! A deployment in one zone as local resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::deployment::{
    Lowered, Model, NativeResource, Noun, Origin, Placed, Target, Wire, Zone,
};
use isobar_sdk::diagnostic::closest;
use isobar_sdk::{Error, Key, Known, Native, Number, Path, Step, Value};

use crate::gateway::Protocol;
use crate::replica_set;
use crate::runtime::Runtime;
use crate::schema::{GATEWAY, REPLICA_SET, STARTUP};

/// A replica is given up after this many times the startup time that was measured.
const STARTUP_MARGIN: u64 = 2;
/// All requests go to the only version.
const WHOLE: i64 = 100;

impl Target for Runtime {
    /// One replica set per version and one gateway in front of it.
    fn lower(&self, placed: &Placed) -> Result<Lowered, Error> {
        check(self, &placed.model)?;
        let set = Native {
            kind: REPLICA_SET.into(),
            key: Some(Key::Text(placed.model.version.as_str().into())),
        };
        let gateway = Native {
            kind: GATEWAY.into(),
            key: None,
        };
        let url = Wire::From(gateway.clone(), Path::attribute("url"));
        Ok(Lowered {
            resources: vec![
                replica_set(placed, set.clone()),
                gateway_of(placed, gateway, set),
            ],
            url: Some(url),
        })
    }

    fn replicas(&self, resources: &BTreeMap<Native, Known>) -> u32 {
        let sets = resources
            .iter()
            .filter(|(native, _)| &*native.kind == REPLICA_SET);
        let counts = sets.filter_map(|(_, set)| set.field("replicas")?.as_number()?.as_u64());
        u32::try_from(counts.sum::<u64>()).unwrap_or(u32::MAX)
    }
}

fn check(runtime: &Runtime, model: &Model) -> Result<(), Error> {
    match &model.artifact {
        Some(artifact) => replica_set::check_artifact(runtime, artifact)?,
        None if model.command.is_empty() => return Err(replica_set::nothing_to_run()),
        None => {}
    }
    let protocol = &model.serve.protocol;
    if Protocol::parse(protocol).is_none() {
        let path = Path::attribute("serve").then(Step::Attribute("protocol".into()));
        let error = Error::invalid(path, format!("{protocol:?} is not a protocol"));
        let known = Protocol::NAMES;
        return Err(error.help(closest(protocol, known).map_or_else(
            || format!("write one of {}", known.join(", ")),
            |near| format!("did you mean {near:?}?"),
        )));
    }
    Ok(())
}

fn replica_set(placed: &Placed, native: Native) -> NativeResource {
    let Placed { model, .. } = placed;
    let command = model.command.iter().map(|word| Value::from(word.as_str()));
    let environment = model.environment.iter();
    let environment = environment.map(|(name, value)| (name.as_str(), value.clone()));
    let measured = model
        .performance
        .startup
        .as_secs()
        .saturating_mul(STARTUP_MARGIN);
    let startup = i64::try_from(measured).unwrap_or(STARTUP).max(STARTUP);
    let attributes = [
        ("version", Some(Value::from(model.version.as_str()))),
        ("artifact", model.artifact.as_deref().map(Value::from)),
        ("digest", model.digest.as_deref().map(Value::from)),
        (
            "command",
            (!model.command.is_empty()).then(|| Value::list(command.collect())),
        ),
        (
            "environment",
            (!model.environment.is_empty()).then(|| Value::map(environment)),
        ),
        (
            "health_path",
            Some(Value::from(model.serve.health_path.as_str())),
        ),
        ("startup", Some(Value::from(startup))),
        ("replicas", Some(Value::from(placed.replicas))),
    ];
    NativeResource {
        native,
        configuration: wires(placed, attributes),
        origins: origins(&[
            ("version", Noun::Model, &["version"]),
            ("artifact", Noun::Model, &["artifact"]),
            ("digest", Noun::Model, &["artifact"]),
            ("command", Noun::Model, &["command"]),
            ("environment", Noun::Model, &["environment"]),
            ("health_path", Noun::Model, &["serve", "health_path"]),
            ("startup", Noun::Model, &["performance", "startup"]),
            ("replicas", Noun::Capacity, &["replicas"]),
            ("zone", Noun::Zone, &[]),
        ]),
        depends_on: Vec::new(),
    }
}

fn gateway_of(placed: &Placed, native: Native, set: Native) -> NativeResource {
    let Placed { model, .. } = placed;
    let weight = Value::Number(Number::from(WHOLE));
    let attributes = [
        ("port", port(&placed.zone)),
        ("protocol", Some(Value::from(model.serve.protocol.as_str()))),
        (
            "routes",
            Some(Value::map([(model.version.as_str(), weight)])),
        ),
    ];
    NativeResource {
        native,
        configuration: wires(placed, attributes),
        origins: origins(&[
            ("port", Noun::Zone, &["port"]),
            ("protocol", Noun::Model, &["serve", "protocol"]),
            ("routes", Noun::Model, &["version"]),
            ("zone", Noun::Zone, &[]),
        ]),
        depends_on: vec![set],
    }
}

fn port(zone: &Zone) -> Option<Value> {
    let port = zone.settings.field("port")?;
    (!port.is_null()).then(|| port.clone())
}

/// The attributes that are set, with the two that every local resource has.
fn wires<const N: usize>(
    placed: &Placed,
    attributes: [(&str, Option<Value>); N],
) -> BTreeMap<String, Wire> {
    let common = [
        ("name", Some(Value::from(placed.deployment.as_str()))),
        ("zone", Some(Value::from(placed.zone.name.as_str()))),
    ];
    let set = common.into_iter().chain(attributes);
    set.filter_map(|(name, value)| Some((name.to_owned(), Wire::Value(value?))))
        .collect()
}

fn origins(table: &[(&str, Noun, &[&str])]) -> BTreeMap<String, Origin> {
    let entry = |(name, noun, path): &(&str, Noun, &[&str])| {
        let steps = path.iter().map(|step| Step::Attribute(Arc::from(*step)));
        let origin = Origin {
            noun: *noun,
            attribute: steps.collect(),
        };
        ((*name).to_owned(), origin)
    };
    table.iter().map(entry).collect()
}
