//! The five nouns of the language, as schemas.

use std::collections::BTreeMap;

use isobar_sdk::Type;
use isobar_sdk::schema::{Attribute, Body, Nesting};
use isobar_sdk::types::Field;
use isobar_sdk::{Number, Value};
use isobar_sources::{Kind, Shape};

/// The kinds of blocks that say what runs where, in the order in which they are explained.
pub const NOUNS: [&str; 5] = ["zone", "model", "forecast", "capacity", "deployment"];

/// The schema of a noun; `None` for other kinds.
///
/// What a zone's provider adds to `zone` is not in here.
#[must_use]
pub fn schema(kind: &str) -> Option<Body> {
    match kind {
        "zone" => Some(zone()),
        "model" => Some(model()),
        "forecast" => Some(forecast()),
        "capacity" => Some(capacity()),
        "deployment" => Some(deployment()),
        _ => None,
    }
}

fn zone() -> Body {
    Body::new()
        .attribute(
            "region",
            Attribute::optional(Type::String, "The region in the provider's own words."),
        )
        .attribute(
            "limits",
            Attribute::optional(
                Type::map(Type::Number),
                "The greatest number of replicas by instance type; `replica` limits those of a platform without instance types.",
            ),
        )
        .attribute(
            "price",
            Attribute::optional(
                Type::Number,
                "Price of one replica in US dollars per hour, where it differs from what the provider tells.",
            ),
        )
        .attribute(
            "jurisdiction",
            Attribute::optional(
                Type::String,
                "Whose law holds there, such as \"EU\", for the `residency` of a capacity; where it differs from the catalogue.",
            ),
        )
        .attribute(
            "latency",
            Attribute::optional(
                Type::map(Type::String),
                "The time there and back by origin of requests: `{ europe = \"12ms\", us = \"90ms\" }`.",
            ),
        )
        .attribute(
            "egress_price",
            Attribute::optional(
                Type::Number,
                "US dollars for a gigabyte that leaves it; 0 by default.",
            ),
        )
        .attribute(
            "preemption_rate",
            Attribute::optional(
                Type::Number,
                "How often a spot instance is taken away there, per hour; 0 by default.",
            ),
        )
        .attribute(
            "down",
            Attribute::with_default(
                Type::Bool,
                false,
                "Whether to plan without it, as if its provider said that it is down: what runs there is left as it is.",
            ),
        )
        .attribute(
            "carbon_intensity",
            Attribute::optional(
                Type::Number,
                "Grams of CO2 equivalent for one kWh of its grid, where they differ from the catalogue.",
            ),
        )
        .attribute(
            "pue",
            Attribute::optional(
                Type::Number,
                "Power of its data centre for each watt of its machines, where it differs from the catalogue; 1 at least.",
            ),
        )
        .labelled(
            "offer",
            (Nesting::List, "instance"),
            offer(),
            "What an instance type costs and has there, where it differs from what the provider or the catalogue tells.",
        )
}

fn offer() -> Body {
    Body::new()
        .attribute(
            "price",
            Attribute::optional(Type::Number, "US dollars for an hour on demand."),
        )
        .attribute(
            "spot_price",
            Attribute::optional(
                Type::Number,
                "US dollars for an hour that the platform may end.",
            ),
        )
        .attribute(
            "limit",
            Attribute::optional(Type::Number, "The greatest number of them."),
        )
        .attribute(
            "cpu",
            Attribute::optional(Type::Number, "Virtual processors."),
        )
        .attribute(
            "memory",
            Attribute::optional(Type::String, "Memory, such as \"16GiB\"."),
        )
        .attribute("gpu", accelerators())
        .attribute(
            "watts",
            Attribute::optional(Type::Number, "Mean electric power under load."),
        )
}

fn model() -> Body {
    Body::new()
        .attribute("version", Attribute::required(Type::String, "The version to run."))
        .attribute(
            "artifact",
            Attribute::optional(Type::String, "The files of the model: a path or a URL with a scheme."),
        )
        .attribute("image", Attribute::optional(Type::String, "The container image, pinned by digest."))
        .attribute(
            "command",
            Attribute::optional(
                Type::list(Type::String),
                "The program that serves the model and its arguments; `{port}` stands for its port.",
            ),
        )
        .attribute(
            "environment",
            Attribute::optional(Type::map(Type::String), "Environment variables of the server."),
        )
        .block("serve", Nesting::Optional, serve(), "How the model is served.")
        .block("resources", Nesting::Optional, resources(), "What one replica needs.")
        .block(
            "performance",
            Nesting::Optional,
            performance(),
            "What one replica was measured to do; needed to derive replica counts from demand.",
        )
}

