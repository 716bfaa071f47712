//! What the gateway process runs: an HTTP proxy that splits requests between model versions by
//! weight and balances them over ready replicas.
//!
//! `balance` decides, `pool` knows the replicas, `watch` keeps that up to date, `proxy` passes
//! requests on, `metrics` counts. Its own endpoints lie under `/_isobar/`.

mod balance;
mod config;
mod metrics;
mod pool;
mod proxy;
mod watch;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;

pub(crate) use config::{Config, Protocol};
pub(crate) use proxy::{HEALTH, ReplicaStatus, STATUS, Status};

/// How long requests that are under way may take to finish after the gateway was told to end.
/// Shorter than the patience of who ends it, so that it is never killed in the middle of a write.
const DRAIN: Duration = Duration::from_secs(10);

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The configuration file cannot be used.
    #[error("cannot read the gateway configuration {}: {reason}", path.display())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The port is taken, or this user may not listen on it.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Host and port.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The listener broke.
    #[error("cannot accept connections any more: {0}")]
    Accept(io::Error),
}

/// Serves until `shutdown` is ready, which should be at SIGTERM and SIGINT, then lets requests that are under way finish, for at most
/// ten seconds. Changes of routes in the file and of the registered replicas are followed while
/// it runs; host and port are not.
///
/// # Errors
/// The configuration cannot be read, or the port cannot be listened on.
pub async fn run(
    config: &Path,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), GatewayError> {
    let first = Config::read(config).map_err(|reason| GatewayError::Config {
        path: config.to_owned(),
        reason,
    })?;
    let address = SocketAddr::new(first.host, first.port);
    let listening = TcpListener::bind(address).await;
    let listener = listening.map_err(|source| GatewayError::Listen { address, source })?;
    let gateway = Arc::new(proxy::Gateway::new(&first));
    let watcher = tokio::spawn(watch::follow(config.to_owned(), Arc::clone(&gateway)));
    let (told, mut was_told) = tokio::sync::watch::channel(false);
    let shutdown = async move {
        shutdown.await;
        told.send_replace(true);
    };
    let server = axum::serve(listener, proxy::router(gateway)).with_graceful_shutdown(shutdown);
    let out_of_patience = async move {
        // An error means that the server, and with it the sender, is gone: nothing to wait for.
        if was_told.wait_for(|told| *told).await.is_ok() {
            tokio::time::sleep(DRAIN).await;
        }
    };
    let result = tokio::select! {
        result = async move { server.await } => result.map_err(GatewayError::Accept),
        () = out_of_patience => Ok(()),
    };
    watcher.abort();
    result
}
