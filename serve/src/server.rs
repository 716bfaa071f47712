//! A server's life: listen, load, serve, drain.

use std::future::{Future, IntoFuture};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::error::ServeError;
use crate::model::Model;
use crate::options::Options;
use crate::routes::router;
use crate::service::Service;

/// Serves a model until `shutdown` resolves, then lets requests in flight finish.
///
/// `listening` is called once, as soon as the listener is open and before the
/// model is loaded: `/v2/health/ready` says when it is. Requests that are
/// still in flight when [`Limits::drain`](crate::Limits::drain) has passed are
/// left unanswered. An inference cannot be interrupted: to leave sooner than
/// one that is still computing, end the runtime with `shutdown_background`.
///
/// # Errors
/// See [`ServeError`]. A model that cannot be loaded ends the server.
pub async fn run(
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    let service = Arc::new(Service::new(&options));
    let listener = listen(SocketAddr::new(options.host, options.port)).await?;
    listening(listener.local_addr().map_err(ServeError::Serving)?);

    let (stop, stopped) = oneshot::channel::<()>();
    let server =
        axum::serve(listener, router(Arc::clone(&service))).with_graceful_shutdown(async {
            // An error means that `stop` was dropped, which is how it is used.
            let _dropped = stopped.await;
        });
    let mut server = pin!(server.into_future());
    let outcome = tokio::select! {
        ended = &mut server => return ended.map_err(ServeError::Serving),
        () = shutdown => Ok(()),
        Err(error) = load(&service, options.model) => Err(error),
    };
    drop(stop);
    match timeout(options.limits.drain, server).await {
        Ok(Err(error)) => outcome.and(Err(ServeError::Serving(error))),
        // Drained, or out of time: both end the server as `outcome` says.
        Ok(Ok(())) | Err(_) => outcome,
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::PortTaken { address },
            _ => ServeError::Listen { address, source },
        })
}

/// Loads the model on a thread of its own and makes the service ready.
///
/// The thread is not tied to the runtime, so that a load that is under way
/// does not hold up a shutdown.
async fn load(service: &Service, path: PathBuf) -> Result<(), ServeError> {
    let begun = Instant::now();
    let (sender, loaded) = oneshot::channel();
    let file = path.clone();
    let thread = std::thread::Builder::new().name("model-load".to_owned());
    let spawned = thread.spawn(move || {
        // An error means that the server has ended meanwhile.
        let _unheard = sender.send(Model::load(&file));
    });
    spawned.map_err(ServeError::Serving)?;
    let model = loaded.await.unwrap_or_else(|_| Err(panicked(&path)))?;
    service.accept(model, begun.elapsed());
    Ok(())
}

fn panicked(path: &Path) -> ServeError {
    ServeError::Model {
        path: path.to_owned(),
        reason: "the ONNX runtime panicked".to_owned(),
    }
}
