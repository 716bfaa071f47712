//! A deployment in a zone as native resources: a model, a configuration, an endpoint, and what
//! scales it.

use std::collections::BTreeMap;

use isobar_sdk::address::Key;
use isobar_sdk::deployment::{
    Lowered, NativeResource, Noun, Origin, Placed, Scaling, Shift, Target, Wire, Zone,
};
use isobar_sdk::schema::{Attribute, Body};
use isobar_sdk::{Error, Known, Native, Number, Path, Type, Value};

use crate::attribute::{or_null, text};
use crate::offers::region;
use crate::provider::Aws;
use crate::scalable::of_variant;
use crate::scheduled_action::once;
use crate::{
    contract, endpoint, endpoint_configuration, model, name, scalable_target, scaling_policy,
    scheduled_action,
};

/// The variant that serves. Its name is the same for every version of a model, since what keeps
/// its name keeps its instances and what scales it when the endpoint is moved.
const VARIANT: &str = "main";
/// A container is given up after this many times the startup time that was measured.
const STARTUP_MARGIN: u64 = 2;
/// The share of what an instance can do that it is scaled for, so that new ones come in time.
const BUSY: f64 = 0.7;

/// What makes a model another one, though its attributes do not say it.
const UNSAID: [&str; 2] = ["digest", "endpoint"];

/// The attributes of a zone.
pub(crate) fn zone() -> Body {
    let text = |doc| Attribute::optional(Type::String, doc);
    let texts = |doc| Attribute::optional(Type::list(Type::String), doc);
    Body::new()
        .attribute("execution_role_arn", text("The role that reads images and files of models; needed for deployments."))
        .attribute("instance_type", text("The instance type of every replica in the zone. Otherwise the cheapest one of SageMaker that has what the model needs."))
        .attribute("subnets", texts("Subnets that containers run in, in two availability zones at least."))
        .attribute("security_group_ids", texts("Security groups of the containers."))
        .attribute("volume_size", Attribute::optional(Type::Number, "Gigabytes of the volume of each instance: 1 to 512. Some instance types have disks of their own and take none."))
        .attribute("data_capture", text("Where all requests and answers are kept, as `s3://BUCKET/PREFIX`; nowhere otherwise."))
        .attribute("answers_ping", Attribute::with_default(Type::Bool, false, "Whether images answer `GET /ping` and `POST /invocations`, which SageMaker asks, beside the routes that models declare."))
}

impl Target for Aws {
    fn lower(&self, placed: &Placed) -> Result<Lowered, Error> {
        let parts = Parts::of(placed)?;
        let mut resources = vec![parts.model(), parts.configuration(), parts.endpoint()];
        if parts.is_scaled() {
            resources.push(parts.target());
            resources.push(parts.policy());
            resources.extend(parts.actions());
        }
        Ok(Lowered {
            resources,
            url: Some(Wire::From(
                native(endpoint::TYPE, None),
                Path::attribute("url"),
            )),
        })
    }

    /// The instances that run, which the platform tells; those that it was told to run at least
    /// where it does not.
    fn replicas(&self, resources: &BTreeMap<Native, Known>) -> u32 {
        let of = |kind: &'static str| {
            resources
                .iter()
                .filter(move |(native, _)| &*native.kind == kind)
                .map(|(_, state)| state)
        };
        let sum = |counts: &Value| {
            let counts = counts.fields()?.values().filter_map(Value::as_number);
            u32::try_from(counts.filter_map(Number::as_u64).sum::<u64>()).ok()
        };
        let running = of(endpoint::TYPE).find_map(|state| sum(state.field("running")?));
        let least = || of(scalable_target::TYPE).find_map(scalable_target::least);
        running.or_else(least).unwrap_or_default()
    }

    fn instance(&self, resources: &BTreeMap<Native, Known>) -> Option<String> {
        let serving = resources
            .iter()
            .find(|(native, _)| &*native.kind == endpoint::TYPE);
        let serving = text(serving?.1.value(), "endpoint_config_name")?.to_owned();
        let configuration = resources.iter().find(|(native, state)| {
            &*native.kind == endpoint_configuration::TYPE
                && text(state.value(), "name") == Some(&serving)
        });
        let variants = configuration?.1.field("production_variants")?.items()?;
        text(variants.first()?, "instance_type").map(str::to_owned)
    }

    fn scaling(&self) -> Scaling {
        Scaling::Schedule
    }
}

