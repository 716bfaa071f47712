//! `isobar_remote_state`: the outputs of another configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use isobar_sdk::provider::LookUp;
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Step, Type, Value};

/// The data source.
pub(crate) const DATA_SOURCE: &str = "isobar_remote_state";

/// Where a state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The kind of its backend.
    pub backend: String,
    /// What the backend is told.
    pub config: BTreeMap<String, String>,
    /// Whose state it is.
    pub workspace: String,
}

/// Reads the outputs of a state, as an object; `None` if there is no state. The error says what
/// is wrong.
pub type ReadOutputs = Arc<dyn Fn(&Source) -> Result<Option<Value>, String> + Send + Sync>;

pub(crate) fn schema() -> Schema {
    let body = Body::new()
        .attribute(
            "backend",
            Attribute::required(
                Type::String,
                "The kind of place that the state is in, such as `local` or `s3`.",
            ),
        )
        .attribute(
            "config",
            Attribute::optional(
                Type::Any,
                "What the place is told, as in a backend block; for `local` the `path` of the state.",
            ),
        )
        .attribute(
            "workspace",
            Attribute::optional(Type::String, "The workspace; `default` if it does not say."),
        )
        .attribute(
            "defaults",
            Attribute::optional(Type::Any, "Outputs to use where the state has none."),
        )
        .attribute(
            "outputs",
            Attribute::computed(Type::Any, "The outputs, by name."),
        );
    Schema {
        version: 0,
        body,
        doc: "Tells the outputs of another configuration from its state.".to_owned(),
    }
}

/// Reads the state that the configuration names.
pub(crate) fn look_up(request: &LookUp, read: &ReadOutputs) -> Result<Known, Error> {
    let configuration = request.configuration.value();
    let at = |name: &str| isobar_sdk::Path::attribute(name);
    let source = source(configuration)?;
    let wrong = |reason: String| Error::invalid(at("config"), reason);
    let found = read(&source).map_err(wrong)?;
    let nowhere = || {
        let Source {
            backend, workspace, ..
        } = &source;
        wrong(
            match source.config.get("path").filter(|_| backend == "local") {
                Some(path) => format!("there is no state at {path}"),
                None => format!(
                    "there is no state of workspace {workspace} in this backend {backend:?}"
                ),
            },
        )
    };
    let found = found.ok_or_else(nowhere)?;
    let defaults = configuration.field("defaults").and_then(Value::fields);
    let told = found.fields();
    let outputs = defaults
        .into_iter()
        .chain(told)
        .flat_map(|fields| fields.iter());
    let outputs = outputs.map(|(name, value)| (Arc::clone(name), value.clone()));
    let told = configuration.with_field("outputs", Value::object(outputs));
    Known::new(told).map_err(|_| wrong("an output is not known".to_owned()))
}

fn source(configuration: &Value) -> Result<Source, Error> {
    let text = |name: &str| configuration.field(name).and_then(Value::as_str);
    let mut config = BTreeMap::new();
    let given = configuration.field("config").and_then(Value::fields);
    for (name, value) in given.into_iter().flat_map(|fields| fields.iter()) {
        if value.is_null() {
            continue;
        }
        let setting = Type::String.convert(&value.reveal_all()).ok();
        let setting = setting.as_ref().and_then(Value::as_str).ok_or_else(|| {
            let place = isobar_sdk::Path::attribute("config").then(Step::Attribute(name.clone()));
            Error::invalid(place, "it must be text, a number or a bool")
        })?;
        config.insert(name.to_string(), setting.to_owned());
    }
    let backend = text("backend").unwrap_or_default().to_owned();
    if backend == "local" {
        let usual = || "isobar.state.json".to_owned();
        config.entry("path".to_owned()).or_insert_with(usual);
    }
    Ok(Source {
        backend,
        config,
        workspace: text("workspace").unwrap_or("default").to_owned(),
    })
}
