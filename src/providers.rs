//! The providers that are built in, by their names: the only place that names them.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use isobar_sdk::clock::Runtime;
use isobar_sdk::limit::{Limit, Limits};
use isobar_sdk::provider::BoxFuture;
use isobar_sdk::retry::{Patience, Retry};
use isobar_sdk::schema::ProviderSchema;
use isobar_sdk::{Diagnostic, Error, Factory, Known, Provider, Value};

use crate::registry::Registry;
use crate::state::{self, State};

/// What providers are told about where they run.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The program, which starts itself for processes that outlive a command.
    pub executable: PathBuf,
    /// The folder for everything but the state, as an absolute path.
    pub data: PathBuf,
    /// The folder of the configuration, as an absolute path.
    pub base: PathBuf,
    /// What places of states are told by the environment.
    pub stores: BTreeMap<String, String>,
}

/// All providers, each called again after passing failures and no more often than it should be.
#[must_use]
pub fn registry(surroundings: &Surroundings) -> Registry {
    #[cfg_attr(
        not(feature = "aws"),
        expect(unused_mut, reason = "clouds are added by their features")
    )]
    let mut factories: Vec<Arc<dyn Factory>> = vec![
        Arc::new(isobar_data::factory_with(outputs_of(surroundings))),
        Arc::new(isobar_sim::factory(surroundings.base.clone())),
        Arc::new(isobar_local::factory(isobar_local::Runtime {
            executable: surroundings.executable.clone(),
            root: surroundings.data.clone(),
            base: surroundings.base.clone(),
        })),
    ];
    #[cfg(feature = "aws")]
    factories.push(Arc::new(isobar_aws::factory()));
    let decorated = factories.into_iter().map(Decorated);
    Registry::new(decorated.map(|factory| Arc::new(factory) as Arc<dyn Factory>))
}

/// Reads the outputs of another state. Paths are relative to the folder of the configuration.
fn outputs_of(surroundings: &Surroundings) -> isobar_data::ReadOutputs {
    let (base, stores) = (surroundings.base.clone(), surroundings.stores.clone());
    Arc::new(move |source| {
        let state = match source.backend.as_str() {
            "local" => state_in_file(&base.join(&source.config["path"])),
            kind => state::read_elsewhere(kind, &source.config, &stores, &source.workspace),
        };
        let Some(state) = state? else {
            return Ok(None);
        };
        let outputs = state.outputs.into_iter();
        let outputs = outputs.map(|(name, output)| (name, output.value.value().clone()));
        Ok(Some(Value::object(outputs)))
    })
}

fn state_in_file(path: &Path) -> Result<Option<State>, String> {
    let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    match std::fs::read_to_string(path) {
        Ok(text) => state::from_json(&text)
            .map(Some)
            .map_err(|error| wrong(&error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(&error)),
    }
}

/// A factory whose providers are tried again and held back.
struct Decorated(Arc<dyn Factory>);

impl Factory for Decorated {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn schema(&self) -> &ProviderSchema {
        self.0.schema()
    }

    fn functions(&self) -> &'static [isobar_sdk::Function] {
        self.0.functions()
    }

    fn limits(&self) -> Limits {
        self.0.limits()
    }

    fn configure<'a>(
        &'a self,
        configuration: &'a Known,
    ) -> BoxFuture<'a, Result<Arc<dyn Provider>, Error>> {
        Box::pin(async move {
            let clock = Arc::new(Runtime::start());
            let provider = self.0.configure(configuration).await?;
            // Every try counts against the limit, so the limit is the inner one.
            let limited = Limit::new(provider, self.limits(), clock.clone());
            let retried = Retry::new(Arc::new(limited), Patience::default(), clock);
            Ok(Arc::new(retried) as Arc<dyn Provider>)
        })
    }
}

/// Balances requests over the replicas that the file `config` names, until `shutdown`.
///
/// # Errors
/// Why the gateway ended otherwise.
pub async fn gateway(
    config: &Path,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Diagnostic> {
    isobar_local::gateway::run(config, shutdown)
        .await
        .map_err(|error| {
            let detail = isobar_sdk::diagnostic::sentence(&error.to_string());
            Diagnostic::error("C0030", "Gateway ended", detail)
        })
}

/// What the model server serves, and where.
#[derive(Debug, Clone)]
pub struct Server {
    /// The ONNX file.
    pub model: PathBuf,
    /// The name of the model; that of the file when `None`.
    pub name: Option<String>,
    /// The version of the model; `1` when `None`.
    pub version: Option<String>,
    /// Where it listens; port 0 takes a free one.
    pub address: SocketAddr,
    /// Inferences that may run at the same time.
    pub workers: NonZeroUsize,
    /// Sent with every answer; the process id when `None`.
    pub instance: Option<String>,
}

/// Serves a model until `shutdown`; `listening` is told the address as soon as it is open.
///
/// # Errors
/// Why the server ended otherwise.
#[cfg(feature = "serve")]
pub async fn serve(
    server: Server,
    shutdown: impl Future<Output = ()> + Send + 'static,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), Diagnostic> {
    let mut options = isobar_serve::Options::new(server.model, server.address.port());
    options.host = server.address.ip();
    options.name = server.name;
    options.version = server.version;
    options.workers = server.workers;
    options.instance = server.instance;
    isobar_serve::run(options, shutdown, listening)
        .await
        .map_err(|error| {
            let text = isobar_sdk::diagnostic::sentence(&error.to_string());
            let (detail, help) = text.split_once("; ").unwrap_or((&text, ""));
            let diagnostic = Diagnostic::error(
                "C0031",
                "Model server ended",
                isobar_sdk::diagnostic::sentence(detail),
            );
            if help.is_empty() {
                diagnostic
            } else {
                diagnostic.help(isobar_sdk::diagnostic::sentence(help))
            }
        })
}

/// Says that this program was built without the model server.
///
/// # Errors
/// Always.
#[cfg(not(feature = "serve"))]
pub async fn serve(
    server: Server,
    _shutdown: impl Future<Output = ()> + Send + 'static,
    _listening: impl FnOnce(SocketAddr),
) -> Result<(), Diagnostic> {
    let detail = format!(
        "This program was built without the model server, so it cannot serve {}.",
        server.model.display()
    );
    Err(Diagnostic::error("C0032", "No model server", detail)
        .help("Build it with the feature serve: cargo build --release --features serve"))
}