/// A deployment in a zone with the names of what it becomes.
struct Parts<'p> {
    placed: &'p Placed,
    region: &'p str,
    endpoint: String,
    model: Named,
    configuration: Named,
}

/// What is made anew with each content: its name, its key among the native resources, and its
/// attributes.
struct Named {
    name: String,
    native: Native,
    content: Value,
}

impl Named {
    /// Named by its content: the name is that of the model and its version, the key that of the version.
    fn of(kind: &str, placed: &Placed, content: Value) -> Result<Self, Error> {
        let hash = name::hash_of([&content]).ok_or_else(|| {
            Error::unavailable(format!("the content of {} is not known", placed.model.name))
        })?;
        let version = &placed.model.version;
        let stem = format!("{}-{version}", placed.model.name);
        Ok(Self {
            name: name::with_hash(&stem, &hash, name::LONGEST),
            native: native(kind, Some(&format!("{version}-{hash}"))),
            content,
        })
    }
}

impl<'p> Parts<'p> {
    fn of(placed: &'p Placed) -> Result<Self, Error> {
        let zone = &placed.zone;
        let region = region(zone)?;
        let answers = zone.settings.field("answers_ping").and_then(Value::as_bool);
        contract::check(placed, answers == Some(true))?;
        let role = role(zone)?;
        let instance = contract::offer(placed)?.instance.as_str();
        contract::instance(instance, "instance_type")?;
        let place = format!("{}-{}", placed.deployment, zone.name);
        let endpoint = name::of_text(&place, name::LONGEST);
        let model = Named::of(model::TYPE, placed, model_content(placed, role, &endpoint))?;
        let variants = configuration_content(placed, &model.name, instance);
        let configuration = Named::of(endpoint_configuration::TYPE, placed, variants)?;
        Ok(Self {
            placed,
            region,
            endpoint,
            model,
            configuration,
        })
    }

    /// Whether the platform is left to choose the number of replicas, within bounds.
    fn is_scaled(&self) -> bool {
        self.placed.envelope.max > self.placed.envelope.min || self.placed.schedule.is_some()
    }

    fn model(&self) -> NativeResource {
        let values = self
            .model
            .content
            .fields()
            .into_iter()
            .flat_map(|fields| fields.iter());
        let values = values.filter(|(name, _)| !UNSAID.contains(&&***name));
        let mut configuration: BTreeMap<String, Wire> = values
            .map(|(name, value)| (name.to_string(), Wire::Value(value.clone())))
            .collect();
        configuration.extend(self.named(&self.model.name));
        NativeResource {
            native: self.model.native.clone(),
            configuration,
            origins: origins(&[
                ("image", Noun::Model, "image"),
                ("artifact", Noun::Model, "artifact"),
                ("environment", Noun::Model, "environment"),
                ("execution_role_arn", Noun::Zone, "execution_role_arn"),
                ("subnets", Noun::Zone, "subnets"),
                ("security_group_ids", Noun::Zone, "security_group_ids"),
                ("region", Noun::Zone, "region"),
            ]),
            depends_on: Vec::new(),
        }
    }

    fn configuration(&self) -> NativeResource {
        let variants = self.configuration.content.field("production_variants");
        let first = variants
            .and_then(Value::items)
            .and_then(|items| items.first());
        let variant = first.unwrap_or(&Value::NULL);
        let variant =
            variant.with_field("initial_instance_count", self.placed.replicas.max(1).into());
        let capture = self.configuration.content.field("data_capture").cloned();
        let mut configuration = self.named(&self.configuration.name);
        configuration.insert(
            "production_variants".into(),
            Wire::Value(Value::list(vec![variant])),
        );
        configuration.insert(
            "data_capture".into(),
            Wire::Value(capture.unwrap_or(Value::NULL)),
        );
        NativeResource {
            native: self.configuration.native.clone(),
            configuration,
            origins: origins(&[
                ("production_variants", Noun::Model, "resources"),
                ("data_capture", Noun::Zone, "data_capture"),
                ("region", Noun::Zone, "region"),
            ]),
            depends_on: vec![self.model.native.clone()],
        }
    }

