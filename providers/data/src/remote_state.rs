//! `isobar_remote_state`: the outputs of another configuration.

use std::path::Path;
use std::sync::Arc;

use isobar_sdk::provider::LookUp;
use isobar_sdk::schema::{Attribute, Body, Schema};
use isobar_sdk::{Error, Known, Step, Type, Value};

/// The data source.
pub(crate) const DATA_SOURCE: &str = "isobar_remote_state";

/// Reads the outputs of the state at a path, as an object; `None` if there is no state. The error
/// says what is wrong.
pub type ReadOutputs = Arc<dyn Fn(&Path) -> Result<Option<Value>, String> + Send + Sync>;

pub(crate) fn schema() -> Schema {
    let body = Body::new()
        .attribute(
            "backend",
            Attribute::required(Type::String, "Where the state is: `local`."),
        )
        .attribute(
            "config",
            Attribute::optional(Type::Any, "For `local`: `path`, the file of the state."),
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
    let backend = configuration.field("backend").and_then(Value::as_str);
    if backend != Some("local") {
        let reason = "the only backend that can be read is local";
        return Err(Error::invalid(at("backend"), reason).help("write backend = \"local\""));
    }
    let config = configuration.field("config");
    let path = config.and_then(|config| config.field("path"));
    let path = path.and_then(Value::as_str).unwrap_or("isobar.state.json");
    let wrong = |reason: String| {
        let place = at("config").then(Step::Attribute("path".into()));
        Error::invalid(place, reason)
    };
    let found = read(Path::new(path)).map_err(wrong)?;
    let found = found.ok_or_else(|| wrong(format!("there is no state at {path}")))?;
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
