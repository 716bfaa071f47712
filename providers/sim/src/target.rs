//! A deployment in a zone becomes one endpoint and the router in front of it.

use std::collections::BTreeMap;

use isobar_sdk::address::Key;
use isobar_sdk::deployment::{
    Lowered, Model, NativeResource, Noun, Origin, Placed, Scaling, Schedule, Target, Wire,
};
use isobar_sdk::{Error, Known, Native, Number, Path, Value};

use crate::provider::{Sim, region};
use crate::{endpoint, router, schedule};

impl Target for Sim {
    fn lower(&self, placed: &Placed) -> Result<Lowered, Error> {
        let zone = region(&placed.zone)?;
        self.cloud.inventory()?.zone(zone, "region")?;
        let endpoint = lower_endpoint(zone, placed)?;
        let router = lower_router(zone, placed, &endpoint.native);
        let url = Wire::From(router.native.clone(), Path::attribute("url"));
        let schedule = placed.schedule.as_ref();
        let schedule =
            schedule.map(|schedule| lower_schedule(zone, placed, (schedule, &endpoint.native)));
        Ok(Lowered {
            resources: [endpoint, router].into_iter().chain(schedule).collect(),
            url: Some(url),
        })
    }

    /// The replicas that answer requests.
    fn replicas(&self, resources: &BTreeMap<Native, Known>) -> u32 {
        let ready = resources.iter().filter_map(|(native, state)| {
            let ready = state.field("ready_replicas")?.as_number();
            let ready = ready.and_then(Number::as_u64)?;
            (&*native.kind == endpoint::TYPE).then_some(u32::try_from(ready).ok()?)
        });
        ready.fold(0, u32::saturating_add)
    }

    fn instance(&self, resources: &BTreeMap<Native, Known>) -> Option<String> {
        let of_endpoint = |(native, _): &(&Native, &Known)| &*native.kind == endpoint::TYPE;
        let mut endpoints = resources.iter().filter(of_endpoint);
        let instance = endpoints.next_back()?.1.field("instance_type")?;
        instance.as_str().map(str::to_owned)
    }

    fn spot(&self, resources: &BTreeMap<Native, Known>) -> Option<u32> {
        let on_spot = resources.values().filter_map(|state| {
            let spot = state.field("spot_replicas")?.as_number();
            u32::try_from(spot.and_then(Number::as_u64)?).ok()
        });
        Some(on_spot.fold(0, u32::saturating_add))
    }

    fn scaling(&self) -> Scaling {
        Scaling::Schedule
    }
}

fn lower_endpoint(zone: &str, placed: &Placed) -> Result<NativeResource, Error> {
    let Placed {
        model, replicas, ..
    } = placed;
    let (instance_type, reason) = instance_type(placed)?;
    let text = |text: Option<String>| text.map_or(Value::NULL, Value::from);
    let values = [
        ("name", placed.deployment.as_str().into()),
        ("zone", zone.into()),
        ("version", model.version.as_str().into()),
        ("instance_type", instance_type.into()),
        ("artifact", text(artifact(model))),
        ("image", text(model.image.clone())),
        ("replicas", (*replicas).into()),
        (
            "spot_replicas",
            Some(placed.spot)
                .filter(|spot| *spot > 0)
                .map_or(Value::NULL, Value::from),
        ),
    ];
    let origins = [
        ("zone", origin(Noun::Zone, "region")),
        ("version", origin(Noun::Model, "version")),
        ("instance_type", reason),
        ("artifact", origin(Noun::Model, "artifact")),
        ("image", origin(Noun::Model, "image")),
        ("replicas", origin(Noun::Capacity, "replicas")),
        ("spot_replicas", origin(Noun::Capacity, "replicas")),
    ];
    Ok(NativeResource {
        native: Native {
            kind: endpoint::TYPE.into(),
            key: Some(Key::Text(model.version.as_str().into())),
        },
        configuration: wires(values),
        origins: named(origins),
        depends_on: Vec::new(),
    })
}

fn lower_router(zone: &str, placed: &Placed, endpoint: &Native) -> NativeResource {
    let all = Value::map([(placed.model.version.as_str(), Value::from(100_i64))]);
    let values = [
        ("name", placed.deployment.as_str().into()),
        ("zone", zone.into()),
        ("routes", all),
    ];
    let origins = [
        ("zone", origin(Noun::Zone, "region")),
        ("routes", origin(Noun::Model, "version")),
    ];
    NativeResource {
        native: Native {
            kind: router::TYPE.into(),
            key: None,
        },
        configuration: wires(values),
        origins: named(origins),
        depends_on: vec![endpoint.clone()],
    }
}

fn lower_schedule(
    zone: &str,
    placed: &Placed,
    (schedule, endpoint): (&Schedule, &Native),
) -> NativeResource {
    let (shifts, until) = schedule::values(schedule);
    let version = placed.model.version.as_str();
    let values = [
        ("name", placed.deployment.as_str().into()),
        ("zone", zone.into()),
        ("version", version.into()),
        ("shifts", shifts),
        ("until", until),
    ];
    let origins = [
        ("zone", origin(Noun::Zone, "region")),
        ("version", origin(Noun::Model, "version")),
        ("shifts", origin(Noun::Capacity, "schedule")),
        ("until", origin(Noun::Capacity, "schedule")),
    ];
    NativeResource {
        native: Native {
            kind: schedule::TYPE.into(),
            key: Some(Key::Text(version.into())),
        },
        configuration: wires(values),
        origins: named(origins),
        depends_on: vec![endpoint.clone()],
    }
}

/// What each replica runs on, and which attribute says so.
fn instance_type(placed: &Placed) -> Result<(&str, Origin), Error> {
    let chosen = placed.zone.settings.field("instance_type");
    let origin = match chosen.is_some_and(|chosen| !chosen.is_null()) {
        true => origin(Noun::Zone, "instance_type"),
        false => origin(Noun::Model, "resources"),
    };
    let offer = placed.offer.as_ref().ok_or_else(|| {
        let message = format!(
            "no instance type in {} has what a replica of {} needs",
            placed.zone.name, placed.model.name
        );
        Error::invalid(Path::attribute("resources"), message)
            .help("ask for less, or leave the zone out")
    })?;
    Ok((&offer.instance, origin))
}

/// The artifact, pinned by its digest where one is known, so that new content is a change.
fn artifact(model: &Model) -> Option<String> {
    let artifact = model.artifact.as_ref()?;
    let pinned = |digest| format!("{artifact}@{digest}");
    Some(
        model
            .digest
            .as_ref()
            .map_or_else(|| artifact.clone(), pinned),
    )
}

fn origin(noun: Noun, attribute: &str) -> Origin {
    Origin {
        noun,
        attribute: Path::attribute(attribute),
    }
}

fn wires<const N: usize>(values: [(&str, Value); N]) -> BTreeMap<String, Wire> {
    named(values.map(|(name, value)| (name, Wire::Value(value))))
}

fn named<T, const N: usize>(items: [(&str, T); N]) -> BTreeMap<String, T> {
    items.map(|(name, item)| (name.to_owned(), item)).into()
}