    fn endpoint(&self) -> NativeResource {
        let serves = Wire::From(self.configuration.native.clone(), Path::attribute("name"));
        let mut configuration = self.named(&self.endpoint);
        configuration.insert("endpoint_config_name".into(), serves);
        if !self.is_scaled() {
            let counts = Value::map([(VARIANT, Value::from(self.placed.replicas))]);
            configuration.insert("instance_counts".into(), Wire::Value(counts));
        }
        NativeResource {
            native: native(endpoint::TYPE, None),
            configuration,
            origins: origins(&[
                ("endpoint_config_name", Noun::Model, "version"),
                ("instance_counts", Noun::Capacity, "replicas"),
                ("region", Noun::Zone, "region"),
            ]),
            depends_on: Vec::new(),
        }
    }

    fn target(&self) -> NativeResource {
        let envelope = self.placed.envelope;
        let mut configuration = self.variant();
        configuration.extend(wires([
            ("min_capacity", envelope.min.max(1).into()),
            ("max_capacity", envelope.max.max(1).into()),
            ("scheduled", self.placed.schedule.is_some().into()),
        ]));
        NativeResource {
            native: native(scalable_target::TYPE, None),
            configuration,
            origins: origins(&[
                ("min_capacity", Noun::Capacity, "replicas"),
                ("max_capacity", Noun::Capacity, "replicas"),
                ("region", Noun::Zone, "region"),
            ]),
            depends_on: vec![native(endpoint::TYPE, None)],
        }
    }

    /// An instance serves `concurrency` requests at a time, each for the service time, so that it
    /// can take `concurrency / service time` a second. It is scaled for a part of that.
    fn policy(&self) -> NativeResource {
        let measured = &self.placed.model.performance;
        let rate = f64::from(measured.concurrency) / measured.service_time.as_secs_f64().max(1e-6);
        let in_a_minute = (rate * 60.0 * BUSY).floor().max(1.0);
        let startup = i64::try_from(measured.startup.as_secs()).unwrap_or(i64::MAX);
        let mut configuration = self.variant();
        configuration.extend(wires([
            ("name", "isobar".into()),
            ("target_value", or_null(Number::from_f64(in_a_minute))),
            ("scale_out_cooldown", startup.max(60).into()),
            ("scale_in_cooldown", startup.max(300).into()),
        ]));
        NativeResource {
            native: native(scaling_policy::TYPE, None),
            configuration,
            origins: origins(&[
                ("target_value", Noun::Model, "performance"),
                ("scale_out_cooldown", Noun::Model, "performance"),
                ("scale_in_cooldown", Noun::Model, "performance"),
                ("region", Noun::Zone, "region"),
            ]),
            depends_on: vec![native(scalable_target::TYPE, None)],
        }
    }

    /// One for each shift, one behind the other, so that of those that have begun the last one
    /// holds.
    fn actions(&self) -> Vec<NativeResource> {
        let schedule = self.placed.schedule.as_ref();
        let shifts = schedule.map_or(&[][..], |schedule| &schedule.shifts);
        let key = |shift: &Shift| native(scheduled_action::TYPE, Some(&shift.start.to_string()));
        let before = shifts.iter().map(key);
        let before = std::iter::once(native(scalable_target::TYPE, None)).chain(before);
        let action = |(shift, before): (&Shift, Native)| {
            let mut configuration = self.variant();
            let envelope = shift.envelope;
            let begin = once(shift.start);
            let named = begin.trim_matches(|c| "at()".contains(c)).replace(':', "");
            configuration.extend(wires([
                ("name", format!("isobar-{named}").into()),
                ("schedule", begin.into()),
                ("min_capacity", envelope.min.max(1).into()),
                ("max_capacity", envelope.max.max(1).into()),
            ]));
            NativeResource {
                native: key(shift),
                configuration,
                origins: origins(&[
                    ("schedule", Noun::Capacity, "schedule"),
                    ("min_capacity", Noun::Capacity, "schedule"),
                    ("max_capacity", Noun::Capacity, "schedule"),
                    ("region", Noun::Zone, "region"),
                ]),
                depends_on: vec![before],
            }
        };
        shifts.iter().zip(before).map(action).collect()
    }

