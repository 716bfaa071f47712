//! What a configuration may say about local resources.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::schema::{Attribute, Body, ProviderSchema, Schema};
use isobar_sdk::types::Field;
use isobar_sdk::{Type, Value};

/// The type of a set of replicas.
pub(crate) const REPLICA_SET: &str = "local_replica_set";
/// The type of a gateway.
pub(crate) const GATEWAY: &str = "local_gateway";
/// Seconds that a replica may take to become ready where nothing else is said.
pub(crate) const STARTUP: i64 = 60;
/// The health path of the Open Inference Protocol.
const HEALTH_PATH: &str = "/v2/health/ready";

/// All that the provider offers.
pub(crate) fn provider() -> ProviderSchema {
    let host = Attribute::with_default(
        Type::String,
        "127.0.0.1",
        "The IP address that gateways listen on. Replicas always listen on the loopback address.",
    );
    let port = Attribute::optional(
        Type::Number,
        "Port of the gateway in this zone; leave it out to let the system choose.",
    );
    ProviderSchema {
        configuration: Body::new().attribute("host", host),
        zone: Body::new().attribute("port", port),
        resources: BTreeMap::from([
            (REPLICA_SET.to_owned(), replica_set()),
            (GATEWAY.to_owned(), gateway()),
        ]),
        data_sources: BTreeMap::new(),
    }
}

fn replica_set() -> Schema {
    let body = Body::new()
        .attribute("name", text("What is served; the name of the deployment.").replaces())
        .attribute("zone", text("The zone it runs in.").replaces())
        .attribute("version", text("The version of the model.").replaces())
        .attribute(
            "artifact",
            Attribute::optional(
                Type::String,
                "The model file, absolute or relative to the configuration. Required unless `command` is set.",
            )
            .replaces(),
        )
        .attribute(
            "digest",
            Attribute::optional(Type::String, "Digest of the artifact as `sha256:…`.").replaces(),
        )
        .attribute(
            "command",
            Attribute::optional(
                Type::list(Type::String),
                "Program and arguments of each replica; `{port}` stands for its port, which is in the environment variable PORT too. Without it the built-in model server runs.",
            )
            .replaces(),
        )
        .attribute(
            "environment",
            Attribute::optional(
                Type::map(Type::String),
                "Environment variables that are added to those of the command that starts a replica.",
            )
            .replaces(),
        )
        .attribute(
            "health_path",
            Attribute::with_default(
                Type::String,
                HEALTH_PATH,
                "The path that answers 200 when a replica takes requests.",
            )
            .replaces(),
        )
        .attribute(
            "startup",
            Attribute::with_default(
                Type::Number,
                STARTUP,
                "Seconds that a replica may take to become ready.",
            ),
        )
        .attribute(
            "replicas",
            Attribute::required(Type::Number, "How many processes run."),
        )
        .attribute("id", id())
        .attribute(
            "instances",
            Attribute::computed(
                Type::list(instance()),
                "The processes that run, oldest first.",
            ),
        );
    Schema {
        version: 0,
        body,
        doc: "Processes on this machine that serve one version of a model.".to_owned(),
    }
}

fn instance() -> Type {
    let field = |ty| Field { ty, default: None };
    Type::Object(BTreeMap::from([
        (Arc::from("id"), field(Type::String)),
        (Arc::from("pid"), field(Type::Number)),
        (Arc::from("started"), field(Type::String)),
        (Arc::from("port"), field(Type::Number)),
        (Arc::from("log"), field(Type::String)),
    ]))
}

fn gateway() -> Schema {
    let body = Body::new()
        .attribute("name", text("What is served; the name of the deployment.").replaces())
        .attribute("zone", text("The zone whose replicas it balances over.").replaces())
        .attribute(
            "port",
            Attribute::optional_computed(
                Type::Number,
                "The port it listens on; chosen by the system if it is not set.",
            )
            .replaces(),
        )
        .attribute(
            "protocol",
            Attribute::with_default(
                Type::String,
                "raw",
                "`raw`, `v1`, `oip-v2` or `openai`. All but `raw` say that a request only predicts, so that it is sent to another replica if one dies before it answers.",
            ),
        )
        .attribute(
            "routes",
            Attribute::required(
                Type::map(Type::Number),
                "Model version to weight: each version gets requests in proportion to its weight.",
            ),
        )
        .attribute("id", id())
        .attribute(
            "url",
            Attribute::computed(Type::String, "Where clients send requests."),
        )
        .attribute("pid", Attribute::computed(Type::Number, "Its process."))
        .attribute(
            "started",
            Attribute::computed(
                Type::String,
                "When its process began; tells it from later ones of the same pid.",
            ),
        );
    Schema {
        version: 0,
        body,
        doc: "A process on this machine that splits requests between versions by weight and balances them over ready replicas.".to_owned(),
    }
}

fn text(doc: &str) -> Attribute {
    Attribute::required(Type::String, doc)
}

fn id() -> Attribute {
    Attribute::computed(
        Type::String,
        "Tells its processes from those of others; derived from the change that made it.",
    )
}

/// An attribute that will be known after apply.
pub(crate) fn unknown(schema: &Schema, name: &str) -> Value {
    let attribute = schema.body.attributes.get(name);
    Value::unknown_of(attribute.map_or(Type::Any, |attribute| attribute.ty.clone()))
}