fn serve() -> Body {
    Body::new()
        .attribute(
            "port",
            Attribute::with_default(Type::Number, 8080_i64, "Port inside the container."),
        )
        .attribute(
            "protocol",
            Attribute::with_default(Type::String, "oip-v2", "`raw`, `v1`, `oip-v2` or `openai`."),
        )
        .attribute(
            "health_path",
            Attribute::with_default(
                Type::String,
                "/v2/health/ready",
                "The path that answers 200 when a replica can take requests.",
            ),
        )
}

fn resources() -> Body {
    Body::new()
        .attribute(
            "cpu",
            Attribute::optional(Type::Number, "Virtual processors."),
        )
        .attribute(
            "memory",
            Attribute::optional(Type::String, "Memory, such as \"16GiB\"."),
        )
        .attribute("gpu", accelerators())
        .attribute(
            "architecture",
            Attribute::with_default(
                Type::String,
                "amd64",
                "What the program is built for: `amd64` or `arm64`.",
            ),
        )
}

fn accelerators() -> Attribute {
    let field = |ty, default| Field { ty, default };
    let fields = [
        ("type".into(), field(Type::String, None)),
        ("count".into(), field(Type::Number, Some(1_i64.into()))),
    ];
    Attribute::optional(
        Type::Object(fields.into()),
        "Accelerators: `{ type = \"a10g\", count = 1 }`.",
    )
}

fn performance() -> Body {
    Body::new()
        .attribute(
            "service_time",
            Attribute::required(Type::String, "Mean time a request is in service, such as \"80ms\"."),
        )
        .attribute(
            "concurrency",
            Attribute::with_default(Type::Number, 1_i64, "Requests one replica serves at the same time."),
        )
        .attribute(
            "variability",
            Attribute::with_default(
                Type::Number,
                1_i64,
                "Squared coefficient of variation of the service time: 0 is constant, 1 exponential.",
            ),
        )
        .attribute(
            "response",
            Attribute::optional(
                Type::String,
                "Size of an answer, such as \"20KiB\", for the price of what leaves a zone.",
            ),
        )
        .attribute(
            "startup",
            Attribute::with_default(
                Type::String,
                "180s",
                "From the order of a replica to its first answer.",
            ),
        )
}

fn forecast() -> Body {
    let kinds = Kind::all().iter();
    let kinds = kinds.map(|kind| (kind.name, (source(kind), kind.about)));
    Body::new()
        .kinds(
            "source",
            (Nesting::Required, "type"),
            kinds.collect(),
            "Where the telemetry comes from.",
        )
        .attribute(
            "step",
            Attribute::optional(
                Type::String,
                "Time between two points; by default that of the telemetry, or 5m where a server is asked.",
            ),
        )
        .attribute(
            "history",
            Attribute::optional(
                Type::String,
                "How much of the telemetry is used; by default all of a file, or four weeks where a server is asked.",
            ),
        )
        .attribute(
            "horizon",
            Attribute::with_default(Type::String, "24h", "How far ahead is forecast."),
        )
        .attribute(
            "valid_for",
            Attribute::with_default(
                Type::String,
                "6h",
                "How long a saved plan may rest on this forecast before it must be made anew.",
            ),
        )
        .attribute(
            "on_error",
            Attribute::with_default(
                Type::String,
                "stop",
                "`last_good`: where the source fails, a plan goes on with what it told last, and says so; or `stop`.",
            ),
        )
        .attribute(
            "methods",
            Attribute::optional(
                Type::list(Type::String),
                "The methods that compete, where not all of the usual ones shall; `lstm` takes seconds and only competes where it is named.",
            ),
        )
        .block(
            "calendar",
            Nesting::Optional,
            calendar(),
            "What is known of the times to come.",
        )
}