    fn named(&self, name: &str) -> BTreeMap<String, Wire> {
        wires([("name", name.into()), ("region", self.region.into())])
    }

    fn variant(&self) -> BTreeMap<String, Wire> {
        let variant = of_variant(&self.endpoint, VARIANT);
        wires([
            ("resource_id", variant.into()),
            ("region", self.region.into()),
        ])
    }
}

/// What a model is made of. Two deployments never share one, since each deletes its own.
fn model_content(placed: &Placed, role: &str, endpoint: &str) -> Value {
    let model = &placed.model;
    let environment = model.environment.iter();
    let environment = environment.map(|(name, value)| (name.as_str(), value.clone()));
    let environment = match model.environment.is_empty() {
        true => Value::NULL,
        false => Value::map(environment),
    };
    let setting = |name: &str| {
        placed
            .zone
            .settings
            .field(name)
            .cloned()
            .unwrap_or(Value::NULL)
    };
    Value::object([
        ("image", or_null(model.image.as_deref())),
        ("artifact", or_null(model.artifact.as_deref())),
        ("environment", environment),
        ("execution_role_arn", role.into()),
        ("subnets", setting("subnets")),
        ("security_group_ids", setting("security_group_ids")),
        ("digest", or_null(model.digest.as_deref())),
        ("endpoint", endpoint.into()),
    ])
}

fn configuration_content(placed: &Placed, model: &str, instance: &str) -> Value {
    let setting = |name: &str| {
        placed
            .zone
            .settings
            .field(name)
            .cloned()
            .unwrap_or(Value::NULL)
    };
    let startup = placed
        .model
        .performance
        .startup
        .as_secs()
        .saturating_mul(STARTUP_MARGIN);
    let startup = startup.clamp(*contract::STARTUP.start(), *contract::STARTUP.end());
    let variant = Value::object([
        ("variant_name", VARIANT.into()),
        ("model_name", model.into()),
        ("instance_type", instance.into()),
        ("initial_weight", Value::from(1_i64)),
        ("volume_size", setting("volume_size")),
        ("startup_timeout", startup.into()),
        ("download_timeout", Value::NULL),
    ]);
    let capture = setting("data_capture");
    let capture = match capture.is_null() {
        true => Value::NULL,
        false => Value::object([
            ("destination", capture),
            ("sampling_percentage", Value::from(100_i64)),
            ("modes", Value::list(vec!["Input".into(), "Output".into()])),
        ]),
    };
    Value::object([
        ("production_variants", Value::list(vec![variant])),
        ("data_capture", capture),
    ])
}

fn role(zone: &Zone) -> Result<&str, Error> {
    let role = zone
        .settings
        .field("execution_role_arn")
        .and_then(Value::as_str);
    let role = role.ok_or_else(|| {
        let message = format!(
            "SageMaker in zone {} needs a role that reads images and files",
            zone.name
        );
        Error::invalid(Path::attribute("execution_role_arn"), message)
            .help("set execution_role_arn in the zone")
    })?;
    contract::role(role, "execution_role_arn")?;
    Ok(role)
}

fn native(kind: &str, key: Option<&str>) -> Native {
    Native {
        kind: kind.into(),
        key: key.map(|key| Key::Text(key.into())),
    }
}

fn origins(of: &[(&str, Noun, &str)]) -> BTreeMap<String, Origin> {
    let origins = of.iter().map(|(name, noun, attribute)| {
        let origin = Origin {
            noun: *noun,
            attribute: Path::attribute(attribute),
        };
        ((*name).to_owned(), origin)
    });
    origins.collect()
}

fn wires<const N: usize>(values: [(&str, Value); N]) -> BTreeMap<String, Wire> {
    values
        .map(|(name, value)| (name.to_owned(), Wire::Value(value)))
        .into()
}