fn calendar() -> Body {
    let event = Body::new()
        .attribute(
            "at",
            Attribute::required(
                Type::String,
                "When it begins for the first time, such as \"2026-12-24T18:00:00Z\".",
            ),
        )
        .attribute(
            "lasts",
            Attribute::required(Type::String, "How long it lasts."),
        )
        .attribute(
            "every",
            Attribute::optional(
                Type::String,
                "How often it comes again, as the retraining of a model does.",
            ),
        );
    Body::new()
        .attribute(
            "timezone",
            Attribute::optional(
                Type::String,
                "Where days and weeks begin, such as \"Europe/Berlin\", so that hours stay those of people when clocks change; UTC by default.",
            ),
        )
        .attribute(
            "holidays",
            Attribute::optional(
                Type::list(Type::String),
                "Days such as \"2026-12-24\", and countries such as \"DE\" for their public holidays.",
            ),
        )
        .labelled(
            "event",
            (Nesting::List, "name"),
            event,
            "A known cause of demand: a launch, a deployment, a retraining.",
        )
}

/// What a source of this kind can be told.
fn source(kind: &Kind) -> Body {
    let common = Body::new()
        .attribute(
            "per",
            Attribute::optional(
                Type::String,
                "The values count requests per this duration; without it they are requests per second, or what was counted in one step where the source counts.",
            ),
        )
        .attribute(
            "counter",
            Attribute::with_default(
                Type::Bool,
                false,
                "Whether the values are those of a counter that only grows: then rates are made of them, also where it begins anew.",
            ),
        );
    kind.settings.iter().fold(common, |body, setting| {
        let ty = match setting.shape {
            Shape::Text => Type::String,
            Shape::Flag => Type::Bool,
            Shape::Texts => Type::map(Type::String),
            Shape::Any => Type::Any,
        };
        let attribute = match setting.required {
            true => Attribute::required(ty, setting.about),
            false => Attribute::optional(ty, setting.about),
        };
        let attribute = match setting.secret {
            true => attribute.sensitive(),
            false => attribute,
        };
        body.attribute(setting.name, attribute)
    })
}

fn capacity() -> Body {
    let slo = Body::new()
        .attribute(
            "latency",
            Attribute::required(Type::String, "The bound, such as \"300ms\"."),
        )
        .attribute(
            "violations",
            Attribute::with_default(
                Type::Number,
                fraction(0.01),
                "Share of requests that may be slower.",
            ),
        );
    let sized = Body::new()
        .block("slo", Nesting::Optional, slo, "How fast requests must be answered.")
        .attribute(
            "quantile",
            Attribute::with_default(
                Type::Number,
                fraction(0.95),
                "The quantile of the demand that must be met.",
            ),
        )
        .attribute(
            "utilization",
            Attribute::optional(
                Type::Number,
                "The greatest share of busy time of a replica, where no `slo` is given; 0.7 by default.",
            ),
        )
        .attribute(
            "failover_quantile",
            Attribute::optional(
                Type::Number,
                "The quantile of the demand that must still be met in an outage; that of `quantile` by default. Outages and tails of the demand rarely meet, so 0.9 is often enough.",
            ),
        );
    let resource = "Something else than requests that replicas are sized for, by a forecast of its own: a deployment gets the most that requests or any resource ask for.";
    let sized = sized.kinds(
        "resource",
        (Nesting::List, "type"),
        resources_by_kind(),
        resource,
    );
    rules(sized)
}

/// What can be said of a need of memory, processors or accelerators.
fn resources_by_kind() -> BTreeMap<&'static str, (Body, &'static str)> {
    let kinds = [
        ("memory", "Bytes.", "16GiB"),
        ("cpu", "Busy processors.", "4"),
        ("gpu", "Busy accelerators.", "1"),
    ];
    let body = |example: &str| {
        Body::new()
            .attribute(
                "forecast",
                Attribute::required(
                    Type::Any,
                    "What all replicas together take of it: `forecast.name`.",
                ),
            )
            .attribute(
                "unit",
                Attribute::optional(
                    Type::String,
                    "What one of the forecast's values is, such as \"GiB\", or \"m\" or \"%\" of a processor or accelerator; bytes or whole ones by default.",
                ),
            )
            .attribute(
                "per_replica",
                Attribute::optional(
                    Type::String,
                    &format!("What one replica has for requests, such as \"{example}\"; what its model is said to need, or else its instance has, by default."),
                ),
            )
            .attribute(
                "utilization",
                Attribute::with_default(
                    Type::Number,
                    fraction(0.7),
                    "The greatest share of it that is used.",
                ),
            )
    };
    let kinds = kinds.map(|(name, about, example)| (name, (body(example), about)));
    kinds.into_iter().collect()
}

/// What must hold of a placement, beside how it is sized.
fn rules(sized: Body) -> Body {
    sized
        .attribute(
            "survive",
            Attribute::with_default(
                Type::String,
                "nothing",
                "`zone`, `region` or `provider`: with any one of them gone the others still meet the demand, without spot instances; or `nothing`.",
            ),
        )
        .attribute(
            "residency",
            Attribute::optional(
                Type::list(Type::String),
                "The jurisdictions that it may run in, such as `[\"EU\", \"US\"]`; all by default.",
            ),
        )
        .attribute(
            "min_zones",
            Attribute::optional(Type::Number, "The least number of zones that run replicas."),
        )
        .attribute(
            "max_moves",
            Attribute::optional(
                Type::Number,
                "The greatest number of replicas that one apply starts, unless the demand is not met with so few.",
            ),
        )
        .attribute(
            "dead_band",
            Attribute::with_default(
                Type::Number,
                fraction(0.04),
                "How still what runs is kept: as long as it holds, it is only changed where even this part more demand could be met for less.",
            ),
        )
        .block(
            "spot",
            Nesting::Optional,
            spot(),
            "That replicas may run on spot instances, which count for nothing in an outage.",
        )
        .block(
            "objective",
            Nesting::Optional,
            objective(),
            "What counts beside the price of instances.",
        )
        .attribute(
            "min_replicas",
            Attribute::with_default(Type::Number, 1_i64, "The least number of replicas in each zone."),
        )
        .attribute(
            "max_replicas",
            Attribute::optional(Type::Number, "The greatest number of replicas in each zone."),
        )
        .attribute(
            "max_zone_share",
            Attribute::optional(Type::Number, "The greatest share of all replicas in one zone."),
        )
}

fn spot() -> Body {
    Body::new().attribute(
        "max_share",
        Attribute::with_default(
            Type::Number,
            1_i64,
            "The greatest share of replicas on spot instances.",
        ),
    )
}

fn objective() -> Body {
    Body::new()
        .attribute(
            "carbon_price",
            Attribute::with_default(Type::Number, 0_i64, "US dollars for a tonne of CO2 equivalent."),
        )
        .attribute(
            "latency_price",
            Attribute::with_default(
                Type::Number,
                0_i64,
                "US dollars for an hour that requests spend on their way between origin and zone.",
            ),
        )
        .attribute(
            "violation_price",
            Attribute::with_default(
                Type::Number,
                0_i64,
                "US dollars for a request that is not served in time because a spot instance was taken away.",
            ),
        )
}

fn fraction(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::NULL, Value::Number)
}

fn deployment() -> Body {
    Body::new()
        .attribute(
            "model",
            Attribute::required(Type::Any, "The model: `model.name`."),
        )
        .attribute(
            "zones",
            Attribute::required(Type::Any, "The zones: `[zone.a, zone.b]`."),
        )
        .attribute(
            "demand",
            Attribute::optional(
                Type::Any,
                "A forecast, `forecast.name`, or requests per second.",
            ),
        )
        .attribute(
            "capacity",
            Attribute::optional(Type::Any, "How to size for the demand: `capacity.name`."),
        )
        .attribute(
            "origins",
            Attribute::optional(
                Type::map(Type::Number),
                "Which share of the requests comes from where: `{ europe = 0.6, us = 0.4 }`, by the names that the `latency` of zones goes by.",
            ),
        )
        .attribute(
            "replicas",
            Attribute::optional(
                Type::map(Type::Number),
                "Replica counts by zone name, fixed by hand; instead of `demand`.",
            ),
        )
}

#[cfg(test)]
mod tests {
    use super::{NOUNS, schema};

    #[test]
    fn every_noun_has_a_schema_and_every_attribute_a_doc() {
        for noun in NOUNS {
            let body = schema(noun).unwrap();
            assert!(
                body.attributes
                    .values()
                    .all(|attribute| attribute.doc.ends_with('.')),
                "{noun}"
            );
            assert!(
                body.blocks.values().all(|block| block.doc.ends_with('.')),
                "{noun}"
            );
        }
        assert!(schema("zones").is_none());
    }
}
